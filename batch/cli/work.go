package cli

import (
	"context"

	"rowbatch/batch"
)

// work is what a run has to do: the rows of a file, or those of an earlier run
// that are to be carried out or taken back.
type work interface {
	// source yields the rows that are not settled yet. It ends early when ctx does:
	// what it leaves out is not_attempted in the report.
	source(ctx context.Context, actions map[string]batch.Action) batch.Source
	// rows is how many there are, settled or not.
	rows() int
	// countIn is how many rows of an action may be sent; of "", of all actions.
	countIn(action string) int
	// line is where a row starts in the input.
	line(n int) int
	// final says that what was found by looking at a row's customer, before anything
	// is sent, is the row's last word.
	final(it *batch.Item, o batch.Outcome) bool
	// note remembers what a pass made of a row.
	note(it *batch.Item, o batch.Outcome, settled bool)
}

// marks is what a run remembers of its rows from one pass to the next: 2 bytes each.
type marks struct {
	settled []bool
	spent   []uint8 // requests made for the row so far
	several bool    // a customer may stand in several rows
}

func newMarks(rows int, several bool) marks {
	return marks{make([]bool, rows), make([]uint8, rows), several}
}

func (m *marks) rows() int { return len(m.settled) }

// final is not said where several rows may be about one customer: there it rests
// on what the earlier ones would do.
func (m *marks) final(it *batch.Item, o batch.Outcome) bool {
	return it.Out != nil || o.Kind == batch.Changed || o.Kind != batch.WouldChange && !m.several
}

func (m *marks) note(it *batch.Item, o batch.Outcome, settled bool) {
	m.settled[it.N] = settled
	m.spend(it.N, o.Requests)
}

func (m *marks) spend(n, requests int) { m.spent[n] = uint8(min(requests, 255)) }
