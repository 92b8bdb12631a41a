package xlsxfile

import (
	"cmp"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"

	"rowbatch/mapping/csvfile"
)

// The most that a sheet has, in every program.
const (
	mostRows    = 1 << 20
	mostColumns = 1 << 14
	mostOfRow   = 8 << 20 // bytes of a row's texts
)

// sheet reads the rows of a sheet one after the other.
type sheet struct {
	*part
	book   *workbook
	hidden []columns // that are not shown
	row    int       // the number of the last row
	began  bool      // the first row may come

	unnumbered bool   // the current row's number is to be told by its cells
	texts      []byte // of the current row's cells
	current    line
}

// columns are some beside each other, counted from 0.
type columns struct{ from, to int }

// line is a row as the sheet has it.
type line struct {
	number int
	hidden bool
	cells  []cell // in the order of their columns, those alone that hold something
}

type cell struct {
	column  int // counted from 0
	text    string
	form    Form
	formula bool
	valued  bool // the file holds a value, if only an empty one
}

// openSheet opens a sheet's part and leaves it at its first row.
func openSheet(b *workbook, name string) (*sheet, error) {
	f := b.files[name]
	if f == nil {
		return nil, errors.New("it is missing")
	}
	p, err := openPart(f)
	if err != nil {
		return nil, err
	}
	s := &sheet{part: p, book: b}
	if err := s.head(); err != nil {
		return nil, errors.Join(err, p.Close())
	}
	return s, nil
}

// head reads what stands before the rows.
func (s *sheet) head() error {
	for {
		token, err := s.next()
		if errors.Is(err, io.EOF) {
			return nil // no rows at all
		}
		if err == nil && s.passed() > mostOfIndex {
			err = errTooLarge
		}
		if err != nil {
			return err
		}
		e, ok := token.(xml.StartElement)
		switch {
		case !ok:
		case s.depth == 1 && e.Name.Local != "worksheet":
			return fmt.Errorf("its outermost element is %s", e.Name.Local)
		case s.depth == 3 && e.Name.Local == "col":
			from, err := strconv.Atoi(attribute(&e, "min"))
			to, err2 := strconv.Atoi(attribute(&e, "max"))
			if err := errors.Join(err, err2); err != nil {
				return err
			}
			if width := attribute(&e, "width"); isOn(attribute(&e, "hidden")) || width == "0" {
				s.hidden = append(s.hidden, columns{from - 1, to - 1})
			}
			if len(s.hidden) > mostColumns {
				return fmt.Errorf("there are more than %d columns", mostColumns)
			}
		case s.depth == 2 && e.Name.Local == "sheetData":
			s.began = true
			return nil
		}
	}
}

// isHidden reports whether a column is not shown.
func (s *sheet) isHidden(column int) bool {
	for _, h := range s.hidden {
		if h.from <= column && column <= h.to {
			return true
		}
	}
	return false
}

// read returns the next row that holds something, valid until the one after, and io.EOF
// after the last.
func (s *sheet) read() (*line, error) {
	if !s.began {
		return nil, io.EOF
	}
	for {
		token, err := s.next()
		if errors.Is(err, io.EOF) {
			err = errCut
		}
		if err != nil {
			return nil, err
		}
		switch token := token.(type) {
		case xml.EndElement:
			if s.depth < 2 {
				return nil, io.EOF
			}
		case xml.StartElement:
			if token.Name.Local != "row" {
				return nil, fmt.Errorf("%s stands where a row belongs", token.Name.Local)
			}
			if err := s.readRow(&token); err != nil {
				return nil, fmt.Errorf("row %d: %w", s.row, err)
			}
			if len(s.current.cells) > 0 {
				return &s.current, nil
			}
		}
	}
}

// errOrder is about rows or cells that do not stand in their order. No program
// writes them so, and two readers would read them differently.
var errOrder = errors.New("rows or cells do not stand in their order, so that nobody can say which is which")

func (s *sheet) readRow(e *xml.StartElement) error {
	number, hidden := s.row+1, false
	s.unnumbered = true
	for i := range e.Attr {
		switch value := e.Attr[i].Value; e.Attr[i].Name.Local {
		case "r":
			n, err := strconv.Atoi(value)
			if err != nil || n < 1 || n > mostRows {
				return fmt.Errorf("%.20q is no row of a sheet", value)
			}
			if n <= s.row {
				return errOrder
			}
			number, s.unnumbered = n, false
		case "hidden":
			hidden = isOn(value)
		case "ht":
			hidden = hidden || value == "0"
		}
	}
	if number > mostRows {
		return fmt.Errorf("there are more than %d rows", mostRows)
	}
	s.row = number
	s.current = line{number: number, hidden: hidden, cells: s.current.cells[:0]}
	s.texts = s.texts[:0]
	ordered := true
	for last := -1; ; {
		token, err := s.next()
		if err != nil {
			return err
		}
		switch token := token.(type) {
		case xml.EndElement:
			if s.depth < 3 {
				return s.sort(ordered)
			}
		case xml.StartElement:
			if token.Name.Local != "c" {
				if err := s.skip(); err != nil {
					return err
				}
				continue
			}
			column, err := s.readCell(&token, last)
			if err != nil {
				return err
			}
			ordered, last = ordered && column > last, column
		}
	}
}

// sort puts the cells of the current row into the order of their columns.
func (s *sheet) sort(ordered bool) error {
	cells := s.current.cells
	if ordered {
		return nil
	}
	slices.SortFunc(cells, func(a, b cell) int { return cmp.Compare(a.column, b.column) })
	for i := range len(cells) - 1 {
		if cells[i].column == cells[i+1].column {
			return errOrder
		}
	}
	return nil
}

// readCell reads a cell, of which nothing is kept when it is blank, and returns its column.
func (s *sheet) readCell(e *xml.StartElement, last int) (int, error) {
	c := cell{column: last + 1}
	kind, style := "", 0
	for i := range e.Attr {
		switch value := e.Attr[i].Value; e.Attr[i].Name.Local {
		case "r":
			column, row, ok := parseAddress(value)
			if !ok {
				return 0, fmt.Errorf("%.20q is no cell of a sheet", value)
			}
			if row != s.row && (!s.unnumbered || row < s.row) {
				return 0, errOrder
			}
			c.column, s.row, s.current.number, s.unnumbered = column, row, row, false
		case "t":
			kind = value
		case "s":
			n, err := strconv.Atoi(value)
			if err != nil {
				return 0, fmt.Errorf("cell %s: %.20q is no style", address(c.column, s.row), value)
			}
			style = n
		}
	}
	if c.column >= mostColumns {
		return 0, fmt.Errorf("there are more than %d columns", mostColumns)
	}
	from := len(s.texts)
	if err := s.readValue(&c); err != nil {
		return 0, fmt.Errorf("cell %s: %w", address(c.column, s.row), err)
	}
	if len(s.texts) > mostOfRow {
		return 0, fmt.Errorf("it is longer than %d MiB", mostOfRow>>20)
	}
	value := s.texts[from:]
	if len(value) == 0 && !c.formula {
		return c.column, nil
	}
	if err := s.book.show(&c, kind, style, value); err != nil {
		return 0, fmt.Errorf("cell %s: %w", address(c.column, s.row), err)
	}
	if c.text != "" || c.form.Damage() != "" {
		s.current.cells = append(s.current.cells, c)
	}
	return c.column, nil
}

// readValue appends what the cell that was just begun holds to the row's texts.
func (s *sheet) readValue(c *cell) error {
	inValue := false
	for within := s.depth; s.depth >= within; {
		token, err := s.next()
		if err != nil {
			return err
		}
		switch token := token.(type) {
		case xml.StartElement:
			inValue = false
			switch token.Name.Local {
			case "v":
				inValue, c.valued = true, true
				continue
			case "is":
				s.texts, err = s.richText(s.texts)
			case "f":
				c.formula = true
				err = s.skip()
			default:
				err = s.skip()
			}
			if err != nil {
				return err
			}
		case xml.EndElement:
			inValue = false
		case xml.CharData:
			if inValue {
				s.texts = append(s.texts, token...)
			}
		}
	}
	return nil
}

// parseAddress takes a cell's address apart, such as B17; columns count from 0.
func parseAddress(text string) (column, row int, ok bool) {
	i := 0
	for ; i < len(text) && i < 4; i++ {
		c := text[i] &^ 0x20 // in upper case
		if c < 'A' || c > 'Z' {
			break
		}
		column = column*26 + int(c-'A') + 1
	}
	row, err := strconv.Atoi(text[i:])
	return column - 1, row, i > 0 && err == nil && column <= mostColumns && row >= 1 && row <= mostRows && text[i] != '+'
}

// address is where a cell stands, such as B17.
func address(column, row int) string { return csvfile.ColumnName(column) + strconv.Itoa(row) }
