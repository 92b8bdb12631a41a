package reports

import (
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"rowbatch/batch"
	"rowbatch/batch/journal"
	"rowbatch/batch/runs"
)

var start = time.Date(2026, 11, 20, 21, 52, 0, 0, time.UTC)

// escape is the rule for formula cells in its shortest form.
func escape(cell string) string {
	if rest := strings.TrimLeft(cell, "'"); rest != "" && strings.ContainsRune("=+-@\t\r", rune(rest[0])) {
		return "'" + cell
	}
	return cell
}

type row struct {
	cells  []string
	ragged bool
	intent []batch.Change
	done   *batch.Outcome
	warned []string
}

// history is a run to be played into a folder.
type history struct {
	head    journal.Head
	heading []string
	rows    []row
	end     *journal.End
}

func play(on runs.FS, root string, h history) (*runs.Dir, error) {
	d, err := runs.Create(on, root, start, "update", "customers.csv")
	if err != nil {
		return nil, err
	}
	w, err := d.Rows(runs.RowsName, h.heading)
	if err != nil {
		return d, err
	}
	for n, r := range h.rows {
		if err := w.Append(runs.Row{Line: n + 2, Cells: r.cells, Ragged: r.ragged, Warnings: r.warned}); err != nil {
			return d, errors.Join(err, w.Close())
		}
	}
	if err := w.Close(); err != nil {
		return d, err
	}
	h.head.Rows, h.head.Started = len(h.rows), start
	j, err := d.CreateJournal(h.head)
	if err != nil {
		return d, err
	}
	return d, record(j, h)
}

func record(j *journal.Writer, h history) error {
	var errs []error
	for n, r := range h.rows {
		if r.intent != nil {
			errs = append(errs, j.Intent(n, batch.Found{Record: batch.Record{ID: "9007199254740993", Body: []byte(`{"id":9007199254740993}`)}}, r.intent))
		}
		if r.done != nil {
			errs = append(errs, j.Done(n, *r.done))
		}
	}
	errs = append(errs, j.Flush())
	if h.end != nil {
		errs = append(errs, j.End(*h.end))
	}
	return errors.Join(errs...)
}

func run(t testing.TB, h history) *runs.Dir {
	t.Helper()
	d, err := play(runs.Disk(), t.TempDir(), h)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func write(t testing.TB, d *runs.Dir) Summary {
	t.Helper()
	s, err := Write(d, Options{Escape: escape})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func read(t testing.TB, d *runs.Dir, name string) string {
	t.Helper()
	text, err := os.ReadFile(d.Path(name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// mixed is a run with a row of every kind; it was killed before its end.
func mixed() history {
	at := start.Add(1234567 * time.Microsecond)
	title := []batch.Change{{Field: "title", Before: batch.Absent, After: `"Dr"`}}
	return history{
		head:    journal.Head{Action: "update", Source: journal.Source{File: "customers.csv", Delimiter: ";"}, Target: journal.Target{Account: "sandbox"}},
		heading: []string{"id", "=Title", "rb_outcome", "Note"},
		rows: []row{
			{cells: []string{"1", "Dr", "failed", "-5"}, intent: []batch.Change{
				{Field: "title", Before: `"Ms"`, After: `"Dr"`}, {Field: "mrr", Before: `25.9800`, After: batch.Null},
			}, done: &batch.Outcome{Kind: batch.Changed, Key: "id=1", ID: "1", HTTP: 200, Sends: 1, Requests: 2, Millis: 143, At: at, Customer: "=Northlight\u202e & Co", Status: "Active", Warnings: []string{"late"}, Standing: batch.Standing{Balance: "-25.00", NextBilling: "2026-12-01"}}, warned: []string{"long"}},
			{cells: []string{"2", "Ms", "", "'=1+1\nsecond line"}, done: &batch.Outcome{Kind: batch.Unchanged, Key: "id=2", ID: "2", At: at}},
			{cells: []string{"3", "Ms"}, ragged: true, done: batch.Reject("ragged_row", "2 cells under 4 headings")},
			{cells: []string{"4", "Dr", "", ""}, done: &batch.Outcome{Kind: batch.Rejected, Key: "reference=A;\"4\"", Code: "not_found", Error: "no\x1b[31m\nsuch customer", HTTP: 404, Requests: 1, At: at}},
			{cells: []string{"5", "Dr", "", ""}, intent: title},
			{cells: []string{"6", "Dr", "", "+1"}, warned: []string{"=odd"}},
			{cells: []string{"7", "Dr", "", ""}, intent: title, done: &batch.Outcome{Kind: batch.Failed, Key: "id=7", ID: "7", HTTP: 400, Code: "http_400", Error: "<no>", Sends: 1, Requests: 2, At: at}},
		},
	}
}
