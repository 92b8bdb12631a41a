package checker

import (
	"slices"

	"rowbatch/batch"
	"rowbatch/batch/journal"
)

// order wants a customer's rows one after the other, each when the one before it
// has ended so that it may follow.
func (k *check) order() {
	lanes := k.lanes()
	state := make([]*batch.Outcome, len(k.Run.Rows)) // each row's last word so far
	open := make([]bool, len(k.Run.Rows))
	began := make([]bool, len(k.Run.Rows))
	for i := range k.Run.records {
		r := &k.Run.records[i]
		if r.isIntent() && !open[r.Row] {
			k.mayBegin(r, lanes[k.laneOf(r.Row)], state, open, began)
		}
		open[r.Row] = r.isIntent()
		began[r.Row] = began[r.Row] || r.isIntent()
		if !r.isIntent() {
			state[r.Row] = r.Outcome
		}
	}
}

// lanes are the rows of each customer, in the order in which they run.
func (k *check) lanes() map[string][]int {
	all := map[string][]int{}
	for n := range k.Run.Rows {
		if lane := k.laneOf(n); lane != "" {
			all[lane] = append(all[lane], n)
		}
	}
	if k.Run.Head.Mode == journal.ModeUndo {
		for _, rows := range all {
			slices.Reverse(rows)
		}
	}
	return all
}

// laneOf is the customer of a row that had a request: of Trackfinity's by the key
// that the row names, since two keys of one customer cannot be told to be so.
func (k *check) laneOf(n int) string {
	for _, r := range k.Run.byRow[n] {
		if r.isIntent() && r.Found.Act == "patch" {
			return "tf:" + r.Found.Key
		}
		if r.isIntent() {
			return "fb:" + r.Found.ID
		}
	}
	if o := k.Run.Outcomes[n]; o.ID != "" && o.Requests > 0 {
		return "fb:" + o.ID
	}
	return ""
}

func (k *check) mayBegin(r *record, lane []int, state []*batch.Outcome, open, began []bool) {
	mine := slices.Index(lane, r.Row)
	for place, n := range lane {
		o := state[n]
		switch {
		case n == r.Row:
		case open[n]:
			k.add(8, "%s was begun while the write of %s, of the same customer, was open", k.Run.line(r.Row), k.Run.line(n))
		case place > mine && began[n] && !began[r.Row]:
			k.add(8, "%s was begun after %s of the same customer", k.Run.line(r.Row), k.Run.line(n))
		case place < mine && o == nil:
			k.add(8, "%s has overtaken %s of the same customer", k.Run.line(r.Row), k.Run.line(n))
		case place < mine && (o.Kind.ClosesLane() || o.Kind == batch.NotAttempted):
			k.add(8, "%s was begun, though %s of the same customer was %s", k.Run.line(r.Row), k.Run.line(n), o.Kind)
		}
	}
}
