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

// TestServersThatEchoSecrets: however a server repeats a key or a password, the program does not.
func TestServersThatEchoSecrets(t *testing.T) {
	t.Parallel()
	t.Run("patch", func(t *testing.T) {
		t.Parallel()
		s := newSecretsTrial(t, true)
		said, rows := map[string]string{}, [][]string{{"customer_id", "password"}}
		tell := func(password string, forms []string) {
			for _, form := range forms {
				id := strconv.Itoa(len(rows))
				said["tf:"+id] = form
				rows = append(rows, []string{id, password})
			}
		}
		for _, p := range hardPasswords() {
			tell(p, echoedForms(p))
		}
		_, trackfinity := hardKeys()
		tell("no secret here", echoedForms(trackfinity))
		s.writeRows(t, "edits.csv", rows...)
		p := s.startEcho(t, func(_, customer string) string { return said[customer] }, refusals)
		s.run(t, 3, "patch", "edits.csv", "--rate", "5000/s", "--max-failures", "100000", "--verbose")
		s.search(t, s.dir)
		if int(p.said.Load()) < len(said)*9/10 || !strings.Contains(strings.Join(s.reported(t, "rb_error"), "\n"), "(left out: it may repeat a secret)") {
			t.Errorf("%d repetitions of %d", p.said.Load(), len(said))
		}
	})
	t.Run("update", func(t *testing.T) {
		t.Parallel()
		s := newSecretsTrial(t, true)
		fusebill, _ := hardKeys()
		var forms []string
		for _, secret := range s.secrets[:2] {
			forms = append(forms, echoedForms(secret)...)
		}
		forms = append(forms, "Authorization: Basic "+fusebill, "0:"+s.secrets[1])
		said, rows := map[string]string{}, [][]string{{"id", "firstName"}}
		for n, c := range seeded(active) {
			said[c.Get("id").Raw] = forms[n%len(forms)]
			rows = append(rows, []string{c.Get("id").Raw, "Edna"})
		}
		s.writeRows(t, "edits.csv", rows...)
		p := s.startEcho(t, func(kind, customer string) string {
			if kind == "put" {
				return said[customer]
			}
			return ""
		}, func(n int) replyShape { return refusals(n % 4) }) // a web page is no refusal here
		s.run(t, 3, "update", "edits.csv", "--max-failures", "100000", "--timeout", "2s", "--verbose", "--log-format", "json")
		s.search(t, s.dir)
		if int(p.said.Load()) < len(said)*9/10 || len(forms) > len(said) {
			t.Errorf("%d repetitions of %d, for %d forms", p.said.Load(), len(said), len(forms))
		}
	})
}

// TestSecretsEchoedInUnusableReplies: three of four replies repeat secrets and tell nothing else.
func TestSecretsEchoedInUnusableReplies(t *testing.T) {
	t.Parallel()
	s := newSecretsTrial(t, true)
	rows := [][]string{{"customer_id", "password"}}
	said := map[string]string{}
	for n, p := range hardPasswords() {
		id := strconv.Itoa(4001 + n)
		rows, said["tf:"+id] = append(rows, []string{id, p}), p
	}
	s.writeRows(t, "edits.csv", rows...)
	var calls atomic.Int64
	p := s.startEcho(t, func(_, customer string) string {
		if calls.Add(1)%4 == 0 {
			return ""
		}
		return said[customer]
	}, unusableReplies)
	// Replies that hang are waited for so long; on a busy machine the others take a while, too.
	timeout := map[bool]string{false: "60ms", true: "300ms"}[underRace]
	_, stderr := s.run(t, 4, "patch", "edits.csv", "--rate", "1000/s", "--timeout", timeout, "--verbose")
	s.search(t, s.dir)
	if p.said.Load() < 20 || strings.Count(stderr, "(left out: it may repeat a secret)") < 20 {
		t.Errorf("%d repetitions\n%s", p.said.Load(), stderr)
	}
}

// TestSecretsEchoedAsTheRunEnds: secrets are repeated in replies that end the run.
func TestSecretsEchoedAsTheRunEnds(t *testing.T) {
	t.Parallel()
	body := func(text string) string { return "<html>" + text }
	for name, shape := range map[string]replyShape{
		"401": {401, "WWW-Authenticate", body}, "403": {403, "", body}, "302": {302, "Location", body}, "page": {200, "Content-Type", body},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSecretsTrial(t, true)
			fusebill, trackfinity := hardKeys()
			s.writeRows(t, "patches.csv", []string{"customer_id", "password"}, []string{"4001", hardPasswords()[2]})
			s.writeRows(t, "edits.csv", []string{"id", "firstName"}, []string{"987001", "Edna"})
			p := s.startEcho(t, func(kind, _ string) string {
				switch kind {
				case "ping": // which was sent no password
					return "api-key: " + trackfinity
				case "patch":
					return "api-key: " + trackfinity + " " + hardPasswords()[2]
				}
				return "Authorization: Basic " + fusebill + ", which is 0:" + s.secrets[1]
			}, func(int) replyShape { return shape })
			for _, args := range [][]string{{"patch", "patches.csv"}, {"patch", "patches.csv", "--skip-ping", "--yes"}, {"update", "edits.csv"}, {"hold", "edits.csv", "--ignore", "firstName"}} {
				s.run(t, 13, append(args, "--verbose")...)
			}
			s.search(t, s.dir)
			if p.said.Load() < 4 {
				t.Errorf("%d repetitions", p.said.Load())
			}
		})
	}
}

// echoServer answers with texts that repeat secrets, and otherwise as the server behind it.
type echoServer struct {
	next    http.Handler
	textFor func(kind, customer string) string // the text to answer with; "": the server behind answers
	shape   func(n int) replyShape
	said    atomic.Int64
}

// replyShape is a kind of reply that holds a text.
type replyShape struct {
	status int
	header string // the name of a header that holds it, too
	body   func(text string) string
}

// refusals are replies that end a row.
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

// unusableReplies are replies after which nobody knows what became of a write.
func unusableReplies(n int) replyShape {
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

func (p *echoServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	kind, customer := addressed(r, body)
	if strings.HasSuffix(r.URL.Path, "/ping") {
		kind = "ping"
	}
	text := p.textFor(kind, customer)
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

// echoedForms are the spellings in which a server repeats a secret, without doubles: not
// as Base64 of a longer text, nor as hexadecimal digits.
func echoedForms(secret string) []string {
	forms := spellings(secret)
	maps.DeleteFunc(forms, func(name, _ string) bool {
		return strings.Contains(name, "within") || strings.Contains(strings.ToLower(name), "hexadecimal") || strings.HasSuffix(name, "CSV") || strings.HasSuffix(name, "YAML")
	})
	return slices.Compact(slices.Sorted(maps.Values(forms)))
}

// startEcho puts an echoServer before the trial's sandbox.
func (s *secretsTrial) startEcho(t *testing.T, textFor func(kind, customer string) string, shape func(int) replyShape) *echoServer {
	t.Helper()
	p := &echoServer{next: s.server, textFor: textFor, shape: shape}
	served := httptest.NewServer(p)
	t.Cleanup(served.Close)
	s.server.url = served.URL
	return p
}
