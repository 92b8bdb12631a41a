package invariants_test

import (
	"testing"

	"rowbatch/batch"
	"rowbatch/batch/invariants"
)

func TestEnded(t *testing.T) {
	s := newRunWriter(4)
	s.intent(1, "update", "1", customer(), `firstName="Ann">"Bea"`)
	s.done(1, as(inDoubt, "no_answer", "1", 1))
	for range 2 {
		s.intent(2, "hold", "2", `{"status":"Active"}`, `status="Active">"Hold"`)
	}
	s.done(2, as(inDoubt, "no_answer", "2", 2)) // nothing more can be done
	s.done(3, as(batch.Skipped, "", "", 0))
	wants(t, breaches(t, invariants.Case{Run: s.run(t), Ledger: &s.ledger, Ended: true}),
		"10: line 2: still not_attempted stopped", "10: line 3: still in_doubt no_answer")
}

func TestAgain(t *testing.T) {
	s := sound()
	before := s.run(t)
	wants(t, invariants.Again(before, before, invariants.Requests{}))
	s.done(8, as(batch.Unchanged, "", "8", 0))
	wants(t, invariants.Again(before, s.run(t), invariants.Requests{Total: 1}),
		"10: the run was complete, and its resume made 1 requests", "10: the run was complete, and its resume wrote to the journal")
}

func TestPace(t *testing.T) {
	wants(t, invariants.Pace(invariants.Requests{Total: 100, Throttled: 1, Repeated: 10}))
	wants(t, invariants.Pace(invariants.Requests{Total: 100, Throttled: 2, Repeated: 11}), "9: 2 of 100 requests were answered with 429", "9: 11 of 100 requests were repetitions")
	wants(t, invariants.Looked(invariants.Requests{Total: 5}))
	wants(t, invariants.Looked(invariants.Requests{Total: 5, Writes: 1}), "13: 1 writes were sent")
}

func TestResumed(t *testing.T) {
	before := sound().run(t)
	later := func(write func(*runWriter)) *invariants.Run {
		s := sound()
		write(s)
		return s.run(t)
	}
	settled := as(changed, "", "5", 1)
	settled.Requests = 3
	sound := later(func(s *runWriter) {
		s.done(5, settled)
		s.renamed(8, "8", "Ann", "Bea")
		s.done(8, as(changed, "", "8", 1))
	})
	wants(t, invariants.Resumed(before, sound, map[string]int{"5": 1, "8": 2}, true))
	wants(t, invariants.Resumed(before, sound, map[string]int{"5": 1, "8": 2, "1": 1}, true), "12: customer 1 has no open row, and was asked about 1 times")
	wants(t, invariants.Resumed(before, later(func(s *runWriter) { s.done(0, as(changed, "", "1", 1)) }), nil, true), "12: line 2 was settled (changed), and the journal says more of it")
	wants(t, invariants.Resumed(before, later(func(s *runWriter) { s.done(5, as(changed, "", "5", 1)) }), nil, true), "7: line 7: in_doubt became changed, and no request was made for it")
	settled.Requests = 5
	costly := later(func(s *runWriter) { s.done(5, settled) })
	wants(t, invariants.Resumed(before, costly, nil, true), "12: line 7 was in doubt, and its read-back took 3 requests")
	wants(t, invariants.Resumed(before, costly, nil, false)) // in a storm reads are repeated
	wants(t, invariants.Resumed(sound, before, nil, true), "12: what the journal said before has been changed")
}

func TestSame(t *testing.T) {
	run := func(o batch.Outcome) *invariants.Run {
		s := newRunWriter(1)
		s.done(0, o)
		return s.run(t)
	}
	never := func(int) bool { return false }
	plain := as(changed, "", "1", 1)
	crashed := as(changed, "", "1", 4)
	crashed.Millis, crashed.HTTP = 12, 200
	wants(t, invariants.Same(run(crashed), run(plain), never))
	other := as(batch.Unchanged, "", "1", 0)
	wants(t, invariants.Same(run(other), run(plain), never), "11: line 2: unchanged")
	wants(t, invariants.Same(run(other), run(plain), func(n int) bool { return n == 0 }))
	wants(t, invariants.Same(newRunWriter(2).run(t), run(plain), never), "11: 2 rows, and without crashes 1")
}
