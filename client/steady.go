package client

import "time"

// reading is what a system's clock shows, and how long it has run: the latter
// never goes back, and on most systems stands still while a laptop sleeps.
type reading struct {
	wall time.Time
	ran  time.Duration
}

// systemClock reads the clock of this machine.
func systemClock() func() reading {
	started := time.Now()
	return func() reading {
		now := time.Now()
		return reading{now.Round(0), now.Sub(started)}
	}
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
