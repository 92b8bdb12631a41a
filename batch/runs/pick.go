package runs

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
)

// RowsPicker reads single rows of rows.csv in any order: it holds 4 bytes a row.
// One goroutine uses it. Close it.
type RowsPicker struct {
	file    File
	starts  []int64  // of each block of rows
	offsets []uint32 // of each row, from the start of its block; the last is the end
	bases   bool     // beside each row stands what is remembered of its export
	record  []byte
}

const pickBlock = 256

// PickRows opens rows.csv, and finds out where each of its rows begins.
func (d *Dir) PickRows(rows int) (*RowsPicker, error) {
	f, err := d.open(rowsName)
	if err != nil {
		return nil, err
	}
	p := &RowsPicker{file: f, offsets: make([]uint32, 0, rows+1)}
	err = p.survey()
	if found := len(p.offsets) - 1; err == nil && found != rows {
		err = fmt.Errorf("it holds %d rows, not %d", max(0, found), rows)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", f.Name(), err), f.Close())
	}
	heading, err := p.fields(0, p.start(0))
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	p.bases = slices.Contains(heading, baseColumn) // no column of the input bears a name that begins with rb_
	return p, nil
}

// survey looks for the ends of records: line feeds that stand in no quotes.
func (p *RowsPicker) survey() error {
	in := bufio.NewReaderSize(p.file, bufferSize)
	var at int64
	quoted := false
	for {
		part, err := in.ReadSlice('\n')
		at += int64(len(part))
		quoted = quoted != (bytes.Count(part, []byte{'"'})%2 == 1)
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case errors.Is(err, bufio.ErrBufferFull), err == nil && quoted:
			continue
		case err != nil:
			return err
		}
		if err := p.mark(at); err != nil {
			return err
		}
	}
}

// mark notes that a record ends here, the heading's first, and the next begins.
func (p *RowsPicker) mark(at int64) error {
	if len(p.offsets)%pickBlock == 0 {
		p.starts = append(p.starts, at)
	}
	from := at - p.starts[len(p.starts)-1]
	if from > math.MaxUint32 {
		return errors.New("its rows are too long")
	}
	p.offsets = append(p.offsets, uint32(from))
	return nil
}

func (p *RowsPicker) start(n int) int64 { return p.starts[n/pickBlock] + int64(p.offsets[n]) }

// Row reads row n, counted from 0.
func (p *RowsPicker) Row(n int) (Row, error) {
	fields, err := p.fields(p.start(n), p.start(n+1))
	if err != nil {
		return Row{}, err
	}
	return p.row(n, fields)
}

// fields reads the record between two places of the file.
func (p *RowsPicker) fields(from, to int64) ([]string, error) {
	if need := int(to - from); cap(p.record) < need {
		p.record = make([]byte, need)
	}
	p.record = p.record[:to-from]
	if _, err := p.file.ReadAt(p.record, from); err != nil {
		return nil, fmt.Errorf("%s: %w", p.file.Name(), err)
	}
	return split(p.record), nil
}

func (p *RowsPicker) row(n int, fields []string) (row Row, err error) {
	last := len(fields) - 1
	if last < 1 || p.bases && last < 2 {
		return row, fmt.Errorf("row %d of %s is damaged", n, rowsName)
	}
	array := fields[last]
	if p.bases {
		last--
		row.Base = fields[last]
	}
	row.N, row.Cells = n, fields[1:last]
	if row.Line, err = strconv.Atoi(fields[0]); err != nil {
		return row, err
	}
	if array != "" {
		row.Ragged, row.Cells = true, nil
		err = json.Unmarshal([]byte(array), &row.Cells)
	}
	return row, err
}

// split takes a record apart as RowsWriter wrote it: commas, quotes doubled
// within quotes, and a line feed at its end.
func split(record []byte) (fields []string) {
	rest := bytes.TrimSuffix(record, []byte{'\n'})
	for {
		field, after, more := cut(rest)
		fields = append(fields, field)
		if !more {
			return fields
		}
		rest = after
	}
}

// cut takes one field off a record.
func cut(rest []byte) (field string, after []byte, more bool) {
	if len(rest) == 0 || rest[0] != '"' {
		plain, after, more := bytes.Cut(rest, []byte{','})
		return string(plain), after, more
	}
	end := 1
	for end < len(rest) && (rest[end] != '"' || end+1 < len(rest) && rest[end+1] == '"') {
		if rest[end] == '"' {
			end++
		}
		end++
	}
	field = string(bytes.ReplaceAll(rest[1:min(end, len(rest))], []byte(`""`), []byte{'"'}))
	after, more = bytes.CutPrefix(rest[min(end+1, len(rest)):], []byte{','})
	return field, after, more
}

// Close closes the file.
func (p *RowsPicker) Close() error { return p.file.Close() }
