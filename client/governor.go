package client

import (
	"context"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// Limits are a user's wishes. They never let more through than the account's own.
type Limits struct {
	Reserve float64    // share of the account's limits left to its other users, such as 0.10
	Rate    rate.Limit // requests a second; 0: what the reply headers allow, and 10/s while there are none
	Burst   int        // requests at once under Rate; 0: 1
	WaitDay bool       // at the day's floor wait for its end; else Lease ends with a *DayLimitError

	// Outage is for how long no request at all may be answered before Lease ends
	// with an *OutageError; 0: for ever.
	Outage time.Duration
}

// Governor keeps all callers of one account within its limits, as the headers of
// its replies tell them (developer.staxbill.com/reference/rate-limits). It counts
// permits as spent from the moment they are given, lets one caller ahead where it
// knows nothing, and stops all when the server throttles or does not answer. A
// minute's requests go out as fast as they are answered, but for the reserve and
// for what the account's other users are on the way to need until its end.
type Governor struct {
	waitDay bool
	outage  time.Duration
	rate    *pacer // nil: none was asked for
	blind   *pacer
	turn    chan struct{} // its holder is the next to be admitted

	read func() reading // of the machine's clock

	mu      sync.Mutex
	clock   steady
	account account
	changed chan struct{} // nil: nobody waits; else closed when waiters should look again
	latest  verdict       // of a caller that waits for a reason
	waits   stopwatch
}

// NewGovernor returns the governor of one account.
func NewGovernor(l Limits) *Governor {
	g := &Governor{
		waitDay: l.WaitDay,
		outage:  l.Outage,
		blind:   newPacer(BlindRate, blindBurst),
		turn:    make(chan struct{}, 1),
		account: newAccount(l.Reserve),
		read:    systemClock(),
	}
	if l.Rate > 0 {
		g.rate = newPacer(l.Rate, l.Burst)
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
	if err := g.admitted(ctx, l, n); err != nil {
		p.refund(n)
		return err
	}
	return nil
}

// pacer returns what paces a request now, nil for nothing.
func (g *Governor) pacer() *pacer {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.rate == nil && g.account.met && !g.account.known() {
		return g.blind
	}
	return g.rate
}

// admitted waits until the account has room.
func (g *Governor) admitted(ctx context.Context, l *Lease, n int) error {
	for {
		r := g.try(l, n)
		if r.ok || r.err != nil {
			return r.err
		}
		if err := g.wait(ctx, r); err != nil {
			return err
		}
	}
}

// ruling is a verdict, and what comes of it.
type ruling struct {
	verdict
	err     error           // waiting is no use
	wait    time.Duration   // at most a minute: timers stand still while a laptop sleeps
	changed <-chan struct{} // or until this is closed
}

// try gives the lease its permits when they are to be had now.
func (g *Governor) try(l *Lease, n int) ruling {
	g.mu.Lock()
	defer g.mu.Unlock()
	now := g.now()
	g.account.roll(now)
	v := g.account.admit(now, n, l.reserve)
	if v.ok {
		g.account.give(l, n)
		return ruling{verdict: v}
	}
	wait := time.Minute
	if !v.at.IsZero() {
		wait = min(wait, v.at.Sub(now))
	}
	return ruling{v, g.gaveUp(v, now), wait, g.next()}
}

// next is closed at the next change. Where nobody waits, none is made.
func (g *Governor) next() <-chan struct{} {
	if g.changed == nil {
		g.changed = make(chan struct{})
	}
	return g.changed
}

// now is the time in which the account's books are kept.
func (g *Governor) now() time.Time { return g.clock.now(g.read()) }

// gaveUp is why a wait is no use: the day's limit is to be reported, or the
// outage has lasted long enough. A wait for the day's end that is over within a
// minute is no reason to stop a run.
func (g *Governor) gaveUp(v verdict, now time.Time) error {
	switch a := &g.account; {
	case v.why == DayLimit && !g.waitDay && v.floor && v.at.Sub(now) > time.Minute:
		return &DayLimitError{Until: g.clock.shown(v.at)}
	case v.why == Outage && g.outage > 0 && a.silentFor(now) >= g.outage:
		return &OutageError{Since: g.clock.shown(a.silent), Last: a.lastWords}
	}
	return nil
}

// update changes the account and has every waiter look again.
func (g *Governor) update(change func(a *account, now time.Time)) {
	g.mu.Lock()
	defer g.mu.Unlock()
	change(&g.account, g.now())
	if g.changed != nil {
		close(g.changed)
		g.changed = nil
	}
}

// wait sits a verdict out, for others to see.
func (g *Governor) wait(ctx context.Context, r ruling) error {
	g.mark(r.verdict, 1)
	defer g.mark(r.verdict, -1)
	timer := time.NewTimer(r.wait)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-r.changed:
	case <-ctx.Done():
		return ctx.Err()
	}
	return nil
}

func (g *Governor) mark(v verdict, step int) {
	if v.why == "" {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.waits.add(v.why, step)
	g.latest = v
}

// Waiting says until when, and why, callers wait now.
func (g *Governor) Waiting() (until time.Time, why Reason, ok bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.waits.gravest() == "" {
		return time.Time{}, "", false
	}
	return g.clock.shown(g.latest.at), g.latest.why, true
}

// Waited is for how long at least one caller has waited, --rate aside, and why.
// The times add up to all the time spent waiting.
func (g *Governor) Waited() map[Reason]time.Duration {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.waits.totals()
}

// Quota is what is known of one of the account's limits.
type Quota struct {
	Known               bool
	Limit, Left, Usable int       // requests; Usable of the limit, the reserve being kept
	Reset               time.Time // by this machine's clock
}

// Allowance is what is known of the account's limits, for forecasts.
type Allowance struct{ Minute, Day Quota }

// Allowance returns what the replies so far have told.
func (g *Governor) Allowance() Allowance {
	g.mu.Lock()
	defer g.mu.Unlock()
	quota := func(w window) Quota {
		if !w.known() {
			return Quota{}
		}
		return Quota{true, w.limit, w.left, usable(w.limit, g.account.reserve), g.clock.shown(w.ends(g.account.skew))}
	}
	return Allowance{quota(g.account.minute), quota(g.account.day)}
}
