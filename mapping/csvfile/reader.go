// Package csvfile turns the text of a file into rows of cells. It finds out how
// the file is written (encoding, delimiter), keeps line ends inside cells, knows
// in which line of the file each row starts, and takes off the apostrophe with
// which our own files keep a spreadsheet from running a cell. What the cells mean
// it does not know; of the headings it knows those that our own reports add. Which of
// the first rows is the heading, and not a title, its caller decides (mapping.FindHeading).
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
	Delimiter rune   // 0: from the heading, one of , ; tab |
	Encoding  string // "": a byte order mark, else UTF-8; a byte order mark also beats a name
	HeaderRow int    // the line where the heading starts; 0: it is found
	Unnamed   bool   // columns without a heading are left out, whatever stands in them
	Ours      bool   // our own columns are given, too

	// Heading finds the heading among the first rows, by its place; nil: it is the
	// first. It is asked about the first row alone, and where that is not the heading
	// about the first ten. A row of titles may have no cells.
	Heading func(first []Row) (int, error)
}

// Reader reads a CSV file, in memory that does not grow with its length. Columns
// whose heading begins with rb_ are our own reports' and are left out of headings
// and rows alike; rb_export alone stays. So are columns without any heading, in which
// no cell may stand.
type Reader struct {
	name    string
	options Options
	dialect Dialect
	lines   *lines
	csv     *csv.Reader
	ahead   []byte // the text of the first rows, from the heading on
	above   int    // lines before ahead
	least   int    // cells that a row must have: up to the last column with a heading
	width   int    // cells that it may have
	columns []kind // what each is
	unnamed int    // columns without a heading
	Own
	heading []string
	start   int  // the line of the heading
	titles  bool // rows stand above it
}

// kind is what a column is to a reader. Only theirs are given on.
type kind int8

const (
	theirs kind = iota
	ours
	nameless
)

// Row is one row of a file.
type Row struct {
	Line   int      // where the row starts, from 1; newlines inside cells count
	Cells  []string // as they stand in the file, escaped ones too; valid until the next row is read
	Ragged bool     // more or fewer cells than the heading
	Forms  string   // how a workbook holds the cells, a character each; "": the file is text
	Remark string   // what is to be said of the row, although nothing is wrong with it
}

// NewReader reads the heading of a file and leaves r at the first row. The error
// is a *Refusal when the file cannot be what it should be; name stands in it.
func NewReader(r io.Reader, name string, o Options) (*Reader, error) {
	text, dialect, marked, err := decode(r, o.Encoding)
	in := &Reader{name: name, dialect: dialect, options: o}
	if err != nil {
		return nil, in.explain(err)
	}
	in.lines = &lines{in: bufio.NewReaderSize(text, longestRow), most: longestRow, decoded: dialect.Encoding != utf8Name, marked: marked}
	first, err := in.openings(nil, 1)
	if err != nil {
		return nil, in.explain(err)
	}
	if len(first) == 0 {
		if o.HeaderRow > 1 {
			return nil, &Refusal{File: name, Text: fmt.Sprintf("there is no row in line %d", o.HeaderRow),
				Try: "--header-row with the heading's line"}
		}
		return nil, &Refusal{File: name, Text: "the file is empty", Try: "a first line with the column headings, such as id,firstName"}
	}
	at := 0
	if o.Heading != nil && o.HeaderRow == 0 {
		if first[0].row.Cells != nil {
			_, err = o.Heading([]Row{first[0].row})
		}
		if first[0].row.Cells == nil || err != nil {
			if first, err = in.openings(first, MostTitles); err != nil {
				return nil, in.explain(err)
			}
			var rows []Row
			for _, f := range first {
				rows = append(rows, f.row)
			}
			switch at, err = o.Heading(rows); {
			case err != nil && in.lines.failed != nil: // the heading may be where the reading failed
				return nil, in.explain(in.lines.next())
			case err != nil:
				return nil, err
			}
		}
	}
	in.titles = at > 0
	return in, in.begin(first[at:])
}

// openings reads more of the first rows, until there are so many. Above the first of
// them whatever has no cell is left out, and all that stands above the heading's line
// where that is told.
func (in *Reader) openings(all []opening, most int) ([]opening, error) {
	o := &in.options
	for len(all) < most {
		text, err := in.lines.record()
		switch {
		case err != nil && len(all) == 0:
			return nil, err
		case err != nil:
			in.lines.failed = err // told when the rows before it are read
			in.lines.hidden = in.lines.hidden || MentionsPassword(string(in.lines.current))
			return all, nil
		case len(bytes.TrimSpace(text)) == 0:
			return all, nil
		}
		this := openingOf(text, in.lines.number)
		in.lines.hidden = in.lines.hidden || MentionsPassword(string(text))
		if told := toldDelimiter(this.text); told != 0 && this.row.Line == 1 && o.HeaderRow <= 1 {
			o.Delimiter = cmp.Or(o.Delimiter, told)
			continue
		}
		this.delimiter = cmp.Or(o.Delimiter, delimiterOf(this.text))
		if d := this.delimiter; !utf8.ValidRune(d) || strings.ContainsRune("\x00\"\r\n\uFFFD", d) {
			return nil, &Refusal{Text: fmt.Sprintf("%q cannot be a delimiter", d), Try: "one of , ; | or tab"}
		}
		cells, err := newParser(bytes.NewReader(this.text), this.delimiter).Read()
		if len(cells) > mostColumns {
			return nil, &Refusal{Line: this.row.Line, Try: "another --delimiter",
				Text: fmt.Sprintf("%d columns, of at most %d", len(cells), mostColumns)}
		}
		for _, cell := range cells {
			this.row.Cells = append(this.row.Cells, Unescape(cell))
		}
		switch {
		case this.row.Line != o.HeaderRow && 0 < o.HeaderRow && o.HeaderRow <= in.lines.number:
			return nil, &Refusal{Line: o.HeaderRow, Text: fmt.Sprintf("no row starts here: one starts in line %d", this.row.Line),
				Try: fmt.Sprintf("--header-row %d, if that is the heading", this.row.Line)}
		case this.row.Line < o.HeaderRow, len(all) == 0 && err == nil && strings.TrimSpace(strings.Join(cells, "")) == "":
		default:
			all = append(all, this)
		}
	}
	return all, nil
}

// begin takes the first of some rows as the heading; the others are to be read again.
func (in *Reader) begin(rest []opening) error {
	in.start, in.dialect.Delimiter = rest[0].row.Line, rest[0].delimiter
	in.above, in.ahead = in.start-1, rest[0].text
	for _, o := range rest[1:] {
		in.ahead = append(append(in.ahead, o.blank...), o.text...)
	}
	in.csv = newParser(io.MultiReader(bytes.NewReader(in.ahead), in.lines), in.dialect.Delimiter)
	in.csv.ReuseRecord = true
	cells, err := in.csv.Read()
	if err != nil {
		return in.explain(err)
	}
	in.width, in.columns = len(cells), make([]kind, len(cells))
	for i, cell := range cells {
		cell = Unescape(cell)
		switch {
		case strings.TrimSpace(cell) == "":
			in.columns[i] = nameless
			in.unnamed++
			continue
		case IsOurs(cell):
			in.columns[i] = ours
			in.Add(cell, i)
		default:
			in.heading = append(in.heading, cell)
		}
		if in.columns[i] == ours && in.options.Ours {
			in.columns[i], in.heading = theirs, append(in.heading, cell)
		}
		in.least = i + 1
	}
	if in.IsReport() {
		in.lines.in, in.lines.most = bufio.NewReaderSize(in.lines.in, longestOwnRow), longestOwnRow
	}
	return nil
}

// Name returns the name of the file, as it was given.
func (in *Reader) Name() string { return in.name }

// Heading returns the headings as written, ours left out.
func (in *Reader) Heading() []string { return in.heading }

// HeadingLine returns the line where the heading starts, and whether titles stand above it.
func (in *Reader) HeadingLine() (line int, titles bool) { return in.start, in.titles }

// ColumnOf is what a spreadsheet calls the first column with a heading; "" where there is none.
func (in *Reader) ColumnOf(heading string) string {
	i := slices.IndexFunc(in.heading, func(h string) bool { return strings.TrimSpace(h) == heading })
	for at, kind := range in.columns {
		switch {
		case kind != theirs:
		case i == 0:
			return ColumnName(at)
		default:
			i--
		}
	}
	return ""
}

// Unnamed returns how many columns were left out because they have no heading.
func (in *Reader) Unnamed() int { return in.unnamed }

// Dialect returns how the file is written.
func (in *Reader) Dialect() Dialect { return in.dialect }

// HideLines lets no message show a line from here on, since it may hold a
// password. A heading that mentions one does so by itself.
func (in *Reader) HideLines() { in.lines.hidden = true }

// Next returns the next row and io.EOF after the last. Lines without any
// character are no rows. A *Refusal is about the whole file.
func (in *Reader) Next() (Row, error) {
	cells, err := in.csv.Read()
	if err != nil {
		return Row{}, in.explain(err)
	}
	line, _ := in.csv.FieldPos(0)
	row := Row{Line: line + in.above, Ragged: len(cells) < in.least || len(cells) > in.width}
	asItCame := in.WasNotTaken(func(at int) string { return cells[min(at, len(cells)-1)] })
	kept := cells[:0]
	for i, cell := range cells {
		switch {
		case i >= in.width || in.columns[i] == theirs:
			if asItCame {
				cell = AsItCame(cell)
			}
			kept = append(kept, cell)
		case in.columns[i] == nameless && !in.options.Unnamed && !row.Ragged && strings.TrimSpace(cell) != "":
			return Row{}, &Refusal{File: in.name, Line: row.Line,
				Text: fmt.Sprintf("column %s has a cell here, and no heading in line %d", ColumnName(i), in.start),
				Try:  "give it a heading, or delete the column; --ignore-others leaves it out"}
		}
	}
	row.Cells = kept
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
	line := bad.Line + in.above
	text := "a quotation mark inside a cell"
	if bad.StartLine != bad.Line {
		text += fmt.Sprintf(" of the row that starts in line %d", bad.StartLine+in.above)
	}
	if in.lines.hidden {
		text += "; the line is not shown, since it may hold a password"
	} else {
		shown := in.lines.current
		if read := bytes.SplitAfter(in.ahead, []byte("\n")); bad.Line <= len(read) && line != in.lines.number {
			shown = read[bad.Line-1]
		}
		text += ":\n" + PointAt(line, string(shown), bad.Column)
	}
	return &Refusal{
		File: in.name,
		Line: line,
		Text: text,
		Try:  `put the cell in quotes and double those within: "say ""hello"""`,
	}
}
