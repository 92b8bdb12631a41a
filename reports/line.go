package reports

import (
	"bytes"
	"cmp"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/gocarina/gocsv"

	"rowbatch/batch"
	"rowbatch/batch/journal"
	"rowbatch/batch/runs"
)

// Line is what a report says about one row, in the order of its columns, whatever
// kind of file it goes into. All columns are text: numbers stand as digits, and what
// is not known is blank.
type Line struct {
	Apply       string `csv:"rb_apply"` // of a dry run alone: yes where the row would be sent
	Outcome     string `csv:"rb_outcome"`
	Change      string `csv:"rb_change"` // firstName: Ada → Adele
	Error       string `csv:"rb_error"`
	Fix         string `csv:"rb_fix"`
	Warning     string `csv:"rb_warning"`
	Customer    string `csv:"rb_customer"`
	Line        string `csv:"rb_line"` // of the input file, where the row starts
	Action      string `csv:"rb_action"`
	Key         string `csv:"rb_key"` // id=1234 or reference=AC-100
	ID          string `csv:"rb_id"`
	Status      string `csv:"rb_status"`
	Balance     string `csv:"rb_balance"`
	NextBilling string `csv:"rb_next_billing"`
	Changes     string `csv:"rb_changes"` // JSON: [{"field":"title","before":"Ms","after":"Dr"}]
	ErrorCode   string `csv:"rb_error_code"`
	HTTPStatus  string `csv:"rb_http_status"`
	Attempts    string `csv:"rb_attempts"` // writes sent, repeats included
	Requests    string `csv:"rb_requests"`
	Millis      string `csv:"rb_ms"`
	At          string `csv:"rb_at"` // RFC 3339, UTC, milliseconds
}

// Lines makes the lines of a run's report, whoever wants to have them.
type Lines struct {
	dir     *runs.Dir
	journal *runs.Journal
	input   []string // the input's headings
}

// NewLines reads what lines need to know of a run, whose journal is open.
func NewLines(d *runs.Dir, j *runs.Journal) (*Lines, error) {
	rows, err := d.ReadRows()
	if err != nil {
		return nil, err
	}
	return &Lines{d, j, rows.Heading()}, rows.Close()
}

// Heading returns the headings of the report: its own, and the input's behind them.
func (l *Lines) Heading() (own, input []string, err error) {
	var r gathered
	err = gocsv.MarshalCSV([]Line{}, &r)
	return l.own(r.cells), l.input, err
}

// own leaves out what reports of this run do not have.
func (l *Lines) own(cells []string) []string {
	if !l.journal.Head.IsDry() {
		return cells[1:] // rb_apply
	}
	return cells
}

// Of returns the line of a row, also as the cells before the input's, and the outcome of
// which it is made. fix tells what to do about an error.
func (l *Lines) Of(row runs.Row, fix func(action string, o batch.Outcome) string) (Line, []string, batch.Outcome, error) {
	o, err := l.outcome(row)
	if err != nil {
		return Line{}, nil, o, err
	}
	var r gathered
	action := l.action(row)
	line := [1]Line{lineOf(row.Line, action, fix(action, o), o)}
	err = gocsv.MarshalCSVWithoutHeaders(&line, &r)
	return line[0], l.own(r.cells), o, err
}

// outcome is how a row ended, with the warnings that its cells have brought.
func (l *Lines) outcome(row runs.Row) (batch.Outcome, error) {
	o, err := l.journal.Outcome(row.N)
	if err != nil {
		return o, fmt.Errorf("%s: row %d: %w", l.dir.Path("journal"), row.N, err)
	}
	if end := l.journal.End; o.Code == "stopped" && end != nil && end.Exit == batch.ExitUsage { // nobody wanted it
		o.Code = "not_confirmed"
		o.Error, _, _ = strings.Cut(end.Cause, "\n")
	}
	if l.journal.Head.Mode != journal.ModeUndo { // which sends none of the cells
		o.Warnings = slices.Concat(row.Warnings, o.Warnings)
	}
	return o, nil
}

// changesHeading is that of the changes of a run, by themselves.
func changesHeading() []string {
	return []string{"row", "customer", "field", "before", "after", "outcome"}
}

// writeChanges writes a line for each field that changes, as CSV.
func (l *Lines) writeChanges(escape func(string) string, to io.Writer) error {
	if _, err := io.WriteString(to, byteOrderMark); err != nil {
		return err
	}
	out := csv.NewWriter(to)
	err := out.Write(changesHeading())
	for row, failed := range l.dir.AllRows() {
		if err = cmp.Or(err, failed); err != nil {
			return err
		}
		o, err := l.journal.Outcome(row.N)
		if err != nil {
			return err
		}
		for _, c := range o.Changes {
			before, after := c.Shown()
			line := []string{strconv.Itoa(row.Line), cmp.Or(o.Customer, o.Key), c.Field, before, after, string(o.Kind)}
			for i, cell := range line {
				if !IsNumber(cell) {
					line[i] = escape(cell)
				}
			}
			if err := out.Write(line); err != nil {
				return err
			}
		}
	}
	out.Flush()
	return cmp.Or(err, out.Error())
}

// action is what a row was to become: of a mixed file, what its cell says.
func (l *Lines) action(row runs.Row) string {
	head := l.journal.Head
	action := head.Action
	if head.ActionColumn != "" {
		action = ""
		at := slices.IndexFunc(l.input, func(h string) bool { return strings.TrimSpace(h) == head.ActionColumn })
		if at >= 0 && at < len(row.Cells) {
			action = strings.ToLower(strings.TrimSpace(row.Cells[at]))
		}
	}
	if head.Mode == journal.ModeUndo && action == "hold" {
		return "unhold"
	}
	return action
}

// gathered takes the cells of one line from gocsv.
type gathered struct{ cells []string }

func (r *gathered) Write(cells []string) error { r.cells = cells; return nil }

// Flush does nothing: gocsv calls it after every line.
func (r *gathered) Flush() {}

// Error knows of nothing that Write has not returned.
func (r *gathered) Error() error { return nil }

const timeFormat = "2006-01-02T15:04:05.000Z"

func lineOf(line int, action, fix string, o batch.Outcome) Line {
	key := o.Key
	if key == "" && o.ID != "" {
		key = "id=" + o.ID // all that an intent without an outcome tells
	}
	l := Line{
		Outcome: string(o.Kind), Change: changeText(o.Changes), Error: batch.Visible(o.Error), Fix: fix,
		Warning: batch.Visible(strings.Join(o.Warnings, "; ")), Customer: batch.Visible(o.Customer), Line: strconv.Itoa(line),
		Action: action, Key: batch.Visible(key), ID: o.ID, Status: batch.Visible(o.Status), Balance: batch.Visible(o.Balance),
		NextBilling: batch.Visible(o.NextBilling), Changes: changesOf(o.Changes), ErrorCode: o.Code,
		Attempts: strconv.Itoa(o.Sends), Requests: strconv.Itoa(o.Requests), Millis: strconv.FormatInt(o.Millis, 10),
	}
	if o.Kind == batch.WouldChange {
		l.Apply = "yes"
	}
	if o.HTTP != 0 {
		l.HTTPStatus = strconv.Itoa(o.HTTP)
	}
	if !o.At.IsZero() {
		l.At = o.At.UTC().Format(timeFormat)
	}
	return l
}

// changeText returns rb_change, for people.
func changeText(changes []batch.Change) string {
	all := make([]string, len(changes))
	for i, c := range changes {
		before, after := c.Shown()
		all[i] = batch.Visible(c.Field) + ": " + before + " → " + after
		if c.Stored != batch.Absent {
			_, stored := batch.Change{After: c.Stored}.Shown()
			all[i] += ", stored as " + stored
		}
	}
	return strings.Join(all, "; ")
}

type change struct {
	Field  string          `json:"field"`
	Before json.RawMessage `json:"before,omitempty"` // left out: it cannot be read
	After  json.RawMessage `json:"after"`
	Stored json.RawMessage `json:"stored,omitempty"` // what the server made of it
}

// changesOf returns rb_changes: a JSON array with the values spelled as the API
// spells them, so that 25.9800 and ids of 19 digits stay what they are.
func changesOf(changes []batch.Change) string {
	if len(changes) == 0 {
		return ""
	}
	list := make([]change, len(changes))
	for i, c := range changes {
		list[i] = change{Field: c.Field, After: rawJSON(c.After)}
		if c.Before != batch.Hidden {
			list[i].Before = rawJSON(c.Before)
		}
		if c.Stored != batch.Absent {
			list[i].Stored = rawJSON(c.Stored)
		}
	}
	return batch.Visible(string(bytes.TrimSuffix(batch.JSON(list, ""), []byte("\n"))))
}

func rawJSON(v batch.Value) json.RawMessage {
	switch {
	case v == batch.Absent:
		v = batch.Null
	case v == batch.Hidden:
		v = `"***"`
	case !json.Valid([]byte(v)):
		v = batch.Text(string(v))
	}
	return json.RawMessage(v)
}

// IsNumber matches -?[0-9]+(\.[0-9]+)?: what a spreadsheet shows and no formula.
func IsNumber(s string) bool {
	digits := func(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }
	whole, fraction, dotted := strings.Cut(strings.TrimPrefix(s, "-"), ".")
	return digits(whole) && (!dotted || digits(fraction))
}
