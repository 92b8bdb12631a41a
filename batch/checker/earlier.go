package checker

import (
	"fmt"

	"rowbatch/batch"
	"rowbatch/batch/journal"
)

// earlier holds an apply or an undo against the run that it is of.
func (k *check) earlier() {
	if k.Of == nil {
		return
	}
	for i := range k.Run.records {
		r := &k.Run.records[i]
		if !r.isIntent() {
			continue
		}
		switch k.Run.Head.Mode {
		case journal.ModeApply:
			k.planned(r)
		case journal.ModeUndo:
			k.undone(r)
		}
	}
}

// planned wants a write to be what the plan said, over what the plan found.
func (k *check) planned(i *record) {
	o := k.Of.Outcomes[i.Row]
	if o.Kind != batch.WouldChange {
		k.add(14, "%s was sent, and its plan says %s", k.Run.line(i.Row), o.Kind)
		return
	}
	plan := map[string]batch.Change{}
	for _, c := range o.Changes {
		plan[c.Field] = c
	}
	for _, c := range i.Changes {
		p, named := plan[c.Field]
		if !named || c.After != p.After || p.Before != batch.Hidden && !c.Before.Same(p.Before) {
			k.add(14, "%s: %s went from %s to %s, and the plan was from %s to %s", k.Run.line(i.Row), c.Field, c.Before, c.After, p.Before, p.After)
		}
	}
}

// undone wants a write to put back, byte for byte, what the run found, where the
// run's own values stood.
func (k *check) undone(i *record) {
	was := k.Of.lastIntent(i.Row)
	if was == nil {
		k.add(14, "%s was undone, and no write had left for it", k.Run.line(i.Row))
		return
	}
	ours := map[string]batch.Change{}
	for _, c := range was.Changes {
		ours[c.Field] = c
	}
	for _, e := range i.effects {
		for _, c := range i.Changes {
			if why := restored(c, ours, was, i, e); why != "" {
				k.add(14, "%s: effect %d: %s", k.Run.line(i.Row), e.Seq, why)
			}
		}
	}
}

func restored(c batch.Change, ours map[string]batch.Change, was, undo *record, e *effect) string {
	mine, touched := ours[c.Field]
	before, after, first := valueOf(e.Before, c.Field), valueOf(e.After, c.Field), valueOf(was.Found.Body, c.Field)
	switch {
	case !touched:
		return c.Field + " was undone, and the run had not touched it"
	case undo.Found.Act == "unhold":
		return "" // coming back sets the status itself
	case !before.Same(mine.After):
		return fmt.Sprintf("%s had come to be %s, which is not the run's %s", c.Field, before, mine.After)
	case first == batch.Absent && after.Empty(): // a key cannot be taken out of a record, only emptied
	case after != first && e.taken:
		return fmt.Sprintf("%s is %s, and was %s before the run", c.Field, after, first)
	}
	return ""
}
