package cli

import (
	"strings"
	"time"

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
	Dry     bool               `json:"dry_run,omitempty"` // it is to write nothing
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
		Use: "runs", Aliases: []string{"status"}, Short: "List the runs in the reports folder, newest first",
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
			if err := reportsOf(cmd, &dir); err != nil {
				return err
			}
			all, err := job.List(dir)
			if err != nil {
				return err
			}
			list := listAll(all, dir)
			if limit > 0 && limit < len(list) {
				list = list[:limit]
			}
			return showTable(cmd, list, func(w ui.Screen) { printRuns(w, list) })
		},
	}
	cmd.PersistentFlags().StringVar(&dir, "reports", job.DefaultReports, "folder `DIR` where run folders are")
	cmd.Flags().IntVar(&limit, "limit", 0, "only the newest `N` (default all)")
	cmd.AddCommand(newPrune(&dir))
	return cmd
}

// reportsOf is the folder of the profile in use, where no flag names one.
func reportsOf(cmd *cobra.Command, dir *string) error {
	s := job.Defaults()
	s.Output.Reports = *dir
	_, err := settled(cmd, &s)
	*dir = s.Output.Reports
	return err
}

func listAll(all []job.Listed, dir string) []listed {
	list := []listed{}
	for _, i := range all {
		l := listed{ID: i.ID, Action: i.Head.Action, Mode: i.Head.Mode, Dry: i.Head.IsDry(), File: i.Head.File, Started: i.Head.Started,
			Rows: i.Head.Rows, Counts: i.Counts, Of: i.Head.Of, State: i.State, Next: i.Next(dir)}
		if s, err := job.SettingsOf(i.Head); err == nil && s.Selection.Shard.Some() {
			l.Shard = s.Selection.Shard.String()
		}
		list = append(list, l)
	}
	return list
}

func printRuns(w ui.Screen, all []listed) {
	if len(all) == 0 {
		w.Printf("there are no runs yet\n")
	}
	page := w.OrPage()
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
		if l.Dry && l.Mode == journal.ModeUndo {
			what += " (dry run)"
		}
		what += ", " + cut(batch.Visible(l.File)) + ", " + l.Started.Local().Format("2006-01-02 15:04")
		w.Printf("%s  %s\n", w.Paint(ui.Strong, l.ID), w.Paint(toneOf(l.State), string(l.State)))
		if !page.Fits(2, what+", "+rows) {
			page.Table(2, []any{what})
			what, rows = rows, ""
		}
		page.Table(2, []any{strings.TrimSuffix(what+", "+rows, ", ")})
		switch {
		case l.Next == "":
		case page.Fits(2, "next: "+l.Next):
			w.Printf("  %s %s\n", w.Paint(ui.Strong, "next:"), l.Next)
		default:
			w.Printf("%s\n", l.Next) // no part of a command may be missing
		}
	}
}

// toneOf is the colour of a run's state.
func toneOf(s job.State) ui.Tone {
	return map[job.State]ui.Tone{job.Planned: ui.Accent, job.Stopped: ui.Need, job.Damaged: ui.Bad, job.Done: ui.Good}[s]
}

const longestFile = 60 // of which more is shown

// cut shortens the path of a file from its beginning.
func cut(path string) string {
	if r := []rune(path); len(r) > longestFile {
		return "…" + string(r[len(r)-longestFile+1:])
	}
	return path
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
		Args:    oneRun(),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := reportsOf(cmd, &dir); err != nil {
				return err
			}
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
	r, err := job.WriteReport(dir, out)
	if err != nil {
		return err
	}
	return showTable(cmd, r.Summary, func(w ui.Screen) { ui.PrintReport(w, r.Run, r.Summary) })
}
