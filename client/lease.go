package client

import (
	"context"
	"time"
)

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
// permits for them needs none. The error is as Lease's.
func (l *Lease) More(ctx context.Context, n int) error {
	if l == nil {
		return nil
	}
	if n -= l.unused(); n <= 0 {
		return nil
	}
	return l.governor.acquire(ctx, l, n)
}

func (l *Lease) unused() int {
	l.governor.mu.Lock()
	defer l.governor.mu.Unlock()
	return l.left
}

// Close gives back what was not used.
func (l *Lease) Close() {
	if l == nil {
		return
	}
	unused := 0
	l.governor.update(func(a *account, _ time.Time) {
		unused, l.left = l.left, 0
		a.takeBack(l, unused)
	})
	l.governor.pacer().refund(unused)
}

// start uses one permit, and takes a further one when none is left.
func (l *Lease) start(ctx context.Context) error {
	if l == nil {
		return nil
	}
	if err := l.More(ctx, 1); err != nil {
		return err
	}
	l.governor.mu.Lock()
	defer l.governor.mu.Unlock()
	l.governor.account.leave(l)
	return nil
}

// settle ends a permit that was used: the reply, or its failing to come, is learned from.
func (l *Lease) settle(rep Reply) {
	if l == nil {
		return
	}
	said := l.governor.account.read(rep)
	l.governor.update(func(a *account, now time.Time) {
		a.takeBack(l, 1)
		a.flying--
		machine := time.Now()
		rep.Sent, rep.Received = now.Add(-ago(rep.Sent, machine)), now.Add(-ago(rep.Received, machine))
		a.settle(l.request, rep, said, now)
	})
}
