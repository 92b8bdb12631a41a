package governor

import (
	"maps"
	"time"
)

// reading is what a system's clock shows, and how long it has run: the latter
// never goes back, and on most systems stands still while a laptop sleeps.
type reading struct {
	wall time.Time
	ran  time.Duration
}

// steady is a time of day that goes on through a laptop's sleep, and that nobody
// sets back: a pause would last longer by as much.
type steady struct {
	last  reading
	ahead time.Duration // of the machine's clock, by what that was set back
}

func (s *steady) now(r reading) time.Time {
	if lost := (r.ran - s.last.ran) - r.wall.Sub(s.last.wall); lost > 0 && !s.last.wall.IsZero() {
		s.ahead += lost
	}
	s.last = r
	return r.wall.Add(s.ahead)
}

// shown is a time as this machine's clock has it.
func (s *steady) shown(t time.Time) time.Time {
	if t.IsZero() {
		return t
	}
	return t.Add(-s.ahead)
}

// ago is how long a moment lies back, a sleep meanwhile included.
func ago(moment, now time.Time) time.Duration {
	return max(now.Sub(moment), now.Round(0).Sub(moment.Round(0)))
}

// Reason is why a caller waits.
type Reason string

// The reasons, from the least to the gravest.
const (
	MinuteLimit Reason = "minute_limit" // the minute's requests are used up, but for what is kept free
	DayLimit    Reason = "day_limit"    // the day's are
	ServerPause Reason = "server_pause" // a 429, or a reply that asks to be left alone for a time
	Outage      Reason = "outage"       // nothing is answered
)

// Reasons returns them all.
func Reasons() []Reason { return []Reason{MinuteLimit, DayLimit, ServerPause, Outage} }

// stopwatch adds up the time during which at least one caller waits. Where they
// wait for several reasons at once, it counts for the gravest.
type stopwatch struct {
	going map[Reason]int
	spent map[Reason]time.Duration
	since time.Time
}

// add starts (1) or ends (-1) a wait.
func (s *stopwatch) add(why Reason, step int) {
	s.spent = s.totals()
	s.since = time.Now()
	s.going[why] += step
}

// gravest is for what the waiting counts now; "" when nobody waits.
func (s *stopwatch) gravest() (now Reason) {
	for _, why := range Reasons() {
		if s.going[why] > 0 {
			now = why
		}
	}
	return now
}

func (s *stopwatch) totals() map[Reason]time.Duration {
	spent := maps.Clone(s.spent)
	if why := s.gravest(); why != "" {
		spent[why] += time.Since(s.since)
	}
	return spent
}
