package client

import (
	"context"
	"errors"
	"time"

	"github.com/cenkalti/backoff/v5"
)

// Tries is how often an unanswering server is asked.
const Tries = 8

// Pauses returns the waits between Tries attempts: 5 s, doubled each time, more
// than ten minutes in all; on a loopback address 50 ms, doubled up to 1 s.
func Pauses(baseURL string) backoff.BackOff {
	p := &backoff.ExponentialBackOff{InitialInterval: 5 * time.Second, MaxInterval: 320 * time.Second, Multiplier: 2}
	if Loopback(baseURL) {
		p.InitialInterval, p.MaxInterval = 50*time.Millisecond, time.Second
	}
	return p
}

// Patiently repeats a call that is no row's (a list page, a search) until it is
// answered, refused, or was made tries times. It returns the last reply, at once
// when stop is closed or ctx ends.
func Patiently(ctx context.Context, stop <-chan struct{}, tries int, pause backoff.BackOff, call func() Reply) Reply {
	for {
		rep := call()
		tries--
		if tries <= 0 || !rep.again() {
			return rep
		}
		timer := time.NewTimer(pause.NextBackOff())
		select {
		case <-timer.C:
		case <-stop:
			timer.Stop()
			return rep
		case <-ctx.Done():
			timer.Stop()
			return rep
		}
	}
}

// again says that the same call may fare better later.
func (r Reply) again() bool {
	if EndsRun(r.Err) || errors.Is(r.Err, context.Canceled) {
		return false
	}
	return r.Class == Lost || r.Class == Unsent || r.Class == Throttled
}
