package governor

import (
	"net/http"
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
		{"below nothing is nothing", "10", "-1", "50", true, quota{10, 0, date.Add(50 * time.Second)}},
		{"a negative limit", "-10", "5", "50", false, quota{}},
		{"text", "many", "5", "50", false, quota{}},
	}
	for _, tt := range tests {
		h := http.Header{}
		h.Set("X-Rate-Limit-Limit-Minute", tt.limit)
		h.Set("X-Rate-Limit-Remaining-Minute", tt.left)
		h.Set("X-Rate-Limit-Reset-Minute", tt.reset)
		if got, ok := readQuota(h, limitHeaders("Minute"), time.Minute, date); ok != tt.ok || got != tt.want {
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
