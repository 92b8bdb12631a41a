package governor

import (
	"math"
	"time"
)

// window is what is known of the account's current minute or day. Its reset is
// kept by the server's clock, in which stamps can be compared exactly.
type window struct {
	headers [3]string // their names: limit, remaining, reset
	why     Reason    // the one that a caller is given
	length  time.Duration
	limit   int // 0: nothing is known yet
	left    int
	reset   time.Time

	paced  bool          // others' use is learned within the window, not only from the last one
	ours   int           // requests of ours counted in this window
	others others        // what the account's other users were seen to do
	late   time.Duration // how much later than its stamp a window was seen to end
	fresh  bool          // it has ended by our clock, and no reply of the next one has come
	rolled time.Time     // when fresh was set
	dated  time.Time     // when the reply came from which we have the reset
}

// sighting is how a reply came to us, by our clock.
type sighting struct {
	sent, received time.Time
	skew           skew
	pending        int    // other requests that have left, and were not answered
	request        uint64 // which it answers
	latest         uint64 // that has left
	refused        bool   // it tells of a request that the server did not count
}

func (w *window) known() bool { return w.limit > 0 }

// ends is the window's end by our clock, at the latest.
func (w *window) ends(s skew) time.Time { return w.reset.Add(w.late - s.lo) }

// forget makes of a window one of which nothing is known. What never changes of it is
// not written again: replies are read without the lock, by its headers and its length.
func (w *window) forget() {
	w.limit, w.left, w.reset, w.ours, w.others = 0, 0, time.Time{}, 0, others{}
	w.fresh, w.rolled, w.dated = false, time.Time{}, time.Time{}
}

// roll ends a window whose time is over.
func (w *window) roll(now time.Time, s skew) {
	if w.known() && !w.fresh && !now.Before(w.ends(s)) {
		w.fresh, w.rolled = true, now
	}
}

// observe takes a reply's headers into account, and reports whether it is the first
// of a window. Replies overtake each other, and some come from a window that is over.
func (w *window) observe(q quota, at sighting) (began bool) {
	ahead := q.reset.Sub(w.reset)
	asked := w.fresh && at.sent.After(w.rolled) // sent in what we took for the next window
	moved := ahead.Abs() > time.Second
	switch {
	case !w.known(), w.fresh && ahead > time.Second, moved && ahead > w.length/2,
		moved && asked: // our stamp was wrong
		w.begin(q, at)
		began = true
	case w.fresh && !asked, moved && ahead < 0 && !at.sent.After(w.dated):
		w.others.ended(at.request, nowhere) // a straggler
		return false
	case moved: // it moves with every reply, or the server's clock was set back
		w.left, w.reset, w.dated = q.left, q.reset, at.received
	case asked: // we were early
		w.fresh, w.late = false, min(2*w.late+100*time.Millisecond, time.Minute)
	}
	w.share(q, at)
	return began
}

// begin starts a window of which this reply is the first we see. What was used of
// the very first one may have been an earlier run's.
func (w *window) begin(q quota, at sighting) {
	first := !w.known()
	w.left, w.reset, w.dated = q.left, q.reset, at.received
	w.ours, w.fresh = 0, false
	if first {
		w.others.begin(at.received, max(0, q.limit-q.left-1))
	} else {
		w.others.begin(w.ends(at.skew).Add(-w.length), 0)
	}
}

// share tells our requests of the window from those of others.
func (w *window) share(q quota, at sighting) {
	used, newest := q.limit-q.left, q.left <= w.left
	w.limit, w.left = q.limit, min(w.left, q.left)
	if at.refused {
		w.others.ended(at.request, nowhere)
		return
	}
	w.ours++
	w.others.ended(at.request, used)
	w.others.full = w.others.full || q.left == 0
	if newest { // of the requests on their way it counts all, or none; a count will tell
		w.others.sight(used-w.ours-at.pending, at.received)
		if w.others.count.open == 0 {
			w.others.count = count{at.latest, at.pending, used, w.ours, at.received}
		}
	}
}

// usable is how much of a limit is not reserved for others: at least 2, so that
// a read and its write always pass.
func usable(limit int, reserve float64) int {
	kept := int(math.Ceil(float64(limit)*reserve - 1e-9))
	return min(limit, max(2, limit-kept))
}

// admit decides whether n more requests fit, with out permits given and not yet
// answered for. share is the part of the limit to keep free; with none, what
// others were seen to use is not kept free either.
func (w *window) admit(now time.Time, s skew, n, out int, share float64) verdict {
	if !w.known() || w.fresh {
		return verdict{ok: true}
	}
	most := usable(w.limit, share)
	free := w.left - (w.limit - most) - min(n, most) // a lease above all that is usable passes in an untouched window
	theirs := 0                                      // requests of others that are to be expected on their way
	if share > 0 && w.paced {
		perRequest := min(4, float64(w.others.seen)/float64(max(1, w.ours))) // as many for each of ours as they made so far
		theirs = int(math.Ceil(float64(out) * perRequest))
	}
	// We may go on whatever others will need once they have used as much: else one of
	// two processes that respect each other would get nothing. That ends at two fifths
	// of what is usable, for others may be people at work.
	entitled := w.paced && w.ours+out+n <= min(w.others.seen, most*2/5)
	at := w.opens(now, w.ends(s), free-out-theirs, share)
	if entitled && free >= out+theirs || !at.After(now) {
		return verdict{ok: true}
	}
	return verdict{at: at, why: w.why, floor: w.opens(now, w.ends(s), free, share).After(now)}
}

// opens is when free requests above the reserve suffice. Others' use is kept free
// too, for the part of the window that is still to go.
func (w *window) opens(now, end time.Time, free int, share float64) time.Time {
	o := &w.others
	switch {
	case free < 0:
		return end
	case share <= 0:
		return now
	case w.paced: // when they are enough for what others will use at the pace of all the time since they were watched
		all, watched := o.past.seen+float64(o.seen), o.past.watched+end.Sub(o.from)
		if all == 0 {
			return o.from
		}
		return end.Add(-time.Duration(float64(watched) * float64(free) / (all + float64(free)))) // should they use nothing until then
	case o.past.seen == 0:
		return now
	}
	return end.Add(-time.Duration(float64(max(w.length, o.past.watched)) * float64(free) / o.past.seen))
}
