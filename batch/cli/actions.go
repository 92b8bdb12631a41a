package cli

import (
	"context"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"
)

func newUpdate() *cobra.Command {
	cmd := newAction("update", "Edit Fusebill customers: GET, merge the row's cells, PUT")
	cmd.Long = `update edits a Fusebill customer for each row of FILE (.csv, .tsv, or - for
standard input). The customer is read, the row's cells are merged into it, and
the whole record is sent back only if something changes. A blank cell leaves its
field as it is; the word REMOVE clears it.

Column headings are field names (rowbatch fields update lists them), or are
mapped to fields by a mapping file (rowbatch help mapping). The whole file is
checked before the first request.`
	cmd.Example = `  rowbatch update samples/customers.csv --sandbox             try it without an account
  rowbatch update customers.csv --dry-run                     see what would change
  rowbatch update customers.csv                               carry it out
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
	cmd := newAction(mixedName, "Carry out a mixed file: its action column says what each row becomes")
	cmd.Long = `run carries out a FILE whose column "action" holds update, hold, latch or patch.
The columns of all actions may stand side by side; a cell that its row's action
does not take rejects the row. Rows of one customer run in file order, whatever
their actions. A file whose rows are all of one system needs only that system's
settings.`
	cmd.Example = `  rowbatch run samples/mixed.csv --sandbox
  rowbatch run changes.csv --rate 10/s --rate trackfinity=2/s`
	return cmd
}

// newAction returns the command of an action, or of a mixed file.
func newAction(name, short string) *cobra.Command {
	j := jobOf(name)
	flags := &actionFlags{}
	cmd := &cobra.Command{
		Use: name + " FILE", Short: short,
		Args: oneFile,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := flags.parse(cmd, j); err != nil {
				return err
			}
			return runAction(cmd, j, args[0], flags)
		},
	}
	flags.register(cmd, j)
	return cmd
}

func oneFile(cmd *cobra.Command, args []string) error {
	if len(args) == 1 {
		return nil
	}
	return usage("rowbatch "+cmd.Name()+" customers.csv", "%s takes one FILE, not %d", cmd.Name(), len(args))
}

func runAction(cmd *cobra.Command, j job, file string, flags *actionFlags) error {
	return runCommand(cmd, j, file, flags, (*run).carryOut)
}

// runCommand makes a run and lets it go its way, with signals that stop it.
func runCommand(cmd *cobra.Command, j job, file string, flags *actionFlags, goAhead func(*run) error) error {
	c := console{in: cmd.InOrStdin(), out: cmd.OutOrStdout(), err: cmd.ErrOrStderr(), quiet: flags.quiet}
	c.keyboard = func() io.ReadCloser { return keyboardOf(c.in, c.err, file == "-") }
	ctx, end := context.WithCancel(cmd.Context())
	defer end()
	all := &accounts{flags: flags}
	r, release := prepareRun(ctx, j, flags, file, c, all.open)
	all.lock = r.lockAccount
	defer release()
	defer onSignals(r.halt, end)()
	err := goAhead(r)
	if failed := all.close(); failed != nil {
		complain(c.err, failed)
	}
	return err
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
				halt(signalled{s})
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
