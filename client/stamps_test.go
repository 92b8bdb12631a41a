package client

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestReadStamp(t *testing.T) {
	now := time.Date(2026, 11, 20, 21, 52, 10, 0, time.UTC)
	at := time.Date(2026, 11, 20, 21, 53, 0, 0, time.UTC)
	tests := []struct {
		text string
		want time.Time
	}{
		{"2026-11-20T21:53:00Z", at},
		{"2026-11-20T22:53:00+01:00", at},
		{"2026-11-20T21:53:00.1234567Z", at.Add(123456700)},
		{"2026-11-20T21:53:00", at},
		{"2026-11-20T21:53:00.02", at.Add(20 * time.Millisecond)},
		{"2026-11-20 21:53:00", at},
		{"2026-11-20 21:53:00Z", at},
		{"11/20/2026 9:53:00 PM", at},
		{"1795211580", at},
		{"1795211580.5", at.Add(500 * time.Millisecond)},
		{"1795211580000", at},
		{" 50 ", at},
		{"0", now},
		{"Fri, 20 Nov 2026 21:53:00 GMT", at},
		{"Friday, 20-Nov-26 21:53:00 GMT", at},
	}
	for _, tt := range tests {
		if got, ok := readStamp(tt.text, now); !ok || !got.Equal(tt.want) {
			t.Errorf("%q: %s, %v; want %s", tt.text, got, ok, tt.want)
		}
	}
	for _, text := range []string{"", "soon", "-5", "NaN", "Inf", "1e300", "2026-13-45T00:00:00Z"} {
		if got, ok := readStamp(text, now); ok {
			t.Errorf("%q was read as %s", text, got)
		}
	}
}

func TestReadQuota(t *testing.T) {
	date := time.Date(2026, 11, 20, 21, 52, 10, 0, time.UTC)
	tests := []struct {
		name, limit, left, reset string
		ok                       bool
		want                     quota
	}{
		{"usual", "1000", "998", "2026-11-20T21:53:00Z", true, quota{1000, 998, date.Add(50 * time.Second)}},
		{"more left than the limit", "10", "50", "50", true, quota{10, 10, date.Add(50 * time.Second)}},
		{"no reset", "10", "5", "", true, quota{10, 5, date.Add(time.Minute)}},
		{"reset in another zone", "10", "5", "2026-11-20T16:53:00", true, quota{10, 5, date.Add(time.Minute)}},
		{"reset too far", "10", "5", "2026-11-20T22:53:00", true, quota{10, 5, date.Add(time.Minute)}},
		{"reset just past", "10", "5", "2026-11-20T21:52:09", true, quota{10, 5, date.Add(-time.Second)}},
		{"no limit", "", "5", "50", false, quota{}},
		{"limit of none", "0", "0", "50", false, quota{}},
		{"negative", "10", "-1", "50", false, quota{}},
		{"text", "many", "5", "50", false, quota{}},
	}
	for _, tt := range tests {
		h := http.Header{}
		h.Set("X-Rate-Limit-Limit-Minute", tt.limit)
		h.Set("X-Rate-Limit-Remaining-Minute", tt.left)
		h.Set("X-Rate-Limit-Reset-Minute", tt.reset)
		if got, ok := readQuota(h, "Minute", time.Minute, date); ok != tt.ok || got != tt.want {
			t.Errorf("%s: %v, %v; want %v", tt.name, got, ok, tt.want)
		}
	}
}

// Whatever a header holds, a window's end is never further than its length, nor an hour for what cannot be true.
func TestAnyStampIsBelievable(t *testing.T) {
	date := time.Date(2026, 11, 20, 21, 52, 10, 0, time.UTC)
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.OneOf(rapid.String(), rapid.StringMatching(`-?[0-9]{1,20}(\.[0-9]+)?`),
			rapid.StringMatching(`[0-9]{4}-[01][0-9]-[0-3][0-9][T ][0-2][0-9]:[0-5][0-9]:[0-5][0-9](Z|\.[0-9]{1,9})?`)).Draw(t, "text")
		length := rapid.SampledFrom([]time.Duration{time.Minute, 24 * time.Hour}).Draw(t, "length")
		stamp, _ := readStamp(text, date)
		reset := believed(stamp, date, length)
		if reset.Before(date.Add(-slack)) || reset.After(date.Add(length+slack)) {
			t.Fatalf("%q: a window of %s ends at %s", text, length, reset)
		}
	})
}

func TestSkewNarrows(t *testing.T) {
	base := time.Date(2026, 11, 20, 21, 52, 10, 0, time.UTC)
	const ahead = 7300 * time.Millisecond
	var s skew
	for i := range 40 {
		sent := base.Add(time.Duration(i) * 137 * time.Millisecond)
		date := sent.Add(20*time.Millisecond + ahead).Truncate(time.Second)
		s = s.narrow(date, sent, sent.Add(40*time.Millisecond))
		if s.lo > ahead || s.hi < ahead {
			t.Fatalf("after %d replies the skew %s lies outside %s to %s", i+1, ahead, s.lo, s.hi)
		}
	}
	if width := s.hi - s.lo; width > 200*time.Millisecond {
		t.Errorf("after 40 replies still %s wide", width)
	}
	if s = s.narrow(base, base, base); s.lo != 0 || s.hi != time.Second {
		t.Errorf("a clock was set: %s to %s, want 0 to 1s", s.lo, s.hi)
	}
}

func TestUsable(t *testing.T) {
	tests := []struct {
		limit   int
		reserve float64
		want    int
	}{
		{1000, 0.10, 900}, {50, 0.10, 45}, {10, 0.10, 9}, {10, 0.90, 2}, {10, 1, 2}, {1, 0.5, 1},
		{1000, 0, 1000}, {15, 0.10, 13}, {180_000, 0.10, 162_000}, {30, 0.10, 27},
	}
	for _, tt := range tests {
		if got := usable(tt.limit, tt.reserve); got != tt.want {
			t.Errorf("usable(%d, %v) = %d, want %d", tt.limit, tt.reserve, got, tt.want)
		}
	}
}

func TestWindowObserve(t *testing.T) {
	t0 := time.Date(2026, 11, 20, 21, 52, 0, 0, time.UTC)
	reset := t0.Add(time.Minute)
	known := window{name: "Minute", length: time.Minute, limit: 100, left: 40, reset: reset, ours: 50}
	ended := known
	ended.roll(reset, skew{known: true})
	at := func(d time.Duration) time.Time { return reset.Add(d) }
	tests := []struct {
		name       string
		w          window
		q          quota
		sent       time.Time
		left, ours int
		others     int
		fresh      bool
		late       time.Duration
	}{
		{"first", window{length: time.Minute}, quota{100, 90, reset}, t0, 90, 1, 0, false, 0},
		{"lower", known, quota{100, 38, reset}, t0, 38, 51, 0, false, 0},
		{"overtaken", known, quota{100, 45, reset}, t0, 40, 51, 0, false, 0},
		{"stamp within a second", known, quota{100, 39, reset.Add(-time.Second)}, t0, 39, 51, 0, false, 0},
		{"straggler", known, quota{100, 1, reset.Add(-time.Minute)}, t0, 40, 50, 0, false, 0},
		{"next, before our clock knew", known, quota{100, 99, reset.Add(time.Minute)}, t0, 99, 1, 10, false, 0},
		{"a stamp that creeps", known, quota{100, 39, reset.Add(3 * time.Second)}, t0, 39, 51, 0, false, 0},
		{"next, as expected", ended, quota{100, 99, reset.Add(time.Minute)}, at(1), 99, 1, 10, false, 0},
		{"too early", ended, quota{100, 0, reset}, at(1), 0, 1, 10, false, 100 * time.Millisecond},
		{"of the old window", ended, quota{100, 3, reset}, at(-1), 40, 0, 10, true, 0},
		{"earlier than thought", ended, quota{100, 99, reset.Add(-30 * time.Second)}, at(1), 99, 1, 10, false, 0},
	}
	for _, tt := range tests {
		w := tt.w
		w.observe(tt.q, tt.sent)
		if w.left != tt.left || w.ours != tt.ours || w.others != tt.others || w.fresh != tt.fresh || w.late != tt.late {
			t.Errorf("%s: left %d, ours %d, others %d, fresh %v, late %s; want %d, %d, %d, %v, %s", tt.name,
				w.left, w.ours, w.others, w.fresh, w.late, tt.left, tt.ours, tt.others, tt.fresh, tt.late)
		}
	}
}

func TestWindowAdmit(t *testing.T) {
	now := time.Date(2026, 11, 20, 21, 52, 0, 0, time.UTC)
	half := window{length: time.Minute, limit: 100, left: 50, reset: now.Add(30 * time.Second), why: minuteLimit}
	busy := half
	busy.others = 60
	tests := []struct {
		name   string
		w      window
		n, out int
		share  float64
		ok     bool
		wait   time.Duration
		floor  bool
	}{
		{"unknown", window{}, 2, 99, 0.1, true, 0, false},
		{"room", half, 2, 38, 0.1, true, 0, false},
		{"room once permits come back", half, 2, 39, 0.1, false, 30 * time.Second, false},
		{"floor", half, 41, 0, 0.1, false, 30 * time.Second, true},
		{"a read-back below the floor", half, 41, 9, 0, true, 0, false},
		{"others' share kept", busy, 2, 0, 0.1, true, 0, false},
		{"others' share not free yet", busy, 30, 0, 0.1, false, 20 * time.Second, true},
		{"no reserve, no share", busy, 30, 0, 0, true, 0, false},
	}
	for _, tt := range tests {
		v := tt.w.admit(now, skew{}, tt.n, tt.out, tt.share)
		if v.ok != tt.ok || v.floor != tt.floor || !v.ok && v.at.Sub(now) != tt.wait {
			t.Errorf("%s: %+v; want %v after %s, floor %v", tt.name, v, tt.ok, tt.wait, tt.floor)
		}
	}
}

func TestUnaskable(t *testing.T) {
	for _, ref := range []string{"a;b", "a:b", "a,b", "a|b", "a*", "[empty]", " a", "a ", "a\t", ""} {
		if !Unaskable(ref) {
			t.Errorf("%q can be asked for", ref)
		}
	}
	for _, ref := range []string{"AC-100", "a b", "007", "[Empty]", "é&=+%"} {
		if Unaskable(ref) {
			t.Errorf("%q cannot be asked for", ref)
		}
	}
}

func TestMatches(t *testing.T) {
	full := "[" + strings.Repeat(`{"id":1,"reference":"x"},`, searchSize-1) + `{"id":1,"reference":"x"}]`
	tests := []struct {
		name, page, ref string
		ids             string
		err             string
	}{
		{"none", `[]`, "x", "", ""},
		{"one", `[{"id":5,"reference":"x"}]`, "x", "5", ""},
		{"case differs", `[{"id":5,"reference":"X"}]`, "x", "", ""},
		{"several", `[{"id":5,"reference":"x"},{"id":6,"reference":"X"},{"id":7,"reference":"x"}]`, "x", "5 7", ""},
		{"a number", `[{"id":5,"reference":100}]`, "100", "5", ""},
		{"a number of another spelling", `[{"id":5,"reference":100.0}]`, "100", "", ""},
		{"null", `[{"id":5,"reference":null}]`, "x", "", ""},
		{"the same row twice", `[{"id":5,"reference":"x"},{"id":5,"reference":"x"}]`, "x", "5", ""},
		{"no id", `[{"reference":"x"}]`, "x", "", "without an id"},
		{"not rows", `[1]`, "x", "", "without an id"},
		{"more than a page", full, "x", "", "more customers than one page"},
	}
	for _, tt := range tests {
		m, err := matches([]byte(tt.page), tt.ref)
		if got := strings.Join(m.IDs, " "); got != tt.ids || len(m.Rows) != len(m.IDs) {
			t.Errorf("%s: ids %q, %d rows; want %q", tt.name, got, len(m.Rows), tt.ids)
		}
		if (err != nil) != (tt.err != "") || err != nil && !strings.Contains(err.Error(), tt.err) {
			t.Errorf("%s: %v, want %q", tt.name, err, tt.err)
		}
	}
}
