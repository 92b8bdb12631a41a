package export

import (
	"bufio"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/xuri/excelize/v2"

	"rowbatch/batch"
	"rowbatch/batch/runs"
	"rowbatch/mapping/csvfile"
	"rowbatch/reports"
)

// sheet is a table for a spreadsheet on its way to a file: complete, or not there at
// all. Standard output aside, which takes the rows as they come. What cannot be
// written is told by an error of the exit code for files.
type sheet interface {
	Write(cells []string) error
	Escape(cell string) string // so that a spreadsheet does not run it, and reading gives it back
	Finish() error             // all rows are written
	Keep() error               // puts the file in its place
	Drop()                     // leaves nothing behind; after Keep it does nothing
	// Begin comes first. It returns the path of the file on its way; "": there is none. A folder
	// is for what stands outside memory meanwhile.
	Begin(folder string) (draft string, err error)
}

// openSheet starts the file that a user named; - is standard output. A file that is
// there is replaced only by force, and refused before anything is read.
func openSheet(name string, force bool, stdout io.Writer) (s sheet, err error) {
	if name == "-" {
		return newCSV(&place{out: stdout, name: "standard output"}, ',')
	}
	ext := strings.ToLower(filepath.Ext(name))
	delimiters := map[string]rune{".csv": ',', ".tsv": '\t'}
	if delimiters[ext] == 0 && ext != ".xlsx" {
		return nil, batch.Usage("-o customers.csv", "-o %s: the name ends in .csv, .tsv or .xlsx", name)
	}
	p := &place{name: name, force: force}
	if err := p.mustBeFree(); err != nil {
		return nil, err
	}
	if p.file, err = os.CreateTemp(filepath.Dir(name), "."+filepath.Base(name)+".*.tmp"); err != nil {
		return nil, batch.Usage("-o with a folder that you may write to", "%s cannot be written: %v", name, err)
	}
	p.out, p.path = p.file, p.file.Name()
	if ext == ".xlsx" {
		s = &workbook{place: p}
	} else {
		s, err = newCSV(p, delimiters[ext])
	}
	if err != nil {
		p.Drop()
	}
	return s, err
}

// place is where a file comes to stand once it is complete.
type place struct {
	out   io.Writer
	file  *os.File // beside its place; nil: standard output
	path  string   // of file
	name  string
	force bool
}

func (p *place) mustBeFree() error {
	info, err := os.Lstat(p.name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return batch.Usage("", "%v", err)
	case !info.Mode().IsRegular():
		return batch.Usage("-o with the name of a file", "%s is there, and is no file", p.name)
	case !p.force:
		return batch.Usage("--force to replace it, or another name", "%s is there already", p.name)
	}
	return nil
}

// writing is an error of writing, for people.
func (p *place) writing(err error) error {
	switch {
	case err == nil:
		return nil
	case p.file == nil:
		text := "standard output could not be written: " + err.Error() + "; the export is not complete, and nothing was kept"
		return &batch.Fault{Code: batch.ExitFiles, Text: text}
	}
	return &runs.WriteError{Path: p.name, Err: err, Try: "free space on the disk, or -o with another folder"}
}

// Finish makes the file durable, still beside its place.
func (p *place) Finish() error {
	if p.file == nil {
		return nil
	}
	return p.writing(errors.Join(p.file.Sync(), p.file.Close()))
}

func (p *place) Keep() error {
	if p.file == nil {
		return nil
	}
	err := p.mustBeFree()
	if err == nil {
		err = p.writing(os.Rename(p.path, p.name))
	}
	p.file = nil
	if err != nil { // hours of reading must not be lost for a name
		return fmt.Errorf("%w\nthe export is in %s", err, p.path)
	}
	return nil
}

func (p *place) Begin(string) (string, error) { return p.path, nil }

func (p *place) Drop() {
	if p.file != nil {
		_ = p.file.Close()
		_ = os.Remove(p.path) // a leftover is hidden, and in nobody's way
	}
}

// csvSheet is UTF-8 with a byte order mark, by which spreadsheets know it.
type csvSheet struct {
	*place
	csv *csv.Writer
}

func newCSV(p *place, delimiter rune) (*csvSheet, error) {
	buffer := bufio.NewWriterSize(p.out, 64<<10) // which the csv.Writer takes for its own
	s := &csvSheet{p, csv.NewWriter(buffer)}
	s.csv.Comma = delimiter
	_, err := buffer.WriteString("\uFEFF")
	return s, p.writing(err)
}

func (s *csvSheet) Write(cells []string) error { return s.writing(s.csv.Write(cells)) }

func (s *csvSheet) Escape(cell string) string { return csvfile.Escape(cell) }

func (s *csvSheet) Finish() error {
	s.csv.Flush()
	if err := s.csv.Error(); err != nil {
		return s.writing(err)
	}
	return s.place.Finish()
}

// workbook is one with a single sheet.
type workbook struct {
	*place
	book  *reports.Workbook
	sheet *reports.Sheet // nil: its heading is to come
	n     int
}

const sheetName = "Customers"

func (s *workbook) Begin(folder string) (string, error) {
	book, err := reports.NewWorkbook(folder)
	s.book = book
	return s.path, s.writing(err)
}

func (s *workbook) Write(cells []string) (err error) {
	if s.n++; s.n > excelize.TotalRows {
		return s.unfit("a workbook holds 1,048,576 rows")
	}
	for _, cell := range cells {
		if why := reports.Unfit(cell); why != "" {
			return s.unfit(fmt.Sprintf("row %d has a text with %s", s.n, why))
		}
	}
	if s.sheet == nil {
		s.sheet, err = s.book.Sheet(sheetName, slices.Clone(cells))
	} else {
		err = s.sheet.Row(cells, "")
	}
	return s.writing(err)
}

func (s *workbook) unfit(why string) error {
	text := s.name + " cannot be written: " + why + "; nothing was kept"
	return &batch.Fault{Code: batch.ExitFiles, Text: text, Try: "-o with a name that ends in .csv"}
}

// Escape leaves formulas alone, which text cells are not run as. Reading takes
// one apostrophe off all the same.
func (s *workbook) Escape(cell string) string {
	if strings.HasPrefix(cell, "'") {
		return csvfile.Escape(cell)
	}
	return cell
}

func (s *workbook) Finish() error {
	defer s.book.Close()
	if err := s.book.Write(s.out); err != nil {
		return s.writing(err)
	}
	return s.place.Finish()
}

func (s *workbook) Drop() {
	if s.book != nil {
		s.book.Close()
	}
	s.place.Drop()
}
