package batch

import "time"

// Clock tells the time twice: by the calendar, which goes on while the machine
// sleeps and can be set, and by a clock that nobody sets and that may stand still
// meanwhile.
type Clock func() (calendar, steady time.Time)

func systemClock() (calendar, steady time.Time) {
	now := time.Now()
	return now.Round(0), now
}

// instant is a time by both clocks.
type instant struct{ calendar, steady time.Time }

func (c Clock) now() instant {
	if c == nil {
		c = systemClock
	}
	calendar, steady := c()
	return instant{calendar, steady}
}

// mostDrift is by how much the clocks may disagree about a few seconds.
const mostDrift = time.Second

// within reports whether at most d has passed since then. After a jump of either
// clock nobody knows, and it has not.
func (c Clock) within(d time.Duration, then instant) bool {
	now := c.now()
	calendar, steady := now.calendar.Sub(then.calendar), now.steady.Sub(then.steady)
	return max(calendar, steady) <= d && (calendar-steady).Abs() <= mostDrift
}
