package job

import (
	"rowbatch/batch"
	"rowbatch/batch/action"
	"rowbatch/batch/intake"
	"rowbatch/batch/journal"
)

// Resume goes on with a run that stopped, in its own folder. failed also tries rows
// again that ended failed or conflict, and sends again what nobody can read back.
func Resume(j Job, c Control, name string, failed bool) (*Result, error) {
	r := j.Start(c)
	defer r.Release()
	dir, err := Find(r.Settings.Output.Reports, name, "run", IsEdit)
	if err != nil {
		return nil, err
	}
	if err := r.lockRun(dir); err != nil {
		return nil, err
	}
	if err := intake.RemoveLeftovers(dir); err != nil {
		return nil, err
	}
	past, err := dir.OpenJournal()
	if err != nil {
		return nil, err
	}
	defer past.Close()
	p := &Plan{Dir: dir, Head: past.Head, Since: past.Head.Started, Past: past.Index, open: dir.ContinueJournal}
	p.Again = func(o batch.Outcome) bool {
		return failed && (o.Kind == batch.Failed || o.Kind == batch.Conflict || o.CanSendAgain() || o.Code == "earlier_row_failed")
	}
	switch left, err := p.left(); {
	case err != nil:
		return nil, err
	case left == 0:
		return completeAlready(r, p)
	}
	if past.End != nil && past.End.Exit == batch.ExitUsage && !past.Wrote() {
		r.Notice("not_agreed_before", "nobody agreed to "+p.Head.ID+" before: it has sent nothing yet")
	}
	if err := planRest(r, p); err != nil {
		return nil, err
	}
	return execute(r, p)
}

// planRest makes of a run what it was when it began.
func planRest(r *Session, p *Plan) (err error) {
	h := p.Head
	if p.Settings, err = r.adopt(h); err != nil {
		return err
	}
	if mine := r.Settings.Sending.Expect; mine >= 0 || p.Past.Wrote() {
		p.Settings.Sending.Expect = mine // else nothing was sent because of it, and nothing is now
	}
	p.Actions = intake.ActionsOf(h.Action)
	if h.Mode != journal.ModeUndo {
		if err := intake.SameFiles(h); err != nil {
			return err
		}
	}
	if p.Accounts, err = r.Connect(p.Settings, p.Actions, h.File, h.Systems); err != nil {
		return err
	}
	if err := p.Accounts.mustBe(r, h, p.Past); err != nil {
		return err
	}
	if h.Mode == journal.ModeApply || h.Mode == journal.ModeUndo {
		err = planRestOf(r, p)
	} else {
		err = planRestOfFile(p)
	}
	if err != nil {
		return err
	}
	if err := p.recall(); err != nil {
		return err
	}
	return p.conditions()
}

// planRestOf makes the work of a run whose rows are another's.
func planRestOf(r *Session, p *Plan) error {
	relation := func(id string) (*earlier, error) {
		dir, err := relative(p.Head, id, p.Dir.Path())
		if err != nil {
			return nil, err
		}
		of, err := openEarlier(dir)
		if err == nil {
			r.locks = append(r.locks, of.journal.Close)
		}
		return of, err
	}
	of, err := relation(p.Head.Of)
	if err != nil {
		return err
	}
	p.Names = of.names
	if p.Head.Mode == journal.ModeApply {
		if of.choice, err = chosen(p.Head, p.Settings.Selection.Choice, of); err != nil {
			return err
		}
		p.Known = of.outcome
		p.Work, err = shownRows(p, of)
		return err
	}
	var shown *earlier
	if p.Head.Plan != "" {
		if shown, err = relation(p.Head.Plan); err == nil {
			shown.choice, err = chosen(p.Head, p.Settings.Selection.Choice, shown)
		}
		if err != nil {
			return err
		}
	}
	p.Work, p.Held, err = undoneRows(of, shown, p.Settings, p.Dir)
	return err
}

// planRestOfFile makes the work of a run whose rows come from its file.
func planRestOfFile(p *Plan) error {
	source := intake.Source{Name: p.Head.File, Actions: p.Actions, Input: p.Settings.Input, Selection: p.Settings.Selection}
	in, err := intake.Reopen(p.Dir, p.Head, source)
	if err != nil {
		return err
	}
	p.Rows, p.Names = intake.NewRows(p.Dir, in, source), action.NewTrackingCodes()
	p.Work = p.Rows
	return nil
}
