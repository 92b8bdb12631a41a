package intake

import (
	"context"
	"errors"
	"io"
	"slices"
	"strings"

	"rowbatch/mapping"
	"rowbatch/mapping/csvfile"
)

// Look is what a file shows by itself, before anybody says what its columns mean.
type Look struct {
	Written string // how: encoding and delimiter
	Rows    int
	Columns []ColumnLook
	First   []csvfile.Row // the first rows
}

// ColumnLook is a column of a file by itself.
type ColumnLook struct {
	Heading string
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
	for _, heading := range in.Heading() {
		l.Columns = append(l.Columns, ColumnLook{Heading: strings.TrimSpace(heading)})
	}
	for {
		row, err := in.Next()
		if errors.Is(err, io.EOF) {
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
	headings, values := make([]string, len(l.Columns)), make([][]string, len(l.Columns))
	for n, c := range l.Columns {
		headings[n], values[n] = c.Heading, c.Values
	}
	return mapping.Draft(s.Actions.Name, s.Name, s.Actions.schemas(), headings, values)
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
	heading := make([]string, len(l.Columns))
	for n, c := range l.Columns {
		heading[n] = c.Heading
	}
	return s.Actions.compile(heading, o)
}
