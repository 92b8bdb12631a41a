package batch

import (
	"fmt"
	"strings"
	"time"
)

// Sent is the last write of a row, as the journal tells it.
type Sent struct {
	N       int
	Found   Found // the record before it, and how the row named the customer
	Changes []Change
	Outcome Outcome   // what became of it
	At      time.Time // when it was about to leave
}

// Sent returns row n's last write; nil when none left.
func (x *Index) Sent(n int) (*Sent, error) {
	at, sent := x.intent.at(n)
	if !sent {
		return nil, nil
	}
	e, err := x.entry(at)
	if err != nil {
		return nil, err
	}
	o, err := x.Outcome(n)
	return &Sent{N: n, Found: *e.Found, Changes: e.Changes, Outcome: o, At: e.At}, err
}

// Wrote says that a write has left.
func (x *Index) Wrote() bool {
	return x.intent.any()
}

// Witnesses returns up to most customers whom the run has read, with the id, the
// time of creation and the currency that they were found with.
func (x *Index) Witnesses(most int) (all []Record, err error) {
	for n := range x.Head.Rows {
		var r Record
		switch {
		case len(all) == most:
			return all, nil
		case x.intent.has(n):
			sent, err := x.Sent(n)
			if err != nil {
				return nil, err
			}
			r = sent.Found.Record
		case x.done.has(n):
			o, err := x.Outcome(n)
			if err != nil {
				return nil, err
			}
			r = Record{ID: o.ID, Created: o.Created, Currency: o.Currency}
		}
		if r.ID != "" && r.Created != "" {
			all = append(all, r)
		}
	}
	return all, nil
}

// Costs is what the run has cost so far. Of a process that was killed only the
// requests of rows with an outcome are known.
func (x *Index) Costs() End {
	if x.End != nil {
		return *x.End
	}
	var e End
	for n := range x.Head.Rows {
		o, err := x.Outcome(n)
		if err != nil {
			continue // whoever needs the row itself is told
		}
		e.Writes += o.Sends
		e.Reads += max(0, o.Requests-o.Sends)
	}
	return e
}

// MayHaveTaken says that the write may have had an effect.
func (s *Sent) MayHaveTaken() bool { return s.Outcome.Kind.WasSent() && !s.Outcome.refused() }

// Settled says that the rows of a run that ends so need no further visit.
func (k Kind) Settled() bool { return k != NotAttempted && k != InDoubt }

// Resumed yields what a stopped run has left to do: of src, which yields the
// run's rows as they were at first, those that x has not settled. Rows whose
// write was not answered come with it, to be read back; a settled row comes only
// to tell its lane.
func Resumed(src Source, x *Index, o ResumeOptions) Source {
	return func(yield func(*Item, error) bool) {
		open := map[string]bool{} // lanes in which a row is tried again
		for it, err := range src {
			if err == nil {
				err = resume(it, x, o, open)
			}
			if !yield(it, err) || err != nil {
				return
			}
		}
	}
}

// ResumeOptions say how a stopped run is gone on with.
type ResumeOptions struct {
	Again   func(Outcome) bool // which settled rows are tried once more all the same
	Attempt time.Duration      // the longest that one write may have been on its way
	Settle  time.Duration      // from the end of an unanswered write to its read-back
}

// resume makes of a row's first item what is left to do of it.
func resume(it *Item, x *Index, opts ResumeOptions, open map[string]bool) error {
	o, err := x.Outcome(it.N)
	if err != nil {
		return err
	}
	switch {
	case o.Kind == InDoubt:
		if it.Action == nil {
			return fmt.Errorf("row %d has sent a write, and its action is not known", it.N)
		}
		it.Sent, it.Sends, it.Earlier, it.Unanswered = o.Changes, x.sent(it.N), x.sent(it.N), true
		it.ID, it.Out = o.ID, nil
		sent, err := x.Sent(it.N)
		if err != nil {
			return err
		}
		it.Settle = settleTime(sent.At, time.Now(), opts)
	case o.Kind == NotAttempted, opts.Again(o) && it.maySend(o), o.Code == "earlier_row_failed" && open[it.Lane]:
		it.Sends, it.Unanswered = o.unrefused(x.sent(it.N)), o.Lost
		it.Earlier = it.Sends
		if o.Kind != NotAttempted {
			it.Verdict = &o
		}
	default:
		it.Past, it.Out = &o, nil
		return nil
	}
	it.Spent = max(it.Spent, o.Requests)
	open[it.Lane] = true
	return nil
}

// refused says that the server took no write of the row.
func (o Outcome) refused() bool {
	return !o.Lost && (strings.HasPrefix(o.Code, "http_") || o.Code == "already_linked" || !o.Kind.WasSent())
}

// unrefused is how many of a row's writes may have had an effect.
func (o Outcome) unrefused(sends int) int {
	if o.refused() {
		return 0
	}
	return sends
}

// maySend says that the row's write may leave once more.
func (it *Item) maySend(o Outcome) bool {
	return it.Action == nil || o.unrefused(o.Sends) < it.Action.MaxSends()
}

// settleTime is when a write of a process that is gone may be read back. Its
// attempt ended with that process, or when it had lasted as long as it might.
func settleTime(sent, now time.Time, o ResumeOptions) time.Time {
	ended := sent.Add(o.Attempt)
	if ended.After(now) {
		ended = now
	}
	return ended.Add(o.Settle)
}
