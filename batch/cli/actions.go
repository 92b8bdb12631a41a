package cli

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"rowbatch/batch"
	"rowbatch/batch/action"
	"rowbatch/batch/intake"
	"rowbatch/batch/job"
	"rowbatch/batch/profile"
	"rowbatch/batch/ui"
)

func newUpdate() *cobra.Command {
	cmd := newAction("update", "Edit Fusebill customers: GET, merge the row's cells, PUT")
	cmd.Long = `update edits a Fusebill customer for each row of FILE (.csv, .tsv, .xlsx, or
- for CSV on standard input). The customer is read, the row's cells are merged into it, and
the whole record is sent back only if something changes. A blank cell leaves its
field as it is; the word REMOVE clears it.

Column headings are field names (rowbatch fields update lists them), or are
mapped to fields by a mapping file (rowbatch help mapping). The whole file is
checked before the first request.`
	cmd.Example = `  rowbatch update samples/customers.csv --sandbox   try it without an account
  rowbatch update customers.csv --dry-run           see what would change
  rowbatch update customers.csv                     carry it out
  rowbatch update crm.csv --map crm.yaml --match Company=companyName`
	return cmd
}

func newHold() *cobra.Command {
	cmd := newAction("hold", "Put Fusebill customers on hold")
	cmd.Long = `hold puts the Fusebill customer of each row of FILE on hold. A hold suspends all
subscriptions of a customer, and coming back may bill the missed periods: look
at a --dry-run first, which shows what each customer owes and pays.

The file needs one column, id or reference. Who is on hold already is left
alone. Draft and Cancelled customers are rejected, Suspended ones too unless
--hold-suspended is given. Before a live hold the number of customers is typed;
with --yes, more than 100 rows also need --expect.`
	cmd.Example = `  rowbatch hold samples/holds.csv --sandbox --dry-run
  rowbatch hold overdue.csv --when 'arBalance > 0 && status == "Active"'
  rowbatch hold overdue.csv --yes --expect 240`
	return cmd
}

func newLatch() *cobra.Command {
	cmd := newAction("latch", "Link Fusebill customers to HubSpot contacts and companies")
	cmd.Long = `latch links the Fusebill customer of each row of FILE to a HubSpot contact
(hubSpotId) and a HubSpot company (hubSpotCompanyId), or unlinks it: a blank
cell keeps the link that is there, the word REMOVE takes it away. The API clears
a link that is left out, so both always travel together, the kept one as just read.

A contact or company belongs to one customer. Two rows that claim the same one
are both rejected; a row that the server refuses is tried once more when all
others are done, since they may have freed what it wants.`
	cmd.Example = `  rowbatch latch samples/latches.csv --sandbox
  rowbatch latch hubspot.csv --match Company=companyName --dry-run`
	return cmd
}

func newPatch() *cobra.Command {
	cmd := newAction("patch", "Edit Trackfinity customers: PATCH, REMOVE clears a field")
	cmd.Long = `patch edits the Trackfinity customer of each row of FILE, named by customer_id
or subscription_id. A blank cell leaves its field as it is; the word REMOVE
clears it (never a password).

The API has no call that reads a customer: old values cannot be shown, nothing
can be compared, and nothing can be taken back. Export them from Trackfinity's
own pages first. Before the first edit the API is pinged, to tell a wrong
address or key from a wrong row. Passwords are shown as *** everywhere and kept
in no file.`
	cmd.Example = `  rowbatch patch samples/patches.csv --sandbox
  rowbatch patch affiliates.csv --rate 2/s`
	return cmd
}

func newRun() *cobra.Command {
	cmd := newAction(intake.Mixed, "Carry out a mixed file: its action column says what to do")
	cmd.Long = `run carries out a FILE whose column "action" holds update, hold, latch or patch.
The columns of all actions may stand side by side; a cell that its row's action
does not take rejects the row. Rows of one customer run in file order, whatever
their actions. A file whose rows are all of one system needs only that system's
settings.`
	cmd.Example = `  rowbatch run samples/mixed.csv --sandbox
  rowbatch run changes.csv --rate 10/s --rate trackfinity=2/s`
	return cmd
}

// newPlan returns the command under which each action's dry run is found, too.
func newPlan() *cobra.Command {
	cmd := &cobra.Command{
		Use: "plan ACTION FILE", Short: "Show what an action would change: rowbatch ACTION FILE --dry-run",
		Long: `plan reads the live records, shows what the rows of FILE would change, and writes nothing
to the API: the same as rowbatch ACTION FILE --dry-run, with all its flags. rowbatch apply
carries out what it has shown.`,
		Example: "  rowbatch plan update customers.csv\n  rowbatch apply last",
		RunE: func(*cobra.Command, []string) error {
			return batch.Usage("rowbatch plan update customers.csv", "plan takes an ACTION and its FILE; the actions are %s",
				strings.Join(append(action.Names(), intake.Mixed), ", "))
		},
	}
	for _, of := range []func() *cobra.Command{newUpdate, newHold, newLatch, newPatch, newRun} {
		action := of()
		action.PreRunE = func(cmd *cobra.Command, _ []string) error { return cmd.Flags().Set("dry-run", "true") }
		action.Long = "This is rowbatch " + action.Name() + " FILE --dry-run."
		action.Example = "  rowbatch plan " + action.Name() + " customers.csv"
		cmd.AddCommand(action)
	}
	return cmd
}

// newAction returns the command of an action, or of a mixed file.
func newAction(name, short string) *cobra.Command {
	actions, s := intake.ActionsOf(name), job.Defaults()
	cmd := &cobra.Command{
		Use: name + " FILE", Short: short,
		Args: oneFile,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := s.Check(actions, cmd.Flags().Changed); err != nil {
				return err
			}
			return runJob(cmd, s, actions.Systems(), args[0] == "-", func(j job.Job, c job.Control) (*job.Result, error) {
				return job.File(j, c, actions, args[0], cmd.InOrStdin())
			})
		},
	}
	s.Bind(cmd.Flags(), actions, job.FileFlags)
	return cmd
}

func newApply() *cobra.Command {
	cmd := newAgain("apply PLAN", "Carry out the plan that a --dry-run left", job.ApplyFlags, job.Apply)
	cmd.Long = `apply carries out exactly what a dry run has shown: PLAN is the id or the folder
of that run, or "last" for the newest dry run, whatever it was about. Each
customer is read again, and must still show the values that the plan found;
else the row is a conflict, and nothing is sent for it. What has changed
elsewhere in the record is kept. The question before the first write says how many
requests are to come, when they are done, and whether the day's allowance suffices.

Not all rows need be sent: --only and --except name lines of the input. Or let
somebody go through the dry run's report in a spreadsheet, and write no under
rb_apply where a row is not to be sent: --review takes the saved file. Rows may
be sorted and filtered, and none may be deleted or edited.`
	cmd.Example = `  rowbatch apply last
  rowbatch apply 20261120T215200Z-update-customers
  rowbatch apply last --except 12,40-60
  rowbatch apply last --review reviewed.csv`
	return cmd
}

func newResume() *cobra.Command {
	failed := false
	resume := func(j job.Job, c job.Control, name string) (*job.Result, error) {
		return job.Resume(j, c, name, failed)
	}
	cmd := newAgain("resume RUN", "Go on with a run that stopped", job.ResumeFlags, resume)
	cmd.Flags().BoolVar(&failed, "failed", false, "also try rows again that ended failed or conflict, and patches in doubt")
	cmd.Long = `resume goes on with a run that stopped: by Ctrl-C, a lost connection, a revoked
key, the day's limit, a full disk, or because the machine went down. RUN is its id
or folder, or "last" for the newest run. Rows that are settled
cost no request; a row whose write was not answered is read back first. A patch
cannot be read back: --failed sends the same values again. What the run was (file,
mapping, account, --when and the like) comes from its journal.`
	cmd.Example = `  rowbatch resume last
  rowbatch resume 20261120T215200Z-update-customers --failed`
	return cmd
}

func newUndo() *cobra.Command {
	cmd := newAgain("undo RUN", "Put back what a run changed", job.ResumeFlags|job.UndoFlags, job.Undo)
	cmd.Long = `undo puts back what a run changed, the last row first: each field that still holds
the run's value gets the value found before. A field that holds somebody else's
value makes the row a conflict, or is left alone with --keep-theirs. RUN is the
run's id or folder, or "last" for the newest run that is neither a dry run nor an undo.

A hold is not taken back by itself, since coming back may cost the customer
money: --unhold says what is charged. Trackfinity cannot be read, so what was
patched there cannot be put back.`
	cmd.Example = `  rowbatch undo last --dry-run
  rowbatch undo 20261120T215200Z-update-customers
  rowbatch undo last --unhold NoChargesForMissedPeriods`
	return cmd
}

// newAgain returns a command that takes up an earlier run.
func newAgain(use, short string, flags job.Flags, do func(job.Job, job.Control, string) (*job.Result, error)) *cobra.Command {
	all, s := intake.ActionsOf(intake.Mixed), job.Defaults()
	cmd := &cobra.Command{
		Use: use, Short: short,
		Args: oneRun(),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := s.Check(all, cmd.Flags().Changed); err != nil {
				return err
			}
			return runJob(cmd, s, nil, false, func(j job.Job, c job.Control) (*job.Result, error) { return do(j, c, args[0]) })
		},
	}
	s.Bind(cmd.Flags(), all, flags)
	return cmd
}

func oneRun() cobra.PositionalArgs {
	return one("RUN (its id or folder, or last)", "last, or rowbatch runs for the ids")
}

// newAccounts are those of this process.
func newAccounts(cmd *cobra.Command) *profile.Accounts {
	return profile.New(os.Environ(), cmd.ErrOrStderr())
}

// settled finds out which account a command means that speaks with these systems; with
// none, it takes up earlier runs.
func settled(cmd *cobra.Command, s *job.Settings, systems ...string) (*profile.Accounts, error) {
	if s.Output.LogFormat == "json" { // from here on all that is said
		cmd.SetErr(ui.NewLog(cmd.ErrOrStderr(), levelOf(s.Output)))
	}
	a := newAccounts(cmd)
	return a, a.Settle(s, cmd.Flags().Changed, systems...)
}

// levelOf is the least weighty of what is said.
func levelOf(o job.Output) slog.Level {
	switch {
	case o.Quiet:
		return slog.LevelWarn
	case o.Verbose:
		return slog.LevelDebug
	}
	return slog.LevelInfo
}

// runJob carries out a job on this terminal, and tells how it ended.
func runJob(cmd *cobra.Command, s job.Settings, systems []string, inputIsFile bool,
	do func(job.Job, job.Control) (*job.Result, error)) error {
	if err := checkMetrics(s.Output.Metrics); err != nil {
		return err
	}
	accounts, err := settled(cmd, &s, systems...)
	if err != nil {
		return err
	}
	return onTerminal(cmd, s, accounts.Open, inputIsFile, func(t *ui.Terminal, j job.Job, c job.Control) error {
		result, err := do(j, c)
		defer func() { tell(t, j, result, err) }()
		if lost := (*job.NoReportError)(nil); errors.As(err, &lost) {
			ui.PrintNoReport(t, lost)
		}
		if result == nil {
			return err
		}
		if failed := ui.PrintResult(t, result, s.Output.JSON); failed != nil || err != nil {
			return cmp.Or(err, failed)
		}
		if result.Complete {
			return nil // the summary is about the run, the exit code about this command
		}
		return ended(result.Summary.ExitCode)
	})
}

// onTerminal makes this terminal the front of a job, with signals that stop it.
func onTerminal(cmd *cobra.Command, s job.Settings, open job.Opener, inputIsFile bool,
	do func(*ui.Terminal, job.Job, job.Control) error) error {
	t := &ui.Terminal{In: cmd.InOrStdin(), Out: cmd.OutOrStdout(), Err: cmd.ErrOrStderr(), InputIsFile: inputIsFile, Quiet: s.Output.Quiet,
		Plain: s.Output.Verbose, Words: os.Args[1:], Look: look(cmd)}
	j := job.Job{Settings: s, Front: t, Open: open, Program: Version}
	logger := slog.New(slog.NewTextHandler(t.Err, &slog.HandlerOptions{Level: levelOf(s.Output)}))
	if log, is := t.Err.(*ui.Log); is {
		j.Front, logger = log, log.With("code", "detail")
	}
	if s.Output.Verbose {
		j.Log = logger
	}
	ctx, cut := context.WithCancel(cmd.Context())
	defer cut()
	c := job.NewControl(ctx)
	defer c.Halt(nil)
	defer onSignals(c.Halt, cut)()
	return do(t, j, c)
}

// onSignals stops the run at the first Ctrl-C, SIGTERM or closed terminal, and
// cuts requests off at the second. A third ends the process as if nobody listened.
// A reader of the output that goes away (| head) ends nothing: the run goes on.
func onSignals(halt context.CancelCauseFunc, cut context.CancelFunc) (ignore func()) {
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	signal.Ignore(syscall.SIGPIPE)
	done := make(chan struct{})
	go func() {
		for n := range 2 {
			select {
			case s := <-signals:
				halt(job.Signalled{Signal: s})
				if n == 1 {
					cut()
					signal.Stop(signals)
				}
			case <-done:
				return
			}
		}
	}()
	return func() {
		signal.Stop(signals)
		close(done)
	}
}
