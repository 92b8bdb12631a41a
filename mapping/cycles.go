package mapping

import "iter"

// Cycles returns the ids that stand on a cycle of child → parent edges, a
// customer that is its own parent included; a parent of 0 is none. It serves
// files keyed by reference once their ids are known; Check itself looks at files
// keyed by id.
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

// link is an edge from a child's first row to its parent's.
type link struct{ row, from, to uint32 }

// cycles returns the rows whose edge is on a cycle, or between two of them. Every
// edge of a child with several counts: each is written in its turn.
func (f *family) cycles() []int {
	links := turned(peel(turned(peel(f.links(), f.children.n)), f.children.n))
	rows := make([]int, len(links))
	for i, l := range links {
		rows[i] = int(l.row)
	}
	return rows
}

// links leaves out the edges to customers who get no parent themselves.
func (f *family) links() []link {
	f.rows = newPositions(&f.children, f.rows)
	isEdge := func(n int) bool { return *f.children.at(n) != 0 && *f.parents.at(n) != 0 }
	for n := range f.children.n {
		if isEdge(n) && f.rows.find(*f.children.at(n)) < 0 {
			f.rows.put(n)
		}
	}
	var links []link
	for n := range f.children.n {
		if !isEdge(n) {
			continue
		}
		if to := f.rows.find(*f.parents.at(n)); to >= 0 {
			links = append(links, link{uint32(n), uint32(f.rows.find(*f.children.at(n))), uint32(to)})
		}
	}
	return links
}

// peel takes away the links to places from which none starts, as long as there
// are any: what stays leads into a cycle.
func peel(links []link, places int) []link {
	if len(links) == 0 {
		return nil
	}
	starting := make([]uint32, places)
	into := make([]uint32, places)       // the last link into a place, plus one
	before := make([]uint32, len(links)) // the link into the same place before, plus one
	for i, l := range links {
		starting[l.from]++
		before[i], into[l.to] = into[l.to], uint32(i)+1
	}
	var ends []uint32
	for _, l := range links {
		if starting[l.to] == 0 && into[l.to] != 0 {
			ends = append(ends, into[l.to])
			into[l.to] = 0
		}
	}
	gone := make([]bool, len(links))
	for len(ends) > 0 {
		last := ends[len(ends)-1]
		ends = ends[:len(ends)-1]
		for i := last; i != 0; i = before[i-1] {
			gone[i-1] = true
			from := links[i-1].from
			if starting[from]--; starting[from] == 0 && into[from] != 0 {
				ends = append(ends, into[from])
				into[from] = 0
			}
		}
	}
	kept := links[:0]
	for i, l := range links {
		if !gone[i] {
			kept = append(kept, l)
		}
	}
	return kept
}

// turned lets every link lead the other way.
func turned(links []link) []link {
	for i, l := range links {
		links[i].from, links[i].to = l.to, l.from
	}
	return links
}
