package sandbox

import (
	"strings"
	"testing"

	"github.com/tidwall/gjson"
)

// byStatus has a customer of each status, 1 to 5.
const byStatus = `[{"id":1,"status":"Active","modifiedTimestamp":"2025-01-02T03:04:05Z","currency":"USD","netMonthlyRecurringRevenue":25.9800},` +
	`{"id":2,"status":"Hold","modifiedTimestamp":"2025-01-02T03:04:05Z","currency":"USD","netMonthlyRecurringRevenue":25.9800},` +
	`{"id":3,"status":"Suspended"},{"id":4,"status":"Draft"},{"id":5,"status":"Cancelled"}]`

func TestHold(t *testing.T) {
	for _, c := range []struct {
		name, path string
		status     int
		message    string
	}{
		{"active", "/v1/CustomerHold/1", 200, ""},
		{"suspended", "/v1/CustomerHold/3", 200, ""},
		{"path in other letter case", "/v1/customerHold/1", 200, ""},
		{"held already", "/v1/CustomerHold/2", 409, "its status is Hold"},
		{"draft", "/v1/CustomerHold/4", 409, "its status is Draft"},
		{"cancelled", "/v1/CustomerHold/5", 409, "its status is Cancelled"},
		{"unknown", "/v1/CustomerHold/9", 404, "Customer with id 9 not found."},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := open(t, Options{Seed: []byte(byStatus)})
			g := post(t, s, c.path, "")
			if g.status != c.status || !strings.Contains(g.message(), c.message) {
				t.Fatalf("%d %s", g.status, g.body)
			}
			if n := s.Requests(); n.Kinds["hold"] != 1 || n.Writes != 1 {
				t.Errorf("counts %+v", n)
			}
			if c.status != 200 {
				if len(s.Effects()) != 0 {
					t.Error("an effect")
				}
				return
			}
			id := gjson.Get(g.body, "id").Raw
			if g.body != stored(t, s, id) || gjson.Get(g.body, "status").Str != "Hold" {
				t.Error(g.body)
			}
			if e := s.Effects(); len(e) != 1 || e[0].Kind != "hold" || e[0].ID != id || string(e[0].After) != g.body {
				t.Errorf("effects %s", encode(e))
			}
		})
	}
}

func TestHoldChangesTheStatusAndTheStampOnly(t *testing.T) {
	s := open(t, Options{})
	g := post(t, s, "/v1/CustomerHold/7", "")
	if want := edit(t, odd, "status", `"Hold"`); still(t, g.body) != still(t, want) {
		t.Errorf("%s\nwant %s", g.body, want)
	}
	if gjson.Get(g.body, "modifiedTimestamp").Str == gjson.Get(odd, "modifiedTimestamp").Str {
		t.Error("modifiedTimestamp has not moved")
	}
	overview := get(t, s, "/v1/customers/7/overview").body
	if gjson.Get(overview, "nextBillingDate").Raw != "null" || gjson.Get(overview, "status").Str != "Hold" {
		t.Error(overview)
	}
}

func TestUnhold(t *testing.T) {
	for _, option := range []string{"ChargeForAllMissedPeriods", "ChargeForLastMissedPeriods", "NoChargesForMissedPeriods", "ChargeForCurrentFullPeriod"} {
		s := open(t, Options{Seed: []byte(byStatus)})
		g := post(t, s, "/v1/customers/unHold", `{"customerId":2,"serviceStartOption":"`+option+`","preview":false,"prorate":null}`)
		if g.status != 200 || g.body != stored(t, s, "2") || gjson.Get(g.body, "status").Str != "Active" {
			t.Fatalf("%d %s", g.status, g.body)
		}
		if e := s.Effects(); len(e) != 1 || e[0].Kind != "unhold" || e[0].Option != option || s.Requests().Kinds["unhold"] != 1 {
			t.Errorf("effects %s, counts %+v", encode(e), s.Requests())
		}
	}
}

func TestUnholdRefuses(t *testing.T) {
	const fine = `{"customerId":2,"serviceStartOption":"NoChargesForMissedPeriods"}`
	s := open(t, Options{Seed: []byte(byStatus)})
	for _, c := range []struct {
		name, body string
		status     int
		message    string
	}{
		{"no body", "", 400, "not valid JSON"},
		{"no customer", edit(t, fine, "customerId", "-"), 400, "customerId is required"},
		{"customer as text", edit(t, fine, "customerId", `"2"`), 400, "customerId is required"},
		{"no option", edit(t, fine, "serviceStartOption", "-"), 400, "serviceStartOption is required"},
		{"unknown option", edit(t, fine, "serviceStartOption", `"None"`), 400, "must be one of ChargeForAllMissedPeriods"},
		{"option in other letter case", edit(t, fine, "serviceStartOption", `"nochargesformissedperiods"`), 400, "must be one of"},
		{"preview as text", edit(t, fine, "preview", `"true"`), 400, "preview must be true or false"},
		{"prorate as number", edit(t, fine, "prorate", "1"), 400, "prorate must be"},
		{"unknown customer", edit(t, fine, "customerId", "9"), 404, "Customer with id 9 not found."},
		{"active", edit(t, fine, "customerId", "1"), 409, "is not on hold: its status is Active"},
		{"suspended", edit(t, fine, "customerId", "3"), 409, "is not on hold"},
		{"active, as a preview", edit(t, fine, "customerId", "1", "preview", "true"), 409, "is not on hold"},
	} {
		g := post(t, s, "/v1/customers/unhold", c.body)
		if g.status != c.status || !strings.Contains(g.message(), c.message) {
			t.Errorf("%s: %d %s", c.name, g.status, g.body)
		}
	}
	if e := s.Effects(); len(e) != 0 {
		t.Errorf("effects %s", encode(e))
	}
}

func TestUnholdPreview(t *testing.T) {
	s := open(t, Options{Seed: []byte(byStatus)})
	for option, total := range map[string]string{"NoChargesForMissedPeriods": "0.00", "ChargeForAllMissedPeriods": "25.9800"} {
		g := post(t, s, "/v1/customers/unHold", `{"customerId":2,"serviceStartOption":"`+option+`","preview":true,"showZeroDollarCharges":true}`)
		if g.status != 200 || gjson.Get(g.body, "total").Raw != total || gjson.Get(g.body, "customerId").Raw != "2" {
			t.Errorf("%s: %d %s", option, g.status, g.body)
		}
	}
	if len(s.Effects()) != 0 || gjson.Get(stored(t, s, "2"), "status").Str != "Hold" {
		t.Error("a preview has acted")
	}
}
