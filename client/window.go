package client

import (
	"math"
	"time"
)

// window is what is known of the account's current minute or day. Its reset is
// kept by the server's clock, in which stamps can be compared exactly.
type window struct {
	name   string // as in the headers
	why    string // the reason that a caller is given
	length time.Duration
	limit  int // 0: nothing is known yet
	left   int
	reset  time.Time

	ours   int           // requests of ours counted in this window
	others int           // requests of others seen in the last one
	late   time.Duration // how much later than its stamp a window was seen to end
	fresh  bool          // it has ended by our clock, and no reply of the next one has come
	rolled time.Time     // when fresh was set
}

func (w *window) known() bool { return w.limit > 0 }

// ends is the window's end by our clock, at the latest.
func (w *window) ends(s skew) time.Time { return w.reset.Add(w.late - s.lo) }

// roll ends a window whose time is over.
func (w *window) roll(now time.Time, s skew) {
	if w.known() && !w.fresh && !now.Before(w.ends(s)) {
		w.tally()
		w.fresh, w.rolled = true, now
	}
}

func (w *window) tally() {
	w.others, w.ours = max(0, w.limit-w.left-w.ours), 0
}

// observe takes a reply's headers into account. Replies overtake each other, and
// some come from a window that is over.
func (w *window) observe(q quota, sent time.Time) {
	ahead := q.reset.Sub(w.reset)
	asked := w.fresh && sent.After(w.rolled) // sent in what we took for the next window
	switch {
	case !w.known():
		w.start(q)
	case ahead > time.Second:
		if !w.fresh && ahead > w.length/2 { // less is a stamp that moves with every reply
			w.tally()
		}
		w.start(q)
	case ahead < -time.Second && asked: // our stamp was wrong
		w.start(q)
	case ahead < -time.Second, w.fresh && !asked:
		return // a straggler
	default:
		if asked { // we were early
			w.fresh, w.late = false, min(2*w.late+100*time.Millisecond, time.Minute)
		}
		w.limit, w.left = q.limit, min(w.left, q.left)
		w.ours++
	}
}

// start begins a window of which this reply is the first we see.
func (w *window) start(q quota) {
	w.limit, w.left, w.reset, w.fresh = q.limit, q.left, q.reset, false
	w.ours++
}

// spend counts a request that brought no headers and may have been counted by the server.
func (w *window) spend() {
	if w.known() {
		w.left--
		w.ours++
	}
}

// usable is how much of a limit is not reserved for others: at least 2, so that
// a read and its write always pass.
func usable(limit int, reserve float64) int {
	kept := int(math.Ceil(float64(limit)*reserve - 1e-9))
	return min(limit, max(2, limit-kept))
}

// admit says when n more requests fit, with out permits given and not yet
// answered for. share is the part of the limit to keep free; with none, what
// others were seen to use is not kept free either.
func (w *window) admit(now time.Time, s skew, n, out int, share float64) verdict {
	if !w.known() || w.fresh {
		return verdict{ok: true}
	}
	most := usable(w.limit, share)
	free := w.left - (w.limit - most) - min(n, most) // a lease above all that is usable passes in an untouched window
	at := w.opens(now, w.ends(s), free-out, share)
	if !at.After(now) {
		return verdict{ok: true}
	}
	return verdict{at: at, why: w.why, floor: w.opens(now, w.ends(s), free, share).After(now)}
}

// opens is when free requests above the reserve suffice. Others' use of the last
// window is kept free too, for the part of this one that is still to go.
func (w *window) opens(now, end time.Time, free int, share float64) time.Time {
	switch {
	case free < 0:
		return end
	case share <= 0 || w.others == 0:
		return now
	}
	return end.Add(-time.Duration(float64(w.length) * float64(free) / float64(w.others)))
}
