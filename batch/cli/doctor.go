package cli

import (
	"github.com/spf13/cobra"

	"rowbatch/batch/job"
	"rowbatch/batch/profile"
	"rowbatch/batch/ui"
)

func newDoctor() *cobra.Command {
	s := job.Defaults()
	cmd := &cobra.Command{
		Use: "doctor", Short: "What is set and from where, and whether a run could begin",
		Long: `doctor says which account commands go to and what has set it, where its key comes
from, whether the host answers and whom the key opens there, what the account's limits
are, whether this machine's clock is right, and whether the reports folder can be
written and locked. It makes one request to each API that is set up, and writes
nothing there. It ends with the code that a run would end with.`,
		Example: "  rowbatch doctor --sandbox\n  rowbatch doctor --profile main --json",
		Args:    noArgument,
		RunE: func(cmd *cobra.Command, _ []string) error {
			d := &profile.Doctor{Accounts: newAccounts(cmd), Settings: s, Set: cmd.Flags().Changed, Program: Version}
			c := job.NewControl(cmd.Context())
			defer c.Halt(nil)
			d.Examine(c)
			if err := showTable(cmd, d.Health, func(w ui.Screen) { printHealth(w, d.Health) }); err != nil {
				return err
			}
			return ended(d.ExitCode)
		},
	}
	f := cmd.Flags()
	f.SortFlags = false
	s.BindAccount(f)
	f.StringVar(&s.Output.Reports, "reports", s.Output.Reports, "folder `DIR` where run folders go")
	f.DurationVar(&s.Pace.Timeout, "timeout", s.Pace.Timeout, "longest wait for one answer")
	return cmd
}

func printHealth(w ui.Screen, h profile.Health) {
	var table [][]any
	for _, f := range h.Findings {
		if f.From != "" {
			f.Text += " (" + f.From + ")"
		}
		table = append(table, []any{f.State, f.Name, f.Text})
		if f.Try != "" {
			table = append(table, []any{"", "", "try: " + f.Try})
		}
	}
	w.Table(0, table...)
}
