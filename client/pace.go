package client

import (
	"context"
	"sync"

	"golang.org/x/time/rate"
)

// BlindRate is asked of a server that tells nothing of its limits: six tenths of
// a live account's default, over a sandbox's, whose 429 then shuts the gate.
const (
	BlindRate  = rate.Limit(10)
	blindBurst = 4
)

// pacer spreads requests in time; a nil pacer does not. Tokens of requests that were not
// made pay for later ones: a visit that finds nothing to write shall not halve the rate.
type pacer struct {
	*rate.Limiter
	mu    sync.Mutex
	spare int
}

func newPacer(r rate.Limit, burst int) *pacer {
	return &pacer{Limiter: rate.NewLimiter(r, max(1, burst))}
}

// pay waits until n requests may be made.
func (p *pacer) pay(ctx context.Context, n int) error {
	if p == nil {
		return nil
	}
	for range n - p.draw(n) {
		if err := p.Wait(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (p *pacer) draw(n int) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	n = min(n, p.spare)
	p.spare -= n
	return n
}

// refund keeps tokens for later, no more than a burst of them.
func (p *pacer) refund(n int) {
	if p == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.spare = min(p.spare+n, p.Burst())
}
