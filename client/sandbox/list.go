package sandbox

import (
	"bytes"
	"cmp"
	"fmt"
	"math/big"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tidwall/gjson"
)

// listCustomers is developer.staxbill.com/reference/list-customers. The default
// page size is not documented; a small one shows who relies on it.
func listCustomers(c *call) *reply {
	st := c.box.store
	p, problem := readPage(c.params, c.box.account, c.box.pageCap)
	if problem != "" {
		return failure(http.StatusBadRequest, problem)
	}
	terms, problem := parseQuery(c.box.account, c.params.Get("query"))
	if problem != "" {
		return failure(http.StatusBadRequest, problem)
	}
	if slices.ContainsFunc(terms, func(t term) bool { return t.whole("Reference") != nil }) {
		st.mu.Lock()
		st.byReference.build(st.seed.ids(), st.customers.body)
		st.mu.Unlock()
	}
	st.mu.RLock()
	defer st.mu.RUnlock()
	if len(terms) == 0 && p.sort.name != "" {
		return p.cut(st, st.sorted.all(st, p), c.box.shortRows)
	}
	found := st.search(terms)
	if p.sort.name != "" {
		st.order(found, p)
	}
	return p.cut(st, found, c.box.shortRows)
}

// page is what a list call asks for.
type page struct {
	size, number int
	sort         searchable
	descending   bool
}

func readPage(q url.Values, a account, most int) (p page, problem string) {
	wholeNumber := func(name string, otherwise int) (int, bool) {
		if q.Get(name) == "" {
			return otherwise, true
		}
		n, err := strconv.ParseUint(q.Get(name), 10, 31)
		return int(n), err == nil
	}
	size, ok := wholeNumber("pageSize", min(50, most))
	if !ok || size == 0 {
		return p, "pageSize must be a whole number from 1."
	}
	number, ok := wholeNumber("pageNumber", 0)
	if !ok {
		return p, "pageNumber must be a whole number from 0."
	}
	p = page{size: min(size, most), number: number}
	order, by := q.Get("sortOrder"), q.Get("sortExpression")
	if order == "" && by == "" {
		return p, ""
	}
	if order != "Ascending" && order != "Descending" {
		return p, "sortOrder must be Ascending or Descending, and comes with sortExpression."
	}
	p.descending = order == "Descending"
	if p.sort, ok = findSearchable(a, by); !ok {
		return p, "sortExpression: customers cannot be sorted on " + strconv.Quote(by) + "."
	}
	return p, ""
}

// cut answers with the page of these customers, and with the headers of
// developer.staxbill.com/reference/pagination. The first and the last page have -1
// as neighbour; X-MaxPageIndex is the last index.
func (p page) cut(st *store, ids []int64, shortRows bool) *reply {
	short := []string{"id", "firstName", "lastName", "companyName", "reference", "primaryEmail", "status", "uri"}
	var rows [][]byte
	from := min(p.number*p.size, len(ids))
	for _, id := range ids[from:min(from+p.size, len(ids))] {
		body, _ := st.customers.body(id)
		if o, err := parseObject(body); shortRows && err == nil {
			body = slices.DeleteFunc(o, func(m member) bool { return !slices.Contains(short, m.name) }).bytes()
		}
		rows = append(rows, body)
	}
	out := answer(slices.Concat([]byte("["), bytes.Join(rows, []byte(",")), []byte("]")))
	last := max((len(ids)-1)/p.size, 0)
	next := -1
	if p.number < last {
		next = p.number + 1
	}
	for name, n := range map[string]int{
		"X-Count": len(ids), "X-MaxCount": st.seed.count, "X-PageSize": p.size, "X-CurrentPage": p.number,
		"X-NextPage": next, "X-PreviousPage": p.number - 1, "X-MaxPageIndex": last,
	} {
		out.with(name, strconv.Itoa(n))
	}
	order := "Ascending"
	if p.descending {
		order = "Descending"
	}
	return out.with("X-SortOrder", order).with("X-SortExpression", cmp.Or(p.sort.name, "id"))
}

// form is how a field is searched (developer.staxbill.com/reference/string-filtering and date-filtering).
type form int

const (
	wholeText   form = iota // the whole value, * for any run of characters, [empty]
	enumList                // one of several, commas between
	integerList             // the same for integers
	numberRange             // lower|upper, or the number itself
	timeRange               // lower|upper
)

type searchable struct {
	name    string
	form    form
	value   func(body []byte) string // raw JSON
	allowed []string                 // of an enum
}

// searchables are the customers page's own list, and id, which that page lacks
// and its examples have. Left out are those given by the vendor's internal
// numbers (currency and synch status ids), whose meaning no page tells.
func searchables(a account) []searchable {
	list := []searchable{
		{"id", integerList, at("id"), nil},
		{"Status", enumList, at("status"), statuses()},
		{"AccountStatus", enumList, at("customerAccountStatus"), []string{"Good", "PoorStanding", "Collection"}},
		{"SalesforceAccountType", enumList, at("salesforceAccountType"), []string{"Company", "Person"}},
		{"SalesforceSynchStatus", enumList, at("salesforceSynchStatus"), []string{"Enabled", "Disabled"}},
		{"ParentId", integerList, at("parentId"), nil},
		{"QuickBooksId", integerList, at("quickBooksId"), nil},
		{"QuickBooksSyncToken", integerList, at("quickBooksSyncToken"), nil},
		{"CurrentMrr", numberRange, at("monthlyRecurringRevenue"), nil},
		{"MonthlyRecurringRevenue", numberRange, at("monthlyRecurringRevenue"), nil},
		{"CurrentNetMrr", numberRange, at("netMonthlyRecurringRevenue"), nil},
		{"NetMRR", numberRange, at("netMonthlyRecurringRevenue"), nil},
		{"ArBalance", numberRange, func(body []byte) string { return balance(gjson.GetBytes(body, "id").Int()) }, nil},
		{"CreatedTimestamp", timeRange, at("createdTimestamp"), nil},
		{"ModifiedTimestamp", timeRange, at("modifiedTimestamp"), nil},
		{"NetSuiteId", wholeText, at("netsuiteId"), nil},
	}
	for _, path := range []string{
		"companyName", "firstName", "middleName", "lastName", "suffix", "title", "primaryEmail", "secondaryEmail",
		"primaryPhone", "secondaryPhone", "reference", "salesforceId",
		"customerAcquisition.adContent", "customerAcquisition.campaign", "customerAcquisition.landingPage",
		"customerAcquisition.medium", "customerAcquisition.source",
		"customerReference.reference1", "customerReference.reference2", "customerReference.reference3",
	} {
		list = append(list, searchable{path, wholeText, at(path), nil})
	}
	for i, t := range a.types {
		for _, key := range []string{"code", "name"} {
			name := fmt.Sprintf("customerReference.salesTrackingCode%d.%s", i+1, key)
			list = append(list, searchable{name, wholeText, func(body []byte) string {
				for _, e := range gjson.GetBytes(body, "customerReference.salesTrackingCodes").Array() {
					if typ := e.Get("type").Str; typ == t.present || typ == t.byDefault {
						return e.Get(key).Raw
					}
				}
				return ""
			}, nil})
		}
	}
	return list
}

func at(path string) func([]byte) string {
	return func(body []byte) string { return gjson.GetBytes(body, path).Raw }
}

func findSearchable(a account, name string) (searchable, bool) {
	list := searchables(a)
	i := slices.IndexFunc(list, func(f searchable) bool { return strings.EqualFold(f.name, name) })
	if i < 0 {
		return searchable{}, false
	}
	return list[i], true
}

// term is one condition of a query.
type term struct {
	field searchable
	text  string
	match func(value string) bool
}

// whole returns what the field must equal, nil if the term is another or asks for more.
func (t term) whole(field string) *string {
	if !strings.EqualFold(t.field.name, field) || strings.Contains(t.text, "*") || t.text == "[empty]" {
		return nil
	}
	return &t.text
}

func (t term) ids() []int64 {
	if t.field.name != "id" {
		return nil
	}
	ids := []int64{}
	for part := range strings.SplitSeq(t.text, ",") {
		if n, err := strconv.ParseInt(part, 10, 64); err == nil {
			ids = append(ids, n)
		}
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

// parseQuery reads `field:value;field:value`. There is no quoting: a value that
// holds one of the signs cannot be asked for.
func parseQuery(a account, query string) (terms []term, problem string) {
	if query == "" {
		return nil, ""
	}
	for part := range strings.SplitSeq(query, ";") {
		name, text, ok := strings.Cut(part, ":")
		f, known := findSearchable(a, name)
		if !ok || !known {
			return nil, "query: customers cannot be searched by " + strconv.Quote(part) + "."
		}
		match, ok := matcher(f, text)
		if !ok {
			return nil, "query: " + strconv.Quote(text) + " is no value for " + f.name + "."
		}
		terms = append(terms, term{f, text, match})
	}
	return terms, ""
}

func matcher(f searchable, text string) (match func(string) bool, ok bool) {
	if text == "[empty]" {
		return func(v string) bool { return v == "" }, true
	}
	parts := strings.Split(text, ",")
	among := func(v string) bool { return slices.Contains(parts, v) }
	switch f.form {
	case wholeText:
		if !strings.Contains(text, "*") {
			return func(v string) bool { return v == text }, text != ""
		}
		// letter case matters too: whether it does to the API is not documented
		pattern := `(?s)^` + strings.ReplaceAll(regexp.QuoteMeta(text), `\*`, `.*`) + `$`
		return regexp.MustCompile(pattern).MatchString, true
	case enumList:
		return among, !slices.ContainsFunc(parts, func(p string) bool { return !slices.Contains(f.allowed, p) })
	case integerList:
		return among, !slices.ContainsFunc(parts, func(p string) bool { return integer(p) != "" })
	case numberRange:
		return between(text, parseDecimal, func(a, b *big.Rat) int { return a.Cmp(b) })
	}
	if !strings.Contains(text, "|") {
		return nil, false
	}
	return between(text, func(text string) (time.Time, bool) { // what has no zone is UTC, as it is to the API
		for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999", time.DateOnly} {
			if t, err := time.Parse(layout, text); err == nil {
				return t.UTC(), true
			}
		}
		return time.Time{}, false
	}, time.Time.Compare)
}

// between reads `lower|upper`, the lower bound within and the upper without, either absent; without `|` equality.
func between[T any](text string, parse func(string) (T, bool), compare func(a, b T) int) (func(string) bool, bool) {
	from, to, ranged := strings.Cut(text, "|")
	low, okLow := parse(from)
	high, okHigh := parse(to)
	if from != "" && !okLow || to != "" && !okHigh || !ranged && !okLow {
		return nil, false
	}
	return func(v string) bool {
		x, ok := parse(v)
		switch {
		case !ok:
			return false
		case !ranged:
			return compare(x, low) == 0
		}
		return (from == "" || compare(x, low) >= 0) && (to == "" || compare(x, high) < 0)
	}, true
}

func parseDecimal(text string) (*big.Rat, bool) {
	if strings.ContainsAny(text, "eE/") || len(text) > 64 {
		return nil, false
	}
	return new(big.Rat).SetString(text)
}

// decimal sorts what is no number first.
func decimal(text string) *big.Rat {
	if d, ok := parseDecimal(text); ok {
		return d
	}
	return big.NewRat(-1<<62, 1)
}
