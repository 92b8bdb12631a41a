package cli

import (
	"sync"

	"rowbatch/batch"
	"rowbatch/batch/action"
)

// lookUp asks for all that must be known before the first row is decided: the
// account's names of tracking codes, and the ids behind references, so that
// nothing is addressed by a reference once writing has begun. The error is the
// journal's; what else keeps it from ending stops the run.
func (r *run) lookUp() error {
	_, connected := r.services.find(action.SystemFusebill)
	if !connected || r.stopped() || r.rows.countIn("") == 0 {
		return nil
	}
	l := &action.Lookup{Fusebill: r.services.Fusebill.Client, Workers: r.flags.workers}
	uses := r.in.checked.Codes()
	if r.past != nil {
		uses = r.rows.uses()
	}
	codes, err := l.Codes(r.stop, uses)
	r.codes, r.rows.codes = codes, codes
	if err != nil {
		r.halt(err)
		return nil
	}
	return r.lookUpCustomers(l)
}

// lookUpCustomers finds out whom the rows are about, and which of them need nothing.
func (r *run) lookUpCustomers(l *action.Lookup) error {
	list, err := r.lookUpInList(l)
	if list != nil {
		defer list.close()
		if err == nil {
			err = list.resolve()
		}
	}
	if err == nil && r.rows.keyedByReference() {
		err = r.lookUpReferences(l)
	}
	if err == nil && list != nil {
		err = list.settlePending()
	}
	return err
}

func (r *run) lookUpReferences(l *action.Lookup) error {
	s := &search{run: r, engine: r.engine(false), waiting: map[string][]int{}, answers: map[string]action.Found{}}
	searches := r.countLookups().searches
	defer r.startPhase("looking up references", searches, s.count, demand{fusebill: searches, together: 1})()
	if err := l.References(r.stop, s.questions, s.found); err != nil {
		r.halt(err)
	}
	r.rows.findCircles()
	return s.failed
}

// search is the look-up of references on its way. A reference that several rows
// bear is asked for once.
type search struct {
	run    *run
	engine *batch.Engine

	one     sync.Mutex // rows are settled one at a time
	done    int
	waiting map[string][]int        // rows of a reference that is being asked for
	answers map[string]action.Found // of references that come again
	failed  error                   // the journal's
}

func (s *search) count() int {
	s.one.Lock()
	defer s.one.Unlock()
	return s.done
}

// questions yields the references to ask for.
func (s *search) questions(yield func(int, string) bool) {
	for n, ref := range s.run.rows.references() {
		if s.known(n, ref) {
			continue
		}
		if !yield(n, ref) {
			return
		}
	}
}

// known says that a row's reference has been asked for, and settles the row if the answer is there.
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
	if s.run.in.checked.More(n) { // only then can it come again
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
	s.done++
	s.run.rows.found(n, f)
	if f.Out == nil || s.failed != nil {
		return
	}
	out := *f.Out
	out.Requests = f.Requests
	it := &batch.Item{N: n, Key: action.Key("reference", f.Reference), Spent: f.Requests, Out: &out}
	if s.failed = s.engine.Conclude(it, out); s.failed != nil {
		s.run.halt(s.failed) // nothing more is asked for once the journal cannot be written
	}
}
