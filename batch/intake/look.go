package intake

import (
	"context"
	"errors"
	"io"
	"slices"
	"strings"

	"rowbatch/mapping"
	"rowbatch/mapping/csvfile"
	"rowbatch/mapping/xlsxfile"
)

// Look is what a file shows by itself, before anybody says what its columns mean.
type Look struct {
	Written string // how: encoding and delimiter, or the sheet
	Sheet   string // of a workbook
	Line    int    // of the heading
	Rows    int
	Unnamed int // columns that have cells, and no heading
	Columns []ColumnLook
	First   []csvfile.Row // the first rows
}

// ColumnLook is a column of a file by itself.
type ColumnLook struct {
	Heading string
	Place   string // of a sheet: its letter
	Export  bool   // it is rb_export, by which cells that were edited are known
	Filled  int
	Samples []string // the first different cells, blank ones among them
	Values  []string // all different cells, where they are few
}

const (
	rowsLookedAt = 8
	samplesKept  = 3
	valuesKept   = 12
)

// LookAt reads a file to its end, in memory that does not grow with it. How it is
// read is in its settings; actions and columns are not looked at.
func LookAt(stop context.Context, s Source) (*Look, error) {
	f := io.NopCloser(s.Stdin)
	if s.Name != "-" {
		var err error
		if f, err = new(File).open(stop, s, nil); err != nil {
			return nil, err
		}
	}
	defer f.Close()
	s.Input.Ignore = append(slices.Clip(s.Input.Ignore), "")
	file := new(File)
	in, end, err := file.rows(stop, f, s, mapping.CompileOptions{Name: s.Name, Nearest: true}) // nobody has said yet what fits
	if err != nil {
		return nil, err
	}
	l := &Look{Written: file.Written}
	if sheet, is := in.(*xlsxfile.Reader); is {
		l.Sheet = sheet.Sheet()
	}
	l.Line, _ = in.HeadingLine()
	for n, heading := range in.Heading() {
		c := ColumnLook{Heading: strings.TrimSpace(heading), Export: csvfile.IsExport(heading)}
		if file.Places != nil {
			c.Place = file.Places[n]
		}
		l.Columns = append(l.Columns, c)
	}
	for {
		row, err := in.Next()
		if errors.Is(err, io.EOF) {
			l.Unnamed = in.Unnamed()
			_, err = end()
			return l, err
		}
		if err != nil {
			return nil, err
		}
		l.Rows++
		if len(l.First) < rowsLookedAt {
			row.Cells = slices.Clone(row.Cells)
			l.First = append(l.First, row)
		}
		for n := range min(len(row.Cells), len(l.Columns)) {
			l.Columns[n].add(row.Cells[n])
		}
	}
}

// Headings are those of all columns.
func (l *Look) Headings() []string {
	all := make([]string, len(l.Columns))
	for n, c := range l.Columns {
		all[n] = c.Heading
	}
	return all
}

// Few reports whether the column's different cells are all known.
func (c *ColumnLook) Few() bool { return len(c.Values) <= valuesKept }

// Hidden is what becomes of the hidden rows and columns of a sheet.
type Hidden = xlsxfile.Hidden

// Sheets returns the sheets of a workbook, for whoever is to choose one; of text none.
func Sheets(stop context.Context, s Source) ([]xlsxfile.Found, error) {
	if !xlsxfile.Named(s.Name) {
		return nil, nil
	}
	f, err := open(stop, s.Name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, Unreadable(s.Name, err)
	}
	s.Input.HeaderRow = 0 // each has its own
	return xlsxfile.Sheets(stoppableAt{stop, f}, info.Size(), s.Name,
		s.Input.sheetOptions(s.Actions, mapping.CompileOptions{Name: s.Name, Nearest: true}))
}

func (c *ColumnLook) add(cell string) {
	if strings.TrimSpace(cell) != "" {
		c.Filled++
	}
	if len(c.Samples) < samplesKept && !slices.Contains(c.Samples, cell) {
		c.Samples = append(c.Samples, strings.Clone(cell))
	}
	if len(c.Values) <= valuesKept && !slices.Contains(c.Values, cell) {
		c.Values = append(c.Values, strings.Clone(cell))
	}
}

// Draft proposes a mapping file; keyed reports whether it says who the customers are.
func (l *Look) Draft(s Source) (text []byte, keyed bool, err error) {
	values := make([][]string, len(l.Columns))
	for n, c := range l.Columns {
		values[n] = c.Values
	}
	return mapping.Draft(s.Actions.Name, s.Name, s.Actions.schemas(), l.Headings(), values)
}

// Understand compiles the columns of a file as a run of it would.
func (l *Look) Understand(stop context.Context, s Source) (*mapping.Mapper, error) {
	file, err := new(File).readMapping(stop, s.Input.Map)
	if err != nil {
		return nil, err
	}
	o, err := s.Input.compileOptions(s.Name, file)
	if err != nil {
		return nil, err
	}
	return s.Actions.compile(l.Headings(), o)
}
