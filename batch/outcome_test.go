package batch_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"rowbatch/batch"
)

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
		prepare func(w *fakeServer, b *testRun)
		items   func(b *testRun) []*batch.Item
		want    string
		writes  int
	}{
		"changed, unchanged, not found and settled rows": {
			items: func(b *testRun) []*batch.Item {
				settled := b.set("1", "a", "x")
				settled.Out = batch.Reject("bad_value", "no")
				return []*batch.Item{b.set("1", "a", "new"), b.set("2", "a", "old"), b.set("9", "a", "new"), settled}
			},
			want: "changed unchanged rejected/not_found rejected/bad_value", writes: 1,
		},
		"a guard that does not hold": {
			items: func(b *testRun) []*batch.Item {
				it := b.set("1", "a", "new")
				it.Guards = []batch.Guard{{Field: "b", Value: batch.Text("other")}}
				return []*batch.Item{it, b.set("1", "a", "newer")}
			},
			want: "conflict/match_failed rejected/earlier_row_failed",
		},
		"an edit that expects another value": {
			items: func(b *testRun) []*batch.Item {
				it := b.set("1", "a", "new")
				it.Edits[0].Expect = new(batch.Text("older"))
				return []*batch.Item{it}
			},
			want: "conflict/changed_since_plan",
		},
		"a refused write": {
			prepare: func(w *fakeServer, _ *testRun) {
				w.fault = func(kind, id string, _ int) fault {
					if kind == "send" && id == "1" {
						return fault{class: batch.Refused, status: 409}
					}
					return fault{}
				}
			},
			items: func(b *testRun) []*batch.Item {
				return []*batch.Item{b.set("1", "a", "new"), b.set("2", "a", "new"), b.set("1", "b", "new")}
			},
			want: "failed/http_409 changed rejected/earlier_row_failed", writes: 2,
		},
		"a value that is accepted and not taken": {
			prepare: func(_ *fakeServer, b *testRun) { b.act.drop = "2" },
			items:   func(b *testRun) []*batch.Item { return []*batch.Item{b.set("1", "a", "x"), b.set("2", "a", "x")} },
			want:    "changed failed/not_applied", writes: 2,
		},
		"a panic costs one row": {
			prepare: func(_ *fakeServer, b *testRun) { b.act.panic = "2" },
			items: func(b *testRun) []*batch.Item {
				return []*batch.Item{b.set("1", "a", "x"), b.set("2", "a", "x"), b.set("3", "a", "x")}
			},
			want: "changed rejected/internal_error changed", writes: 2,
		},
		"a lost reply after the effect is read back": {
			prepare: func(w *fakeServer, _ *testRun) {
				w.fault = loseFirst("send", "2", fault{class: batch.Lost, effect: true})
			},
			items: func(b *testRun) []*batch.Item { return []*batch.Item{b.set("1", "a", "x"), b.set("2", "a", "x")} },
			want:  "changed changed", writes: 2,
		},
		"a lost reply before the effect is sent again": {
			prepare: func(w *fakeServer, _ *testRun) { w.fault = loseFirst("send", "2", fault{class: batch.Lost}) },
			items:   func(b *testRun) []*batch.Item { return []*batch.Item{b.set("1", "a", "x"), b.set("2", "a", "x")} },
			want:    "changed changed", writes: 3,
		},
		"a lost first write is waited for": {
			prepare: func(w *fakeServer, _ *testRun) {
				w.fault = loseFirst("send", "1", fault{class: batch.Lost, effect: true, late: 20 * time.Second})
			},
			items: func(b *testRun) []*batch.Item { return []*batch.Item{b.set("1", "a", "x"), b.set("2", "a", "x")} },
			want:  "changed changed", writes: 2,
		},
		"a server that never answers a read": {
			prepare: func(w *fakeServer, _ *testRun) {
				w.fault = func(_, id string, _ int) fault {
					if id == "1" {
						return fault{class: batch.Lost}
					}
					return fault{}
				}
			},
			items: func(b *testRun) []*batch.Item {
				return []*batch.Item{b.set("1", "a", "x"), b.set("2", "a", "x"), b.set("1", "b", "x")}
			},
			want: "not_attempted/server_unavailable changed not_attempted/server_unavailable", writes: 1,
		},
		"a write that never takes effect": {
			prepare: func(w *fakeServer, _ *testRun) {
				w.fault = func(kind, id string, _ int) fault {
					if kind == "send" && id == "2" {
						return fault{class: batch.Lost}
					}
					return fault{}
				}
			},
			items: func(b *testRun) []*batch.Item { return []*batch.Item{b.set("1", "a", "x"), b.set("2", "a", "x")} },
			want:  "changed not_attempted/server_unavailable", writes: 9,
		},
		"somebody else's edit after a lost reply": {
			prepare: func(w *fakeServer, _ *testRun) {
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
			items: func(b *testRun) []*batch.Item {
				return []*batch.Item{b.set("1", "a", "x"), b.set("2", "a", "x"), b.set("2", "b", "x")}
			},
			want: "changed in_doubt/changed_meanwhile rejected/earlier_row_failed", writes: 2,
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newFakeServer(t, "1", "2", "3")
				b := newTestRun(t, w)
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
