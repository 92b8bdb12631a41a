package sandbox

import (
	"strings"
	"testing"

	"github.com/tidwall/gjson"
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

func TestOverview(t *testing.T) {
	s := open(t, Options{Seed: []byte("[" + edit(t, odd, "parentId", "8") + "," + peers + "]")})
	g := get(t, s, "/v1/customers/7/overview")
	for path, want := range map[string]string{
		"firstName": `"Ada"`, "primaryPhone": "5550100", "monthlyRecurringRevenue": "25.9800", "parentName": `"Parent"`,
		"quickbooksId": "null", "arBalance": `0.00`, "createdTimestamp": `"2018-01-01T03:33:33.02"`, "hubSpotCompanyId": "7300000001",
		"uri": `"https://secure.fusebill.com/v1/CustomerOverview/7"`, "customerReference": "", "modifiedTimestamp": "", "salesforceId": "null",
	} {
		if raw := gjson.Get(g.body, path).Raw; raw != want {
			t.Errorf("%s is %s, want %s", path, raw, want)
		}
	}
}

func TestSampleSeedIsWhole(t *testing.T) {
	s := open(t, Options{Seed: sampleSeed(t)})
	if n := len(s.IDs()); n != 300 {
		t.Fatalf("%d customers", n)
	}
	for _, id := range s.IDs() {
		was := stored(t, s, id)
		if gjson.Get(was, "status").Str == "Cancelled" {
			continue
		}
		if g := put(t, s, was); g.status != 200 || gjson.Get(was, "modifiedTimestamp").Exists() && still(t, g.body) != still(t, was) {
			t.Errorf("customer %s does not survive its own PUT: %d %s\nwas %s", id, g.status, g.body, was)
		}
	}
}

func TestOverviewOfOthers(t *testing.T) {
	seed := `[{"id":1,"status":"Hold","parentId":2},{"id":2,"status":"Active","firstName":"Ada","lastName":"Reed"},{"id":3,"status":"Active","parentId":99}]`
	s := open(t, Options{Seed: []byte(seed)})
	for _, c := range []struct{ id, path, want string }{
		{"1", "parentName", `"Ada Reed"`},
		{"1", "nextBillingDate", "null"},
		{"1", "createdTimestamp", `"2018-01-01T00:00:00"`},
		{"2", "nextBillingDate", `"2030-03-03T00:00:00"`},
		{"3", "parentName", "null"},
		{"3", "arBalance", "15.7500"},
	} {
		if raw := gjson.Get(get(t, s, "/v1/customers/"+c.id+"/overview").body, c.path).Raw; raw != c.want {
			t.Errorf("%s of %s is %s, want %s", c.path, c.id, raw, c.want)
		}
	}
}
