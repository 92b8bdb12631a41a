package batch_test

import (
	"flag"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"rowbatch/batch"
)

var seeds = flag.Int("seeds", 400, "schedules to try in TestSchedules")

// TestSchedules runs seeded schedules of lost, refused, throttled and late
// requests, with a stop in some, and holds the journal against the ledger.
func TestSchedules(t *testing.T) {
	for seed := range *seeds {
		synctest.Test(t, func(t *testing.T) { schedule(t, seed) })
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}

func schedule(t *testing.T, seed int) {
	var ids []string
	for n := range 12 {
		ids = append(ids, fmt.Sprint(n))
	}
	w := newFakeServer(t, ids...)
	b := newTestRun(t, w)
	b.act.blind, b.act.wide = seed%5 == 4, seed%4 == 1
	b.opts.Clock = w.clock
	if seed%7 == 5 {
		time.AfterFunc(time.Duration(chance(seed, "jumps")*20)*time.Second, func() {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.wall = time.Duration(chance(seed, "by")*120-60) * time.Second
		})
	}
	b.opts.Workers["other"] = 1
	b.act.short, b.act.lies, w.lag = seed%8 == 6, seed%8 == 2, lagOf(seed)
	other := &edit{w: w, is: "other", blind: b.act.blind, wide: b.act.wide, short: b.act.short, lies: b.act.lies}
	bad := chance(seed, "bad") / 2
	w.fault = func(kind, id string, call int) fault {
		f := fault{delay: time.Duration(1+chance(seed, id, call, "delay")*900) * time.Millisecond, early: kind == "read" && call%2 == 0}
		if seed%7 == 3 {
			f.delay *= 8 // many a record is too old when it comes
		}
		if chance(seed, id, call, "fails") < bad {
			classes := []batch.Class{batch.Lost, batch.Lost, batch.Throttled, batch.Unsent, batch.Refused}
			f.class = classes[int(chance(seed, id, call, "class")*float64(4+seed%2))]
			if kind != "send" && f.class == batch.Refused {
				f.class = batch.Lost
			}
			f.hopes, f.status = chance(seed, id, call, "hopes") < 0.7, 409
			f.effect = chance(seed, id, call, "effect") < 0.5
			if f.class == batch.Refused && (b.act.blind || w.lag > 0) {
				f.effect = false // which one read could not find out
			}
			f.late = time.Duration(chance(seed, id, call, "late")*29) * time.Second
		}
		return f
	}
	if seed%3 == 0 {
		time.AfterFunc(time.Duration(chance(seed, "stop")*100)*time.Second, func() { b.halt(errStopped) })
	}
	var items []*batch.Item
	for n := range 30 {
		id := ids[int(chance(seed, n, "row")*float64(len(ids)))]
		it := b.set(id, "a", fmt.Sprint("v", n))
		if number("v"+id)%3 == 0 {
			it.Action = other
		}
		items = append(items, it)
	}
	got, err := b.run(items...)
	if err != nil {
		t.Fatal(err)
	}
	time.Sleep(time.Minute) // late effects arrive
	agrees(t, w, items, got, b.act.blind)
}

// lagOf is by how much reads are behind writes.
func lagOf(seed int) time.Duration {
	if seed%9 != 4 {
		return 0
	}
	return time.Duration(chance(seed, "lag")*2000) * time.Millisecond
}

// agrees holds the outcomes against the ledger of effects.
func agrees(t *testing.T, w *fakeServer, items []*batch.Item, got []batch.Outcome, blind bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for n, o := range got {
		effects := 0
		for _, v := range w.order[items[n].ID] {
			if v == fmt.Sprint("v", n) {
				effects++
			}
		}
		switch {
		case o.Kind == batch.Changed && effects == 0:
			t.Errorf("row %d is changed, and the server saw nothing", n)
		case o.Kind != batch.Changed && o.Kind != batch.InDoubt && effects > 0:
			t.Errorf("row %d is %s/%s, and the server changed", n, o.Kind, o.Code)
		case o.Code == "not_applied": // late effects and readings that lag are no reason to say so
			t.Errorf("row %d is %s/%s, and the server took all that it accepted", n, o.Kind, o.Code)
		case effects > 1 && !blind:
			t.Errorf("row %d took effect %d times", n, effects)
		}
	}
	for id, order := range w.order {
		if !slices.IsSortedFunc(order, func(a, b string) int { return number(a) - number(b) }) {
			t.Errorf("customer %s saw its rows in the order %v", id, order)
		}
	}
}

func number(v string) (n int) {
	fmt.Sscanf(v, "v%d", &n)
	return n
}
