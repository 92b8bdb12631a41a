package client

import (
	"context"
	"errors"
	"slices"
	"time"
)

const (
	outageAfter = 5           // unanswered requests in a row
	blindPause  = time.Minute // after a 429 of a server that says nothing of its limits
)

// verdict is the answer to "may n requests leave now?".
type verdict struct {
	ok    bool
	at    time.Time // worth asking again then; zero: when something has happened
	why   Reason
	floor bool // it would be the same with every open permit given back
}

func newAccount(reserve float64) account {
	return account{
		reserve: reserve,
		minute:  window{headers: limitHeaders("Minute"), length: time.Minute, why: MinuteLimit, paced: true},
		day:     window{headers: limitHeaders("Day"), length: 24 * time.Hour, why: DayLimit},
	}
}

// account is the governor's knowledge, without its waiting: every method is a
// step from one state to the next at a given time.
type account struct {
	reserve     float64
	minute, day window
	skew        skew
	mark        mark // of the day's books, at the start of this minute

	sent   uint64 // requests that have left
	flying int    // of them, those whose end is not known
	out    int    // permits given and neither answered for nor given back
	probe  *Lease // the one that finds out how things stand, while nothing else may leave
	met    bool   // the server has answered

	heard     time.Time   // when the last request that was answered had left
	unheard   []time.Time // when those that were not answered had left, since
	silent    time.Time   // when the first of them ended
	lastWords error       // of the last
	until     time.Time   // nothing leaves before
	why       Reason
	shut      time.Time // when trouble last shut the gate
	shuts     int       // times that it was met again after a pause
}

// mark is what was seen of others in a day up to a time.
type mark struct {
	at, day time.Time
	seen    int
}

// admit decides on n requests.
func (a *account) admit(now time.Time, n int, dipping bool) verdict {
	if now.Before(a.until) {
		return verdict{at: a.until, why: a.why}
	}
	if a.probe != nil && a.probing() {
		return verdict{why: a.trouble()}
	}
	share := a.reserve
	if dipping {
		share = 0
	}
	for _, w := range a.windows() {
		if v := w.admit(now, a.skew, n, a.out, share); !v.ok {
			return v
		}
	}
	return verdict{ok: true}
}

// probing says that one lease at a time goes ahead: before the first reply, in
// an outage, and at the start of a window whose remainder is not known.
func (a *account) probing() bool {
	return !a.met || a.outage() || a.minute.fresh || a.day.fresh
}

func (a *account) trouble() Reason {
	if a.outage() {
		return Outage
	}
	return ""
}

func (a *account) outage() bool { return len(a.unheard) >= outageAfter }

// give hands n permits to a lease.
func (a *account) give(l *Lease, n int) {
	a.out += n
	l.left += n
	if a.probing() {
		a.probe = l
	}
}

// leave notes that a request goes out under a lease, and numbers it.
func (a *account) leave(l *Lease) {
	l.left--
	a.sent++
	a.flying++
	l.request = a.sent
}

// takeBack ends permits of a lease, used or not. Whatever became of a probe, the
// next caller may be one.
func (a *account) takeBack(l *Lease, n int) {
	a.out -= n
	if a.probe == l {
		a.probe = nil
	}
}

// roll ends the windows that are over.
func (a *account) roll(now time.Time) {
	a.minute.roll(now, a.skew)
	a.day.roll(now, a.skew)
}

// settle learns from what became of one request.
func (a *account) settle(request uint64, rep Reply, said words, now time.Time) {
	if counted := a.count(request, rep, said); counted && said.dated { // a page of something between has another clock
		a.skew = a.skew.narrow(said.date, rep.Sent.Round(0), rep.Received.Round(0))
	}
	switch {
	case errors.Is(rep.Err, context.Canceled): // the caller's doing
	case rep.Class == Throttled:
		a.throttled(rep.Sent, said.wish, now)
	case rep.Class == Lost, rep.Class == Unsent:
		a.lastWords = rep.Err
		a.unanswered(rep.Sent, said.wish, now)
	case rep.Status != 0:
		a.answered(rep.Sent)
	}
}

// read takes from a reply what the account needs of it. It uses nothing of the
// account that changes, and needs no lock.
func (a *account) read(rep Reply) words {
	s := words{}
	s.date, s.dated = handled(rep)
	s.wish = retryAfter(rep.Header, s.date)
	for i, w := range a.windows() {
		s.quotas[i], s.told[i] = readQuota(rep.Header, w.headers, w.length, s.date)
	}
	return s
}

// count keeps the windows' books, and says whether the reply told anything for them.
func (a *account) count(request uint64, rep Reply, said words) (told bool) {
	at := sighting{
		sent: rep.Sent.Round(0), received: rep.Received.Round(0), skew: a.skew, flying: a.flying,
		request: request, latest: a.sent, refused: rep.Class == Throttled,
	}
	for i, w := range a.windows() {
		switch {
		case said.told[i]:
			ours := a.minute.ours
			if w.observe(said.quotas[i], at) && w == &a.minute {
				a.review(ours, at.received)
			}
			told, a.met = true, true
		case rep.Status != 0 || rep.Class == Lost:
			w.spend(request)
		default:
			w.others.ended(request, nowhere)
		}
	}
	return told
}

// review learns at the start of a minute what others used since that of the last
// one: the day's books tell it for the time, too, in which we asked nothing.
func (a *account) review(ours int, now time.Time) {
	day := &a.day.others
	if a.day.known() && a.mark.day.Equal(day.from) {
		theirs := day.seen - a.mark.seen
		a.minute.others.correct(theirs, ours+theirs >= a.minute.limit, now.Sub(a.mark.at))
	}
	a.mark = mark{at: now, day: day.from, seen: day.seen}
}

func (a *account) windows() [2]*window { return [...]*window{&a.day, &a.minute} }

func (a *account) known() bool { return a.day.known() || a.minute.known() }

// answered ends what trouble there was when the request left. Of later trouble,
// the answer to an earlier request tells nothing.
func (a *account) answered(sent time.Time) {
	a.hear(sent)
	if sent.Round(0).After(a.shut) {
		a.shuts, a.shut = 0, time.Time{}
	}
	if a.why == Outage && !a.outage() { // the probe was let through, and all is well
		a.until = time.Time{}
	}
}

// hear notes that a request which left then has brought an answer of the server.
func (a *account) hear(sent time.Time) {
	a.met = true
	if sent.After(a.heard) {
		a.heard = sent
	}
	a.unheard = slices.DeleteFunc(a.unheard, func(lost time.Time) bool { return !lost.After(sent) })
}

// throttled shuts the gate for everyone after a 429, unless a window's end does so anyway.
func (a *account) throttled(sent time.Time, wish time.Duration, now time.Time) {
	a.hear(sent)
	a.escalate(sent, now)
	switch {
	case wish > 0:
		a.pause(now.Add(wish), ServerPause)
	case a.exhausted(now):
	case !a.known():
		a.pause(now.Add(blindPause), ServerPause)
	default:
		a.pause(now.Add(doubled(100*time.Millisecond, a.shuts)), ServerPause)
	}
}

func (a *account) exhausted(now time.Time) bool {
	for _, w := range a.windows() {
		if w.known() && !w.fresh && w.left <= 0 && now.Before(w.ends(a.skew)) {
			return true
		}
	}
	return false
}

// unanswered counts towards an outage, in which one probe at a time goes ahead, ever more rarely.
func (a *account) unanswered(sent time.Time, wish time.Duration, now time.Time) {
	if wish > 0 {
		a.pause(now.Add(wish), ServerPause)
	}
	if sent.Before(a.heard) { // the server has been there since
		return
	}
	if len(a.unheard) == 0 {
		a.silent = now
	}
	if a.unheard = append(a.unheard, sent); !a.outage() {
		return
	}
	a.escalate(sent, now)
	a.pause(now.Add(doubled(time.Second, a.shuts)), Outage)
}

// silentFor is for how long the server has answered nothing, once it was asked
// as often as one row would ask it.
func (a *account) silentFor(now time.Time) time.Duration {
	if len(a.unheard) < tries {
		return 0
	}
	return now.Sub(a.silent)
}

// escalate lengthens the next pause when a request that left after the last one
// began met the same trouble. What had left before tells nothing new.
func (a *account) escalate(sent, now time.Time) {
	switch {
	case a.shut.IsZero():
	case sent.Round(0).After(a.shut):
		a.shuts++
	default:
		return
	}
	a.shut = now
}

func (a *account) pause(until time.Time, why Reason) {
	if until.After(a.until) {
		a.until, a.why = until, why
	}
}

// doubled is the k-th pause after the first, at most a minute.
func doubled(first time.Duration, k int) time.Duration {
	return min(first<<min(k, 12), time.Minute)
}
