package web

import (
	"embed"
	"encoding/json"
	"html/template"
	"net/http"
	"strconv"
	"time"

	"rowbatch/reports/page"
)

//go:embed assets
var assets embed.FS

// pages are the templates, made once.
func pages() (*template.Template, error) {
	view := func() string { return strconv.FormatInt(time.Now().UnixNano(), 36) } // tells one view of a page from the next
	return template.New("").Funcs(page.Functions()).Funcs(template.FuncMap{"view": view}).ParseFS(assets, "assets/*.html")
}

// frame is what every page has around it.
type frame struct {
	Title   string
	Script  string // module of the page; "": it has none
	Nav     string // the part that it belongs to: runs or new
	Account band
	Steps   []step
}

// band tells the account above everything.
type band struct {
	Kind string // of its look: production, sandbox or none
	Word string // PRODUCTION, SANDBOX
	Host string
	Tint string // colour of the word, as its profile has it; "": that of the look
	Who  string // a customer whom one knows there
}

// Real reports whether customers feel what is sent there.
func (b band) Real() bool { return b.Kind != "sandbox" }

// step is one of the steps of an edit.
type step struct {
	Name, Href string
	Now        bool
}

// stepsOf are the steps of an edit, at one of them. hrefs leads back to those that are over.
func stepsOf(at string, hrefs map[string]string) (steps []step) {
	for _, name := range []string{"New", "Columns", "Preview", "Send", "Result"} {
		s := step{Name: name, Now: name == at}
		if !s.Now {
			s.Href = hrefs[name]
		}
		steps = append(steps, s)
	}
	return steps
}

// tell answers a script with JSON.
func tell(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	e := json.NewEncoder(w)
	_ = e.Encode(v) // likewise
}

// inJSON is for attributes that scripts read.
func inJSON(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err) // counts and texts always encode
	}
	return string(text)
}

// when tells a time as people do: with its day unless that is today.
func when(at, now time.Time) string {
	at, now = at.Local(), now.Local()
	switch {
	case at.Format(time.DateOnly) == now.Format(time.DateOnly):
		return "today, " + at.Format("15:04")
	case at.Year() == now.Year():
		return at.Format("2 Jan, 15:04")
	}
	return at.Format("2 Jan 2006, 15:04")
}
