package runs

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strconv"

	"github.com/tidwall/gjson"

	"rowbatch/batch/journal"
)

// baselineName is the file of an export that keeps its rows as they were shown: a
// JSON array a line, the first with the names of the columns. JSON, because a CSV
// reader does not give every line end back as it was.
const baselineName = "baseline.jsonl"

// BaselineWriter writes the rows of an export.
type BaselineWriter struct {
	dir  *Dir
	file File
	out  *bufio.Writer
}

// WriteBaseline starts the baseline of an export with these columns.
func (d *Dir) WriteBaseline(columns []string) (*BaselineWriter, error) {
	f, err := d.CreateFile(baselineName)
	if err != nil {
		return nil, err
	}
	w := &BaselineWriter{d, f, bufio.NewWriterSize(f, bufferSize)}
	if err := w.Append(columns); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return w, nil
}

// Append writes the cells of a row, one for each column.
func (w *BaselineWriter) Append(cells []string) error {
	line, err := json.Marshal(cells)
	if err == nil {
		_, err = w.out.Write(append(line, '\n'))
	}
	return writing(w.file.Name(), err)
}

// Close ends the baseline and makes it durable.
func (w *BaselineWriter) Close() error {
	return w.dir.finish(w.file, w.out.Flush())
}

// HasBaseline says that the folder keeps the rows of an export.
func (d *Dir) HasBaseline() (bool, error) {
	f, err := d.open(baselineName)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	return true, f.Close()
}

// DropBaseline removes a baseline that was needed for the time of a check only.
func (d *Dir) DropBaseline() error {
	return d.RemoveFile(baselineName)
}

// Baseline finds rows of an export by the cell of one column: 8 bytes a row.
type Baseline struct {
	file    File
	size    int64
	columns []string
	key     string    // the place of its column, to gjson
	index   *KeyIndex // of where lines start
	lines   *journal.Window
}

// OpenBaseline reads the baseline of an export, to find rows by a column. A
// baseline without that column finds none. Close it.
func (d *Dir) OpenBaseline(keyColumn string) (*Baseline, error) {
	f, err := d.open(baselineName)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	b := &Baseline{file: f, size: info.Size(), index: NewKeyIndex(0, 0), lines: journal.NewWindow(f)}
	if err := b.read(keyColumn); err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", f.Name(), err), f.Close())
	}
	return b, nil
}

func (b *Baseline) read(keyColumn string) error {
	in := bufio.NewReaderSize(b.file, bufferSize)
	first, err := in.ReadBytes('\n')
	if err == nil {
		err = json.Unmarshal(first, &b.columns)
	}
	if err != nil {
		return fmt.Errorf("it does not begin with its columns: %w", err)
	}
	key := slices.Index(b.columns, keyColumn)
	if key < 0 {
		return nil
	}
	b.key = strconv.Itoa(key)
	rows, err := b.countRows(int64(len(first)))
	if err != nil {
		return err
	}
	b.index = NewKeyIndex(rows, b.size)
	for offset := int64(len(first)); ; {
		line, err := in.ReadBytes('\n')
		if len(line) == 0 && errors.Is(err, io.EOF) {
			break
		}
		if err != nil || !gjson.ValidBytes(line) {
			return errors.Join(errors.New("it is cut short or damaged"), err)
		}
		b.index.Add(b.keyOf(line), offset)
		offset += int64(len(line))
	}
	b.index.Finish()
	return nil
}

// countRows tells how large the index will be: one that grew would take twice its size.
func (b *Baseline) countRows(from int64) (rows int, err error) {
	part := make([]byte, bufferSize)
	in := io.NewSectionReader(b.file, from, b.size-from)
	for {
		n, err := in.Read(part)
		rows += bytes.Count(part[:n], []byte{'\n'})
		if errors.Is(err, io.EOF) {
			return rows, nil
		}
		if err != nil {
			return 0, err
		}
	}
}

func (b *Baseline) keyOf(line []byte) string {
	return gjson.GetBytes(line, b.key).Str
}

// cellsIn reads a line; nil when it is not an array of so many texts.
func cellsIn(line []byte, width int) []string {
	cells := make([]string, 0, width)
	texts := true
	gjson.ParseBytes(line).ForEach(func(_, cell gjson.Result) bool {
		texts = texts && cell.Type == gjson.String
		cells = append(cells, cell.Str)
		return texts
	})
	if !texts || len(cells) != width {
		return nil
	}
	return cells
}

// Columns returns the names of the columns.
func (b *Baseline) Columns() []string { return b.columns }

// Find returns the cells of the rows with this key.
func (b *Baseline) Find(key string) (rows [][]string, err error) {
	for offset := range b.index.Find(key) {
		line, err := b.lines.Line(offset)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", b.file.Name(), err)
		}
		if b.keyOf(line) != key {
			continue
		}
		cells := cellsIn(line, len(b.columns))
		if cells == nil {
			return nil, fmt.Errorf("%s is damaged", b.file.Name())
		}
		rows = append(rows, cells)
	}
	return rows, nil
}

// Close closes the file.
func (b *Baseline) Close() error { return b.file.Close() }
