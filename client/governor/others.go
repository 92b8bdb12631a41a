package governor

import (
	"math"
	"time"
)

// others is what is seen of an account's other users in one of its windows: the
// rest of what the headers say was used, once our own requests are taken off.
type others struct {
	base  int       // used before the window was watched: maybe by an earlier run of ours
	from  time.Time // since when it is watched
	heard time.Time // until when: the last reply
	seen  int       // requests meanwhile, at least

	count count
	full  bool // all of it was seen used: they may have wanted more

	past, before use // of the windows up to the last, and up to the one before that
}

// use is a number of requests and the time in which they were made. Each window
// counts half as much as the next.
type use struct {
	seen    float64
	watched time.Duration
}

// and adds a window. Where nothing was left for others, nobody knows what they
// wanted; by trying to leave them more it will be seen.
func (u use) and(seen int, full bool, watched time.Duration) use {
	if full {
		seen += seen / 2
	}
	return use{u.seen/2 + float64(seen), u.watched/2 + watched}
}

// count finds out exactly how much of what was used at a reply is ours: once
// all requests are answered that were on their way then.
type count struct {
	last uint64 // the latest request that had left
	open int    // of those up to it, not answered yet
	used int    // of the window, by the reply
	ours int    // of that
	at   time.Time
}

// Where a request stands in a window that did not count it, or may have at any place.
const (
	nowhere  = math.MaxInt
	anywhere = 0
)

// ended takes the end of a request into account, and its place among all that the
// window has counted.
func (o *others) ended(request uint64, place int) {
	c := &o.count
	if c.open == 0 || request > c.last {
		return
	}
	if c.open--; place <= c.used {
		c.ours++
	}
	if c.open == 0 {
		o.sight(c.used-c.ours, c.at)
	}
}

// sight keeps that others, with what was there before, have used so many at least.
func (o *others) sight(used int, until time.Time) {
	o.seen = max(o.seen, used-o.base)
	o.heard = later(o.heard, until)
}

// begin starts to watch a window. The one before joins the past.
func (o *others) begin(from time.Time, base int) {
	o.before = o.past
	if o.heard.After(o.from) {
		o.past = o.before.and(o.seen, o.full, o.heard.Sub(o.from))
	}
	o.base, o.from, o.heard, o.seen, o.full, o.count = base, from, from, 0, false, count{}
}
