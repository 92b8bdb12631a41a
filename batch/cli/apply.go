package cli

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"rowbatch/batch"
	"rowbatch/batch/action"
	"rowbatch/batch/journal"
	"rowbatch/batch/runs"
	"rowbatch/mapping/csvfile"
	"rowbatch/reports"
)

// stalePlan is the age at which a plan is carried out only when asked once more.
const stalePlan = 24 * time.Hour

func newApply() *cobra.Command {
	cmd := newAgain("apply PLAN", "Carry out the plan that a --dry-run left", (*run).applyPlan)
	cmd.Long = `apply carries out exactly what a dry run has shown: PLAN is the id or the folder
of that run, or "last" for the newest dry run, whatever it was about. Each
customer is read again, and must still show the values that the plan found;
else the row is a conflict, and nothing is sent for it. What has changed
elsewhere in the record is kept. The question before the first write says how many
requests are to come, when they are done, and whether the day's allowance suffices.`
	cmd.Example = `  rowbatch apply last
  rowbatch apply 20261120T215200Z-update-customers`
	return cmd
}

// applyPlan is a run of its own that names its plan.
func (r *run) applyPlan(name string) error {
	dir, err := r.find(name, "plan", isDryRun)
	if err != nil {
		return err
	}
	plan, err := openEarlier(dir)
	if err != nil {
		return err
	}
	defer plan.journal.Close()
	info := dir.Info()
	if err := checkPlan(info, plan); err != nil {
		return err
	}
	if name == last {
		switch by, err := r.appliedBy(info); {
		case err != nil:
			return err
		case info.Counts[batch.WouldChange] == 0:
			return r.sayNothingToDo(dir, "nothing to apply: the dry run "+info.ID+" would change nothing")
		case by != "":
			return r.sayNothingToDo(dir, "the plan "+info.ID+" is applied already, by "+by+"; nothing was sent")
		}
	}
	if plan.journal.Head.Mode == journal.ModeUndo {
		return r.applyUndo(plan)
	}
	if err := r.mayApply(plan); err != nil {
		return err
	}
	if err := r.begin(plan, journal.ModeApply); err != nil {
		return err
	}
	w, err := r.planned(plan)
	if err != nil {
		return errors.Join(err, r.dir.Discard())
	}
	r.work, r.codes = w, plan.codes
	if err := r.mayHold(); err != nil {
		return errors.Join(err, r.dir.Discard())
	}
	if r.when, err = r.conditions(); err != nil {
		return errors.Join(err, r.dir.Discard())
	}
	if err := r.start(r.headOf(plan, journal.ModeApply)); err != nil {
		return err
	}
	return r.finish(r.process())
}

// checkPlan wants a dry run that has come to its end.
func checkPlan(info runs.Info, plan *earlier) error {
	switch head := plan.journal.Head; {
	case !isDryRun(info):
		return unfit("rowbatch runs", "%s is no plan: only a --dry-run leaves one", head.ID)
	case !info.Complete():
		return unfit("rowbatch resume "+head.ID, "the dry run %s did not come to its end, and is no plan", head.ID)
	}
	return nil
}

// appliedBy is the id of the run that has carried a plan out; "" where there is none.
func (r *run) appliedBy(plan runs.Info) (string, error) {
	all, err := runs.List(r.flags.reports)
	for _, i := range all {
		carriesOut := i.Head.Mode == journal.ModeApply && i.Head.Of == plan.ID || i.Head.Plan == plan.ID
		if carriesOut && i.Complete() {
			return i.ID, err
		}
	}
	return "", err
}

// sayNothingToDo ends a command that finds its work done.
func (r *run) sayNothingToDo(dir *runs.Dir, text string) error {
	if !r.flags.json {
		_, err := fmt.Fprintln(r.console.out, text)
		return err
	}
	summary, err := reports.Write(dir, reports.Options{Escape: csvfile.Escape})
	if err != nil {
		return err
	}
	fmt.Fprintln(r.console.err, "rowbatch: "+text)
	summary.ExitCode = exitDone
	_, err = r.console.out.Write(summary.JSON())
	return err
}

// applyUndo carries out what an undo's dry run has shown.
func (r *run) applyUndo(plan *earlier) error {
	if err := r.notStale(plan); err != nil {
		return err
	}
	head := plan.journal.Head
	dir, err := parent(head, plan.dir.Path())
	if err != nil {
		return err
	}
	if err := r.lockRun(dir); err != nil {
		return err
	}
	of, err := openEarlier(dir)
	if err != nil {
		return err
	}
	defer of.journal.Close()
	r.keepTheirs, r.unhold = optionsOf(head)["keep-theirs"] != "", optionsOf(head)["unhold"]
	return r.takeBack(of, plan)
}

// mayApply wants the plan's input and account as they were, and an old plan confirmed.
func (r *run) mayApply(plan *earlier) error {
	if err := r.adopt(plan.journal.Head); err != nil {
		return err
	}
	if err := sameFiles(plan.journal.Head); err != nil {
		return err
	}
	if err := r.reconnect(plan.journal.Head, plan.journal.Index, plan.journal.Head.Systems...); err != nil {
		return err
	}
	return r.notStale(plan)
}

// notStale wants an old plan confirmed.
func (r *run) notStale(plan *earlier) error {
	age := r.began.Sub(plan.journal.Head.Started)
	if age <= stalePlan || r.flags.yes {
		return nil
	}
	if !r.confirms(fmt.Sprintf("The plan %s is %s old. Carry it out all the same?", plan.journal.Head.ID, seconds(age))) {
		if r.stopped() {
			return context.Cause(r.stop)
		}
		return unfit("plan again with --dry-run, or pass --yes", "the plan is %s old, and nobody confirmed it; nothing was sent", seconds(age))
	}
	return nil
}

// rehearse shows the tally what the plan has found: what the preview counted is
// what the question asks about, and what is sent.
func (r *run) rehearse(w *redone) error {
	actions, first := r.actions(), ""
	for n := range w.actions {
		o, err := w.of.journal.Outcome(n)
		if err != nil {
			return err
		}
		o.Requests = 0
		w.put(n, markCounted, o.Kind == batch.WouldChange)
		if err := r.tally.add(&batch.Item{N: n, Action: actions[w.actions[n]]}, o, false); err != nil {
			return err
		}
		if o.Kind == batch.WouldChange && first == "" && action.KeyField(o.Key) == "" {
			first = o.ID
		}
	}
	r.meet(first)
	return nil
}

// planned is the work of a plan: its would_change rows. Whatever else the plan
// said of a row is said again.
func (r *run) planned(plan *earlier) (*redone, error) {
	w, err := newRedone(plan)
	if err != nil {
		return nil, err
	}
	secrets, err := r.secretsOf(plan)
	if err != nil {
		return nil, err
	}
	keys := map[string]bool{}
	for n := range w.actions {
		o, err := plan.journal.Outcome(n)
		if err != nil {
			return nil, err
		}
		if o.Kind != batch.WouldChange {
			continue
		}
		w.actions[n] = o.Action
		if field := action.KeyField(o.Key); field != "" {
			keys[field] = true
		}
	}
	bothKeys := len(keys) > 1
	w.several = w.several || bothKeys
	w.item = func(n int) (*batch.Item, error) {
		o, err := plan.journal.Outcome(n)
		if err != nil {
			return nil, err
		}
		return action.Planned(o, func(field string) batch.Value { return batch.Text(secrets[n][field]) }, bothKeys), nil
	}
	w.rest = plan.journal.Outcome
	return w, nil
}

func newRedone(of *earlier) (*redone, error) {
	at, err := lines(of.dir)
	if err != nil {
		return nil, err
	}
	head := of.journal.Head
	several := head.Action == mixedName || optionsOf(head)["allow-duplicates"] != ""
	return &redone{marks: newMarks(head.Rows, several), of: of, lines: at, actions: make([]string, head.Rows)}, nil
}
