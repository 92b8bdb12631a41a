// Package reports derives a run's report files from its journal and its copy of
// the input's rows, and from nothing else: they can be written at any time, again,
// and for a run that was killed, and always agree with what was sent.
//
// A row without an outcome in the journal is in_doubt when the intent of a write
// is there, and not_attempted otherwise.
package reports

import (
	"cmp"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/gocarina/gocsv"

	"rowbatch/batch"
	"rowbatch/batch/journal"
	"rowbatch/batch/runs"
)

// Options say how the CSV files are written.
type Options struct {
	Escape    func(cell string) string // keeps a spreadsheet from running a cell as a formula; must be given
	Delimiter rune                     // 0: that of the run's input
	End       *journal.End             // of a run whose journal could not take it
}

// Write puts report.csv, failed.csv and summary.json into the run's folder:
//
//   - report.csv has a line for every row of the input, in its order: the columns
//     of [Line], then the input's own;
//   - failed.csv the same for the rows that need work, ready to be run again; it is
//     absent when there are none;
//   - both are UTF-8 with a byte order mark, LF after a row. A ragged row keeps its
//     own number of cells.
//
// A file that somebody has edited since it was written, or holds open, stays, and the
// new one gets a number. Memory is 16 bytes a row. The run may still be going on. An error is a
// *runs.WriteError when a file could not be written.
func Write(d *runs.Dir, o Options) (Summary, error) {
	j, err := d.OpenAnyJournal()
	if err != nil {
		return Summary{}, err
	}
	defer j.Close()
	rows, err := d.ReadRows()
	if err != nil {
		return Summary{}, err
	}
	defer rows.Close()
	if o.End != nil {
		j.End = o.End
	}
	ofInput, _ := utf8.DecodeRuneInString(cmp.Or(j.Head.Delimiter, ","))
	delimiter := cmp.Or(o.Delimiter, ofInput)
	report, err := newSheet(d, "report.csv", delimiter)
	if err != nil {
		return Summary{}, err
	}
	defer report.draft.Drop()
	failed, err := newSheet(d, "failed.csv", delimiter)
	if err != nil {
		return Summary{}, err
	}
	defer failed.draft.Drop()
	h := j.Head
	h.ID = d.ID() // it may have been renamed
	w := &writer{dir: d, journal: j, rows: rows, report: report, failed: failed, escape: o.Escape, tally: &tally{
		Summary: Summary{Origin: OriginOf(h), Rows: h.Rows,
			Outcomes: map[batch.Kind]int{}, Waited: map[string]float64{}},
		errors: map[string]*ErrorCount{},
		last:   h.Started,
	}}
	if err := w.copyRows(); err != nil {
		return Summary{}, err
	}
	return w.keep()
}

// writer writes both files. To gocsv it is a CSVWriter, which adds the input's cells to
// the columns that gocsv makes of a Line, and escapes them all.
type writer struct {
	dir            *runs.Dir
	journal        *runs.Journal
	rows           *runs.RowsReader
	tally          *tally
	report, failed *sheet
	escape         func(string) string
	cells          []string // of the input
	needsWork      bool     // the row also stands in the failed file
	record         []string
}

func (w *writer) copyRows() error {
	w.cells, w.needsWork = w.rows.Heading(), true
	if err := gocsv.MarshalCSV([]Line{}, w); err != nil {
		return err
	}
	n := 0
	for ; ; n++ {
		row, err := w.rows.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err == nil && n < w.journal.Head.Rows {
			err = w.copyRow(row)
		}
		if err != nil {
			return err
		}
	}
	if n != w.journal.Head.Rows {
		return fmt.Errorf("%s holds %d rows, and the run's journal speaks of %d; try: restore the run's folder from a backup",
			w.dir.Path(runs.RowsName), n, w.journal.Head.Rows)
	}
	return nil
}

func (w *writer) copyRow(row runs.Row) error {
	o, err := w.journal.Outcome(row.N)
	if err != nil {
		return fmt.Errorf("%s: row %d: %w", w.dir.Path("journal"), row.N, err)
	}
	if end := w.journal.End; o.Code == "stopped" && end != nil && end.Exit == batch.ExitUsage { // nobody wanted it
		o.Code = "not_confirmed"
		o.Error, _, _ = strings.Cut(end.Cause, "\n")
	}
	if w.journal.Head.Mode != journal.ModeUndo { // which sends none of the cells
		o.Warnings = slices.Concat(row.Warnings, o.Warnings)
	}
	w.cells, w.needsWork = row.Cells, o.Kind.NeedsWork()
	action := w.action(row)
	w.tally.Held = w.tally.Held || action == "hold" && o.Kind == batch.Changed
	line := [1]Line{lineOf(row.Line, action, w.tally.add(row.Line, o), o)}
	return gocsv.MarshalCSVWithoutHeaders(&line, w)
}

// action is what a row was to become: of a mixed file, what its cell says.
func (w *writer) action(row runs.Row) string {
	head := w.journal.Head
	action := head.Action
	if head.ActionColumn != "" {
		action = ""
		at := slices.IndexFunc(w.rows.Heading(), func(h string) bool { return strings.TrimSpace(h) == head.ActionColumn })
		if at >= 0 && at < len(row.Cells) {
			action = strings.ToLower(strings.TrimSpace(row.Cells[at]))
		}
	}
	if head.Mode == journal.ModeUndo && action == "hold" {
		return "unhold"
	}
	return action
}

// Write takes one row's own columns from gocsv.
func (w *writer) Write(own []string) error {
	w.record = w.record[:0]
	if !w.journal.Head.IsDry() {
		own = own[1:] // rb_apply
	}
	for i, cell := range slices.Concat(own, w.cells) {
		asItCame := i >= len(own) && strings.HasPrefix(cell, "'")
		if !IsNumber(cell) && !asItCame { // a negative number is no formula, and is read back as it is
			cell = w.escape(cell)
		}
		w.record = append(w.record, cell)
	}
	err := w.report.out.Write(w.record)
	if err == nil && w.needsWork {
		err = w.failed.out.Write(w.record)
	}
	return err
}

// Flush does nothing: gocsv calls it after every row.
func (w *writer) Flush() {}

// Error knows of nothing that Write has not returned.
func (w *writer) Error() error { return nil }

// keep puts the files in their places.
func (w *writer) keep() (s Summary, err error) {
	s = w.tally.summary(w.journal.Head, w.journal.End)
	if s.Report, err = w.report.keep(); err != nil {
		return s, err
	}
	s.leave(w.dir, "report.csv", s.Report)
	if slices.ContainsFunc(batch.Kinds(), func(k batch.Kind) bool { return k.NeedsWork() && s.Outcomes[k] > 0 }) {
		s.Failed, err = w.failed.keep()
		s.leave(w.dir, "failed.csv", s.Failed)
	} else {
		var left []string
		left, err = w.dir.Withdraw("failed.csv")
		s.Left = append(s.Left, left...)
	}
	if err != nil {
		return s, err
	}
	return s, s.Write(w.dir)
}

// sheet is one CSV file being written.
type sheet struct {
	draft *runs.Draft
	out   *csv.Writer
}

const byteOrderMark = "\uFEFF" // without it, Excel takes UTF-8 for the system's old encoding

func newSheet(d *runs.Dir, name string, delimiter rune) (*sheet, error) {
	draft, err := d.Draft(name)
	if err != nil {
		return nil, err
	}
	s := &sheet{draft, csv.NewWriter(draft)}
	s.out.Comma = delimiter
	if _, err := draft.Write([]byte(byteOrderMark)); err != nil {
		draft.Drop()
		return nil, err
	}
	return s, nil
}

func (s *sheet) keep() (string, error) {
	s.out.Flush()
	if err := s.out.Error(); err != nil {
		return "", err
	}
	return s.draft.Keep()
}
