package cli

import (
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"rowbatch/batch"
	"rowbatch/batch/job"
	"rowbatch/batch/journal"
	"rowbatch/batch/runs"
	"rowbatch/batch/ui"
)

// newPrune returns the command that removes old runs from the reports folder.
func newPrune(dir *string) *cobra.Command {
	var olderThan string
	var yes bool
	cmd := &cobra.Command{
		Use: "prune --older-than 90d", Short: "Remove the folders of old runs",
		Long: `prune removes the folders of runs that began longer ago than --older-than, reports
and journals alike. It says how many there are, and asks. Their edits cannot be
undone any more, and a sheet from an export among them is no longer compared with
what was exported.

These stay, whatever their age: runs that go on, can be resumed or cannot be read,
the newest run, the newest plan and the newest live run, and whatever belongs to a
run that stays: its plan, its undo.`,
		Example: `  rowbatch runs prune --older-than 90d
  rowbatch runs prune --older-than 52w --yes`,
		Args: noArgument,
		RunE: func(cmd *cobra.Command, _ []string) error {
			age, err := ageOf(olderThan)
			if err != nil {
				return err
			}
			if err := reportsOf(cmd, dir); err != nil {
				return err
			}
			all, err := runs.List(runs.Disk(), *dir)
			if err != nil {
				return err
			}
			return prune(cmd, *dir, runs.Prunable(all, time.Now().Add(-age)), yes)
		},
	}
	cmd.Flags().StringVar(&olderThan, "older-than", "", "how long ago they began: days or weeks, as in 90d or 12w; `AGE` must be given")
	cmd.Flags().BoolVar(&yes, "yes", false, "do not ask")
	return cmd
}

// ageOf reads an age such as 90d or 12w.
func ageOf(text string) (time.Duration, error) {
	const day, longest = 24 * time.Hour, 36500 // a hundred years
	days := map[bool]int{true: 7, false: 1}[strings.HasSuffix(text, "w")]
	number, found := strings.CutSuffix(strings.Replace(text, "w", "d", 1), "d")
	n, err := strconv.Atoi(number)
	if !found || err != nil || n < 1 || n > longest {
		return 0, batch.Usage("rowbatch runs prune --older-than 90d", "--older-than %q is no number of days or weeks", text)
	}
	return time.Duration(n*days) * day, nil
}

// prune removes runs, of which the newest comes first, once somebody has agreed.
func prune(cmd *cobra.Command, dir string, old []runs.Info, yes bool) error {
	removed := []string{}
	tell := func(text string) error {
		return show(cmd, map[string][]string{"removed": removed}, func(w io.Writer) error {
			_, err := fmt.Fprintln(w, text)
			return err
		})
	}
	if len(old) == 0 {
		return tell("there are no such runs that could go")
	}
	exports, live := 0, 0
	undone := runs.Undone(old)
	for _, i := range old {
		switch {
		case i.Head.Mode == journal.ModeExport:
			exports++
		case i.Writes > 0 && i.Head.Mode != journal.ModeUndo && undone[i.ID] == "":
			live++
		}
	}
	day := func(i runs.Info) string { return i.Head.Started.Local().Format(time.DateOnly) }
	what := fmt.Sprintf("%s in %s, begun %s to %s", batch.Plural(len(old), "run"), dir, day(old[len(old)-1]), day(old[0]))
	if live > 0 {
		what += fmt.Sprintf("; %d of them could still be undone", live)
	}
	if exports > 0 {
		what += fmt.Sprintf("; %d exported sheets that may still come back", exports)
	}
	t := &ui.Terminal{In: cmd.InOrStdin(), Out: cmd.OutOrStdout(), Err: cmd.ErrOrStderr(), Look: look(cmd)}
	switch {
	case yes:
	case !t.Attended():
		return batch.Usage("rowbatch runs to see them, then --yes", "this would remove %s, and there is no terminal to ask on", what)
	case !t.Ask(cmd.Context(), job.Question{Text: "This removes " + what + ".", Agrees: "yes"}):
		return batch.Usage("", "not confirmed; nothing was removed")
	}
	for _, i := range old {
		err := runs.Remove(runs.Disk(), i)
		if busy := (*runs.BusyError)(nil); errors.As(err, &busy) {
			t.Complain(fmt.Errorf("%s stays: %w", i.ID, err)) // somebody has just taken it up
			continue
		}
		if err != nil {
			return err
		}
		removed = append(removed, i.ID)
	}
	return tell(batch.Plural(len(removed), "run") + " removed")
}
