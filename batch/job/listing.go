package job

import (
	"cmp"
	"slices"

	"rowbatch/batch"
	"rowbatch/batch/action"
	"rowbatch/batch/journal"
	"rowbatch/batch/runs"
)

// State is how far a run has come.
type State string

const (
	Planned  State = "planned" // a dry run that an apply can carry out
	Running  State = "running"
	Stopped  State = "stopped"  // a resume goes on with it
	Declined State = "declined" // nobody agreed to it, and it sent nothing
	Done     State = "done"
	Undone   State = "undone" // an undo has taken it back
	Damaged  State = "damaged"
)

// States returns them all, in the order in which they ask for somebody.
func States() []State { return []State{Running, Planned, Stopped, Damaged, Declined, Done, Undone} }

// Listed is a run among the others of its folder.
type Listed struct {
	runs.Info
	State State
	By    string // the run that has carried this plan out, or the undo that has taken this run back
}

// List returns the runs of a reports folder, newest first.
func List(reports string) ([]Listed, error) {
	all, err := runs.List(runs.Disk(), reports)
	return listed(all), err
}

// ListedOf returns one run as List does, at the cost of its own journal and of those that are
// about it; false: there is none of that id.
func ListedOf(reports, id string) (Listed, bool, error) {
	all, err := runs.ListOf(runs.Disk(), reports, id)
	for _, l := range listed(all) {
		if l.ID == id {
			return l, true, err
		}
	}
	return Listed{}, false, err
}

func listed(all []runs.Info) []Listed {
	applied, back := runs.Applied(all), runs.Undone(all)
	list := make([]Listed, len(all))
	for n, i := range all {
		l := Listed{Info: i, State: Done, By: cmp.Or(applied[i.ID], back[i.ID])}
		switch {
		case i.Damage != nil:
			l.State = Damaged
		case i.Running:
			l.State = Running
		case i.Declined():
			l.State = Declined
		case !i.Complete():
			l.State = Stopped
		case i.Head.IsDry() && i.Counts[batch.WouldChange] > 0 && l.By == "":
			l.State = Planned
		case back[i.ID] != "":
			l.State = Undone
		}
		list[n] = l
	}
	return list
}

// CanUndo reports whether an undo of the run may find something to put back.
func (l Listed) CanUndo() bool {
	return l.State == Done && l.Writes > 0 && l.Head.Mode != journal.ModeUndo && slices.Contains(l.Head.Systems, action.SystemFusebill)
}

// Next is the command that one would type next; "" when there is none.
func (l Listed) Next(reports string) string {
	switch {
	case l.State == Stopped:
		return Command("resume", l.ID, reports)
	case l.State == Planned && l.Head.Mode == journal.ModeDryRun:
		return Command("apply", l.ID, reports)
	case l.CanUndo() && l.Head.Action == "hold": // with which option is a person's to choose
		return Command("undo", l.ID, reports) + " --unhold 'OPTION'"
	case l.CanUndo():
		return Command("undo", l.ID, reports)
	}
	return ""
}
