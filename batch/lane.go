package batch

import "slices"

// lane is one customer's rows, or those of several that cannot be told apart: at
// most one is under way.
type lane struct {
	queue   []*task
	busy    bool
	halted  *Outcome            // of a row that was not attempted: none may overtake it
	ended   map[string]*Outcome // by customer: of a row after which the customer's others are not sent
	planned []Change            // dry run: what the rows so far would change
}

// closed is the outcome of a row that an earlier one keeps from being sent.
func (l *lane) closed(it *Item) *Outcome {
	ended := l.ended[it.customer()]
	switch {
	case l.halted != nil && l.halted.Cut, ended != nil && ended.Cut:
		return &Outcome{Kind: NotAttempted, Code: "stopped"}
	case l.halted != nil:
		return &Outcome{Kind: NotAttempted, Code: "server_unavailable", Error: "an earlier row of this customer was not attempted, and rows keep their order"}
	case ended != nil:
		return Reject("earlier_row_failed", "an earlier row of this customer ended "+string(ended.Kind))
	}
	return nil
}

// customer tells the customers of one lane apart.
func (it *Item) customer() string {
	if it.Shared {
		return it.Key
	}
	return ""
}

// note remembers of a row's outcome what concerns the rows after it.
func (l *lane) note(it *Item, o Outcome) {
	switch {
	case o.Kind == NotAttempted:
		l.halted = &o
	case o.Kind.ClosesLane():
		if l.ended == nil {
			l.ended = map[string]*Outcome{}
		}
		l.ended[it.customer()] = &o
	case o.Kind == WouldChange:
		l.planned = merged(l.planned, o.Changes)
	}
}

// remembers says that later rows need to know of earlier ones.
func (l *lane) remembers() bool { return l.halted != nil || len(l.ended)+len(l.planned) > 0 }

// merged lays later changes over earlier ones, so that a lane with thousands of
// rows keeps one change a field. The earlier ones are with a worker: they stay as they are.
func merged(earlier, later []Change) []Change {
	all := slices.Clone(earlier)
	for _, c := range later {
		at := slices.IndexFunc(all, func(e Change) bool { return e.Field == c.Field })
		if at < 0 {
			all = append(all, c)
		} else {
			all[at].After = c.After
		}
	}
	return all
}
