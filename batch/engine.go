package batch

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"github.com/cenkalti/backoff/v5"
	"golang.org/x/sync/errgroup"
)

// Engine carries out the rows of a run.
type Engine struct {
	Options
	Stops
	Journal Recorder
	Emit    func(*Item, Outcome) // called for every row as it is settled, by one goroutine

	// MayWrite, unless it is nil, is asked before each write's intent. If it reports
	// false the row is not attempted.
	MayWrite func() bool

	// Final reports whether an outcome is the row's last word; others are not recorded.
	// nil: all are final.
	Final func(*Item, Outcome) bool
}

// Options are the engine's settings. The zero Send is the whole of a dry run.
type Options struct {
	Workers map[string]int // requests in flight, by Action.System; at least 1
	Send    bool           // false: decide, and send nothing
	Settle  time.Duration  // from the end of an unanswered write to its read-back
	Fresh   time.Duration  // a write leaves at most this long after its read was asked for, else the record is read again
	Clock   Clock          // by which that is told; nil: the machine's
	Strict  bool           // a first write that was accepted without taking the value stops the run

	// A server that does not answer is asked so often for one row, with such waits
	// between: random ones, so that rows parked by one outage do not return all at once.
	Tries int
	Waits func() *backoff.ExponentialBackOff
}

// Stops are the two ways in which a run ends early.
type Stops struct {
	Stop  context.Context         // ended: no further row is begun, and none is waited for
	Abort context.Context         // ended: requests under way are cut off
	Halt  context.CancelCauseFunc // ends Stop, with the reason
}

// Recorder is all that the engine knows of a journal. Its methods are called from
// several goroutines. After an error it takes nothing more.
type Recorder interface {
	// Intent records that a row's write is about to leave, and returns when that is on disk.
	Intent(row int, found Found, changes []Change) error
	// Done records a row's outcome, which may reach the disk later: losing it costs
	// a read-back, and never a second write.
	Done(row int, o Outcome) error
}

// Run carries out all rows of src. The error is the journal's or the source's: a
// row's trouble is in its outcome, and why a run stopped is the cause of Stop's end.
func (e *Engine) Run(src Source) error {
	var workers errgroup.Group // without a context of its own: one worker's error must not cut off another's answer
	d := &dispatcher{e: e, results: make(chan *result),
		pools: map[string]*pool{}, canaries: map[string]*canary{}, lanes: map[string]*lane{}}
	d.work = func(tasks <-chan *task) {
		workers.Go(func() (failed error) {
			for t := range tasks {
				v := &visitor{e: e, t: t}
				r, err := v.turn()
				if err != nil && failed == nil {
					failed = err
					e.Halt(err)
				}
				d.results <- r
			}
			return failed
		})
	}
	err := d.run(src)
	for _, p := range d.pools {
		close(p.tasks)
	}
	return cmp.Or(err, workers.Wait())
}

func (e *Engine) stopped() bool { return e.Stop.Err() != nil }

// Conclude records a row's outcome and passes it on. From outside it serves rows
// that end before the engine meets them, such as those whose look-up fails.
func (e *Engine) Conclude(it *Item, o Outcome) error {
	if it.Earlier.Outcome != nil && o.Kind == NotAttempted && it.Sends == it.Earlier.Sends {
		o = *it.Earlier.Outcome
	}
	o.Key, o.ID = it.Key, cmp.Or(o.ID, it.ID)
	if o.At.IsZero() {
		o.At = time.Now().UTC()
	}
	o.Requests = max(o.Requests, it.Spent)
	var err error
	if e.Final == nil || e.Final(it, o) {
		err = e.Journal.Done(it.N, o)
	}
	e.Emit(it, o)
	return err
}

// SideEffectError stops a run whose first write moved something it should not have.
type SideEffectError struct{ Key, Text string }

func (e *SideEffectError) Error() string {
	return fmt.Sprintf("the first write, to %s, did more than it should: %s", e.Key, e.Text)
}

// Clock tells the time twice: by the calendar, which goes on while the machine
// sleeps and can be set, and by a clock that nobody sets and that may stand still
// meanwhile.
type Clock func() (calendar, steady time.Time)

// instant is a time by both clocks.
type instant struct{ calendar, steady time.Time }

func (c Clock) now() instant {
	if c == nil {
		now := time.Now()
		return instant{now.Round(0), now}
	}
	calendar, steady := c()
	return instant{calendar, steady}
}

// mostDrift is by how much the clocks may disagree about a few seconds.
const mostDrift = time.Second

// within reports whether at most d has passed since then. After a jump of either
// clock nobody knows, and it has not.
func (c Clock) within(d time.Duration, then instant) bool {
	now := c.now()
	calendar, steady := now.calendar.Sub(then.calendar), now.steady.Sub(then.steady)
	return max(calendar, steady) <= d && (calendar-steady).Abs() <= mostDrift
}
