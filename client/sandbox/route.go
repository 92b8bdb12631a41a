package sandbox

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/tidwall/gjson"
)

// maxBody is far above any customer; a longer body is cut, and so no longer JSON.
const maxBody = 1 << 20

// route is one call of the API. {id} stands for a number; letter case does not
// matter, since the vendor's own samples do not agree on it.
type route struct {
	method, path string
	kind         string // its name in Counts and in fault specs
	serve        func(*Sandbox, *call) *reply
}

func routes() []route {
	return []route{
		{"GET", "/v1/customers/{id}", "get", (*Sandbox).getCustomer},
		{"GET", "/v1/customers", "list", (*Sandbox).listCustomers},
		{"PUT", "/v1/customers", "put", (*Sandbox).putCustomer},
		{"GET", "/v1/customers/{id}/overview", "overview", (*Sandbox).getOverview},
		{"GET", "/v1/salestrackingcodes", "codes", (*Sandbox).getTrackingCode},
	}
}

// call is one request, read whole.
type call struct {
	ctx           context.Context
	authorization string
	path          string
	params        url.Values
	body          []byte
	kind          string
	write         bool
	id            int64 // the customer addressed by the path or the body; 0: none
	serve         func(*Sandbox, *call) *reply
	fault         *Fault // the fault that fired for it and is the route's to act out
}

func newCall(r *http.Request) *call {
	c := &call{
		ctx:           r.Context(),
		authorization: r.Header.Get("Authorization"),
		path:          r.URL.Path,
		write:         r.Method != http.MethodGet && r.Method != http.MethodHead,
		kind:          "other",
		serve:         func(_ *Sandbox, c *call) *reply { return noRoute(c) },
	}
	if r.Body != nil {
		c.body, _ = io.ReadAll(io.LimitReader(r.Body, maxBody)) // half a body fails as JSON, below
	}
	var err error
	if c.params, err = url.ParseQuery(r.URL.RawQuery); err != nil {
		c.serve = func(*Sandbox, *call) *reply { return failure(http.StatusBadRequest, err.Error()+".") }
		return c // such as a ; that is not URL-encoded, and would else drop the whole query
	}
	for _, rt := range routes() {
		if id, ok := rt.match(r.Method, c.path); ok {
			c.kind, c.id, c.serve = rt.kind, id, rt.serve
			break
		}
	}
	if c.kind == "put" {
		c.id = gjson.GetBytes(c.body, "id").Int()
	}
	return c
}

func (rt route) match(method, path string) (id int64, ok bool) {
	want, got := strings.Split(rt.path, "/"), strings.Split(strings.ToLower(path), "/")
	if method != rt.method || len(want) != len(got) {
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
	body, ok := s.store.body(c.id)
	if !ok {
		return failure(http.StatusNotFound, fmt.Sprintf("Customer with id %d not found.", c.id))
	}
	return answer(body)
}
