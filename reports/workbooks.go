package reports

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"rowbatch/batch"
	"rowbatch/batch/runs"
)

// workbooks are report.xlsx and failed.xlsx on their way; nil where there are none to be.
type workbooks struct {
	lines          *Lines
	report, failed *Workbook
	changes        *Sheet
	summary        *Sheet
	rows, again    *Sheet // of the report, and of the failed rows
	own            int    // columns before the input's
	width          int    // columns in all
}

func newWorkbooks(lines *Lines, folder string, wanted bool) (b *workbooks, err error) {
	b = &workbooks{lines: lines}
	there := func(name string) bool {
		_, err := os.Stat(lines.dir.Path(name))
		return err == nil
	}
	if wanted = wanted || there("report.xlsx"); wanted { // one of an earlier state must not stay
		if b.report, err = NewWorkbook(folder); err != nil {
			return nil, b.writing("report.xlsx", err)
		}
	}
	if wanted || there("failed.xlsx") || strings.EqualFold(filepath.Ext(lines.journal.Head.File), ".xlsx") {
		b.failed, err = NewWorkbook(folder)
	}
	return b, b.writing("failed.xlsx", err)
}

func (b *workbooks) writing(name string, err error) error {
	if err == nil {
		return nil
	}
	return &runs.WriteError{Path: b.lines.dir.Path(name), Err: err}
}

// begin writes the headings.
func (b *workbooks) begin(own, input []string) (err error) {
	b.own, b.width = len(own), len(own)+len(input)
	heading := append(append(make([]string, 0, b.width), own...), input...)
	widths := make([]float64, len(own))
	for i, name := range own {
		widths[i] = map[string]float64{"rb_change": 44, "rb_error": 44, "rb_fix": 36, "rb_warning": 30, "rb_customer": 26, "rb_changes": 30,
			"rb_apply": 10, "rb_line": 9}[name]
		if widths[i] == 0 {
			widths[i] = 15
		}
	}
	if b.report != nil {
		if b.summary, err = b.report.Sheet("Summary", []string{"Summary", "", "", ""}, 24, 40, 24, 70); err == nil {
			b.changes, err = b.report.Sheet("Changes", changesHeading(), 9, 30, 28, 36, 36, 15)
		}
		if err == nil {
			b.rows, err = b.report.Sheet("Rows", heading, widths...)
		}
		if err != nil {
			return b.writing("report.xlsx", err)
		}
	}
	if b.failed != nil {
		b.again, err = b.failed.Sheet("Rows", heading, widths...)
	}
	return b.writing("failed.xlsx", err)
}

// take writes a row. What a workbook cannot hold is marked as damaged where it would else
// be sent as something else when the file is run again.
func (b *workbooks) take(l Line, own []string, row runs.Row, o batch.Outcome) error {
	if b.failed == nil {
		return nil
	}
	cells := append(append(make([]string, 0, b.width+1), own...), row.Cells...)
	for i, cell := range cells {
		switch why := Unfit(cell); {
		case why == "":
		case i < len(own):
			cells[i] = batch.Visible(shortened(cell))
		default:
			cells[i] = "#DAMAGED! " + why + ": " + batch.Visible(shortened(cell))
		}
	}
	if missing := b.width - len(cells); row.Ragged && missing >= 0 { // else it would come back as a whole row
		cells = append(append(cells, make([]string, missing)...), fmt.Sprintf("a row of %d cells", len(row.Cells)))
	}
	if b.report != nil {
		if err := b.rows.Row(cells, o.Kind); err != nil {
			return b.writing("report.xlsx", err)
		}
		who := l.Customer
		if who == "" {
			who = l.Key
		}
		for _, c := range o.Changes {
			before, after := c.Shown()
			line := []string{l.Line, who, batch.Visible(c.Field), before, after, l.Outcome}
			for i, cell := range line {
				if Unfit(cell) != "" {
					line[i] = shortened(cell)
				}
			}
			if err := b.changes.Row(line, o.Kind); err != nil {
				return b.writing("report.xlsx", err)
			}
		}
	}
	if !o.Kind.NeedsWork() {
		return nil
	}
	return b.writing("failed.xlsx", b.again.Row(cells, o.Kind))
}

// shortened is the beginning of a text that is too long.
func shortened(text string) string {
	const room = 8_000 // four times that in its longest spelling still goes into a cell
	if r := []rune(text); len(r) > room {
		return string(r[:room]) + " …"
	}
	return text
}

// keep puts the workbooks in their places.
func (b *workbooks) keep(s *Summary, needsWork bool) (err error) {
	if b.report != nil {
		if err := b.summarize(s); err != nil {
			return b.writing("report.xlsx", err)
		}
		if s.ReportXLSX, err = b.put("report.xlsx", b.report); err != nil {
			return err
		}
		s.leave(b.lines.dir, "report.xlsx", s.ReportXLSX)
	}
	if b.failed != nil && needsWork {
		s.FailedXLSX, err = b.put("failed.xlsx", b.failed)
		s.leave(b.lines.dir, "failed.xlsx", s.FailedXLSX)
		return err
	}
	left, err := b.lines.dir.Withdraw("failed.xlsx")
	s.Left = append(s.Left, left...)
	return err
}

func (b *workbooks) put(name string, w *Workbook) (string, error) {
	draft, err := b.lines.dir.Draft(name)
	if err != nil {
		return "", err
	}
	defer draft.Drop()
	if err := w.Write(draft); err != nil {
		return "", b.writing(name, err)
	}
	return draft.Keep()
}

func (b *workbooks) summarize(s *Summary) error {
	rows := [][]string{{"run", s.RunID}, {"mode", s.Mode}, {"action", s.Action}, {"file", s.File},
		{"account", strings.TrimPrefix(s.Word+", "+s.Host, ", ")}, {"started", s.Started.UTC().Format(timeFormat)},
		{"rows", strconv.Itoa(s.Rows)}}
	if s.Parent != "" {
		rows = append(rows, []string{"of", s.Parent})
	}
	if s.Error != "" {
		rows = append(rows, []string{"stopped", batch.Visible(s.Error)})
	}
	rows = append(rows, nil, []string{"outcome", "rows"})
	for _, kind := range batch.Kinds() {
		if n := s.Outcomes[kind]; n > 0 {
			rows = append(rows, []string{string(kind), strconv.Itoa(n)})
		}
	}
	if len(s.Errors) > 0 {
		rows = append(rows, nil, []string{"error", "rows", "lines", "what to do"})
	}
	for _, e := range s.Errors {
		lines := strings.Trim(strings.ReplaceAll(fmt.Sprint(e.Lines), " ", ", "), "[]")
		if e.Count > len(e.Lines) {
			lines += ", …"
		}
		rows = append(rows, []string{e.Code, strconv.Itoa(e.Count), lines, e.Fix})
	}
	for _, row := range rows {
		kind := batch.Kind("")
		if len(row) > 0 {
			kind = batch.Kind(row[0])
		}
		if err := b.summary.Row(row, kind); err != nil {
			return err
		}
	}
	return nil
}

// drop forgets them.
func (b *workbooks) drop() {
	for _, w := range []*Workbook{b.report, b.failed} {
		if w != nil {
			w.Close()
		}
	}
}
