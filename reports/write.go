package reports

import (
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
// A file that somebody has edited since it was written stays, and the new one gets
// a number. Memory is 16 bytes a row. The run may still be going on. An error is a
// *runs.WriteError when a file could not be written.
func Write(d *runs.Dir, o Options) (Summary, error) {
	j, err := d.OpenJournal()
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
	w := &writer{dir: d, journal: j, rows: rows, tally: newTally(d.ID(), j.Head)}
	if err := w.open(o); err != nil {
		return Summary{}, err
	}
	defer w.drop()
	if err := w.copyRows(); err != nil {
		return Summary{}, err
	}
	return w.keep()
}

type writer struct {
	dir     *runs.Dir
	journal *runs.Journal
	rows    *runs.RowsReader
	table   *table
	tally   *tally
}

func (w *writer) open(o Options) error {
	delimiter := delimiterOf(o, w.journal.Head)
	report, err := newSheet(w.dir, "report.csv", delimiter)
	if err != nil {
		return err
	}
	failed, err := newSheet(w.dir, "failed.csv", delimiter)
	if err != nil {
		report.draft.Drop()
		return err
	}
	w.table = &table{report: report, failed: failed, escape: o.Escape}
	return nil
}

func delimiterOf(o Options, h journal.Head) rune {
	if o.Delimiter != 0 {
		return o.Delimiter
	}
	if r, size := utf8.DecodeRuneInString(h.Delimiter); size > 0 {
		return r
	}
	return ','
}

func (w *writer) copyRows() error {
	w.table.cells, w.table.needsWork = w.rows.Heading(), true
	if err := gocsv.MarshalCSV([]Line{}, w.table); err != nil {
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
		return fmt.Errorf("%s holds %d rows, and the run's journal speaks of %d; try: restore the run's folder from a backup", w.dir.Path("rows.csv"), n, w.journal.Head.Rows)
	}
	return nil
}

func (w *writer) copyRow(row runs.Row) error {
	o, err := w.journal.Outcome(row.N)
	if err != nil {
		return fmt.Errorf("%s: row %d: %w", w.dir.Path("journal"), row.N, err)
	}
	fix := w.tally.add(row.Line, o)
	w.table.cells, w.table.needsWork = row.Cells, o.Kind.NeedsWork()
	line := [1]Line{lineOf(row.Line, w.action(row), fix, o)}
	return gocsv.MarshalCSVWithoutHeaders(&line, w.table)
}

// action is what a row was to become: of a mixed file, what its cell says.
func (w *writer) action(row runs.Row) string {
	head := w.journal.Head
	action := head.Action
	if head.ActionColumn != "" {
		action = w.actionCell(row)
	}
	if head.Mode == journal.ModeUndo && action == "hold" {
		return "unhold"
	}
	return action
}

func (w *writer) actionCell(row runs.Row) string {
	head := w.journal.Head
	at := slices.IndexFunc(w.rows.Heading(), func(h string) bool { return strings.TrimSpace(h) == head.ActionColumn })
	if at < 0 || at >= len(row.Cells) {
		return ""
	}
	return strings.ToLower(strings.TrimSpace(row.Cells[at]))
}

// keep puts the files in their places.
func (w *writer) keep() (s Summary, err error) {
	s = w.tally.summary(w.journal.Head, w.journal.End)
	if s.Report, err = w.table.report.keep(); err != nil {
		return s, err
	}
	if s.Failed, err = w.keepFailed(s); err != nil {
		return s, err
	}
	draft, err := w.dir.Draft("summary.json")
	if err != nil {
		return s, err
	}
	if _, err := draft.Write(s.JSON()); err != nil {
		draft.Drop()
		return s, err
	}
	_, err = draft.Keep()
	return s, err
}

func (w *writer) keepFailed(s Summary) (string, error) {
	for _, k := range batch.Kinds() {
		if k.NeedsWork() && s.Outcomes[k] > 0 {
			return w.table.failed.keep()
		}
	}
	return "", w.dir.Withdraw("failed.csv")
}

func (w *writer) drop() {
	w.table.report.draft.Drop()
	w.table.failed.draft.Drop()
}
