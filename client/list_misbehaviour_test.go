package client_test

import (
	"fmt"
	"net/http"
	"testing"

	"rowbatch/client"
)

// listed reads a list to its end.
func listed(t *testing.T, h http.Handler) (l counted, rows int, rep client.Reply) {
	t.Helper()
	return readOut(t, listing(t, h))
}

func readOut(t *testing.T, l counted) (_ counted, rows int, rep client.Reply) {
	t.Helper()
	for {
		page, rep := l.Next(t.Context())
		if rep.Class != client.Answered || len(page.Rows) == 0 {
			return l, rows, rep
		}
		rows += len(page.Rows)
	}
}

// A count that is far from the truth ends no list whose customers go on ascending.
func TestListWithAWrongCount(t *testing.T) {
	for _, count := range []int{0, 1, 150} {
		l, rows, _ := listed(t, &lister{page: pages(600, 4200, count)})
		if rows != 4200 || l.Lost() || l.Complete() || l.requests() != 8 {
			t.Errorf("count %d: %d rows, %d requests, lost: %v, complete: %v", count, rows, l.requests(), l.Lost(), l.Complete())
		}
	}
}

// oddly serves two pages of two customers, and anything else by odd.
func oddly(odd func(w http.ResponseWriter, page, order string) bool) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if q := r.URL.Query(); !odd(w, q.Get("pageNumber"), q.Get("sortExpression")) {
			(&lister{page: pages(2, 4, 4)}).ServeHTTP(w, r)
		}
	})
}

// Behind the last page, which is full, servers have many ways to say that nothing comes.
func TestListEndsAsTheServerLikes(t *testing.T) {
	for _, c := range []struct {
		name     string
		end      func(w http.ResponseWriter)
		requests int
		complete bool
	}{
		{"it refuses", func(w http.ResponseWriter) { w.WriteHeader(http.StatusNotFound) }, 3, true},
		{"it says null", func(w http.ResponseWriter) { fmt.Fprint(w, "null") }, 4, false},
		{"it fails", func(w http.ResponseWriter) { w.WriteHeader(http.StatusInternalServerError) }, 4, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			l, rows, rep := listed(t, oddly(func(w http.ResponseWriter, page, _ string) bool {
				if page == "2" {
					c.end(w)
				}
				return page == "2"
			}))
			if rep.Class != client.Answered || rows != 4 || l.requests() != c.requests || l.Complete() != c.complete || l.Lost() {
				t.Errorf("%s: %d rows, %d requests, complete: %v, lost: %v", rep.Class, rows, l.requests(), l.Complete(), l.Lost())
			}
		})
	}
	_, rows, rep := listed(t, oddly(func(w http.ResponseWriter, page, _ string) bool {
		if page == "1" {
			w.WriteHeader(http.StatusNotFound)
		}
		return page == "1"
	}))
	if rep.Class != client.Refused || rows != 2 {
		t.Errorf("a page that is missing: %s after %d rows", rep.Class, rows)
	}
}

// A server that fails over the order, and does not say so, lists without it.
func TestListThatCannotBeSorted(t *testing.T) {
	l, rows, rep := listed(t, oddly(func(w http.ResponseWriter, _, order string) bool {
		if order != "" {
			w.WriteHeader(http.StatusInternalServerError)
		}
		return order != ""
	}))
	if rep.Class != client.Answered || rows != 4 || l.requests() != 5 || !l.Complete() {
		t.Errorf("%s: %d rows, %d requests, complete: %v", rep.Class, rows, l.requests(), l.Complete())
	}
}

// Who can do without the list does not wait until a server that is there has been
// mended; for one that is not there he waits.
func TestListThatIsSpoilt(t *testing.T) {
	for status, want := range map[int]int{http.StatusInternalServerError: 3, http.StatusBadGateway: 5} {
		fb := serving(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) }), func(o *client.Options) {
			o.Patience = client.PatienceFor("http://localhost")
			o.Patience.Tries = 5
		})
		l, _, rep := readOut(t, counted{fb.List("", 3, 1), fb})
		if rep.Class != client.Lost || l.requests() != want {
			t.Errorf("%d: %s after %d requests", status, rep.Class, l.requests())
		}
	}
}

func TestListRowsOfNobody(t *testing.T) {
	for _, c := range []struct {
		row     string
		nobodys int
		names   bool
	}{
		{entry(2, ""), 0, true},
		{`{"id":2,"reference":null}`, 0, true},
		{`{"id":2}`, 0, false},
		{`{"id":0,"reference":"R2"}`, 1, false},
		{`{"reference":"R2"}`, 1, false},
		{`null`, 0, false},
	} {
		l, _, _ := listed(t, &lister{page: fixed("2", []string{entry(1, ""), c.row})})
		if l.Nobodys() != c.nobodys || l.CompleteByReference() != c.names {
			t.Errorf("%s: %d are nobody's, all references: %v", c.row, l.Nobodys(), l.CompleteByReference())
		}
	}
}
