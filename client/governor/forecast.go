package governor

import (
	"math"
	"time"

	"golang.org/x/time/rate"
)

// Farthest is how far a forecast looks ahead.
const Farthest = 366 * 24 * time.Hour

// Demand is what is to be asked of an account.
type Demand struct {
	Requests int
	Together int        // leased together, such as a read and its write; 0: each by itself
	Rate     rate.Limit // at most, requests a second; 0: as the account allows, and BlindRate where nothing is known of it
}

// Forecast is what a demand takes of an account that nobody else uses meanwhile.
// Replies are taken to come at once: it is the account's limit that takes time.
type Forecast struct {
	Takes     time.Duration // until the last request leaves; at most Farthest
	PerMinute float64       // requests that a full minute lets through; 0: nothing holds them up
	Today     int           // requests that are left for use today; -1: not known

	// Stops is when a day's allowance is used up before all is done, for more than
	// a minute; zero: it suffices. Takes is counted with the waits until the next day's.
	Stops   time.Time
	Renewed time.Time // when it goes on after that
}

// Quota is what is known of one of the account's limits.
type Quota struct {
	Known               bool
	Limit, Left, Usable int       // requests; Usable of the limit, the reserve being kept
	Reset               time.Time // by this machine's clock
	Others              int       // requests of the account's other users that were seen in this window
}

// usableAt is how much may still be used of a limit in its window of now.
func (q Quota) usableAt(now time.Time) int {
	if !now.Before(q.Reset) {
		return q.Usable
	}
	return min(q.Usable, max(0, q.Left-(q.Limit-q.Usable)))
}

// Allowance is what is known of the account's limits, for forecasts.
type Allowance struct{ Minute, Day Quota }

// Forecast says what a demand takes that begins now. A limit's windows are fixed:
// first what is left of the current one, then all that is usable of each.
func (a Allowance) Forecast(d Demand, now time.Time) Forecast {
	minute, day := spanOf(a.Minute, time.Minute, d.Together, now), spanOf(a.Day, 24*time.Hour, d.Together, now)
	if d.Rate == 0 && !a.Minute.Known && !a.Day.Known {
		d.Rate = BlindRate
	}
	f := Forecast{PerMinute: 60 * float64(d.Rate), Today: -1}
	if full := float64(minute.full); a.Minute.Known && (d.Rate == 0 || full < f.PerMinute) {
		f.PerMinute = full
	}
	if a.Day.Known {
		f.Today = a.Day.usableAt(now)
	}
	every := time.Duration(0) // from one request to the next
	if d.Rate > 0 {
		every = time.Duration(min(float64(time.Second)/float64(d.Rate), float64(Farthest)))
	}
	at := now // when the next request may leave
	for d.Requests > 0 && at.Sub(now) < Farthest {
		minute.roll(at)
		day.roll(at)
		n := min(d.Requests, minute.free, day.free)
		if every > 0 { // the first leaves at once
			n = min(n, int((min(minute.end.Sub(at), day.end.Sub(at))-1)/every)+1)
		}
		if n > 0 {
			f.Takes = at.Add(time.Duration(n-1) * every).Sub(now)
			at = at.Add(time.Duration(n) * every)
		}
		d.Requests, minute.free, day.free = d.Requests-n, minute.free-n, day.free-n
		switch {
		case d.Requests == 0:
		case day.free == 0:
			if f.Stops.IsZero() && day.end.Sub(at) > time.Minute {
				f.Stops, f.Renewed = at, day.end
			}
			at = later(at, day.end)
		case minute.free == 0:
			at = later(at, minute.end)
		}
	}
	if d.Requests > 0 {
		f.Takes = Farthest
	}
	return f
}

// span is a window on its way through a forecast.
type span struct {
	length     time.Duration
	full, free int
	end        time.Time
}

// spanOf is the window of now. Of one that is not known, the end is out of reach.
func spanOf(q Quota, length time.Duration, together int, now time.Time) span {
	if !q.Known {
		return span{length, math.MaxInt, math.MaxInt, now.Add(2 * Farthest)}
	}
	lease := min(max(1, together), q.Usable)
	full, free := q.Usable-q.Usable%lease, q.usableAt(now)
	s := span{length, full, free - free%lease, q.Reset}
	s.roll(now)
	return s
}

// roll goes on to the window of a time.
func (s *span) roll(at time.Time) {
	if over := at.Sub(s.end); over >= 0 {
		s.end = s.end.Add((over/s.length + 1) * s.length)
		s.free = s.full
	}
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
