package batch

import (
	"cmp"
	"time"

	"github.com/cenkalti/backoff/v5"
)

// task is a row on its way through the engine.
type task struct {
	*Item
	pool     *pool
	canary   *canary
	started  time.Time
	due      time.Time // of a parked row
	requests int       // made for this row by this process
	tries    int       // in a row that brought no answer
	waits    *backoff.ExponentialBackOff
	status   int      // HTTP status of the last reply
	seen     Record   // as last read
	planned  []Change // dry run: what earlier rows of the lane would change
	after    *written // what an earlier row of the lane wrote
	late     lateness

	lastWrite
	postponed int      // times that it was put off until the other rows are done
	changed   int      // rows that were changed when it was last tried
	refused   *Outcome // what stands if it is not tried again
}

// lastWrite is what was last sent for a row, and how that was answered.
type lastWrite struct {
	step      Step
	doubted   *doubt // until a reading settles it
	refusal   *Reply // until a reading has shown that the write had no effect
	unsettled bool   // an earlier write may have taken effect, and nothing can tell
}

// doubt is about an answered write that is to be looked at.
type doubt struct {
	hint  *Outcome  // what its reply seemed to show amiss; nil: nothing
	since time.Time // when that came
	stale bool      // a reading has shown the customer as before
}

// lateness is of a row's record, when it is too old for the write by the time that that could leave.
type lateness struct {
	body  []byte // of the record as last read
	slow  int    // readings that themselves took too long, one after the other
	times int    // that its intent was on disk already
}

const (
	mostSlow = 3
	mostLate = 8
)

// outcome completes o with what is known of the row.
func (t *task) outcome(o Outcome) Outcome {
	if o.Code == "no_answer" {
		if o.Code = Unanswered(t.Sent); o.CanSendAgain() {
			o.Error += "; the API shows no customer by which to tell whether one took effect"
		}
	}
	if o.Kind.WasSent() {
		o.Warnings = append(o.Warnings, t.step.Warnings...)
	}
	o.ID, o.Sends, o.Lost, o.Requests = t.ID, t.Sends, t.Unanswered, t.requests+t.Spent
	o.Customer, o.Status, o.Standing = t.seen.Name, cmp.Or(o.Status, t.seen.Status), t.seen.Standing
	o.HTTP, o.Twofold = cmp.Or(o.HTTP, t.status), t.seen.Twofold
	o.At = time.Now().UTC()
	if !t.started.IsZero() {
		o.Millis = o.At.Sub(t.started).Milliseconds()
	}
	return o
}

// cutShort is the outcome of a row that the stop of the run overtook.
func (t *task) cutShort() Outcome {
	if t.Sent != nil {
		return t.outcome(Outcome{Kind: InDoubt, Cut: true, Code: "no_answer",
			Error: "the run stopped before it was known whether the write took effect"})
	}
	return t.outcome(Outcome{Kind: NotAttempted, Cut: true, Code: "stopped"})
}

// result is what a turn brought.
type result struct {
	task *task
	next next
	out  Outcome       // of a row that ends; of one that is put off, what stands if it is not tried again
	wait time.Duration // of a row that is parked
}

// next is what becomes of a row after a visit.
type next int

const (
	end      next = iota
	park          // another visit after a while
	postpone      // another visit when all other rows are done
	repeat        // another visit at once, by the same worker
)
