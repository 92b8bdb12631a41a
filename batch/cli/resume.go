package cli

import (
	"fmt"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"rowbatch/batch"
	"rowbatch/batch/journal"
	"rowbatch/mapping/csvfile"
	"rowbatch/reports"
)

func newResume() *cobra.Command {
	failed := false
	cmd := newAgain("resume RUN", "Go on with a run that stopped", func(r *run, name string) error {
		r.again = nothingAgain
		if failed {
			r.again = failuresAgain
		}
		return r.resume(name, failed)
	})
	cmd.Flags().BoolVar(&failed, "failed", false, "also try rows again that ended failed or conflict")
	cmd.Long = `resume goes on with a run that stopped: by Ctrl-C, a lost connection, a revoked
key, the day's limit, a full disk, or because the machine went down. RUN is its id
or folder, or "last" for the newest run. Rows that are settled
cost no request; a row whose write was not answered is read back first. What the
run was (file, mapping, account, --when and the like) comes from its journal.`
	cmd.Example = `  rowbatch resume last
  rowbatch resume 20261120T215200Z-update-customers --failed`
	return cmd
}

func nothingAgain(batch.Outcome) bool { return false }

func failuresAgain(o batch.Outcome) bool {
	return o.Kind == batch.Failed || o.Kind == batch.Conflict || o.Code == "earlier_row_failed"
}

// resume goes on in the folder of the run itself.
func (r *run) resume(name string, failed bool) error {
	dir, err := r.find(name, "run", isEdit)
	if err != nil {
		return err
	}
	if err := r.lockRun(dir); err != nil {
		return err
	}
	if err := dir.RemoveFile(pendingName); err != nil {
		return err
	}
	journal, err := dir.OpenJournal()
	if err != nil {
		return err
	}
	defer journal.Close()
	r.dir, r.head, r.past = dir, journal.Head, journal.Index
	switch left, err := r.left(); {
	case err != nil:
		return err
	case left == 0:
		return r.nothingLeft()
	}
	if err := r.takeUp(); err != nil {
		return err
	}
	if r.journal, err = dir.ContinueJournal(); err != nil {
		return err
	}
	return r.finish(r.process())
}

// freshness is how old a read may be when the write that rests on it leaves.
const freshness = 5 * time.Second

// resumeOptions tell how long the writes of the process that stopped may take to show.
func (r *run) resumeOptions() journal.ResumeOptions {
	return journal.ResumeOptions{Again: r.again, Attempt: freshness + r.flags.timeout, Settle: r.settleTime()}
}

// left is how many rows there are to go on with.
func (r *run) left() (n int, err error) {
	for row := range r.head.Rows {
		o, err := r.past.Outcome(row)
		if err != nil {
			return 0, err
		}
		if !o.Kind.Settled() || r.again(o) {
			n++
		}
	}
	return n, nil
}

// nothingLeft says that a run is complete, with its report in place.
func (r *run) nothingLeft() error {
	summary, err := reports.Write(r.dir, reports.Options{Escape: csvfile.Escape})
	if err != nil {
		return err
	}
	fmt.Fprintf(r.console.err, "%s is complete: there is nothing left to do, and nothing was sent\n", r.head.ID)
	summary.ExitCode = batch.ExitOf(summary.Outcomes)
	return r.say(summary, nil)
}

// takeUp prepares what the run is made of, as it was when it began.
func (r *run) takeUp() error {
	h := r.head
	if err := r.adopt(h); err != nil {
		return err
	}
	r.flags.dryRun = h.Mode == journal.ModeDryRun || h.Dry
	if h.Mode != journal.ModeUndo {
		if err := sameFiles(h); err != nil {
			return err
		}
	}
	if err := r.reconnect(h, r.past, h.Systems...); err != nil {
		return err
	}
	var err error
	switch h.Mode {
	case journal.ModeApply:
		err = r.takeUpOf(r.planned)
	case journal.ModeUndo:
		r.keepTheirs, r.unhold = optionsOf(h)["keep-theirs"] != "", optionsOf(h)["unhold"]
		err = r.takeUpUndo()
	default:
		err = r.takeUpRows()
	}
	if err != nil {
		return err
	}
	if err := r.recall(); err != nil {
		return err
	}
	if r.when, err = r.conditions(); err != nil {
		return err
	}
	if n, err := strconv.Atoi(optionsOf(h)["expect"]); err == nil && r.flags.expect < 0 && !r.past.Wrote() {
		r.flags.expect = n // nothing was sent because of it, and nothing is now
	}
	return r.mayHold()
}

// takeUpOf makes the work of a run whose rows are another's.
func (r *run) takeUpOf(workOf func(*earlier) (*redone, error)) error {
	dir, err := parent(r.head, r.dir.Path())
	if err != nil {
		return err
	}
	of, err := openEarlier(dir)
	if err != nil {
		return err
	}
	r.closers = append(r.closers, of.journal.Close)
	w, err := workOf(of)
	if err != nil {
		return err
	}
	r.work, r.codes = w, of.codes
	return nil
}

// takeUpUndo makes the work of an undo, and of one that carries out a dry run.
func (r *run) takeUpUndo() error {
	var shown *earlier
	if r.head.Plan != "" {
		dir, err := relative(r.head, r.head.Plan, r.dir.Path())
		if err != nil {
			return err
		}
		if shown, err = openEarlier(dir); err != nil {
			return err
		}
		r.closers = append(r.closers, shown.journal.Close)
	}
	return r.takeUpOf(func(of *earlier) (*redone, error) { return r.undone(of, shown) })
}

// takeUpRows makes the work of a run whose rows come from its file.
func (r *run) takeUpRows() (err error) {
	if r.in, err = r.reopen(r.dir, r.head); err != nil {
		return err
	}
	r.rows = newRows(r.dir, r.in, r.flags, r.job)
	r.work = r.rows
	return nil
}

// recall tells the work what earlier processes have settled.
func (r *run) recall() error {
	for n := range r.head.Rows {
		o, err := r.past.Outcome(n)
		if err != nil {
			return err
		}
		r.work.recall(n, o, o.Kind.Settled() && !r.again(o))
	}
	return nil
}

// recall also keeps the customer's id, so that no reference is looked up twice.
func (r *rows) recall(n int, o batch.Outcome, settled bool) {
	r.marks.recall(n, o, settled)
	if r.ids != nil {
		r.ids[n], _ = strconv.ParseUint(o.ID, 10, 64) // none, where it was not looked up
	}
}

// journalNames keeps what was looked up of the account's names, for whoever takes
// up or takes back this run.
func (r *run) journalNames() error {
	if names := r.codes.Remembered(); names != nil {
		return r.journal.Names(names)
	}
	return nil
}
