package cli

import (
	"cmp"

	"golang.org/x/time/rate"

	"rowbatch/batch/action"
	"rowbatch/batch/journal"
	"rowbatch/client"
)

// demand is what is still to be asked of each system.
type demand struct {
	fusebill, trackfinity int  // requests
	together              int  // of Fusebill's, those of a visit
	atMost                bool // fewer may do
}

func (d demand) requests() int { return d.fusebill + d.trackfinity }

// visit is what a row of an action costs: its reads, and its writes if it changes.
func (r *run) visit(name string) (reads, writes int) {
	switch when := r.when[name]; {
	case name == "patch":
		return 0, 1
	case name == "unhold":
		return 1, 2 // its reply may not show the customer, who is read again then
	case name == "hold" && when != nil && when.BeyondOverview():
		return 2, 1
	}
	return 1, 1
}

// reading is what a look at the rows takes.
func (r *run) reading() demand {
	d := demand{together: 1}
	for name, n := range r.openRows() {
		reads, _ := r.visit(name)
		d.fusebill += n * reads
	}
	return d
}

// sending is what it takes to send rows, which are counted by action. After the first
// write of each its customer is read once more, and before and after it what a row's
// own reading does not show.
func (r *run) sending(rows map[string]int) (d demand) {
	for name, n := range rows {
		reads, writes := r.visit(name)
		switch {
		case n == 0:
		case reads == 0:
			d.trackfinity += n * writes
		default:
			d.fusebill += n*(reads+writes) + reads + 2
			d.together = max(d.together, reads+writes)
		}
	}
	d.atMost = rows["unhold"] > 0
	return d
}

// surveyed is what sending takes once a pass without sending has found out what changes.
func (r *run) surveyed() demand {
	would, again := r.tally.toSend()
	d := r.sending(would)
	d.fusebill += again
	if would["patch"] > 0 && r.head.Mode == journal.ModeDryRun && !r.flags.skipPing {
		d.trackfinity++ // whoever carries the plan out pings anew
	}
	return d
}

// demandOf is what a pass takes; nothing when it was told already.
func (r *run) demandOf(send bool) demand {
	switch {
	case !send:
		return r.reading()
	case r.outlook != nil:
		return demand{}
	case r.counted:
		return r.surveyed()
	}
	d := r.sending(r.openRows())
	d.atMost = true // what is as it should be needs no write
	return d
}

// openRows counts the rows that may have to be looked at, by action.
func (r *run) openRows() map[string]int {
	all := map[string]int{}
	if r.rows == nil {
		for name := range r.actions() {
			all[name] = r.work.countIn(name)
		}
		return all
	}
	for n := range r.in.checked.Rows {
		if r.rows.isOpen(n) {
			all[r.in.checked.Action(n)]++
		}
	}
	return all
}

func (r *run) trackfinityRate() rate.Limit {
	return cmp.Or(r.flags.rates[action.SystemTrackfinity], client.TrackfinityRate)
}
