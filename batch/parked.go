package batch

import "time"

// parkedTasks is a heap by due time.
type parkedTasks []*task

func (p parkedTasks) Len() int           { return len(p) }
func (p parkedTasks) Less(i, j int) bool { return p[i].due.Before(p[j].due) }
func (p parkedTasks) Swap(i, j int)      { p[i], p[j] = p[j], p[i] }
func (p *parkedTasks) Push(t any)        { *p = append(*p, t.(*task)) }
func (p *parkedTasks) Pop() any {
	last := len(*p) - 1
	t := (*p)[last]
	*p = (*p)[:last]
	return t
}

// alarm rings when the first parked row is due.
func (p parkedTasks) alarm() (<-chan time.Time, func()) {
	if len(p) == 0 {
		return nil, func() {}
	}
	timer := time.NewTimer(time.Until(p[0].due))
	return timer.C, func() { timer.Stop() }
}
