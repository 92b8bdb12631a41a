package intake

import (
	"hash/maphash"
	"iter"
)

// index finds the rows of a file that may be about a customer: about 20 bytes a row.
type index struct {
	seed   maphash.Seed
	last   map[uint32]int32 // hash of system, field and key → the last row with it
	before []int32          // by row: the row before it with the same hash; -1: there is none
}

func newIndex() *index { return &index{seed: maphash.MakeSeed(), last: map[uint32]int32{}} }

func (x *index) hash(system, field, key string) uint32 {
	return uint32(maphash.String(x.seed, system+"/"+field+"="+key))
}

// add notes whom the next row is about; of a row without a field, nobody.
func (x *index) add(system, field, key string) {
	row, before := int32(len(x.before)), int32(-1)
	if field != "" {
		h := x.hash(system, field, key)
		if at, ok := x.last[h]; ok {
			before = at
		}
		x.last[h] = row
	}
	x.before = append(x.before, before)
}

// find yields the rows that may be about a customer, the last one first. The index
// knows hashes only: whoever asks looks at the row itself.
func (x *index) find(system, field, key string) iter.Seq[int] {
	return func(yield func(int) bool) {
		row, ok := x.last[x.hash(system, field, key)]
		for ok && row >= 0 && yield(int(row)) {
			row = x.before[row]
		}
	}
}
