package runs

import (
	"cmp"
	"errors"
	"hash/maphash"
	"io"
	"iter"
	"slices"

	"rowbatch/batch/journal"
)

// Baseline finds rows, such as an export's, by the cell of one column.
type Baseline struct {
	picker  RowsPicker
	columns []string
	key     int // the place of its column; -1: there is none
	index   *KeyIndex
}

func newBaseline(f File, keyColumn string) (*Baseline, error) {
	in, err := newRowsReader(f)
	if err != nil {
		return nil, err
	}
	b := &Baseline{columns: in.Heading(), key: slices.Index(in.Heading(), keyColumn), index: NewKeyIndex()}
	b.picker = RowsPicker{file: f, lines: journal.NewWindow(f), width: len(b.columns)}
	for err == nil && b.key >= 0 {
		at := in.at
		var row Row
		if row, err = in.Next(); err == nil {
			b.picker.starts = append(b.picker.starts, at)
			b.index.Add(b.keyOf(row), row.N)
		}
	}
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, errors.Join(err, f.Close())
	}
	b.index.Finish()
	return b, nil
}

// keyOf returns the cell under the key's column, "" of a ragged row.
func (b *Baseline) keyOf(row Row) string {
	if row.Ragged {
		return ""
	}
	return row.Cells[b.key]
}

// Columns returns the names of the columns.
func (b *Baseline) Columns() []string { return b.columns }

// Find returns the cells of the rows with this key.
func (b *Baseline) Find(key string) (rows [][]string, err error) {
	for n := range b.index.Find(key) {
		row, err := b.picker.Row(n)
		if err != nil {
			return nil, err
		}
		if b.keyOf(row) == key {
			rows = append(rows, row.Cells)
		}
	}
	return rows, nil
}

// Close closes the file.
func (b *Baseline) Close() error { return b.picker.Close() }

// KeyIndex finds the rows in which keys stand, 8 bytes a row. It knows hashes only:
// what is found is to be looked at.
type KeyIndex struct {
	seed    maphash.Seed
	entries []keyEntry
}

type keyEntry struct {
	hash uint32
	row  int32
}

// NewKeyIndex has no keys yet.
func NewKeyIndex() *KeyIndex { return &KeyIndex{seed: maphash.MakeSeed()} }

func (x *KeyIndex) hash(key string) uint32 { return uint32(maphash.String(x.seed, key)) }

// Add notes a key and its row.
func (x *KeyIndex) Add(key string, row int) {
	x.entries = append(x.entries, keyEntry{x.hash(key), int32(row)})
}

// Finish makes ready for Find, once all keys are there.
func (x *KeyIndex) Finish() {
	slices.SortFunc(x.entries, func(a, b keyEntry) int { return cmp.Or(cmp.Compare(a.hash, b.hash), cmp.Compare(a.row, b.row)) })
}

// Find yields the rows that may have this key, in ascending order.
func (x *KeyIndex) Find(key string) iter.Seq[int] {
	return func(yield func(int) bool) {
		hash := x.hash(key)
		at, _ := slices.BinarySearchFunc(x.entries, hash, func(e keyEntry, h uint32) int { return cmp.Compare(e.hash, h) })
		for ; at < len(x.entries) && x.entries[at].hash == hash; at++ {
			if !yield(int(x.entries[at].row)) {
				return
			}
		}
	}
}
