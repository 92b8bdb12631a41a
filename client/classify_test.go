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

func get(x exchange) exchange {
	return x.asking(fusebillVendor(), call{method: http.MethodGet, want: record, id: "12"})
}

func put(x exchange) exchange {
	return x.asking(fusebillVendor(), call{method: http.MethodPut, want: record, id: "12"})
}

func page(x exchange) exchange {
	return x.asking(fusebillVendor(), call{method: http.MethodGet, want: list})
}

func unhold(x exchange) exchange {
	return x.asking(fusebillVendor(), call{method: http.MethodPost, want: object, id: "12", idOptional: true})
}

func patch(x exchange) exchange {
	return x.asking(trackfinityVendor(), call{method: http.MethodPatch, want: assent})
}

func ping(x exchange) exchange {
	return x.asking(trackfinityVendor(), call{method: http.MethodGet, want: echo})
}

func (x exchange) asking(v vendor, c call) exchange {
	x.vendor, x.call = v, c
	return x
}

func fusebillVendor() vendor {
	fb, err := NewFusebill(Options{BaseURL: "https://api.example.com/v1", Key: testKey})
	if err != nil {
		panic(err)
	}
	return fb.vendor
}

func trackfinityVendor() vendor {
	tf, err := NewTrackfinity(Options{BaseURL: "https://tracking.example.com/api", Key: "tf-key", Username: "ada"})
	if err != nil {
		panic(err)
	}
	return tf.vendor
}

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
		{"object without an id", exchange{call: call{method: "GET"}, status: 200, body: []byte(`{"type":"A"}`)}, Answered, ""},
		{"overview with a null id", exchange{call: call{method: "GET", want: record, id: "12", idOptional: true}, status: 200, body: []byte(`{"id":null}`)}, Answered, ""},
		{"overview of another", exchange{call: call{method: "GET", want: record, id: "12", idOptional: true}, status: 200, body: []byte(`{"id":13}`)}, Lost, "id 13"},

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

		{"un-hold, the customer", unhold(body(200, customerJSON)), Answered, ""},
		{"un-hold, no id", unhold(body(200, `{"invoice":{"id":5}}`)), Answered, ""},
		{"un-hold, another id", unhold(body(200, `{"id":13}`)), Lost, "id 13"},
		{"un-hold, null", unhold(body(200, `null`)), Lost, "not of the kind"},
		{"un-hold, empty", unhold(body(200, ``)), Lost, "empty"},

		{"true", patch(body(200, "true")), Answered, ""},
		{"true with space", patch(body(200, " true\r\n")), Answered, ""},
		{"true labelled as a page", patch(exchange{status: 200, contentType: "text/html", body: []byte("true")}), Answered, ""},
		{"true at another 2xx", patch(body(202, "true")), Refused, "202 with true instead of true"},
		{"false", patch(body(200, "false")), Refused, "200 with false instead of true; whether it made the change is not known (try:"},
		{"null for true", patch(body(200, "null")), Refused, "null instead"},
		{"true as text", patch(body(200, `"true"`)), Refused, `"true" instead`},
		{"an object for true", patch(body(200, `{"result":"Success"}`)), Refused, `{"result":"Success"} instead`},
		{"TRUE", patch(body(200, "TRUE")), Lost, "not JSON: TRUE"},
		{"tru", patch(body(200, "tru")), Lost, "cut short"},
		{"true, empty", patch(body(200, "")), Lost, "empty"},
		{"true, no content", patch(body(204, "")), Lost, "empty (HTTP 204)"},
		{"empty labelled as a page", patch(exchange{status: 200, contentType: "text/html"}), Lost, "empty"},
		{"text labelled as a page", patch(exchange{status: 404, contentType: "text/html", body: []byte("Invalid parameter")}), Refused, "404: Invalid parameter"},
		{"login page, first", patch(html(200, false)), NoAccess, "check the URL, which ends in /api, the key, the user name"},
		{"login page, later", patch(html(200, true)), Lost, "web page"},
		{"page at 404 for a row, first", patch(html(404, false)), NoAccess, "web page"},
		{"page at 404 for a row, later", patch(html(404, true)), Refused, "404: <html>Sign in"},
		{"JSON at 404", patch(body(404, `{"error":"no"}`)), Refused, `404: {"error":"no"}`},
		{"nothing at 404", patch(body(404, ``)), Refused, "404 Not Found"},
		{"wrong method", patch(body(405, ``)), Refused, "405"},
		{"not let in", patch(body(403, `your IP`)), NoAccess, "403: your IP (try: check the key, the user name, and that ADMIN_API_ALLOWED_IPS"},
		{"sent to log in", patch(exchange{status: 302, location: "https://tracking.example.com/login"}), NoAccess, "ADMIN_API_ALLOWED_IPS"},
		{"Trackfinity throttles", patch(body(429, ``)), Throttled, "limit"},
		{"Trackfinity breaks", patch(body(500, `<html>`)), Lost, "500"},
		{"no key of Fusebill's", patch(body(400, badKey)), Refused, "correct format"},

		{"pong", ping(body(200, `"pong"`)), Answered, ""},
		{"text labelled as a page for a ping", ping(exchange{status: 200, contentType: "text/html", body: []byte("pong")}), Answered, ""},
		{"empty for a ping", ping(body(200, ``)), Answered, ""},
		{"another 2xx for a ping", ping(body(204, ``)), NoAccess, "204 No Content"},
		{"page for a ping", ping(html(200, false)), NoAccess, "web page came instead of the API: <html>Sign in"},
		{"page for a later ping", ping(html(404, true)), NoAccess, "404"},
		{"no such ping", ping(body(404, `nothing here`)), NoAccess, "404 Not Found where the API would have answered 200: nothing here (try: check the URL, which ends in /api"},
		{"a bad ping", ping(body(400, ``)), NoAccess, "400"},
		{"unauthorized ping", ping(body(401, `no`)), NoAccess, "401: no"},
		{"redirected ping", ping(body(301, ``)), NoAccess, "301"},
		{"throttled ping", ping(body(429, ``)), Throttled, "limit"},
		{"ping timed out there", ping(body(408, ``)), Lost, "408"},
		{"ping met 503", ping(body(503, `<html>`)), Lost, "503"},
		{"ping broke off", ping(exchange{status: 200, err: io.ErrUnexpectedEOF}), Lost, "broke off"},
		{"no connection for a ping", ping(exchange{err: errors.New("no such host"), unsent: true}), Unsent, "no such host"},

		{"key repeated", put(exchange{status: 400, secrets: newSecrets("MDpzZWNyZXQ="), body: []byte(`{"Message":"bad key MDpzZWNyZXQ="}`)}), Refused, leftOut},
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
	e := parseError(400, []byte(`{"ErrorId":7,"HttpStatusCode":400,"Errors":[{"Key":"Api Error","Value":"first"},{"Key":"k\u202e","Value":"second\nline"},{}]}`), visible)
	if len(e.Details) != 2 || e.Details[1].Key != `k\u202e` || e.Error() != `the server refused with 400: first; k\u202e: second line` {
		t.Errorf("%+v: %v", e, e)
	}
	for _, body := range []string{``, `null`, `[]`, `"x"`, `{"Errors":5}`, `{"Errors":[1]}`, "\xff"} {
		if e := parseError(418, []byte(body), visible); e.Status != 418 || len(e.Details) != 0 {
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
