package batch_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"hash/fnv"
	"sync"
	"testing"
	"time"

	"github.com/cenkalti/backoff/v5"
	"github.com/tidwall/gjson"

	"rowbatch/batch"
	"rowbatch/batch/journal"
)

// disk is a journal's file that knows what was synced, and can fail.
type disk struct {
	mu     sync.Mutex
	data   []byte
	synced int
	failAt int // the n-th operation fails; 0: none
	ops    int
	dead   bool          // the process that writes it has ended
	slow   time.Duration // of a sync
	onSync func()
}

// crash ends the disk's process, and returns what the disk holds: after a loss of
// power what was synced, and perhaps a part of the rest.
func (d *disk) crash(power bool, part float64) []byte {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.dead = true
	whole := len(d.data)
	if power {
		whole = d.synced + int(part*float64(whole-d.synced))
	}
	return bytes.Clone(d.data[:whole])
}

var errStopped = errors.New("stopped")

var errDisk = errors.New("no space left on device")

func (d *disk) op() error {
	d.ops++
	if d.dead {
		return errDisk
	}
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
	<-time.After(d.slow)
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.op(); err != nil {
		return err
	}
	d.synced = len(d.data)
	if d.onSync != nil {
		d.onSync()
	}
	return nil
}

func (d *disk) Close() error { return nil }

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

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

// testRun runs items through an engine and returns every row's outcome as the journal tells it.
type testRun struct {
	server *fakeServer
	act    *edit
	disk   *disk
	opts   batch.Options
	halt   context.CancelCauseFunc
	stop   context.Context
	ctx    context.Context
	kill   context.CancelFunc

	onEmit func(batch.Outcome)
}

// waits are those between the attempts for one row: from five seconds on.
func waits(most time.Duration) func() *backoff.ExponentialBackOff {
	return func() *backoff.ExponentialBackOff {
		return &backoff.ExponentialBackOff{InitialInterval: 5 * time.Second, MaxInterval: most, Multiplier: 2, RandomizationFactor: 0.1}
	}
}

func newTestRun(t *testing.T, w *fakeServer) *testRun {
	b := &testRun{server: w, act: &edit{w: w}, disk: &disk{}}
	w.disk = b.disk
	b.ctx, b.kill = context.WithCancel(t.Context())
	b.stop, b.halt = context.WithCancelCause(b.ctx)
	b.opts = batch.Options{Workers: workers(4), Send: true, Settle: 30 * time.Second, Fresh: 5 * time.Second,
		Tries: 8, Waits: waits(5 * time.Minute)}
	return b
}

func (b *testRun) set(id, field, to string) *batch.Item {
	return &batch.Item{Lane: id, ID: id, Key: "id=" + id, Action: b.act,
		Edits: []batch.Edit{{Field: field, Want: batch.Text(to)}}}
}

func (b *testRun) run(items ...*batch.Item) ([]batch.Outcome, error) {
	seen := map[string]bool{}
	for n := len(items) - 1; n >= 0; n-- {
		items[n].N, items[n].More = n, seen[items[n].Lane]
		seen[items[n].Lane] = true
	}
	mode := journal.ModeDryRun
	if b.opts.Send {
		mode = journal.ModeRun
	}
	j, err := journal.Create(b.disk, journal.Head{Mode: mode, Rows: len(items)})
	if err != nil {
		return nil, err
	}
	emitted := map[int]int{}
	e := batch.Engine{Options: b.opts, Stops: batch.Stops{Stop: b.stop, Abort: b.ctx, Halt: b.halt}, Journal: j}
	e.Emit = func(it *batch.Item, o batch.Outcome) {
		emitted[it.N]++
		if b.onEmit != nil {
			b.onEmit(o)
		}
	}
	err = e.Run(func(yield func(*batch.Item, error) bool) {
		for _, it := range items {
			if !yield(it, nil) {
				return
			}
		}
	})
	for n := range items {
		if emitted[n] != 1 {
			b.server.t.Errorf("row %d was settled %d times", n, emitted[n])
		}
	}
	if ferr := j.Flush(); err == nil {
		err = ferr
	}
	return b.outcomes(), err
}

func (b *testRun) outcomes() []batch.Outcome {
	x, err := journal.Load(bytes.NewReader(b.disk.data), int64(len(b.disk.data)))
	if err != nil {
		b.server.t.Fatal(err)
	}
	var all []batch.Outcome
	for n := range x.Head.Rows {
		o, err := x.Outcome(n)
		if err != nil {
			b.server.t.Fatal(err)
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

// workers are so many of the server's only system.
func workers(n int) map[string]int { return map[string]int{"edit": n} }
