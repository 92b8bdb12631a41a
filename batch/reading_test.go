package batch_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tidwall/gjson"

	"rowbatch/batch"
)

// What a reply shows amiss, what it leaves out and what it refuses is only a hint:
// the customer as read decides, and no reading that may lag behind the write.
func TestReadingAgainDecides(t *testing.T) {
	refusal := func(effect bool) func(string, string, int) fault {
		return func(kind, _ string, _ int) (f fault) {
			if kind == "send" {
				f = fault{class: batch.Refused, status: 409, effect: effect}
			}
			return f
		}
	}
	const changed = "changed changed changed"
	tests := map[string]struct {
		lag         time.Duration
		short, lies bool
		drop        string
		fault       func(kind, id string, call int) fault
		want        string
		reads       int // 0: any number
	}{
		"nothing is amiss":                       {want: changed, reads: 4}, // one more after the first write
		"replies show nothing":                   {short: true, want: changed, reads: 6},
		"replies are spelled otherwise":          {lies: true, want: changed, reads: 6},
		"reads lag":                              {lag: 100 * time.Millisecond, want: changed},
		"reads lag for long":                     {lag: 20 * time.Second, want: changed},
		"reads lag, and replies show nothing":    {lag: 5 * time.Second, short: true, want: changed},
		"reads lag for too long":                 {lag: time.Hour, want: "in_doubt/no_answer in_doubt/no_answer in_doubt/no_answer"},
		"a write is not taken":                   {drop: "2", want: "changed failed/not_applied changed"},
		"a write is not taken, and nobody tells": {drop: "2", short: true, want: "changed in_doubt/no_answer changed"},
		"what is refused is carried out":         {fault: refusal(true), want: changed, reads: 6},
		"what is refused is not carried out":     {fault: refusal(false), want: "failed/http_409 failed/http_409 failed/http_409", reads: 6},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newFakeServer(t, "1", "2", "3")
				b := newTestRun(t, w)
				b.opts.Workers = workers(1)
				b.act.short, b.act.lies, b.act.drop, w.lag, w.fault = test.short, test.lies, test.drop, test.lag, test.fault
				got, err := b.run(b.set("1", "a", "x"), b.set("2", "a", "x"), b.set("3", "a", "x"))
				if err != nil || kinds(got) != test.want || w.writes != 3 {
					t.Errorf("%s after %d writes, not %s; %v", kinds(got), w.writes, test.want, err)
				}
				if test.reads > 0 && w.reads != test.reads {
					t.Errorf("%d reads, not %d", w.reads, test.reads)
				}
			})
		})
	}
}

// Once reads were seen to lag, the one after a refusal waits for as long; and a little
// where the first write is refused, and nothing could be seen.
func TestARefusalWhereReadsLag(t *testing.T) {
	for from, lag := range map[string]time.Duration{"2": time.Second, "1": 100 * time.Millisecond} {
		synctest.Test(t, func(t *testing.T) {
			w := newFakeServer(t, "1", "2", "3")
			b := newTestRun(t, w)
			w.lag = lag
			w.fault = func(kind, id string, _ int) (f fault) {
				if kind == "send" && id >= from {
					f = fault{class: batch.Refused, status: 409, effect: true}
				}
				return f
			}
			b.opts.Workers = workers(1)
			if got, err := b.run(b.set("1", "a", "x"), b.set("2", "a", "x"), b.set("3", "a", "x")); err != nil || kinds(got) != "changed changed changed" {
				t.Errorf("refused from %s on: %s %v", from, kinds(got), err)
			}
		})
	}
}

// A reading from before an earlier row's write is no ground for the next row's, which
// would take that write back.
func TestTheNextRowOfACustomerWhereReadsLag(t *testing.T) {
	for _, lag := range []time.Duration{0, 100 * time.Millisecond, 10 * time.Second} {
		synctest.Test(t, func(t *testing.T) {
			w := newFakeServer(t, "1", "2")
			b := newTestRun(t, w)
			w.lag = lag
			got, err := b.run(b.set("2", "a", "x"), b.set("1", "a", "x"), b.set("1", "c", "y"), b.set("1", "d", "z"))
			if err != nil || kinds(got) != "changed changed changed changed" {
				t.Errorf("%v: %s %v", lag, kinds(got), err)
			}
			if now := w.records["1"]; fmt.Sprint(gjson.GetMany(now, "a", "c", "d")) != "[x y z]" {
				t.Errorf("%v: %s", lag, now)
			}
		})
	}
}

// A write that was taken for one without an effect, and has it in the end, is the row's own.
func TestAnEffectThatShowsLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newFakeServer(t, "1", "2")
		b := newTestRun(t, w)
		sends := 0
		w.fault = func(kind, id string, _ int) (f fault) {
			if kind != "send" || id != "1" {
				return f
			}
			if sends++; sends > 1 {
				t.Error("it is sent again")
			}
			time.AfterFunc(time.Second, func() {
				w.mu.Lock()
				defer w.mu.Unlock()
				w.records["1"] = `{"id":"1","status":"Active","a":"x","b":"kept"}`
			})
			return fault{class: batch.Refused, status: 409, hopes: true}
		}
		b.opts.Workers, b.disk.slow = workers(1), 2*time.Second // the other row takes as long
		got, err := b.run(b.set("1", "a", "x"), b.set("2", "a", "x"))
		if err != nil || kinds(got) != "changed changed" {
			t.Errorf("%s %v", kinds(got), err)
		}
	})
}
