package runs

import (
	"bufio"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/gocarina/gocsv"
)

// The columns of rows.csv around the input's own. A ragged row's cells stand as
// one JSON array in the last, which is empty for all others.
const (
	lineColumn   = "rb_line"
	raggedColumn = "rb_ragged"
	baseColumn   = "rb_base" // before rb_ragged, and only there where rows were exported
)

// exportColumn is the one column of ours that rows bring along and keep.
const exportColumn = "rb_export"

const bufferSize = 64 << 10

// RowsWriter copies the input's rows into rows.csv: UTF-8, comma, LF after a
// row, every cell byte for byte.
type RowsWriter struct {
	dir    *Dir
	file   File
	out    *csv.Writer
	width  int   // of the input
	bases  bool  // rows may have been exported
	keep   []int // the input's columns that are not ours
	record []string
}

// Rows starts rows.csv under the input's heading. Columns whose name begins with
// rb_ are our own, of an earlier report, and are left out with their cells, but
// for rb_export.
func (d *Dir) Rows(heading []string) (*RowsWriter, error) { return d.rows(heading, false) }

// ExportedRows is Rows for an input whose rows may have been exported: beside
// each stands what is to be remembered of its export.
func (d *Dir) ExportedRows(heading []string) (*RowsWriter, error) { return d.rows(heading, true) }

func (d *Dir) rows(heading []string, bases bool) (*RowsWriter, error) {
	f, err := d.CreateFile(rowsName)
	if err != nil {
		return nil, err
	}
	w := &RowsWriter{dir: d, file: f, out: csv.NewWriter(bufio.NewWriterSize(f, bufferSize)), width: len(heading), bases: bases}
	for i, name := range heading {
		if !ours(name) {
			w.keep = append(w.keep, i)
		}
	}
	if err := w.write(lineColumn, heading, baseColumn, raggedColumn); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return w, nil
}

func ours(heading string) bool {
	name := strings.ToLower(strings.TrimSpace(heading))
	return strings.HasPrefix(name, "rb_") && name != exportColumn
}

// Append copies the row that starts at this line of the input. Cells are UTF-8,
// and as many as the heading's, unless the row is ragged: then all are kept.
func (w *RowsWriter) Append(line int, cells []string, ragged bool) error {
	return w.AppendExported(line, cells, ragged, "")
}

// AppendExported is Append with what is to be remembered of the row's export.
func (w *RowsWriter) AppendExported(line int, cells []string, ragged bool, base string) error {
	if !ragged && len(cells) == w.width {
		return w.write(strconv.Itoa(line), cells, base, "")
	}
	array, err := json.Marshal(cells)
	if err != nil {
		return writing(w.file.Name(), err)
	}
	return w.write(strconv.Itoa(line), make([]string, w.width), base, string(array))
}

func (w *RowsWriter) write(line string, cells []string, base, ragged string) error {
	w.record = append(w.record[:0], line)
	for _, i := range w.keep {
		w.record = append(w.record, cells[i])
	}
	if w.bases {
		w.record = append(w.record, base)
	}
	w.record = append(w.record, ragged)
	return writing(w.file.Name(), w.out.Write(w.record))
}

// Close ends rows.csv and makes it durable.
func (w *RowsWriter) Close() error {
	w.out.Flush()
	return w.dir.finish(w.file, w.out.Error())
}

// Row is one row of the input.
type Row struct {
	N      int // ordinal, from 0
	Line   int // of the input file, where the row starts
	Cells  []string
	Ragged bool   // Cells are as many as they came, not one for each heading
	Base   string // what is remembered of the row's export; "": it was not exported
}

// RowsReader streams rows.csv. Close it.
type RowsReader struct {
	file    File
	rows    *gocsv.Unmarshaller
	heading []string
	columns []string // names by which gocsv hands out the cells under heading
	n       int
}

// frame is what gocsv matches by name; the cells between are taken as they are.
type frame struct {
	Line   string `csv:"rb_line"`
	Base   string `csv:"rb_base"`
	Ragged string `csv:"rb_ragged"`
}

// ReadRows opens rows.csv at its first row.
func (d *Dir) ReadRows() (*RowsReader, error) {
	f, err := d.open(rowsName)
	if err != nil {
		return nil, err
	}
	r := &RowsReader{file: f}
	if err := r.readHeading(); err != nil {
		return nil, errors.Join(r.damaged(err), f.Close())
	}
	return r, nil
}

func (r *RowsReader) readHeading() (err error) {
	in := csv.NewReader(bufio.NewReaderSize(&doubledReturns{in: bufio.NewReaderSize(r.file, bufferSize)}, bufferSize))
	in.ReuseRecord = true
	if r.rows, err = gocsv.NewUnmarshaller(in, frame{}); err != nil {
		return err
	}
	width := len(r.rows.Headers) - 2
	missing := slices.DeleteFunc(r.rows.MismatchedStructFields, func(name string) bool { return name == baseColumn })
	if slices.Contains(r.rows.Headers, baseColumn) {
		width--
	}
	if width < 0 || len(missing) > 0 {
		return fmt.Errorf("its heading lacks %s or %s", lineColumn, raggedColumn)
	}
	r.heading = append(r.heading, r.rows.Headers[1:width+1]...)
	r.columns = make([]string, width)
	for i := range r.columns {
		r.columns[i] = strconv.Itoa(i)
	}
	return r.rows.RenormalizeHeaders(r.byPosition)
}

// byPosition renames the input's columns for gocsv, which keeps only the last of
// several with one name.
func (r *RowsReader) byPosition(headers []string) []string {
	copy(headers[1:], r.columns) // what follows them is ours
	return headers
}

// Heading returns the input's headings that rows.csv keeps, in their order: the
// cells of every row that is not ragged stand under them.
func (r *RowsReader) Heading() []string { return r.heading }

// Next returns the next row, whose cells are the caller's, and io.EOF after the last.
func (r *RowsReader) Next() (Row, error) {
	value, cells, err := r.rows.ReadUnmatched()
	if errors.Is(err, io.EOF) {
		return Row{}, io.EOF
	}
	if err != nil {
		return Row{}, r.damaged(err)
	}
	row, err := r.row(value.(frame), cells)
	if err != nil {
		return Row{}, r.damaged(err)
	}
	r.n++
	return row, nil
}

func (r *RowsReader) row(f frame, cells map[string]string) (Row, error) {
	line, err := strconv.Atoi(f.Line)
	if err != nil {
		return Row{}, err
	}
	row := Row{N: r.n, Line: line, Ragged: f.Ragged != "", Base: f.Base}
	if row.Ragged {
		err := json.Unmarshal([]byte(f.Ragged), &row.Cells)
		return row, err
	}
	row.Cells = make([]string, len(r.columns))
	for i, name := range r.columns {
		row.Cells[i] = cells[name]
	}
	return row, nil
}

func (r *RowsReader) damaged(err error) error {
	return fmt.Errorf("%s is damaged after row %d: %w; try: restore the run's folder from a backup", r.file.Name(), r.n, err)
}

// Close closes the file.
func (r *RowsReader) Close() error { return r.file.Close() }
