package mapping

import "math/bits"

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

// sparse is a chunked list of numbers most of which may be 0: a part of it that
// holds no other takes no room.
type sparse struct {
	n     int
	some  bool // not all are 0
	parts []*[chunk]uint64
}

func (s *sparse) add(v uint64) {
	if s.n%chunk == 0 {
		s.parts = append(s.parts, nil)
	}
	if v != 0 {
		part := &s.parts[s.n/chunk]
		if *part == nil {
			*part = new([chunk]uint64)
		}
		(*part)[s.n%chunk], s.some = v, true
	}
	s.n++
}

func (s *sparse) at(i int) uint64 {
	if part := s.parts[i/chunk]; part != nil {
		return part[i%chunk]
	}
	return 0
}

// positions finds the places of 64-bit keys in a list: 6 bytes a key, and no
// copy of it. Key 0 stands for none.
type positions struct {
	keys  *chunked[uint64]
	slots []uint32 // place + 1
}

// newPositions takes the memory of one that is no longer needed, or nil.
func newPositions(keys *chunked[uint64], spare *positions) *positions {
	p := &positions{keys: keys}
	if room := keys.n + keys.n/2 + 1; spare != nil && len(spare.slots) >= room {
		p.slots = spare.slots
		clear(p.slots)
	} else {
		p.slots = make([]uint32, room)
	}
	return p
}

// slot returns where a key's place is kept: 0 there means that the key is new.
// Multiplying by the golden ratio spreads ids that follow each other.
func (p *positions) slot(key uint64) *uint32 {
	at, _ := bits.Mul64(key*0x9E3779B97F4A7C15, uint64(len(p.slots)))
	for {
		s := &p.slots[at]
		if *s == 0 || *p.keys.at(int(*s) - 1) == key {
			return s
		}
		if at++; at == uint64(len(p.slots)) {
			at = 0
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
