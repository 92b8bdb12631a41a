package batch_test

import (
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"rowbatch/batch"
)

// only makes the n-th call of a customer fail.
func only(id string, call int, f fault) func(string, string, int) fault {
	return func(_, who string, n int) fault {
		if who == id && n == call {
			return f
		}
		return fault{}
	}
}

func TestARefusedRowThatMayFareBetterIsTriedOnceMoreAfterAllOthers(t *testing.T) {
	tests := map[string]struct {
		refusals int
		want     string
		sends    int
	}{
		"and then succeeds":              {1, "changed", 2},
		"and then fails":                 {2, "failed/http_409", 2},
		"and is asked for no third time": {9, "failed/http_409", 2},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newFakeServer(t, "1", "2", "3", "4", "5", "6")
				b := newTestRun(t, w)
				refused := 0
				w.fault = func(kind, id string, _ int) fault {
					if kind == "send" && id == "1" && refused < test.refusals {
						refused++
						return fault{class: batch.Refused, status: 409, hopes: true}
					}
					return fault{}
				}
				var order []string
				w.onSend = func(id string) { order = append(order, id) }
				var items []*batch.Item
				for _, id := range []string{"1", "1", "2", "3", "4", "5", "6"} {
					items = append(items, b.set(id, "a", fmt.Sprint("v", len(items))))
				}
				got, err := b.run(items...)
				if err != nil {
					t.Fatal(err)
				}
				if kinds(got[:1]) != test.want || got[0].Sends != test.sends {
					t.Errorf("%s after %d sends", kinds(got[:1]), got[0].Sends)
				}
				for _, id := range []string{"2", "3", "4", "5", "6"} {
					if second := slices.Index(order, "1") + 1; slices.Index(order, id) > second+slices.Index(order[second:], "1") {
						t.Errorf("the second try came before customer %s: %v", id, order)
					}
				}
			})
		})
	}
}

func TestAStoppedRunDoesNotWaitForRowsPutOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newFakeServer(t, "1", "2")
		b := newTestRun(t, w)
		w.fault = func(kind, id string, _ int) fault {
			if kind == "send" && id == "1" {
				return fault{class: batch.Refused, status: 409, hopes: true}
			}
			if kind == "send" {
				b.halt(errStopped)
			}
			return fault{}
		}
		got, err := b.run(b.set("1", "a", "x"), b.set("2", "a", "y"))
		if err != nil || kinds(got) != "not_attempted/stopped changed" {
			t.Errorf("%s %v", kinds(got), err)
		}
	})
}

func TestManyRowsPutOffAreNotAllWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var ids []string
		for n := range 1000 {
			ids = append(ids, fmt.Sprint(n))
		}
		w := newFakeServer(t, ids...)
		b := newTestRun(t, w)
		failed := 0
		w.fault = func(kind, _ string, _ int) fault {
			if kind == "send" {
				return fault{class: batch.Refused, status: 400, hopes: true}
			}
			return fault{}
		}
		var items []*batch.Item
		for _, id := range ids {
			items = append(items, b.set(id, "a", "x"))
		}
		b.onEmit = func(o batch.Outcome) {
			if failed++; o.Kind == batch.Failed && failed == 10 {
				b.halt(errStopped)
			}
		}
		if _, err := b.run(items...); err != nil {
			t.Fatal(err)
		}
		if w.writes > 300 {
			t.Errorf("%d writes went to a server that refuses all", w.writes)
		}
	})
}

func TestBlindWrites(t *testing.T) {
	tests := map[string]struct {
		faults func(call int) fault // by the call that would be a write
		want   string
		sends  int
	}{
		"a lost answer is followed by the same write": {func(n int) fault { return lostOnce(n, true) }, "changed", 2},
		"answers lost for ever leave it in doubt":     {func(int) fault { return fault{class: batch.Lost} }, "in_doubt/cannot_read_back", 8},
		"a refusal after a lost answer too": {func(n int) fault {
			if n == 1 {
				return fault{class: batch.Lost, effect: true}
			}
			return fault{class: batch.Refused, status: 404}
		}, "in_doubt/cannot_read_back", 2},
		"and a stop after a 429 after one": {func(n int) fault {
			if n == 1 {
				return fault{class: batch.Lost, effect: true}
			}
			return fault{class: batch.Throttled, status: 429}
		}, "in_doubt/cannot_read_back", 8},
		"a refusal alone is a failure": {func(int) fault { return fault{class: batch.Refused, status: 404} }, "failed/http_404", 1},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newFakeServer(t, "1")
				b := newTestRun(t, w)
				b.act.blind = true
				writes := 0
				w.fault = func(kind, _ string, _ int) fault {
					if kind != "send" {
						return fault{}
					}
					writes++
					return test.faults(writes)
				}
				got, err := b.run(b.set("1", "a", "x"))
				if err != nil || kinds(got) != test.want || got[0].Sends != test.sends {
					t.Errorf("%s after %d sends, %v", kinds(got), got[0].Sends, err)
				}
			})
		})
	}
}

func lostOnce(n int, effect bool) fault {
	if n == 1 {
		return fault{class: batch.Lost, effect: effect}
	}
	return fault{}
}

func TestALateEffectIsNoFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newFakeServer(t, "1")
		b := newTestRun(t, w)
		writes := 0
		w.fault = func(kind, _ string, _ int) fault {
			if kind != "send" {
				return fault{}
			}
			if writes++; writes == 1 {
				return fault{class: batch.Lost, effect: true, late: 30*time.Second + 60*time.Millisecond} // after its read-back
			}
			return fault{class: batch.Refused, status: 409, delay: time.Second}
		}
		got, err := b.run(b.set("1", "a", "x"))
		if err != nil || kinds(got) != "changed" {
			t.Errorf("%s %v", kinds(got), err)
		}
	})
}

func TestAWriteThatMayLeaveTwiceEndsInDoubt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newFakeServer(t, "1")
		b := newTestRun(t, w)
		b.act.most = 2
		w.fault = func(kind, _ string, _ int) fault {
			if kind == "send" {
				return fault{class: batch.Lost}
			}
			return fault{}
		}
		got, err := b.run(b.set("1", "a", "x"))
		if err != nil || kinds(got) != "in_doubt/no_answer" || w.writes != 2 {
			t.Errorf("%s after %d writes, %v", kinds(got), w.writes, err)
		}
	})
}
