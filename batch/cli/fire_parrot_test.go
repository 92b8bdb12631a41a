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
	"strings"
	"sync/atomic"
	"testing"
)

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
