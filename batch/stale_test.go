package batch_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tidwall/sjson"

	"rowbatch/batch"
)

// theirs is an edit of somebody else's.
func (w *fakeServer) theirs(id, value string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.records[id], _ = sjson.Set(w.records[id], "b", value)
}

// slowReads lets reads show the customer as he was when they were asked for, so much later.
func slowReads(times int, delay time.Duration) func(kind, id string, call int) fault {
	return func(kind, _ string, _ int) fault {
		if times--; kind != "read" || times < 0 {
			return fault{}
		}
		return fault{delay: delay, early: true}
	}
}

// A record that took long to come may be old. It is read until two readings agree,
// three times at most, and nobody's edit is written over.
func TestARecordThatTookLongToCome(t *testing.T) {
	const always = 1000
	tests := map[string]struct {
		slow  int             // reads
		delay time.Duration   // of each
		edits []time.Duration // when somebody else changes the customer
		want  string
		reads int // before the write
	}{
		"once":                          {1, 15 * time.Second, nil, "changed", 2},
		"once, and somebody edits then": {1, 15 * time.Second, []time.Duration{5 * time.Second}, "changed", 2},
		"always":                        {always, 6 * time.Second, nil, "changed", 2},
		"always, by less":               {always, 4980 * time.Millisecond, nil, "changed", 2},
		"always, and somebody edits":    {always, 6 * time.Second, []time.Duration{2 * time.Second}, "changed", 3},
		"always, and somebody edits each time": {always, 6 * time.Second, []time.Duration{2 * time.Second, 8 * time.Second},
			"not_attempted/server_unavailable", 3},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newFakeServer(t, "1")
				b := newTestRun(t, w)
				b.disk.slow = 30 * time.Millisecond
				w.fault = slowReads(test.slow, test.delay)
				want := "kept"
				for n, after := range test.edits {
					want = fmt.Sprint("theirs", n)
					time.AfterFunc(after, func() { w.theirs("1", fmt.Sprint("theirs", n)) })
				}
				reads := 0
				w.onSend = func(string) { reads = w.reads }
				got, err := b.run(b.set("1", "a", "x"))
				if err != nil || kinds(got) != test.want {
					t.Fatalf("%s: %s %v", kinds(got), got[0].Error, err)
				}
				if w.writes == 0 {
					reads = w.reads
				}
				if reads != test.reads || value(batch.Record{Body: []byte(w.records["1"])})("b").Plain() != want {
					t.Errorf("%d reads, and then %s", reads, w.records["1"])
				}
			})
		})
	}
}

// A machine that sleeps between read and write, or whose clock is set, reads again.
func TestAClockThatJumps(t *testing.T) {
	for _, jump := range []time.Duration{6 * time.Second, 8 * time.Hour, -3 * time.Second, -8 * time.Hour} {
		for _, during := range []string{"the read", "the intent's sync"} {
			t.Run(fmt.Sprintf("%v during %s", jump, during), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					w := newFakeServer(t, "1")
					b := newTestRun(t, w)
					b.opts.Clock = w.clock
					jumped := false
					sleep := func() {
						if !jumped {
							jumped, w.wall = true, jump
							w.records["1"], _ = sjson.Set(w.records["1"], "b", "theirs")
						}
					}
					w.fault = func(kind, _ string, _ int) fault {
						if kind != "read" || during != "the read" || jumped {
							return fault{}
						}
						defer time.AfterFunc(10*time.Millisecond, func() {
							w.mu.Lock()
							defer w.mu.Unlock()
							sleep()
						})
						return fault{early: true}
					}
					if during != "the read" {
						syncs := 0
						b.disk.onSync = func() {
							if syncs++; syncs == 2 { // the first is of the journal's head
								w.mu.Lock()
								defer w.mu.Unlock()
								sleep()
							}
						}
					}
					reads := 0
					w.onSend = func(string) { reads = w.reads }
					got, err := b.run(b.set("1", "a", "x"))
					if err != nil || kinds(got) != "changed" || reads != 2 || w.writes != 1 {
						t.Fatalf("%s after %d reads, %v", kinds(got), reads, err)
					}
					if b := value(batch.Record{Body: []byte(w.records["1"])})("b"); b.Plain() != "theirs" {
						t.Errorf("their edit became %s", b)
					}
				})
			})
		}
	}
}

// A disk that takes as long as a record may be old ends the row, not in a loop.
func TestADiskTooSlowForAnyWrite(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newFakeServer(t, "1", "2")
		b := newTestRun(t, w)
		b.disk.slow = 6 * time.Second
		got, err := b.run(b.set("1", "a", "x"), b.set("2", "a", "x"))
		if err != nil || kinds(got) != "not_attempted/server_unavailable not_attempted/server_unavailable" || w.writes > 0 || w.reads > 20 {
			t.Errorf("%s after %d reads and %d writes, %v", kinds(got), w.reads, w.writes, err)
		}
	})
}
