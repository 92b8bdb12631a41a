package cli_test

import (
	"maps"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
)

// rewrite puts a server between that changes the text of the list's pages.
func (a *account) rewrite(t *testing.T, change func(page string) string) {
	t.Helper()
	a.serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		if !strings.HasSuffix(r.URL.Path, "/customers") || !q.Has("pageNumber") || strings.HasPrefix(q.Get("query"), "reference:") {
			a.ServeHTTP(w, r)
			return
		}
		answer := httptest.NewRecorder()
		a.ServeHTTP(answer, r)
		maps.Copy(w.Header(), answer.Header())
		w.Header().Del("Content-Length")
		w.WriteHeader(answer.Code)
		_, _ = w.Write([]byte(change(answer.Body.String())))
	}))
}

// A list that does not show references says nothing of whose they are, however
// complete it is.
func TestReferencesThatTheListDoesNotShow(t *testing.T) {
	a := smallAccount(t)
	reference := regexp.MustCompile(`"reference":("[^"]*"|null),`)
	a.rewrite(t, func(page string) string { return reference.ReplaceAllString(page, "") })
	a.run(t, "update", a.edits(t, "reference", a.some(60), 0)).want(t, "list=61 get=60", "unchanged=60")
}

// A server whose list does not work, and all else does, holds no run up.
func TestAListThatDoesNotWork(t *testing.T) {
	a := smallAccount(t)
	a.rewrite(t, func(string) string { return `{"items":[]}` })
	a.run(t, "update", a.edits(t, "id", a.some(60), 2)).want(t, "list=4 get=61 overview=2 put=30", "changed=30 unchanged=30")
}

// A sheet in which customers are missing must not pass for the whole list.
func TestExportOfCustomersWithoutIDs(t *testing.T) {
	a := smallAccount(t, capped)
	a.rewrite(t, func(page string) string { return strings.ReplaceAll(page, `"id":`, `"Id":`) })
	b, ids := a.exported(t, 5)
	if ids != nil || !strings.Contains(b.said, "customers without an id") {
		t.Errorf("%d ids\n%s", len(ids), b.said)
	}
}

func TestExportOfARefusedPage(t *testing.T) {
	a := smallAccount(t, capped)
	a.serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("pageNumber") == "4" {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		a.ServeHTTP(w, r)
	}))
	b, ids := a.exported(t, 5)
	if ids != nil || !strings.Contains(b.said, "404") || strings.Contains(b.said, "--query") {
		t.Errorf("%d ids\n%s", len(ids), b.said)
	}
}
