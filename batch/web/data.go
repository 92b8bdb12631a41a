package web

import (
	"bufio"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"rowbatch/batch"
	"rowbatch/batch/job"
	"rowbatch/batch/runs"
	"rowbatch/reports/page"
)

// runData is what scripts and people take from a run: its rows, its state, its files.
type runData struct{ *site }

// download is a file that a run's page offers.
type download struct{ Name, What string }

// filesOf are the files of a run to take along: those that are there, and what is made when it is asked for.
func filesOf(d *runs.Dir, counts map[batch.Kind]int) (all []download) {
	what := map[string]string{"report.csv": "all rows", "failed.csv": "the rows that need work, to correct and run again",
		"summary.json": "for programs"}
	entries, err := os.ReadDir(d.Path())
	if err != nil {
		return nil
	}
	for _, e := range entries {
		if isReport(e.Name()) && made()[e.Name()] == "" {
			all = append(all, download{e.Name(), what[e.Name()]})
		}
	}
	needsWork := slices.ContainsFunc(batch.Kinds(), func(k batch.Kind) bool { return k.NeedsWork() && counts[k] > 0 })
	if needsWork {
		all = append(all, download{"failed.xlsx", "the same as a workbook"})
	}
	all = append(all, download{"report.xlsx", "all rows and all changes, as a workbook"},
		download{"report.html", "this page, to hand on"}, download{"changes.csv", "a line for each field that changed"})
	slices.SortStableFunc(all, func(a, b download) int { return strings.Compare(a.Name, b.Name) })
	return all
}

// made are the files that are made anew when they are asked for, as which report.
func made() map[string]string {
	return map[string]string{"report.xlsx": "report.xlsx", "review.xlsx": "report.xlsx", "failed.xlsx": "failed.xlsx",
		"changes.csv": "changes.csv", "report.html": "report.html"}
}

// isReport reports whether a file of a run is one to hand on.
func isReport(name string) bool {
	base, ext := strings.TrimSuffix(name, filepath.Ext(name)), filepath.Ext(name)
	known := strings.HasPrefix(base, "report") || strings.HasPrefix(base, "failed") || strings.HasPrefix(base, "summary") ||
		strings.HasPrefix(base, "review")
	return known && slices.Contains([]string{".csv", ".xlsx", ".html", ".json"}, ext)
}

func (s runData) sendFile(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("name")
	d, err := runs.Open(runs.Disk(), s.Settings.Output.Reports, r.PathValue("id"))
	if report := made()[name]; err == nil && report != "" {
		w.Header().Set("Content-Type", "application/octet-stream")
		w.Header().Set("Content-Disposition", `attachment; filename="`+d.ID()+"-"+name+`"`)
		if job.CopyReport(d, report, w) != nil {
			panic(http.ErrAbortHandler) // a file that ends early must not look complete
		}
		return
	}
	if err != nil || !isReport(name) || name != filepath.Base(name) {
		http.NotFound(w, r)
		return
	}
	f, err := os.Open(d.Path(name))
	if err != nil {
		http.NotFound(w, r)
		return
	}
	defer f.Close()
	w.Header().Set("Content-Disposition", `attachment; filename="`+d.ID()+"-"+name+`"`)
	w.Header().Set("Content-Security-Policy", "sandbox")
	http.ServeContent(w, r, "", time.Time{}, f)
}

// sendRows sends the rows of a run as one JSON array.
func (s runData) sendRows(w http.ResponseWriter, r *http.Request) {
	d, err := runs.Open(runs.Disk(), s.Settings.Output.Reports, r.PathValue("id"))
	if err != nil {
		http.NotFound(w, r)
		return
	}
	j, err := d.OpenAnyJournal()
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	defer j.Close()
	w.Header().Set("Content-Type", "application/json")
	out := bufio.NewWriterSize(w, 1<<16)
	e := json.NewEncoder(out)
	separator := "["
	for row, err := range page.Rows(d, j) {
		if err != nil {
			panic(http.ErrAbortHandler) // a list that ends early must not look complete
		}
		_, _ = out.WriteString(separator)
		if separator = ","; e.Encode(row) != nil {
			return // nobody reads any more
		}
	}
	if separator == "[" {
		_, _ = out.WriteString("[")
	}
	_, _ = out.WriteString("]")
	_ = out.Flush()
}

// sendState sends how far a run has come; of one that goes on elsewhere, what its journal tells.
func (s runData) sendState(w http.ResponseWriter, r *http.Request) {
	if run := s.watchOf(r.PathValue("id")); run != nil {
		tell(w, run.now(number(r.FormValue("rows"))))
		return
	}
	d, err := runs.Open(runs.Disk(), s.Settings.Output.Reports, r.PathValue("id"))
	if err != nil {
		http.NotFound(w, r)
		return
	}
	i := d.Info()
	l := live{Counts: map[batch.Kind]int{}, Minutes: [][3]int64{}, Total: i.Head.Rows, allowance: allowance{Today: -1}, Ended: !i.Running,
		Seldom: true}
	for kind, n := range i.Counts {
		if kind != batch.NotAttempted && kind != batch.InDoubt {
			l.Counts[kind] = n
			l.Done += n
		}
	}
	if j, err := d.OpenAnyJournal(); err == nil { // without it there is no picture
		defer j.Close()
		if sum, err := page.SummaryOf(d, j); err == nil {
			for _, m := range sum.Minutes {
				l.Minutes = append(l.Minutes, [3]int64{m[0], m[1]})
			}
			l.Requests = sum.Requests
		}
	}
	tell(w, l)
}
