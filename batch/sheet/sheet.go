// Package sheet writes a table to a file that a user named, to be opened in a
// spreadsheet: CSV, values separated by tabs, or a workbook.
package sheet

import (
	"bufio"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"rowbatch/batch/runs"
	"rowbatch/mapping/csvfile"
)

// Sheet is a file on its way: complete, or not there at all. Standard output
// aside, which takes the rows as they come. What cannot be written is told by an
// [*UnfitError] or a [*runs.WriteError].
type Sheet interface {
	Write(cells []string) error
	Escape(cell string) string // so that a spreadsheet does not run it, and reading gives it back
	Finish() error             // all rows are written
	Keep() error               // puts the file in its place
	Drop()                     // leaves nothing behind; after Keep it does nothing
	Draft() string             // the path of the file on its way; "": there is none
}

// NameError says that no file can be, or come to stand, under a name.
type NameError struct{ Text, Try string }

func (e *NameError) Error() string { return hinted(e.Text, e.Try) }

// UnfitError says that the rows do not fit where they are written to.
type UnfitError struct{ Text, Try string }

func (e *UnfitError) Error() string { return hinted(e.Text, e.Try) }

func hinted(text, try string) string {
	if try != "" {
		text += "\ntry: " + try
	}
	return text
}

func misnamed(try, format string, args ...any) *NameError {
	return &NameError{Text: fmt.Sprintf(format, args...), Try: try}
}

// Open starts the file that a user named; - is standard output. A file that is
// there is replaced only by force. The error is a [*NameError], or says that nothing
// can be written.
func Open(name string, force bool, stdout io.Writer) (Sheet, error) {
	if name == "-" {
		return newCSV(&place{out: stdout, name: "standard output"}, ',')
	}
	ext := strings.ToLower(filepath.Ext(name))
	if ext != ".csv" && ext != ".tsv" && ext != ".xlsx" {
		return nil, misnamed("-o customers.csv", "-o %s: the name ends in .csv, .tsv or .xlsx", name)
	}
	p, err := newPlace(name, force)
	if err != nil {
		return nil, err
	}
	var s Sheet
	switch ext {
	case ".xlsx":
		s, err = newXLSX(p)
	case ".tsv":
		s, err = newCSV(p, '\t')
	default:
		s, err = newCSV(p, ',')
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

// newPlace refuses a file that is there already, before anything is read.
func newPlace(name string, force bool) (*place, error) {
	p := &place{name: name, force: force}
	if err := p.free(); err != nil {
		return nil, err
	}
	f, err := os.CreateTemp(filepath.Dir(name), "."+filepath.Base(name)+".*.tmp")
	if err != nil {
		return nil, misnamed("-o with a folder that you may write to", "%s cannot be written: %v", name, err)
	}
	p.file, p.out, p.path = f, f, f.Name()
	return p, nil
}

func (p *place) free() error {
	info, err := os.Lstat(p.name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return misnamed("", "%v", err)
	case !info.Mode().IsRegular():
		return misnamed("-o with the name of a file", "%s is there, and is no file", p.name)
	case !p.force:
		return misnamed("--force to replace it, or another name", "%s is there already", p.name)
	}
	return nil
}

func (p *place) writing(err error) error {
	if err == nil {
		return nil
	}
	if p.file == nil {
		return &UnfitError{Text: "standard output could not be written: " + err.Error() + "; the export is not complete, and nothing was kept"}
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
	complete := p.file.Name()
	err := p.free()
	if err == nil {
		err = p.writing(os.Rename(complete, p.name))
	}
	p.file = nil
	if err != nil { // hours of reading must not be lost for a name
		return fmt.Errorf("%w\nthe export is in %s", err, complete)
	}
	return nil
}

func (p *place) Draft() string { return p.path }

func (p *place) Drop() {
	if p.file != nil {
		_ = p.file.Close()
		_ = os.Remove(p.file.Name()) // a leftover is hidden, and in nobody's way
	}
}

// csvSheet is UTF-8 with a byte order mark, by which spreadsheets know it.
type csvSheet struct {
	*place
	buffer *bufio.Writer
	csv    *csv.Writer
}

func newCSV(p *place, delimiter rune) (*csvSheet, error) {
	s := &csvSheet{place: p, buffer: bufio.NewWriterSize(p.out, 64<<10)}
	s.csv = csv.NewWriter(s.buffer)
	s.csv.Comma = delimiter
	_, err := s.buffer.WriteString("\uFEFF")
	return s, p.writing(err)
}

func (s *csvSheet) Write(cells []string) error { return s.writing(s.csv.Write(cells)) }

func (s *csvSheet) Escape(cell string) string { return csvfile.Escape(cell) }

func (s *csvSheet) Finish() error {
	s.csv.Flush()
	err := s.csv.Error()
	if err == nil {
		err = s.buffer.Flush()
	}
	if err != nil {
		return s.writing(err)
	}
	return s.place.Finish()
}
