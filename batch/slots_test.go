package batch_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"rowbatch/batch"
)

// A row that waits for the disk leaves its connection to others: 200 rows of two
// requests of 20 ms, over four connections, take two seconds.
func TestTheDiskHoldsUpNoRequests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, ids := manyCustomers(t, 200)
		b := newTestRun(t, w)
		b.disk.slow = 20 * time.Millisecond
		began := time.Now()
		if _, err := b.run(b.setAll(ids)...); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(began); took > 2200*time.Millisecond {
			t.Errorf("took %s", took)
		}
		if w.most > b.opts.Workers["edit"] {
			t.Errorf("%d requests were in flight at once", w.most)
		}
	})
}

// When a server grows slow between reads and their writes, what had been read is
// read once more at most.
func TestAServerThatGrowsSlow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, ids := manyCustomers(t, 40)
		b := newTestRun(t, w)
		b.opts.Fresh, w.fresh = time.Second, time.Second
		began := time.Now()
		w.fault = func(string, string, int) fault {
			if time.Since(began) < 200*time.Millisecond {
				return fault{}
			}
			return fault{delay: 3 * time.Second}
		}
		reads := map[string]int{}
		w.onSend = func(id string) {
			reads[id] = w.calls[id] - 1
		}
		if _, err := b.run(b.setAll(ids)...); err != nil {
			t.Fatal(err)
		}
		for id, n := range reads {
			if n > 2 {
				t.Errorf("customer %s was read %d times before the write", id, n)
			}
		}
		if len(reads) != len(ids) || w.reads > 2*len(ids)+1 {
			t.Errorf("%d reads for %d rows, of which %d were sent", w.reads, len(ids), len(reads))
		}
	})
}

func TestASlowSystemDoesNotHoldUpAnother(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ids := []string{"s1", "s2", "s3", "s4", "s5", "s6", "s7", "s8", "s9", "s10", "f1", "f2", "f3", "f4"}
		w := newFakeServer(t, ids...)
		b := newTestRun(t, w)
		slow := &edit{w: w, is: "slow"}
		b.opts.Workers["slow"] = 1
		w.fault = func(_, id string, _ int) fault {
			if id[0] == 's' {
				return fault{delay: time.Minute}
			}
			return fault{}
		}
		var items []*batch.Item
		for _, id := range ids {
			it := b.set(id, "a", "x")
			if id[0] == 's' {
				it.Action = slow
			}
			items = append(items, it)
		}
		began := time.Now()
		got, err := b.run(items...)
		if err != nil {
			t.Fatal(err)
		}
		for n, o := range got {
			if o.Kind != batch.Changed || ids[n][0] == 'f' && o.At.Sub(began) > 10*time.Second {
				t.Errorf("%s was %s after %v", ids[n], o.Kind, o.At.Sub(began))
			}
		}
		if w.most > 5 { // four of one system and one of the other
			t.Errorf("%d requests at once", w.most)
		}
	})
}

func (b *testRun) setAll(ids []string) (items []*batch.Item) {
	for _, id := range ids {
		items = append(items, b.set(id, "a", "x"))
	}
	return items
}

func manyCustomers(t *testing.T, customers int) (w *fakeServer, ids []string) {
	for n := range customers {
		ids = append(ids, fmt.Sprint(n))
	}
	return newFakeServer(t, ids...), ids
}
