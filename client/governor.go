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
// knows nothing, and stops all when the server throttles or does not answer.
type Governor struct {
	waitDay bool
	outage  time.Duration
	rate    *pacer // nil: none was asked for
	blind   *pacer
	turn    chan struct{} // its holder is the next to be admitted

	mu      sync.Mutex
	account account
	changed chan struct{} // closed, and made anew, when a waiter should look again
	waits   int           // callers that wait for a reason to be shown
	latest  verdict       // of one of them
	limited stopwatch     // of those that wait for the account's limit
}

// NewGovernor returns the governor of one account.
func NewGovernor(l Limits) *Governor {
	g := &Governor{
		waitDay: l.WaitDay,
		outage:  l.Outage,
		blind:   newPacer(BlindRate, blindBurst),
		turn:    make(chan struct{}, 1),
		account: newAccount(l.Reserve),
		changed: make(chan struct{}),
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
		v, changed := g.try(l, n)
		switch {
		case v.ok:
			return nil
		case g.gaveUp(v):
			return &DayLimitError{Until: v.at}
		case v.why == outage:
			if err := g.unreachable(); err != nil {
				return err
			}
		}
		if err := g.wait(ctx, v, changed); err != nil {
			return err
		}
	}
}

// try gives the lease its permits when they are to be had now.
func (g *Governor) try(l *Lease, n int) (verdict, <-chan struct{}) {
	g.mu.Lock()
	defer g.mu.Unlock()
	now := wallClock()
	g.account.roll(now)
	v := g.account.admit(now, n, l.reserve)
	if v.ok {
		g.account.give(l, n)
	}
	return v, g.changed
}

// gaveUp says that the day's limit is to be reported, not waited for. A wait that
// is over within a minute is no reason to stop a run.
func (g *Governor) gaveUp(v verdict) bool {
	return !g.waitDay && v.why == dayLimit && v.floor && time.Until(v.at) > time.Minute
}

// unreachable says that the outage has lasted long enough.
func (g *Governor) unreachable() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.outage > 0 && g.account.silentFor(wallClock()) >= g.outage {
		return &OutageError{Since: g.account.silent, Last: g.account.lastWords}
	}
	return nil
}

// pause waits for a time, an event or the context's end, but never above a
// minute: timers stand still while a laptop sleeps.
func pause(ctx context.Context, until time.Time, event <-chan struct{}) error {
	wait := time.Minute
	if !until.IsZero() {
		wait = min(wait, until.Sub(wallClock()))
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-event:
	case <-ctx.Done():
		return ctx.Err()
	}
	return nil
}

// wallClock drops the monotonic reading, which stands still while a laptop sleeps.
func wallClock() time.Time { return time.Now().Round(0) }

// update changes the account and has every waiter look again.
func (g *Governor) update(change func(*account)) {
	g.mu.Lock()
	defer g.mu.Unlock()
	change(&g.account)
	close(g.changed)
	g.changed = make(chan struct{})
}

// wait sits a verdict out, for others to see.
func (g *Governor) wait(ctx context.Context, v verdict, changed <-chan struct{}) error {
	g.mark(v, 1)
	defer g.mark(v, -1)
	return pause(ctx, v.at, changed)
}

func (g *Governor) mark(v verdict, step int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if v.why == "" {
		return
	}
	g.waits += step
	g.latest = v
	if v.why != outage {
		g.limited.add(step)
	}
}

// Waiting says until when, and for what reason, callers wait now: "minute's
// limit", "day's limit", "server asks for a pause" or "outage".
func (g *Governor) Waiting() (until time.Time, reason string, ok bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.waits == 0 {
		return time.Time{}, "", false
	}
	return g.latest.at, g.latest.why, true
}

// Waited is for how long at least one caller has waited for the account, --rate aside.
func (g *Governor) Waited() time.Duration {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.limited.total()
}

// Quota is what is known of one of the account's limits.
type Quota struct {
	Known               bool
	Limit, Left, Usable int       // requests; Usable of the limit, the reserve being kept
	Reset               time.Time // by this machine's clock
}

// Allowance is what is known of the account's limits, for forecasts.
type Allowance struct{ Minute, Day Quota }

func (g *Governor) Allowance() Allowance {
	g.mu.Lock()
	defer g.mu.Unlock()
	quota := func(w window) Quota {
		if !w.known() {
			return Quota{}
		}
		return Quota{true, w.limit, w.left, usable(w.limit, g.account.reserve), w.ends(g.account.skew)}
	}
	return Allowance{quota(g.account.minute), quota(g.account.day)}
}
