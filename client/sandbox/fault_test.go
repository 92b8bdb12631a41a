package sandbox

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tidwall/gjson"
)

func TestFaultsOfAWrite(t *testing.T) {
	bea := edit(t, odd, "firstName", `"Bea"`)
	for _, c := range []struct {
		spec   string
		status int    // 0: no reply
		body   string // part of it
		err    bool
		effect bool
	}{
		{"put:500", 500, `"HttpStatusCode":500`, false, false},
		{"put:503", 503, `"ErrorId":0`, false, false},
		{"put:409", 409, `"HttpStatusCode":409`, false, false},
		{"put:429", 429, `"HttpStatusCode":429`, false, false},
		{"any:403", 403, `"HttpStatusCode":403`, false, false},
		{"put:500-after", 500, `"HttpStatusCode":500`, false, true},
		{"put:400-after", 400, `"HttpStatusCode":400`, false, true},
		{"put:lost-before", 0, "", true, false},
		{"put:lost-after", 0, "", true, true},
		{"put:html", 200, "<html>", false, false},
		{"put:html-after", 200, "<html>", false, true},
		{"put:truncated", 200, `{"firstName":"Bea"`, true, true},
		{"put:null", 200, "null", false, true},
		{"put:empty", 200, "", false, true},
		{"put:redirect", 302, "", false, false},
		{"put:wrong-id", 200, `"id":17,`, false, true},
		{"put:side-effect", 200, `"lastName":"Reed (moved)"`, false, true},
		{"put:ignore=firstName", 200, `"firstName":"Ada"`, false, true},
		{"get:500", 200, `"firstName":"Bea"`, false, true},
	} {
		t.Run(c.spec, func(t *testing.T) {
			s := open(t, Options{Faults: faultsOf(t, c.spec)})
			g := put(t, s, bea)
			if g.status != c.status || !strings.Contains(g.body, c.body) || (g.err != nil) != c.err {
				t.Errorf("%d %q %v", g.status, g.body, g.err)
			}
			if c.err && !errors.Is(g.err, io.ErrUnexpectedEOF) {
				t.Errorf("error %v", g.err)
			}
			if got := len(s.Effects()) == 1; got != c.effect {
				t.Errorf("effect %t, want %t", got, c.effect)
			}
			if s.Requests().Writes != 1 {
				t.Errorf("counts %+v", s.Requests())
			}
		})
	}
}

func TestFaultDetails(t *testing.T) {
	s := open(t, Options{Faults: faultsOf(t, "get:html", "put:truncated", "list:redirect", "codes:404")})
	if g := get(t, s, "/v1/customers/7"); !strings.HasPrefix(g.header.Get("Content-Type"), "text/html") {
		t.Errorf("a web page as %s", g.header.Get("Content-Type"))
	}
	if g := put(t, s, odd); g.header.Get("Content-Length") != fmt.Sprint(len(stored(t, s, "7"))) || 2*len(g.body) > len(odd) {
		t.Errorf("truncated: %s announced, %d sent", g.header.Get("Content-Length"), len(g.body))
	}
	if g := get(t, s, "/v1/customers"); g.header.Get("Location") == "" {
		t.Error("a redirect to nowhere")
	}
	if g := get(t, s, "/v1/SalesTrackingCodes?type=Region&code=EAST"); g.status != 404 {
		t.Errorf("codes: %d", g.status)
	}
}

func TestIgnoredFieldsMayBeNested(t *testing.T) {
	s := open(t, Options{Faults: faultsOf(t, "put:ignore=customerReference.reference2")})
	g := put(t, s, edit(t, odd, "customerReference.reference2", `"new"`, "customerReference.reference1", `"one"`))
	if gjson.Get(g.body, "customerReference.reference2").Str != "a/b é" || gjson.Get(g.body, "customerReference.reference1").Str != "one" {
		t.Error(g.body)
	}
	if g := put(t, s, `{"id":11,"status":"Draft","middleName":"M","customerReference":{"reference2":"x"}}`); g.status != 200 {
		t.Error(g.body)
	}
}

func TestWhenFaultsHappen(t *testing.T) {
	for _, c := range []struct{ specs, pattern string }{
		{"get:500:every=3", "..5..5..5..5"},
		{"get:500:at=2", ".5.........."},
		{"get:500:after=9", ".........555"},
		{"get:500:times=2", "55.........."},
		{"get:500:every=2:after=3:times=2", "...5.5......"},
		{"get:500:at=1 get:400:every=4", "5..4...4...4"},
		{"get:500:every=2 any:400:every=4", ".5.5.5.5.5.5"},
		{"put:500", "............"},
	} {
		t.Run(c.specs, func(t *testing.T) {
			s := open(t, Options{Faults: faultsOf(t, strings.Fields(c.specs)...)})
			var seen strings.Builder
			for range len(c.pattern) {
				g := get(t, s, "/v1/customers/7")
				seen.WriteString(map[int]string{200: ".", 400: "4", 500: "5"}[g.status])
			}
			if seen.String() != c.pattern {
				t.Errorf("%s, want %s", seen.String(), c.pattern)
			}
		})
	}
}

// A draw belongs to a customer and the number of its call, whatever runs beside it.
func TestRateIsDrawnFromTheSeed(t *testing.T) {
	run := func(spec string, order func(i int) int) string {
		s := open(t, Options{Seed: []byte(`[{"id":1}]`), Customers: 40, Faults: faultsOf(t, spec), Minute: 10_000})
		out := make([]byte, 40)
		for i := range out {
			n := order(i)
			out[n] = '.'
			if get(t, s, fmt.Sprintf("/v1/customers/%d", n+1)).status != 200 {
				out[n] = 'x'
			}
		}
		return string(out)
	}
	forward := run("any:500:rate=25%:seed=7", func(i int) int { return i })
	backward := run("any:500:rate=25%:seed=7", func(i int) int { return 39 - i })
	other := run("any:500:rate=25%:seed=8", func(i int) int { return i })
	if forward != backward || forward == other {
		t.Errorf("\n%s\n%s\n%s", forward, backward, other)
	}
}

func TestRateIsKept(t *testing.T) {
	for _, rate := range []string{"1%", "25%", "90%"} {
		s := open(t, Options{Seed: []byte(`[{"id":1}]`), Customers: 2000, Minute: 10_000, Faults: faultsOf(t, "get:lost:seed=3:rate="+rate)})
		lost := 0
		for i := range 2000 {
			if get(t, s, fmt.Sprintf("/v1/customers/%d", i+1)).err != nil {
				lost++
			}
		}
		var want float64
		_, _ = fmt.Sscanf(rate, "%f%%", &want)
		if share := float64(lost) / 20; share < want*0.7-0.4 || share > want*1.3+0.4 {
			t.Errorf("%s asked, %.2f%% lost", rate, share)
		}
	}
}

func TestLostIsHalfBeforeAndHalfAfter(t *testing.T) {
	s := open(t, Options{Faults: faultsOf(t, "put:lost:seed=1")})
	for range 200 {
		put(t, s, odd)
	}
	if n := len(s.Effects()); n < 70 || n > 130 {
		t.Errorf("%d of 200 took effect", n)
	}
}

func TestSlowAndLate(t *testing.T) {
	for _, c := range []struct {
		spec    string
		timeout time.Duration
		effect  bool
	}{
		{"put:slow=2s", 3 * time.Second, true},
		{"put:slow=2s", time.Second, false},
		{"put:late=2s", 3 * time.Second, true},
		{"put:late=2s", time.Second, true},
	} {
		synctest.Test(t, func(t *testing.T) {
			s := open(t, Options{Faults: faultsOf(t, c.spec)})
			ctx, cancel := context.WithTimeout(t.Context(), c.timeout)
			defer cancel()
			begin := time.Now()
			_, err := s.Transport().RoundTrip(request(t, "PUT", "/v1/customers", odd).WithContext(ctx))
			if took, want := time.Since(begin), min(c.timeout, 2*time.Second); took != want || (err == nil) != (c.timeout > 2*time.Second) {
				t.Errorf("%s: %v after %v", c.spec, err, took)
			}
			if c.timeout < 2*time.Second && len(s.Effects()) != 0 {
				t.Errorf("%s: acted before its wait was over", c.spec)
			}
			time.Sleep(2 * time.Second)
			if got := len(s.Effects()) == 1; got != c.effect {
				t.Errorf("%s with timeout %v: effect %t", c.spec, c.timeout, got)
			}
		})
	}
}

func TestSlowLetsOtherFaultsHappen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := open(t, Options{Faults: faultsOf(t, "any:slow=1s", "get:503", "any:slow=500ms")})
		begin := time.Now()
		if g := get(t, s, "/v1/customers/7"); g.status != 503 || time.Since(begin) != 1500*time.Millisecond {
			t.Errorf("%d after %v", g.status, time.Since(begin))
		}
	})
}

func TestBadFaultSpecs(t *testing.T) {
	for spec, want := range map[string]string{
		"":                     "WHAT and HOW",
		"put":                  "WHAT and HOW",
		"post:500":             `"post" is no kind`,
		"put:418":              `"418" is no misbehaviour`,
		"get:403-after":        "is no misbehaviour",
		"get:409-after":        "unlatch only",
		"patch:400-after":      "unlatch only",
		"list:lag=1s":          "any, get, overview only",
		"get:lag=0s":           "no duration",
		"get:behind=0":         "whole number of reads",
		"put:moves":            "a value after =",
		"get:short":            "unlatch only",
		"put:500=1":            "a value after =",
		"put:slow":             "a value after =",
		"put:slow=":            "a value after =",
		"put:slow=fast":        "no duration",
		"put:late=-1s":         "no duration",
		"get:ignore=firstName": "put only",
		"any:side-effect":      "put only",
		"hold:ignore=lastName": "a hold can ignore status only",
		"latch:ignore=status":  "a latch can ignore hubSpotId or hubSpotCompanyId only",
		"unhold:side-effect":   "put only",
		"put:echo":             "patch only",
		"ping:false":           "patch only",
		"patch:wrong-id":       "overview only",
		"list:wrong-id":        "get, put, overview only",
		"put:500:every=0":      "whole number from 1",
		"put:500:at=x":         "whole number from 1",
		"put:500:rate=25":      "share such as 25%",
		"put:500:rate=101%":    "share such as 25%",
		"put:500:rate=NaN%":    "share such as 25%",
		"put:500:seed=-1":      "whole number",
		"put:500:often":        `"often" is no condition`,
	} {
		_, err := ParseFaults([]string{"get:404", spec})
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "try: a fault is WHAT:HOW") {
			t.Errorf("%q: %v", spec, err)
		}
	}
}

func TestFaultSpec(t *testing.T) {
	f := faultsOf(t, "put:slow=1500ms:every=2:at=4:after=1:times=3:rate=12.5%:seed=9", "put:ignore=customerReference.reference1")
	if want := (Fault{What: "put", How: "slow", Delay: 1500 * time.Millisecond, Every: 2, At: 4, After: 1, Times: 3, Rate: 0.125, Seed: 9}); f[0] != want {
		t.Errorf("%+v", f[0])
	}
	if f[1].Field != "customerReference.reference1" {
		t.Errorf("%+v", f[1])
	}
}

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
		{"409-after", 409, "Conflict.", false, true},
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
			if kind == "patch" && slices.Contains([]string{"wrong-id", "409-after"}, c.how) {
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
	for _, rt := range append(routes(), route{kind: "any"}) {
		if !strings.Contains(FaultHelp, " "+rt.kind) {
			t.Errorf("no kind %s", rt.kind)
		}
	}
	for word := range misbehaviours() {
		if !strings.Contains(FaultHelp, word) {
			t.Errorf("no misbehaviour %s", word)
		}
	}
}
