package batch

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"
)

// Recorder is all that the engine knows of a journal. Its methods are called from
// several goroutines.
type Recorder interface {
	// Intent records that a row's write is about to leave, and returns when that is on disk.
	Intent(row int, found Found, changes []Change) error
	// Done records a row's outcome, which may reach the disk later: losing it costs
	// a read-back, and never a second write.
	Done(row int, o Outcome) error
}

// Engine carries out the rows of a run.
type Engine struct {
	Options
	Journal Recorder
	Halt    context.CancelCauseFunc // ends the stop context with a reason
	Emit    func(*Item, Outcome)    // called for every row as it is settled, by one goroutine

	// MayWrite, unless it is nil, is asked before each write's intent. Where it says
	// no the row is not attempted.
	MayWrite func() bool

	// Final says that an outcome is the row's last word; others are not recorded.
	// nil: all are final.
	Final func(*Item, Outcome) bool

	first firstWrite
}

// SideEffectError stops a run whose first write moved something it should not have.
type SideEffectError struct{ Key, Text string }

func (e *SideEffectError) Error() string {
	return fmt.Sprintf("the first write, to %s, did more than it should: %s", e.Key, e.Text)
}

// Run carries out all rows of src. It stops early when the stop context ends;
// requests under way are cut off only when ctx ends. The error is the journal's
// or the source's: a row's trouble is in its outcome, and why a run stopped is
// the stop context's cause.
func (e *Engine) Run(ctx, stop context.Context, src Source) error {
	results := make(chan result)
	var workers errgroup.Group // without a context of its own: one worker's error must not cut off another's answer
	work := func(tasks <-chan *task) error {
		var failed error
		for t := range tasks {
			r := e.turn(ctx, stop, t)
			if r.err != nil && failed == nil {
				failed = r.err
				e.Halt(r.err)
			}
			results <- r
		}
		return failed
	}
	pools := newPools(e.Workers, func(tasks <-chan *task) { workers.Go(func() error { return work(tasks) }) })
	err := newDispatcher(e, pools, results).run(stop, src)
	pools.close()
	return cmp.Or(err, workers.Wait()) // a worker's error has reached the dispatcher, unless that has one of its own
}

// Conclude records a row's outcome and passes it on. From outside it serves rows
// that end before the engine meets them, such as those whose look-up fails.
func (e *Engine) Conclude(it *Item, o Outcome) error {
	if it.Verdict != nil && o.Kind == NotAttempted && it.Sends == it.Earlier {
		o = *it.Verdict
	}
	o.Key = it.Key
	if o.ID == "" {
		o.ID = it.ID
	}
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
