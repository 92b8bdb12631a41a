package client

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/cenkalti/backoff/v5"

	"rowbatch/client/governor"
)

// Class says what a reply means for who asked.
type Class int

const (
	Answered  Class = iota // a readable success
	Refused                // the server understood and said no: no effect
	Throttled              // 429: no effect, again later
	Unsent                 // nothing left this machine: no effect, again later
	Lost                   // no usable answer: a write may have taken effect
	NoAccess               // credentials, certificate or address: no other request will fare better
)

func (c Class) String() string {
	return [...]string{"answered", "refused", "throttled", "unsent", "lost", "no access"}[c]
}

// Reply is the answer to exactly one attempt.
type Reply struct {
	Class    Class
	Status   int // HTTP status; 0: none came
	Header   http.Header
	Body     []byte // of an Answered reply: valid JSON of the kind asked for (anything for a Ping), not over the cap
	Err      error  // nil when Answered; its text is for people
	Requests int    // that reached a connection: 2 when the transport repeated a GET on a stale one
	Sent     time.Time
	Received time.Time // when the body had been read
}

// observation is what the reply tells the governor.
func (r Reply) observation() governor.Observation {
	o := governor.Observation{Counted: r.Status != 0 || r.Class == Lost, Header: r.Header, Sent: r.Sent, Received: r.Received, Err: r.Err}
	switch {
	case errors.Is(r.Err, context.Canceled): // the caller's doing
	case r.Class == Throttled:
		o.Ending = governor.Throttled
	case r.Class == Lost, r.Class == Unsent:
		o.Ending = governor.Unanswered
	case r.Status != 0:
		o.Ending = governor.Answered
	}
	return o
}

// spoilt reports whether the server is there, and fails over this very request: with
// 500, or with something else than was asked for. 502 to 504 come from whoever
// stands before a server that is not there.
func (r Reply) spoilt() bool {
	return r.Class == Lost && (r.Status == http.StatusOK || r.Status == http.StatusInternalServerError)
}

// Patience is how an unanswering server is asked again: Tries attempts for one
// thing, with waits that double from First up to Most; and for how long it may
// answer nothing at all before a run gives up.
type Patience struct {
	Tries       int
	First, Most time.Duration
	Outage      time.Duration
}

// PatienceFor returns the schedule for an account's server: more than ten minutes,
// since a server that is restarted or a network that is mended takes minutes; on a
// loopback address, where nothing of the kind is to be waited for, a few seconds.
func PatienceFor(baseURL string) Patience {
	if Loopback(baseURL) {
		return Patience{Tries: governor.Tries, First: 50 * time.Millisecond, Most: time.Second, Outage: 15 * time.Second}
	}
	return Patience{Tries: governor.Tries, First: 6 * time.Second, Most: 320 * time.Second, Outage: 10 * time.Minute}
}

// Waits returns the waits between the attempts for one thing. Each is up to a tenth
// longer or shorter, so that rows which one outage held up do not return all at once.
func (p Patience) Waits() *backoff.ExponentialBackOff {
	return &backoff.ExponentialBackOff{InitialInterval: p.First, MaxInterval: p.Most, Multiplier: 2, RandomizationFactor: 0.1}
}

// repeat makes a call until it is answered, refused, or was made often enough. It may be
// told how many of the attempts the server may spoil though it answers: who can do
// without the answer need not wait until the server is mended.
func (p Patience) repeat(ctx context.Context, mostSpoilt int, call func() Reply) Reply {
	waits := p.Waits()
	waits.RandomizationFactor = 0
	spoilt := 0
	for tried := 1; ; tried++ {
		rep := call()
		if rep.spoilt() {
			spoilt++
		}
		again := rep.Class == Lost || rep.Class == Unsent || rep.Class == Throttled
		if !again || EndsRun(rep.Err) || errors.Is(rep.Err, context.Canceled) ||
			tried >= p.Tries || mostSpoilt > 0 && spoilt >= mostSpoilt {
			return rep
		}
		select {
		case <-time.After(waits.NextBackOff()):
		case <-ctx.Done():
			return rep
		}
	}
}
