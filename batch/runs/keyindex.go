package runs

import (
	"hash/maphash"
	"iter"
	"math/bits"
	"slices"
)

// KeyIndex finds the places at which keys stand: 8 bytes a key, the place in the
// lower bits and of the key's hash what there is room for. What is found is to be
// looked at: of a million keys held against a million, another's place may well be
// among them.
type KeyIndex struct {
	seed      maphash.Seed
	entries   []uint64
	placeBits int
}

// NewKeyIndex has room for so many keys, at places from 0 up to the farthest.
func NewKeyIndex(keys int, farthest int64) *KeyIndex {
	return &KeyIndex{maphash.MakeSeed(), make([]uint64, 0, keys), bits.Len64(uint64(farthest))}
}

// entry is the first that a key may have.
func (x *KeyIndex) entry(key string) uint64 {
	return maphash.String(x.seed, key) >> x.placeBits << x.placeBits
}

// Add notes a key and its place.
func (x *KeyIndex) Add(key string, place int64) {
	x.entries = append(x.entries, x.entry(key)|uint64(place))
}

// Finish makes ready for Find, once all keys are there.
func (x *KeyIndex) Finish() { slices.Sort(x.entries) }

// Find yields the places that may have this key, in ascending order.
func (x *KeyIndex) Find(key string) iter.Seq[int64] {
	return func(yield func(int64) bool) {
		first := x.entry(key)
		at, _ := slices.BinarySearch(x.entries, first)
		for ; at < len(x.entries) && x.entries[at]>>x.placeBits == first>>x.placeBits; at++ {
			if !yield(int64(x.entries[at] - first)) {
				return
			}
		}
	}
}
