package sandbox

import (
	"encoding/base64"
	"html"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/tidwall/gjson"
)

// maxBody is far above any customer, in bytes.
const maxBody = 1 << 20

// route is one call of the APIs. ID stands for a number; letter case does not
// matter, since Fusebill's own samples do not agree on it.
type route struct {
	method, path string
	kind         string // its name in Counts and in fault specs
	serve        func(*call) *reply
	idIn         func(body []byte) int64 // nil: the customer is in the path, or there is none
}

func routes() []route {
	return []route{
		{"GET", "/v1/customers/ID", "get", getCustomer, nil},
		{"GET", "/v1/customers", "list", listCustomers, nil},
		{"PUT", "/v1/customers", "put", putCustomer, jsonID("id")},
		{"GET", "/v1/customers/ID/overview", "overview", getOverview, nil},
		{"GET", "/v1/salestrackingcodes", "codes", getTrackingCode, nil},
		{"POST", "/v1/customerhold/ID", "hold", holdCustomer, nil},
		{"POST", "/v1/customers/unhold", "unhold", unholdCustomer, jsonID("customerId")},
		{"POST", "/v1/hubspot/latchcustomer", "latch", latchCustomer, jsonID("fusebillId")},
		{"POST", "/v1/hubspot/unlatchcustomer/ID", "unlatch", unlatchCustomer, nil},
		{"PATCH", "/api/customer/set_customer_details", "patch", setCustomerDetails, affiliateOf},
		{"GET", "/api/service/ping", "ping", func(*call) *reply { return answer([]byte(`"pong"`)) }, nil}, // no page shows it
	}
}

// jsonID returns a function that reads the customer's id off a JSON body, 0 if it holds none.
func jsonID(name string) func(body []byte) int64 {
	return func(body []byte) int64 { return wholeID(gjson.GetBytes(body, name).Raw) }
}

// parsePath returns a request's path as a route has it, and the number in it.
func parsePath(given string) (path string, id int64) {
	parts := strings.Split(strings.ToLower(given), "/")
	for i, part := range parts {
		if n, err := strconv.ParseUint(part, 10, 63); err == nil {
			parts[i], id = "ID", int64(n)
		}
	}
	return strings.Join(parts, "/"), id
}

// call is one request, read whole.
type call struct {
	*http.Request
	box    *Sandbox
	params url.Values
	body   []byte
	system system
	kind   string
	id     int64  // the customer addressed by the path or the body; 0: none
	option string // of the effect
	serve  func(*call) *reply
	fault  Fault // the one that fired for it and is the route's to act out
	habits []Fault
	before []byte // the customer, of a write that took effect
}

// habit returns the server's habit of a name; the zero one when it has none.
func (c *call) habit(how string) (f Fault) {
	if i := slices.IndexFunc(c.habits, func(f Fault) bool { return f.How == how }); i >= 0 {
		f = c.habits[i]
	}
	return f
}

// stores is how the server stores what a PUT sets: storedForms.
func (c *call) stores() (forms []string) {
	for _, f := range c.habits {
		if f.How == "stores" {
			forms = append(forms, strings.Split(f.Field, "+")...)
		}
	}
	return forms
}

func newCall(box *Sandbox, r *http.Request) *call {
	c := &call{Request: r, box: box, system: fusebill(), kind: "other"}
	path, id := parsePath(r.URL.Path)
	if strings.HasPrefix(path, "/api/") {
		c.system = trackfinity()
	}
	c.serve = c.system.noRoute
	if r.Body != nil {
		body, err := io.ReadAll(io.LimitReader(r.Body, maxBody+1))
		if err == nil && len(body) <= maxBody { // else none: half a form would still be a form
			c.body = body
		}
	}
	var err error
	if c.params, err = url.ParseQuery(r.URL.RawQuery); err != nil {
		c.serve = func(c *call) *reply { return c.system.failure(http.StatusBadRequest, err.Error()+".") }
		return c // such as a ; that is not URL-encoded, and would else drop the whole query
	}
	for _, rt := range routes() {
		switch {
		case rt.path != path:
		case rt.method != r.Method:
			c.serve = c.system.badMethod
		default:
			if c.kind, c.id, c.serve = rt.kind, id, rt.serve; rt.idIn != nil {
				c.id = rt.idIn(c.body)
			}
			return c
		}
	}
	return c
}

// system is one of the two APIs: whom it lets in, and how it says no.
type system struct {
	metered   bool                 // draws on the limits, and carries their headers
	refuse    func(c *call) *reply // nil: the caller may come in
	failure   func(status int, texts ...string) *reply
	noRoute   func(c *call) *reply
	badMethod func(c *call) *reply // the path is one of its routes, the method not
}

// fusebill wants `Basic ` and the key as issued, which is Base64 of "0:secret"
// (developer.staxbill.com/reference/authentication). The secret "revoked" is
// refused as a regenerated key is, any other accepted.
func fusebill() system {
	noRoute := func(c *call) *reply { // what clients have seen for unknown addresses, in place of the documented shape
		m := struct{ Message string }{"No HTTP resource was found that matches the request URI '" + c.URL.Path + "'."}
		return &reply{status: http.StatusNotFound, body: encode(m)}
	}
	refuse := func(c *call) *reply {
		authorization := c.Header.Get("Authorization")
		key, ok := strings.CutPrefix(authorization, "Basic ")
		plain, err := base64.StdEncoding.DecodeString(key)
		secret, zero := strings.CutPrefix(string(plain), "0:")
		switch {
		case authorization == "":
			return failure(http.StatusUnauthorized, "Authorization has been denied for this request.")
		case !ok || err != nil || !zero || secret == "":
			return failure(http.StatusBadRequest, "Authorization key is not in the correct format.")
		case secret == "revoked":
			return failure(http.StatusUnauthorized, "Authorization has been denied for this request.")
		}
		return nil
	}
	return system{metered: true, refuse: refuse, failure: failure, noRoute: noRoute, badMethod: noRoute}
}

// trackfinity wants both headers of docs.trackfinity.com/api/api-overview, with any
// key but "revoked". The reply to a wrong one is not documented; a page to sign in
// on, with status 200, is what a careless caller would take for a success.
func trackfinity() system {
	return system{
		refuse: func(c *call) *reply {
			if key := c.Header.Get("api-key"); key == "" || key == "revoked" || c.Header.Get("api-username") == "" {
				return htmlPage(http.StatusOK, "Affiliates Admin", `<form action="/admin/login" method="post">Please sign in.</form>`)
			}
			return nil
		},
		failure: func(status int, texts ...string) *reply { return words(status, strings.Join(texts, " ")) },
		noRoute: func(c *call) *reply {
			return htmlPage(http.StatusNotFound, "Not Found", html.EscapeString(c.URL.Path)+" is not here.")
		},
		badMethod: func(*call) *reply { return words(http.StatusMethodNotAllowed, "Method Not Allowed") },
	}
}

// reply is an answer before it is sent, so that a fault can still get at it.
type reply struct {
	status int
	header map[string]string
	body   []byte
	cut    bool // the connection breaks after the first sent bytes of the body
	sent   int
}

func answer(body []byte) *reply { return &reply{status: http.StatusOK, body: body} }

func (r *reply) with(name, value string) *reply {
	if r.header == nil {
		r.header = map[string]string{}
	}
	r.header[name] = value
	return r
}

// send writes the reply; a cut one ends in http.ErrAbortHandler, which net/http turns into a broken connection.
func (r *reply) send(w http.ResponseWriter) {
	if r.cut && r.sent == 0 {
		panic(http.ErrAbortHandler)
	}
	h := w.Header()
	h.Set("Content-Type", "application/json; charset=utf-8")
	for name, value := range r.header {
		h.Set(name, value)
	}
	h.Set("Content-Length", strconv.Itoa(len(r.body)))
	w.WriteHeader(r.status)
	if !r.cut {
		_, _ = w.Write(r.body) // a caller who left is no concern of ours
		return
	}
	_, _ = w.Write(r.body[:r.sent])
	if f, ok := w.(http.Flusher); ok {
		f.Flush()
	}
	panic(http.ErrAbortHandler)
}

// failure returns an error of the documented shape (developer.staxbill.com/reference/errors).
// Whether a body with several faults gets an entry for each is not documented; here it does.
func failure(status int, texts ...string) *reply {
	type detail struct{ Key, Value string }
	var e struct {
		ErrorID        int `json:"ErrorId"`
		HTTPStatusCode int `json:"HttpStatusCode"`
		Errors         []detail
	}
	e.HTTPStatusCode = status
	for _, t := range texts {
		e.Errors = append(e.Errors, detail{"Api Error", t})
	}
	return &reply{status: status, body: encode(e)}
}

// words is a reply of plain text.
func words(status int, text string) *reply {
	return (&reply{status: status, body: []byte(text)}).with("Content-Type", "text/plain; charset=utf-8")
}

func htmlPage(status int, title, body string) *reply {
	page := "<!DOCTYPE html>\n<html><head><title>" + title + "</title></head><body><h1>" + title + "</h1>" + body + "</body></html>\n"
	return (&reply{status: status, body: []byte(page)}).with("Content-Type", "text/html; charset=utf-8")
}
