package intake

import (
	"context"
	"iter"
	"strconv"
	"sync"
	"sync/atomic"

	"rowbatch/batch"
	"rowbatch/batch/action"
	"rowbatch/batch/journal"
	"rowbatch/batch/runs"
	"rowbatch/client"
)

// Lookup finds out what must be known before the first row is decided: the
// account's names of tracking codes, the ids behind references, so that nothing is
// addressed by a reference once writing has begun, and by the customer list which
// rows would change nothing.
type Lookup struct {
	Lister
	Rows     *Rows
	Halt     context.CancelCauseFunc
	Workers  int
	Actions  func() map[string]batch.Action // by name, as a survey would use them once the names of codes are known
	DryRun   bool                           // a row of the list may stand in for the record
	NoProof  bool                           // a row of the list proves nothing, since a condition asks for more
	Past     *journal.Index                 // of a run that is resumed, what it has settled
	Conclude func(*batch.Item, batch.Outcome) error
	Listed   func(is func(n int) bool) // told of each row that the list has settled; is tells which those are
}

// Do makes the look-ups. The error is the journal's, or that of the run's own
// files; what else keeps it from ending stops the run.
func (l *Lookup) Do() error {
	if l.Fusebill == nil || l.Stop.Err() != nil || l.Rows.CountOf("") == 0 {
		return nil
	}
	ask := &action.Lookup{Fusebill: l.Fusebill, Workers: l.Workers}
	uses := l.Rows.File.Checked.Codes()
	if l.Past != nil {
		uses = l.Rows.codeUses()
	}
	codes, err := ask.Codes(l.Stop, uses)
	l.Rows.Codes = codes
	if err != nil {
		l.Halt(err)
		return nil
	}
	list, err := l.compareWithList()
	if list != nil {
		defer list.close()
		if err == nil {
			err = list.resolve()
		}
	}
	if err == nil && l.Rows.keyedByReference() {
		err = l.references(ask)
	}
	if err == nil && list != nil {
		err = list.settlePending()
	}
	l.Rows.File.keys = nil // they have served
	return err
}

// need counts what the list may spare. Where a list row proves nothing it spares searches only.
func (l *Lookup) need() (n Need) {
	rows := l.Rows
	for i := range rows.Len() {
		switch {
		case !rows.isOpen(i) || !rows.isFusebill(i):
		case rows.File.Checked.KeyField(i) == "reference" && rows.ids[i] == 0:
			n.Searches++
		case !l.NoProof:
			n.Reads++
		}
	}
	return n
}

func (l *Lookup) references(ask *action.Lookup) error {
	s := &search{lookup: l, waiting: map[string][]int{}, answers: map[string]action.Found{}}
	searches := l.need().Searches
	defer l.Phase("looking up references", searches, func() int { return int(s.done.Load()) }, searches)()
	if err := ask.References(l.Stop, s.questions(), s.found); err != nil {
		l.Halt(err)
	}
	l.Rows.findCircles()
	return s.failed
}

// search is the look-up of references on its way. A reference that several rows
// bear is asked for once.
type search struct {
	lookup *Lookup

	done    atomic.Int64
	one     sync.Mutex              // rows are settled one at a time
	waiting map[string][]int        // rows of a reference that is being asked for
	answers map[string]action.Found // of references that come again
	failed  error                   // the journal's
}

// questions yields the references to ask for.
func (s *search) questions() iter.Seq2[int, string] {
	r := s.lookup.Rows
	return func(yield func(int, string) bool) {
		for row, err := range r.dir.AllRows() {
			if err != nil {
				return // the next pass meets it too, and tells
			}
			if !r.isOpen(row.N) || r.ids[row.N] != 0 {
				continue
			}
			mapped := r.mapped(row)
			if mapped.KeyField == "reference" && !s.known(row.N, mapped.Key) && !yield(row.N, mapped.Key) {
				return
			}
		}
	}
}

// known reports whether a row's reference has been asked for, and settles the row if the answer is there.
func (s *search) known(n int, ref string) bool {
	s.one.Lock()
	defer s.one.Unlock()
	if f, answered := s.answers[ref]; answered {
		f.Requests = 0
		s.settle(n, f)
		return true
	}
	if rows, asked := s.waiting[ref]; asked {
		s.waiting[ref] = append(rows, n)
		return true
	}
	if s.lookup.Rows.File.Checked.More(n) { // only then can it come again
		s.waiting[ref] = nil
	}
	return false
}

// found takes the answer for the row that asked, and for those that bear the same reference.
func (s *search) found(n int, f action.Found) {
	s.one.Lock()
	defer s.one.Unlock()
	s.settle(n, f)
	others, again := s.waiting[f.Reference]
	if !again {
		return
	}
	f.Requests = 0
	s.answers[f.Reference] = f
	for _, other := range others {
		s.settle(other, f)
	}
}

// settle remembers a row's answer. A row that ends here is recorded.
func (s *search) settle(n int, f action.Found) {
	s.done.Add(1)
	s.lookup.Rows.ids[n] = f.ID
	s.lookup.Rows.spend(n, f.Requests)
	if f.Out == nil || s.failed != nil {
		return
	}
	out := *f.Out
	out.Requests = f.Requests
	it := &batch.Item{N: n, Key: action.Key("reference", f.Reference), Spent: f.Requests, Out: &out}
	if s.failed = s.lookup.Conclude(it, out); s.failed != nil {
		s.lookup.Halt(s.failed) // nothing more is asked for once the journal cannot be written
	}
}

// compareWithList holds the customer list against the rows, where that costs less
// than asking for each customer. It returns nil where it does not.
func (l *Lookup) compareWithList() (c *comparison, err error) {
	need := l.need()
	complete, err := l.Walk(need, func(client.ListPage) (Take, error) {
		c, err = newComparison(l, need.Searches > 0)
		return c.take, err
	})
	if err != nil {
		l.Halt(err)
	}
	if client.EndsRun(err) {
		err = nil // the run is stopped for it, and accounts for every row
	}
	if c != nil {
		c.complete = complete
	}
	return c, err
}

// RemoveLeftovers removes what a look-up of a killed process left in a run's folder.
func RemoveLeftovers(dir *runs.Dir) error { return dir.RemoveFile(pendingName) }

// spelled is an id as texts have it.
func spelled(id uint64) string { return strconv.FormatUint(id, 10) }
