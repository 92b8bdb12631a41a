package client_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"rowbatch/client"
)

// lister is a server of a list that may misbehave: pages are made as the test likes.
type lister struct {
	asked []string // sort expressions, page by page
	page  func(n int, h http.Header) []string
}

func (l *lister) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	l.asked = append(l.asked, q.Get("sortOrder")+q.Get("sortExpression"))
	n, _ := strconv.Atoi(q.Get("pageNumber"))
	w.Header().Set("Content-Type", "application/json")
	rows := l.page(n, w.Header())
	if rows == nil {
		w.WriteHeader(http.StatusBadRequest)
		fmt.Fprint(w, `{"ErrorId":1,"Errors":[{"Key":"sortExpression","Value":"cannot be sorted on"}]}`)
		return
	}
	fmt.Fprint(w, "["+strings.Join(rows, ",")+"]")
}

// entry is a list row; second is when the customer was created, "" for a short row.
func entry(id int, second string) string {
	if second != "" {
		second = fmt.Sprintf(`,"createdTimestamp":"2020-01-01T00:00:%s"`, second)
	}
	return fmt.Sprintf(`{"id":%d,"reference":"R%d"%s}`, id, id, second)
}

// pages cuts customers 1 to n into pages, with the count that the server claims.
func pages(size, n, claim int) func(int, http.Header) []string {
	return func(page int, h http.Header) []string {
		if claim >= 0 {
			h.Set("X-Count", strconv.Itoa(claim))
		}
		rows := []string{}
		for id := page*size + 1; id <= min(n, (page+1)*size); id++ {
			rows = append(rows, entry(id, ""))
		}
		return rows
	}
}

func fixed(count string, all ...[]string) func(int, http.Header) []string {
	return func(page int, h http.Header) []string {
		h.Set("X-Count", count)
		if page >= len(all) {
			return []string{}
		}
		return all[page]
	}
}

func TestList(t *testing.T) {
	for _, c := range []struct {
		name                  string
		page                  func(int, http.Header) []string
		pages, requests, rows int
		complete              bool
	}{
		{"one page", pages(1000, 3, 3), 1, 1, 3, true},
		{"nobody", pages(1000, 0, 0), 1, 1, 0, true},
		{"the server caps its pages", pages(2, 5, 5), 3, 3, 5, true},
		{"the last page is full", pages(2, 4, 4), 2, 3, 4, true},
		{"the last page is full, and says that it is the last", func(n int, h http.Header) []string {
			h.Set("X-NextPage", map[bool]string{true: "1", false: "-1"}[n == 0])
			return pages(2, 4, 4)(n, h)
		}, 2, 2, 4, true},
		{"no count", pages(2, 5, -1), 0, 4, 5, false},
		{"a count too high", pages(2, 5, 9), 5, 4, 5, false},
		{"a count too low", pages(2, 5, 4), 2, 3, 5, false},
		{"a count of the page, and a next page", func(n int, h http.Header) []string {
			h.Set("X-NextPage", strconv.Itoa(n+1))
			return pages(2, 5, 2)(n, h)
		}, 1, 4, 5, false},
		{"a page index that is none", func(n int, h http.Header) []string {
			h.Set("X-MaxPageIndex", "1")
			return pages(2, 6, 6)(n, h)
		}, 3, 4, 6, true},
		{"pages do not turn", func(_ int, h http.Header) []string { return pages(2, 8, 8)(0, h) }, 4, 2, 4, false},
		{"a customer comes twice", fixed("4", []string{entry(1, "01"), entry(2, "02")}, []string{entry(2, "02"), entry(3, "03")}), 2, 3, 4, false},
		{"twice, among those of one moment", fixed("4", []string{entry(2, "01"), entry(1, "01")}, []string{entry(2, "01"), entry(3, "03")}), 2, 3, 4, false},
		{"of one moment, in any order", fixed("4", []string{entry(2, "01"), entry(4, "01")}, []string{entry(1, "01"), entry(3, "03")}), 2, 3, 4, true},
		{"by id though not by time", fixed("3", []string{entry(1, "05"), entry(2, "02"), entry(3, "")}), 1, 1, 3, true},
		{"in no order", fixed("4", []string{entry(4, "05"), entry(2, "02")}, []string{entry(3, "07"), entry(1, "01")}), 2, 3, 4, false},
		{"somebody came", func(n int, h http.Header) []string { return pages(2, 5+n, 5+n)(n, h) }, 3, 5, 9, true},
		{"somebody went", func(n int, h http.Header) []string { return pages(2, 5-n, 5-n)(n, h) }, 3, 3, 4, false},
		{"a row without an id", fixed("2", []string{`{"reference":"R1"}`, entry(2, "")}), 2, 2, 1, false},
		{"an id as text, past 2^53", fixed("1", []string{`{"id":"9007199254740993","reference":7}`}), 1, 1, 1, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := listing(t, &lister{page: c.page})
			rows, pages := 0, -1
			for {
				p, rep := l.Next(t.Context())
				if rep.Class != client.Answered {
					t.Fatal(rep.Err)
				}
				if pages < 0 {
					pages = l.Pages()
				}
				if len(p.Rows) == 0 {
					break
				}
				rows += len(p.Rows)
			}
			if pages != c.pages || l.requests() != c.requests || rows != c.rows || l.Complete() != c.complete {
				t.Errorf("%d pages to come, %d requests, %d rows, complete: %v", pages, l.requests(), rows, l.Complete())
			}
		})
	}
}

// counted is a list, and how many requests it took.
type counted struct {
	*client.Listing
	of *client.Fusebill
}

func (l counted) requests() int { return l.of.Requests() }

func listing(t *testing.T, h http.Handler) counted {
	t.Helper()
	fb := serving(t, h)
	return counted{fb.List("", 0, 1), fb}
}

func TestListRows(t *testing.T) {
	l := listing(t, &lister{page: fixed("3", []string{`{"id":7,"reference":40021}`, `{"id":8,"reference":null}`, `{"id":9}`})})
	p, _ := l.Next(t.Context())
	want := []client.ListRow{
		{ID: 7, Reference: "40021", Raw: json.RawMessage(`{"id":7,"reference":40021}`)},
		{ID: 8, Raw: json.RawMessage(`{"id":8,"reference":null}`)},
		{ID: 9, Nameless: true, Raw: json.RawMessage(`{"id":9}`)},
	}
	if !slices.EqualFunc(p.Rows, want, func(a, b client.ListRow) bool { return fmt.Sprint(a) == fmt.Sprint(b) }) {
		t.Errorf("%+v", p.Rows)
	}
}

// A server that does not sort is asked without an order, and keeps to that.
func TestListWithoutOrder(t *testing.T) {
	s := &lister{}
	s.page = func(n int, h http.Header) []string {
		if s.asked[len(s.asked)-1] != "" {
			return nil
		}
		return pages(2, 3, 3)(n, h)
	}
	l := listing(t, s)
	for {
		p, rep := l.Next(t.Context())
		if rep.Class != client.Answered {
			t.Fatal(rep.Err)
		}
		if len(p.Rows) == 0 {
			break
		}
	}
	if want := []string{"AscendingcreatedTimestamp", "", ""}; !slices.Equal(s.asked, want) || !l.Complete() {
		t.Errorf("%q, complete: %v", s.asked, l.Complete())
	}
}

// A list that is given up is not taken for one that ended.
func TestListIsLost(t *testing.T) {
	upsideDown := func(n int, _ http.Header) []string { return []string{entry(1000-2*n, "")} }
	for _, c := range []struct {
		name string
		page func(int, http.Header) []string
		lost bool
	}{
		{"it ends", pages(2, 5, 5), false},
		{"it ends, and nothing says how many there are", pages(2, 5, -1), false},
		{"a count too high", pages(2, 5, 9), false},
		{"pages do not turn", func(_ int, h http.Header) []string { return pages(2, 8, 8)(0, h) }, true},
		{"pages do not turn, and one holds all", func(_ int, h http.Header) []string { return pages(2, 2, -1)(0, h) }, false},
		{"no order, and no count", upsideDown, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := listing(t, &lister{page: c.page})
			for n := 0; ; n++ {
				p, rep := l.Next(t.Context())
				if rep.Class != client.Answered || n > 20 {
					t.Fatal(n, rep.Err)
				}
				if len(p.Rows) == 0 {
					break
				}
			}
			if l.Lost() != c.lost {
				t.Errorf("lost: %v", l.Lost())
			}
		})
	}
}

// A list that breaks off is not complete, and asks no more.
func TestListBreaksOff(t *testing.T) {
	l := listing(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("pageNumber") != "0" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		(&lister{page: pages(2, 4, 4)}).ServeHTTP(w, r)
	}))
	if p, rep := l.Next(t.Context()); rep.Class != client.Answered || len(p.Rows) != 2 {
		t.Fatal(rep.Err)
	}
	if _, rep := l.Next(t.Context()); rep.Class != client.NoAccess {
		t.Errorf("%s: %v", rep.Class, rep.Err)
	}
	if p, _ := l.Next(t.Context()); len(p.Rows) > 0 || l.requests() != 2 || l.Complete() {
		t.Errorf("%d rows, %d requests", len(p.Rows), l.requests())
	}
}

// Pages that are asked for side by side come in their order, and customers who move
// between them are noticed as when they are asked for one after another.
func TestListSideBySide(t *testing.T) {
	const workers = 4
	for _, c := range []struct {
		name           string
		page           func(n int, h http.Header) []string
		requests, rows int
		complete, lost bool
	}{
		{"nothing moves", pages(2, 19, 19), 10, 19, true, false},
		{"the last page is full", pages(2, 20, 20), 11, 20, true, false},
		{"a count too low", pages(2, 20, 15), 11, 20, false, false},
		{"somebody went", func(n int, h http.Header) []string {
			return pages(2, 20, map[bool]int{true: 20, false: 19}[n < 6])(n, h)
		}, 11, 20, false, false},
		{"a customer on two pages", func(n int, h http.Header) []string {
			if n == 5 {
				h.Set("X-Count", "20")
				return []string{entry(10, ""), entry(12, "")}
			}
			return pages(2, 20, 20)(n, h)
		}, 11, 20, false, false},
		{"pages do not turn", func(_ int, h http.Header) []string { return pages(2, 20, 20)(0, h) }, 1 + workers, 4, false, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			var one sync.Mutex
			most, now := 0, 0
			fb := serving(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				n, _ := strconv.Atoi(r.URL.Query().Get("pageNumber"))
				one.Lock()
				now++
				most = max(most, now)
				one.Unlock()
				time.Sleep(time.Duration(1+n%2) * time.Millisecond) // so that they come in another order
				(&lister{page: c.page}).ServeHTTP(w, r)
				one.Lock()
				now--
				one.Unlock()
			}))
			l := counted{fb.List("", 0, workers), fb}
			var ids []uint64
			for {
				p, rep := l.Next(t.Context())
				if rep.Class != client.Answered {
					t.Fatal(rep.Err)
				}
				if len(p.Rows) == 0 {
					break
				}
				for _, r := range p.Rows {
					ids = append(ids, r.ID)
				}
			}
			if l.requests() != c.requests || len(ids) != c.rows || l.Complete() != c.complete || l.Lost() != c.lost || most > workers {
				t.Errorf("%d requests, %d at a time, rows %v, complete: %v, lost: %v", l.requests(), most, ids, l.Complete(), l.Lost())
			}
			if c.complete && !slices.IsSorted(ids) {
				t.Errorf("%v", ids)
			}
		})
	}
}

// Sets of ids are as large as an address may be long.
func TestSetsOfIDs(t *testing.T) {
	var asked []string
	fb := serving(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.URL.String())
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprint(w, "[]")
	}))
	ids := func(yield func(uint64) bool) {
		for id := uint64(1_000_000); id < 1_001_000 && yield(id) && yield(id); id++ {
		}
	}
	total := 0
	for set := range fb.Sets(ids) {
		found, rep := fb.FindByIDs(t.Context(), set)
		total += len(set)
		if rep.Class != client.Answered || len(found.Missing) != len(set) {
			t.Errorf("%v, %d of %d are missing", rep.Err, len(found.Missing), len(set))
		}
	}
	if total != 1000 || len(asked) != 5 || !strings.Contains(asked[0], "query=id%3A1000000,1000001,") {
		t.Errorf("%d ids in %d sets: %s", total, len(asked), asked[0])
	}
	for _, url := range asked {
		if len("http://127.0.0.1:12345"+url) >= 1900 {
			t.Errorf("%d bytes: %s", len(url), url)
		}
	}
}

// An answer to a search for a set is that, or the search is not to be relied on.
func TestAnswersToASetOfIDs(t *testing.T) {
	for _, c := range []struct {
		name, count string
		rows        []string
		fault       string
		missing     int
	}{
		{"all", "3", []string{entry(3, ""), entry(1, ""), entry(2, "")}, "", 0},
		{"nothing says how many", "", []string{entry(3, ""), entry(1, ""), entry(2, "")}, "", 0},
		{"one is gone", "2", []string{entry(1, ""), entry(3, "")}, "", 1},
		{"all are gone", "0", nil, "", 3},
		{"somebody else", "3", []string{entry(1, ""), entry(2, ""), entry(4, "")}, "showed customers who were not asked for", 0},
		{"somebody without an id", "3", []string{entry(1, ""), entry(2, ""), `{"reference":"R3"}`}, "showed customers who were not asked for", 0},
		{"one twice", "3", []string{entry(1, ""), entry(2, ""), entry(1, "")}, "showed a customer twice", 0},
		{"fewer than it counts", "3", []string{entry(1, ""), entry(2, "")}, "showed 2 customers, and counts 3", 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			fb := serving(t, &lister{page: func(_ int, h http.Header) []string {
				h.Set("X-Count", c.count)
				return append([]string{}, c.rows...)
			}})
			set, rep := fb.FindByIDs(t.Context(), []uint64{1, 2, 3})
			if c.fault == "" && (rep.Class != client.Answered || len(set.Missing) != c.missing || len(set.Rows) != len(c.rows)) {
				t.Errorf("%v: %+v", rep.Err, set)
			}
			if c.fault != "" && (rep.Class != client.Refused || !strings.Contains(rep.Err.Error(), c.fault)) {
				t.Errorf("%s: %v", rep.Class, rep.Err)
			}
		})
	}
}
