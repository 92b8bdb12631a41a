package page

import (
	"bufio"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"html/template"
	"io"
	"iter"
	"strconv"
	"strings"

	"rowbatch/batch"
)

// Document is what report.html says around the rows of a run.
type Document struct {
	Title, Heading, Lead string
	Account              Band
	Meta                 []string // in a line below the heading
	Notes                []string // what wants attention
	Facts, Sets          []Fact   // of the run, and of the fields that it sets
	Counts               map[batch.Kind]int
	Dry                  bool
	Summary
	Pace     Pace
	Around   Around
	Rows     int     // of the run
	Files    string  // those that hold all rows
	ZoneName string  // in which times are told
	Zone     int     // minutes east of UTC
	most     extents // of the rows in it
}

// Band tells the account above everything.
type Band struct {
	Kind   string // of its look: production or sandbox
	Word   string // such as PRODUCTION
	Colour string // of the word; "": that of the look
	Host   string
}

// Fact is something said of a run.
type Fact struct{ Name, Text string }

// Pace is how requests went, and what the account let through.
type Pace struct {
	Requests      string // what was sent in all
	Missing       string // what the picture does not show
	Limit, Usable int    // a minute; 0: not known
}

// Around is what the life of runs adds to a page: what is at stake, and what to type next.
type Around struct {
	Stakes   *Stakes
	Forecast string
	Next     []Command
	Unhold   string // of an undo: with which option customers come off hold
}

// Command leads on from a run.
type Command struct {
	What  string   // it does
	Lines []string // of which one is typed
}

// Stakes is what the customers of holds owe and pay.
type Stakes struct {
	Customers  int
	Currencies []string
	Lines      []Amounts
	Notes      []string
}

// Amounts are sums of money, one for each currency.
type Amounts struct {
	Name string
	Of   []string
}

// extents bound a page, so that a browser can open it: rows in all, and the bytes of those
// that need no work and of all others.
type extents struct{ rows, plain, bytes int }

const longest = 10_000 // characters of a value

// mostOfPage is what browsers still open quickly.
func mostOfPage() extents { return extents{100_000, 48 << 20, 64 << 20} }

// brief is the beginning of a text that stands around the rows.
func brief(text string) string {
	const most = 400
	if r := []rune(text); len(r) > most {
		text = string(r[:most]) + " …"
	}
	return batch.Visible(text)
}

// Shown are the outcomes that occur, with their rows.
func (d Document) Shown() (all []struct {
	Kind batch.Kind
	Rows int
}) {
	for _, kind := range Order(d.Dry) {
		if n := d.Counts[kind]; n > 0 {
			all = append(all, struct {
				Kind batch.Kind
				Rows int
			}{kind, n})
		}
	}
	return all
}

// Jump is what stands beside the way to the right column, where that is below.
func (d Document) Jump() string {
	var parts []string
	for _, of := range d.Shown() {
		parts = append(parts, batch.Thousands(of.Rows)+" "+words(of.Kind))
	}
	return strings.Join(parts, ", ")
}

// Write writes the page with the rows, in one go. Rows that are too many are left out,
// those that need work last.
func (d Document) Write(to io.Writer, rows iter.Seq2[Row, error]) error {
	if d.most == (extents{}) {
		d.most = mostOfPage()
	}
	script := append(Asset("rows.js"), Asset("report.js")...)
	style := Asset("style.css")
	out := bufio.NewWriterSize(to, 64<<10)
	parts, err := template.New("").Funcs(Functions()).Parse(string(Asset("report.html")))
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta http-equiv=\"Content-Security-Policy\" "+
		"content=\"default-src 'none'; style-src '%s'; script-src '%s'; base-uri 'none'; form-action 'none'\">\n<style>%s</style>\n",
		hash(style), hash(script), style)
	if err := parts.Execute(out, d); err != nil {
		return err
	}
	if err := d.writeData(out, rows); err != nil {
		return err
	}
	fmt.Fprintf(out, "<script type=\"module\">%s</script>\n</body>\n</html>\n", script)
	return out.Flush()
}

// Functions are those of the templates of pages.
func Functions() template.FuncMap {
	return template.FuncMap{"count": batch.Thousands, "plural": batch.Plural, "words": words, "sprite": Sprite, "icon": icon,
		"lines": lines, "visible": batch.Visible, "brief": brief,
		"split": func(line string) []string { return strings.Split(line, " ") }, // at options, not at their hyphens
	}
}

// hash is what a policy calls a script or a style by.
func hash(text []byte) string {
	sum := sha256.Sum256(text)
	return "sha256-" + base64.StdEncoding.EncodeToString(sum[:])
}

// writeData writes what the script takes, in an element that is never run: encoding/json
// spells <, >, &, U+2028 and U+2029 as escapes, so that no text can end the element.
func (d Document) writeData(out *bufio.Writer, rows iter.Seq2[Row, error]) error {
	fixes := map[string]string{}
	for _, e := range d.Errors {
		fixes[e.Code] = e.Fix
	}
	around, err := json.Marshal(map[string]any{"kinds": Order(d.Dry), "counts": d.Counts, "fixes": fixes, "minutes": d.Minutes,
		"limit": d.Pace.Limit, "usable": d.Pace.Usable, "zone": d.Zone, "all": d.Rows, "files": d.Files})
	if err != nil {
		return err
	}
	_, _ = out.WriteString("<script type=\"application/json\" id=\"data\">")
	_, _ = out.Write(around[:len(around)-1])
	_, _ = out.WriteString(",\"rows\":[")
	work := 0 // rows that need some and are still to come
	for kind, n := range d.Counts {
		if kind.NeedsWork() {
			work += n
		}
	}
	room, bytes, separator := d.most.rows, 0, "\n"
	for row, err := range rows {
		if err != nil {
			return err
		}
		if room == 0 || bytes > d.most.bytes {
			break
		}
		if row.Outcome.NeedsWork() {
			work--
		} else if room <= work || bytes > d.most.plain {
			continue
		}
		line, err := json.Marshal(fit(row))
		if err != nil {
			return err
		}
		room, bytes = room-1, bytes+len(line)
		_, _ = out.WriteString(separator)
		if _, err := out.Write(line); err != nil {
			return err
		}
		separator = ",\n"
	}
	_, err = out.WriteString("]}</script>\n")
	return err
}

// fit is a row without the ends of texts that are too long to be looked at.
func fit(r Row) Row {
	for i, c := range r.Changes {
		for at, text := range c {
			if text != nil {
				r.Changes[i][at] = new(shortened(*text))
			}
		}
	}
	r.Key, r.Customer, r.Error, r.Warning = shortened(r.Key), shortened(r.Customer), shortened(r.Error), shortened(r.Warning)
	return r
}

func shortened(text string) string {
	if len(text) <= longest {
		return text
	}
	all := []rune(text)
	if len(all) <= longest {
		return text
	}
	return string(all[:longest]) + fmt.Sprintf(" … (the first of %s characters)", batch.Thousands(len(all)))
}

func icon(name any) template.HTML {
	text := template.HTMLEscapeString(fmt.Sprint(name))
	return template.HTML(`<svg class="i i-` + text + `" aria-hidden="true"><use href="#` + text + `"/></svg>`) //nolint:gosec // escaped
}

// lines are those of an error's rows.
func lines(e Cause) string {
	all := make([]string, len(e.Lines))
	for n, line := range e.Lines {
		all[n] = strconv.Itoa(line)
	}
	if e.Count > len(all) {
		all = append(all, "…")
	}
	return strings.Join(all, ", ")
}
