package batch

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/tidwall/gjson"
)

// visitor is a worker during its turn with one row.
type visitor struct {
	e      *Engine
	t      *task
	first  bool // this row's is the first write of its action, and goes alone
	proved bool // it was verified

	visit  Visit
	slot   bool      // it holds one
	hasty  bool      // a write of this turn came too late after its read: the next keeps the slot of its read
	beside Record    // before the first write: what the row's own reading does not show
	asked  instant   // when the record was asked for, to be written over
	looked time.Time // when the customer was last asked for
	slow   bool      // it took so long to come that the write may be too late
}

// turn visits the row's customer until the row is settled or may be parked. The first
// write of an action is waited for here: nobody may write before it is verified. A
// panic costs this row, not the run. The error is the journal's.
func (v *visitor) turn() (r *result, err error) {
	defer func() {
		p := recover()
		if p == nil {
			return
		}
		kind := Rejected
		if v.t.Sent != nil {
			kind = InDoubt
		}
		r, err = v.settled(Outcome{Kind: kind, Code: "internal_error", Error: fmt.Sprintf("%v at %s", p, panicked(debug.Stack()))}), nil
	}()
	defer func() {
		if v.first {
			v.t.canary.leave(v.proved)
		}
	}()
	if v.t.started.IsZero() {
		v.t.started = time.Now()
	}
	for {
		r, err = v.once()
		if err != nil || r.next != repeat && (r.next != park || !v.first) {
			return r, err
		}
		if r.next == repeat {
			continue
		}
		pause := time.NewTimer(r.wait)
		select {
		case <-pause.C:
		case <-v.e.Stop.Done():
			pause.Stop()
			return r, nil
		}
	}
}

// panicked names the place of a panic in a stack trace: the first line of a
// source file after the runtime's own. Only the place is kept, since arguments
// in a trace could hold a cell's content.
func panicked(stack []byte) string {
	_, after, _ := bytes.Cut(stack, []byte("panic("))
	lines := strings.Split(string(after), "\n")
	for _, line := range lines[min(2, len(lines)):] {
		if place, _, ok := strings.Cut(strings.TrimSpace(line), " +0x"); ok {
			return place[strings.LastIndex(place, "/")+1:]
		}
	}
	return "an unknown place"
}

// once pays one visit: read, judge an earlier write, decide, record the intent,
// send. A visit that cannot end in a write at once is broken off and repeated
// with a new lease: a write must find its permit waiting, not wait for one.
func (v *visitor) once() (*result, error) {
	requests := 2 // the read and its write
	switch {
	case !v.e.Send, v.t.Sent != nil: // a read-back stands alone, since it may use the reserve
		requests = 1
	case !v.t.canary.passed(): // what is read beside the record before and after, and the read after the write
		requests = 5
	}
	visit, err := v.t.Action.Open(v.e.Stop, requests, v.t.Sent)
	if err != nil {
		v.e.Halt(err)
		return v.cutShort(), nil
	}
	v.visit = visit
	defer visit.Close()
	defer v.release()
	if v.first && v.t.Sent == nil { // before the record: nothing but the intent is to come between that and the write
		if r := v.readBeside(); r != nil {
			return r, nil
		}
	}
	now, r := v.read()
	if r == nil {
		r = v.behind(now)
	}
	if r == nil {
		r = v.judge(now)
	}
	if r != nil {
		return r, nil
	}
	step, r := v.decide(now)
	if r != nil {
		return r, nil
	}
	if !v.first { // waits while another row's first write is under way
		if v.first, err = v.t.canary.enter(v.e.Stop); err != nil || v.first && v.e.stopped() {
			return v.cutShort(), nil
		}
		if v.first {
			if r := v.readBeside(); r != nil {
				return r, nil
			}
		}
	}
	return v.write(step)
}

// readBeside reads what the first write must leave as it is, beside the record.
func (v *visitor) readBeside() *result {
	beside, ok := v.visit.(Beside)
	if !ok {
		return nil
	}
	v.acquire(false)
	if v.e.stopped() {
		return v.cutShort()
	}
	rep := v.count(beside.ReadBeside(v.e.Abort, v.t.ID))
	if rep.Class != Answered {
		rep.Text = "what the first write must leave as it is cannot be read: " + rep.Text
		return v.unread(rep)
	}
	v.beside = rep.Record
	return nil
}

// read fetches the live record, unless the run is stopped before its turn comes.
func (v *visitor) read() (Record, *result) {
	if _, blind := v.visit.(Blind); !blind {
		v.acquire(false)
	}
	if v.e.stopped() {
		return Record{}, v.cutShort()
	}
	v.looked, v.asked = time.Now(), v.e.Clock.now()
	rep := v.count(v.visit.Read(v.e.Abort, v.t.ID))
	// The slot is kept for the write where waiting for another might take too long; else other
	// rows' requests have it while this one's intent is on its way to the disk. Who must wait
	// for the first write keeps none: that one may need it.
	if soon := v.hasty || time.Since(v.looked) > v.e.Fresh/20; !v.first && (!soon || !v.t.canary.passed()) {
		v.release()
	}
	if rep.Class != Answered {
		return Record{}, v.unread(rep)
	}
	v.t.tries, v.t.seen = 0, rep.Record
	v.t.waits.Reset()
	v.slow = !v.e.Clock.within(v.e.Fresh/2, v.asked)
	switch {
	case !v.slow:
		v.t.late.slow = 0
	case v.t.late.body != nil && bytes.Equal(v.t.late.body, rep.Record.Body): // what two readings agree on may be written over
		v.asked, v.slow = v.e.Clock.now(), false
	}
	return rep.Record, nil
}

// behind parks a row whose customer is shown as he was before an earlier row's write:
// reads lag behind writes, and what is sent by such a record would take that write back.
func (v *visitor) behind(now Record) *result {
	w := v.t.after
	if w == nil || v.t.Sent != nil {
		return nil
	}
	otherKind := (now.Modified == "") != (w.step.Before.Modified == "") // of resource, which may not show a field
	old := func(c Change) bool {
		shown := !otherKind || gjson.GetBytes(now.Body, c.Field).Exists()
		return shown && now.asBefore(Step{Changes: []Change{c}, Before: w.step.Before}, w.action)
	}
	wait := v.pause(w.at)
	if wait <= 0 || !slices.ContainsFunc(w.step.Changes, old) {
		return nil
	}
	return &result{task: v.t, next: park, wait: wait}
}

// unread says what becomes of a row whose customer a reply does not show.
func (v *visitor) unread(rep Reply) *result {
	switch {
	case rep.Class == Fatal:
		v.e.Halt(rep.Err)
		return v.cutShort()
	case rep.Class != Refused:
		return v.retry(rep)
	case v.t.refusal != nil && !v.t.Unanswered:
		return v.denied(*v.t.refusal)
	}
	out := Outcome{Kind: Rejected, Code: rep.Code, Error: rep.Text}
	if v.t.Sent != nil {
		out = Outcome{Kind: InDoubt, Code: "changed_meanwhile", Error: "the customer could not be read back: " + rep.Text}
	}
	return v.settledBy(out, rep)
}

// retry parks the row until the server may answer, or gives it up.
func (v *visitor) retry(rep Reply) *result {
	v.t.tries++
	switch {
	case v.t.tries < v.e.Tries:
		return &result{task: v.t, next: park, wait: v.t.waits.NextBackOff()}
	case v.t.Sent != nil:
		return v.settled(Outcome{Kind: InDoubt, Code: "no_answer", Error: "the customer could not be read back: " + rep.Text})
	}
	return v.settled(Outcome{Kind: NotAttempted, Code: "server_unavailable", Error: rep.Text})
}

// judge settles an earlier write by what it left: one whose answer was lost or is
// doubted, or that was refused. Or it has the row sent again.
func (v *visitor) judge(now Record) *result {
	switch {
	case v.t.Sent == nil:
		return nil
	case v.t.doubted != nil:
		return v.verified(v.t.step, now)
	}
	switch verdict := v.t.Action.Settle(v.t.Sent, now); {
	case verdict == TookEffect && v.first:
		if v.t.refusal != nil { // this reading has waited, and so shall those after later refusals
			v.t.canary.lags(v.e.Settle / 128)
		}
		return v.verified(v.t.step, now)
	case verdict == TookEffect:
		return v.settled(Outcome{Kind: Changed})
	case verdict == Respelled: // carried out, and not taken as it was sent
		return v.verified(Step{Changes: v.t.Sent, Before: now, Body: now.Body}, now)
	case v.t.refusal != nil && (verdict == NoEffect || !v.t.Unanswered):
		return v.denied(*v.t.refusal)
	case verdict == Other:
		return v.settled(Outcome{Kind: InDoubt, Code: "changed_meanwhile",
			Error: "after a lost answer the customer shows neither the old nor the new values"})
	case verdict == Unreadable:
		v.t.unsettled = true
		return nil
	}
	v.t.Sent = nil
	if v.t.Sends >= v.t.Action.MaxSends() {
		_, r := v.decide(now) // no more can leave: this read tells all there is to tell
		return r
	}
	return &result{task: v.t, next: repeat}
}

// decide turns row and record into a write, or settles the row.
func (v *visitor) decide(now Record) (Step, *result) {
	now, err := v.t.Action.Apply(now, v.t.planned)
	if err != nil {
		return Step{}, v.settled(*Reject("unreadable_record", err.Error()))
	}
	step, out := v.t.Action.Decide(v.t.Item, now)
	if out != nil && out.Kind == Conflict && v.t.Listed != nil && v.t.planned == nil && v.alike(now) {
		step, out = v.t.Action.Decide(v.t.unexpecting(), now)
	}
	switch {
	case out != nil && v.hasLeft(out, now):
		out = &Outcome{Kind: Changed}
	case out != nil:
	case !v.e.Send:
		out = wouldChange(v.t.Item, step, now)
	case v.t.Uncounted:
		out = &Outcome{Kind: Conflict, Code: "changed_since_plan",
			Error: "the customer has changed since the rows were counted: this one would have changed nothing then"}
	case v.t.Sends < v.t.Action.MaxSends():
		return step, nil
	case v.t.Sent != nil:
		out = &Outcome{Kind: InDoubt, Code: "no_answer", Error: fmt.Sprintf("%d writes were sent, and none was answered", v.t.Sends)}
	default:
		out = &Outcome{Kind: NotAttempted, Code: "server_unavailable", Efforts: Efforts{Futile: true},
			Error: fmt.Sprintf("%d writes were sent, and none took effect", v.t.Sends)}
	}
	return step, v.settled(*out)
}

// hasLeft reports whether a row of which nothing need be sent any more has sent it:
// a write that was taken for one without an effect may have it later.
func (v *visitor) hasLeft(out *Outcome, now Record) bool {
	if v.t.Sends == 0 && (v.t.Earlier.Outcome == nil || v.t.Earlier.Outcome.Sends == 0) {
		return false
	}
	return out.Kind == Unchanged && out.Warnings == nil || v.t.step.Changes != nil && v.t.Action.Settle(v.t.step.Changes, now) == TookEffect
}

// alike reports whether what the row expects, which the customer list once showed, is
// shown there still, of the customer in the state in which he was just read: then only
// the spelling differs. A list that lags behind the record shows another state.
func (v *visitor) alike(now Record) bool {
	lister, can := v.visit.(Lister)
	if !can || v.t.Listed.SameVersion(now) {
		return can
	}
	rep := v.reread(lister.ReadListed)
	if !v.first {
		v.release()
	}
	if rep.Class != Answered || !rep.Record.SameVersion(now) {
		return false
	}
	if _, out := v.t.Action.Decide(v.t.Item, rep.Record); out != nil && out.Kind != Unchanged {
		return false
	}
	*v.t.Listed = rep.Record
	return true
}

// write records the intent, and lets the write leave once there is a slot for it,
// unless the run has been stopped or the record has become too old meanwhile.
func (v *visitor) write(step Step) (*result, error) {
	if v.e.MayWrite != nil && !v.e.MayWrite() {
		return v.cutShort(), nil
	}
	stale := func() bool { return !v.e.Clock.within(v.e.Fresh, v.asked) }
	if stale() {
		return v.tooLate(), nil
	}
	if err := v.e.Journal.Intent(v.t.N, Found{Record: step.Before, Key: v.t.Key, Act: v.t.Action.Name()}, step.Changes); err != nil {
		return v.cutShort(), err
	}
	v.acquire(true)
	switch {
	case v.e.stopped():
		return v.cutShort(), nil
	case stale():
		v.t.late.times++
		return v.tooLate(), nil
	}
	v.t.Sent, v.t.step = step.Changes, step
	rep := v.count(v.visit.Send(v.e.Abort, step))
	if rep.Requests > 0 {
		v.t.Sends++
	}
	if !v.first { // which is read back at once
		v.release()
	}
	return v.replied(step, rep), nil
}

// tooLate has the record read again, and this time keeps the slot of the read for
// the write. A server that shows it so slowly that no write can come in time has as
// many readings as it takes for two to agree, and three at most.
func (v *visitor) tooLate() *result {
	v.hasty = true
	late := &v.t.late
	late.body = v.t.seen.Body
	if v.slow {
		late.slow++
	}
	switch {
	case late.slow >= mostSlow:
		return v.settled(Outcome{Kind: NotAttempted, Code: "server_unavailable", Error: fmt.Sprintf(
			"the server takes long to show the customer, and showed something else at each of %d times", late.slow)})
	case late.times >= mostLate:
		return v.settled(Outcome{Kind: NotAttempted, Code: "server_unavailable", Error: fmt.Sprintf(
			"%d times the customer's record was over %v old by the time that the write could leave", late.times, v.e.Fresh)})
	}
	return &result{task: v.t, next: repeat}
}

// replied takes the reply to a write for what it means.
func (v *visitor) replied(step Step, rep Reply) *result {
	switch {
	case rep.Class == Answered:
		v.t.tries, v.t.unsettled, v.t.seen.Name = 0, false, cmp.Or(rep.Record.Name, v.t.seen.Name)
		return v.answered(step, rep.Record)
	case rep.Class == Lost:
		v.t.Unanswered = true
		return &result{task: v.t, next: park, wait: v.e.Settle}
	case rep.Class == Refused && v.t.unsettled:
		return v.settled(Outcome{Kind: InDoubt, Code: "no_answer",
			Error: "an earlier write of this row was not answered, and the server refused its repetition: " + rep.Text})
	case rep.Class == Refused && v.t.Unanswered:
		v.t.refusal = &rep // perhaps because the earlier write did take effect, only later: the record tells
		return &result{task: v.t, next: park}
	case rep.Class == Refused:
		return v.refused(rep)
	}
	// It did nothing, if no earlier one has; but what a redirecting server did with it, nobody knows.
	redirected := rep.Class == Fatal && rep.Status >= 300 && rep.Status <= 399
	if !v.t.unsettled && !redirected {
		v.t.Sent = nil
	}
	if rep.Class == Fatal {
		v.e.Halt(rep.Err)
		return v.cutShort()
	}
	return v.retry(rep) // Throttled or Unsent
}

// refused looks once at what a refused write left: some servers refuse what they
// have carried out.
func (v *visitor) refused(rep Reply) *result {
	if _, blind := v.visit.(Blind); blind || rep.Requests == 0 {
		return v.denied(rep)
	}
	v.t.refusal = &rep
	wait := min(2*v.t.canary.lag(), v.e.Settle)
	if v.first && wait == 0 { // no write has shown yet whether reads lag behind
		wait = v.e.Settle / 64
	}
	if wait > 0 {
		return &result{task: v.t, next: park, wait: wait}
	}
	now := v.reread(v.visit.Read)
	if now.Class != Answered {
		return v.unread(now)
	}
	v.t.seen.Name = cmp.Or(now.Record.Name, v.t.seen.Name)
	return v.judge(now.Record)
}

// denied settles a row whose write had no effect, or puts it off.
func (v *visitor) denied(rep Reply) *result {
	v.t.Sent, v.t.refusal = nil, nil
	return v.settledBy(Outcome{Kind: Failed, Code: rep.Code, Error: rep.Text}, rep)
}

// settledBy settles a row with the outcome that a refusal leaves, or puts it off.
func (v *visitor) settledBy(o Outcome, rep Reply) *result {
	r := v.settled(o)
	if rep.Later {
		r.next = postpone
	}
	return r
}

// answered takes what looks wrong in a reply for a hint only, since a reply may show
// less than a record, and otherwise: reading the customer again decides. After the
// first write that is done in any case.
func (v *visitor) answered(step Step, after Record) *result {
	hint := v.t.Action.Hint(step, after)
	if hint == nil && !v.first {
		return v.settled(Outcome{Kind: Changed})
	}
	v.t.doubted = &doubt{hint: hint, since: time.Now()}
	switch rep := v.reread(v.visit.Read); {
	case rep.Class == Answered:
		return v.verified(step, rep.Record)
	case hint != nil:
		return v.unread(rep)
	default:
		return v.unverified(rep)
	}
}

// verified settles a row by the record after its write. After the first one, what
// stands beside the record is looked at, too.
func (v *visitor) verified(step Step, now Record) *result {
	v.t.seen.Name = cmp.Or(now.Name, v.t.seen.Name)
	out := v.t.Action.Check(step, now)
	if d := v.t.doubted; d != nil {
		stale := now.asBefore(step, v.t.Action)
		switch wait := v.pause(d.since); {
		case stale && wait > 0:
			d.stale = true
			return &result{task: v.t, next: park, wait: wait}
		case stale && (d.hint == nil || d.hint.Kind != Failed):
			out = &Outcome{Kind: InDoubt, Code: "no_answer", Error: fmt.Sprintf(
				"the server accepted the write, and %s later it still shows the customer as before", Span(time.Since(d.since)))}
		case d.stale && !stale:
			v.t.canary.lags(time.Since(d.since))
		}
	}
	v.t.doubted = nil
	beside, ok := v.visit.(Beside)
	if !v.first || !ok || out != nil && out.Code == "side_effect" {
		return v.concluded(out)
	}
	switch rep := v.reread(beside.ReadBeside); {
	case rep.Class == Answered:
		return v.concluded(cmp.Or(beside.CheckBeside(step, v.beside, rep.Record), out))
	case out != nil:
		return v.concluded(out)
	default:
		return v.unverified(rep)
	}
}

// pause is how long to wait for a server whose reads may lag behind a write before the
// customer is read once more: as long as the last reading came after it. It is not
// positive once that was the settle time.
func (v *visitor) pause(since time.Time) time.Duration {
	waited := v.looked.Sub(since)
	return min(max(waited, v.e.Settle/64), v.e.Settle-waited)
}

// reread reads what a write has just changed, stopped or not.
func (v *visitor) reread(read func(context.Context, string) Reply) Reply {
	v.acquire(false)
	v.looked = time.Now()
	rep := read(v.e.Abort, v.t.ID)
	v.t.requests += rep.Requests // its status is not the row's
	if rep.Class == Fatal {
		v.e.Halt(rep.Err)
	}
	return rep
}

// unverified settles the first row, whose reply was good, when what its write left
// cannot be read.
func (v *visitor) unverified(rep Reply) *result {
	if rep.Class == Refused {
		return v.concluded(&Outcome{Kind: Failed, Code: "side_effect", Error: "after the write the customer cannot be read: " + rep.Text})
	}
	return v.settled(Outcome{Kind: Changed}) // the next write goes alone again
}

// concluded settles a row by the check of its write. What is wrong with the first write stops the run.
func (v *visitor) concluded(out *Outcome) *result {
	if out == nil {
		v.proved = v.first
		return v.settled(Outcome{Kind: Changed})
	}
	switch {
	case v.first && out.Code == "side_effect":
		v.e.Halt(&SideEffectError{v.t.Key, out.Error})
	case v.first && out.Code == "not_applied" && v.e.Strict:
		v.e.Halt(fmt.Errorf("the first write, to %s, did not take: %s\ntry: --max-failures 100%% to go on all the same",
			v.t.Key, out.Error))
	}
	return v.settled(*out)
}

// count adds up what a request of the row cost.
func (v *visitor) count(rep Reply) Reply {
	v.t.requests += rep.Requests
	v.t.status = cmp.Or(rep.Status, v.t.status)
	return rep
}

// acquire waits for a slot, unless the row holds one.
func (v *visitor) acquire(write bool) {
	if !v.slot {
		v.t.pool.slots.acquire(write)
		v.slot = true
	}
}

func (v *visitor) release() {
	if v.slot {
		v.t.pool.slots.release()
		v.slot = false
	}
}

func (v *visitor) settled(o Outcome) *result { return &result{task: v.t, out: v.t.outcome(o)} }

func (v *visitor) cutShort() *result { return &result{task: v.t, out: v.t.cutShort()} }
