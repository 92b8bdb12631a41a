package governor

import (
	"context"
	"testing"
	"time"

	"golang.org/x/time/rate"
)

// The account of these forecasts: its minute ends 20 s from now, its day 2 h from now.
func forecastAt(minuteLeft, dayLeft int) (Allowance, time.Time) {
	now := time.Date(2026, 11, 21, 22, 0, 40, 0, time.UTC)
	return Allowance{
		Minute: Quota{Known: true, Limit: 1000, Left: minuteLeft, Usable: 900, Reset: now.Add(20 * time.Second)},
		Day:    Quota{Known: true, Limit: 180_000, Left: dayLeft, Usable: 162_000, Reset: now.Add(2 * time.Hour)},
	}, now
}

func TestForecast(t *testing.T) {
	const day = 24 * time.Hour
	never := time.Duration(-1)
	for _, c := range []struct {
		name                string
		minuteLeft, dayLeft int
		requests, together  int
		rate                rate.Limit
		takes               time.Duration
		perMinute           float64
		today               int
		stops, renewed      time.Duration // from now
	}{
		{"nothing to do", 1000, 180_000, 0, 2, 0, 0, 900, 162_000, never, never},
		{"fits into what is left of the minute", 600, 180_000, 500, 2, 0, 0, 900, 162_000, never, never},
		{"one beyond it", 600, 180_000, 501, 1, 0, 20 * time.Second, 900, 162_000, never, never},
		{"two windows", 600, 180_000, 1400, 2, 0, 20 * time.Second, 900, 162_000, never, never},
		{"one beyond two windows", 600, 180_000, 1401, 1, 0, 80 * time.Second, 900, 162_000, never, never},
		{"the minute is used up, its reserve being touched", 40, 180_000, 900, 2, 0, 20 * time.Second, 900, 162_000, never, never},
		{"an odd request is no pair", 105, 180_000, 5, 2, 0, 20 * time.Second, 900, 162_000, never, never},
		{"triples", 102, 180_000, 3, 3, 0, 20 * time.Second, 900, 162_000, never, never},
		{"a slower rate", 1000, 180_000, 61, 2, 1, time.Minute, 60, 162_000, never, never},
		{"a rate beyond the limit", 1000, 180_000, 1000, 2, 100, 20*time.Second + 990*time.Millisecond, 900, 162_000, never, never},
		{"a rate that the minute cuts short", 110, 180_000, 11, 1, 1, 20 * time.Second, 60, 162_000, never, never},
		{"a rate below one a minute", 1000, 180_000, 3, 1, 1. / 120, 4 * time.Minute, 0.5, 162_000, never, never},
		{"all of the day", 1000, 28_000, 10_000, 2, 0, 11*time.Minute - 40*time.Second, 900, 10_000, never, never},
		{"two more than the day has", 1000, 28_000, 10_002, 2, 0, 2 * time.Hour, 900, 10_000, 11*time.Minute - 40*time.Second, 2 * time.Hour},
		{"the day is used up", 1000, 18_000, 2, 2, 0, 2 * time.Hour, 900, 0, 0, 2 * time.Hour},
		{"two days more", 1000, 28_000, 180_000, 2, 0, 2*time.Hour + day + 7*time.Minute + 20*time.Second, 900, 10_000, 11*time.Minute - 40*time.Second, 2 * time.Hour},
		{"the day ends before its allowance does", 1000, 180_000, 110_000, 2, 0, 2*time.Hour + 2*time.Minute - 40*time.Second, 900, 162_000, never, never},
		{"slow into the next day", 1000, 18_010, 20, 1, 1, 2*time.Hour + 9*time.Second, 60, 10, 10 * time.Second, 2 * time.Hour},
		{"beyond all measure", 1000, 180_000, 2, 1, 1e-12, Farthest, 6e-11, 162_000, never, never},
	} {
		t.Run(c.name, func(t *testing.T) {
			a, now := forecastAt(c.minuteLeft, c.dayLeft)
			want := Forecast{Takes: c.takes, PerMinute: c.perMinute, Today: c.today}
			if c.stops != never {
				want.Stops, want.Renewed = now.Add(c.stops), now.Add(c.renewed)
			}
			if got := a.Forecast(Demand{c.requests, c.together, c.rate}, now); got != want {
				t.Errorf("%+v\nwant %+v", got, want)
			}
		})
	}
}

func TestForecastOfWindowsThatAreOver(t *testing.T) {
	a, now := forecastAt(0, 0)
	got := a.Forecast(Demand{Requests: 1801}, now.Add(50*time.Hour)) // again 20 s before a minute's end
	if want := (Forecast{Takes: 80 * time.Second, PerMinute: 900, Today: 162_000}); got != want {
		t.Errorf("%+v", got)
	}
}

// A limit that is not known holds nothing up; of an account of which nothing is
// known, BlindRate is asked.
func TestForecastWithoutHeaders(t *testing.T) {
	full, now := forecastAt(1000, 180_000)
	for name, c := range map[string]struct {
		known Allowance
		rate  rate.Limit
		want  Forecast
	}{
		"no headers":           {Allowance{}, 0, Forecast{Takes: time.Minute, PerMinute: 600, Today: -1}},
		"no headers, but rate": {Allowance{}, 5, Forecast{Takes: 2 * time.Minute, PerMinute: 300, Today: -1}},
		"the day alone":        {Allowance{Day: full.Day}, 0, Forecast{Today: 162_000}},
		"the minute alone":     {Allowance{Minute: full.Minute}, 0, Forecast{PerMinute: 900, Today: -1}},
		"less than a lease":    {Allowance{Minute: Quota{Known: true, Limit: 2, Left: 2, Usable: 2, Reset: now.Add(time.Minute)}}, 0, Forecast{Takes: 300 * time.Minute, PerMinute: 2, Today: -1}},
	} {
		if got := c.known.Forecast(Demand{Requests: 601, Together: 3, Rate: c.rate}, now); got != c.want {
			t.Errorf("%s: %+v\nwant %+v", name, got, c.want)
		}
	}
}

func TestMetEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := New(Limits{}).Met(ctx); err == nil {
		t.Error("met a server that nobody has asked")
	}
}
