package sandbox

import (
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func limitHeaders(h http.Header) string {
	var out []string
	for _, w := range []string{"Minute", "Day"} {
		for _, n := range []string{"Limit", "Remaining", "Reset"} {
			out = append(out, h.Get("X-Rate-Limit-"+n+"-"+w))
		}
	}
	return strings.Join(out, " ")
}

func TestLimits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // begins at 2000-01-01T00:00:00Z
		s := open(t, Options{Minute: 2, Day: 5})
		time.Sleep(10 * time.Second)
		for i, step := range []struct {
			wait    time.Duration
			status  int
			headers string
		}{
			{0, 200, "2 1 2000-01-01T00:01:00Z 5 4 2000-01-02T00:00:00Z"},
			{0, 200, "2 0 2000-01-01T00:01:00Z 5 3 2000-01-02T00:00:00Z"},
			{0, 429, "2 0 2000-01-01T00:01:00Z 5 3 2000-01-02T00:00:00Z"},
			{50 * time.Second, 200, "2 1 2000-01-01T00:02:00Z 5 2 2000-01-02T00:00:00Z"},
			{0, 200, "2 0 2000-01-01T00:02:00Z 5 1 2000-01-02T00:00:00Z"},
			{time.Minute, 200, "2 1 2000-01-01T00:03:00Z 5 0 2000-01-02T00:00:00Z"},
			{0, 429, "2 1 2000-01-01T00:03:00Z 5 0 2000-01-02T00:00:00Z"},
			{24 * time.Hour, 200, "2 1 2000-01-02T00:03:00Z 5 4 2000-01-03T00:00:00Z"},
		} {
			time.Sleep(step.wait)
			g := get(t, s, "/v1/customers/7")
			if g.status != step.status || limitHeaders(g.header) != step.headers {
				t.Errorf("request %d: %d %s, want %d %s", i+1, g.status, limitHeaders(g.header), step.status, step.headers)
			}
			if g.header.Get("Date") != time.Now().UTC().Format(http.TimeFormat) || g.header.Get("Retry-After") != "" {
				t.Errorf("request %d: %v", i+1, g.header)
			}
			if g.status == 429 && !strings.Contains(g.message(), "requests per ") {
				t.Errorf("request %d does not say which limit: %s", i+1, g.body)
			}
		}
		if n := s.Requests(); n.Throttled != 2 || n.Reads != 6 || n.Kinds["get"] != 6 {
			t.Errorf("counts %+v", n)
		}
	})
}

// What faults make of the limits' headers: of all replies, or of those to a kind of request
// alone; other faults happen besides.
func TestFaultsOfTheLimitsHeaders(t *testing.T) {
	const whole = "1 0 2000-01-01T00:01:00Z 5 4 2000-01-02T00:00:00Z"
	for specs, want := range map[string][2]string{ // of a reply, and of one that a limit refuses
		"any:no-minute":         {"   5 4 2000-01-02T00:00:00Z", "   5 4 2000-01-02T00:00:00Z"},
		"any:no-limits":         {"     ", "     "},
		"any:bare-429":          {whole, "     "},
		"any:negative":          {strings.Replace(whole, "1 0", "1 -3", 1), strings.Replace(whole, "1 0", "1 -3", 1)},
		"put:no-limits":         {whole, whole},
		"get:no-limits:at=2":    {whole, "     "},
		"any:bare-429 get:500":  {whole, "     "},
		"any:negative get:html": {strings.Replace(whole, "1 0", "1 -3", 1), strings.Replace(whole, "1 0", "1 -3", 1)},
	} {
		synctest.Test(t, func(t *testing.T) { // begins at 2000-01-01T00:00:00Z
			s := open(t, Options{Minute: 1, Day: 5, Faults: faultsOf(t, strings.Fields(specs)...)})
			first, second := get(t, s, "/v1/customers/7"), get(t, s, "/v1/customers/7")
			if limitHeaders(first.header) != want[0] || limitHeaders(second.header) != want[1] {
				t.Errorf("%s: %q, then %q", specs, limitHeaders(first.header), limitHeaders(second.header))
			}
			status := 200
			if strings.Contains(specs, "500") {
				status = 500
			}
			if first.status != status || second.status != 429 {
				t.Errorf("%s: %d, then %d", specs, first.status, second.status)
			}
		})
	}
}

func TestResetForms(t *testing.T) {
	for form, want := range map[string]string{
		"":               "2000-01-01T00:01:00Z",
		"rfc3339":        "2000-01-01T00:01:00Z",
		"rfc3339-nozone": "2000-01-01T00:01:00",
		"unix":           "946684860",
		"http-date":      "Sat, 01 Jan 2000 00:01:00 GMT",
	} {
		synctest.Test(t, func(t *testing.T) {
			g := get(t, open(t, Options{ResetForm: form}), "/v1/customers/1")
			if got := g.header.Get("X-Rate-Limit-Reset-Minute"); got != want {
				t.Errorf("%q: %s, want %s", form, got, want)
			}
		})
	}
	for name := range get(t, open(t, Options{ResetForm: "none"}), "/v1/customers/1").header {
		if strings.HasPrefix(name, "X-Rate") {
			t.Errorf("none: %s", name)
		}
	}
	if _, err := Open(Options{ResetForm: "swatch"}); err == nil {
		t.Error("an unknown form is taken")
	}
}

func TestLimitsAreALiveAccountsByDefault(t *testing.T) {
	g := get(t, open(t, Options{}), "/v1/nowhere")
	if h := strings.Fields(limitHeaders(g.header)); h[0] != "1000" || h[1] != "999" || h[3] != "180000" || h[4] != "179999" {
		t.Error(h)
	}
}

func TestOtherUsersOfTheAccount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := open(t, Options{Minute: 10, Day: 20, OtherUsers: func(w time.Time) int { return 3 + 10*w.Minute() }})
		if g := get(t, s, "/v1/customers/7"); !strings.HasPrefix(limitHeaders(g.header), "10 6 ") || g.header.Get("X-Rate-Limit-Remaining-Day") != "16" {
			t.Error(limitHeaders(g.header))
		}
		time.Sleep(time.Minute)
		if g := get(t, s, "/v1/customers/7"); g.status != 429 {
			t.Errorf("others took all, and we got %d", g.status)
		}
	})
}
