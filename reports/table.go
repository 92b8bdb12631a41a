package reports

import (
	"encoding/csv"

	"rowbatch/batch/runs"
)

const byteOrderMark = "\uFEFF" // without it, Excel takes UTF-8 for the system's old encoding

// sheet is one CSV file being written.
type sheet struct {
	draft *runs.Draft
	out   *csv.Writer
}

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

// table is the gocsv.CSVWriter behind both files. To the columns that gocsv
// makes of a Line it adds the input's cells, and it escapes them all.
type table struct {
	report, failed *sheet
	escape         func(string) string
	cells          []string // of the input
	needsWork      bool     // the row also stands in the failed file
	record         []string
	err            error
}

// Write takes one row's own columns from gocsv.
func (t *table) Write(own []string) error {
	t.record = t.record[:0]
	for _, cells := range [][]string{own, t.cells} {
		for _, cell := range cells {
			t.record = append(t.record, t.safe(cell))
		}
	}
	t.err = t.report.out.Write(t.record)
	if t.err == nil && t.needsWork {
		t.err = t.failed.out.Write(t.record)
	}
	return t.err
}

// safe keeps a spreadsheet from running a cell. A negative number is no formula,
// and is read back as it is.
func (t *table) safe(cell string) string {
	if IsNumber(cell) {
		return cell
	}
	return t.escape(cell)
}

// Flush does nothing: gocsv calls it after every row.
func (t *table) Flush() {}

// Error returns the first error of Write.
func (t *table) Error() error { return t.err }
