// Package client speaks HTTP with the billing API, and nothing else: it knows no
// rows, no files and no retries.
//
// Every call makes exactly one attempt and says by its Reply's Class what the
// attempt means: whether it had an effect, had none, or whether that is open. A
// Governor keeps all callers of one account within the account's limits; a Lease
// is its permission for the requests of one visit to a customer.
package client

import (
	"cmp"
	"context"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/tidwall/gjson"
)

const (
	recordCap = 4 << 20  // bytes of one customer
	listCap   = 64 << 20 // bytes of a page of customers
)

// Fusebill is a client of one account. It may be used by many goroutines.
//
// The vendor's pages: developer.staxbill.com/reference.
type Fusebill struct {
	base      string
	key       func() Secret // a field would be printed by %+v
	timeout   time.Duration
	transport http.RoundTripper
	governor  *Governor
	prepare   func(*http.Request)
	log       requestLog
	trusted   atomic.Bool // a proper API answer has come
}

// NewFusebill checks the settings and returns a client. The error is a *SettingError.
func NewFusebill(o Options) (*Fusebill, error) {
	base, err := checkURL(o.BaseURL)
	if err != nil {
		return nil, err
	}
	if err := checkKey(o.Key); err != nil {
		return nil, err
	}
	f := &Fusebill{base: base.String(), key: func() Secret { return o.Key }, timeout: cmp.Or(o.Timeout, defaultTimeout),
		transport: o.Transport, governor: o.Governor, log: requestLog{o.Log}}
	if f.transport == nil {
		f.transport = NewTransport(defaultConnections)
	}
	if o.ReadOnly {
		f.transport = readOnly{f.transport}
	}
	f.prepare = func(r *http.Request) {
		r.Header.Set("Authorization", "Basic "+o.Key.Reveal()) // developer.staxbill.com/reference/authentication
		r.Header.Set("Accept", "application/json")
		if o.UserAgent != "" {
			r.Header.Set("User-Agent", o.UserAgent)
		}
	}
	return f, nil
}

// call is one request before it is made.
type call struct {
	method     string
	path       string // after the base URL, escaped, with its query
	body       []byte
	want       kind
	id         string
	idOptional bool
}

func (c call) limit() int64 {
	if c.want == list {
		return listCap
	}
	return recordCap
}

var wholeNumber = regexp.MustCompile(`^[1-9][0-9]*$`)

// Customer reads one customer by id (developer.staxbill.com/reference/customer-object).
// A record with a key that stands twice is Refused with a *RecordError.
func (f *Fusebill) Customer(ctx context.Context, l *Lease, id string) Reply {
	return f.byID(ctx, l, call{path: "/customers/" + url.PathEscape(id), want: record, id: id})
}

// Overview reads a customer's balances and dates (developer.staxbill.com/reference/read-customer-overview-1).
// The page allows a null id in it; one that is there must be the customer's.
func (f *Fusebill) Overview(ctx context.Context, l *Lease, id string) Reply {
	return f.byID(ctx, l, call{path: "/customers/" + url.PathEscape(id) + "/overview", want: record, id: id, idOptional: true})
}

func (f *Fusebill) byID(ctx context.Context, l *Lease, c call) Reply {
	if !wholeNumber.MatchString(c.id) {
		return Reply{Class: Refused, Err: &RecordError{"an id is a whole number without leading zeros, not " + strconv.Quote(c.id), "the id that the customer's page shows"}}
	}
	c.method = http.MethodGet
	return f.do(ctx, l, c)
}

// Query asks for one page of customers.
type Query struct {
	Terms string // such as status:Active; "": all customers
	Page  int    // from 0
	Size  int    // the server's cap is nowhere below 1,000
}

// Customers lists customers: a JSON array, with X-Count and its kin in the
// header (developer.staxbill.com/reference/pagination). List rows may be a short
// form of the record, and are never sent back.
func (f *Fusebill) Customers(ctx context.Context, l *Lease, q Query) Reply {
	v := url.Values{"pageNumber": {strconv.Itoa(q.Page)}, "pageSize": {strconv.Itoa(q.Size)}}
	if q.Terms != "" {
		v.Set("query", q.Terms)
	}
	return f.do(ctx, l, call{method: http.MethodGet, path: "/customers?" + v.Encode(), want: list})
}

// TrackingCode looks a sales tracking code up (developer.staxbill.com/reference/ready-by-type-and-code).
// The type may be given by its default or its renamed name; the reply shows which it is.
func (f *Fusebill) TrackingCode(ctx context.Context, l *Lease, typ, code string) Reply {
	v := url.Values{"type": {typ}, "code": {code}}
	return f.do(ctx, l, call{method: http.MethodGet, path: "/SalesTrackingCodes?" + v.Encode(), want: object})
}

// Update replaces a customer by the whole record in body, which holds its id and
// status (developer.staxbill.com/reference/customers-2). A reply that shows
// another customer, or none that can be read, is Lost.
func (f *Fusebill) Update(ctx context.Context, l *Lease, body []byte) Reply {
	id := identifier(gjson.GetBytes(body, "id"))
	if !gjson.ValidBytes(body) || !wholeNumber.MatchString(id) {
		return Reply{Class: Refused, Err: &RecordError{"the record to be sent is not a JSON object with an id", "edit this customer by hand"}}
	}
	return f.do(ctx, l, call{method: http.MethodPut, path: "/customers", body: body, want: record, id: id})
}
