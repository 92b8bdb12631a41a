package intake

import "rowbatch/batch"

// RowState is what a run remembers of its rows from one pass to the next: 2 bytes
// each, which no two rows share, since look-ups settle one row while another is
// asked for.
type RowState struct {
	of       []rowFlags
	spent    []uint8 // requests made for the row so far
	surveyed bool    // a survey has ended: rows that it did not count are not sent
	several  bool    // a customer may stand in several rows
}

type rowFlags uint8

const (
	settled rowFlags = 1 << iota
	before           // of a run that is resumed: settled by an earlier process
	counted          // the survey said that it would be sent
	listed           // the customer list has shown that it needs nothing
)

// NewRowState returns the state of so many rows, of which several may be about one customer.
func NewRowState(rows int, several bool) RowState {
	return RowState{of: make([]rowFlags, rows), spent: make([]uint8, rows), several: several}
}

// Len is how many rows there are, settled or not.
func (s *RowState) Len() int { return len(s.of) }

// Several reports whether a customer may stand in several rows.
func (s *RowState) Several() bool { return s.several }

func (s *RowState) is(n int, f rowFlags) bool { return s.of[n]&f != 0 }

func (s *RowState) put(n int, f rowFlags, is bool) {
	s.of[n] &^= f
	if is {
		s.of[n] |= f
	}
}

// Undecided reports whether a row is still to be decided.
func (s *RowState) Undecided(n int) bool { return !s.is(n, settled|before) }

// Settled reports whether this process has settled a row.
func (s *RowState) Settled(n int) bool { return s.is(n, settled) }

// EndSurvey notes that the rows which would change are counted: no others may be sent.
func (s *RowState) EndSurvey() { s.surveyed = true }

// Count notes that the survey found a row to be sent.
func (s *RowState) Count(n int, is bool) { s.put(n, counted, is) }

// Recall notes what an earlier process of the run found out about a row.
func (s *RowState) Recall(n int, _ batch.Outcome, done bool) { s.put(n, before, done) }

// Final reports whether what a survey found is the row's last word. It is not where
// several rows may be about one customer: there it rests on what the earlier ones
// would do.
func (s *RowState) Final(it *batch.Item, o batch.Outcome) bool {
	return it.Out != nil || o.Kind == batch.Changed || o.Kind != batch.WouldChange && !s.several
}

// Note remembers what a pass made of a row.
func (s *RowState) Note(it *batch.Item, o batch.Outcome, final bool) {
	s.put(it.N, settled, final)
	s.put(it.N, counted, o.Kind == batch.WouldChange)
	s.spend(it.N, o.Requests)
}

// Prepare tells an item what is known of its row.
func (s *RowState) Prepare(it *batch.Item, n int) {
	it.N, it.Spent = n, int(s.spent[n])
	it.Uncounted = s.surveyed && !s.is(n, counted)
}

func (s *RowState) spend(n, requests int) { s.spent[n] = uint8(min(requests, 255)) }
