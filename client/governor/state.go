package governor

import (
	"net/http"
	"slices"
	"time"
)

const (
	outageAfter  = 5           // unanswered requests in a row
	blindPause   = time.Minute // after a 429 by a limit that nothing is known of: the first, each further one is twice that,
	longestBlind = 16 * time.Minute
	longestPause = time.Hour // that a server may ask for
)

// verdict is the answer to "may n requests leave now?".
type verdict struct {
	ok    bool
	at    time.Time // worth asking again then; zero: when something has happened
	why   Reason
	floor bool // it would be the same with every open permit given back
}

// state is the governor's knowledge of the account, without its waiting: every
// method is a step from one state to the next at a given time.
type state struct {
	reserve     float64
	minute, day window
	skew        skew
	review      struct { // what the day had shown at the start of this minute
		at, day time.Time // when that was, and since when the day is watched
		seen    int       // of others
	}

	sent    uint64 // requests that have left
	pending int    // of them, those whose end is not known
	out     int    // permits given and neither answered for nor given back
	probe   *Lease // the one that finds out how things stand, while nothing else may leave
	met     bool   // the server has answered

	answeredAt time.Time   // when the last request that was answered had left
	unanswered []time.Time // when those that were not answered had left, since
	silence    struct {    // of those
		since time.Time // when the first ended
		last  error
	}
	until  time.Time // nothing leaves before
	why    Reason
	paused time.Time // when trouble last made a pause
	pauses int       // times that it was met again after one
	pace   pace      // where the minute's limit is not known, or not what it is said to be
}

func (s *state) windows() [2]*window { return [...]*window{&s.day, &s.minute} }

func (s *state) outage() bool { return len(s.unanswered) >= outageAfter }

// probing reports whether one lease at a time goes ahead: before the first reply,
// in an outage, and at the start of a window whose remainder is not known.
func (s *state) probing() bool {
	return !s.met || s.outage() || s.minute.fresh || s.day.fresh
}

// admit decides whether n more requests may leave under a lease, and if so gives
// it their permits.
func (s *state) admit(now time.Time, l *Lease, n int) verdict {
	s.minute.roll(now, s.skew)
	s.day.roll(now, s.skew)
	switch {
	case now.Before(s.until):
		return verdict{at: s.until, why: s.why}
	case s.probe != nil && s.outage():
		return verdict{why: Outage}
	case s.probe != nil && s.probing():
		return verdict{}
	}
	share := s.reserve
	if l.reserve {
		share = 0
	}
	for _, w := range s.windows() {
		if v := w.admit(now, s.skew, n, s.out, share); !v.ok {
			return v
		}
	}
	s.out += n
	l.left += n
	if s.probing() {
		s.probe = l
	}
	return verdict{ok: true}
}

// leave notes that a request goes out under a lease, and numbers it.
func (s *state) leave(l *Lease) {
	l.left--
	s.sent++
	s.pending++
	l.request = s.sent
}

// takeBack ends permits of a lease, used or not.
func (s *state) takeBack(l *Lease, n int) {
	s.out -= n
	if s.probe == l {
		s.probe = nil
	}
}

// end settles a request that has left under a lease, and learns from what became of it.
func (s *state) end(l *Lease, o Observation, f facts, now time.Time) {
	s.takeBack(l, 1)
	s.pending--
	if counted := s.count(l.request, o, f); counted && f.dated { // a page of something between has another clock
		s.skew = s.skew.narrow(f.date, o.Sent.Round(0), o.Received.Round(0))
	}
	switch o.Ending {
	case Answered: // ends what trouble there was when the request left; of later trouble it tells nothing
		s.hear(o.Sent)
		s.pace.answered(now)
		if o.Sent.Round(0).After(s.paused) {
			s.pauses, s.paused = 0, time.Time{}
		}
		if s.why == Outage && !s.outage() { // the probe was let through, and all is well
			s.until = time.Time{}
		}
	case Throttled:
		s.throttled(o.Sent, f, now)
	case Unanswered:
		s.silence.last = o.Err
		s.lost(o.Sent, f.wish, now)
	}
}

// read takes from a reply what the state needs of it. It uses nothing of the state
// that changes, and needs no lock.
func (s *state) read(o Observation) (f facts) {
	f.date = o.Received.Round(0)
	if date, err := http.ParseTime(o.Header.Get("Date")); err == nil {
		f.date, f.dated = date, true
	}
	if until, ok := readStamp(o.Header.Get("Retry-After"), f.date); ok {
		f.wish = min(max(0, until.Sub(f.date)), longestPause)
	}
	for i, w := range s.windows() {
		f.quotas[i], f.told[i] = readQuota(o.Header, w.headers, w.length, f.date)
	}
	return f
}

// count takes a reply's numbers into the windows, and reports whether it had any.
func (s *state) count(request uint64, o Observation, f facts) (told bool) {
	at := sighting{
		sent: o.Sent.Round(0), received: o.Received.Round(0), skew: s.skew, pending: s.pending,
		request: request, latest: s.sent, refused: o.Ending == Throttled,
	}
	for i, w := range s.windows() {
		switch {
		case f.told[i]:
			ours := s.minute.ours
			if began := w.observe(f.quotas[i], at); began && w == &s.minute {
				s.reviewMinute(ours, at.received)
			}
			told, s.met = true, true
		case o.Ending == Answered && w.fresh && o.Sent.Round(0).After(w.rolled):
			w.forget() // the server has ceased to tell of it
		case o.Ending == Throttled && f.bare() && w == &s.minute && w.known(): // others have used it up, for all one knows
			w.observe(quota{w.limit, 0, w.reset}, at)
			w.others.sight(w.limit-w.ours-at.pending, at.received)
			w.others.full = true
		case o.Counted && w.known():
			w.left--
			w.ours++
			w.others.ended(request, anywhere)
		case !o.Counted:
			w.others.ended(request, nowhere)
		}
	}
	return told
}

// reviewMinute learns at the start of a minute what others used since that of the last
// one: the day's headers tell it for the time, too, in which we asked nothing.
func (s *state) reviewMinute(ours int, now time.Time) {
	day := &s.day.others
	if s.day.known() && s.review.day.Equal(day.from) {
		theirs := day.seen - s.review.seen
		last := &s.minute.others // of which the minute before is the past
		last.past = last.before.and(theirs, ours+theirs >= s.minute.limit, now.Sub(s.review.at))
	}
	s.review.at, s.review.day, s.review.seen = now, day.from, day.seen
}

// hear notes that a request which left then has brought an answer of the server.
func (s *state) hear(sent time.Time) {
	s.met = true
	s.answeredAt = later(s.answeredAt, sent)
	s.unanswered = slices.DeleteFunc(s.unanswered, func(lost time.Time) bool { return !lost.After(sent) })
}

// throttled makes a pause for everyone after a 429, unless a window's end does so anyway.
func (s *state) throttled(sent time.Time, f facts, now time.Time) {
	s.hear(sent)
	if news := s.escalate(sent, now); news && (!s.minute.known() || f.bare()) {
		s.pace.tooMuch(now)
	}
	if f.wish > 0 {
		s.pause(now.Add(f.wish), ServerPause)
		return
	}
	for _, w := range s.windows() {
		if w.known() && !w.fresh && w.left <= 0 && now.Before(w.ends(s.skew)) {
			return
		}
	}
	first, most := 100*time.Millisecond, time.Minute
	if !s.minute.known() || !s.day.known() { // it may be that which nothing is known of
		first, most = blindPause, longestBlind
	}
	s.pause(now.Add(doubled(first, s.pauses, most)), ServerPause)
}

// lost counts a request without an answer towards an outage, in which one probe at a
// time goes ahead, ever more rarely.
func (s *state) lost(sent time.Time, wish time.Duration, now time.Time) {
	if wish > 0 {
		s.pause(now.Add(wish), ServerPause)
	}
	if sent.Before(s.answeredAt) { // the server has been there since
		return
	}
	if len(s.unanswered) == 0 {
		s.silence.since = now
	}
	if s.unanswered = append(s.unanswered, sent); s.outage() {
		s.escalate(sent, now)
		s.pause(now.Add(doubled(time.Second, s.pauses, time.Minute)), Outage)
	}
}

// escalate lengthens the next pause when a request that left after the last one
// began met the same trouble. What had left before tells nothing new, and false is returned.
func (s *state) escalate(sent, now time.Time) (news bool) {
	switch {
	case s.paused.IsZero():
	case sent.Round(0).After(s.paused):
		s.pauses++
	default:
		return false
	}
	s.paused = now
	return true
}

func (s *state) pause(until time.Time, why Reason) {
	if until.After(s.until) {
		s.until, s.why = until, why
	}
}

// doubled is the k-th pause after the first.
func doubled(first time.Duration, k int, most time.Duration) time.Duration {
	return min(first<<min(k, 12), most)
}
