package web_test

import (
	"errors"

	"rowbatch/batch/invariants"
	"rowbatch/batch/runs"
)

// checkRuns holds all runs of the office against what must always be so of a run, and
// against the stand-in's ledger. None was killed.
func (o *office) checkRuns() {
	o.Helper()
	o.checkRunsThat(true)
}

// checkRunsThat checks runs that have ended, or were killed.
func (o *office) checkRunsThat(ended bool) {
	o.Helper()
	ledger, err := invariants.ReadLedger(o.dir)
	o.must(err)
	all, err := runs.List(runs.Disk(), o.reports)
	o.must(err)
	known := map[string]*invariants.Run{}
	for _, i := range all {
		if i.Damage != nil && !ended {
			continue // killed before its journal had a first record
		}
		o.must(i.Damage)
		d, err := runs.Open(runs.Disk(), o.reports, i.ID)
		o.must(err)
		known[i.ID], err = invariants.Read(d)
		o.must(err)
	}
	if len(all) == 0 {
		o.must(errors.New("there are no runs"))
	}
	for n := range all { // newest first
		run := known[all[n].ID]
		if run == nil {
			continue
		}
		c := invariants.Case{Run: run, Of: known[run.Head.Of], Ledger: &invariants.Ledger{Born: ledger.Born},
			Reported: ended, Ended: ended && run.Complete()}
		for _, e := range ledger.Effects {
			if !e.At.Before(run.Head.Started) && (n == 0 || e.At.Before(all[n-1].Head.Started)) {
				c.Ledger.Effects = append(c.Ledger.Effects, e)
			}
		}
		breaches, err := c.Breaches()
		o.must(err)
		for _, b := range breaches {
			o.Errorf("%s: %s", all[n].ID, b)
		}
	}
}
