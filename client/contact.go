package client

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"syscall"
	"time"
)

// contact is the way to an address that has not answered yet. It may be the wrong one,
// and then no patience helps; or its server is just starting. So it is tried for a
// short time by one caller, and all others wait for what he finds.
type contact struct {
	base    string
	limit   time.Duration // for how long it is tried; 0: its failures are like any other
	stopped <-chan struct{}
	told    func(error) // of the first failure; nil: nobody is

	turn   chan struct{} // its holder makes the attempts, and keeps
	reason error         // why the last failed, unless only its time was up
	mu     sync.Mutex
	since  time.Time // when the first attempt began
	astray string    // the path that was first found to be unknown
}

// soonest is the first wait between two attempts; each is twice the one before, and a second at most.
const soonest = 50 * time.Millisecond

// until is when the address is given up.
func (c *contact) until() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.since.IsZero() {
		c.since = time.Now()
	}
	return c.since.Add(c.limit)
}

// cut ends an attempt that still has no connection when the address is given up.
func (c *contact) cut(cancel func(), unconnected func() bool) (done func() bool) {
	return time.AfterFunc(time.Until(c.until()), func() {
		if unconnected() {
			cancel()
		}
	}).Stop
}

// isStray takes note of a path that the server does not know, and reports whether it is
// the second: of one alone it may be the customer who is missing. A list is about nobody.
func (c *contact) isStray(path string, kind kind) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.astray == "" {
		c.astray = path
		return false
	}
	return c.astray != path || kind == list
}

// first goes on with an attempt at an address that has never answered, until one is
// answered, or the address is given up. A write goes on only while it has not left.
func (c *contact) first(ctx context.Context, rep Reply, isRead bool, replied func() bool, attempt func() Reply) Reply {
	select {
	case c.turn <- struct{}{}:
		defer func() { <-c.turn }()
	case <-ctx.Done():
		return rep
	}
	for wait := soonest; ; wait = min(2*wait, time.Second) {
		again := rep.Class == Unsent || rep.Class == Lost && isRead
		if replied() || !again || errors.Is(rep.Err, context.Canceled) {
			return rep
		}
		left := time.Until(c.until())
		if failed := c.unanswered(rep.Err, left); failed != nil {
			rep.Class, rep.Err = NoAccess, failed
			return rep
		}
		select {
		case <-time.After(min(wait, left)):
		case <-ctx.Done():
			return rep
		case <-c.stopped:
			return rep
		}
		requests := rep.Requests
		rep = attempt()
		rep.Requests += requests
	}
}

// unanswered tells of the first failure, and gives the address up after the last. The
// holder of the turn calls it.
func (c *contact) unanswered(err error, left time.Duration) (failed error) {
	cutOff := errors.Is(err, context.DeadlineExceeded)
	if unsent, is := errors.AsType[*UnsentError](err); is {
		err = errors.New(inWords(unsent.Err) + visible(unsent.Err.Error())) // without its advice
	}
	if !cutOff || c.reason == nil {
		c.reason = err
	}
	err = c.reason
	const try = "check the URL and the network, and whether the server runs"
	if left <= 0 {
		return &AccessError{0, fmt.Sprintf("%s has not answered within %s: %v", c.base, c.limit, err), try}
	}
	if told := c.told; told != nil {
		c.told = nil
		told(fmt.Errorf("%s does not answer: %w; trying again for %s (try: %s)", c.base, err, left.Round(time.Second), try))
	}
	return nil
}

// inWords says what Go's text of a failed connection means, and what stands before that.
func inWords(err error) string {
	if dns, is := errors.AsType[*net.DNSError](err); is && dns.IsNotFound {
		return "no such host: "
	}
	if errors.Is(err, syscall.ECONNREFUSED) {
		return "nobody listens there: "
	}
	return ""
}
