package sheet

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf16"

	"github.com/xuri/excelize/v2"

	"rowbatch/mapping/csvfile"
)

// xlsxSheet is a workbook whose every cell is text: an id with 16 digits or a
// reference such as 007 stays what it is.
type xlsxSheet struct {
	*place
	book  *excelize.File
	rows  *excelize.StreamWriter
	text  int // style
	n     int
	cells []any
}

const (
	sheetName   = "Customers"
	textFormat  = 49 // Excel's own number of @
	longestCell = excelize.TotalCellChars
)

func newXLSX(p *place) (*xlsxSheet, error) {
	s := &xlsxSheet{place: p, book: excelize.NewFile()}
	err := s.book.SetSheetName("Sheet1", sheetName)
	if err == nil {
		s.text, err = s.book.NewStyle(&excelize.Style{NumFmt: textFormat})
	}
	if err == nil {
		s.rows, err = s.book.NewStreamWriter(sheetName)
	}
	if err == nil {
		err = s.rows.SetPanes(&excelize.Panes{Freeze: true, YSplit: 1, TopLeftCell: "A2", ActivePane: "bottomLeft"})
	}
	return s, p.writing(err)
}

func (s *xlsxSheet) Write(cells []string) error {
	if s.n++; s.n > excelize.TotalRows {
		return s.unfit("a workbook holds 1,048,576 rows")
	}
	s.cells = s.cells[:0]
	for _, cell := range cells {
		if len(cell) > longestCell && len(utf16.Encode([]rune(cell))) > longestCell {
			return s.unfit(fmt.Sprintf("row %d has a text longer than a workbook's cell holds", s.n))
		}
		s.cells = append(s.cells, excelize.Cell{StyleID: s.text, Value: cell})
	}
	return s.writing(s.rows.SetRow(fmt.Sprintf("A%d", s.n), s.cells))
}

func (s *xlsxSheet) unfit(why string) error {
	return &UnfitError{Text: fmt.Sprintf("%s cannot be written: %s; nothing was kept", s.name, why), Try: "-o with a name that ends in .csv"}
}

// Escape leaves formulas alone, which text cells are not run as. Reading takes
// one apostrophe off all the same.
func (s *xlsxSheet) Escape(cell string) string {
	if strings.HasPrefix(cell, "'") {
		return csvfile.Escape(cell)
	}
	return cell
}

func (s *xlsxSheet) Finish() error {
	err := s.rows.Flush()
	if err == nil {
		err = s.book.Write(s.out)
	}
	if err = errors.Join(err, s.book.Close()); err != nil {
		return s.writing(err)
	}
	return s.place.Finish()
}
