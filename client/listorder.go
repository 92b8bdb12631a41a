package client

import "strings"

// mostTogether bounds the ids kept of customers who were created at the same moment.
const mostTogether = 10_000

// orderWatch finds out whether a list shows a customer twice, without remembering
// who was in it: in a list that ascends, by id or by time of creation, nobody
// does. Of those created at one moment it keeps the ids until the next one.
type orderWatch struct {
	byID, byTime bool
	id           uint64
	time         string
	together     map[uint64]bool
}

func newOrderWatch() orderWatch {
	return orderWatch{byID: true, byTime: true, together: map[uint64]bool{}}
}

// add takes note of the next customer; created may be empty where the list does not show it.
func (w *orderWatch) add(id uint64, created string) {
	w.byID = w.byID && id > w.id
	w.id = id
	created = strings.TrimSuffix(created, "Z") // without it the stamps' texts sort as their times do
	if created == "" || created < w.time {
		w.byTime = false
	}
	if !w.byTime {
		w.together = nil
		return
	}
	if created > w.time {
		w.time = created
		clear(w.together)
	}
	if w.together[id] || len(w.together) == mostTogether {
		w.byTime = false
		return
	}
	w.together[id] = true
}

// distinct says that nobody was shown twice, as far as can be told.
func (w *orderWatch) distinct() bool { return w.byID || w.byTime }
