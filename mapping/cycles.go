package mapping

import (
	"cmp"
	"iter"
	"slices"
)

// Cycles returns the ids that stand on a cycle of child → parent edges, a
// customer that is its own parent included. Of a child with several edges each
// counts, since each is written in its turn; a parent of 0 is none. It serves
// files keyed by reference once their ids are known; Check itself looks at files
// keyed by id.
func Cycles(edges iter.Seq2[uint64, uint64]) map[uint64]bool {
	var children, parents []uint64
	for child, parent := range edges {
		children, parents = append(children, child), append(parents, parent)
	}
	ids := map[uint64]bool{}
	for n := range cycles(children, parents) {
		ids[children[n]] = true
	}
	return ids
}

// cycles yields the places of the edges that lie on a cycle: those within one
// strongly connected component. It is Tarjan's search, without recursion, since a
// chain may be as long as the file. The edges are sorted by child; a customer goes
// by the place there of the first edge that leads up from it.
func cycles(children, parents []uint64) iter.Seq[int] {
	var edges []uint32
	for n, child := range children {
		if child != 0 && parents[n] != 0 {
			edges = append(edges, uint32(n))
		}
	}
	slices.SortFunc(edges, func(a, b uint32) int { return cmp.Or(cmp.Compare(children[a], children[b]), cmp.Compare(a, b)) })
	find := func(customer uint64) (int, bool) {
		return slices.BinarySearchFunc(edges, customer, func(edge uint32, id uint64) int { return cmp.Compare(children[edge], id) })
	}
	var (
		met        = make([]int32, len(edges)) // by customer: when it was met; 0: not yet
		earliest   = make([]int32, len(edges)) // when the first was met of those that it leads back to
		component  = make([]int32, len(edges)) // 0: not yet complete
		looked     = make([]int32, len(edges)) // how many of its edges have been followed
		path, open []int                       // from customer to customer, up to here; those whose component is not yet complete
		count      int32
	)
	enter := func(who int) {
		count++
		met[who], earliest[who] = count, count
		path, open = append(path, who), append(open, who)
	}
	for start := range edges {
		if met[start] == 0 && (start == 0 || children[edges[start]] != children[edges[start-1]]) {
			enter(start)
		}
		for len(path) > 0 {
			at := path[len(path)-1]
			if next := at + int(looked[at]); next < len(edges) && children[edges[next]] == children[edges[at]] {
				looked[at]++
				switch up, ok := find(parents[edges[next]]); {
				case !ok: // it gets no parent itself
				case met[up] == 0:
					enter(up)
				case component[up] == 0:
					earliest[at] = min(earliest[at], met[up])
				}
				continue
			}
			if path = path[:len(path)-1]; len(path) > 0 {
				below := path[len(path)-1]
				earliest[below] = min(earliest[below], earliest[at])
			}
			for earliest[at] == met[at] && component[at] == 0 {
				component[open[len(open)-1]] = met[at]
				open = open[:len(open)-1]
			}
		}
	}
	return func(yield func(int) bool) {
		for n, child := range children {
			up, ok := find(parents[n])
			if at, isEdge := find(child); isEdge && ok && component[up] == component[at] && !yield(n) {
				return
			}
		}
	}
}
