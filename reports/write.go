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
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"unicode/utf8"

	"rowbatch/batch"
	"rowbatch/batch/journal"
	"rowbatch/batch/runs"
	"rowbatch/reports/page"
)

// Options say how the CSV files are written.
type Options struct {
	Escape    func(cell string) string // keeps a spreadsheet from running a cell as a formula; must be given
	Delimiter rune                     // 0: that of the run's input
	End       *journal.End             // of a run whose journal could not take it
	Workbook  bool                     // report.xlsx and failed.xlsx, too
	HTML      bool                     // report.html, too

	Around func(*runs.Journal, Summary) (page.Around, error) // what report.html says beside the run itself; nil: nothing
}

// Write puts report.csv, failed.csv and summary.json into the run's folder:
//
//   - report.csv has a line for every row of the input, in its order: the columns
//     of [Line], then the input's own;
//   - failed.csv the same for the rows that need work, ready to be run again; it is
//     absent when there are none;
//   - report.xlsx and failed.xlsx are the same as workbooks, where they are wanted or there
//     already; failed.xlsx also where the input was a workbook;
//   - report.html is a page to hand on, where it is wanted or there already;
//   - the CSV files are UTF-8 with a byte order mark, LF after a row. A ragged row keeps its
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
	lines, err := NewLines(d, j)
	if err != nil {
		return Summary{}, err
	}
	books, err := newWorkbooks(lines, d.Path(), o.Workbook)
	if err != nil {
		return Summary{}, err
	}
	defer books.drop()
	w := newWriter(lines, books, o)
	w.report, w.failed = report, failed
	if err := w.copyRows(); err != nil {
		return Summary{}, err
	}
	s, err := w.keep()
	if _, failed := os.Stat(d.Path("report.html")); err == nil && (o.HTML || failed == nil) { // one of an earlier state must not stay
		err = pageWriter{w}.keep(&s)
	}
	if err != nil {
		return s, err
	}
	return s, s.Write(d)
}

// writer writes all files of one run.
type writer struct {
	*Lines
	tally          *tally
	report, failed *sheet
	books          *workbooks
	escape         func(string) string
	around         func(*runs.Journal, Summary) (page.Around, error)
	cells          []string
}

func newWriter(lines *Lines, books *workbooks, o Options) *writer {
	h := lines.journal.Head
	h.ID = lines.dir.ID() // it may have been renamed
	return &writer{Lines: lines, books: books, escape: o.Escape, around: o.Around, tally: &tally{
		Summary: Summary{Origin: OriginOf(h), Rows: h.Rows,
			Outcomes: map[batch.Kind]int{}, Waited: map[string]float64{}},
	}}
}

// WriteTo writes a report of a run to somewhere else, and nothing into the run's folder:
// report.xlsx, failed.xlsx, report.html, or changes.csv, which has a line for each field that
// changes.
func WriteTo(d *runs.Dir, name string, o Options, to io.Writer) error {
	j, err := d.OpenAnyJournal()
	if err != nil {
		return err
	}
	defer j.Close()
	lines, err := NewLines(d, j)
	if err != nil {
		return err
	}
	if name == "changes.csv" {
		return lines.writeChanges(o.Escape, to)
	}
	books, err := newWorkbooks(lines, os.TempDir(), name != "report.html")
	if err != nil {
		return err
	}
	defer books.drop()
	w := newWriter(lines, books, o)
	w.report, w.failed = &sheet{out: csv.NewWriter(io.Discard)}, &sheet{out: csv.NewWriter(io.Discard)}
	if err := w.copyRows(); err != nil {
		return err
	}
	s := w.tally.summary(j)
	switch name {
	case "failed.xlsx":
		return books.failed.Write(to)
	case "report.html":
		document, err := pageWriter{w}.document(s)
		if err != nil {
			return err
		}
		return document.Write(to, pageWriter{w}.shown())
	}
	if err := books.summarize(&s); err != nil {
		return err
	}
	return books.report.Write(to)
}

func (w *writer) copyRows() error {
	own, input, err := w.Heading()
	if err == nil {
		err = w.write(own, input, true)
	}
	if err == nil {
		err = w.books.begin(own, input)
	}
	if err != nil {
		return err
	}
	n := 0
	for row, err := range w.dir.AllRows() {
		if err == nil && n < w.journal.Head.Rows {
			err = w.copyRow(row)
		}
		if err != nil {
			return err
		}
		n++
	}
	if n != w.journal.Head.Rows {
		return fmt.Errorf("%s holds %d rows, and the run's journal speaks of %d; try: restore the run's folder from a backup",
			w.dir.Path(runs.RowsName), n, w.journal.Head.Rows)
	}
	return nil
}

func (w *writer) copyRow(row runs.Row) error {
	line, own, o, err := w.Of(row, func(action string, o batch.Outcome) string {
		w.tally.Held = w.tally.Held || action == "hold" && o.Kind == batch.Changed
		return w.tally.add(row.Line, o)
	})
	if err != nil {
		return err
	}
	if err := w.books.take(line, own, row, o); err != nil {
		return err
	}
	return w.write(own, row.Cells, o.Kind.NeedsWork())
}

// write puts a line's own cells and the input's into the report, and where the row
// needs work into the failed file.
func (w *writer) write(own, input []string, needsWork bool) error {
	w.cells = append(append(w.cells[:0], own...), input...)
	for i, cell := range w.cells {
		asItCame := i >= len(own) && strings.HasPrefix(cell, "'")
		if !IsNumber(cell) && !asItCame { // a negative number is no formula, and is read back as it is
			w.cells[i] = w.escape(cell)
		}
	}
	err := w.report.out.Write(w.cells)
	if err == nil && needsWork {
		err = w.failed.out.Write(w.cells)
	}
	return err
}

// keep puts the files in their places.
func (w *writer) keep() (s Summary, err error) {
	s = w.tally.summary(w.journal)
	if s.Report, err = w.report.keep(); err != nil {
		return s, err
	}
	s.leave(w.dir, "report.csv", s.Report)
	needsWork := slices.ContainsFunc(batch.Kinds(), func(k batch.Kind) bool { return k.NeedsWork() && s.Outcomes[k] > 0 })
	if needsWork {
		s.Failed, err = w.failed.keep()
		s.leave(w.dir, "failed.csv", s.Failed)
	} else {
		var left []string
		left, err = w.dir.Withdraw("failed.csv")
		s.Left = append(s.Left, left...)
	}
	if err == nil {
		err = w.books.keep(&s, needsWork)
	}
	return s, err
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
