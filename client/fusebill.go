// Package client speaks HTTP with two APIs, Fusebill's for billing and Trackfinity's
// for affiliates, and nothing else: it knows no rows, no files and no retries.
//
// Every call makes exactly one attempt and says by its Reply's Class what the
// attempt means: whether it had an effect, had none, or whether that is open. A
// Governor keeps all callers of one account within the account's limits; a Lease
// is its permission for the requests of one visit to a customer.
package client

import (
	"context"
	"encoding/base64"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Fusebill is a client of one account. It may be used by many goroutines.
//
// The vendor's pages: developer.staxbill.com/reference.
type Fusebill struct{ api *api }

// NewFusebill checks the settings and returns a client. The error is a *SettingError.
func NewFusebill(o Options) (*Fusebill, error) {
	base, err := checkURL(o.BaseURL, fusebillURL())
	if err != nil {
		return nil, err
	}
	if err := checkFusebillKey(o.Key); err != nil {
		return nil, err
	}
	return &Fusebill{newAPI(link{
		base: base, timeout: o.Timeout, transport: o.Transport, governor: o.Governor,
		readOnly: o.ReadOnly, userAgent: o.UserAgent, log: o.Log, vendor: fusebillVendor(),
		secrets: newSecrets(keyTexts(o.Key.Reveal())...),
		credentials: func(h http.Header) {
			h.Set("Authorization", "Basic "+o.Key.Reveal()) // developer.staxbill.com/reference/authentication
		},
	})}, nil
}

// A badly formed key is answered with 400 (developer.staxbill.com/reference/errors).
func fusebillVendor() vendor {
	return vendor{
		badKey:    "Authorization key is not in the correct format",
		tryDenied: "check that the key is this account's, complete, and not replaced since",
		tryMoved:  "check the URL",
		tryPage:   "check the URL, and whether a proxy or login page stands between",
	}
}

// keyTexts are the texts that give a key away: the key, and what it is Base64 of,
// "0:" and a secret.
func keyTexts(key string) []string {
	standard := strings.NewReplacer("-", "+", "_", "/").Replace(strings.TrimRight(key, "="))
	plain, err := base64.RawStdEncoding.DecodeString(standard)
	if err != nil || !utf8.Valid(plain) {
		return []string{key}
	}
	return []string{key, string(plain), strings.TrimPrefix(string(plain), "0:")}
}

// Customer reads one customer by id (developer.staxbill.com/reference/customer-object).
// A record with a key that stands twice is Refused with a *RecordError.
func (f *Fusebill) Customer(ctx context.Context, l *Lease, id string) Reply {
	return f.byID(ctx, l, call{method: http.MethodGet, path: "/customers/" + id, want: record, id: id})
}

// Overview reads a customer's balances and dates (developer.staxbill.com/reference/read-customer-overview-1).
// The page allows a null id in it; one that is there must be the customer's.
func (f *Fusebill) Overview(ctx context.Context, l *Lease, id string) Reply {
	return f.byID(ctx, l, call{method: http.MethodGet, path: "/customers/" + id + "/overview", want: record, id: id, idOptional: true})
}

// byID makes a call about one customer, unless what it calls an id is none.
func (f *Fusebill) byID(ctx context.Context, l *Lease, c call) Reply {
	if !wholeNumber(c.id) {
		return refusal("an id is a whole number without leading zeros, not "+strconv.Quote(c.id), "the id that the customer's page shows")
	}
	return f.api.do(ctx, l, c)
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
func (f *Fusebill) Customers(ctx context.Context, l *Lease, q Query) Reply {
	v := url.Values{"pageNumber": {strconv.Itoa(q.Page)}, "pageSize": {strconv.Itoa(q.Size)}}
	if q.Terms != "" {
		v.Set("query", q.Terms)
	}
	if q.Order != "" { // both or neither (developer.staxbill.com/reference/sorting)
		v.Set("sortOrder", "Ascending")
		v.Set("sortExpression", q.Order)
	}
	return f.api.do(ctx, l, call{method: http.MethodGet, path: "/customers?" + v.Encode(), want: list})
}

// TrackingCode looks a sales tracking code up (developer.staxbill.com/reference/ready-by-type-and-code).
// The type may be given by its default or its renamed name; the reply shows which it is.
func (f *Fusebill) TrackingCode(ctx context.Context, l *Lease, typ, code string) Reply {
	v := url.Values{"type": {typ}, "code": {code}}
	return f.api.do(ctx, l, call{method: http.MethodGet, path: "/SalesTrackingCodes?" + v.Encode(), want: object})
}
