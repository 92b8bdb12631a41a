package governor

import (
	"time"

	"golang.org/x/time/rate"
)

// pace finds out how much an account lets through whose minute's limit is not known, or
// refuses what by its own headers it should let through. A
// 429 halves what passed in the minute before: that may have touched two of the
// account's minutes, so the half is what one of them holds. Without a 429 it grows
// again, after longer times the more often it was too much.
type pace struct {
	most    rate.Limit  // requests a second; 0: no 429 has said that what was asked for is too much
	since   time.Time   // when it was set
	tooFast int         // times that it was too much
	passed  []time.Time // when requests were answered, in the last minute
}

const (
	growth      = 1.25
	mostDoubled = 4  // of the minutes after which it grows
	leastPace   = 12 // requests a minute: less than that no account's limit will be
)

// answered notes a request that was let through.
func (p *pace) answered(now time.Time) {
	p.forget(now)
	p.passed = append(p.passed, now)
}

// forget drops what is older than a minute, which stands first.
func (p *pace) forget(now time.Time) {
	for len(p.passed) > 0 && now.Sub(p.passed[0]) >= time.Minute {
		p.passed = p.passed[1:]
	}
}

// tooMuch takes a 429 into account.
func (p *pace) tooMuch(now time.Time) {
	p.forget(now)
	if len(p.passed) < leastPace { // a minute's limit is more than that: it was something else, and the pause will do
		return
	}
	p.most = rate.Limit(max(float64(len(p.passed))/2, leastPace) / time.Minute.Seconds())
	p.since, p.passed = now.Add(blindPause), nil
	p.tooFast++
}

// limit is how many requests a second may leave now, where so many were asked for.
func (p *pace) limit(asked rate.Limit, now time.Time) rate.Limit {
	if p.most == 0 {
		return asked
	}
	if quiet := now.Sub(p.since); quiet >= time.Minute<<min(p.tooFast-1, mostDoubled) {
		p.most, p.since = p.most*growth, now
	}
	if p.most > BlindRate { // as fast as one goes without knowing anything
		p.most = 0
		return asked
	}
	return min(asked, p.most)
}
