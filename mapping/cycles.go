package mapping

import (
	"iter"
	"math"
)

// Cycles returns the ids that stand on a cycle of child → parent edges, a
// customer that is its own parent included. Of a child with several edges each
// counts, since each is written in its turn; a parent of 0 is none. It serves
// files keyed by reference once their ids are known; Check itself looks at files
// keyed by id.
func Cycles(edges iter.Seq2[uint64, uint64]) map[uint64]bool {
	var f family
	for child, parent := range edges {
		f.children.add(child)
		f.parents.add(parent)
	}
	ids := map[uint64]bool{}
	for n := range f.cycles() {
		ids[*f.children.at(n)] = true
	}
	return ids
}

// family is a list of edges from children to the parents they are to get.
type family struct {
	children chunked[uint64]
	parents  sparse
	rows     *positions // of the children, once they are all there; before, memory to use
}

// child and parent return the one place that stands for the customer at an end
// of an edge; -1 for a parent that gets none itself.
func (f *family) child(n int) int  { return f.rows.find(*f.children.at(n)) }
func (f *family) parent(n int) int { return f.rows.find(f.parents.at(n)) }

func (f *family) isEdge(n int) bool { return *f.children.at(n) != 0 && f.parents.at(n) != 0 }

// cycles yields the places of the edges on a cycle: those within one strongly
// connected component.
func (f *family) cycles() iter.Seq[int] {
	return func(yield func(int) bool) {
		if !f.parents.some {
			return
		}
		c := components(f)
		for n := range f.children.n {
			if !f.isEdge(n) {
				continue
			}
			if p := f.parent(n); p >= 0 && c[p] == c[f.child(n)] && !yield(n) {
				return
			}
		}
	}
}

// components numbers each customer's strongly connected component. It needs 13
// bytes an edge while it works and leaves 4.
func components(f *family) []uint32 {
	n := f.children.n
	w := walk{family: f, next: make([]uint32, n), order: make([]uint32, n), link: make([]uint32, n),
		lowered: make([]bool, n), component: math.MaxUint32}
	f.rows = newPositions(&f.children, f.rows)
	for n := range f.children.n {
		if f.isEdge(n) {
			w.next[n] = uint32(f.rows.put(n) + 1)
		}
	}
	for n := range f.children.n {
		if f.isEdge(n) && w.order[f.child(n)] == 0 {
			w.from(f.child(n))
		}
	}
	return w.order
}

// walk goes up from customer to customer, depth first and without recursion,
// since a chain may be as long as the file. It is Tarjan's search in Pearce's
// form: one number a customer, and one link, which while the customer is being
// visited is the edge that led there, and after that the stack of those whose
// component is still open. Links are places + 1, so that 0 is none.
type walk struct {
	*family
	next      []uint32 // by edge: another edge of the same child
	order     []uint32 // by customer: when it was met, lowered to the earliest it leads back to; at last its component
	link      []uint32
	lowered   []bool
	met       uint32
	component uint32 // the next; they count down, so that none is below an open customer's order
	open      uint32
}

func (w *walk) from(start int) {
	w.meet(start, 0)
	at, edge := start, uint32(start)+1
	for {
		if edge == 0 {
			back := w.link[at]
			w.leave(at)
			if back == 0 {
				return
			}
			at, edge = w.child(int(back)-1), back // once more: its end is known now
		}
		up := w.parent(int(edge) - 1)
		if up >= 0 && w.order[up] == 0 {
			w.meet(up, edge)
			at, edge = up, uint32(up)+1
			continue
		}
		if up >= 0 && w.order[up] < w.order[at] {
			w.order[at], w.lowered[at] = w.order[up], true
		}
		edge = w.next[edge-1]
	}
}

func (w *walk) meet(customer int, by uint32) {
	w.met++
	w.order[customer], w.link[customer] = w.met, by
}

// leave closes the component of a customer that leads back to none before it.
func (w *walk) leave(customer int) {
	if w.lowered[customer] {
		w.link[customer], w.open = w.open, uint32(customer)+1
		return
	}
	for w.open != 0 && w.order[w.open-1] >= w.order[customer] {
		top := w.open - 1
		w.open, w.order[top] = w.link[top], w.component
	}
	w.order[customer] = w.component
	w.component--
}
