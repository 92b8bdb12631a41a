package job

import (
	"errors"
	"path/filepath"
	"time"

	"rowbatch/batch"
	"rowbatch/batch/action"
	"rowbatch/batch/intake"
	"rowbatch/batch/journal"
	"rowbatch/batch/runs"
)

// stalePlan is the age at which a plan is carried out only when asked once more.
const stalePlan = 24 * time.Hour

// Apply carries out what a dry run has shown, as a run of its own that names it.
func Apply(j Job, c Control, name string) (*Result, error) {
	r := j.Start(c)
	defer r.Release()
	dir, err := Find(r.Settings.Output.Reports, name, plan, func(i runs.Info) bool { return i.Head.IsDry() })
	if err != nil {
		return nil, err
	}
	shown, err := openEarlier(dir)
	if err != nil {
		return nil, err
	}
	defer shown.journal.Close()
	info := dir.Info()
	switch {
	case !info.Head.IsDry():
		return nil, batch.Unfit("rowbatch runs", "%s is no plan: only a --dry-run leaves one", info.ID)
	case info.Head.Format != journal.Format:
		return nil, &journal.FormatError{Format: info.Head.Format, Program: info.Head.Program}
	case !info.Complete():
		return nil, batch.Unfit(Command("resume", info.ID, filepath.Dir(dir.Path())),
			"the dry run %s did not come to its end, and is no plan", info.ID)
	}
	if name == Last {
		all, err := runs.List(runs.Disk(), r.Settings.Output.Reports)
		if err != nil {
			return nil, err
		}
		switch by := runs.Applied(all)[info.ID]; {
		case info.Counts[batch.WouldChange] == 0:
			return nothingToDo(dir, r.Settings.Output, "nothing to apply: the dry run "+info.ID+" would change nothing")
		case by != "":
			return nothingToDo(dir, r.Settings.Output, "the plan "+info.ID+" is applied already, by "+by+"; nothing was sent")
		}
	}
	if !r.Front.Attended() {
		if err := mustBeFresh(r, &Plan{}, info.Head); err != nil { // without a word to the server
			return nil, err
		}
	}
	if shown.choice, err = choose(r, shown); err != nil {
		return nil, err
	}
	var p *Plan
	if info.Head.Mode == journal.ModeUndo {
		p, err = planShownUndo(r, shown)
	} else {
		p, err = planApply(r, shown)
	}
	if err != nil {
		return nil, err
	}
	return execute(r, p)
}

// mustBeFresh wants an old dry run confirmed before a plan carries it out.
func mustBeFresh(r *Session, p *Plan, shown journal.Head) error {
	age := r.Began.Sub(shown.Started)
	if age <= stalePlan || r.Settings.Sending.Yes {
		return nil
	}
	old := batch.Span(age)
	return r.confirm(p.identityOf(shown, shown.Started, r.Began), "The plan "+shown.ID+" is "+old+" old. Carry it out all the same?",
		batch.Unfit("plan again with --dry-run, or pass --yes", "the plan is %s old, and nobody confirmed it; nothing was sent", old))
}

// planApply makes the plan that carries a dry run out. Its input and account must be as they were.
func planApply(r *Session, shown *earlier) (*Plan, error) {
	head := shown.journal.Head
	s, err := r.adopt(head)
	if err != nil {
		return nil, err
	}
	s.Sending.DryRun, s.Sending.NoChanges, s.Sending.Expect = false, false, r.Settings.Sending.Expect
	if err := intake.SameFiles(head); err != nil {
		return nil, err
	}
	s.Selection.Choice = r.Settings.Selection.Choice
	p := &Plan{Settings: s, Actions: intake.ActionsOf(head.Action), Names: shown.names, Known: shown.outcome}
	if p.Accounts, err = r.Connect(s, p.Actions, head.File, head.Systems); err != nil {
		return nil, err
	}
	if err := p.Accounts.mustBe(r, head, shown.journal.Index); err != nil {
		return nil, err
	}
	if err := mustBeFresh(r, p, head); err != nil {
		return nil, err
	}
	if p.Work, err = shownRows(p, shown); err != nil {
		return nil, err
	}
	if err := p.conditions(); err != nil {
		return nil, err
	}
	return p, follow(r, p, shown, journal.ModeApply, shown.choice)
}

// shownRows are those that a dry run would change. Whatever else it said of a row is said again.
func shownRows(p *Plan, shown *earlier) (*earlierRows, error) {
	head := shown.journal.Head
	in, err := intake.Reopen(shown.dir, head, intake.Source{Actions: p.Actions, Input: p.Settings.Input, Selection: p.Settings.Selection})
	if err != nil {
		return nil, err
	}
	secrets, err := in.Secrets(shown.dir) // a plan does not hold them
	if err != nil {
		return nil, err
	}
	actions, keys := make([]string, head.Rows), map[string]bool{}
	for n := range actions {
		o, err := shown.outcome(n)
		if err != nil {
			return nil, err
		}
		if o.Kind != batch.WouldChange {
			continue
		}
		actions[n] = o.Action
		if field := action.KeyField(o.Key); field != "" {
			keys[field] = true
		}
	}
	bothKeys := len(keys) > 1
	w, err := newEarlierRows(shown, p.Actions.Mixed() || p.Settings.Input.AllowDuplicates || bothKeys)
	if err != nil {
		return nil, err
	}
	w.actions = actions
	w.item = func(n int) (*batch.Item, error) {
		o, err := shown.outcome(n)
		if err != nil {
			return nil, err
		}
		return action.Planned(o, func(field string) batch.Value { return batch.Text(secrets[n][field]) }, bothKeys), nil
	}
	w.rest = shown.outcome
	return w, nil
}

// follow makes the folder of a run that carries out, or takes back, another's rows:
// those that somebody has chosen.
func follow(r *Session, p *Plan, of *earlier, mode string, chosen *choice) (err error) {
	h := of.journal.Head
	h.Parent = journal.Parent{Of: h.ID, OfPath: absolute(of.dir.Path())}
	if p.Dir, err = r.MakeDir(mode, h.File); err != nil {
		return err
	}
	if err := p.Dir.CopyRows(of.dir); err != nil {
		return errors.Join(err, p.Dir.Discard())
	}
	h.ID, h.Mode, h.Dry, h.Started, h.Program = p.Dir.ID(), mode, mode == journal.ModeUndo && p.isDry(), r.Began.UTC(), r.Program
	h.Target, h.Settings = p.Accounts.Target(), p.Settings.record()
	h.Selection = chosen.record()
	p.Head, p.Since = h, of.journal.Head.Started
	p.open = func() (*journal.Writer, error) { return r.Begin(p.Dir, p.Head) }
	return nil
}
