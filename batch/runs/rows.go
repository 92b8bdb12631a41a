package runs

import (
	"bufio"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"path/filepath"
	"strconv"
	"unicode/utf8"

	"github.com/tidwall/gjson"

	"rowbatch/batch"
	"rowbatch/batch/journal"
)

const (
	// RowsName is the file of the input's rows as they were read.
	RowsName = "rows.jsonl"
	// ExportedName is the file of customers as an export has shown them: in its own
	// folder, or for the time of a check in that of a run whose rows are held against it.
	ExportedName = "exported.jsonl"
)

// exportColumn is the one column of ours that rows bring along and keep.
const exportColumn = "rb_export"

const bufferSize = 64 << 10

// record is a line of such a file; the first has the headings as its cells. JSON,
// because a CSV reader does not give every line end back as it was.
type record struct {
	Line   int      // l; absent: 0
	Cells  []string // c
	Ragged bool     // r
	Base   string   // b
	Forms  string   // f

	Warnings []string // w
}

// append writes the line, as encoding/json would: in passing, since every row of a
// large file goes through here before the first request.
func (l record) append(to []byte) []byte {
	to = append(to, '{')
	if l.Line != 0 {
		to = append(strconv.AppendInt(append(to, `"l":`...), int64(l.Line), 10), ',')
	}
	to = appendTexts(append(to, `"c":`...), l.Cells)
	if l.Ragged {
		to = append(to, `,"r":true`...)
	}
	if l.Base != "" {
		to = appendText(append(to, `,"b":`...), l.Base)
	}
	if l.Forms != "" {
		to = appendText(append(to, `,"f":`...), l.Forms)
	}
	if len(l.Warnings) > 0 {
		to = appendTexts(append(to, `,"w":`...), l.Warnings)
	}
	return append(to, '}', '\n')
}

func appendTexts(to []byte, all []string) []byte {
	to = append(to, '[')
	for i, text := range all {
		if i > 0 {
			to = append(to, ',')
		}
		to = appendText(to, text)
	}
	return append(to, ']')
}

func appendText(to []byte, text string) []byte {
	for _, c := range []byte(text) {
		if c < ' ' || c == '"' || c == '\\' {
			return append(to, batch.Text(text)...)
		}
	}
	return append(append(append(to, '"'), text...), '"')
}

// parse reads such a line.
func (l *record) parse(text []byte) error {
	whole := gjson.ValidBytes(text)
	if !whole {
		return errors.New("a line is no JSON")
	}
	texts := func(value gjson.Result) []string {
		all := []string{}
		value.ForEach(func(_, one gjson.Result) bool {
			whole = one.Type == gjson.String
			all = append(all, one.Str)
			return whole
		})
		return all
	}
	gjson.ParseBytes(text).ForEach(func(name, value gjson.Result) bool {
		switch name.Str {
		case "l":
			whole = value.Type == gjson.Number
			l.Line = int(value.Int())
		case "c":
			l.Cells = texts(value)
		case "r":
			l.Ragged = value.Bool()
		case "b":
			l.Base = value.Str
		case "f":
			l.Forms = value.Str
		case "w":
			l.Warnings = texts(value)
		}
		return whole
	})
	if !whole {
		return errors.New("a line is no row")
	}
	return nil
}

// Row is one row of the input.
type Row struct {
	N      int // ordinal, from 0
	Line   int // of the input file, where the row starts; 0: it comes from no file
	Cells  []string
	Ragged bool   // Cells are as many as they came, not one for each heading
	Base   string // what is remembered of the row's export; "": it was not exported
	Forms  string // how a sheet holds the cells, one character each; "": the input is text

	Warnings []string // what the checks found worth a look in its cells
}

// RowsError is the error when the rows in a run's folder are not those of its journal:
// what was sent for a row cannot be told from them any more.
type RowsError struct {
	Path, Why string
	Sent      bool // something was, before it was noticed
}

func (e *RowsError) Error() string {
	if e.Sent {
		return fmt.Sprintf("%s is not what the run's journal says: %s; what was sent stands in the journal; "+
			"try: put the file back as it was, from a backup", e.Path, e.Why)
	}
	return fmt.Sprintf("%s is not what the run's journal says: %s; nothing was sent; "+
		"try: put the file back as it was, from a backup, or run the input anew", e.Path, e.Why)
}

// RowsWriter copies rows into a file, every cell byte for byte.
type RowsWriter struct {
	dir   *Dir
	file  File
	out   *bufio.Writer
	sum   hash.Hash
	width int   // of the input
	keep  []int // the input's columns that are not ours
	cells []string
	line  []byte
}

// Append copies a row; where it stands is no matter of its N. Its cells are UTF-8,
// and as many as the heading's, unless it is ragged: then all are kept.
func (w *RowsWriter) Append(r Row) error {
	l := record{r.Line, r.Cells, r.Ragged || len(r.Cells) != w.width, r.Base, r.Forms, r.Warnings}
	if !l.Ragged {
		w.cells = w.cells[:0]
		for _, i := range w.keep {
			w.cells = append(w.cells, r.Cells[i])
		}
		l.Cells = w.cells
	}
	for _, cell := range l.Cells {
		if !utf8.ValidString(cell) {
			return fmt.Errorf("line %d: %q is not UTF-8", r.Line, cell)
		}
	}
	w.line = l.append(w.line[:0])
	_, err := w.out.Write(w.line)
	return writing(w.file.Name(), err)
}

// Close ends the file and makes it durable. From then on the folder knows what
// its journal's head has to say of the rows.
func (w *RowsWriter) Close() error {
	err := w.out.Flush()
	var info fs.FileInfo
	if err == nil {
		info, err = w.file.Stat()
	}
	if err = w.dir.finish(w.file, err); err == nil {
		w.dir.vouched[filepath.Base(w.file.Name())] = journal.RowsFile{Size: info.Size(), SHA256: hex.EncodeToString(w.sum.Sum(nil))}
	}
	return err
}

// RowsReader reads rows one after the other. Close it.
type RowsReader struct {
	file    File
	lines   *bufio.Reader
	old     *oldRows // nil: the file has the form of today
	heading []string
	n       int
	at      int64 // where the next row begins
}

func newRowsReader(f File) (*RowsReader, error) {
	r := &RowsReader{file: f, lines: bufio.NewReaderSize(f, bufferSize)}
	line, err := r.next()
	if errors.Is(err, io.EOF) {
		err = errors.New("it is empty")
	}
	if err != nil {
		return nil, errors.Join(r.damaged(err), f.Close())
	}
	r.heading = line.Cells
	return r, nil
}

// Heading returns the input's headings that are kept, in their order: the cells
// of every row that is not ragged stand under them.
func (r *RowsReader) Heading() []string { return r.heading }

// Next returns the next row, whose cells are the caller's, and io.EOF after the last.
func (r *RowsReader) Next() (Row, error) {
	var line record
	var err error
	if r.old != nil {
		line, err = r.old.next()
	} else {
		line, err = r.next()
	}
	if errors.Is(err, io.EOF) {
		return Row{}, io.EOF
	}
	row, err := rowOf(r.n, line, len(r.heading), err)
	if err != nil {
		return Row{}, r.damaged(err)
	}
	r.n++
	return row, nil
}

func (r *RowsReader) next() (line record, err error) {
	text, err := r.lines.ReadBytes('\n')
	switch {
	case len(text) > 0 && errors.Is(err, io.EOF):
		err = errors.New("it ends in the middle of a row")
	case err == nil:
		r.at += int64(len(text))
		err = line.parse(text)
	}
	return line, err
}

// rowOf makes a row of what was read of a line.
func rowOf(n int, l record, width int, err error) (Row, error) {
	if err == nil && !l.Ragged && len(l.Cells) != width {
		err = fmt.Errorf("a row has %d cells instead of %d", len(l.Cells), width)
	}
	if err == nil && l.Forms != "" && len(l.Forms) != len(l.Cells) {
		err = fmt.Errorf("a row has %d cells and the forms of %d", len(l.Cells), len(l.Forms))
	}
	return Row{N: n, Line: l.Line, Cells: l.Cells, Ragged: l.Ragged, Base: l.Base, Forms: l.Forms, Warnings: l.Warnings}, err
}

func (r *RowsReader) damaged(err error) error {
	return fmt.Errorf("%s is damaged after row %d: %w; try: restore the run's folder from a backup", r.file.Name(), r.n, err)
}

// Close closes the file.
func (r *RowsReader) Close() error { return r.file.Close() }

// RowsPicker reads single rows in any order. One goroutine uses it. Close it.
type RowsPicker struct {
	file   File
	lines  *journal.Window
	width  int
	starts []int64 // of each row
}

// newRowsPicker finds out where each row begins: no line feed stands within one.
func newRowsPicker(f File, rows int) (*RowsPicker, error) {
	p := &RowsPicker{file: f, lines: journal.NewWindow(f), starts: make([]int64, 0, rows+1)}
	lines, at := bufio.NewReaderSize(f, bufferSize), int64(0)
	for err := error(nil); !errors.Is(err, io.EOF); {
		var part []byte // of a line, where that is longer than the buffer
		part, err = lines.ReadSlice('\n')
		at += int64(len(part))
		switch {
		case err == nil:
			p.starts = append(p.starts, at)
		case !errors.Is(err, io.EOF) && !errors.Is(err, bufio.ErrBufferFull):
			return nil, err
		}
	}
	if found := len(p.starts) - 1; found != rows || p.starts[rows] != at {
		return nil, fmt.Errorf("it holds %d rows, not %d", found, rows)
	}
	p.starts = p.starts[:rows]
	line, err := p.line(0)
	p.width = len(line.Cells)
	return p, err
}

// Row reads row n, counted from 0.
func (p *RowsPicker) Row(n int) (Row, error) {
	line, err := p.line(p.starts[n])
	row, err := rowOf(n, line, p.width, err)
	if err != nil {
		return Row{}, fmt.Errorf("row %d of %s is damaged: %w", n, p.file.Name(), err)
	}
	return row, nil
}

func (p *RowsPicker) line(at int64) (line record, err error) {
	text, err := p.lines.Line(at)
	if err == nil {
		err = line.parse(text)
	}
	return line, err
}

// Close closes the file.
func (p *RowsPicker) Close() error { return p.file.Close() }
