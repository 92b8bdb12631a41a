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
	// firstLook ends: the rows that would change are counted, and no others may be sent.
	firstLook()
	// recall notes what an earlier process found out about a row.
	recall(n int, o batch.Outcome, settled bool)
}

// marks is what a run remembers of its rows from one pass to the next: 2 bytes each,
// which no two rows share, since look-ups settle one row while another is asked for.
type marks struct {
	of       []mark
	surveyed bool    // there was a first look
	spent    []uint8 // requests made for the row so far
	several  bool    // a customer may stand in several rows
}

type mark uint8

const (
	markSettled mark = 1 << iota
	markClosed       // of a run that is resumed: settled by an earlier process
	markCounted      // the first look said that it would be sent
	markListed       // the customer list has shown that it needs nothing
)

func newMarks(rows int, several bool) marks {
	collectFor(rows)
	return marks{of: make([]mark, rows), spent: make([]uint8, rows), several: several}
}

func (m *marks) rows() int { return len(m.of) }

func (m *marks) is(n int, k mark) bool { return m.of[n]&k != 0 }

func (m *marks) put(n int, k mark, is bool) {
	m.of[n] &^= k
	if is {
		m.of[n] |= k
	}
}

func (m *marks) firstLook() { m.surveyed = true }

func (m *marks) recall(n int, _ batch.Outcome, settled bool) { m.put(n, markClosed, settled) }

// open says that a row is still to be decided.
func (m *marks) open(n int) bool { return !m.is(n, markSettled|markClosed) }

// final is not said where several rows may be about one customer: there it rests
// on what the earlier ones would do.
func (m *marks) final(it *batch.Item, o batch.Outcome) bool {
	return it.Out != nil || o.Kind == batch.Changed || o.Kind != batch.WouldChange && !m.several
}

func (m *marks) note(it *batch.Item, o batch.Outcome, final bool) {
	m.put(it.N, markSettled, final)
	m.put(it.N, markCounted, o.Kind == batch.WouldChange)
	m.spend(it.N, o.Requests)
}

// prepare tells an item what is known of its row.
func (m *marks) prepare(it *batch.Item, n int) {
	it.N, it.Spent = n, int(m.spent[n])
	it.Uncounted = m.surveyed && !m.is(n, markCounted)
}

func (m *marks) spend(n, requests int) { m.spent[n] = uint8(min(requests, 255)) }
