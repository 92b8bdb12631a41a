package client

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
)

const customerJSON = `{"id":12,"firstName":"Ada","monthlyRecurringRevenue":25.9800}`

func get(x exchange) exchange { x.method, x.want, x.id = http.MethodGet, record, "12"; return x }
func put(x exchange) exchange { x.method, x.want, x.id = http.MethodPut, record, "12"; return x }

func page(x exchange) exchange { x.method, x.want = http.MethodGet, list; return x }

func TestClassify(t *testing.T) {
	body := func(status int, s string) exchange { return exchange{status: status, body: []byte(s)} }
	html := func(status int, trusted bool) exchange {
		return exchange{status: status, contentType: "text/html; charset=utf-8", body: []byte("<html>Sign in</html>"), trusted: trusted}
	}
	badKey := `{"ErrorId":0,"HttpStatusCode":400,"Errors":[{"Key":"Api Error","Value":"Authorization key is not in the correct format."}]}`
	tests := []struct {
		name string
		x    exchange
		want Class
		text string // in the error
	}{
		{"record", get(body(200, customerJSON)), Answered, ""},
		{"record with its id as text", get(body(200, `{"id":"12"}`)), Answered, ""},
		{"record labelled as a page", get(exchange{status: 200, contentType: "text/html", body: []byte(customerJSON)}), Answered, ""},
		{"another 2xx", put(body(201, customerJSON)), Answered, ""},
		{"list", page(body(200, `[{"id":1}]`)), Answered, ""},
		{"empty list", page(body(200, ` []`)), Answered, ""},
		{"object without an id", exchange{method: "GET", status: 200, body: []byte(`{"type":"A"}`)}, Answered, ""},
		{"overview with a null id", exchange{method: "GET", want: record, id: "12", idOptional: true, status: 200, body: []byte(`{"id":null}`)}, Answered, ""},
		{"overview of another", exchange{method: "GET", want: record, id: "12", idOptional: true, status: 200, body: []byte(`{"id":13}`)}, Lost, "id 13"},

		{"null", put(body(200, `null`)), Lost, "not of the kind"},
		{"empty", put(body(200, ` `)), Lost, "empty"},
		{"no content", put(body(204, ``)), Lost, "empty"},
		{"truncated", put(body(200, customerJSON[:20])), Lost, "cut short"},
		{"trailing text", get(body(200, customerJSON+"x")), Lost, "not JSON"},
		{"not JSON", put(body(200, `OK`)), Lost, "OK"},
		{"array for an object", get(body(200, `[]`)), Lost, "not of the kind"},
		{"object for a list", page(body(200, `{}`)), Lost, "not of the kind"},
		{"text for a list", page(body(200, `"x"`)), Lost, "not of the kind"},
		{"another customer", put(body(200, `{"id":13}`)), Lost, "customer 12 was asked for"},
		{"no id", get(body(200, `{"firstName":"Ada"}`)), Lost, "customer 12 was asked for"},
		{"id as a fraction", get(body(200, `{"id":12.0}`)), Lost, "12.0"},
		{"doubled key read", get(body(200, `{"id":12,"a":1,"\u0061":2}`)), Refused, `"a" twice`},
		{"doubled key in a write's reply", put(body(200, `{"id":12,"a":1,"a":2}`)), Lost, `"a" twice`},
		{"doubled key below the top", get(body(200, `{"id":12,"b":{"a":1,"a":2}}`)), Answered, ""},
		{"body breaks off", put(exchange{status: 200, body: []byte(customerJSON), err: io.ErrUnexpectedEOF}), Lost, "broke off"},

		{"page at 200, first", get(html(200, false)), NoAccess, "web page came instead of the API: <html>Sign in"},
		{"page at 200, later", get(html(200, true)), Lost, "web page"},
		{"page at 200 without a type", get(body(200, "\n<!DOCTYPE html>")), NoAccess, "web page"},
		{"page at 404, first", get(html(404, false)), NoAccess, "web page"},
		{"page at 404, later", get(html(404, true)), Lost, "web page"},
		{"page at 400", put(html(400, false)), Refused, "400"},
		{"page at 401", get(html(401, true)), NoAccess, "401"},
		{"page at 403", get(html(403, true)), NoAccess, "403"},
		{"page at 429", get(html(429, true)), Throttled, "limit"},
		{"page at 502", put(html(502, true)), Lost, "502 Bad Gateway"},

		{"redirect", put(exchange{status: 302, location: "https://login.example.com/in?token=abc"}), NoAccess, "to login.example.com, which"},
		{"redirect to a path", get(exchange{status: 301, location: "/v2"}), NoAccess, "elsewhere"},
		{"not modified", get(body(304, "")), NoAccess, "304"},
		{"unauthorized", get(body(401, `{"Message":"no"}`)), NoAccess, "401: no (try: check that the key"},
		{"forbidden", put(body(403, ``)), NoAccess, "403 (try"},
		{"proxy", get(body(407, ``)), NoAccess, "407"},
		{"key of a bad form", get(body(400, badKey)), NoAccess, "correct format"},

		{"bad request", put(body(400, `{"ErrorId":0,"Errors":[{"Key":"title","Value":"bad title"}]}`)), Refused, "400: title: bad title"},
		{"not found", get(body(404, `{"Errors":[{"Key":"Api Error","Value":"Customer with id 12 not found."}]}`)), Refused, "404: Customer with id 12 not found."},
		{"conflict", put(body(409, ``)), Refused, "409 Conflict"},
		{"unprocessable", put(body(422, `{}`)), Refused, "422"},
		{"refused, then broken off", put(exchange{status: 400, err: io.ErrUnexpectedEOF}), Lost, "broke off"},
		{"request timeout", put(body(408, ``)), Lost, "408"},
		{"too early", put(body(425, ``)), Lost, "425"},
		{"server error", put(body(500, `{"Message":"oops"}`)), Lost, "500 Internal Server Error: oops"},
		{"unknown 5xx", put(body(599, ``)), Lost, "599"},
		{"unknown 1xx", put(body(199, ``)), Lost, "199"},
		{"throttled", put(body(429, `{"Message":"1000 a minute"}`)), Throttled, "1000 a minute"},
		{"throttled, then broken off", put(exchange{status: 429, err: io.EOF}), Throttled, "limit"},

		{"no connection", put(exchange{err: errors.New("no such host"), unsent: true}), Unsent, "no connection: no such host"},
		{"cancelled before", put(exchange{err: context.Canceled, unsent: true}), Unsent, "canceled"},
		{"reset", put(exchange{err: errors.New("connection reset by peer")}), Lost, "reset"},
		{"EOF", put(exchange{err: io.EOF}), Lost, "EOF"},
		{"timeout", put(exchange{err: fmt.Errorf("no complete answer within 30s: %w", context.DeadlineExceeded)}), Lost, "within 30s"},
		{"certificate", get(exchange{err: &tls.CertificateVerificationError{Err: x509.UnknownAuthorityError{}}, unsent: true}), NoAccess, "prove who it is"},
		{"plain HTTP", get(exchange{err: tls.RecordHeaderError{Msg: "not TLS"}, unsent: true}), NoAccess, "not TLS"},
		{"dry run", put(exchange{err: ErrReadOnly}), Refused, "dry run"},

		{"key repeated", put(exchange{status: 400, key: "MDpzZWNyZXQ=", body: []byte(`{"Message":"bad key MDpzZWNyZXQ="}`)}), Refused, "bad key ***"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := classify(tt.x)
			if got != tt.want {
				t.Errorf("%s, want %s (%v)", got, tt.want, err)
			}
			if (err == nil) != (tt.want == Answered) || err != nil && !strings.Contains(err.Error(), tt.text) {
				t.Errorf("error %v, want one with %q", err, tt.text)
			}
		})
	}
}

func TestParseError(t *testing.T) {
	e := parseError(400, []byte(`{"ErrorId":7,"HttpStatusCode":400,"Errors":[{"Key":"Api Error","Value":"first"},{"Key":"k\u202e","Value":"second\nline"},{}]}`))
	if e.ErrorID != "7" || len(e.Details) != 2 || e.Details[1].Key != `k\u202e` || e.Error() != `the server refused with 400: first; k\u202e: second line` {
		t.Errorf("%+v: %v", e, e)
	}
	for _, body := range []string{``, `null`, `[]`, `"x"`, `{"Errors":5}`, `{"Errors":[1]}`, "\xff"} {
		if e := parseError(418, []byte(body)); e.Status != 418 || len(e.Details) != 0 {
			t.Errorf("%q: %+v", body, e)
		}
	}
}

func TestVisible(t *testing.T) {
	tests := []struct{ in, want string }{
		{"  two\r\n\twords ", "two words"},
		{"a\x00\x1b[31mb", `a\u0000\u001b[31mb`},
		{"\u202eevil\u200b", `\u202eevil\u200b`},
		{"caf\u00e9 \u65e5\u672c", "caf\u00e9 \u65e5\u672c"},
		{"\xff", `\xff`},
		{strings.Repeat("x", 300), strings.Repeat("x", 300)},
		{strings.Repeat("x", 301), strings.Repeat("x", 300) + "…"},
		{strings.Repeat("é", 1<<20), strings.Repeat("é", 300) + "…"},
	}
	for _, tt := range tests {
		if got := visible(tt.in); got != tt.want {
			t.Errorf("visible(%.20q) = %q, want %q", tt.in, got, tt.want)
		}
	}
}
