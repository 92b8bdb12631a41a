package sandbox

import (
	"strings"
	"testing"

	"github.com/tidwall/gjson"
)

// TestFaultsOfTheOtherWrites: what a fault does to a PUT it does to the other writes of one customer too.
func TestFaultsOfTheOtherWrites(t *testing.T) {
	seed := "[" + odd + "," + peers + `,{"id":12,"status":"Hold","lastName":"Holm"}]`
	writes := map[string]func(*testing.T, *Sandbox) got{
		"hold":    func(t *testing.T, s *Sandbox) got { return post(t, s, "/v1/CustomerHold/7", "") },
		"latch":   func(t *testing.T, s *Sandbox) got { return latch(t, s, `{"fusebillId":7,"hubSpotId":101}`) },
		"unlatch": func(t *testing.T, s *Sandbox) got { return post(t, s, "/v1/HubSpot/UnlatchCustomer/7", "") },
		"unhold": func(t *testing.T, s *Sandbox) got {
			return post(t, s, "/v1/customers/unHold", `{"customerId":12,"serviceStartOption":"NoChargesForMissedPeriods"}`)
		},
		"patch": func(t *testing.T, s *Sandbox) got { return patch(t, s, "customer_id=4102&city=X") },
	}
	for _, c := range []struct {
		how    string
		status int    // 0: no reply
		body   string // part of it
		err    bool
		effect bool
	}{
		{"409", 409, "Conflict.", false, false},
		{"429", 429, "Too Many Requests.", false, false},
		{"503", 503, "Service Unavailable.", false, false},
		{"502-after", 502, "Bad Gateway.", false, true},
		{"lost-before", 0, "", true, false},
		{"lost-after", 0, "", true, true},
		{"truncated", 200, "", true, true},
		{"null", 200, "null", false, true},
		{"empty", 200, "", false, true},
		{"html", 200, "<html>", false, false},
		{"html-after", 200, "<html>", false, true},
		{"redirect", 302, "", false, false},
		{"late=1ns", 200, "", false, true},
		{"wrong-id", 200, `"id":1`, false, true},
	} {
		for kind, write := range writes {
			if kind == "patch" && c.how == "wrong-id" {
				continue
			}
			t.Run(kind+":"+c.how, func(t *testing.T) {
				s := open(t, Options{Seed: []byte(seed), Faults: faultsOf(t, kind+":"+c.how)})
				g := write(t, s)
				if g.status != c.status || !strings.Contains(g.body, c.body) || (g.err != nil) != c.err {
					t.Errorf("%d %q %v", g.status, g.body, g.err)
				}
				if got := len(s.Effects()) == 1; got != c.effect {
					t.Errorf("effect %t, want %t", got, c.effect)
				}
				if id := gjson.Get(g.body, "id").Raw; c.how == "wrong-id" && id != "17" && id != "112" {
					t.Errorf("id %s", id)
				}
			})
		}
	}
}

func TestFaultsOfHoldAndLatch(t *testing.T) {
	for _, c := range []struct {
		spec, path, body string
		fields           map[string]string
		effects          int
	}{
		{"hold:ignore=status", "/v1/CustomerHold/7", "", map[string]string{"status": `"Active"`}, 0},
		{"hold:side-effect", "/v1/CustomerHold/7", "", map[string]string{"status": `"Hold"`, "lastName": `"Reed (moved)"`}, 1},
		{"latch:ignore=hubSpotId", "/v1/HubSpot/latchCustomer", `{"fusebillId":7,"hubSpotId":101,"hubSpotCompanyId":202}`,
			map[string]string{"hubSpotId": "51000000001", "hubSpotCompanyId": "202"}, 1},
		{"latch:ignore=hubSpotCompanyId", "/v1/HubSpot/latchCustomer", `{"fusebillId":7,"hubSpotId":101}`,
			map[string]string{"hubSpotId": "101", "hubSpotCompanyId": "7300000001"}, 1},
		{"latch:ignore=hubSpotId", "/v1/HubSpot/latchCustomer", `{"fusebillId":8,"hubSpotId":101}`, map[string]string{"hubSpotId": "null"}, 1},
		{"latch:side-effect", "/v1/HubSpot/latchCustomer", `{"fusebillId":7,"hubSpotId":101}`,
			map[string]string{"hubSpotId": "101", "lastName": `"Reed (moved)"`}, 1},
	} {
		s := open(t, Options{Faults: faultsOf(t, c.spec)})
		g := post(t, s, c.path, c.body)
		if g.status != 200 || g.body != stored(t, s, gjson.Get(g.body, "id").Raw) || len(s.Effects()) != c.effects {
			t.Errorf("%s: %d %s, %d effects", c.spec, g.status, g.body, len(s.Effects()))
		}
		for name, want := range c.fields {
			if raw := gjson.Get(g.body, name).Raw; raw != want {
				t.Errorf("%s: %s is %s, want %s", c.spec, name, raw, want)
			}
		}
	}
}

// A server whose records lack the link ids still has them, shows them in the
// overview and empties those that a PUT leaves out.
func TestHiddenLinks(t *testing.T) {
	links := map[string]string{"hubSpotId": "51000000001", "hubSpotCompanyId": "7300000001", "geotabId": `"gt1"`,
		"netsuiteId": `"ns1"`, "salesforceId": `"sf1"`, "quickBooksId": "55"}
	seed := edit(t, odd, "netsuiteId", `"ns1"`, "salesforceId", `"sf1"`, "quickBooksId", "55")
	customer := func(t *testing.T, s *Sandbox) got { return get(t, s, "/v1/customers/7") }
	replies := map[string]func(*testing.T, *Sandbox) got{
		"get":   customer,
		"list":  func(t *testing.T, s *Sandbox) got { return find(t, s, "id:7") },
		"put":   func(t *testing.T, s *Sandbox) got { return put(t, s, seed) },
		"hold":  func(t *testing.T, s *Sandbox) got { return post(t, s, "/v1/CustomerHold/7", "") },
		"latch": func(t *testing.T, s *Sandbox) got { return latch(t, s, `{"fusebillId":7,"hubSpotId":101}`) },
	}
	for kind, reply := range replies {
		for spec, hides := range map[string]bool{"any": true, kind: true, "overview": false} {
			s := open(t, Options{Seed: []byte("[" + seed + "," + peers + "]"), Faults: faultsOf(t, spec+":hidden-links")})
			g := reply(t, s)
			record := strings.TrimSuffix(strings.TrimPrefix(g.body, "["), "]")
			if g.status != 200 || gjson.Get(record, "lastName").Str != "Reed" || gjson.Get(record, "monthlyRecurringRevenue").Raw != "25.9800" {
				t.Errorf("%s:hidden-links: %s is %d %s", spec, kind, g.status, g.body)
			}
			for name := range links {
				if gjson.Get(record, name).Exists() == hides {
					t.Errorf("%s:hidden-links: %s of %s: %s", spec, name, kind, record)
				}
			}
		}
	}

	s := open(t, Options{Seed: []byte("[" + seed + "]"), Faults: faultsOf(t, "any:hidden-links", "put:truncated:at=1")})
	overview := func() string { return get(t, s, "/v1/customers/7/overview").body }
	shown := overview()
	for name, want := range map[string]string{"hubSpotId": "51000000001", "hubSpotCompanyId": "7300000001", "geotabId": `"gt1"`,
		"netsuiteId": `"ns1"`, "salesforceId": `"sf1"`, "quickbooksId": `"55"`} {
		if raw := gjson.Get(shown, name).Raw; raw != want {
			t.Errorf("the overview's %s is %s", name, raw)
		}
	}
	record := customer(t, s).body
	if g := put(t, s, edit(t, record, "geotabId", `"gt1"`, "hubSpotId", "51000000001")); g.err == nil {
		t.Error("another fault does not happen besides")
	}
	left := stored(t, s, "7")
	for name, was := range links {
		want := "null"
		if name == "geotabId" || name == "hubSpotId" {
			want = was
		}
		if raw := gjson.Get(left, name).Raw; raw != want {
			t.Errorf("after a PUT without it %s is %s", name, raw)
		}
	}
	if ids := gjson.Get(overview(), "[quickbooksId,salesforceId,geotabId]").Raw; ids != `[null,null,"gt1"]` {
		t.Error(ids)
	}

	nowhere := open(t, Options{Faults: faultsOf(t, "any:hidden-links", "overview:hidden-links")})
	if body := get(t, nowhere, "/v1/customers/7/overview").body; strings.Contains(body, "hubSpot") || strings.Contains(body, "quickbooksId") {
		t.Error(body)
	}
}

func TestFaultsOfTrackfinity(t *testing.T) {
	for _, c := range []struct {
		spec, kind string
		status     int
		body       string
		effect     bool
	}{
		{"patch:false", "patch", 200, "false", false},
		{"patch:object", "patch", 200, `{"result":"Success","message":"Customer details set"}`, true},
		{"patch:echo", "patch", 404, "Invalid parameter in customer_id=4102&password=tr0ub4dor", false},
		{"any:500", "patch", 500, "Internal Server Error.", false},
		{"hold:500", "patch", 200, "true", true},
		{"ping:html", "ping", 200, "<!DOCTYPE html>", false},
		{"ping:401", "ping", 401, "Unauthorized.", false},
		{"any:empty", "ping", 200, "", false},
	} {
		s := open(t, Options{Faults: faultsOf(t, c.spec)})
		r := admin(t, "GET", "/api/service/ping", "")
		if c.kind == "patch" {
			r = admin(t, "PATCH", detailsPath, "customer_id=4102&password=tr0ub4dor")
		}
		g := send(s, r)
		if g.status != c.status || !strings.HasPrefix(g.body, c.body) || (c.body == "") != (g.body == "") {
			t.Errorf("%s: %d %q", c.spec, g.status, g.body)
		}
		if got := len(s.Effects()) == 1; got != c.effect {
			t.Errorf("%s: effect %t", c.spec, got)
		}
	}
}

// Each customer has its own draws, however a call names it.
func TestDrawsAreByCustomer(t *testing.T) {
	fails := func(kind string, calls func(s *Sandbox, n int) got) string {
		s := open(t, Options{Seed: []byte(`[{"id":4001,"status":"Active"}]`), Customers: 60, Faults: faultsOf(t, kind+":400:rate=50%:seed=5")})
		var seen strings.Builder
		for n := range 60 {
			g := calls(s, 4001+n)
			seen.WriteByte(map[bool]byte{true: 'x', false: '.'}[strings.Contains(g.body, "Bad Request.")])
		}
		return seen.String()
	}
	want := fails("get", func(s *Sandbox, n int) got { return get(t, s, "/v1/customers/"+integerText(n)) })
	if !strings.Contains(want, "x") || !strings.Contains(want, ".") {
		t.Fatal(want)
	}
	for name, seen := range map[string]string{
		"hold": fails("hold", func(s *Sandbox, n int) got { return post(t, s, "/v1/CustomerHold/"+integerText(n), "") }),
		"unhold": fails("unhold", func(s *Sandbox, n int) got {
			return post(t, s, "/v1/customers/unHold", `{"customerId":`+integerText(n)+`}`)
		}),
		"latch":        fails("latch", func(s *Sandbox, n int) got { return latch(t, s, `{"fusebillId":`+integerText(n)+`}`) }),
		"unlatch":      fails("unlatch", func(s *Sandbox, n int) got { return post(t, s, "/v1/HubSpot/UnlatchCustomer/"+integerText(n), "") }),
		"customer":     fails("patch", func(s *Sandbox, n int) got { return patch(t, s, "customer_id="+integerText(n)+"&city=X") }),
		"subscription": fails("patch", func(s *Sandbox, n int) got { return patch(t, s, "subscription_id=S-"+integerText(n)+"&city=X") }),
	} {
		if seen != want {
			t.Errorf("%s\n%s, want\n%s", name, seen, want)
		}
	}
}

func TestFaultHelpNamesAll(t *testing.T) {
	for _, word := range kinds() {
		if !strings.Contains(FaultHelp, " "+word) {
			t.Errorf("no kind %s", word)
		}
	}
	for word := range misbehaviours() {
		if !strings.Contains(FaultHelp, word) {
			t.Errorf("no misbehaviour %s", word)
		}
	}
}
