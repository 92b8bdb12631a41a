package runs

import (
	"errors"
	"fmt"
	"io"
	"math"
)

// RowsPicker reads single rows of rows.csv in any order: it holds little more than
// 2 bytes a row. One goroutine uses it. Close it.
type RowsPicker struct {
	file    File
	form    form
	starts  []int64     // of each block of rows
	lengths []uint16    // of each row; tooLong for those in long
	long    map[int]int // lengths of the rows beyond
	record  []byte
}

const (
	pickBlock = 32
	tooLong   = math.MaxUint16
)

// PickRows opens rows.csv, and finds out where each of its rows begins.
func (d *Dir) PickRows(rows int) (*RowsPicker, error) {
	f, err := d.open(rowsName)
	if err != nil {
		return nil, err
	}
	p := &RowsPicker{file: f, starts: make([]int64, 0, rows/pickBlock+1), lengths: make([]uint16, 0, rows), long: map[int]int{}}
	err = p.survey()
	if found := len(p.lengths); err == nil && found != rows {
		err = fmt.Errorf("it holds %d rows, not %d", found, rows)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", f.Name(), err), f.Close())
	}
	return p, nil
}

// survey measures the records.
func (p *RowsPicker) survey() (err error) {
	all := recordsOf(p.file)
	first, err := all.next()
	if err != nil {
		return err
	}
	names, err := fieldsOf(string(first), nil)
	if err != nil {
		return err
	}
	if p.form, err = formOf(names); err != nil {
		return err
	}
	for at := int64(len(first)); ; {
		record, err := all.next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		p.mark(at, len(record))
		at += int64(len(record))
	}
}

// mark notes where the next record begins, and its length.
func (p *RowsPicker) mark(at int64, length int) {
	n := len(p.lengths)
	if n%pickBlock == 0 {
		p.starts = append(p.starts, at)
	}
	if length >= tooLong {
		p.long[n], length = length, tooLong
	}
	p.lengths = append(p.lengths, uint16(length))
}

func (p *RowsPicker) length(n int) int {
	if p.lengths[n] == tooLong {
		return p.long[n]
	}
	return int(p.lengths[n])
}

func (p *RowsPicker) start(n int) int64 {
	at := p.starts[n/pickBlock]
	for before := n / pickBlock * pickBlock; before < n; before++ {
		at += int64(p.length(before))
	}
	return at
}

// Row reads row n, counted from 0.
func (p *RowsPicker) Row(n int) (Row, error) {
	need := p.length(n)
	if cap(p.record) < need {
		p.record = make([]byte, need)
	}
	p.record = p.record[:need]
	if _, err := p.file.ReadAt(p.record, p.start(n)); err != nil {
		return Row{}, fmt.Errorf("%s: %w", p.file.Name(), err)
	}
	row, err := p.form.row(n, string(p.record))
	if err != nil {
		return Row{}, fmt.Errorf("row %d of %s is damaged: %w", n, p.file.Name(), err)
	}
	return row, nil
}

// Close closes the file.
func (p *RowsPicker) Close() error { return p.file.Close() }
