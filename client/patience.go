package client

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/cenkalti/backoff/v5"
)

// Patience is how an unanswering server is asked again: Tries attempts for one
// thing, with waits that double from First up to Most; and for how long it may
// answer nothing at all before a run gives up. Spoilt, unless it is 0, is how many of
// the attempts the server may spoil though it answers: a run that can do without
// the answer need not wait until the server is mended.
type Patience struct {
	Tries       int
	First, Most time.Duration
	Outage      time.Duration
	Spoilt      int
}

// tries is how often an unanswering server is asked for one thing.
const tries = 8

// PatienceFor returns the schedule for an account's server: more than ten minutes,
// since a server that is restarted or a network that is mended takes minutes; on a
// loopback address, where nothing of the kind is to be waited for, a few seconds.
func PatienceFor(baseURL string) Patience {
	if Loopback(baseURL) {
		return Patience{Tries: tries, First: 50 * time.Millisecond, Most: time.Second, Outage: 15 * time.Second}
	}
	return Patience{Tries: tries, First: 6 * time.Second, Most: 320 * time.Second, Outage: 10 * time.Minute}
}

// Patiently repeats a call that is no row's (a list page, a search) until it is
// answered, refused, or was made often enough. It returns the last reply, at once
// when ctx ends.
func Patiently(ctx context.Context, p Patience, call func() Reply) Reply {
	waits := &backoff.ExponentialBackOff{InitialInterval: p.First, MaxInterval: p.Most, Multiplier: 2}
	spoilt := 0
	for tried := 1; ; tried++ {
		rep := call()
		if rep.spoilt() {
			spoilt++
		}
		if tried >= p.Tries || p.Spoilt > 0 && spoilt >= p.Spoilt || !rep.again() {
			return rep
		}
		timer := time.NewTimer(waits.NextBackOff())
		select {
		case <-timer.C:
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

// spoilt says that the server is there, and fails over this very request: with
// 500, or with something else than was asked for. 502 to 504 come from whoever
// stands before a server that is not there.
func (r Reply) spoilt() bool {
	return r.Class == Lost && (r.Status == http.StatusOK || r.Status == http.StatusInternalServerError)
}
