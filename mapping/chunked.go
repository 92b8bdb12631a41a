package mapping

// chunked is a list that grows without ever copying itself: a slice of a
// million rows would for a moment take more than twice its room.
type chunked[T any] struct {
	n     int
	parts []*[chunk]T
}

const chunk = 1 << 13

func (c *chunked[T]) add(v T) {
	if c.n%chunk == 0 {
		c.parts = append(c.parts, new([chunk]T))
	}
	c.n++
	*c.at(c.n - 1) = v
}

func (c *chunked[T]) at(i int) *T { return &c.parts[i/chunk][i%chunk] }

// positions finds the places of 64-bit keys in a list: 4 to 8 bytes a key, and no
// copy of it. Key 0 stands for none.
type positions struct {
	keys  *chunked[uint64]
	slots []uint32 // place + 1
	shift int
}

// newPositions takes the memory of one that is no longer needed, or nil.
func newPositions(keys *chunked[uint64], spare *positions) *positions {
	bits := 4
	for 1<<bits < keys.n+keys.n/3 {
		bits++
	}
	p := &positions{keys: keys, shift: 64 - bits}
	if spare != nil && len(spare.slots) == 1<<bits {
		clear(spare.slots)
		p.slots = spare.slots
	} else {
		p.slots = make([]uint32, 1<<bits)
	}
	return p
}

// slot returns where a key's place is kept: 0 there means that the key is new.
// Multiplying by the golden ratio spreads ids that follow each other.
func (p *positions) slot(key uint64) *uint32 {
	mask := uint64(len(p.slots) - 1)
	for i := key * 0x9E3779B97F4A7C15 >> p.shift; ; i++ {
		s := &p.slots[i&mask]
		if *s == 0 || *p.keys.at(int(*s) - 1) == key {
			return s
		}
	}
}

// put notes the place of a key, and returns the place noted before or -1.
func (p *positions) put(place int) int {
	s := p.slot(*p.keys.at(place))
	before := int(*s) - 1
	*s = uint32(place) + 1
	return before
}

// find returns the place of a key, -1 when it was never put.
func (p *positions) find(key uint64) int { return int(*p.slot(key)) - 1 }
