package cli_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
)

// TestParrot: however a server repeats a key or a password, nothing of ours does.
func TestParrot(t *testing.T) {
	t.Parallel()
	t.Run("patch", func(t *testing.T) {
		t.Parallel()
		s := newSafe(t, true)
		said, rows := map[string]string{}, [][]string{{"customer_id", "password"}}
		tell := func(password string, forms []string) {
			for _, form := range forms {
				id := strconv.Itoa(len(rows))
				said["tf:"+id] = form
				rows = append(rows, []string{id, password})
			}
		}
		for _, p := range nastyPasswords() {
			tell(p, wordings(p))
		}
		_, trackfinity := nastyKeys()
		tell("no secret here", wordings(trackfinity))
		s.giveRows(t, "edits.csv", rows...)
		p := s.startParrot(t, func(_, customer string) string { return said[customer] }, refusals)
		s.run(t, 3, "patch", "edits.csv", "--rate", "5000/s", "--max-failures", "100000", "--verbose")
		s.search(t, s.dir)
		if int(p.said.Load()) < len(said)*9/10 || !strings.Contains(strings.Join(s.reported(t, "rb_error"), "\n"), "(left out: it may repeat a secret)") {
			t.Errorf("%d repetitions of %d", p.said.Load(), len(said))
		}
	})
	t.Run("update", func(t *testing.T) {
		t.Parallel()
		s := newSafe(t, true)
		fusebill, _ := nastyKeys()
		var forms []string
		for _, secret := range s.secrets[:2] {
			forms = append(forms, wordings(secret)...)
		}
		forms = append(forms, "Authorization: Basic "+fusebill, "0:"+s.secrets[1])
		said, rows := map[string]string{}, [][]string{{"id", "firstName"}}
		for n, c := range seeded(active) {
			said[c.Get("id").Raw] = forms[n%len(forms)]
			rows = append(rows, []string{c.Get("id").Raw, "Edna"})
		}
		s.giveRows(t, "edits.csv", rows...)
		p := s.startParrot(t, func(kind, customer string) string {
			if kind == "put" {
				return said[customer]
			}
			return ""
		}, func(n int) replyShape { return refusals(n % 4) }) // a web page is no refusal here
		s.run(t, 3, "update", "edits.csv", "--max-failures", "100000", "--verbose", "--log-format", "json")
		s.search(t, s.dir)
		if int(p.said.Load()) < len(said)*9/10 || len(forms) > len(said) {
			t.Errorf("%d repetitions of %d, for %d forms", p.said.Load(), len(said), len(forms))
		}
	})
}

// TestParrotInTrouble has a server repeat secrets in replies that are no answer, three times of four.
func TestParrotInTrouble(t *testing.T) {
	t.Parallel()
	s := newSafe(t, true)
	rows := [][]string{{"customer_id", "password"}}
	said := map[string]string{}
	for n, p := range nastyPasswords() {
		id := strconv.Itoa(4001 + n)
		rows, said["tf:"+id] = append(rows, []string{id, p}), p
	}
	s.giveRows(t, "edits.csv", rows...)
	var calls atomic.Int64
	p := s.startParrot(t, func(_, customer string) string {
		if calls.Add(1)%4 == 0 {
			return ""
		}
		return said[customer]
	}, troubles)
	_, stderr := s.run(t, 4, "patch", "edits.csv", "--rate", "1000/s", "--timeout", "20ms", "--verbose")
	s.search(t, s.dir)
	if p.said.Load() < 20 || strings.Count(stderr, "(left out: it may repeat a secret)") < 20 {
		t.Errorf("%d repetitions\n%s", p.said.Load(), stderr)
	}
}

// TestParrotDeniesAccess has a server repeat secrets as it ends the run.
func TestParrotDeniesAccess(t *testing.T) {
	t.Parallel()
	body := func(text string) string { return "<html>" + text }
	for name, shape := range map[string]replyShape{
		"401": {401, "WWW-Authenticate", body}, "403": {403, "", body}, "302": {302, "Location", body}, "page": {200, "Content-Type", body},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSafe(t, true)
			fusebill, trackfinity := nastyKeys()
			s.giveRows(t, "patches.csv", []string{"customer_id", "password"}, []string{"4001", nastyPasswords()[2]})
			s.giveRows(t, "edits.csv", []string{"id", "firstName"}, []string{"987001", "Edna"})
			p := s.startParrot(t, func(kind, _ string) string {
				switch kind {
				case "ping": // which has heard of no password
					return "api-key: " + trackfinity
				case "patch":
					return "api-key: " + trackfinity + " " + nastyPasswords()[2]
				}
				return "Authorization: Basic " + fusebill + ", which is 0:" + s.secrets[1]
			}, func(int) replyShape { return shape })
			for _, args := range [][]string{{"patch", "patches.csv"}, {"patch", "patches.csv", "--skip-ping"}, {"update", "edits.csv"}, {"hold", "edits.csv", "--ignore", "firstName"}} {
				s.run(t, 13, append(args, "--verbose")...)
			}
			s.search(t, s.dir)
			if p.said.Load() < 4 {
				t.Errorf("%d repetitions", p.said.Load())
			}
		})
	}
}

// parrot is a server that repeats what it is sent, in the words of forms, and
// otherwise serves as the sandbox behind it does.
type parrot struct {
	next  http.Handler
	says  func(kind, customer string) string // what it repeats to a request; "": it leaves that to the sandbox
	shape func(n int) replyShape
	said  atomic.Int64
}

// replyShape is a kind of reply that repeats a text.
type replyShape struct {
	status int
	header string // the name of a header that repeats it, too
	body   func(text string) string
}

// refusals are shapes that end a row.
func refusals(n int) replyShape {
	quoted := func(text string) string { b, _ := json.Marshal(text); return string(b[1 : len(b)-1]) }
	all := []replyShape{
		{400, "", func(text string) string { return "no: " + text }},
		{400, "", func(text string) string { return `{"Message":"no: ` + text + `"}` }},
		{409, "", func(text string) string {
			return `{"ErrorId":0,"HttpStatusCode":409,"Errors":[{"Key":"` + quoted(text) + `","Value":"` + quoted(text) + `"}]}`
		}},
		{422, "X-Request", func(text string) string { return `["` + quoted(text) + `"]` }},
		{404, "", func(text string) string { return "<p>nothing for\n  " + text + "</p>" }},
	}
	return all[n%len(all)]
}

// troubles are shapes after which nobody knows what became of a write.
func troubles(n int) replyShape {
	if n == 3 { // each costs a pause
		return replyShape{429, "X-Rate-Limit-Reset-Minute", func(text string) string { return text }}
	}
	return []replyShape{
		{500, "", func(text string) string { return text }},
		{503, "Retry-After", func(text string) string { return `{"Message":"` + text + `"}` }},
		{408, "", func(text string) string { return text }},
		{200, "Content-Type", func(text string) string { return "<html>" + text }},
		{200, "", func(text string) string { return `{"id":12,"` + text + `":1,"` + text + `":2}` }},
		{201, "", func(text string) string { return text + " {" }},
	}[n%6]
}

func (p *parrot) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	kind, customer := addressed(r, body)
	if strings.HasSuffix(r.URL.Path, "/ping") {
		kind = "ping"
	}
	text := p.says(kind, customer)
	if text == "" {
		p.next.ServeHTTP(w, r)
		return
	}
	shape := p.shape(int(p.said.Add(1)))
	if name := shape.header; name != "" {
		w.Header().Set(name, "https://example.com/"+strings.Map(printableOnly, text))
	}
	if shape.status == http.StatusTooManyRequests {
		w.Header().Set("Retry-After", "1")
	}
	w.WriteHeader(shape.status)
	fmt.Fprint(w, shape.body(text))
}

func printableOnly(r rune) rune {
	if r < ' ' || r > '~' {
		return -1
	}
	return r
}

// wordings are the ways in which a server is to repeat a secret, without doubles:
// all that are asked for of it, but Base64 of a longer text and hexadecimal digits.
func wordings(secret string) []string {
	forms := disguises(secret)
	maps.DeleteFunc(forms, func(name, _ string) bool {
		return strings.Contains(name, "within") || strings.Contains(strings.ToLower(name), "hexadecimal") || strings.HasSuffix(name, "CSV") || strings.HasSuffix(name, "YAML")
	})
	return slices.Compact(slices.Sorted(maps.Values(forms)))
}

// startParrot puts a parrot before a safe's sandbox.
func (s *safe) startParrot(t *testing.T, says func(kind, customer string) string, shape func(int) replyShape) *parrot {
	t.Helper()
	p := &parrot{next: s.server, says: says, shape: shape}
	served := httptest.NewServer(p)
	t.Cleanup(served.Close)
	s.server.url = served.URL
	return p
}
