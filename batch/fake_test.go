package batch_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/tidwall/gjson"
	"github.com/tidwall/sjson"

	"rowbatch/batch"
)

// world is a server of customers with one field a and a ledger of effects.
type world struct {
	t       *testing.T
	mu      sync.Mutex
	records map[string]string // id → JSON
	effects map[string]int    // per id
	order   map[string][]string
	busy    map[string]bool
	calls   map[string]int
	flying  int
	most    int // requests in flight at once
	reads   int
	writes  int
	fault   func(kind, id string, call int) fault
	onSend  func(id string)
	disk    *disk
}

type fault struct {
	class  batch.Class
	effect bool // of a lost write
	late   time.Duration
	delay  time.Duration
	status int
}

func newWorld(t *testing.T, ids ...string) *world {
	w := &world{t: t, records: map[string]string{}, effects: map[string]int{}, order: map[string][]string{}, busy: map[string]bool{}, calls: map[string]int{}}
	for _, id := range ids {
		w.records[id] = fmt.Sprintf(`{"id":%q,"status":"Active","a":"old","b":"kept"}`, id)
	}
	return w
}

// call runs one request, with its fault, and checks that the customer's requests never overlap.
func (w *world) call(ctx context.Context, kind, id string, act func() batch.Reply) batch.Reply {
	w.mu.Lock()
	if w.busy[id] {
		w.t.Errorf("two requests in flight for customer %s", id)
	}
	w.busy[id] = true
	w.calls[id]++
	w.flying++
	w.most = max(w.most, w.flying)
	var f fault
	if w.fault != nil {
		f = w.fault(kind, id, w.calls[id])
	}
	w.mu.Unlock()
	if f.delay == 0 {
		f.delay = 20 * time.Millisecond
	}
	select {
	case <-time.After(f.delay):
	case <-ctx.Done():
		f.class = batch.Lost
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.busy[id] = false
	w.flying--
	if f.class == batch.Answered {
		return act()
	}
	if f.class == batch.Lost && f.effect && kind == "send" {
		w.later(f.late, act)
	}
	return batch.Reply{Class: f.class, Status: f.status, Requests: 1, Text: "no luck", Code: batch.HTTPCode(f.status), Err: errors.New("no entry")}
}

// later lets an effect happen after its answer was lost.
func (w *world) later(d time.Duration, act func() batch.Reply) {
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

func (w *world) answer(id string) batch.Reply {
	body, ok := w.records[id]
	if !ok {
		return batch.Reply{Class: batch.Refused, Status: 404, Requests: 1, Code: "not_found", Text: "no such customer"}
	}
	return batch.Reply{Class: batch.Answered, Status: 200, Requests: 1, Record: batch.Record{ID: id, Status: "Active", Name: "Customer " + id, Body: []byte(body)}}
}

// edit is an action that sets fields of a world's customers.
type edit struct {
	w     *world
	panic string // id whose Decide panics
	spoil string // a write also moves b of this customer, or of "all"
	drop  string // a write to this customer is accepted and not taken
}

func (a *edit) Name() string  { return "edit" }
func (a *edit) MaxSends() int { return 8 }
func (a *edit) Open(ctx context.Context, _ int, _ bool) (batch.Visit, error) {
	return &editVisit{a}, ctx.Err()
}

func (a *edit) Decide(it *batch.Item, now batch.Record) (batch.Step, *batch.Outcome) {
	if a.panic == it.ID {
		panic("out of order")
	}
	changes, out := batch.Diff(it.Edits, it.Guards, value(now), same)
	if out != nil {
		return batch.Step{}, out
	}
	after, err := a.Apply(now, changes)
	return batch.Step{Changes: changes, Before: now, Body: after.Body}, out2(err)
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

func (a *edit) Check(s batch.Step, after batch.Record) *batch.Outcome {
	if !same("", value(after)("b"), batch.Value(gjson.GetBytes(s.Body, "b").Raw)) {
		return &batch.Outcome{Kind: batch.Failed, Code: "side_effect", Error: "b moved"}
	}
	if a.Settle(s.Changes, after) != batch.TookEffect {
		return &batch.Outcome{Kind: batch.Failed, Code: "not_applied"}
	}
	return nil
}

func (a *edit) Settle(sent []batch.Change, now batch.Record) batch.Verdict {
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

type editVisit struct{ *edit }

func (v *editVisit) Close() {}

func (v *editVisit) Read(ctx context.Context, id string) batch.Reply {
	v.w.mu.Lock()
	v.w.reads++
	v.w.mu.Unlock()
	return v.w.call(ctx, "read", id, func() batch.Reply { return v.w.answer(id) })
}

func (v *editVisit) Send(ctx context.Context, s batch.Step) batch.Reply {
	id := s.Before.ID
	v.w.mu.Lock()
	v.w.writes++
	v.w.disk.holdsIntent(v.w.t, id)
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
		v.w.records[id] = body
		v.w.effects[id]++
		v.w.order[id] = append(v.w.order[id], gjson.Get(body, "a").String())
		return v.w.answer(id)
	})
}

// disk is a journal's file that knows what was synced, and can fail.
type disk struct {
	mu     sync.Mutex
	data   []byte
	synced int
	failAt int // the n-th operation fails; 0: none
	ops    int
}

var errDisk = errors.New("no space left on device")

func (d *disk) op() error {
	d.ops++
	if d.failAt > 0 && d.ops >= d.failAt {
		return errDisk
	}
	return nil
}

func (d *disk) Write(p []byte) (int, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.op(); err != nil {
		return 0, err
	}
	d.data = append(d.data, p...)
	return len(p), nil
}

func (d *disk) Sync() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.op(); err != nil {
		return err
	}
	d.synced = len(d.data)
	return nil
}

func (d *disk) Close() error { return nil }

// holdsIntent checks that the intent of a write that is about to leave is on disk.
func (d *disk) holdsIntent(t *testing.T, id string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for line := range bytes.SplitSeq(d.data[:d.synced], []byte("\n")) {
		if bytes.Contains(line, []byte(`"k":"intent"`)) && gjson.GetBytes(line, "g.id").String() == id {
			return
		}
	}
	t.Errorf("a write to customer %s left before its intent was on disk", id)
}

// bench runs items through an engine and returns every row's outcome as the journal tells it.
type bench struct {
	world *world
	act   *edit
	disk  *disk
	opts  batch.Options
	halt  context.CancelCauseFunc
	stop  context.Context
	ctx   context.Context
	kill  context.CancelFunc
}

func newBench(t *testing.T, w *world) *bench {
	b := &bench{world: w, act: &edit{w: w}, disk: &disk{}}
	w.disk = b.disk
	b.ctx, b.kill = context.WithCancel(t.Context())
	b.stop, b.halt = context.WithCancelCause(b.ctx)
	b.opts = batch.Options{Workers: 4, Send: true, Settle: 30 * time.Second, Fresh: 5 * time.Second,
		Patience: batch.Patience{Tries: 8, First: 5 * time.Second, Most: 5 * time.Minute}}
	return b
}

func (b *bench) set(id, field, to string) *batch.Item {
	return &batch.Item{Lane: id, ID: id, Key: "id=" + id, Action: b.act,
		Edits: []batch.Edit{{Field: field, Want: batch.Text(to)}}}
}

func (b *bench) run(items ...*batch.Item) ([]batch.Outcome, error) {
	seen := map[string]bool{}
	for n := len(items) - 1; n >= 0; n-- {
		items[n].N, items[n].More = n, seen[items[n].Lane]
		seen[items[n].Lane] = true
	}
	mode := batch.ModeDryRun
	if b.opts.Send {
		mode = batch.ModeRun
	}
	j, err := batch.NewJournal(b.disk, batch.Head{Mode: mode, Rows: len(items)})
	if err != nil {
		return nil, err
	}
	emitted := map[int]int{}
	e := batch.Engine{Options: b.opts, Journal: j, Halt: b.halt, Emit: func(it *batch.Item, _ batch.Outcome) { emitted[it.N]++ }}
	err = e.Run(b.ctx, b.stop, func(yield func(*batch.Item, error) bool) {
		for _, it := range items {
			if !yield(it, nil) {
				return
			}
		}
	})
	for n := range items {
		if emitted[n] != 1 {
			b.world.t.Errorf("row %d was settled %d times", n, emitted[n])
		}
	}
	if ferr := j.Flush(); err == nil {
		err = ferr
	}
	return b.outcomes(), err
}

func (b *bench) outcomes() []batch.Outcome {
	x, err := batch.Load(bytes.NewReader(b.disk.data), int64(len(b.disk.data)))
	if err != nil {
		b.world.t.Fatal(err)
	}
	var all []batch.Outcome
	for n := range x.Head.Rows {
		o, err := x.Outcome(n)
		if err != nil {
			b.world.t.Fatal(err)
		}
		all = append(all, o)
	}
	return all
}

// chance is a number below one drawn from its arguments alone: virtual time
// fixes no order of goroutines, so a shared generator would not repeat a seed.
func chance(parts ...any) float64 {
	h := fnv.New64a()
	if err := json.NewEncoder(h).Encode(parts); err != nil {
		panic(err)
	}
	sum := h.Sum64()
	sum ^= sum >> 31
	sum *= 0x9E3779B97F4A7C15
	return float64(sum>>11) / (1 << 53)
}
