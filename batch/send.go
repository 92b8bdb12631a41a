package batch

import (
	"cmp"
	"fmt"
)

// send lets the write leave once there is a place for it, unless the run has been
// stopped or the record has become stale meanwhile. Its intent is on disk.
func (v *visitor) send(step Step) (rep Reply, sent bool) {
	v.board(true)
	defer v.yield()
	if v.stop.Err() != nil || v.stale() {
		return rep, false
	}
	v.t.Sent, v.t.step = step.Changes, step
	rep = v.count(v.visit.Send(v.ctx, step))
	if rep.Requests > 0 {
		v.t.Sends++
	}
	return rep, true
}

// replied takes the reply to a write for what it means.
func (v *visitor) replied(step Step, rep Reply) result {
	switch rep.Class {
	case Answered:
		v.t.tries, v.t.unsettled, v.t.seen.Name = 0, false, cmp.Or(rep.Record.Name, v.t.seen.Name)
		return v.answered(step, rep.Record)
	case Refused:
		return v.refused(rep)
	case Fatal:
		if rep.Status < 300 || rep.Status > 399 { // what a redirecting server did with a write, nobody knows
			v.withoutEffect()
		}
		v.e.Halt(rep.Err)
		return v.settled(v.t.cutShort())
	case Lost:
		v.t.Unanswered = true
		return result{task: v.t, wait: v.e.Settle}
	}
	v.withoutEffect() // Throttled or Unsent
	return v.again(rep)
}

// withoutEffect notes that the write just sent did nothing.
func (v *visitor) withoutEffect() {
	if !v.t.unsettled { // else an earlier one may have
		v.t.Sent = nil
	}
}

// refused takes a no to a write for what it means.
func (v *visitor) refused(rep Reply) result {
	switch {
	case v.t.unsettled:
		return v.settled(Outcome{Kind: InDoubt, Code: "no_answer", Error: "an earlier write of this row was not answered, and the server refused its repetition: " + rep.Text})
	case v.t.Unanswered:
		v.t.refusal = &rep // perhaps because the earlier write did take effect, only later: the record tells
		return result{task: v.t}
	}
	v.t.Sent = nil
	return v.denied(rep)
}

// denied settles a row whose write had no effect, or puts it off.
func (v *visitor) denied(rep Reply) result {
	r := v.settled(Outcome{Kind: Failed, Code: rep.Code, Error: rep.Text})
	r.later = rep.Later
	return r
}

// answered compares the reply with what was asked. What looks wrong in it is only
// a hint, since a reply may show less than a record, and otherwise: reading the
// customer again decides. After the first write that is done in any case.
func (v *visitor) answered(step Step, after Record) result {
	hint := v.t.Action.Check(step, after)
	if hint == nil && !v.alone {
		return v.settled(Outcome{Kind: Changed})
	}
	rep := v.reread(v.visit.Read)
	switch {
	case rep.Class == Answered:
		return v.verified(step, rep.Record)
	case hint != nil:
		return v.concluded(hint)
	case rep.Class == Refused:
		return v.concluded(&Outcome{Kind: Failed, Code: "side_effect", Error: "after the write the customer cannot be read: " + rep.Text})
	}
	return v.settled(Outcome{Kind: Changed}) // the reply showed it; the next write goes alone again
}

// verified settles a row by the record after its write. After the first one, what
// stands beside the record is looked at, too.
func (v *visitor) verified(step Step, now Record) result {
	out := v.t.Action.Check(step, now)
	canary, ok := v.visit.(Canary)
	if !v.alone || !ok || out != nil && out.Code == "side_effect" {
		return v.concluded(out)
	}
	rep := v.reread(canary.ReadBeside)
	switch {
	case rep.Class == Answered:
		return v.concluded(cmp.Or(canary.CheckBeside(step, v.beside, rep.Record), out))
	case out != nil:
		return v.concluded(out)
	case rep.Class == Refused:
		return v.concluded(&Outcome{Kind: Failed, Code: "side_effect", Error: "after the write the customer cannot be read: " + rep.Text})
	}
	return v.settled(Outcome{Kind: Changed})
}

// concluded settles a row by the check of its write. A side effect of the first write stops the run.
func (v *visitor) concluded(out *Outcome) result {
	if out == nil {
		v.proven = v.alone
		return v.settled(Outcome{Kind: Changed})
	}
	if v.alone && out.Code == "side_effect" {
		v.e.Halt(&SideEffectError{v.t.Key, out.Error})
	}
	return v.settled(*out)
}

// exhausted settles a row whose write has left as often as it may.
func (v *visitor) exhausted() result {
	if v.t.Sent != nil {
		return v.settled(Outcome{Kind: InDoubt, Code: "no_answer", Error: fmt.Sprintf("%d writes were sent, and none was answered", v.t.Sends)})
	}
	return v.settled(Outcome{Kind: NotAttempted, Code: "server_unavailable", Futile: true, Error: fmt.Sprintf("%d writes were sent, and none took effect", v.t.Sends)})
}
