package cli

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"rowbatch/batch"
	"rowbatch/batch/job"
	"rowbatch/batch/journal"
	"rowbatch/batch/ui"
)

// listed is one run as `runs` shows it.
type listed struct {
	ID      string             `json:"run_id"`
	Action  string             `json:"action"`
	Mode    string             `json:"mode"`
	File    string             `json:"file"`
	Shard   string             `json:"shard,omitempty"` // I/N
	Started time.Time          `json:"started"`
	Rows    int                `json:"rows"`
	Counts  map[batch.Kind]int `json:"outcomes"`
	State   job.State          `json:"state"`
	Of      string             `json:"of,omitempty"`
	Next    string             `json:"next,omitempty"`
}

func newRuns() *cobra.Command {
	var dir string
	var limit int
	cmd := &cobra.Command{
		Use: "runs", Short: "List the runs in the reports folder, newest first",
		Long: `runs lists the runs in the reports folder, newest first: what each was, how its
rows ended, its state (planned, running, stopped, declined, done, undone), and what can be
done next.`,
		Example: `  rowbatch runs --limit 5
  rowbatch runs prune --older-than 90d`,
		Args: noArgument,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if limit < 0 {
				return batch.Usage("rowbatch runs --limit 5", "--limit %d is no number of runs", limit)
			}
			all, err := job.List(dir)
			if err != nil {
				return err
			}
			list := listAll(all, dir)
			if limit > 0 && limit < len(list) {
				list = list[:limit]
			}
			return show(cmd, list, func(w io.Writer) error { return printRuns(w, list) })
		},
	}
	cmd.PersistentFlags().StringVar(&dir, "reports", job.DefaultReports, "folder `DIR` where run folders are")
	cmd.Flags().IntVar(&limit, "limit", 0, "only the newest `N` (default all)")
	cmd.AddCommand(newPrune(&dir))
	return cmd
}

func listAll(all []job.Listed, dir string) []listed {
	list := []listed{}
	for _, i := range all {
		l := listed{ID: i.ID, Action: i.Head.Action, Mode: i.Head.Mode, File: i.Head.File, Started: i.Head.Started,
			Rows: i.Head.Rows, Counts: i.Counts, Of: i.Head.Of, State: i.State, Next: i.Next(dir)}
		if s, err := job.SettingsOf(i.Head); err == nil && s.Selection.Shard.Some() {
			l.Shard = s.Selection.Shard.String()
		}
		list = append(list, l)
	}
	return list
}

func printRuns(w io.Writer, all []listed) error {
	if len(all) == 0 {
		_, err := fmt.Fprintln(w, "there are no runs yet")
		return err
	}
	for _, l := range all {
		what, rows := l.Action, ui.CountsText(l.Rows, l.Counts)
		if l.State == job.Damaged {
			rows = "its journal cannot be read"
		}
		if l.Mode != journal.ModeRun && l.Mode != l.Action {
			what += " " + l.Mode
		}
		if l.Shard != "" {
			what += " " + l.Shard
		}
		if l.Of != "" {
			what += " of " + l.Of
		}
		next := "  next: " + l.Next
		if len(next) > screenWidth {
			next = l.Next // no part of a command may be missing
		}
		what += ", " + cut(batch.Visible(l.File)) + ", " + l.Started.Local().Format("2006-01-02 15:04")
		lines := append([]string{l.ID + "  " + string(l.State)}, wrapped(what+", "+rows)...)
		if len(lines) > 2 {
			lines = slices.Concat(lines[:1], wrapped(what), wrapped(rows))
		}
		if l.Next != "" {
			lines = append(lines, next)
		}
		if _, err := fmt.Fprintln(w, strings.Join(lines, "\n")); err != nil {
			return err
		}
	}
	return nil
}

const (
	screenWidth = 80
	longestFile = 60 // of which more is shown
)

// cut shortens the path of a file from its beginning.
func cut(path string) string {
	if r := []rune(path); len(r) > longestFile {
		return "…" + string(r[len(r)-longestFile+1:])
	}
	return path
}

// wrapped breaks a text into indented lines that a screen has room for.
func wrapped(text string) (lines []string) {
	line := " "
	for word := range strings.FieldsSeq(text) {
		if utf8.RuneCountInString(line)+1+utf8.RuneCountInString(word) > screenWidth {
			lines, line = append(lines, line), "   "
		}
		line += " " + word
	}
	return append(lines, line)
}

func newReport() *cobra.Command {
	var dir string
	var out job.Output
	cmd := &cobra.Command{
		Use: "report RUN", Short: "Write the report files of a run again",
		Long: `report writes report.csv, failed.csv and summary.json of a run again, from its
journal, also while the run is still going on. RUN is its id or folder, or "last"
for the newest. --xlsx also writes report.xlsx (sheets Summary, Changes with one line a
field, and Rows) and failed.xlsx. --html also writes report.html, a page to look at in a
browser and to hand on: one file, which needs no network. Once there, they are kept up
to date.`,
		Example: "  rowbatch report last\n  rowbatch report last --html\n  rowbatch report last --xlsx",
		Args:    oneRun,
		RunE: func(cmd *cobra.Command, args []string) error {
			return rewriteReport(cmd, dir, args[0], out)
		},
	}
	cmd.Flags().StringVar(&dir, "reports", job.DefaultReports, "folder `DIR` where run folders are")
	cmd.Flags().BoolVar(&out.HTML, "html", false, "also write report.html")
	cmd.Flags().BoolVar(&out.XLSX, "xlsx", false, "also write report.xlsx and failed.xlsx")
	return cmd
}

// rewriteReport writes a run's files once more. Its exit code is about that, not about the run.
func rewriteReport(cmd *cobra.Command, folder, name string, out job.Output) error {
	dir, err := job.Find(folder, name, "run", job.IsEdit)
	if err != nil {
		return err
	}
	summary, err := job.WriteReport(dir, out)
	if err != nil {
		return err
	}
	return show(cmd, summary, func(w io.Writer) error {
		w = ui.Shown(w, []string{name})
		fmt.Fprintf(w, "%s %s: %s\n", summary.Action, batch.Visible(summary.File), ui.CountsText(summary.Rows, summary.Outcomes))
		ui.PrintErrors(w, summary)
		run := job.Identity{ID: summary.RunID, Dry: summary.DryRun, Age: time.Since(summary.Started)}
		fmt.Fprintf(w, "run: %s\naccount: %s\n", ui.IdentityText(run), summary.Host)
		return ui.PrintReport(w, summary)
	})
}
