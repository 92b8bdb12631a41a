package cli

import (
	"context"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"rowbatch/batch/action"
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

// newAction returns the command of an action.
func newAction(name, short string) *cobra.Command {
	flags := &actionFlags{}
	cmd := &cobra.Command{
		Use: name + " FILE", Short: short,
		Args: oneFile,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := flags.parse(cmd); err != nil {
				return err
			}
			return runAction(cmd, name, args[0], flags)
		},
	}
	flags.register(cmd)
	return cmd
}

func oneFile(cmd *cobra.Command, args []string) error {
	if len(args) == 1 {
		return nil
	}
	return usage("rowbatch "+cmd.Name()+" customers.csv", "%s takes one FILE, not %d", cmd.Name(), len(args))
}

func runAction(cmd *cobra.Command, name, file string, flags *actionFlags) error {
	spec, _ := action.Find(name)
	c := console{in: cmd.InOrStdin(), out: cmd.OutOrStdout(), err: cmd.ErrOrStderr(), quiet: flags.quiet}
	c.keyboard = func() io.ReadCloser { return keyboardOf(c.in, c.err, file == "-") }
	account, err := openAccount(flags.sandbox, flags.workers)
	if err != nil {
		return err
	}
	ctx, end := context.WithCancel(cmd.Context())
	defer end()
	r, release := newRun(ctx, spec, flags, file, c, account)
	defer release()
	defer onSignals(r.halt, end)()
	err = r.carryOut()
	if failed := account.close(); failed != nil {
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
