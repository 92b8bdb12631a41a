package client

import "time"

// stopwatch adds up the time during which at least one of several things goes on.
type stopwatch struct {
	going int
	since time.Time
	sum   time.Duration
}

// add starts (1) or ends (-1) one of them.
func (s *stopwatch) add(step int) {
	s.sum = s.total()
	s.since = time.Now()
	s.going += step
}

func (s *stopwatch) total() time.Duration {
	if s.going == 0 {
		return s.sum
	}
	return s.sum + time.Since(s.since)
}
