package sandbox

import (
	"bytes"
	"iter"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// listCustomers is developer.staxbill.com/reference/list-customers. The default
// page size is not documented; a small one shows who relies on it.
func (s *Sandbox) listCustomers(c *call) *reply {
	p, problem := s.readPage(c.params)
	if problem != "" {
		return failure(http.StatusBadRequest, problem)
	}
	terms, problem := s.account.parseQuery(c.params.Get("query"))
	if problem != "" {
		return failure(http.StatusBadRequest, problem)
	}
	if slices.ContainsFunc(terms, func(t term) bool { return t.whole("Reference") != nil }) {
		s.store.indexReferences()
	}
	s.store.mu.RLock()
	defer s.store.mu.RUnlock()
	if len(terms) == 0 && p.sort.name != "" {
		return s.page(s.store.sorted.all(s.store, p), p)
	}
	rows := s.store.search(terms)
	if p.sort.name != "" {
		s.store.order(rows, p)
	}
	return s.page(rows, p)
}

// page is what a list call asks for.
type page struct {
	size, number int
	sort         searchable
	descending   bool
}

func (s *Sandbox) readPage(q url.Values) (p page, problem string) {
	size, ok := wholeNumber(q.Get("pageSize"), min(50, s.pageCap))
	if !ok || size == 0 {
		return p, "pageSize must be a whole number from 1."
	}
	number, ok := wholeNumber(q.Get("pageNumber"), 0)
	if !ok {
		return p, "pageNumber must be a whole number from 0."
	}
	p = page{size: min(size, s.pageCap), number: number}
	order, by := q.Get("sortOrder"), q.Get("sortExpression")
	if order == "" && by == "" {
		return p, ""
	}
	if order != "Ascending" && order != "Descending" {
		return p, "sortOrder must be Ascending or Descending, and comes with sortExpression."
	}
	p.descending = order == "Descending"
	if p.sort, ok = s.account.searchable(by); !ok {
		return p, "sortExpression: customers cannot be sorted on " + strconv.Quote(by) + "."
	}
	return p, ""
}

func wholeNumber(text string, otherwise int) (int, bool) {
	if text == "" {
		return otherwise, true
	}
	n, err := strconv.ParseUint(text, 10, 31)
	return int(n), err == nil
}

// page cuts the page out and sets the headers of developer.staxbill.com/reference/pagination.
// The first and the last page have -1 as neighbour; X-MaxPageIndex is the last index.
func (s *Sandbox) page(ids []int64, p page) *reply {
	from := min(p.number*p.size, len(ids))
	to := min(from+p.size, len(ids))
	last := max((len(ids)-1)/p.size, 0)
	next := -1
	if p.number < last {
		next = p.number + 1
	}
	out := answer(s.rows(ids[from:to]))
	for name, n := range map[string]int{
		"X-Count": len(ids), "X-MaxCount": s.store.herd.count, "X-PageSize": p.size, "X-CurrentPage": p.number,
		"X-NextPage": next, "X-PreviousPage": p.number - 1, "X-MaxPageIndex": last,
	} {
		out.with(name, strconv.Itoa(n))
	}
	order, by := "Ascending", "id"
	if p.descending {
		order = "Descending"
	}
	if p.sort.name != "" {
		by = p.sort.name
	}
	return out.with("X-SortOrder", order).with("X-SortExpression", by)
}

func (s *Sandbox) rows(ids []int64) []byte {
	var b bytes.Buffer
	b.WriteByte('[')
	for i, id := range ids {
		if i > 0 {
			b.WriteByte(',')
		}
		body, _ := s.store.customers.body(id)
		if s.shortRows {
			body = summary(body)
		}
		b.Write(body)
	}
	b.WriteByte(']')
	return b.Bytes()
}

// summary is a list row of the short form.
func summary(body []byte) []byte {
	o, err := parseObject(body)
	if err != nil {
		return body
	}
	short := []string{"id", "firstName", "lastName", "companyName", "reference", "primaryEmail", "status", "uri"}
	return slices.DeleteFunc(o, func(m member) bool { return !slices.Contains(short, m.name) }).bytes()
}

// search returns the ids of the customers for which all terms hold, ascending.
func (st *store) search(terms []term) []int64 {
	if len(terms) == 0 {
		return slices.Collect(st.herd.ids())
	}
	var found []int64
	for id := range st.candidates(terms) {
		body, ok := st.customers.body(id)
		if ok && !slices.ContainsFunc(terms, func(t term) bool { return !t.holds(body) }) {
			found = append(found, id)
		}
	}
	return found
}

// candidates spares a search by id or by reference the walk through all customers.
func (st *store) candidates(terms []term) iter.Seq[int64] {
	for _, t := range terms {
		if ref := t.whole("Reference"); ref != nil {
			return slices.Values(slices.Sorted(slices.Values(st.byReference.ids[*ref])))
		}
		if ids := t.ids(); ids != nil {
			return slices.Values(ids)
		}
	}
	return st.herd.ids()
}

func (st *store) order(ids []int64, p page) {
	keys := make(map[int64]string, len(ids))
	for _, id := range ids {
		body, _ := st.customers.body(id)
		keys[id] = plain(p.sort.value(body))
	}
	slices.SortStableFunc(ids, func(a, b int64) int {
		n := p.sort.compare(keys[a], keys[b])
		if p.descending {
			return -n
		}
		return n
	})
}

func (f searchable) compare(a, b string) int {
	if f.form == numberRange || f.form == integerList {
		return decimal(a).Cmp(decimal(b))
	}
	return strings.Compare(a, b)
}
