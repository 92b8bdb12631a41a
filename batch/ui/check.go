package ui

import (
	"fmt"
	"strings"

	"rowbatch/batch"
	"rowbatch/batch/job"
	"rowbatch/mapping"
)

// problemsShown is how many rejected rows of a check are shown one by one.
const problemsShown = 50

// PrintCheck tells what the offline checks have found.
func PrintCheck(t *Terminal, r *job.FileCheck, asJSON bool) error {
	w := t.out()
	if asJSON {
		_, err := w.Write(batch.JSON(r, "  "))
		return err
	}
	notes, unit := "", mapping.Unit(r.File)
	if r.Notes > 0 {
		notes = fmt.Sprintf(", %d skipped", r.Notes)
	}
	w.Printf("%s: %s: %d may be sent, %d rejected%s\n", w.Paint(Strong, r.Action+" "+r.File),
		batch.Plural(r.Rows, "row"), r.Fit, r.Rejected, notes)
	for _, p := range r.Problems[:min(len(r.Problems), problemsShown)] {
		where, what := w.Paint(Plain, fmt.Sprintf("%s %d: ", unit, p.Line)), w.Paint(Plain, ": "+batch.Visible(p.Text))
		w.Table(0, []any{where + w.Paint(Need, p.Code) + what})
		w.Table(2, []any{w.Paint(Strong, "try:") + w.Paint(Plain, " "+p.Fix)})
	}
	if more := r.Rejected - problemsShown; more > 0 {
		w.Printf("and %s more\n", batch.Plural(more, "rejected row"))
	}
	for _, f := range r.Findings {
		lines := fmt.Sprint(f.Lines)
		where := batch.Plural(f.Rows, "row")
		if len(f.Lines) > 0 {
			where += " (" + unit + " " + strings.ReplaceAll(strings.Trim(lines, "[]"), " ", ", ")
			if f.Rows > len(f.Lines) {
				where += ", …"
			}
			where += ")"
		}
		w.Table(0, []any{w.Paint(Need, "warning:") +
			w.Paint(Plain, fmt.Sprintf(" column %s, %s: %s", batch.Visible(f.Column), where, batch.Visible(f.Text)))})
	}
	return nil
}
