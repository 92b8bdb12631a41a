package sandbox

import (
	"strings"
	"testing"
)

func TestReplies(t *testing.T) {
	s := open(t, Options{})
	for _, c := range []struct {
		name, method, path string
		status             int
		body               string // part of it
	}{
		{"customer", "GET", "/v1/customers/7", 200, odd},
		{"path in other letter case", "GET", "/v1/Customers/7", 200, odd},
		{"no such customer", "GET", "/v1/customers/123", 404, `{"ErrorId":0,"HttpStatusCode":404,"Errors":[{"Key":"Api Error","Value":"Customer with id 123 not found."}]}`},
		{"id of letters", "GET", "/v1/customers/abc", 404, `{"Message":`},
		{"id beyond any", "GET", "/v1/customers/99999999999999999999", 404, `{"Message":`},
		{"unknown route", "GET", "/v1/nothing", 404, `{"Message":"No HTTP resource was found that matches the request URI '/v1/nothing'."}`},
		{"other method", "PATCH", "/v1/customers/7", 404, `{"Message":`},
		{"no such overview", "GET", "/v1/customers/2/overview", 404, "CustomerOverview with id 2 not found."},
		{"code by default type", "GET", "/v1/SalesTrackingCodes?type=Sales+Tracking+Code+2&code=NORTH", 200, `{"type":"Region","code":"NORTH","name":"North","description":null,"email":"north@example.com","status":"Active","deletable":false,"id":4414,"uri":"https://secure.fusebill.com/v1/SalesTrackingCodes/4414"}`},
		{"code by renamed type", "GET", "/v1/SalesTrackingCodes?type=Region&code=SOUTH", 200, `"name":"South"`},
		{"retired code", "GET", "/v1/SalesTrackingCodes?type=Sales+Tracking+Code+1&code=OLD", 200, `"status":"Retired"`},
		{"unknown type", "GET", "/v1/SalesTrackingCodes?type=Sales+Tracking+Code+6&code=X", 400, "Unknown sales tracking code type Sales Tracking Code 6. Valid types are: Sales Tracking Code 1, Region, Sales Tracking Code 3, Sales Tracking Code 4, Sales Tracking Code 5"},
		{"unknown code", "GET", "/v1/SalesTrackingCodes?type=Region&code=north", 404, "SalesTrackingCode with code north not found."},
		{"unencoded query", "GET", "/v1/customers?query=firstName:A;lastName:B", 400, "invalid semicolon"},
	} {
		t.Run(c.name, func(t *testing.T) {
			g := send(s, request(t, c.method, c.path, ""))
			if g.status != c.status || !strings.Contains(g.body, c.body) {
				t.Errorf("%d %s\nwant %d with %s", g.status, g.body, c.status, c.body)
			}
		})
	}
}

func TestKeys(t *testing.T) {
	s := open(t, Options{})
	for name, c := range map[string]struct {
		header string
		status int
	}{
		"none":              {"", 401},
		"revoked":           {key("revoked"), 401},
		"not Base64":        {"Basic abc!", 400},
		"encoded twice":     {"Basic TURwekxXTnlaWFE9", 400},
		"no zero":           {"Basic YWRhOnNlY3JldA==", 400},
		"another scheme":    {"Bearer MDphYmM=", 400},
		"empty secret":      {"Basic MDo=", 400},
		"any other is fine": {key("whatever"), 200},
	} {
		t.Run(name, func(t *testing.T) {
			r := request(t, "GET", "/v1/customers/7", "")
			r.Header.Del("Authorization")
			if c.header != "" {
				r.Header.Set("Authorization", c.header)
			}
			g := send(s, r)
			if g.status != c.status {
				t.Errorf("%d %s, want %d", g.status, g.body, c.status)
			}
			if c.status == 400 && !strings.Contains(g.message(), "Authorization key is not in the correct format.") {
				t.Errorf("message %s", g.message())
			}
		})
	}
	if n := s.Requests(); n.Unauthorized != 7 || n.Reads != 1 {
		t.Errorf("counts %+v", n)
	}
}
