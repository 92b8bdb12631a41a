package sandbox

import (
	"fmt"
	"math/big"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tidwall/gjson"
)

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
func (a account) searchables() []searchable {
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
			list = append(list, searchable{name, wholeText, t.of(key), nil})
		}
	}
	return list
}

func at(path string) func([]byte) string {
	return func(body []byte) string { return gjson.GetBytes(body, path).Raw }
}

// of returns what a customer's entry of this type holds under the key.
func (t codeType) of(key string) func([]byte) string {
	return func(body []byte) string {
		for _, e := range gjson.GetBytes(body, "customerReference.salesTrackingCodes").Array() {
			if name := e.Get("type").Str; name == t.present || name == t.byDefault {
				return e.Get(key).Raw
			}
		}
		return ""
	}
}

func (a account) searchable(name string) (searchable, bool) {
	list := a.searchables()
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

func (t term) holds(body []byte) bool { return t.match(plain(t.field.value(body))) }

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
func (a account) parseQuery(query string) (terms []term, problem string) {
	if query == "" {
		return nil, ""
	}
	for part := range strings.SplitSeq(query, ";") {
		name, text, ok := strings.Cut(part, ":")
		f, known := a.searchable(name)
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
		return wildcard(text), text != ""
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
	return between(text, parseMoment, time.Time.Compare)
}

// wildcard matches letter case too: whether the API does is not documented.
func wildcard(text string) func(string) bool {
	if !strings.Contains(text, "*") {
		return func(v string) bool { return v == text }
	}
	return regexp.MustCompile(`(?s)^` + strings.ReplaceAll(regexp.QuoteMeta(text), `\*`, `.*`) + `$`).MatchString
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

// parseMoment takes what has no zone as UTC, as the API does.
func parseMoment(text string) (time.Time, bool) {
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999", time.DateOnly} {
		if t, err := time.Parse(layout, text); err == nil {
			return t.UTC(), true
		}
	}
	return time.Time{}, false
}
