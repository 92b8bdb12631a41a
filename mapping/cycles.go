package mapping

import "iter"

// Cycles returns the ids that stand on a cycle of child → parent edges, a
// customer that is its own parent included. Of several edges of one child the
// last counts; a parent of 0 is none. It serves files keyed by reference once
// their ids are known; Check itself looks at files keyed by id.
func Cycles(edges iter.Seq2[uint64, uint64]) map[uint64]bool {
	var f family
	for child, parent := range edges {
		f.children.add(child)
		f.parents.add(parent)
	}
	ids := map[uint64]bool{}
	for _, n := range f.cycles() {
		ids[*f.children.at(n)] = true
	}
	return ids
}

// family is a list of children and the parents they are to get.
type family struct {
	children, parents chunked[uint64]
	rows              *positions // of the children, once they are all there; before, memory to use
}

// up returns the place of a child's parent in the list, -1 when it gets none itself.
func (f *family) up(n int) int { return f.rows.find(*f.parents.at(n)) }

// cycles returns the places that stand on a cycle. Each child leads to one
// parent, so that a walk up which meets itself has found one.
func (f *family) cycles() []int {
	f.rows = newPositions(&f.children, f.rows)
	for n := range f.children.n {
		if *f.children.at(n) != 0 && *f.parents.at(n) != 0 {
			f.rows.put(n)
		}
	}
	var found []int
	walks := make([]uint32, f.children.n) // which walk came by, from 1
	for n := range f.children.n {
		walk := uint32(n) + 1
		m := f.rows.find(*f.children.at(n))
		for m >= 0 && walks[m] == 0 {
			walks[m] = walk
			m = f.up(m)
		}
		if m >= 0 && walks[m] == walk {
			found = append(found, f.around(m)...)
		}
	}
	return found
}

func (f *family) around(start int) []int {
	found := []int{start}
	for m := f.up(start); m != start; m = f.up(m) {
		found = append(found, m)
	}
	return found
}
