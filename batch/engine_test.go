package batch_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"rowbatch/batch"
)

var seeds = flag.Int("seeds", 400, "schedules to try in TestSchedules")

func kinds(outcomes []batch.Outcome) string {
	var all []string
	for _, o := range outcomes {
		text := string(o.Kind)
		if o.Code != "" {
			text += "/" + o.Code
		}
		all = append(all, text)
	}
	return strings.Join(all, " ")
}

func TestOutcomes(t *testing.T) {
	tests := map[string]struct {
		prepare func(w *world, b *bench)
		items   func(b *bench) []*batch.Item
		want    string
		writes  int
	}{
		"changed, unchanged, not found and settled rows": {
			items: func(b *bench) []*batch.Item {
				settled := b.set("1", "a", "x")
				settled.Out = batch.Reject("bad_value", "no")
				return []*batch.Item{b.set("1", "a", "new"), b.set("2", "a", "old"), b.set("9", "a", "new"), settled}
			},
			want: "changed unchanged rejected/not_found rejected/bad_value", writes: 1,
		},
		"a guard that does not hold": {
			items: func(b *bench) []*batch.Item {
				it := b.set("1", "a", "new")
				it.Guards = []batch.Guard{{Field: "b", Value: batch.Text("other")}}
				return []*batch.Item{it, b.set("1", "a", "newer")}
			},
			want: "conflict/match_failed rejected/earlier_row_failed",
		},
		"an edit that expects another value": {
			items: func(b *bench) []*batch.Item {
				it := b.set("1", "a", "new")
				it.Edits[0].Expect = new(batch.Text("older"))
				return []*batch.Item{it}
			},
			want: "conflict/changed_since_plan",
		},
		"a refused write": {
			prepare: func(w *world, _ *bench) {
				w.fault = func(kind, id string, _ int) fault {
					if kind == "send" && id == "1" {
						return fault{class: batch.Refused, status: 409}
					}
					return fault{}
				}
			},
			items: func(b *bench) []*batch.Item {
				return []*batch.Item{b.set("1", "a", "new"), b.set("2", "a", "new"), b.set("1", "b", "new")}
			},
			want: "failed/http_409 changed rejected/earlier_row_failed", writes: 2,
		},
		"a value that is accepted and not taken": {
			prepare: func(_ *world, b *bench) { b.act.drop = "2" },
			items:   func(b *bench) []*batch.Item { return []*batch.Item{b.set("1", "a", "x"), b.set("2", "a", "x")} },
			want:    "changed failed/not_applied", writes: 2,
		},
		"a panic costs one row": {
			prepare: func(_ *world, b *bench) { b.act.panic = "2" },
			items: func(b *bench) []*batch.Item {
				return []*batch.Item{b.set("1", "a", "x"), b.set("2", "a", "x"), b.set("3", "a", "x")}
			},
			want: "changed rejected/internal_error changed", writes: 2,
		},
		"a lost reply after the effect is read back": {
			prepare: func(w *world, _ *bench) { w.fault = loseFirst("send", "2", fault{class: batch.Lost, effect: true}) },
			items:   func(b *bench) []*batch.Item { return []*batch.Item{b.set("1", "a", "x"), b.set("2", "a", "x")} },
			want:    "changed changed", writes: 2,
		},
		"a lost reply before the effect is sent again": {
			prepare: func(w *world, _ *bench) { w.fault = loseFirst("send", "2", fault{class: batch.Lost}) },
			items:   func(b *bench) []*batch.Item { return []*batch.Item{b.set("1", "a", "x"), b.set("2", "a", "x")} },
			want:    "changed changed", writes: 3,
		},
		"a lost first write is waited for": {
			prepare: func(w *world, _ *bench) {
				w.fault = loseFirst("send", "1", fault{class: batch.Lost, effect: true, late: 20 * time.Second})
			},
			items: func(b *bench) []*batch.Item { return []*batch.Item{b.set("1", "a", "x"), b.set("2", "a", "x")} },
			want:  "changed changed", writes: 2,
		},
		"a server that never answers a read": {
			prepare: func(w *world, _ *bench) {
				w.fault = func(_, id string, _ int) fault {
					if id == "1" {
						return fault{class: batch.Lost}
					}
					return fault{}
				}
			},
			items: func(b *bench) []*batch.Item {
				return []*batch.Item{b.set("1", "a", "x"), b.set("2", "a", "x"), b.set("1", "b", "x")}
			},
			want: "not_attempted/server_unavailable changed not_attempted/server_unavailable", writes: 1,
		},
		"a write that never takes effect": {
			prepare: func(w *world, _ *bench) {
				w.fault = func(kind, id string, _ int) fault {
					if kind == "send" && id == "2" {
						return fault{class: batch.Lost}
					}
					return fault{}
				}
			},
			items: func(b *bench) []*batch.Item { return []*batch.Item{b.set("1", "a", "x"), b.set("2", "a", "x")} },
			want:  "changed not_attempted/server_unavailable", writes: 9,
		},
		"somebody else's edit after a lost reply": {
			prepare: func(w *world, _ *bench) {
				w.fault = func(kind, id string, call int) fault {
					if kind == "send" && id == "2" {
						time.AfterFunc(time.Second, func() {
							w.mu.Lock()
							defer w.mu.Unlock()
							w.records["2"] = `{"id":"2","a":"theirs","b":"kept"}`
						})
						return fault{class: batch.Lost}
					}
					return fault{}
				}
			},
			items: func(b *bench) []*batch.Item {
				return []*batch.Item{b.set("1", "a", "x"), b.set("2", "a", "x"), b.set("2", "b", "x")}
			},
			want: "changed in_doubt/changed_meanwhile rejected/earlier_row_failed", writes: 2,
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, "1", "2", "3")
				b := newBench(t, w)
				if test.prepare != nil {
					test.prepare(w, b)
				}
				got, err := b.run(test.items(b)...)
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(test.want, kinds(got)); diff != "" {
					t.Error(diff)
				}
				if w.writes != test.writes {
					t.Errorf("%d writes were sent, not %d", w.writes, test.writes)
				}
			})
		})
	}
}

// loseFirst makes the first request of a kind to a customer end in f.
func loseFirst(kind, id string, f fault) func(string, string, int) fault {
	done := false
	return func(k, i string, _ int) fault {
		if k == kind && i == id && !done {
			done = true
			return f
		}
		return fault{}
	}
}

func TestRowsOfOneCustomerKeepTheirOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, "1", "2", "3")
		b := newBench(t, w)
		var items []*batch.Item
		var want []string
		for n := range 30 {
			want = append(want, fmt.Sprint("v", n))
			for _, id := range []string{"1", "2", "3"} {
				items = append(items, b.set(id, "a", fmt.Sprint("v", n)))
			}
		}
		if _, err := b.run(items...); err != nil {
			t.Fatal(err)
		}
		for id, got := range w.order {
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("customer %s: %s", id, diff)
			}
		}
	})
}

func TestFirstWriteGoesAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ids := []string{"1", "2", "3", "4", "5", "6"}
		w := newWorld(t, ids...)
		b := newBench(t, w)
		b.act.spoil = "all"
		var items []*batch.Item
		for _, id := range ids {
			items = append(items, b.set(id, "a", "x"))
		}
		w.fault = func(kind, _ string, _ int) fault {
			if kind == "send" {
				return fault{delay: time.Second} // the others are ready to write long before its end
			}
			return fault{}
		}
		got, err := b.run(items...)
		if err != nil {
			t.Fatal(err)
		}
		if w.writes != 1 || !strings.Contains(kinds(got), "failed/side_effect") {
			t.Errorf("%d writes left, outcomes: %s", w.writes, kinds(got))
		}
		if _, ok := errors.AsType[*batch.SideEffectError](context.Cause(b.stop)); !ok {
			t.Errorf("the run stopped for %v", context.Cause(b.stop))
		}
	})
}

func TestRequestsInFlight(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var ids []string
		for n := range 200 {
			ids = append(ids, fmt.Sprint(n))
		}
		w := newWorld(t, ids...)
		b := newBench(t, w)
		var items []*batch.Item
		for _, id := range ids {
			items = append(items, b.set(id, "a", "x"))
		}
		if _, err := b.run(items...); err != nil {
			t.Fatal(err)
		}
		if w.most != b.opts.Workers {
			t.Errorf("%d requests were in flight at once; the workers are %d", w.most, b.opts.Workers)
		}
		if w.reads != 201 || w.writes != 200 {
			t.Errorf("%d reads and %d writes for 200 rows and one check", w.reads, w.writes)
		}
	})
}

func TestDryRunSendsNothingAndSeesEarlierRows(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, "1", "2")
		b := newBench(t, w)
		b.opts.Send = false
		got, err := b.run(b.set("1", "a", "x"), b.set("1", "a", "x"), b.set("1", "a", "y"), b.set("2", "a", "old"))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff("would_change unchanged would_change unchanged", kinds(got)); diff != "" {
			t.Error(diff)
		}
		if diff := cmp.Diff([]batch.Change{{Field: "a", Before: `"x"`, After: `"y"`}}, got[2].Changes); diff != "" {
			t.Error(diff)
		}
		if w.writes != 0 {
			t.Errorf("a dry run sent %d writes", w.writes)
		}
	})
}

func TestStopSettlesEveryRow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, "0", "1", "2", "3", "4", "5", "6", "7")
		b := newBench(t, w)
		w.onSend = func(string) {
			if w.writes == 3 {
				b.halt(batch.ErrStopped)
			}
		}
		var items []*batch.Item
		for n := range 100 {
			items = append(items, b.set(fmt.Sprint(n%8), "a", fmt.Sprint("v", n)))
		}
		items[99].Out = batch.Reject("bad_value", "no")
		got, err := b.run(items...)
		if err != nil {
			t.Fatal(err)
		}
		agrees(t, w, items, got)
		if got[99].Code != "bad_value" || got[98].Kind != batch.NotAttempted {
			t.Errorf("the last rows are %s", kinds(got[98:]))
		}
	})
}

func TestStopLeavesAnUnansweredWriteInDoubt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, "1")
		b := newBench(t, w)
		w.fault = loseFirst("send", "1", fault{class: batch.Lost})
		time.AfterFunc(time.Second, func() { b.halt(batch.ErrStopped) })
		began := time.Now()
		got, err := b.run(b.set("1", "a", "x"))
		if err != nil {
			t.Fatal(err)
		}
		if kinds(got) != "in_doubt/no_answer" || time.Since(began) > 2*time.Second {
			t.Errorf("%s after %v", kinds(got), time.Since(began))
		}
	})
}

func TestNothingIsSentAfterTheJournalFails(t *testing.T) {
	for n := 1; n < 40; n++ {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, "1", "2", "3", "4")
			b := newBench(t, w)
			b.disk.failAt = n
			_, err := b.run(b.set("1", "a", "x"), b.set("2", "a", "x"), b.set("3", "a", "x"), b.set("4", "a", "x"))
			if b.disk.ops < n {
				return
			}
			if !errors.Is(err, errDisk) {
				t.Errorf("operation %d failed, and the run ended with %v", n, err)
			}
			if _, ok := errors.AsType[*batch.JournalError](err); !ok {
				t.Errorf("operation %d: the error is a %T", n, err)
			}
		})
	}
}

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
	w := newWorld(t, ids...)
	b := newBench(t, w)
	bad := chance(seed, "bad") / 2
	w.fault = func(kind, id string, call int) fault {
		f := fault{delay: time.Duration(1+chance(seed, id, call, "delay")*900) * time.Millisecond}
		if chance(seed, id, call, "fails") < bad {
			f.class = []batch.Class{batch.Lost, batch.Lost, batch.Throttled, batch.Unsent}[int(chance(seed, id, call, "class")*4)]
			f.effect = chance(seed, id, call, "effect") < 0.5
			f.late = time.Duration(chance(seed, id, call, "late")*29) * time.Second
		}
		return f
	}
	if seed%3 == 0 {
		time.AfterFunc(time.Duration(chance(seed, "stop")*100)*time.Second, func() { b.halt(batch.ErrStopped) })
	}
	var items []*batch.Item
	for n := range 30 {
		id := ids[int(chance(seed, n, "row")*float64(len(ids)))]
		items = append(items, b.set(id, "a", fmt.Sprint("v", n)))
	}
	got, err := b.run(items...)
	if err != nil {
		t.Fatal(err)
	}
	time.Sleep(time.Minute) // late effects arrive
	agrees(t, w, items, got)
}

// agrees holds the outcomes against the ledger of effects.
func agrees(t *testing.T, w *world, items []*batch.Item, got []batch.Outcome) {
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
		case effects > 1:
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
