package sandbox

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// maxBody is far above any customer, in bytes.
const maxBody = 1 << 20

// route is one call of the APIs. {id} stands for a number; letter case does not
// matter, since Fusebill's own samples do not agree on it.
type route struct {
	method, path string
	kind         string // its name in Counts and in fault specs
	serve        func(*Sandbox, *call) *reply
	idIn         func(body []byte) int64 // nil: the customer is in the path, or there is none
}

func routes() []route {
	return []route{
		{"GET", "/v1/customers/{id}", "get", (*Sandbox).getCustomer, nil},
		{"GET", "/v1/customers", "list", (*Sandbox).listCustomers, nil},
		{"PUT", "/v1/customers", "put", (*Sandbox).putCustomer, jsonID("id")},
		{"GET", "/v1/customers/{id}/overview", "overview", (*Sandbox).getOverview, nil},
		{"GET", "/v1/salestrackingcodes", "codes", (*Sandbox).getTrackingCode, nil},
		{"POST", "/v1/customerhold/{id}", "hold", (*Sandbox).holdCustomer, nil},
		{"POST", "/v1/customers/unhold", "unhold", (*Sandbox).unholdCustomer, jsonID("customerId")},
		{"POST", "/v1/hubspot/latchcustomer", "latch", (*Sandbox).latchCustomer, jsonID("fusebillId")},
		{"POST", "/v1/hubspot/unlatchcustomer/{id}", "unlatch", (*Sandbox).unlatchCustomer, nil},
		{"PATCH", "/api/customer/set_customer_details", "patch", (*Sandbox).setCustomerDetails, affiliateOf},
		{"GET", "/api/service/ping", "ping", (*Sandbox).pingTrackfinity, nil},
	}
}

// call is one request, read whole.
type call struct {
	ctx    context.Context
	header http.Header
	path   string
	params url.Values
	body   []byte
	system system
	kind   string
	write  bool
	id     int64 // the customer addressed by the path or the body; 0: none
	serve  func(*Sandbox, *call) *reply
	fault  *Fault // the fault that fired for it and is the route's to act out
}

func newCall(r *http.Request) *call {
	c := &call{
		ctx:    r.Context(),
		header: r.Header,
		path:   r.URL.Path,
		system: systemOf(r.URL.Path),
		write:  r.Method != http.MethodGet && r.Method != http.MethodHead,
		kind:   "other",
	}
	c.serve = func(_ *Sandbox, c *call) *reply { return c.system.noRoute(c) }
	if r.Body != nil {
		c.body = readWhole(r.Body)
	}
	var err error
	if c.params, err = url.ParseQuery(r.URL.RawQuery); err != nil {
		c.serve = func(_ *Sandbox, c *call) *reply { return c.system.failure(http.StatusBadRequest, err.Error()+".") }
		return c // such as a ; that is not URL-encoded, and would else drop the whole query
	}
	c.resolve(r.Method)
	return c
}

// readWhole returns nothing for a body that broke off or is longer than maxBody:
// half a form would still be a form.
func readWhole(r io.Reader) []byte {
	body, err := io.ReadAll(io.LimitReader(r, maxBody+1))
	if err != nil || len(body) > maxBody {
		return nil
	}
	return body
}

// resolve sets what depends on the route.
func (c *call) resolve(method string) {
	for _, rt := range routes() {
		id, ok := rt.match(c.path)
		if !ok {
			continue
		}
		if rt.method != method {
			c.serve = func(_ *Sandbox, c *call) *reply { return c.system.badMethod(c) }
			continue
		}
		if c.kind, c.id, c.serve = rt.kind, id, rt.serve; rt.idIn != nil {
			c.id = rt.idIn(c.body)
		}
		return
	}
}

func (rt route) match(path string) (id int64, ok bool) {
	want, got := strings.Split(rt.path, "/"), strings.Split(strings.ToLower(path), "/")
	if len(want) != len(got) {
		return 0, false
	}
	for i, part := range want {
		if part == "{id}" {
			n, err := strconv.ParseUint(got[i], 10, 63)
			if err != nil {
				return 0, false
			}
			id = int64(n)
		} else if part != got[i] {
			return 0, false
		}
	}
	return id, true
}

func (s *Sandbox) getCustomer(c *call) *reply {
	s.store.mu.RLock()
	defer s.store.mu.RUnlock()
	body, ok := s.store.customers.body(c.id)
	if !ok {
		return failure(http.StatusNotFound, fmt.Sprintf("Customer with id %d not found.", c.id))
	}
	return answer(body)
}
