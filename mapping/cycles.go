package mapping

import "iter"

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
// chain may be as long as the file. A customer goes by the number of the last edge
// that leads up from it; edges are numbered from 1, so that 0 is none.
func cycles(children, parents []uint64) iter.Seq[int] {
	customer := map[uint64]int32{}
	another := make([]int32, len(children)+1) // edge → another edge of the same child
	for n, child := range children {
		if child != 0 && parents[n] != 0 {
			another[n+1], customer[child] = customer[child], int32(n+1)
		}
	}
	var (
		left      = make([]int32, len(another)) // by customer: the edge to be followed next
		met       = make([]int32, len(another)) // when it was met; 0: not yet
		earliest  = make([]int32, len(another)) // when the first was met of those that it leads back to
		component = make([]int32, len(another)) // 0: not yet complete
		path      []int32                       // from customer to customer, up to here
		open      []int32                       // those whose component is not yet complete
		count     int32
	)
	enter := func(who int32) {
		count++
		met[who], earliest[who], left[who] = count, count, who
		path, open = append(path, who), append(open, who)
	}
	for _, child := range children {
		if start := customer[child]; start != 0 && met[start] == 0 {
			enter(start)
		}
		for len(path) > 0 {
			at := path[len(path)-1]
			if edge := left[at]; edge != 0 {
				left[at] = another[edge]
				switch up := customer[parents[edge-1]]; {
				case up == 0: // it gets no parent itself
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
				component[open[len(open)-1]] = at
				open = open[:len(open)-1]
			}
		}
	}
	return func(yield func(int) bool) {
		for n, child := range children {
			if up := customer[parents[n]]; up != 0 && component[up] == component[customer[child]] && !yield(n) {
				return
			}
		}
	}
}
