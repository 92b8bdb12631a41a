package journal

import (
	"fmt"
	"time"

	"rowbatch/batch"
)

// ResumeOptions say how a stopped run is gone on with.
type ResumeOptions struct {
	Again   func(batch.Outcome) bool // which settled rows are tried once more all the same
	Attempt time.Duration            // the longest that one write may have been on its way
	Settle  time.Duration            // from the end of an unanswered write to its read-back
}

// Resumed yields what a stopped run has left to do: of src, which yields the
// run's rows as they were at first, those that x has not settled. Rows whose
// write was not answered come with it, to be read back; a settled row comes only
// to tell its lane.
func Resumed(src batch.Source, x *Index, o ResumeOptions) batch.Source {
	return func(yield func(*batch.Item, error) bool) {
		open := map[string]bool{} // lanes in which a row is tried again
		for it, err := range src {
			if err == nil {
				err = o.resume(it, x, open)
			}
			if !yield(it, err) || err != nil {
				return
			}
		}
	}
}

// resume makes of a row's first item what is left to do of it.
func (opts ResumeOptions) resume(it *batch.Item, x *Index, open map[string]bool) error {
	o, err := x.Outcome(it.N)
	if err != nil {
		return err
	}
	sends := int(x.sends[it.N])
	if o.Refused() { // none of them may have had an effect
		sends = 0
	}
	maySend := it.Action == nil || o.Refused() || o.Sends < it.Action.MaxSends()
	switch {
	case o.Kind == batch.InDoubt:
		if it.Action == nil {
			return fmt.Errorf("row %d has sent a write, and its action is not known", it.N)
		}
		if o.CanSendAgain() && opts.Again(o) {
			sends = 0 // as often as at first: the same values do no harm
		}
		it.Writes = batch.Writes{Sent: o.Changes, Sends: sends, Unanswered: true}
		it.Earlier.Sends = it.Sends
		it.ID, it.Out = o.ID, nil
		sent, err := x.Sent(it.N)
		if err != nil {
			return err
		}
		// Its attempt ended with the process that made it, or when it had lasted as long as it might.
		ended, now := sent.At.Add(opts.Attempt), time.Now()
		if ended.After(now) {
			ended = now
		}
		it.Earlier.Settle = ended.Add(opts.Settle)
	case o.Kind == batch.NotAttempted, opts.Again(o) && maySend, o.Code == "earlier_row_failed" && open[it.Lane]:
		it.Writes, it.Earlier.Sends = batch.Writes{Sends: sends, Unanswered: o.Lost}, sends
		if o.Kind != batch.NotAttempted {
			it.Earlier.Outcome = &o
		}
	default:
		it.Earlier, it.Out = batch.History{Outcome: &o, Settled: true}, nil
		return nil
	}
	it.Spent = max(it.Spent, o.Requests)
	open[it.Lane] = true
	return nil
}
