package batch

import (
	"time"

	"github.com/cenkalti/backoff/v5"
)

// Patience is how often, and over how long, a server that does not answer is
// asked again for one row. The waits double from First up to Most.
type Patience struct {
	Tries       int
	First, Most time.Duration
}

func (p Patience) waits() *backoff.ExponentialBackOff {
	return &backoff.ExponentialBackOff{
		InitialInterval: p.First, MaxInterval: p.Most, Multiplier: 2,
		RandomizationFactor: 0.1, // so that rows parked by one outage do not return as one herd
	}
}
