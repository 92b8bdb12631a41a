package cli

import (
	"bufio"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"rowbatch/batch/runs"
	"rowbatch/mapping"
)

// sheet is the file of an export: complete, or not there at all. Standard output
// aside, which takes the rows as they come.
type sheet interface {
	write(cells []string) error
	escape(cell string) string // so that a spreadsheet does not run it, and reading gives it back
	finish() error             // all rows are written
	keep() error               // puts the file in its place
	drop()                     // leaves nothing behind; after keep it does nothing
}

var plainNumber = regexp.MustCompile(`^-?[0-9]+(\.[0-9]+)?$`)

// openSheet starts the file that a user named.
func openSheet(name string, force bool, stdout io.Writer) (sheet, error) {
	if name == "-" {
		return newCSV(&place{out: stdout, name: "standard output"}, ',')
	}
	ext := strings.ToLower(filepath.Ext(name))
	if ext != ".csv" && ext != ".tsv" && ext != ".xlsx" {
		return nil, usage("-o customers.csv", "-o %s: the name ends in .csv, .tsv or .xlsx", name)
	}
	p, err := newPlace(name, force)
	if err != nil {
		return nil, err
	}
	var s sheet
	switch ext {
	case ".xlsx":
		s, err = newXLSX(p)
	case ".tsv":
		s, err = newCSV(p, '\t')
	default:
		s, err = newCSV(p, ',')
	}
	if err != nil {
		p.drop()
	}
	return s, err
}

// place is where a file comes to stand once it is complete.
type place struct {
	out   io.Writer
	file  *os.File // beside its place; nil: standard output
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
		return nil, usage("-o with a folder that you may write to", "%s cannot be written: %v", name, err)
	}
	p.file, p.out = f, f
	return p, nil
}

func (p *place) free() error {
	info, err := os.Lstat(p.name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return usage("", "%v", err)
	case !info.Mode().IsRegular():
		return usage("-o with the name of a file", "%s is there, and is no file", p.name)
	case !p.force:
		return usage("--force to replace it, or another name", "%s is there already", p.name)
	}
	return nil
}

func (p *place) writing(err error) error {
	if err == nil {
		return nil
	}
	if p.file == nil {
		return &fault{code: exitFiles, text: "standard output could not be written: " + err.Error() + "; the export is not complete, and nothing was kept"}
	}
	return &runs.WriteError{Path: p.name, Err: err, Try: "free space on the disk, or -o with another folder"}
}

// finish makes the file durable, still beside its place.
func (p *place) finish() error {
	if p.file == nil {
		return nil
	}
	return p.writing(errors.Join(p.file.Sync(), p.file.Close()))
}

func (p *place) keep() error {
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

func (p *place) drop() {
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

func (s *csvSheet) write(cells []string) error { return s.writing(s.csv.Write(cells)) }

func (s *csvSheet) escape(cell string) string { return mapping.Escape(cell) }

func (s *csvSheet) finish() error {
	s.csv.Flush()
	err := s.csv.Error()
	if err == nil {
		err = s.buffer.Flush()
	}
	if err != nil {
		return s.writing(err)
	}
	return s.place.finish()
}
