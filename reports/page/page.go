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

// Asset is a file that pages consist of: style.css, rows.js or sprite.svg.
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
}

// Change is a field with its value before and after; a nil one cannot be read, or must not be shown.
type Change [3]*string

// RowOf makes a row of an outcome.
func RowOf(line int, o batch.Outcome) Row {
	r := Row{Line: line, Key: o.Key, Customer: o.Customer, Outcome: o.Kind, Error: o.Error, Code: o.Code}
	if r.Key == "" && o.ID != "" {
		r.Key = "id=" + o.ID
	}
	for _, c := range o.Changes {
		shown := Change{&c.Field, plain(c.Before), plain(c.After)}
		if c.After == batch.Hidden {
			shown[2] = new("***")
		}
		r.Changes = append(r.Changes, shown)
	}
	return r
}

func plain(v batch.Value) *string {
	if v == batch.Hidden {
		return nil
	}
	return new(v.Plain())
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
	Errors  []Cause
	Fields  []string   // that rows change, the most frequent first
	Minutes [][2]int64 // when each began, in Unix milliseconds, and the requests for rows that were settled in it
}

// Cause is an error code with its rows.
type Cause struct {
	Code, Text, Fix string // Text is what the first of the rows says
	Count           int
	Lines           []int // the first ones
}

const linesShown = 10

// SummaryOf reads all outcomes of a run.
func SummaryOf(d *runs.Dir, j *runs.Journal) (Summary, error) {
	causes, fields, minutes := map[string]*Cause{}, map[string]int{}, map[int64]int64{}
	for row, err := range d.AllRows() {
		if err != nil {
			return Summary{}, err
		}
		o, err := j.Outcome(row.N)
		if err != nil {
			return Summary{}, err
		}
		for _, c := range o.Changes {
			fields[c.Field]++
		}
		if o.Requests > 0 && !o.At.IsZero() {
			minutes[o.At.Truncate(time.Minute).UnixMilli()] += int64(o.Requests)
		}
		if o.Code == "" {
			continue
		}
		e := causes[o.Code]
		if e == nil {
			e = &Cause{Code: o.Code, Text: o.Error, Fix: batch.Fix(o.Code)}
			causes[o.Code] = e
		}
		if e.Count++; len(e.Lines) < linesShown {
			e.Lines = append(e.Lines, row.Line)
		}
	}
	var s Summary
	for _, e := range causes {
		s.Errors = append(s.Errors, *e)
	}
	slices.SortFunc(s.Errors, func(a, b Cause) int { return cmp.Or(b.Count-a.Count, strings.Compare(a.Code, b.Code)) })
	s.Fields = slices.SortedFunc(maps.Keys(fields), func(a, b string) int { return cmp.Or(fields[b]-fields[a], strings.Compare(a, b)) })
	for _, at := range slices.Sorted(maps.Keys(minutes)) {
		s.Minutes = append(s.Minutes, [2]int64{at, minutes[at]})
	}
	return s, nil
}
