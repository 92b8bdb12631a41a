package reports

import (
	"archive/zip"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf16"

	"github.com/xuri/excelize/v2"

	"rowbatch/batch"
)

// Workbook is an .xlsx file on its way. Its cells are text, all of them: an id of 16
// digits or a reference such as 007 stays what it is, and nothing is run as a formula.
// What it holds goes through files in a folder, and not through memory.
type Workbook struct {
	book          *excelize.File
	text, heading int                // styles
	tints         map[batch.Kind]int // styles of outcomes
	sheets        []*Sheet
}

// NewWorkbook begins a workbook, whose sheets keep their rows in a folder meanwhile.
func NewWorkbook(folder string) (*Workbook, error) {
	w := &Workbook{book: excelize.NewFile(excelize.Options{TmpDir: folder}), tints: map[batch.Kind]int{}}
	const textFormat = 49 // Excel's own number of @
	style := func(color string, font *excelize.Font) (id int, err error) {
		s := &excelize.Style{NumFmt: textFormat, Font: font}
		if color != "" {
			s.Fill = excelize.Fill{Type: "pattern", Pattern: 1, Color: []string{color}}
		}
		return w.book.NewStyle(s)
	}
	var err, failed error
	if w.text, err = style("", nil); err == nil {
		w.heading, err = style("DDE3EA", &excelize.Font{Bold: true})
	}
	for kind, color := range map[batch.Kind]string{
		batch.Changed: "C9E7CF", batch.WouldChange: "CFE2F7", batch.Rejected: "FCE0BE", batch.Conflict: "FCE0BE",
		batch.Failed: "F7C6C5", batch.InDoubt: "F7C6C5", batch.NotAttempted: "FBF0B2", batch.Skipped: "E8E8E8",
	} {
		w.tints[kind], failed = style(color, nil)
		err = errors.Join(err, failed)
	}
	return w, err
}

// Sheet begins a sheet with its heading, which stays in sight and can be filtered.
// Widths are of the first columns, in characters.
func (w *Workbook) Sheet(name string, heading []string, widths ...float64) (*Sheet, error) {
	s := &Sheet{of: w, name: name, heading: heading, widths: widths}
	w.sheets = append(w.sheets, s)
	return s, s.begin()
}

// Write ends the workbook and writes it.
func (w *Workbook) Write(to io.Writer) error {
	for _, s := range w.sheets {
		if err := s.end(); err != nil {
			return err
		}
	}
	w.book.SetZipWriter(func(io.Writer) excelize.ZipWriter { return zip.NewWriter(to) }) // else all of it stands in memory
	return w.book.Write(io.Discard)
}

// Close forgets the workbook.
func (w *Workbook) Close() { _ = w.book.Close() }

// Sheet is one of its sheets. Where it is full, another goes on, of the same name and a number.
type Sheet struct {
	of      *Workbook
	name    string
	heading []string
	widths  []float64
	rows    *excelize.StreamWriter
	part    int // of the sheets, from 1
	n       int // rows in it
	cells   []any
}

func (s *Sheet) title() string {
	if s.part > 1 {
		return fmt.Sprintf("%s %d", s.name, s.part)
	}
	return s.name
}

func (s *Sheet) begin() (err error) {
	s.part, s.n = s.part+1, 0
	book := s.of.book
	if names := book.GetSheetList(); s.part == 1 && len(s.of.sheets) == 1 { // a new book has one already
		err = book.SetSheetName(names[0], s.title())
	} else {
		_, err = book.NewSheet(s.title())
	}
	if err == nil {
		s.rows, err = book.NewStreamWriter(s.title())
	}
	for i, width := range s.widths {
		if err == nil {
			err = s.rows.SetColWidth(i+1, i+1, width)
		}
	}
	if err == nil && len(s.heading) > len(s.widths) {
		err = s.rows.SetColWidth(len(s.widths)+1, min(len(s.heading), excelize.MaxColumns), 18)
	}
	if err == nil {
		err = s.rows.SetPanes(&excelize.Panes{Freeze: true, YSplit: 1, TopLeftCell: "A2", ActivePane: "bottomLeft"})
	}
	if err == nil {
		err = s.row(s.heading, s.of.heading, -1, 0)
	}
	return err
}

// end makes what stands below the heading able to be filtered.
func (s *Sheet) end() error {
	corner, err := excelize.CoordinatesToCellName(max(1, min(len(s.heading), excelize.MaxColumns)), s.n)
	if err == nil && s.n > 1 {
		err = s.of.book.AutoFilter(s.title(), "A1:"+corner, nil)
	}
	if at := slices.Index(s.heading, "rb_apply"); err == nil && s.n > 1 && at >= 0 {
		column, _ := excelize.ColumnNumberToName(at + 1)
		choice := excelize.NewDataValidation(true)
		choice.SetSqref(fmt.Sprintf("%s2:%s%d", column, column, s.n))
		if err = choice.SetDropList([]string{"yes", "no"}); err == nil {
			err = s.of.book.AddDataValidation(s.title(), choice)
		}
	}
	if err == nil {
		err = s.rows.Flush()
	}
	return err
}

// Row writes a row. One that has an outcome among its cells shows it in colour.
func (s *Sheet) Row(cells []string, outcome batch.Kind) error {
	if s.n == excelize.TotalRows {
		if err := errors.Join(s.end(), s.begin()); err != nil {
			return err
		}
	}
	return s.row(cells, s.of.text, slices.Index(cells, string(outcome)), s.of.tints[outcome])
}

func (s *Sheet) row(cells []string, style, tinted, tint int) error {
	s.n++
	s.cells = s.cells[:0]
	for i, cell := range cells[:min(len(cells), excelize.MaxColumns)] {
		of := style
		if i == tinted && tint != 0 {
			of = tint
		}
		switch {
		case cell == "":
			s.cells = append(s.cells, nil)
		case strings.Contains(cell, "_xD"), strings.Contains(cell, "_xd"):
			// Half a character's spelling, which the library does not escape: in parts it is none.
			var runs []excelize.RichTextRun
			for _, part := range strings.SplitAfter(cell, "_") {
				if part != "" {
					runs = append(runs, excelize.RichTextRun{Text: part})
				}
			}
			s.cells = append(s.cells, excelize.Cell{StyleID: of, Value: runs})
		default:
			s.cells = append(s.cells, excelize.Cell{StyleID: of, Value: cell})
		}
	}
	return s.rows.SetRow(fmt.Sprintf("A%d", s.n), s.cells)
}

// Unfit says why a workbook cannot hold a text as it is; "" where it can.
func Unfit(text string) string {
	strange := func(r rune) bool { return r < ' ' && r != '\t' && r != '\n' && r != '\r' || r == 0xFFFE || r == 0xFFFF }
	switch {
	case len(text) > excelize.TotalCellChars && len(utf16.Encode([]rune(text))) > excelize.TotalCellChars:
		return "more characters than a workbook's cell holds"
	case strings.ContainsFunc(text, strange):
		return "a character that a workbook cannot hold"
	}
	return ""
}
