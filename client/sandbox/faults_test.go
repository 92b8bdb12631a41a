package sandbox

import (
	"context"
	"errors"
	"fmt"
	"io"
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
		"get:409-after":        "is no misbehaviour",
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
