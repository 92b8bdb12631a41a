package cli

import (
	"hash/maphash"
	"sort"
)

// keyIndex finds the rows of a file by the customers they are about: 12 bytes a
// row. Keys are hashed, so that what is found is to be looked at.
type keyIndex struct {
	seed   maphash.Seed
	hashes []uint64
	rows   []uint32
}

func newKeyIndex(rows int) *keyIndex {
	return &keyIndex{maphash.MakeSeed(), make([]uint64, 0, rows), make([]uint32, 0, rows)}
}

func (x *keyIndex) hash(key string) uint64 { return maphash.String(x.seed, key) }

// add notes a row's key, such as id=1234.
func (x *keyIndex) add(key string, row int) {
	x.hashes, x.rows = append(x.hashes, x.hash(key)), append(x.rows, uint32(row))
}

// finish makes ready for find, once all rows are there.
func (x *keyIndex) finish() { sort.Sort(x) }

func (x *keyIndex) Len() int           { return len(x.hashes) }
func (x *keyIndex) Less(i, j int) bool { return x.hashes[i] < x.hashes[j] }
func (x *keyIndex) Swap(i, j int) {
	x.hashes[i], x.hashes[j] = x.hashes[j], x.hashes[i]
	x.rows[i], x.rows[j] = x.rows[j], x.rows[i]
}

// find returns the rows that may have this key.
func (x *keyIndex) find(key string) []uint32 {
	h := x.hash(key)
	from := sort.Search(len(x.hashes), func(i int) bool { return x.hashes[i] >= h })
	to := from
	for to < len(x.hashes) && x.hashes[to] == h {
		to++
	}
	return x.rows[from:to]
}
