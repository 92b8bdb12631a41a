// Package csvfile turns the text of a file into rows of cells. It finds out how
// the file is written (encoding, delimiter), keeps line ends inside cells, knows
// in which line of the file each row starts, and takes off the apostrophe with
// which our own files keep a spreadsheet from running a cell. What the cells mean
// it does not know; of the headings it knows those that our own reports add.
//
// A file that cannot be read as it stands is a [*Refusal], with the line where
// the trouble begins and what to do about it.
package csvfile

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"
)

// Options decide what detection is not to decide.
type Options struct {
	Delimiter rune   // 0: from the heading line, one of , ; tab |
	Encoding  string // "": a byte order mark, else UTF-8; a byte order mark also beats a name
}

// Reader reads a CSV file, in memory that does not grow with its length. Columns
// whose heading begins with rb_ are our own reports' and are left out of headings
// and rows alike; rb_export alone stays.
type Reader struct {
	name    string
	dialect Dialect
	lines   *lines
	csv     *csv.Reader
	width   int // columns with ours
	ours    []int
	own     []string // their headings, in lower case: rb_line, rb_outcome, …
	heading []string
	hidden  bool // lines may hold passwords and are not shown
}

// Row is one row of a file.
type Row struct {
	Line   int      // where the row starts, from 1; newlines inside cells count
	Cells  []string // with the escaping apostrophe taken off; valid until the next row is read
	Ragged bool     // more or fewer cells than the heading
	Forms  string   // how a workbook holds the cells, a character each; "": the file is text
	Remark string   // what is to be said of the row, although nothing is wrong with it
}

// NewReader reads the heading of a file and leaves r at the first row. The error
// is a *Refusal when the file cannot be what it should be; name stands in it.
func NewReader(r io.Reader, name string, o Options) (*Reader, error) {
	text, dialect, err := decode(r, o.Encoding)
	in := &Reader{name: name, dialect: dialect}
	if err != nil {
		return nil, in.explain(err)
	}
	in.lines = &lines{in: bufio.NewReaderSize(text, longestRow), most: longestRow, decoded: dialect.Encoding != utf8Name}
	first, err := in.lines.heading()
	if err != nil {
		return nil, in.explain(err)
	}
	if len(bytes.TrimSpace(first)) == 0 {
		return nil, &Refusal{File: name, Text: "the file is empty", Try: "a first line with the column headings, such as id,firstName"}
	}
	in.dialect.Delimiter = cmp.Or(o.Delimiter, delimiterOf(first))
	if d := in.dialect.Delimiter; !utf8.ValidRune(d) || strings.ContainsRune("\x00\"\r\n\uFFFD", d) {
		return nil, &Refusal{File: name, Text: fmt.Sprintf("%q cannot be a delimiter", o.Delimiter), Try: "one of , ; | or tab"}
	}
	in.csv = csv.NewReader(io.MultiReader(bytes.NewReader(first), in.lines))
	in.csv.Comma = in.dialect.Delimiter
	in.csv.FieldsPerRecord = -1
	in.csv.ReuseRecord = true
	cells, err := in.csv.Read()
	if err != nil {
		return nil, in.explain(err)
	}
	in.width = len(cells)
	for i, cell := range cells {
		cell = Unescape(cell)
		if IsOurs(cell) {
			in.ours = append(in.ours, i)
			in.own = append(in.own, strings.ToLower(strings.TrimSpace(cell)))
		} else {
			in.heading = append(in.heading, cell)
		}
		in.hidden = in.hidden || MentionsPassword(cell)
	}
	if in.IsReport() {
		in.lines.in, in.lines.most = bufio.NewReaderSize(in.lines.in, longestOwnRow), longestOwnRow
	}
	return in, nil
}

// Name returns the name of the file, as it was given.
func (in *Reader) Name() string { return in.name }

// Heading returns the headings as written, ours left out.
func (in *Reader) Heading() []string { return in.heading }

// Width returns how many cells a row has, those of our own columns included.
func (in *Reader) Width() int { return in.width }

// IsReport reports whether the file is a report.csv or failed.csv, edited or not.
func (in *Reader) IsReport() bool { return slices.Contains(in.own, "rb_outcome") }

// Dialect returns how the file is written.
func (in *Reader) Dialect() Dialect { return in.dialect }

// HideLines lets no message show a line from here on, since it may hold a
// password. A heading that mentions one does so by itself.
func (in *Reader) HideLines() { in.hidden = true }

// Next returns the next row and io.EOF after the last. Lines without any
// character are no rows. A *Refusal is about the whole file.
func (in *Reader) Next() (Row, error) {
	cells, err := in.csv.Read()
	if err != nil {
		return Row{}, in.explain(err)
	}
	line, _ := in.csv.FieldPos(0)
	row := Row{Line: line, Ragged: len(cells) != in.width}
	for _, p := range slices.Backward(in.ours) {
		if p < len(cells) {
			cells = slices.Delete(cells, p, p+1)
		}
	}
	for i, cell := range cells {
		if cell != "" && cell[0] == '\'' {
			cells[i] = Unescape(cell)
		}
	}
	row.Cells = cells
	return row, nil
}

// explain names file and line of what the readers below report.
func (in *Reader) explain(err error) error {
	if refusal, ok := errors.AsType[*Refusal](err); ok {
		refusal.File = in.name
		return refusal
	}
	bad, ok := errors.AsType[*csv.ParseError](err)
	if !ok {
		return err // io.EOF, or the reading itself failed
	}
	text := "a quotation mark inside a cell"
	if bad.StartLine != bad.Line {
		text += fmt.Sprintf(" of the row that starts in line %d", bad.StartLine)
	}
	if in.hidden {
		text += "; the line is not shown, since it may hold a password"
	} else {
		text += ":\n" + PointAt(bad.Line, string(in.lines.current), bad.Column)
	}
	return &Refusal{
		File: in.name,
		Line: bad.Line,
		Text: text,
		Try:  `put the cell in quotes and double those within: "say ""hello"""`,
	}
}
