package ui

import (
	"fmt"
	"strings"

	"rowbatch/batch"
	"rowbatch/batch/job"
)

// problemsShown is how many rejected rows of a check are shown one by one.
const problemsShown = 50

// PrintCheck tells what the offline checks have found.
func PrintCheck(t *Terminal, r *job.FileCheck, asJSON bool) error {
	w := Shown(t.Out, t.Words)
	if asJSON {
		_, err := w.Write(batch.JSON(r, "  "))
		return err
	}
	fmt.Fprintf(w, "%s %s: %s: %d may be sent, %d rejected", r.Action, r.File, batch.Plural(r.Rows, "row"), r.Fit, r.Rejected)
	if r.Notes > 0 {
		fmt.Fprintf(w, ", %d skipped", r.Notes)
	}
	_, err := fmt.Fprintln(w)
	for _, p := range r.Problems[:min(len(r.Problems), problemsShown)] {
		fmt.Fprintf(w, "line %d: %s: %s\n  try: %s\n", p.Line, p.Code, batch.Visible(p.Text), p.Fix)
	}
	if more := r.Rejected - problemsShown; more > 0 {
		fmt.Fprintf(w, "and %s more\n", batch.Plural(more, "rejected row"))
	}
	for _, f := range r.Findings {
		lines := fmt.Sprint(f.Lines)
		where := batch.Plural(f.Rows, "row")
		if len(f.Lines) > 0 {
			where += " (line " + strings.ReplaceAll(strings.Trim(lines, "[]"), " ", ", ")
			if f.Rows > len(f.Lines) {
				where += ", …"
			}
			where += ")"
		}
		_, err = fmt.Fprintf(w, "warning: column %s, %s: %s\n", batch.Visible(f.Column), where, batch.Visible(f.Text))
	}
	return err
}
