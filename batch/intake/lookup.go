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
// addressed by a reference once writing has begun, and by the customer list, or by
// searches for sets of ids, which rows would change nothing.
type Lookup struct {
	Lister
	Rows     *Rows
	Halt     context.CancelCauseFunc
	Actions  func() map[string]batch.Action // by name, as a survey would use them once the names of codes are known
	DryRun   bool                           // nothing is sent: a row of the list may stand in for the record
	Surveys  func() bool                    // whether it is to be counted what would change, before anything is sent
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
	c := &comparison{Lookup: l}
	defer c.close()
	if err = l.compare(c); err == nil {
		err = c.resolve()
	}
	if err == nil && l.Rows.keyedByReference() {
		err = l.references(ask)
	}
	if err == nil {
		err = c.settlePending()
	}
	if err == nil && c.finder == nil && l.Rows.keyedByReference() { // nothing was compared, and all ids are known that ever will be
		err = l.compare(c)
	}
	l.Rows.File.keys = nil // they have served
	return err
}

// asks reports whether a row's customer is still to be looked at, and whether his reference
// is to be searched for.
func (l *Lookup) asks(n int) (open, search bool) {
	r := l.Rows
	open = r.isOpen(n) && r.isFusebill(n)
	return open, open && r.byReference(n) && r.ids[n] == 0
}

// need counts what may be spared. Where a list row proves nothing those are searches only.
func (l *Lookup) need() (n Need) {
	for i := range l.Rows.Len() {
		open, search := l.asks(i)
		if search {
			n.Searches++
		}
		if open && !l.NoProof {
			n.Reads++
		}
	}
	return n
}

// ids yields the customers to be looked at, as far as they are known.
func (l *Lookup) ids(yield func(uint64) bool) {
	for row, err := range l.Rows.dir.AllRows() {
		if err != nil {
			return // the next pass meets it too, and tells
		}
		open, search := l.asks(row.N)
		if !open || search {
			continue
		}
		id := uint64(0)
		if mapped := l.Rows.mapped(row); l.Rows.byReference(row.N) {
			id = l.Rows.ids[row.N]
		} else {
			id, _ = strconv.ParseUint(mapped.Key, 10, 64) // one beyond 64 bits is asked for by itself
		}
		if id != 0 && !yield(id) {
			return
		}
	}
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
			key := action.Key(mapped.KeyField, mapped.Key)
			if r.byReference(row.N) && key != "" && !s.known(row.N, key) && !yield(row.N, key) {
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
	others, again := s.waiting[f.Key]
	if !again {
		return
	}
	f.Requests = 0
	s.answers[f.Key] = f
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
	it := &batch.Item{N: n, Key: f.Key, Spent: f.Requests, Out: &out}
	if s.failed = s.lookup.Conclude(it, out); s.failed != nil {
		s.lookup.Halt(s.failed) // nothing more is asked for once the journal cannot be written
	}
}

// compare holds the customer list, or what searches for sets of ids find, against the
// rows, where that costs less than asking for each customer. References come before sets.
func (l *Lookup) compare(c *comparison) error {
	need, done, way := l.need(), false, ""
	begin := func(client.ListPage) (Take, error) { return c.take, c.begin(need.Searches > 0) }
	var err error
	for !done && err == nil && l.Stop.Err() == nil {
		switch way, err = l.Way(need); {
		case err != nil:
		case way == LookupList:
			c.complete, err = l.Walk(begin)
			done = true
		case way == LookupIDs && need.Searches == 0:
			done, err = l.ByID(l.ids, need.Reads, begin)
		default:
			done = true
		}
	}
	if err != nil {
		l.Halt(err)
	}
	if client.EndsRun(err) {
		return nil // the run is stopped for it, and accounts for every row
	}
	return err
}

// RemoveLeftovers removes what a look-up of a killed process left in a run's folder.
func RemoveLeftovers(dir *runs.Dir) error { return dir.RemoveFile(pendingName) }

// spelled is an id as texts have it.
func spelled(id uint64) string { return strconv.FormatUint(id, 10) }
