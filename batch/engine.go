package batch

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"
)

// Engine carries out the rows of a run.
type Engine struct {
	Options
	Journal *Journal
	Halt    context.CancelCauseFunc // ends the stop context with a reason
	Emit    func(*Item, Outcome)    // called for every row as it is settled, by one goroutine

	// Final says that an outcome is the row's last word; others are not recorded.
	// nil: all are final.
	Final func(*Item, Outcome) bool

	first  firstWrite
	flight chan struct{} // a token for each request in flight
}

// SideEffectError stops a run whose first write moved something it should not have.
type SideEffectError struct{ Key, Text string }

func (e *SideEffectError) Error() string {
	return fmt.Sprintf("the first write, to %s, did more than it should: %s", e.Key, e.Text)
}

// rowsPerWorker is how many rows are on the way for each request in flight: a
// worker that waits for the disk must not leave a connection idle.
const rowsPerWorker = 4

// mostWaiting bounds the rows that are parked or queue behind a row of their own lane.
const mostWaiting = 1024

// Run carries out all rows of src. It stops early when the stop context ends;
// requests under way are cut off only when ctx ends. The error is the journal's
// or the source's: a row's trouble is in its outcome, and why a run stopped is
// the stop context's cause.
func (e *Engine) Run(ctx, stop context.Context, src Source) error {
	e.flight = make(chan struct{}, e.Workers)
	tasks, results := make(chan *task), make(chan result)
	var workers errgroup.Group // without a context of its own: one worker's error must not cut off another's answer
	for range e.Workers * rowsPerWorker {
		workers.Go(func() error {
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
		})
	}
	d := newDispatcher(e, tasks, results)
	err := d.run(stop, src)
	close(tasks)
	return cmp.Or(err, workers.Wait()) // a worker's error has reached the dispatcher, unless that has one of its own
}

// Conclude records a row's outcome and passes it on. From outside it serves rows
// that end before the engine meets them, such as those whose look-up fails.
func (e *Engine) Conclude(it *Item, o Outcome) error {
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
