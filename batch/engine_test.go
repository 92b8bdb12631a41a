package batch_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"rowbatch/batch"
	"rowbatch/batch/journal"
)

func TestRowsOfOneCustomerKeepTheirOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newFakeServer(t, "1", "2", "3")
		b := newTestRun(t, w)
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
		w := newFakeServer(t, ids...)
		b := newTestRun(t, w)
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
		w := newFakeServer(t, ids...)
		b := newTestRun(t, w)
		var items []*batch.Item
		for _, id := range ids {
			items = append(items, b.set(id, "a", "x"))
		}
		if _, err := b.run(items...); err != nil {
			t.Fatal(err)
		}
		if w.most != b.opts.Workers["edit"] {
			t.Errorf("%d requests were in flight at once; the workers are %d", w.most, b.opts.Workers["edit"])
		}
		if w.reads != 201 || w.writes != 200 {
			t.Errorf("%d reads and %d writes for 200 rows and one check", w.reads, w.writes)
		}
	})
}

func TestDryRunSendsNothingAndSeesEarlierRows(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newFakeServer(t, "1", "2")
		b := newTestRun(t, w)
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
		w := newFakeServer(t, "0", "1", "2", "3", "4", "5", "6", "7")
		b := newTestRun(t, w)
		w.onSend = func(string) {
			if w.writes == 3 {
				b.halt(errStopped)
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
		agrees(t, w, items, got, false)
		if got[99].Code != "bad_value" || got[98].Kind != batch.NotAttempted {
			t.Errorf("the last rows are %s", kinds(got[98:]))
		}
	})
}

func TestStopLeavesAnUnansweredWriteInDoubt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newFakeServer(t, "1")
		b := newTestRun(t, w)
		w.fault = loseFirst("send", "1", fault{class: batch.Lost})
		time.AfterFunc(time.Second, func() { b.halt(errStopped) })
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
			w := newFakeServer(t, "1", "2", "3", "4")
			b := newTestRun(t, w)
			b.disk.failAt = n
			_, err := b.run(b.set("1", "a", "x"), b.set("2", "a", "x"), b.set("3", "a", "x"), b.set("4", "a", "x"))
			if b.disk.ops < n {
				return
			}
			if !errors.Is(err, errDisk) {
				t.Errorf("operation %d failed, and the run ended with %v", n, err)
			}
			if _, ok := errors.AsType[*journal.WriteError](err); !ok {
				t.Errorf("operation %d: the error is a %T", n, err)
			}
		})
	}
}

// Writes queue for the few connections, and some grow stale there: they are read again.
func TestWritesLeaveSoonAfterTheirRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var items []*batch.Item
		w := newFakeServer(t)
		b := newTestRun(t, w)
		b.opts.Workers = workers(2)
		for n := range 12 {
			id := fmt.Sprint(n)
			w.records[id] = fmt.Sprintf(`{"id":%q,"a":"old","b":"kept"}`, id)
			items = append(items, b.set(id, "a", "x"))
		}
		w.fault = func(kind, _ string, _ int) fault {
			if kind == "send" {
				return fault{delay: 4 * time.Second}
			}
			return fault{}
		}
		got, err := b.run(items...)
		if err != nil {
			t.Fatal(err)
		}
		if w.writes != len(items) || w.reads <= len(items)+1 || strings.Count(kinds(got), "changed") != len(items) {
			t.Errorf("%d reads, %d writes: %s", w.reads, w.writes, kinds(got))
		}
	})
}

// However slow the server, a write follows its read on the same connection: no row
// is read for nothing, and none without end.
func TestSlowServer(t *testing.T) {
	for _, latency := range []time.Duration{time.Second, 3 * time.Second, 6 * time.Second} {
		synctest.Test(t, func(t *testing.T) {
			w := newFakeServer(t)
			b := newTestRun(t, w)
			var items []*batch.Item
			for n := range 100 {
				id := fmt.Sprint(n)
				w.records[id] = fmt.Sprintf(`{"id":%q,"a":"old","b":"kept"}`, id)
				items = append(items, b.set(id, "a", "x"))
			}
			w.fault = func(string, string, int) fault { return fault{delay: latency} }
			began := time.Now()
			if _, err := b.run(items...); err != nil {
				t.Fatal(err)
			}
			readings := 1
			if latency > b.opts.Fresh {
				readings = 2 // that agree
			}
			ideal := latency * time.Duration((readings+1)*len(items)/b.opts.Workers["edit"])
			// The rows that waited for the first write's check may be read again.
			extra := 4 * b.opts.Workers["edit"]
			if w.writes != len(items) || w.reads > readings*len(items)+1+extra || time.Since(began) > ideal+ideal/3 {
				t.Errorf("latency %v: %d reads, %d writes in %v", latency, w.reads, w.writes, time.Since(began))
			}
		})
	}
}

// Rows behind one that the stop left open are not judged by it: they were only not reached.
func TestStopInALane(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newFakeServer(t, "1", "2")
		b := newTestRun(t, w)
		w.fault = func(kind, id string, _ int) fault {
			if kind == "send" && id == "1" {
				return fault{class: batch.Lost}
			}
			return fault{}
		}
		time.AfterFunc(2*time.Second, func() { b.halt(errStopped) })
		got, err := b.run(b.set("1", "a", "x"), b.set("1", "a", "y"), b.set("1", "a", "z"))
		if err != nil {
			t.Fatal(err)
		}
		if kinds(got) != "in_doubt/no_answer not_attempted/stopped not_attempted/stopped" {
			t.Error(kinds(got))
		}
	})
}

// After the first write an answer that says no is no proof that all is well.
func TestFirstWriteThatCannotBeReadBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newFakeServer(t, "1")
		b := newTestRun(t, w)
		w.fault = func(kind, _ string, call int) fault {
			if kind == "read" && call > 2 {
				return fault{class: batch.Refused, status: 404}
			}
			return fault{}
		}
		got, err := b.run(b.set("1", "a", "x"))
		if err != nil {
			t.Fatal(err)
		}
		if kinds(got) != "failed/side_effect" || b.stop.Err() == nil {
			t.Error(kinds(got))
		}
	})
}

func TestCustomersWhoShareALaneKeepOrderAndTheirOwnFailures(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newFakeServer(t, "1", "2", "3")
		b := newTestRun(t, w)
		b.act.blind = true
		w.fault = only("2", 2, fault{class: batch.Refused, status: 404})
		var items []*batch.Item
		for n, id := range []string{"1", "2", "3", "2", "1"} {
			it := b.set(id, "a", fmt.Sprint("v", n))
			it.Lane, it.Shared = "all", true
			items = append(items, it)
		}
		got, err := b.run(items...)
		if want := "changed failed/http_404 changed rejected/earlier_row_failed changed"; err != nil || kinds(got) != want || w.most != 1 {
			t.Errorf("%s, %d at once, %v", kinds(got), w.most, err)
		}
	})
}
