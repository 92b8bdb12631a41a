package mapping

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"
)

// ReadOptions say what detection is not to decide.
type ReadOptions struct {
	Delimiter rune   // 0: from the heading line, one of , ; tab |
	Encoding  string // "": a byte order mark, else UTF-8; a byte order mark also beats a name
}

// Input is a CSV file being read, in memory that does not grow with its length.
// Columns whose heading begins with rb_ are our own reports' and are left out of
// headings and rows alike; rb_export alone stays.
type Input struct {
	name     string
	dialect  Dialect
	lines    *lines
	csv      *csv.Reader
	width    int // columns with ours
	ours     []int
	own      []string
	heading  []string
	discreet bool // lines may hold passwords and are not shown
}

// Row is one row of the input.
type Row struct {
	Line   int      // where the row starts, from 1; newlines inside cells count
	Cells  []string // with the escaping apostrophe taken off; valid until the next row is read
	Ragged bool     // more or fewer cells than the heading
	Base   *Base    // what the row was when it was exported
}

// NewInput reads the heading of a file and leaves r at the first row. The error
// is a *Refusal when the file cannot be what it should be; name stands in it.
func NewInput(r io.Reader, name string, o ReadOptions) (*Input, error) {
	text, dialect, refusal := decode(r, o.Encoding)
	if refusal != nil {
		refusal.File = name
		return nil, refusal
	}
	in := &Input{name: name, dialect: dialect, lines: newLines(text, dialect.Encoding)}
	first, err := in.lines.heading()
	if err != nil {
		return nil, in.explain(err)
	}
	if len(bytes.TrimSpace(first)) == 0 {
		return nil, &Refusal{File: name, Text: "the file is empty", Try: "a first line with the column headings, such as id,firstName"}
	}
	in.dialect.Delimiter = o.Delimiter
	if o.Delimiter == 0 {
		in.dialect.Delimiter, in.dialect.Detected = delimiterOf(first), true
	}
	if !canDelimit(in.dialect.Delimiter) {
		return nil, &Refusal{File: name, Text: fmt.Sprintf("%q cannot be a delimiter", o.Delimiter), Try: "one of , ; | or tab"}
	}
	in.csv = csv.NewReader(io.MultiReader(bytes.NewReader(first), in.lines))
	in.csv.Comma = in.dialect.Delimiter
	in.csv.FieldsPerRecord = -1
	in.csv.ReuseRecord = true
	return in, in.readHeading()
}

func canDelimit(r rune) bool {
	return utf8.ValidRune(r) && !strings.ContainsRune("\x00\"\r\n\uFFFD", r)
}

func (in *Input) readHeading() error {
	cells, err := in.csv.Read()
	if err != nil {
		return in.explain(err)
	}
	in.width = len(cells)
	for i, cell := range cells {
		cell = Unescape(cell)
		if isOurs(cell) {
			in.ours = append(in.ours, i)
			in.own = append(in.own, strings.ToLower(strings.TrimSpace(cell)))
		} else {
			in.heading = append(in.heading, cell)
		}
	}
	in.discreet = slices.ContainsFunc(cells, func(h string) bool { return strings.Contains(fold(h), passwordName) })
	if in.isReport() {
		in.lines.allow(longestOwnRow)
	}
	return nil
}

// isOurs says that a column of this heading was written by a report.
func isOurs(heading string) bool {
	heading = strings.TrimSpace(heading)
	return len(heading) >= 3 && strings.EqualFold(heading[:3], "rb_") && !IsExport(heading)
}

// isReport says that the file is a report.csv or failed.csv, edited or not.
func (in *Input) isReport() bool { return slices.Contains(in.own, "rb_outcome") }

// Heading returns the headings as written, ours left out.
func (in *Input) Heading() []string { return in.heading }

// OwnColumns returns the headings that were left out, in lower case: rb_line, rb_outcome, ….
func (in *Input) OwnColumns() []string { return in.own }

// Dialect returns how the file is written.
func (in *Input) Dialect() Dialect { return in.dialect }

// Next returns the next row and io.EOF after the last. Lines without any
// character are no rows. A *Refusal is about the whole file.
func (in *Input) Next() (Row, error) {
	cells, err := in.csv.Read()
	if err != nil {
		return Row{}, in.explain(err)
	}
	line, _ := in.csv.FieldPos(0)
	row := Row{Line: line, Ragged: len(cells) != in.width}
	row.Cells = without(cells, in.ours)
	for i, cell := range row.Cells {
		if cell != "" && cell[0] == '\'' {
			row.Cells[i] = Unescape(cell)
		}
	}
	return row, nil
}

// without removes the cells at the ascending positions, as far as there are any.
func without(cells []string, positions []int) []string {
	for i := len(positions) - 1; i >= 0; i-- {
		if p := positions[i]; p < len(cells) {
			cells = slices.Delete(cells, p, p+1)
		}
	}
	return cells
}

// explain names file and line of what the readers below report.
func (in *Input) explain(err error) error {
	var refusal *Refusal
	if errors.As(err, &refusal) {
		refusal.File = in.name
		return refusal
	}
	var bad *csv.ParseError
	if errors.As(err, &bad) {
		return in.misquoted(bad)
	}
	return err // io.EOF, or the reading itself failed
}

func (in *Input) misquoted(bad *csv.ParseError) error {
	text := "a quotation mark inside a cell"
	if bad.StartLine != bad.Line {
		text += fmt.Sprintf(" of the row that starts in line %d", bad.StartLine)
	}
	if in.discreet {
		text += "; the line is not shown, since it may hold a password"
	} else {
		text += ":\n" + pointAt(bad.Line, string(in.lines.current), bad.Column)
	}
	return &Refusal{
		File: in.name,
		Line: bad.Line,
		Text: text,
		Try:  `put the cell in quotes and double those within: "say ""hello"""`,
	}
}
