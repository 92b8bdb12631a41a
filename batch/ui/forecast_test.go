package ui

import (
	"testing"
	"time"

	"rowbatch/batch/job"
	"rowbatch/client/governor"
)

func at(day, hour, minute, second int) time.Time {
	return time.Date(2026, 11, day, hour, minute, second, 0, time.Local)
}

// foretold is a forecast of a Saturday afternoon.
func foretold(requests int, takes time.Duration, perMinute float64) job.Forecast {
	return job.Forecast{Forecast: governor.Forecast{Takes: takes, PerMinute: perMinute, Today: 162_000}, Begins: at(21, 14, 28, 40), Requests: requests}
}

func stopping(f job.Forecast, stops, renewed time.Time, end job.DayEnd) job.Forecast {
	f.Stops, f.Renewed, f.DayEnd = stops, renewed, end
	return f
}

func TestForecastText(t *testing.T) {
	bound := foretold(2000, 80*time.Second, 900)
	bound.AtMost = true
	for want, f := range map[string]job.Forecast{
		"0 requests": foretold(0, 0, 900),
		"5 requests, less than a minute: done by 14:29":                        foretold(5, 20*time.Second, 900),
		"5 requests, less than a minute: done by 14:30":                        foretold(5, 21*time.Second, 900),
		"at most 2,000 requests, about 80 s at 900 a minute: done by 14:30":    bound,
		"2,412 requests, about 3 min at 900 a minute: done by 14:32":           foretold(2412, 200*time.Second, 900),
		"20 requests, about 10 h 0 min at 2 an hour: done by Sun 22 Nov 00:29": foretold(20, 10*time.Hour, 1./30),
		"20 requests, about 8784 h 0 min at 2 an hour: not done within a year": foretold(20, governor.Farthest, 1./30),
		"250,000 requests, done by Tue 24 Nov 09:12: today's allowance (162,000) does not suffice; it stops at 17:02, and goes on by rowbatch resume from Tue 24 Nov 01:00, or by itself with --wait": stopping(foretold(
			250_000, at(24, 9, 12, 0).Sub(at(21, 14, 28, 40)), 900), at(21, 17, 1, 10), at(24, 1, 0, 0), job.StopsAtDayEnd),
		"250,000 requests, done by Tue 24 Nov 09:12: today's allowance (162,000) does not suffice; it waits from 17:02 until Tue 24 Nov 01:00": stopping(foretold(
			250_000, at(24, 9, 12, 0).Sub(at(21, 14, 28, 40)), 900), at(21, 17, 1, 10), at(24, 1, 0, 0), job.WaitsAtDayEnd),
	} {
		if got := forecastText(f); got != want {
			t.Errorf("%q\nwant %q", got, want)
		}
	}
}

func TestWaitingTellsItsDay(t *testing.T) {
	now := at(21, 14, 28, 40)
	for want, c := range map[string]struct {
		reason governor.Reason
		until  time.Time
	}{
		"waiting until 14:29:00, the minute's requests are used up":         {governor.MinuteLimit, at(21, 14, 29, 0)},
		"waiting until 14:29:00, the server asks for a pause":               {governor.ServerPause, at(21, 14, 29, 0)},
		"waiting until Sun 22 Nov 01:00:00, the day's requests are used up": {governor.DayLimit, at(22, 1, 0, 0)},
	} {
		if what, why := waitingText(job.Waiting{Until: c.until, Reason: c.reason}, now); what+", "+why != want {
			t.Errorf("%q, %q\nwant %q", what, why, want)
		}
	}
}
