package sandbox

import (
	"cmp"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// limits are the account's fixed windows, aligned to the clock
// (developer.staxbill.com/reference/rate-limits). How the reset is written is
// not documented, hence its forms.
type limits struct {
	mu     sync.Mutex
	minute window
	day    window
	others func(time.Time) int
	form   func(time.Time) string // nil: no headers
}

type window struct {
	name   string // of its headers
	length time.Duration
	limit  int
	start  time.Time
	used   int
}

func newLimits(o Options) (*limits, error) {
	form, ok := resetForms()[o.ResetForm]
	if !ok {
		return nil, fmt.Errorf("sandbox: the reset form %q is none of rfc3339, rfc3339-nozone, unix, http-date, none", o.ResetForm)
	}
	others := o.OtherUsers
	if others == nil {
		others = func(time.Time) int { return 0 }
	}
	return &limits{
		minute: window{name: "Minute", length: cmp.Or(o.MinuteLength, time.Minute), limit: cmp.Or(o.Minute, 1000)},
		day:    window{name: "Day", length: 24 * time.Hour, limit: cmp.Or(o.Day, 180_000)},
		others: others,
		form:   form,
	}, nil
}

func resetForms() map[string]func(time.Time) string {
	layout := func(l string) func(time.Time) string {
		return func(t time.Time) string { return t.Format(l) }
	}
	return map[string]func(time.Time) string{
		"":               layout(time.RFC3339),
		"rfc3339":        layout(time.RFC3339),
		"rfc3339-nozone": layout("2006-01-02T15:04:05"),
		"unix":           func(t time.Time) string { return strconv.FormatInt(t.Unix(), 10) },
		"http-date":      layout(http.TimeFormat),
		"none":           nil,
	}
}

// take counts one request, or names the limit that is used up; a refused request counts nowhere.
func (l *limits) take(now time.Time) (exhausted string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.roll(now)
	for _, w := range []*window{&l.day, &l.minute} {
		if w.used >= w.limit {
			return fmt.Sprintf("%d requests per %s", w.limit, strings.ToLower(w.name))
		}
	}
	l.minute.used++
	l.day.used++
	return ""
}

// roll starts the windows that the clock has entered, and lets the others of the account go first.
func (l *limits) roll(now time.Time) {
	l.day.enter(now)
	if l.minute.enter(now) {
		n := l.others(l.minute.start)
		l.minute.used = min(n, l.minute.limit)
		l.day.used = min(l.day.used+n, l.day.limit)
	}
}

func (w *window) enter(now time.Time) (rolled bool) {
	start := now.UTC().Truncate(w.length)
	if start.Equal(w.start) {
		return false
	}
	w.start, w.used = start, 0
	return true
}

// head sets the six headers that every reply carries.
func (l *limits) head(h http.Header, now time.Time) {
	if l.form == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.roll(now)
	for _, w := range []*window{&l.minute, &l.day} {
		h.Set("X-Rate-Limit-Limit-"+w.name, strconv.Itoa(w.limit))
		h.Set("X-Rate-Limit-Remaining-"+w.name, strconv.Itoa(w.limit-w.used))
		h.Set("X-Rate-Limit-Reset-"+w.name, l.form(w.start.Add(w.length)))
	}
}

// otherServers are what others have made of these headers, or answer at paths of ours.
func otherServers() map[string]misbehaviour {
	drop := func(h http.Header, windows ...string) {
		for _, w := range windows {
			for _, name := range []string{"Limit", "Remaining", "Reset"} {
				h.Del("X-Rate-Limit-" + name + "-" + w)
			}
		}
	}
	return map[string]misbehaviour{
		"no-route":  {before: func(c *call) *reply { return c.system.noRoute(c) }},
		"no-minute": {head: func(h http.Header, _ bool) { drop(h, "Minute") }},
		"no-limits": {head: func(h http.Header, _ bool) { drop(h, "Minute", "Day") }},
		"bare-429": {head: func(h http.Header, refused bool) {
			if refused {
				drop(h, "Minute", "Day")
			}
		}},
		"negative": {head: func(h http.Header, _ bool) {
			for _, w := range []string{"Minute", "Day"} {
				if name := "X-Rate-Limit-Remaining-" + w; h.Get(name) == "0" {
					h.Set(name, "-3")
				}
			}
		}},
	}
}
