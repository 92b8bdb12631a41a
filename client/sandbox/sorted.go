package sandbox

import "sync"

// sorted keeps the order of the whole list from one page to the next: without it
// each page of a million customers would sort them all again.
type sorted struct {
	mu         sync.Mutex
	by         string
	descending bool
	seq        int64 // of the last write that it knows
	ids        []int64
}

// all returns every customer in the order that a page asks for. The caller holds
// the store's lock, and does not change the ids.
func (o *sorted) all(st *store, p page) []int64 {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.ids == nil || o.by != p.sort.name || o.descending != p.descending || o.seq != st.seq {
		o.ids = st.search(nil)
		st.order(o.ids, p)
		o.by, o.descending, o.seq = p.sort.name, p.descending, st.seq
	}
	return o.ids
}
