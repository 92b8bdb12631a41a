package batch

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"runtime/debug"
	"time"
)

// turn visits a row's customer. A panic costs this row, not the run.
func (e *Engine) turn(ctx, stop context.Context, t *task) (r result) {
	defer func() {
		if p := recover(); p != nil {
			kind := Rejected
			if t.Sent != nil {
				kind = InDoubt
			}
			r = result{task: t, out: new(t.outcome(Outcome{Kind: kind, Code: "internal_error", Error: fmt.Sprintf("%v at %s", p, caller(debug.Stack()))}))}
		}
	}()
	if t.started.IsZero() {
		t.started = time.Now()
	}
	v := &visitor{e: e, t: t, ctx: ctx, stop: stop, gate: e.first.of(t.Action.Name())}
	defer v.leaveGate()
	return v.attend()
}

// outcome completes o with what is known of the row.
func (t *task) outcome(o Outcome) Outcome {
	o.ID, o.Sends, o.Lost, o.Requests = t.ID, t.Sends, t.Unanswered, t.requests+t.Spent
	o.Customer, o.Status = t.seen.Name, cmp.Or(o.Status, t.seen.Status)
	if s := t.seen.Standing; s != nil {
		o.Balance, o.Billing = s.Balance, s.NextBilling
		if o.Kind == WouldChange {
			o.Standing = s
		}
	}
	if o.HTTP == 0 {
		o.HTTP = t.last
	}
	o.At = time.Now().UTC()
	if !t.started.IsZero() {
		o.Millis = o.At.Sub(t.started).Milliseconds()
	}
	return o
}

// visitor is a worker during one turn.
type visitor struct {
	e      *Engine
	t      *task
	ctx    context.Context // of attempts
	stop   context.Context // of everything that need not be finished
	visit  Visit
	gate   *gate
	aboard bool    // it has a place among the requests in flight
	late   bool    // a write of this turn came too late after its read
	alone  bool    // this row is the first write of its action
	proven bool    // and it was verified
	beside Record  // of the first write's customer, before it: what the row's own reading does not show
	asked  instant // when the record was asked for
	slow   bool    // it took so long to come that the write may be too late
}

// attend visits until the row is settled or may be parked. The first write of
// a run is waited for here: nobody may write before it is verified.
func (v *visitor) attend() result {
	for {
		r := v.once()
		if r.afresh {
			continue
		}
		if r.out != nil || r.err != nil || r.later || !v.alone {
			return r
		}
		pause := time.NewTimer(r.wait)
		select {
		case <-pause.C:
		case <-v.stop.Done():
			pause.Stop()
			return r
		}
	}
}

// once pays one visit: read, judge an earlier write, decide, record the intent,
// send. A visit that cannot end in a write at once is broken off and paid afresh,
// with a new lease: a write must find its permit waiting, not wait for one.
func (v *visitor) once() result {
	visit, err := v.t.Action.Open(v.stop, v.need(), v.t.Sent)
	if err != nil {
		v.e.Halt(err)
		return v.settled(v.t.cutShort())
	}
	v.visit = visit
	defer visit.Close()
	defer v.leave()
	if v.alone && v.t.Sent == nil {
		if r := v.readBeside(); r != nil { // before the record: nothing but the intent should come between that and the write
			return *r
		}
	}
	now, r := v.read()
	if r != nil {
		return *r
	}
	if r := v.judge(now); r != nil {
		return *r
	}
	step, r := v.decide(now)
	if r != nil {
		return *r
	}
	if r := v.enterGate(); r != nil {
		return *r
	}
	return v.write(step)
}

// write records the intent and sends, unless the record has become stale meanwhile.
func (v *visitor) write(step Step) result {
	if v.e.MayWrite != nil && !v.e.MayWrite() {
		return v.settled(v.t.cutShort())
	}
	if v.stale() {
		return v.tooLate(false)
	}
	if err := v.e.Journal.Intent(v.t.N, Found{Record: step.Before, Key: v.t.Key, Act: v.t.Action.Name()}, step.Changes); err != nil {
		return result{task: v.t, out: new(v.t.cutShort()), err: err}
	}
	rep, sent := v.send(step)
	switch {
	case sent:
		return v.replied(step, rep)
	case v.stop.Err() != nil:
		return v.settled(v.t.cutShort())
	}
	return v.tooLate(true)
}

// tooLate has the record read again, and this time keeps the place of the read for
// the write. A server that shows it so slowly that no write can come in time has as
// many readings as it takes for two to agree, and three at most.
func (v *visitor) tooLate(recorded bool) result {
	v.late = true
	if recorded {
		v.t.outdated++
	}
	if v.slow {
		v.t.slow++
	}
	v.t.outOfDate = v.t.seen.Body
	switch {
	case v.t.slow >= mostSlow:
		return v.settled(Outcome{Kind: NotAttempted, Code: "server_unavailable", Error: fmt.Sprintf(
			"the server takes long to show the customer, and showed something else at each of %d times", v.t.slow)})
	case v.t.outdated >= mostOutdated:
		return v.settled(Outcome{Kind: NotAttempted, Code: "server_unavailable", Error: fmt.Sprintf(
			"%d times the customer's record was over %v old by the time that it could be sent", v.t.outdated, v.e.Fresh)})
	}
	return v.afresh()
}

const (
	mostSlow     = 3
	mostOutdated = 8
)

// timely looks at how long the record took to come. One that took so long that the
// write may be too late is good enough when it is byte for byte what was read before.
func (v *visitor) timely() {
	v.slow = !v.e.Clock.within(v.e.Fresh/2, v.asked)
	switch {
	case !v.slow:
		v.t.slow = 0
	case v.t.outOfDate != nil && bytes.Equal(v.t.outOfDate, v.t.seen.Body):
		v.asked, v.slow = v.e.Clock.now(), false
	}
}

func (v *visitor) afresh() result { return result{task: v.t, afresh: true} }

// need is how many requests the visit leases: a read, its write, and for the
// first write what is read beside it before and after, and the read after it. A read-back stands alone, since it may use the reserve.
func (v *visitor) need() int {
	switch {
	case !v.e.Send, v.t.Sent != nil:
		return 1
	case v.gate.open():
		return 2
	}
	return 5
}

func (v *visitor) stale() bool { return !v.e.Clock.within(v.e.Fresh, v.asked) }

// read fetches the live record.
func (v *visitor) read() (Record, *result) {
	rep, made := v.fetch()
	if !made {
		return Record{}, new(v.settled(v.t.cutShort()))
	}
	switch rep.Class {
	case Answered:
		v.t.tries, v.t.seen = 0, rep.Record
		v.t.waits.Reset()
		v.timely()
		return rep.Record, nil
	case Fatal:
		v.e.Halt(rep.Err)
		return Record{}, new(v.settled(v.t.cutShort()))
	case Refused:
		if v.t.Sent != nil {
			return Record{}, new(v.settled(Outcome{Kind: InDoubt, Code: "changed_meanwhile", Error: "the customer could not be read back: " + rep.Text}))
		}
		return Record{}, new(v.settled(Outcome{Kind: Rejected, Code: rep.Code, Error: rep.Text}))
	}
	return Record{}, new(v.again(rep))
}

// again parks the row until the server may answer, or gives it up.
func (v *visitor) again(rep Reply) result {
	v.t.tries++
	if v.t.tries < v.e.Tries {
		return result{task: v.t, wait: v.t.waits.NextBackOff()}
	}
	if v.t.Sent != nil {
		return v.settled(Outcome{Kind: InDoubt, Code: "no_answer", Error: "the customer could not be read back: " + rep.Text})
	}
	return v.settled(Outcome{Kind: NotAttempted, Code: "server_unavailable", Error: rep.Text})
}

// judge settles an earlier write whose answer was lost, or has the row sent again.
func (v *visitor) judge(now Record) *result {
	if v.t.Sent == nil {
		return nil
	}
	switch v.t.Action.Settle(v.t.Sent, now) {
	case TookEffect:
		if v.alone {
			return new(v.verified(v.t.step, now))
		}
		return new(v.settled(Outcome{Kind: Changed}))
	case Other:
		return new(v.settled(Outcome{Kind: InDoubt, Code: "changed_meanwhile", Error: "after a lost answer the customer shows neither the old nor the new values"}))
	case Unreadable:
		v.t.unsettled = true
		return nil
	}
	v.t.Sent = nil
	if v.t.Sends >= v.t.Action.MaxSends() && v.t.refusal == nil {
		_, r := v.decide(now) // no more can leave: this read tells all there is to tell
		return r
	}
	if rep := v.t.refusal; rep != nil {
		v.t.refusal = nil
		return new(v.denied(*rep))
	}
	return new(v.afresh())
}

// decide turns row and record into a write, or settles the row.
func (v *visitor) decide(now Record) (Step, *result) {
	now, err := v.t.Action.Apply(now, v.t.planned)
	if err != nil {
		return Step{}, new(v.settled(*Reject("unreadable_record", err.Error())))
	}
	step, out := v.t.Action.Decide(v.t.Item, now)
	switch {
	case out != nil:
		return step, new(v.settled(*out))
	case !v.e.Send:
		return step, new(v.settled(wouldChange(v.t.Item, step, now)))
	case v.t.Uncounted:
		return step, new(v.settled(Outcome{Kind: Conflict, Code: "changed_since_plan", Error: "the customer has changed since the rows were counted: this one would have changed nothing then"}))
	case v.t.Sends >= v.t.Action.MaxSends():
		return step, new(v.exhausted())
	}
	return step, nil
}

// enterGate waits while another row's first write is under way.
func (v *visitor) enterGate() *result {
	if v.alone {
		return nil
	}
	alone, err := v.gate.enter(v.stop)
	v.alone = alone
	if err != nil || alone && v.stop.Err() != nil {
		return new(v.settled(v.t.cutShort()))
	}
	if alone {
		return v.readBeside()
	}
	return nil
}

// readBeside reads what the first write must leave as it is, beside the record.
func (v *visitor) readBeside() *result {
	canary, ok := v.visit.(Canary)
	if !ok {
		return nil
	}
	v.board(false)
	if v.stop.Err() != nil {
		return new(v.settled(v.t.cutShort()))
	}
	rep := v.count(canary.ReadBeside(v.ctx, v.t.ID))
	switch rep.Class {
	case Answered:
		v.beside = rep.Record
		return nil
	case Fatal:
		v.e.Halt(rep.Err)
		return new(v.settled(v.t.cutShort()))
	case Refused:
		return new(v.settled(Outcome{Kind: Rejected, Code: rep.Code, Error: "what the first write must leave as it is cannot be read: " + rep.Text}))
	}
	return new(v.again(rep))
}

func (v *visitor) leaveGate() {
	if v.alone {
		v.gate.leave(v.proven)
	}
}

func (v *visitor) count(rep Reply) Reply {
	v.t.requests += rep.Requests
	if rep.Status != 0 {
		v.t.last = rep.Status
	}
	return rep
}

func (v *visitor) settled(o Outcome) result {
	return result{task: v.t, out: new(v.t.outcome(o))}
}
