package invariants

import (
	"bytes"
	"fmt"
	"slices"

	"rowbatch/batch"
)

// Requests are what a server counted while a run went on.
type Requests struct {
	Total     int // all that arrived
	Writes    int
	Throttled int // answered with 429, but for those that a fault made up
	Repeated  int // sent again after an attempt that brought no answer
}

// Pace returns the breaches of the limits on what a run may cost a server that is well.
func Pace(r Requests) []string {
	var b breaches
	if r.Throttled*100 > r.Total {
		b.add(9, "%d of %d requests were answered with 429", r.Throttled, r.Total)
	}
	if r.Repeated*10 > r.Total {
		b.add(9, "%d of %d requests were repetitions", r.Repeated, r.Total)
	}
	return b.all
}

// Looked returns the breaches of a command that only looks.
func Looked(r Requests) []string {
	var b breaches
	if r.Writes > 0 {
		b.add(13, "%d writes were sent", r.Writes)
	}
	return b.all
}

// Again returns the breaches of a resume of a run that was complete.
func Again(before, after *Run, r Requests) []string {
	var b breaches
	if r.Total > 0 {
		b.add(10, "the run was complete, and its resume made %d requests", r.Total)
	}
	if !bytes.Equal(before.journal, after.journal) {
		b.add(10, "the run was complete, and its resume wrote to the journal")
	}
	return b.all
}

// Resumed returns the breaches of a resume that was not told to try failed rows
// again. asked counts the requests about each Fusebill customer, by id; nil when
// they were not counted. calm: no fault was injected meanwhile.
func Resumed(before, after *Run, asked map[string]int, calm bool) []string {
	var b breaches
	if !bytes.HasPrefix(after.journal, before.journal) {
		b.add(12, "what the journal said before has been changed")
		return b.all
	}
	idle := map[string]bool{} // customers whose rows are all settled
	for _, was := range before.Outcomes {
		if was.Kind.Settled() && was.Code != "earlier_row_failed" && was.ID != "" {
			idle[was.ID] = true
		}
	}
	for n, was := range before.Outcomes {
		is := after.Outcomes[n]
		if !was.Kind.Settled() || was.Code == "earlier_row_failed" {
			delete(idle, is.ID)
			delete(idle, after.cell(n, "id"))
		}
		grown := len(after.byRow[n]) > len(before.byRow[n])
		switch written := grown && slices.ContainsFunc(after.byRow[n][len(before.byRow[n]):], (*record).isIntent); {
		case grown && was.Kind.Settled() && was.Code != "earlier_row_failed":
			b.add(12, "%s was settled (%s), and the journal says more of it", after.line(n), was.Kind)
		case was.Kind == batch.InDoubt && is.Kind == batch.Changed && !written && is.Requests <= was.Requests:
			b.add(7, "%s: in_doubt became changed, and no request was made for it", after.line(n))
		case calm && was.Kind == batch.InDoubt && is.Kind == batch.Changed && !written && is.Requests > was.Requests+1:
			b.add(12, "%s was in doubt, and its read-back took %d requests", after.line(n), is.Requests-was.Requests)
		}
	}
	for id, n := range asked {
		if idle[id] {
			b.add(12, "customer %s has no open row, and was asked about %d times", id, n)
		}
	}
	slices.Sort(b.all)
	return b.all
}

// Same returns where the outcomes of a run with crashes differ from those of one
// without, over the same rows. Times, attempts and requests do not count, nor do
// rows whose outcome depends on the faults.
func Same(got, want *Run, depends func(n int) bool) []string {
	var b breaches
	if len(got.Outcomes) != len(want.Outcomes) {
		b.add(11, "%d rows, and without crashes %d", len(got.Outcomes), len(want.Outcomes))
		return b.all
	}
	essence := func(o batch.Outcome) string {
		return fmt.Sprintf("%s %s %s id=%s %s %q", o.Kind, o.Code, o.Key, o.ID, o.Customer, o.Changes)
	}
	for n := range got.Outcomes {
		if g, w := essence(got.Outcomes[n]), essence(want.Outcomes[n]); g != w && !depends(n) {
			b.add(11, "%s: %s; without crashes %s", got.line(n), g, w)
		}
	}
	return b.all
}
