// Package xlsxfile turns a sheet of an Excel workbook (.xlsx) into rows of cells, as
// the package csvfile does with text. It reads in a stream: what a sheet holds is
// never in memory as a whole, its shared texts aside.
//
// A cell's text is what a person sees in the sheet, where that says the same as
// what the cell holds: numbers with their leading zeros, percent signs and prefixes,
// dates in ISO's way. Where it does not, the row tells by the cell's [Form]. What
// the cells mean it does not know.
//
// A file that cannot be read as it stands is a [*csvfile.Refusal].
package xlsxfile

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode"

	"rowbatch/mapping/csvfile"
)

// Hidden is what becomes of rows and columns that a person does not see.
type Hidden string

// What Hidden can be.
const (
	Refuse Hidden = "" // a sheet that has any is refused
	Take   Hidden = "take"
	Skip   Hidden = "skip"
)

// Options decide what is not to be found out.
type Options struct {
	Sheet     string // its name; "": the only one whose heading fits
	HeaderRow int    // the row of the heading; 0: it is found
	Hidden    Hidden
	Unnamed   bool // columns without a heading are left out, whatever stands in them
	Ours      bool // our own columns are given, too

	// Heading finds the heading among the first rows, by its place; nil: it is the first.
	Heading func(first []csvfile.Row) (int, error)
}

// Reader reads a sheet. Columns whose heading begins with rb_ are our own reports'
// and are left out of headings and rows alike; rb_export alone stays. So are columns
// without any heading, in which nothing may stand.
type Reader struct {
	name    string
	options Options
	source  *source
	tab     tab
	sheet   *sheet
	looked  int64    // bytes read to find the sheet
	start   int      // the row of the heading
	titles  bool     // rows stand above it
	heading []string // theirs
	columns []int    // of the sheet, by heading
	places  []int    // by column of the sheet: the heading's place, or ours or nameless
	csvfile.Own
	merged  []area // still to come
	within  []area // by heading: the last merged cells that the column is in
	told    []bool // by heading: that it has formulas
	skipped int    // rows, because they are hidden
	cells   []string
	forms   []byte
}

// What a column is, if it is none of theirs.
const (
	nameless = -1 - iota
	ours
	unseen // hidden, and skipped
)

// NewReader finds sheet and heading of a workbook and leaves the sheet at the first
// row. The error is a *csvfile.Refusal when the file cannot be what it should be;
// name stands in it. Close the reader.
func NewReader(r io.ReaderAt, size int64, name string, o Options) (*Reader, error) {
	in := &Reader{name: name, options: o, source: &source{ReaderAt: r}}
	book, err := openWorkbook(in.source, size)
	var chosen candidate
	if err == nil {
		chosen, err = in.choose(book)
	}
	if in.tab = chosen.tab; err == nil {
		in.merged, err = merged(book.files[in.tab.part])
	}
	if err == nil {
		in.sheet, err = openSheet(book, in.tab.part)
	}
	if err != nil {
		return nil, in.explain(err)
	}
	in.start, in.titles = chosen.heading.number, chosen.titles
	if err := in.adopt(chosen.heading.cells); err != nil {
		return nil, errors.Join(in.explain(err), in.Close())
	}
	return in, nil
}

// choose finds the sheet and, in it, the heading: the sheet of a name, or the only one
// whose heading fits.
func (in *Reader) choose(book *workbook) (none candidate, err error) {
	var fit, filled []candidate
	var names []string
	for _, t := range book.tabs {
		if in.options.Sheet == "" && t.hidden {
			continue
		}
		names = append(names, fmt.Sprintf("%q", t.name))
		if in.options.Sheet != "" && t.name != in.options.Sheet {
			continue
		}
		c := in.try(book, t)
		if in.options.Sheet == "" && in.looked > mostLooked {
			return none, refuse("its sheets are too large to find out which is meant", "--sheet with the name of one, or remove the others")
		}
		if c.err == nil {
			fit = append(fit, c)
		}
		if !c.empty {
			filled = append(filled, c)
		}
	}
	chosen := slices.Concat(fit, filled)
	switch {
	case in.options.Sheet != "" && len(chosen) == 0 && !slices.Contains(names, fmt.Sprintf("%q", in.options.Sheet)):
		return none, refuse(fmt.Sprintf("the workbook has no sheet %q", in.options.Sheet),
			"--sheet with one of "+strings.Join(names, ", "))
	case len(chosen) == 0:
		return none, refuse("the sheet is empty", "a first row with the column headings, such as id and firstName")
	case len(fit) > 1:
		names = nil
		for _, c := range fit {
			names = append(names, fmt.Sprintf("%q", c.tab.name))
		}
		text := fmt.Sprintf("%d sheets have headings that fit: %s", len(fit), strings.Join(names, ", "))
		return none, refuse(text, "--sheet with the name of one")
	case len(fit) == 0 && len(filled) > 1:
		text := fmt.Sprintf("none of the sheets %s has headings that fit", strings.Join(names, ", "))
		return none, refuse(text, "--sheet with the name of one, to see what is wrong with its headings")
	}
	return chosen[0], chosen[0].err
}

// Found is a sheet by what a person chooses it by.
type Found struct {
	Name    string
	Heading []string // of the row that comes nearest to one; none: the sheet is empty
}

// Sheets returns the sheets of a workbook, the hidden ones aside.
func Sheets(r io.ReaderAt, size int64, name string, o Options) (all []Found, err error) {
	in := &Reader{name: name, options: o, source: &source{ReaderAt: r}}
	book, err := openWorkbook(in.source, size)
	if err != nil {
		return nil, in.explain(err)
	}
	for _, t := range book.tabs {
		if t.hidden || in.looked > mostLooked {
			continue
		}
		f := Found{Name: t.name}
		for _, c := range in.try(book, t).heading.cells {
			if text := strings.TrimSpace(csvfile.Unescape(c.text)); text != "" {
				f.Heading = append(f.Heading, text)
			}
		}
		all = append(all, f)
	}
	return all, nil
}

// mostLooked is how much is read to find the sheet: the first rows of many sheets.
const mostLooked = 256 << 20

// candidate is a sheet that may be meant.
type candidate struct {
	tab     tab
	heading line
	titles  bool // rows may stand above it
	empty   bool
	err     error // why it is not this one
}

// try looks for the heading of a sheet: among its first rows, or in the row that is told.
func (in *Reader) try(book *workbook, t tab) (c candidate) {
	s, err := openSheet(book, t.part)
	if c.tab, c.err = t, err; err != nil {
		in.looked += mostOfIndex // at the most
		return c
	}
	defer func() {
		in.looked += s.passed()
		s.Close()
	}()
	at := in.options.HeaderRow
	var lines []line
	var rows, visible []csvfile.Row // with all cells, and with those that are not hidden
	for len(rows) < csvfile.MostTitles && (at == 0 || len(rows) == 0) {
		l, err := s.read()
		if errors.Is(err, io.EOF) {
			break
		}
		if c.err = err; err != nil {
			return c
		}
		row, seen := csvfile.Row{Line: l.number}, csvfile.Row{Line: l.number}
		for _, cell := range l.cells {
			text, hidden := csvfile.Unescape(cell.text), s.isHidden(cell.column)
			if strings.TrimSpace(text) != "" && !hidden {
				seen.Cells = append(seen.Cells, text)
			}
			if strings.TrimSpace(text) != "" && (!hidden || in.options.Hidden != Skip) {
				row.Cells = append(row.Cells, text)
			}
		}
		if len(row.Cells) > 0 && l.number >= at {
			rows, visible = append(rows, row), append(visible, seen)
			lines = append(lines, line{number: l.number, cells: slices.Clone(l.cells)})
		}
	}
	switch {
	case len(rows) == 0 && at == 0:
		c.empty, c.err = true, errors.New("it is empty")
		return c
	case at > 0 && (len(rows) == 0 || rows[0].Line != at):
		c.err = refuse(fmt.Sprintf("row %d of sheet %q is blank, and cannot be the heading", at, t.name),
			"--header-row with the heading's row")
		return c
	}
	n := 0
	if in.options.Heading != nil {
		n, c.err = in.options.Heading(rows)
		if c.err != nil && in.options.Hidden == Refuse && len(s.hidden) > 0 { // what is hidden must be told first
			if seen, err := in.options.Heading(visible); err == nil {
				n, c.err = seen, nil
			}
		}
	}
	c.heading, c.titles = lines[n], lines[n].number > 1 && (n > 0 || at > 1)
	return c
}

// adopt makes the heading of its row's cells.
func (in *Reader) adopt(cells []cell) error {
	for _, c := range cells {
		text := csvfile.Unescape(c.text)
		if strings.TrimSpace(text) == "" {
			continue
		}
		for len(in.places) <= c.column {
			in.places = append(in.places, nameless)
		}
		switch hidden := in.sheet.isHidden(c.column); {
		case hidden && in.options.Hidden == Refuse:
			return in.refuse(in.start, fmt.Sprintf("the column %s (%q) is hidden, and nobody sees what its cells would change",
				csvfile.ColumnName(c.column), text), showIt)
		case hidden && in.options.Hidden == Skip:
			in.places[c.column] = unseen
		case csvfile.IsOurs(text) && !in.options.Ours:
			in.places[c.column] = ours
			in.Add(text, c.column)
		default:
			in.places[c.column] = len(in.heading)
			in.heading = append(in.heading, strings.Clone(text))
			in.columns = append(in.columns, c.column)
		}
	}
	in.within, in.told = make([]area, len(in.heading)), make([]bool, len(in.heading))
	return nil
}

const showIt = "show what is hidden, or --hidden take to send it too, or --hidden skip to leave it out"

// Name returns the name of the file, as it was given.
func (in *Reader) Name() string { return in.name }

// Heading returns the headings as written, ours left out.
func (in *Reader) Heading() []string { return in.heading }

// HeadingLine returns the row of the heading, and whether titles stand above it.
func (in *Reader) HeadingLine() (row int, titles bool) { return in.start, in.titles }

// Sheet returns the name of the sheet.
func (in *Reader) Sheet() string { return in.tab.name }

// ColumnOf is what the spreadsheet calls the first column with a heading; "" where there is none.
func (in *Reader) ColumnOf(heading string) string {
	i := slices.IndexFunc(in.heading, func(h string) bool { return strings.TrimSpace(h) == heading })
	if i < 0 {
		return ""
	}
	return csvfile.ColumnName(in.columns[i])
}

// Unnamed returns how many columns were left out because they have no heading.
func (in *Reader) Unnamed() (n int) {
	for _, place := range in.places {
		if place == nameless {
			n++
		}
	}
	return n
}

// Skipped returns how many rows and columns were left out so far because they are hidden.
func (in *Reader) Skipped() (rows, columns int) {
	for _, place := range in.places {
		if place == unseen {
			columns++
		}
	}
	return in.skipped, columns
}

// Places returns where the cells of each heading stand, such as Customers!B; a row's
// number behind it makes an address.
func (in *Reader) Places() (all []string) {
	sheet := in.tab.name
	if strings.ContainsFunc(sheet, func(r rune) bool { return r != '_' && !unicode.IsLetter(r) && !unicode.IsDigit(r) }) {
		sheet = "'" + strings.ReplaceAll(sheet, "'", "''") + "'"
	}
	for _, c := range in.columns {
		all = append(all, sheet+"!"+csvfile.ColumnName(c))
	}
	return all
}

// HideLines is there for inputs whose messages show lines; those of a workbook show no cell.
func (in *Reader) HideLines() {}

// Close closes the sheet.
func (in *Reader) Close() error { return in.sheet.Close() }

// Next returns the next row that holds something, and io.EOF after the last. A
// *csvfile.Refusal is about the whole file.
func (in *Reader) Next() (csvfile.Row, error) {
	for {
		row, err := in.sheet.read()
		if err != nil {
			return csvfile.Row{}, in.explain(err)
		}
		in.merge(row.number)
		if row.number <= in.start {
			continue
		}
		if row.hidden && in.options.Hidden == Skip {
			in.skipped++
			continue
		}
		given, holds, err := in.row(row)
		switch {
		case err != nil:
			return csvfile.Row{}, in.explain(err)
		case holds && row.hidden && in.options.Hidden == Refuse:
			return csvfile.Row{}, in.explain(in.refuseHidden(row.number))
		case holds:
			return given, nil
		}
	}
}

// row makes of a row of the sheet what an input gives; it reports whether anything
// stands in it.
func (in *Reader) row(row *line) (given csvfile.Row, holds bool, err error) {
	n := len(in.heading)
	in.cells, in.forms = append(in.cells[:0], make([]string, n)...), append(in.forms[:0], make([]byte, n)...)
	for i := range n {
		in.forms[i] = byte(Blank)
	}
	var formulas []string
	ours := func(column int) string {
		for _, c := range row.cells {
			if c.column == column {
				return c.text
			}
		}
		return ""
	}
	asItCame, wasRagged := in.WasNotTaken(ours), in.WasRagged(ours)
	for _, c := range row.cells {
		at := nameless
		if c.column < len(in.places) {
			at = in.places[c.column]
		}
		switch {
		case at == nameless && wasRagged && strings.TrimSpace(c.text) != "": // as it was before it came into a sheet
			given.Ragged, in.cells, in.forms = true, append(in.cells, c.text), append(in.forms, byte(c.form))
		case at == nameless && !in.options.Unnamed && strings.TrimSpace(c.text) != "" &&
			(in.options.Hidden != Skip || !in.sheet.isHidden(c.column)):
			text := fmt.Sprintf("column %s has a cell here, and no heading in row %d", csvfile.ColumnName(c.column), in.start)
			return given, false, in.refuse(row.number, text, "give it a heading, or delete the column; --ignore-others leaves it out")
		case at >= 0:
			holds = true
			in.cells[at], in.forms[at] = c.text, byte(c.form)
			if asItCame {
				in.cells[at] = csvfile.AsItCame(c.text)
				if c.form == Typed {
					in.forms[at] = byte(Copied)
				}
			}
			if c.formula && c.form != Uncounted && !in.told[at] {
				in.told[at] = true
				formulas = append(formulas, csvfile.ColumnName(c.column))
			}
		}
	}
	for at, a := range in.within {
		if a.bottom >= row.number && (in.columns[at] != a.from || row.number != a.top) {
			in.forms[at] = byte(Merged)
		}
	}
	if len(formulas) > 0 {
		given.Remark = fmt.Sprintf("formulas stand in column %s, here for the first time: what they gave when the file was saved is taken",
			strings.Join(formulas, " and "))
	}
	given.Line, given.Cells, given.Forms = row.number, in.cells, string(in.forms)
	return given, holds, nil
}

// merge takes up the merged areas that begin before a row ends.
func (in *Reader) merge(row int) {
	for len(in.merged) > 0 && in.merged[0].top <= row {
		a := in.merged[0]
		in.merged = in.merged[1:]
		for at, c := range in.columns {
			if a.from <= c && c <= a.to && a.bottom >= in.within[at].bottom {
				in.within[at] = a
			}
		}
	}
}

// refuseHidden counts on to the end of the sheet.
func (in *Reader) refuseHidden(first int) error {
	count := 1
	for {
		row, err := in.sheet.read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		if row.hidden {
			count++
		}
	}
	text := "the row is hidden"
	if count > 1 {
		text = fmt.Sprintf("%d rows are hidden, from this one on", count)
	}
	return in.refuse(first, text+", perhaps by a filter, and nobody sees what they would change", showIt)
}

func (in *Reader) refuse(row int, text, try string) error {
	return refuse(fmt.Sprintf("sheet %q, row %d: %s", in.tab.name, row, text), try)
}

// explain names the file of what the readers below report, and the sheet.
func (in *Reader) explain(err error) error {
	switch {
	case errors.Is(err, io.EOF):
		return io.EOF
	case in.source.err != nil:
		return in.source.err
	}
	refusal, ok := errors.AsType[*csvfile.Refusal](err)
	if !ok {
		what := "the workbook"
		if in.tab.name != "" {
			what = fmt.Sprintf("sheet %q", in.tab.name)
		}
		refusal, ok = errors.AsType[*csvfile.Refusal](damaged(what, err))
	}
	if !ok {
		return err
	}
	refusal.File = in.name
	return refusal
}
