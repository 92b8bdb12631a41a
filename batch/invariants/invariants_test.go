package invariants_test

import (
	"strings"
	"testing"

	"rowbatch/batch"
	"rowbatch/batch/invariants"
	"rowbatch/batch/journal"
)

// customer is a record as the sandbox holds it.
func customer(set ...string) string {
	body := `{"id":1,"firstName":"Ann","status":"Active","hubSpotId":null,"hubSpotCompanyId":73,"mrr":25.9800,` +
		`"customerReference":{"reference1":null,"reference2":"a","salesTrackingCodes":[{"type":"T1","code":"EMB","id":4},{"type":"T2","code":"FRO"}],"id":1},` +
		`"customerAcquisition":null,"modifiedTimestamp":"m"}`
	return strings.NewReplacer(set...).Replace(body)
}

const (
	changed      = batch.Changed
	inDoubt      = batch.InDoubt
	notAttempted = batch.NotAttempted
)

// renamed is a row that sets firstName, with its effect.
func (s *runWriter) renamed(row int, id, from, to string) {
	was, is := customer(`"Ann"`, `"`+from+`"`), customer(`"Ann"`, `"`+to+`"`, `:"m"`, `:"n"`)
	s.intent(row, "update", id, was, `firstName="`+from+`">"`+to+`"`)
	s.effect("put", id, was, is)
}

// sound is a run of all actions, of which nothing is to be said.
func sound() *runWriter {
	s := newRunWriter(9)
	s.renamed(0, "1", "Ann", "Bea")
	s.done(0, as(changed, "", "1", 1))
	s.renamed(1, "1", "Bea", "Cal")
	s.done(1, as(changed, "", "1", 1))
	s.intent(2, "hold", "2", `{"status":"Active"}`, `status="Active">"Hold"`) // not answered, and without an effect
	s.intent(2, "hold", "2", `{"status":"Active"}`, `status="Active">"Hold"`)
	s.effect("hold", "2", customer(), customer("Active", "Hold"))
	s.done(2, as(changed, "", "2", 2))
	s.intent(3, "latch", "3", customer(), `hubSpotId=null>51`)
	s.effect("latch", "3", customer(), customer(`"hubSpotId":null`, `"hubSpotId":51`))
	s.done(3, as(changed, "", "3", 1))
	for range 2 { // the same patch may be sent again
		s.intent(4, "patch", "4001", `null`, `city=?>"Rome"`, `password=?>?`)
		s.effect("patch", "tf:4001", `{"city":null,"password":"sha256:1","subscription_id":"S-4001"}`, `{"city":"Rome","password":"sha256:1","subscription_id":"S-4001"}`)
	}
	s.done(4, as(changed, "", "4001", 2))
	s.renamed(5, "5", "Ann", "Bea")
	s.done(5, as(inDoubt, "no_answer", "5", 1))
	s.done(6, as(batch.Rejected, "bad_id", "", 0))
	s.effect("edit", "6", customer(), customer("Ann", "Eve")) // somebody else's
	s.intent(7, "update", "7", customer(), `customerAcquisition.source=null>"fair"`, `salesTrackingCode.T2="FRO">null`)
	s.effect("put", "7", customer(), customer(`,{"type":"T2","code":"FRO"}`, ``, `"customerAcquisition":null`, `"customerAcquisition":{"id":1,"uri":"u","campaign":null,"source":"fair"}`))
	s.done(7, as(changed, "", "7", 1))
	return s
}

func TestNothingIsSaidOfASoundRun(t *testing.T) {
	s := sound()
	r := report(t, s.run(t))
	wants(t, breaches(t, invariants.Case{Run: r, Ledger: &s.ledger, Reported: true}))
	wants(t, breaches(t, invariants.Case{Run: r, Ledger: s.ledger.After(2)}), "2: line 2: changed", "2: line 3: changed") // the first two effects are missing
}

// Each case is a run with one thing wrong.
func TestBreachesAreFound(t *testing.T) {
	for name, c := range map[string]struct {
		write func(*runWriter)
		want  []string
	}{
		"changed without an effect": {func(s *runWriter) {
			s.intent(0, "update", "1", customer(), `firstName="Ann">"Bea"`)
			s.done(0, as(changed, "", "1", 1))
		}, []string{"2: line 2: changed, and the ledger has no such effect"}},
		"changed, and another value": {func(s *runWriter) {
			s.intent(0, "update", "1", customer(), `firstName="Ann">"Bea"`)
			s.effect("put", "1", customer(), customer("Ann", "Eve"))
			s.done(0, as(changed, "", "1", 1))
		}, []string{"2: line 2: changed"}},
		"unchanged with an effect": {func(s *runWriter) {
			s.renamed(0, "1", "Ann", "Bea")
			s.done(0, as(batch.Unchanged, "", "1", 1))
		}, []string{"2: line 2: unchanged , and the ledger has effect 1"}},
		"refused with an effect": {func(s *runWriter) {
			s.renamed(0, "1", "Ann", "Bea")
			s.done(0, as(batch.Failed, "http_409", "1", 1))
		}, []string{"2: line 2: failed http_409, and the ledger has effect 1"}},
		"not attempted with an effect": {func(s *runWriter) {
			s.renamed(0, "1", "Ann", "Bea")
			s.done(0, as(notAttempted, "server_unavailable", "1", 1))
		}, []string{"2: line 2: not_attempted"}},
		"an effect that comes late": {func(s *runWriter) {
			s.intent(0, "update", "1", customer(), `firstName="Ann">"Bea"`)
			s.done(0, as(notAttempted, "server_unavailable", "1", 1))
			s.effect("put", "1", customer(), customer("Ann", "Bea"))
		}, []string{"2: line 2: not_attempted"}},
		"two effects of one intent": {func(s *runWriter) {
			s.renamed(0, "1", "Ann", "Bea")
			s.effect("put", "1", customer("Ann", "Bea"), customer("Ann", "Bea"))
			s.done(0, as(changed, "", "1", 1))
		}, []string{"3: line 2: effect 1 (put) on customer 1 is one more than there are intents"}},
		"two holds with effect": {func(s *runWriter) {
			for range 2 {
				s.intent(0, "hold", "1", `{"status":"Active"}`, `status="Active">"Hold"`)
				s.effect("hold", "1", customer(), customer("Active", "Hold"))
			}
			s.done(0, as(changed, "", "1", 2))
		}, []string{"3: line 2: 2 effects (hold) on customer 1"}},
		"three holds": {func(s *runWriter) {
			s.intent(0, "hold", "1", `{"status":"Active"}`, `status="Active">"Hold"`)
			s.done(0, as(inDoubt, "no_answer", "1", 3))
		}, []string{"3: line 2: 3 writes were sent, and hold may be sent 2 times"}},
		"three holds over several crashes": {func(s *runWriter) {
			for range 3 {
				s.intent(0, "hold", "1", `{"status":"Active"}`, `status="Active">"Hold"`)
				s.done(0, as(inDoubt, "no_answer", "1", 1))
			}
		}, []string{"3: line 2: 3 writes were sent, and hold may be sent 2 times"}},
		"two un-holds": {func(s *runWriter) {
			s.intent(0, "unhold", "1", `{"status":"Hold"}`, `status="Hold">"Active"`)
			s.done(0, as(inDoubt, "no_answer", "1", 2))
		}, []string{"3: line 2: 2 writes were sent, and unhold may be sent 1 times"}},
		"sent again over its own effect": {func(s *runWriter) {
			s.renamed(0, "1", "Ann", "Bea")
			s.intent(0, "update", "1", customer("Ann", "Bea"), `firstName="Ann">"Bea"`)
			s.done(0, as(changed, "", "1", 2))
		}, []string{"3: line 2: the write was sent again, although"}},
		"an effect without an intent": {func(s *runWriter) {
			s.effect("put", "1", customer(), customer("Ann", "Bea"))
		}, []string{"4: effect 1 (put) on customer 1 has no earlier intent"}},
		"an effect before its intent": {func(s *runWriter) {
			s.effect("put", "1", customer(), customer("Ann", "Bea"))
			s.intent(0, "update", "1", customer(), `firstName="Ann">"Bea"`)
			s.done(0, as(inDoubt, "no_answer", "1", 1))
		}, []string{"4: effect 1 (put) on customer 1 has no earlier intent"}},
		"an effect of another action": {func(s *runWriter) {
			s.intent(0, "update", "1", customer(), `firstName="Ann">"Bea"`)
			s.effect("hold", "1", customer(), customer("Active", "Hold"))
		}, []string{"4: effect 1 (hold)"}},
		"an intent that was not on disk": {func(s *runWriter) {
			s.durable = func(size int64) int64 { return max(0, size-1) }
			s.renamed(0, "1", "Ann", "Bea")
			s.done(0, as(changed, "", "1", 1))
		}, []string{"4: line 2: the intent that ends at byte"}},
		"another field moved": {func(s *runWriter) {
			s.intent(0, "update", "1", customer(), `firstName="Ann">"Bea"`)
			s.effect("put", "1", customer(), customer("Ann", "Bea", "25.9800", "25.98"))
			s.done(0, as(changed, "", "1", 1))
		}, []string{"5: line 2: effect 1 moved mrr, which the row does not name, from 25.9800 to 25.98"}},
		"another field within moved": {func(s *runWriter) {
			s.intent(0, "update", "1", customer(), `customerReference.reference1=null>"z"`)
			s.effect("put", "1", customer(), customer(`"reference1":null,"reference2":"a"`, `"reference1":"z","reference2":null`))
			s.done(0, as(changed, "", "1", 1))
		}, []string{"5: line 2: effect 1 moved customerReference.reference2"}},
		"another tracking code moved": {func(s *runWriter) {
			s.intent(0, "update", "1", customer(), `salesTrackingCode.T2="FRO">"TID"`)
			s.effect("put", "1", customer(), customer(`"code":"EMB","id":4`, `"code":"EMB"`, "FRO", "TID"))
			s.done(0, as(changed, "", "1", 1))
		}, []string{"5: line 2: effect 1 moved customerReference.salesTrackingCodes"}},
		"a hold that moves a name": {func(s *runWriter) {
			s.intent(0, "hold", "1", `{"status":"Active"}`, `status="Active">"Hold"`)
			s.effect("hold", "1", customer(), customer("Active", "Hold", "Ann", "Eve"))
			s.done(0, as(changed, "", "1", 1))
		}, []string{"5: line 2: effect 1 moved firstName"}},
		"a PUT that takes a customer off hold": {func(s *runWriter) {
			s.intent(0, "update", "1", customer(), `firstName="Ann">"Bea"`) // read before somebody held the customer
			s.effect("put", "1", customer("Active", "Hold"), customer("Ann", "Bea"))
			s.done(0, as(changed, "", "1", 1))
		}, []string{"6: line 2: effect 1 moved status"}},
		"a PUT with another status than was read": {func(s *runWriter) {
			s.intent(0, "update", "1", customer("Active", "Hold"), `firstName="Ann">"Bea"`)
			s.effect("put", "1", customer(), customer("Ann", "Bea"))
			s.done(0, as(changed, "", "1", 1))
		}, []string{`6: line 2: the PUT of effect 1 left the status "Active"`}},
		"a latch that clears the other id": {func(s *runWriter) {
			s.intent(0, "latch", "1", customer(), `hubSpotId=null>51`)
			s.effect("latch", "1", customer(), customer(`"hubSpotId":null,"hubSpotCompanyId":73`, `"hubSpotId":51,"hubSpotCompanyId":null`))
			s.done(0, as(changed, "", "1", 1))
		}, []string{"6: line 2: effect 1 moved hubSpotCompanyId"}},
		"doubt dispelled by nothing": {func(s *runWriter) {
			s.intent(0, "update", "1", customer(), `firstName="Ann">"Bea"`)
			s.done(0, as(inDoubt, "no_answer", "1", 1))
			s.done(0, as(changed, "", "1", 1))
		}, []string{"7: line 2: in_doubt became changed, and the ledger has no such effect"}},
		"rows in the wrong order": {func(s *runWriter) {
			s.renamed(1, "1", "Ann", "Bea")
			s.done(1, as(changed, "", "1", 1))
			s.renamed(0, "1", "Bea", "Cal")
			s.done(0, as(changed, "", "1", 1))
		}, []string{"8: line 3 has overtaken line 2", "8: line 2 was begun after line 3"}},
		"rows that overlap": {func(s *runWriter) {
			s.renamed(0, "1", "Ann", "Bea")
			s.renamed(1, "1", "Bea", "Cal")
			s.done(0, as(changed, "", "1", 1))
			s.done(1, as(changed, "", "1", 1))
		}, []string{"8: line 3 was begun while the write of line 2"}},
		"a row behind one in doubt": {func(s *runWriter) {
			s.renamed(0, "1", "Ann", "Bea")
			s.done(0, as(inDoubt, "no_answer", "1", 1))
			s.renamed(1, "1", "Bea", "Cal")
			s.done(1, as(changed, "", "1", 1))
		}, []string{"8: line 3 was begun, though line 2 of the same customer was in_doubt"}},
		"taken, and failed": {func(s *runWriter) {
			s.renamed(0, "1", "Ann", "Bea")
			s.done(0, as(batch.Failed, "not_applied", "1", 1))
		}, []string{"2: line 2: failed not_applied, and the ledger has the effect that was asked for"}},
		"failed for a server's fault": {func(s *runWriter) {
			s.intent(0, "update", "1", customer(), `firstName="Ann">"Bea"`)
			s.done(0, as(batch.Failed, "http_503", "1", 1))
		}, []string{"9: line 2: failed with http_503"}},
		"failed for a limit": {func(s *runWriter) {
			s.intent(0, "update", "1", customer(), `firstName="Ann">"Bea"`)
			s.done(0, as(batch.Failed, "http_429", "1", 1))
		}, []string{"9: line 2: failed with http_429"}},
		"a dry run that writes": {func(s *runWriter) {
			s.head.Mode = journal.ModeDryRun
			s.renamed(0, "1", "Ann", "Bea")
			s.done(0, as(changed, "", "1", 1))
		}, []string{"13: line 2: a dry run has an intent", "13: a dry run, and the ledger has effect 1"}},
	} {
		t.Run(name, func(t *testing.T) {
			s := newRunWriter(3)
			c.write(s)
			wants(t, breaches(t, invariants.Case{Run: s.run(t), Ledger: &s.ledger}), c.want...)
		})
	}
}

// What looks wrong and is not.
func TestExcuses(t *testing.T) {
	for name, write := range map[string]func(*runWriter){
		"somebody else made the change": func(s *runWriter) {
			s.intent(0, "update", "1", customer(), `firstName="Ann">"Bea"`)
			s.effect("edit", "1", customer(), customer("Ann", "Bea"))
			s.done(0, as(changed, "", "1", 1))
		},
		"accepted, but the value was not taken": func(s *runWriter) {
			s.intent(0, "update", "1", customer(), `firstName="Ann">"Bea"`)
			s.effect("put", "1", customer(), customer(`:"m"`, `:"n"`))
			s.done(0, as(batch.Failed, "not_applied", "1", 1))
			s.renamed(0, "1", "Ann", "Bea") // resume --failed
			s.done(0, as(changed, "", "1", 2))
		},
		"holds that had no effect, and others": func(s *runWriter) {
			for range 2 {
				s.intent(0, "hold", "1", `{"status":"Active"}`, `status="Active">"Hold"`)
				s.intent(0, "hold", "1", `{"status":"Active"}`, `status="Active">"Hold"`)
				s.done(0, as(notAttempted, "server_unavailable", "1", 2))
			}
		},
		"a side effect that was seen": func(s *runWriter) {
			s.intent(0, "update", "1", customer(), `firstName="Ann">"Bea"`)
			s.effect("put", "1", customer(), customer("Ann", "Bea", "25.9800", "1"))
			s.done(0, as(batch.Failed, "side_effect", "1", 1))
		},
		"the last row first, in an undo": func(s *runWriter) {
			s.head.Mode = journal.ModeUndo
			s.renamed(1, "1", "Cal", "Bea")
			s.done(1, as(changed, "", "1", 1))
			s.renamed(0, "1", "Bea", "Ann")
			s.done(0, as(changed, "", "1", 1))
		},
		"an early effect, and a send that had none": func(s *runWriter) {
			s.renamed(0, "1", "Ann", "Bea")
			s.done(0, as(changed, "", "1", 1))
			s.intent(1, "update", "1", customer("Ann", "Bea"), `firstName="Bea">"Cal"`)
			s.done(1, as(batch.Failed, "http_400", "1", 1))
		},
		"a latch that makes room for the other id": func(s *runWriter) {
			without := customer(`"hubSpotCompanyId":73,`, ``)
			s.intent(0, "latch", "1", without, `hubSpotId=null>51`)
			s.effect("latch", "1", without, customer(`"hubSpotId":null,"hubSpotCompanyId":73`, `"hubSpotId":51,"hubSpotCompanyId":null`))
			s.done(0, as(changed, "", "1", 1))
		},
		"an object that comes and goes": func(s *runWriter) {
			with := customer(`"customerAcquisition":null`, `"customerAcquisition":{"id":1,"uri":"u","source":"x"}`)
			s.intent(0, "update", "1", with, `customerAcquisition.source="x">null`)
			s.effect("put", "1", with, customer())
			s.done(0, as(changed, "", "1", 1))
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newRunWriter(3)
			write(s)
			wants(t, breaches(t, invariants.Case{Run: s.run(t), Ledger: &s.ledger}))
		})
	}
}

func TestUndoneAndApplied(t *testing.T) {
	of := newRunWriter(2)
	of.renamed(0, "1", "Ann", "Bea")
	of.done(0, as(changed, "", "1", 1))
	run := of.run(t)
	undo := func(row int, found, from, to string) []string {
		s := newRunWriter(2)
		s.head.Mode = journal.ModeUndo
		s.intent(row, "update", "1", customer("Ann", found), `firstName="Bea">"Ann"`)
		s.effect("put", "1", customer("Ann", from), customer("Ann", to))
		s.done(row, as(inDoubt, "", "1", 1))
		return breaches(t, invariants.Case{Run: s.run(t), Of: run, Ledger: &s.ledger})
	}
	wants(t, undo(0, "Bea", "Bea", "Ann"))
	wants(t, undo(0, "Bea", "Eve", "Ann"), `14: line 2: effect 1: firstName had come to be "Eve", which is not the run's "Bea"`)
	wants(t, undo(1, "Bea", "Bea", "Ann"), "14: line 3 was undone, and no write had left for it")

	plan := newRunWriter(2)
	plan.head.Mode = journal.ModeDryRun
	would := as(batch.WouldChange, "", "1", 0)
	would.Changes = changesOf([]string{`firstName="Ann">"Bea"`})
	plan.done(0, would)
	plan.done(1, as(batch.Unchanged, "", "2", 0))
	planned := plan.run(t)
	apply := func(row int, change string) []string {
		s := newRunWriter(2)
		s.head.Mode = journal.ModeApply
		s.intent(row, "update", "1", customer(), change)
		return breaches(t, invariants.Case{Run: s.run(t), Of: planned, Ledger: &s.ledger})
	}
	wants(t, apply(0, `firstName="Ann">"Bea"`))
	wants(t, apply(0, `firstName="Eve">"Bea"`), `14: line 2: firstName went from "Eve" to "Bea"`)
	wants(t, apply(1, `firstName="Ann">"Bea"`), "14: line 3 was sent, and its plan says unchanged")
}

// Undo puts back the bytes, not only the value.
func TestUndoneInOtherBytes(t *testing.T) {
	of := newRunWriter(1)
	was := customer(`"Ann"`, `""`)
	of.intent(0, "update", "1", was, `firstName="">"Bea"`)
	of.effect("put", "1", was, customer("Ann", "Bea"))
	of.done(0, as(changed, "", "1", 1))
	s := newRunWriter(1)
	s.head.Mode = journal.ModeUndo
	s.intent(0, "update", "1", customer("Ann", "Bea"), `firstName="Bea">null`)
	s.effect("put", "1", customer("Ann", "Bea"), customer(`"Ann"`, `null`))
	s.done(0, as(changed, "", "1", 1))
	wants(t, breaches(t, invariants.Case{Run: s.run(t), Of: of.run(t), Ledger: &s.ledger}), `14: line 2: effect 1: firstName is null, and was "" before the run`)
}
