package client

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"iter"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/tidwall/gjson"

	"rowbatch/client/governor"
)

// Fusebill is a client of one account. It may be used by many goroutines.
//
// The vendor's pages: developer.staxbill.com/reference.
type Fusebill struct{ *Account }

// NewFusebill checks the settings and returns a client. The error is a *SettingError.
func NewFusebill(o Options) (*Fusebill, error) {
	base, err := CheckURL(o.BaseURL, "the Fusebill URL", "https://secure.fusebill.com/v1")
	if err != nil {
		return nil, err
	}
	const name = "the Fusebill key"
	key := o.Key.Reveal()
	if strings.HasPrefix(strings.ToLower(key), "basic ") {
		return nil, &SettingError{name, `it starts with the word "Basic"`, "the key alone, as the account shows it", true}
	}
	if err := checkKey(o.Key, name, "Settings > Integrations > API Key in the account shows it"); err != nil {
		return nil, err
	}
	v := vendor{
		badKey:    "Authorization key is not in the correct format", // at 400 (developer.staxbill.com/reference/errors)
		tryDenied: "check that the key is this account's, complete, and not replaced since",
		tryMoved:  "check the URL",
		tryPage:   "check the URL, and whether a proxy or login page stands between",
	}
	hidden := newSecrets(key)
	standard := strings.NewReplacer("-", "+", "_", "/").Replace(strings.TrimRight(key, "="))
	if plain, err := base64.RawStdEncoding.DecodeString(standard); err == nil && utf8.Valid(plain) { // "0:" and a secret
		hidden = hidden.and(string(plain), strings.TrimPrefix(string(plain), "0:"))
	}
	return &Fusebill{newAccount(o, base, v, hidden, func(h http.Header) {
		h.Set("Authorization", "Basic "+o.Key.Reveal()) // developer.staxbill.com/reference/authentication
	})}, nil
}

// Customer reads one customer by id (developer.staxbill.com/reference/customer-object).
// A record with a key that stands twice is Refused with a *RecordError.
func (f *Fusebill) Customer(ctx context.Context, l *governor.Lease, id string) Reply {
	return f.byID(ctx, l, call{method: http.MethodGet, path: "/customers/" + id, want: record, id: id})
}

// Overview reads a customer's balances and dates (developer.staxbill.com/reference/read-customer-overview-1).
// The page allows a null id in it; one that is there must be the customer's.
func (f *Fusebill) Overview(ctx context.Context, l *governor.Lease, id string) Reply {
	return f.byID(ctx, l, call{method: http.MethodGet, path: "/customers/" + id + "/overview", want: record, id: id, idOptional: true})
}

// byID makes a call about one customer, unless what it calls an id is none.
func (f *Fusebill) byID(ctx context.Context, l *governor.Lease, c call) Reply {
	if !wholeNumber(c.id) {
		return refusal("an id is a whole number without leading zeros, not "+strconv.Quote(c.id), "the id that the customer's page shows")
	}
	return f.do(ctx, l, c)
}

// refusal is the reply to a call that must not leave.
func refusal(text, try string) Reply {
	return Reply{Class: Refused, Err: &RecordError{text, try}}
}

func wholeNumber(text string) bool {
	return text != "" && text[0] != '0' && strings.Trim(text, "0123456789") == ""
}

// Query asks for one page of customers.
type Query struct {
	Terms string // such as status:Active; "": all customers
	Page  int    // from 0
	Size  int    // the server's cap is nowhere below 1,000
	Order string // the field by which they ascend; "": as the server likes
}

// Customers lists customers: a JSON array, with X-Count and its kin in the
// header (developer.staxbill.com/reference/pagination). List rows may be a short
// form of the record, and are never sent back.
func (f *Fusebill) Customers(ctx context.Context, l *governor.Lease, q Query) Reply {
	return f.do(ctx, l, call{method: http.MethodGet, path: q.path(), want: list})
}

// path is the query as a request spells it. A comma stands for itself there: between
// ids it would else take a third of the room.
func (q Query) path() string {
	v := url.Values{"pageNumber": {strconv.Itoa(q.Page)}, "pageSize": {strconv.Itoa(q.Size)}}
	if q.Terms != "" {
		v.Set("query", q.Terms)
	}
	if q.Order != "" { // both or neither (developer.staxbill.com/reference/sorting)
		v.Set("sortOrder", "Ascending")
		v.Set("sortExpression", q.Order)
	}
	return "/customers?" + strings.ReplaceAll(v.Encode(), "%2C", ",")
}

// TrackingCode looks a sales tracking code up (developer.staxbill.com/reference/ready-by-type-and-code).
// The type may be given by its default or its renamed name; the reply shows which it is.
func (f *Fusebill) TrackingCode(ctx context.Context, l *governor.Lease, typ, code string) Reply {
	v := url.Values{"type": {typ}, "code": {code}}
	return f.do(ctx, l, call{method: http.MethodGet, path: "/SalesTrackingCodes?" + v.Encode(), want: object})
}

// List begins to read the list of the customers whom the terms of a query choose; "": of
// all. mostSpoilt is how often the server may fail over a page, though it is there, before
// the list is given up; 0: as often as it may leave anything unanswered. workers is how
// many pages may be asked for at a time.
func (f *Fusebill) List(terms string, mostSpoilt, workers int) *Listing {
	return &Listing{fusebill: f, mostSpoilt: mostSpoilt, workers: workers, terms: terms, order: listOrder, count: -1,
		watch: orderWatch{byID: true, byTime: true, together: map[uint64]bool{}}}
}

// mostURL bounds the address of a search: about 2,048 bytes are what servers, and what
// stands before them, take for sure.
const mostURL = 1900

// spoiltSets is how often the server may fail over a set, though it is there.
const spoiltSets = 2

func setQuery(terms string) Query { return Query{Terms: terms, Size: listSize} }

// Sets divides ids into sets that one request each can ask for ([Fusebill.FindByIDs]):
// some 200 of seven digits. An id stands in a set once.
func (f *Fusebill) Sets(ids iter.Seq[uint64]) iter.Seq[[]uint64] {
	room := mostURL - len(f.base) - len(setQuery("id:").path())
	return func(yield func([]uint64) bool) {
		var set []uint64
		left := room
		for id := range ids {
			size := len(strconv.FormatUint(id, 10)) + 1
			if slices.Contains(set, id) {
				continue
			}
			if len(set) > 0 && (left < size || len(set) == listSize) {
				if !yield(set) {
					return
				}
				set, left = nil, room
			}
			set, left = append(set, id), left-size
		}
		if len(set) > 0 {
			yield(set)
		}
	}
}

// Set is what a search by ids has found.
type Set struct {
	ListPage
	Missing []uint64 // of the ids asked for, those of whom no row came
}

// FindByIDs searches customers by a set of ids, patiently. The search is documented, its
// name for the id is not (developer.staxbill.com/reference/string-filtering): a reply
// that shows somebody else, somebody twice, or not as many as it counts is Refused.
func (f *Fusebill) FindByIDs(ctx context.Context, ids []uint64) (Set, Reply) {
	texts := make([]string, len(ids))
	for i, id := range ids {
		texts[i] = strconv.FormatUint(id, 10)
	}
	rep := f.patience.repeat(ctx, spoiltSets, func() Reply {
		return f.Customers(ctx, nil, setQuery("id:"+strings.Join(texts, ",")))
	})
	if rep.Class != Answered {
		return Set{}, rep
	}
	set, fault := setIn(rep.Body, ids, number(rep.Header, "X-Count"))
	if fault != "" {
		rep.Class, rep.Body = Refused, nil
		rep.Err = &RecordError{"the server " + fault, "--lookup list or each"}
	}
	set.At, rep.Body = rep.Received, nil // it has served, and others may wait beside it
	return set, rep
}

// setIn takes the answer to a search by ids apart. fault is what shows that it is none.
// count is what its header says; -1: nothing.
func setIn(page []byte, ids []uint64, count int) (set Set, fault string) {
	missing := make(map[uint64]bool, len(ids)) // false: was shown
	for _, id := range ids {
		missing[id] = true
	}
	gjson.ParseBytes(page).ForEach(func(_, row gjson.Result) bool {
		r := listRow(row)
		switch lacks, asked := missing[r.ID]; {
		case !asked:
			fault = "showed customers who were not asked for"
		case !lacks:
			fault = "showed a customer twice"
		}
		missing[r.ID] = false
		set.Rows = append(set.Rows, r)
		return fault == ""
	})
	if fault == "" && count >= 0 && count != len(set.Rows) {
		fault = fmt.Sprintf("showed %d customers, and counts %d", len(set.Rows), count)
	}
	for _, id := range ids {
		if missing[id] {
			set.Missing = append(set.Missing, id)
		}
	}
	return set, fault
}

// Unaskable reports whether a reference cannot be searched for: the API gives some
// characters a meaning of their own and documents no way to quote them
// (developer.staxbill.com/reference/string-filtering), and may trim spaces.
func Unaskable(ref string) bool {
	return strings.ContainsAny(ref, ";:,|*") || ref == "" || ref == "[empty]" || strings.TrimSpace(ref) != ref
}

// Match is what a search by a field found.
type Match struct {
	IDs  []string          // of the customers whose field is as asked for, byte for byte
	Rows []json.RawMessage // their list rows
}

const searchSize = 1000 // the server's cap is nowhere below it

// Find searches the customers with a reference, or another field, of some value, which
// need not be unique (developer.staxbill.com/reference/customer-object). A match without
// ids and an Answered reply mean that there is none.
func (f *Fusebill) Find(ctx context.Context, l *governor.Lease, field, value string) (Match, Reply) {
	if Unaskable(value) {
		return Match{}, refusal(fmt.Sprintf("the API cannot be asked for the %s %q: it holds one of ; : , | * or spaces at its ends",
			field, visible(value)), "the customer's id instead")
	}
	rep := f.Customers(ctx, l, Query{Terms: field + ":" + value, Size: searchSize})
	if rep.Class != Answered {
		return Match{}, rep
	}
	m, class, err := matches(rep.Body, field, value)
	if err != nil {
		rep.Class, rep.Err, rep.Body = class, err, nil
	}
	return m, rep
}

// matches picks the rows whose field equals a value. Whether the server minds letter case
// is not documented, so it may have found more. A short row that does not show the field
// may be one: the record itself is to say.
func matches(page []byte, field, value string) (m Match, class Class, err error) {
	seen := map[string]bool{}
	rows := gjson.ParseBytes(page).Array()
	for _, row := range rows {
		id := identifier(row.Get("id"))
		if !row.IsObject() || id == "" {
			return Match{}, Lost, &LostError{Text: "the list of customers holds a row without an id"}
		}
		if (identifier(row.Get(field)) == value || field != "reference" && !row.Get(field).Exists()) && !seen[id] {
			seen[id] = true
			m.IDs, m.Rows = append(m.IDs, id), append(m.Rows, json.RawMessage(row.Raw))
		}
	}
	if len(rows) >= searchSize {
		return Match{}, Refused, &RecordError{
			fmt.Sprintf("more customers than one page holds have a %s like %q", field, visible(value)), "the customer's id instead"}
	}
	return m, Answered, nil
}

// Update replaces a customer by the whole record in body, which holds its id and
// status (developer.staxbill.com/reference/customers-2). A reply that shows
// another customer, or none that can be read, is Lost.
func (f *Fusebill) Update(ctx context.Context, l *governor.Lease, body []byte) Reply {
	id := identifier(gjson.GetBytes(body, "id"))
	if !gjson.ValidBytes(body) || !wholeNumber(id) {
		return refusal("the record to be sent is not a JSON object with an id", "edit this customer by hand")
	}
	return f.do(ctx, l, call{method: http.MethodPut, path: "/customers", body: body, want: record, id: id})
}

// Hold puts a customer on hold (developer.staxbill.com/reference/hold-customer).
// The reply shows the whole record, as Update's does.
func (f *Fusebill) Hold(ctx context.Context, l *governor.Lease, id string) Reply {
	return f.byID(ctx, l, call{method: http.MethodPost, path: "/CustomerHold/" + id, want: record, id: id})
}

// ServiceStartOptions are the ways to charge a customer who comes off hold for the
// time on it, as the API spells them (developer.staxbill.com/reference/un-hold-customer).
func ServiceStartOptions() []string {
	return []string{"ChargeForAllMissedPeriods", "ChargeForLastMissedPeriods", "NoChargesForMissedPeriods", "ChargeForCurrentFullPeriod"}
}

// Unhold takes a customer off hold, which may charge them: the option, one of
// ServiceStartOptions, says for what. The form of the reply is not known to us. Any
// object is Answered that shows no other id, and what it says of the customer is
// to be read back.
func (f *Fusebill) Unhold(ctx context.Context, l *governor.Lease, id, serviceStartOption string) Reply {
	if !slices.Contains(ServiceStartOptions(), serviceStartOption) {
		return refusal(fmt.Sprintf("%q is no way to charge for the time on hold", visible(serviceStartOption)),
			"one of "+strings.Join(ServiceStartOptions(), ", "))
	}
	body := fmt.Appendf(nil, `{"customerId":%s,"serviceStartOption":%q,"preview":false}`, id, serviceStartOption)
	return f.byID(ctx, l, call{method: http.MethodPost, path: "/customers/unHold", body: body, want: object, id: id, idOptional: true})
}

// Latch links a customer to a HubSpot contact and company
// (developer.staxbill.com/reference/latch-customer-1). The body is an object with
// fusebillId, hubSpotId and hubSpotCompanyId, the last two a number or null each,
// which removes the link. None may be missing: the API clears an id left out.
func (f *Fusebill) Latch(ctx context.Context, l *governor.Lease, body []byte) Reply {
	bad := func(fault string, args ...any) Reply {
		return refusal("the link to be sent "+fmt.Sprintf(fault, args...), "link this customer by hand")
	}
	root := gjson.ParseBytes(body)
	if !gjson.ValidBytes(body) || !root.IsObject() {
		return bad("is not a JSON object")
	}
	if key, twice := RepeatedKey(root); twice {
		return bad("holds %q twice", visible(key))
	}
	for _, key := range []string{"fusebillId", "hubSpotId", "hubSpotCompanyId"} {
		switch value := root.Get(key); {
		case !value.Exists():
			return bad("lacks %s, which would be cleared", key)
		case value.Type == gjson.Null && key != "fusebillId":
		case value.Type != gjson.Number || !wholeNumber(value.Raw):
			return bad("holds no proper number as %s", key)
		}
	}
	id := root.Get("fusebillId").Raw
	return f.byID(ctx, l, call{method: http.MethodPost, path: "/HubSpot/latchCustomer", body: body, want: record, id: id})
}

// Unlatch removes a customer's links to a HubSpot contact and company
// (developer.staxbill.com/reference/unlatch-customer-1).
func (f *Fusebill) Unlatch(ctx context.Context, l *governor.Lease, id string) Reply {
	return f.byID(ctx, l, call{method: http.MethodPost, path: "/HubSpot/UnlatchCustomer/" + id, want: record, id: id})
}
