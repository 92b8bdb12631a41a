package batch_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tidwall/gjson"
	"github.com/tidwall/sjson"

	"rowbatch/batch"
)

// fakeServer is a server of customers with one field a and a ledger of effects.
type fakeServer struct {
	t           *testing.T
	mu          sync.Mutex
	records     map[string]string // id → JSON
	past        map[string][]reading
	lag         time.Duration     // by which reads are behind writes
	effects     map[string]int    // per id
	beside      map[string]string // what stands beside a record
	besideReads int               // at it
	order       map[string][]string
	readings    map[string][2]reading // the last two, the last one first
	fresh       time.Duration         // how old a record may be when its write leaves
	wall        time.Duration         // by how much the calendar differs from the steady clock
	busy        map[string]bool
	calls       map[string]int
	inFlight    int
	most        int // requests in flight at once
	reads       int
	writes      int
	fault       func(kind, id string, call int) fault
	onSend      func(id string)
	disk        *disk
	epoch       atomic.Int32                   // processes that have ended
	acts        func(id string, call int) bool // whether a write that is cut off takes effect; nil: it does not
}

// reading is one of a customer: when it was asked for, by the calendar, and answered, and what it showed.
type reading struct {
	asked, answered time.Time
	body            string
}

// calendar is the time that the server's wall clock shows.
func (w *fakeServer) calendar() time.Time { return time.Now().Round(0).Add(w.wall) }

// clock is the engine's.
func (w *fakeServer) clock() (calendar, steady time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.calendar(), time.Now()
}

// tooOld tells why no write may follow on the customer's last reading.
func (w *fakeServer) tooOld(id string) string {
	last, before := w.readings[id][0], w.readings[id][1]
	age := w.calendar().Sub(last.asked)
	if last.body == before.body { // read so twice
		age = w.calendar().Sub(last.answered)
	}
	if age > w.fresh {
		return fmt.Sprintf("a write to customer %s left %v after its read", id, age)
	}
	return ""
}

type fault struct {
	class  batch.Class
	effect bool // of a lost write, or of a refused one
	late   time.Duration
	delay  time.Duration
	status int
	hopes  bool // a refused write may fare better later
	early  bool // a read shows what was there when it was asked for
}

func newFakeServer(t *testing.T, ids ...string) *fakeServer {
	w := &fakeServer{t: t, fresh: 5 * time.Second, records: map[string]string{}, effects: map[string]int{}, beside: map[string]string{},
		order: map[string][]string{}, past: map[string][]reading{}, readings: map[string][2]reading{}, busy: map[string]bool{}, calls: map[string]int{}}
	for _, id := range ids {
		w.records[id] = fmt.Sprintf(`{"id":%q,"status":"Active","a":"old","b":"kept"}`, id)
	}
	return w
}

// call runs one request, with its fault, and checks that the customer's requests never overlap.
func (w *fakeServer) call(ctx context.Context, kind, id string, act func() batch.Reply) batch.Reply {
	w.mu.Lock()
	if w.busy[id] {
		w.t.Errorf("two requests in flight for customer %s", id)
	}
	w.busy[id] = true
	w.calls[id]++
	nth, asked := w.calls[id], w.calendar()
	w.inFlight++
	w.most = max(w.most, w.inFlight)
	var f fault
	if w.fault != nil {
		f = w.fault(kind, id, w.calls[id])
	}
	var held batch.Reply
	if f.early {
		held = act()
		act = func() batch.Reply { return held }
	}
	w.mu.Unlock()
	if f.delay == 0 {
		f.delay = 20 * time.Millisecond
	}
	select {
	case <-time.After(f.delay):
	case <-ctx.Done():
		f.class = batch.Lost
		if w.acts != nil {
			f.effect, f.late = w.acts(id, nth), 20*time.Second
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.busy[id] = false
	w.inFlight--
	if f.class == batch.Answered {
		rep := act()
		if kind == "read" {
			w.readings[id] = [2]reading{{asked, w.calendar(), string(rep.Record.Body)}, w.readings[id][0]}
		}
		return rep
	}
	switch {
	case !f.effect || kind != "send":
	case f.class == batch.Lost:
		w.later(f.late, act)
	case f.class == batch.Refused:
		act()
	}
	return batch.Reply{Class: f.class, Status: f.status, Requests: 1, Text: "no luck",
		Later: f.hopes, Code: batch.HTTPCode(f.status), Err: errors.New("no entry")}
}

// later lets an effect happen after its answer was lost.
func (w *fakeServer) later(d time.Duration, act func() batch.Reply) {
	if d == 0 {
		act()
		return
	}
	time.AfterFunc(d, func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		act()
	})
}

// shown is what a read finds: the customer as he was before the writes that it is behind.
func (w *fakeServer) shown(id string) batch.Reply {
	rep := w.answer(id)
	for _, was := range w.past[id] {
		if was.answered.Add(w.lag).After(time.Now()) {
			rep.Record.Body = []byte(was.body)
			break
		}
	}
	return rep
}

func (w *fakeServer) answer(id string) batch.Reply {
	body, ok := w.records[id]
	if !ok {
		return batch.Reply{Class: batch.Refused, Status: 404, Requests: 1, Code: "not_found", Text: "no such customer"}
	}
	return batch.Reply{Class: batch.Answered, Status: 200, Requests: 1,
		Record: batch.Record{ID: id, Status: "Active", Name: "Customer " + id, Body: []byte(body)}}
}

// edit is an action that sets fields of the server's customers.
type edit struct {
	w     *fakeServer
	panic string // id whose Decide panics
	spoil string // a write also moves b of this customer, or of "all"
	drop  string // a write to this customer is accepted and not taken
	blind bool   // nothing can be read back
	is    string // its system; "edit" unless set
	most  int    // sends of a row; 8 unless set
	lies  bool   // replies to writes show b otherwise than it is
	short bool   // replies to writes show nothing
	wide  bool   // there is something to read beside the record
	cuts  string // a write also moves what stands beside this customer's record
}

func (a *edit) Name() string   { return cmp.Or(a.is, "edit") }
func (a *edit) System() string { return cmp.Or(a.is, "edit") }
func (a *edit) MaxSends() int  { return cmp.Or(a.most, 8) }
func (a *edit) Open(ctx context.Context, _ int, _ []batch.Change) (batch.Visit, error) {
	v := &editVisit{a, a.w.epoch.Load()}
	if a.wide {
		return &wideVisit{v}, ctx.Err()
	}
	return v, ctx.Err()
}

func (a *edit) Decide(it *batch.Item, now batch.Record) (batch.Step, *batch.Outcome) {
	if a.panic == it.ID {
		panic("out of order")
	}
	seen := value(now)
	if a.blind {
		seen = func(string) batch.Value { return batch.Hidden }
	}
	step, out := batch.Diff(it.Edits, it.Guards, seen, same)
	if out != nil {
		return batch.Step{}, out
	}
	if a.most > 0 && it.Unanswered && it.Sends >= a.most {
		return batch.Step{}, &batch.Outcome{Kind: batch.InDoubt, Code: "no_answer"}
	}
	after, err := a.Apply(now, step.Changes)
	step.Before, step.Body = now, after.Body
	return step, out2(err)
}

func out2(err error) *batch.Outcome {
	if err != nil {
		return batch.Reject("unreadable_record", err.Error())
	}
	return nil
}

func (a *edit) Apply(now batch.Record, changes []batch.Change) (batch.Record, error) {
	for _, c := range changes {
		body, err := sjson.SetRawBytes(now.Body, c.Field, []byte(c.After))
		if err != nil {
			return now, err
		}
		now.Body = body
	}
	return now, nil
}

// Hint takes a reply without a or b for no evidence.
func (a *edit) Hint(s batch.Step, reply batch.Record) *batch.Outcome {
	if !a.blind && (value(reply)("a") == batch.Absent || value(reply)("b") == batch.Absent) {
		return &batch.Outcome{Kind: batch.InDoubt, Code: "no_answer"}
	}
	return a.Check(s, reply)
}

func (a *edit) Check(s batch.Step, after batch.Record) *batch.Outcome {
	if a.blind {
		return nil
	}
	if !same("", value(after)("b"), batch.Value(gjson.GetBytes(s.Body, "b").Raw)) {
		return &batch.Outcome{Kind: batch.Failed, Code: "side_effect", Error: "b moved"}
	}
	if a.Settle(s.Changes, after) != batch.TookEffect {
		return &batch.Outcome{Kind: batch.Failed, Code: "not_applied"}
	}
	return nil
}

func (a *edit) Settle(sent []batch.Change, now batch.Record) batch.Verdict {
	if a.blind {
		return batch.Unreadable
	}
	is := func(pick func(batch.Change) batch.Value) bool {
		return !slices.ContainsFunc(sent, func(c batch.Change) bool { return !value(now)(c.Field).Same(pick(c)) })
	}
	switch {
	case is(func(c batch.Change) batch.Value { return c.After }):
		return batch.TookEffect
	case is(func(c batch.Change) batch.Value { return c.Before }):
		return batch.NoEffect
	}
	return batch.Other
}

func value(r batch.Record) func(string) batch.Value {
	return func(field string) batch.Value { return batch.Value(gjson.GetBytes(r.Body, field).Raw) }
}

func same(_ string, a, b batch.Value) bool { return a.Same(b) }

type editVisit struct {
	*edit
	epoch int32
}

// gone reports whether the visit's process has ended.
func (v *editVisit) gone() bool { return v.epoch != v.w.epoch.Load() }

func (v *editVisit) Close() {}

func (v *editVisit) Read(ctx context.Context, id string) batch.Reply {
	if v.gone() {
		return batch.Reply{Class: batch.Unsent, Err: errStopped}
	}
	v.w.mu.Lock()
	v.w.reads++
	v.w.mu.Unlock()
	return v.w.call(ctx, "read", id, func() batch.Reply { return v.w.shown(id) })
}

func (v *editVisit) Send(ctx context.Context, s batch.Step) batch.Reply {
	id := s.Before.ID
	if v.gone() {
		return batch.Reply{Class: batch.Unsent, Err: errStopped}
	}
	v.w.mu.Lock()
	v.w.writes++
	v.w.disk.holdsIntent(v.w.t, id)
	if why := v.w.tooOld(id); why != "" {
		v.w.t.Error(why)
	}
	if v.w.onSend != nil {
		v.w.onSend(id)
	}
	v.w.mu.Unlock()
	return v.w.call(ctx, "send", id, func() batch.Reply {
		body := string(s.Body)
		if v.spoil == id || v.spoil == "all" {
			body, _ = sjson.Set(body, "b", "moved")
		}
		if v.drop == id {
			body = v.w.records[id]
		}
		v.w.past[id] = append(v.w.past[id], reading{answered: time.Now(), body: v.w.records[id]})
		v.w.records[id] = body
		v.w.effects[id]++
		v.w.order[id] = append(v.w.order[id], gjson.Get(body, "a").String())
		if v.cuts == id {
			v.w.beside[id] = "cut"
		}
		rep := v.w.answer(id)
		if v.lies {
			rep.Record.Body, _ = sjson.SetBytes(rep.Record.Body, "b", "spelled otherwise")
		}
		if v.short {
			rep.Record.Body = []byte(`{}`)
		}
		return rep
	})
}

// wideVisit can read what stands beside a record.
type wideVisit struct{ *editVisit }

func (v *wideVisit) ReadBeside(ctx context.Context, id string) batch.Reply {
	v.w.mu.Lock()
	v.w.besideReads++
	v.w.mu.Unlock()
	return v.w.call(ctx, "look", id, func() batch.Reply {
		return batch.Reply{Class: batch.Answered, Status: 200, Requests: 1, Record: batch.Record{ID: id, Body: []byte(v.w.beside[id])}}
	})
}

func (v *wideVisit) CheckBeside(_ batch.Step, before, after batch.Record) *batch.Outcome {
	if string(before.Body) == string(after.Body) {
		return nil
	}
	return &batch.Outcome{Kind: batch.Failed, Code: "side_effect", Error: "what stands beside it moved"}
}
