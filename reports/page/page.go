// Package page holds what pages show of a run: its rows as data, and the style, the
// pictures and the table that the local page (batch/web) and report.html have in common.
package page

import (
	"cmp"
	"embed"
	"html/template"
	"iter"
	"maps"
	"slices"
	"strings"
	"time"

	"rowbatch/batch"
	"rowbatch/batch/runs"
)

//go:embed assets
var assets embed.FS

// Asset is a file that pages consist of: style.css, rows.js, sprite.svg, or a part of report.html.
func Asset(name string) []byte {
	text, err := assets.ReadFile("assets/" + name)
	if err != nil {
		panic(err) // the program was built without it
	}
	return text
}

// Sprite is the pictures that a page refers to by name. It stands in the page itself:
// a page on a disk may not refer to another file's.
func Sprite() template.HTML {
	return template.HTML(Asset("sprite.svg")) //nolint:gosec // a file of ours
}

// Row is one row of a run, as rows.js takes it. Values are as a person reads them.
type Row struct {
	Line     int        `json:"l"`
	Key      string     `json:"k,omitempty"`
	Customer string     `json:"n,omitempty"`
	Outcome  batch.Kind `json:"o"`
	Changes  []Change   `json:"c,omitempty"`
	Error    string     `json:"e,omitempty"`
	Code     string     `json:"x,omitempty"`
	Warning  string     `json:"w,omitempty"`
	Money    *Money     `json:"m,omitempty"`
}

// Change is a field with its value before and after; a nil one cannot be read.
type Change [3]*string

// Money is what the customer of a hold owes and pays.
type Money struct {
	Balance     string `json:"b"`
	Recurring   string `json:"r"`
	NextBilling string `json:"d,omitempty"`
	Parent      bool   `json:"p,omitempty"` // other customers belong to this one
}

// RowOf makes a row of an outcome.
func RowOf(line int, o batch.Outcome) Row {
	r := Row{Line: line, Key: o.Key, Customer: o.Customer, Outcome: o.Kind, Error: o.Error, Code: o.Code}
	if r.Key == "" && o.ID != "" {
		r.Key = "id=" + o.ID
	}
	warnings := slices.Clone(o.Warnings)
	for _, c := range o.Changes {
		before, after := c.Before.Short(), c.After.Short()
		if before == after { // the difference is in what was left out
			before, after = c.Before.Plain(), c.After.Plain()
		}
		shown := Change{&c.Field, &before, &after}
		if c.Before == batch.Hidden {
			shown[1] = nil
		}
		if c.After == batch.Hidden {
			shown[2] = new("***")
		}
		r.Changes = append(r.Changes, shown)
		if c.Stored != batch.Absent {
			_, stored := batch.Change{After: c.Stored}.Shown()
			warnings = append(warnings, c.Field+" is stored as "+stored)
		}
	}
	r.Warning = strings.Join(warnings, "; ")
	if s := o.Standing; o.Kind == batch.WouldChange && (s.Balance != "" || s.Recurring != "") {
		amount := func(text string) string { return strings.TrimSpace(batch.Value(text).Short() + " " + o.Currency) }
		r.Money = &Money{amount(s.Balance), amount(s.Recurring), batch.Text(s.NextBilling).Short(), s.Parent}
	}
	return r
}

// Rows yields the rows of a run in the order of its file, as they stand in its journal now.
func Rows(d *runs.Dir, j *runs.Journal) iter.Seq2[Row, error] {
	return func(yield func(Row, error) bool) {
		for row, err := range d.AllRows() {
			var o batch.Outcome
			if err == nil && row.N < j.Head.Rows {
				o, err = j.Outcome(row.N)
			}
			if !yield(RowOf(row.Line, o), err) || err != nil {
				return
			}
		}
	}
}

// Summary is what all rows of a run come to, for the parts of a page around them.
type Summary struct {
	Errors   []Cause
	Fields   []Field    // that rows change, the most frequent first
	Minutes  [][2]int64 // when each began, in Unix milliseconds, and the requests for rows that were settled in it
	Requests int        // of those minutes
}

// Cause is an error code with its rows.
type Cause struct {
	Kind            batch.Kind // of the first of the rows, which says Text
	Code, Text, Fix string
	Count           int
	Lines           []int // the first ones
}

// Field counts the rows that change a field.
type Field struct {
	Name             string
	Changed, Cleared int // Changed includes the cleared ones
}

// Tally gathers a summary row by row. The zero one is empty.
type Tally struct {
	causes  map[string]*Cause
	fields  map[string]*Field
	minutes map[int64]int64
}

const linesShown = 10

// Add counts a row.
func (t *Tally) Add(line int, o batch.Outcome) {
	if t.causes == nil {
		t.causes, t.fields, t.minutes = map[string]*Cause{}, map[string]*Field{}, map[int64]int64{}
	}
	for _, c := range o.Changes {
		f := t.fields[c.Field]
		if f == nil {
			f = &Field{Name: c.Field}
			t.fields[c.Field] = f
		}
		if f.Changed++; c.After.Empty() {
			f.Cleared++
		}
	}
	if o.Requests > 0 && !o.At.IsZero() {
		t.minutes[o.At.Truncate(time.Minute).UnixMilli()] += int64(o.Requests)
	}
	if o.Code == "" {
		return
	}
	e := t.causes[o.Code]
	if e == nil {
		e = &Cause{Kind: o.Kind, Code: o.Code, Text: o.Error, Fix: batch.Fix(o.Code)}
		t.causes[o.Code] = e
	}
	if e.Count++; len(e.Lines) < linesShown {
		e.Lines = append(e.Lines, line)
	}
}

// Summary is what was added so far.
func (t *Tally) Summary() (s Summary) {
	for _, e := range t.causes {
		s.Errors = append(s.Errors, *e)
	}
	slices.SortFunc(s.Errors, func(a, b Cause) int { return cmp.Or(b.Count-a.Count, strings.Compare(a.Code, b.Code)) })
	for _, f := range t.fields {
		s.Fields = append(s.Fields, *f)
	}
	slices.SortFunc(s.Fields, func(a, b Field) int { return cmp.Or(b.Changed-a.Changed, strings.Compare(a.Name, b.Name)) })
	for _, at := range slices.Sorted(maps.Keys(t.minutes)) {
		s.Minutes = append(s.Minutes, [2]int64{at, t.minutes[at]})
		s.Requests += int(t.minutes[at])
	}
	return s
}

// SummaryOf reads all outcomes of a run.
func SummaryOf(d *runs.Dir, j *runs.Journal) (Summary, error) {
	var t Tally
	for row, err := range d.AllRows() {
		if err != nil {
			return Summary{}, err
		}
		o, err := j.Outcome(row.N)
		if err != nil {
			return Summary{}, err
		}
		t.Add(row.Line, o)
	}
	return t.Summary(), nil
}
