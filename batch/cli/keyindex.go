package cli

import (
	"hash/maphash"
	"iter"
	"math/bits"
	"slices"
)

// keyIndex finds the rows of a file by the customers they are about: 8 bytes a
// row, the row's number in the lower bits and of its key's hash what there is room
// for. What is found is to be looked at: of a million customers held against a
// million rows, another's row may well be among them.
type keyIndex struct {
	seed    maphash.Seed
	entries []uint64
	rowBits int
}

func newKeyIndex(rows int) *keyIndex {
	return &keyIndex{maphash.MakeSeed(), make([]uint64, 0, rows), bits.Len(uint(rows))}
}

// entry is the first that a key may have.
func (x *keyIndex) entry(key string) uint64 {
	return maphash.String(x.seed, key) >> x.rowBits << x.rowBits
}

// add notes a row's key, such as id=1234.
func (x *keyIndex) add(key string, row int) {
	x.entries = append(x.entries, x.entry(key)|uint64(row))
}

// finish makes ready for find, once all rows are there.
func (x *keyIndex) finish() { slices.Sort(x.entries) }

// find yields the rows that may have this key, in their order.
func (x *keyIndex) find(key string) iter.Seq[int] {
	return func(yield func(int) bool) {
		first := x.entry(key)
		at, _ := slices.BinarySearch(x.entries, first)
		for ; at < len(x.entries) && x.entries[at]>>x.rowBits == first>>x.rowBits; at++ {
			if !yield(int(x.entries[at] - first)) {
				return
			}
		}
	}
}
