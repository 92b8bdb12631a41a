package governor

import (
	"context"
	"fmt"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// Tries is how often an unanswering server is asked for one thing. So many requests,
// too, it must have left unanswered before it counts as gone ([Limits.Outage]).
const Tries = 8

// BlindRate is asked of a server that tells nothing of its limits: six tenths of
// a live account's default, over a sandbox's, whose 429 then makes a pause.
const (
	BlindRate  = rate.Limit(10)
	blindBurst = 4
)

// Limits are a user's wishes. They never let more through than the account's own.
type Limits struct {
	Reserve float64    // share of the account's limits left to its other users, such as 0.10
	Rate    rate.Limit // requests a second; 0: what the reply headers allow, and BlindRate while there are none
	WaitDay bool       // at the day's floor wait for its end; else Lease ends with a *DayLimitError

	// Outage is for how long no request at all may be answered before Lease ends
	// with an *OutageError; 0: for ever.
	Outage time.Duration
}

// Governor keeps all callers of one account within its limits. It counts permits
// as spent from the moment they are given, lets one caller ahead where it knows
// nothing, and stops all when the server throttles or does not answer. A minute's
// requests go out as fast as they are answered, but for the reserve and for what
// the account's other users are on the way to need until its end.
type Governor struct {
	limits Limits
	rate   *pacer // nil: none was asked for
	blind  *pacer
	turn   chan struct{} // its holder is the next to be admitted

	read func() reading // of the machine's clock

	mu      sync.Mutex
	clock   steady
	state   state
	changed chan struct{} // nil: nobody waits; else closed when waiters should look again
	latest  verdict       // of a caller that waits for a reason
	waits   stopwatch
}

// New returns the governor of one account.
func New(l Limits) *Governor {
	started := time.Now()
	g := &Governor{
		limits: l,
		blind:  newPacer(BlindRate, blindBurst),
		turn:   make(chan struct{}, 1),
		waits:  stopwatch{going: map[Reason]int{}, spent: map[Reason]time.Duration{}},
		state: state{
			reserve: l.Reserve,
			minute:  window{headers: limitHeaders("Minute"), length: time.Minute, why: MinuteLimit, paced: true},
			day:     window{headers: limitHeaders("Day"), length: 24 * time.Hour, why: DayLimit},
		},
		read: func() reading {
			now := time.Now()
			return reading{now.Round(0), now.Sub(started)}
		},
	}
	if l.Rate > 0 {
		g.rate = newPacer(l.Rate, 1)
	}
	return g
}

// Lease waits until n requests may be made together and returns the permission,
// which is to be used at once and closed. Callers are served in order. The error
// is ctx's, a *DayLimitError or an *OutageError.
func (g *Governor) Lease(ctx context.Context, n int) (*Lease, error) {
	select {
	case g.turn <- struct{}{}:
		defer func() { <-g.turn }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	return g.lease(ctx, n, false)
}

// LeaseReserve is Lease for a read-back: it does not queue, and may use what is kept free for others.
func (g *Governor) LeaseReserve(ctx context.Context, n int) (*Lease, error) {
	return g.lease(ctx, n, true)
}

func (g *Governor) lease(ctx context.Context, n int, reserve bool) (*Lease, error) {
	l := &Lease{governor: g, reserve: reserve}
	if err := g.acquire(ctx, l, n); err != nil {
		return nil, err
	}
	return l, nil
}

// acquire adds n permits to a lease. Rate comes first: a permit that waited for
// its turn in time would keep others from the account's limit meanwhile.
func (g *Governor) acquire(ctx context.Context, l *Lease, n int) error {
	p := g.pacer()
	if err := p.pay(ctx, n); err != nil {
		return err
	}
	for {
		v, wait, changed, err := g.try(l, n)
		if v.ok {
			return nil
		}
		if err == nil {
			err = g.wait(ctx, v, wait, changed)
		}
		if err != nil {
			p.refund(n)
			return err
		}
	}
}

// pacer returns what paces a request now, nil for nothing.
func (g *Governor) pacer() *pacer {
	g.mu.Lock()
	defer g.mu.Unlock()
	asked, p := BlindRate, g.blind
	switch {
	case g.rate != nil:
		asked, p = g.rate.Limit(), g.rate
	case !g.state.met, g.state.minute.known():
		asked, p = rate.Inf, nil
	}
	limit := g.state.pace.limit(asked, g.clock.now(g.read()))
	if limit == asked && p != g.blind {
		return p
	}
	if limit != g.blind.Limit() {
		g.blind.SetLimit(limit)
	}
	return g.blind
}

// try gives the lease its permits when they are to be had now. Else it is worth
// trying again after a wait, or once changed is closed; an error: it is not.
func (g *Governor) try(l *Lease, n int) (v verdict, wait time.Duration, changed <-chan struct{}, err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	now := g.clock.now(g.read())
	if v = g.state.admit(now, l, n); v.ok {
		return v, 0, nil, nil
	}
	wait = time.Minute // at most: timers stand still while a laptop sleeps
	if !v.at.IsZero() {
		wait = min(wait, v.at.Sub(now))
	}
	switch s := &g.state; {
	case v.why == DayLimit && !g.limits.WaitDay && v.floor && v.at.Sub(now) > time.Minute: // less is no reason to stop a run
		err = &DayLimitError{Until: g.clock.shown(v.at)}
	case v.why == Outage && g.limits.Outage > 0 && len(s.unanswered) >= Tries && now.Sub(s.silence.since) >= g.limits.Outage:
		err = &OutageError{Since: g.clock.shown(s.silence.since), Last: s.silence.last}
	}
	return v, wait, g.next(), err
}

// next is closed at the next change. Where nobody waits, none is made.
func (g *Governor) next() <-chan struct{} {
	if g.changed == nil {
		g.changed = make(chan struct{})
	}
	return g.changed
}

// update changes the state and has every waiter look again.
func (g *Governor) update(change func(s *state, now time.Time)) {
	g.mu.Lock()
	defer g.mu.Unlock()
	change(&g.state, g.clock.now(g.read()))
	if g.changed != nil {
		close(g.changed)
		g.changed = nil
	}
}

// wait sits a verdict out, for others to see.
func (g *Governor) wait(ctx context.Context, v verdict, most time.Duration, changed <-chan struct{}) error {
	count := func(step int) {
		if v.why == "" {
			return
		}
		g.mu.Lock()
		defer g.mu.Unlock()
		g.waits.add(v.why, step)
		g.latest = v
	}
	count(1)
	defer count(-1)
	select {
	case <-time.After(most):
	case <-changed:
	case <-ctx.Done():
		return ctx.Err()
	}
	return nil
}

// Waiting reports whether callers wait now, until when, and why.
func (g *Governor) Waiting() (until time.Time, why Reason, ok bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.waits.gravest() == "" {
		return time.Time{}, "", false
	}
	return g.clock.shown(g.latest.at), g.latest.why, true
}

// Waited is for how long at least one caller has waited, Limits.Rate aside, and why.
// The times add up to all the time spent waiting.
func (g *Governor) Waited() map[Reason]time.Duration {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.waits.totals()
}

// Met waits until the server has answered a request, whatever it told of its
// limits. The error is ctx's.
func (g *Governor) Met(ctx context.Context) error {
	for {
		g.mu.Lock()
		met, changed := g.state.met, g.next()
		g.mu.Unlock()
		if met {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// Allowance returns what the replies so far have told.
func (g *Governor) Allowance() Allowance {
	g.mu.Lock()
	defer g.mu.Unlock()
	quota := func(w window) Quota {
		if !w.known() {
			return Quota{}
		}
		return Quota{true, w.limit, w.left, usable(w.limit, g.state.reserve), g.clock.shown(w.ends(g.state.skew)), w.others.seen}
	}
	return Allowance{quota(g.state.minute), quota(g.state.day)}
}

// Lease is the permission to make a few requests together, such as a read and
// the write that follows from it. One goroutine uses it, at once, and closes it.
// A nil lease permits everything and counts nothing.
type Lease struct {
	governor *Governor
	reserve  bool
	left     int    // permits not used yet; guarded by the governor
	request  uint64 // the latest made under it
}

// More waits until n requests may be made under the lease; a lease that still has
// permits for them needs none. The error is as Governor.Lease's.
func (l *Lease) More(ctx context.Context, n int) error {
	if l == nil {
		return nil
	}
	l.governor.mu.Lock()
	n -= l.left
	l.governor.mu.Unlock()
	if n <= 0 {
		return nil
	}
	return l.governor.acquire(ctx, l, n)
}

// Start uses one permit, and waits for a further one when none is left. Each
// request that was started is to be ended.
func (l *Lease) Start(ctx context.Context) error {
	if l == nil {
		return nil
	}
	if err := l.More(ctx, 1); err != nil {
		return err
	}
	l.governor.mu.Lock()
	defer l.governor.mu.Unlock()
	l.governor.state.leave(l)
	return nil
}

// End settles the request that was started last, and learns from what became of it.
func (l *Lease) End(o Observation) {
	if l == nil {
		return
	}
	f := l.governor.state.read(o)
	l.governor.update(func(s *state, now time.Time) {
		machine := time.Now()
		o.Sent, o.Received = now.Add(-ago(o.Sent, machine)), now.Add(-ago(o.Received, machine))
		s.end(l, o, f, now)
	})
}

// Close gives back what was not used.
func (l *Lease) Close() {
	if l == nil {
		return
	}
	unused := 0
	l.governor.update(func(s *state, _ time.Time) {
		unused, l.left = l.left, 0
		s.takeBack(l, unused)
	})
	l.governor.pacer().refund(unused)
}

// pacer spreads requests in time; a nil pacer does not. Tokens of requests that were not
// made pay for later ones: a visit that finds nothing to write must not halve the rate.
type pacer struct {
	*rate.Limiter
	mu    sync.Mutex
	spare int
}

func newPacer(r rate.Limit, burst int) *pacer {
	return &pacer{Limiter: rate.NewLimiter(r, burst)}
}

// pay waits until n requests may be made.
func (p *pacer) pay(ctx context.Context, n int) error {
	if p == nil {
		return nil
	}
	p.mu.Lock()
	spare := min(n, p.spare)
	p.spare -= spare
	p.mu.Unlock()
	for range n - spare {
		if err := p.Wait(ctx); err != nil {
			return err
		}
	}
	return nil
}

// mostSpare is as many tokens as are kept for later: what a run's first write may leave of
// a visit, whose requests are leased together.
const mostSpare = 6

// refund keeps tokens for later, no more than a visit's.
func (p *pacer) refund(n int) {
	if p == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.spare = min(p.spare+n, max(p.Burst(), mostSpare))
}

// DayLimitError is the error when the day's requests are used up but for the reserve.
type DayLimitError struct{ Until time.Time }

func (e *DayLimitError) Error() string {
	return e.Text() + " (try: run the rest after that, or pass --wait)"
}

// Text is the error without its advice, which does not fit every caller.
func (e *DayLimitError) Text() string {
	until := e.Until.Local().Format("2006-01-02 15:04:05")
	return "the account's requests for today are used up, but for the share left to its other users; the limit is renewed at " + until
}

// OutageError is the error when no request was answered for as long as Limits.Outage.
type OutageError struct {
	Since time.Time
	Last  error // of the last request
}

func (e *OutageError) Error() string {
	since := e.Since.Local().Format("15:04:05")
	return fmt.Sprintf("the server has answered nothing since %s; the last request ended with: %v", since, e.Last)
}

func (e *OutageError) Unwrap() error { return e.Last }
