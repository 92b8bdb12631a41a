package batch_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"rowbatch/batch"
)

// Around the first write what its own reading does not show is read, too.
func TestTheFirstWriteLeavesWhatStandsBesideTheRecord(t *testing.T) {
	nth := func(kind string, f fault, which ...int) func(string, string, int) fault {
		n := 0
		return func(k, _ string, _ int) fault {
			if k != kind {
				return fault{}
			}
			n++
			for _, w := range which {
				if n == w {
					return f
				}
			}
			return fault{}
		}
	}
	const stopped = "failed/side_effect not_attempted/stopped not_attempted/stopped"
	lost, refused := fault{class: batch.Lost}, fault{class: batch.Refused, status: 404}
	effective := fault{class: batch.Lost, effect: true}
	tests := map[string]struct {
		cuts        string
		lies        bool
		fault       func(kind, id string, call int) fault
		want        string
		besideReads int
		writes      int
	}{
		"nothing moves":                    {"", false, nil, "changed changed changed", 2, 3},
		"it is cut":                        {"1", false, nil, stopped, 2, 1},
		"it is cut later":                  {"2", false, nil, "changed changed changed", 2, 3},
		"a lost write cut it":              {"1", false, nth("send", effective, 1), stopped, 2, 1},
		"a lost write did not":             {"", false, nth("send", lost, 1), "changed changed changed", 3, 4},
		"it is not shown at first":         {"", false, nth("look", lost, 1, 2), "changed changed changed", 4, 3},
		"it is not shown afterwards":       {"", false, nth("look", lost, 2), "changed changed changed", 4, 3},
		"it cannot be read":                {"", false, nth("look", refused, 1), "rejected/http_404 changed changed", 3, 2},
		"it cannot be read afterwards":     {"1", false, nth("look", refused, 2), stopped, 2, 1},
		"replies show less":                {"", true, nil, "changed changed changed", 2, 3},
		"replies show less, and it is cut": {"1", true, nil, stopped, 2, 1},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newFakeServer(t, "1", "2", "3")
				b := newTestRun(t, w)
				b.opts.Workers = workers(1)
				b.act.wide, b.act.cuts, b.act.lies = true, test.cuts, test.lies
				w.fault = test.fault
				got, err := b.run(b.set("1", "a", "x"), b.set("2", "a", "x"), b.set("3", "a", "x"))
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(test.want, kinds(got)); diff != "" {
					t.Error(diff)
				}
				if w.besideReads != test.besideReads || w.writes != test.writes {
					t.Errorf("%d looks and %d writes, not %d and %d", w.besideReads, w.writes, test.besideReads, test.writes)
				}
				if _, halted := errors.AsType[*batch.SideEffectError](context.Cause(b.stop)); halted != (got[0].Code == "side_effect") {
					t.Errorf("the run ended with %v", context.Cause(b.stop))
				}
			})
		})
	}
}

// However slowly the server answers, the first write comes after its record in time.
func TestTheFirstWriteToASlowServer(t *testing.T) {
	for _, latency := range []time.Duration{time.Second, 3 * time.Second, 6 * time.Second} {
		synctest.Test(t, func(t *testing.T) {
			w := newFakeServer(t, "1", "2", "3")
			b := newTestRun(t, w)
			b.act.wide = true
			w.fault = func(string, string, int) fault { return fault{delay: latency} }
			got, err := b.run(b.set("1", "a", "x"), b.set("2", "a", "x"), b.set("3", "a", "x"))
			if err != nil || kinds(got) != "changed changed changed" || w.besideReads > 3 || w.reads > 10 {
				t.Errorf("%v: %s after %d reads and %d looks, %v", latency, kinds(got), w.reads, w.besideReads, err)
			}
		})
	}
}
