package batch_test

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"rowbatch/batch"
	"rowbatch/batch/journal"
)

var crashes = flag.Int("crashes", 300, "seeded runs to kill in TestCrashes, each several times")

// TestCrashes runs seeded schedules of faults, ends the process several times at
// any moment, by a kill or by a loss of power, and resumes the run until it ends.
func TestCrashes(t *testing.T) {
	killed := 0
	for seed := range *crashes {
		synctest.Test(t, func(t *testing.T) { killed += crashing(t, seed) })
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
	if killed < *crashes {
		t.Errorf("only %d crashes", killed)
	}
	t.Logf("%d crashes", killed)
}

// crashing carries one run through all its crashes, and returns how many there were.
func crashing(t *testing.T, seed int) (killed int) {
	var ids []string
	for n := range 10 {
		ids = append(ids, fmt.Sprint(n))
	}
	w := newFakeServer(t, ids...)
	w.fault = faultsOf(seed)
	w.acts = func(id string, call int) bool { return chance(seed, id, call, "acts") < 0.5 }
	w.lag = lagOf(seed)
	act := &edit{w: w, blind: seed%6 == 5, wide: seed%4 == 1, short: seed%8 == 6, lies: seed%8 == 2, most: []int{0, 2}[seed%2]}
	data := []byte(nil)
	for life := range 20 {
		if life == 6 {
			w.fault = nil // calm weather
		}
		p := &process{w: w, act: act, ids: ids, seed: seed, data: data}
		dies := time.Duration(chance(seed, life, "dies") * float64(90*time.Second))
		if life > 6 {
			dies = 0
		}
		var died bool
		if data, died = p.live(t, dies, chance(seed, life, "power") < 0.5); !died && life > 6 {
			break
		} else if died {
			killed++
		}
		time.Sleep(time.Duration(chance(seed, life, "pause") * float64(40*time.Second)))
	}
	time.Sleep(2 * time.Minute) // late effects arrive
	x, err := journal.Load(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	var got []batch.Outcome
	var items []*batch.Item
	for n := range x.Head.Rows {
		o, err := x.Outcome(n)
		if err != nil {
			t.Fatal(err)
		}
		if o.Kind == batch.NotAttempted {
			t.Errorf("row %d was never attempted: %+v", n, o)
		}
		got, items = append(got, o), append(items, rowOf(act, ids, seed, n))
	}
	agrees(t, w, items, got, act.blind)
	return killed
}

// A server that loses every write of a row uses up its sends. Once it is well
// again, whoever resumes carries the row out all the same.
func TestResumeSendsAsOftenAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newFakeServer(t, "1")
		w.fault = func(kind, _ string, _ int) (f fault) {
			if kind == "send" {
				f.class = batch.Lost
			}
			return f
		}
		p := &process{w: w, act: &edit{w: w}, ids: []string{"1"}}
		outcomes := func() (all []batch.Outcome) {
			p.data, _ = p.live(t, 0, false)
			for n := range crashRows {
				o, err := p.load(t, p.data).Outcome(n)
				must(t, err)
				all = append(all, o)
			}
			return all
		}
		first := outcomes()[0]
		if first.Kind != batch.NotAttempted || first.Code != "server_unavailable" || first.Sends != 8 {
			t.Errorf("of a server that loses all writes: %+v", first)
		}
		w.fault = nil
		for n, o := range outcomes() {
			if o.Kind != batch.Changed {
				t.Errorf("row %d, once the server is well: %+v", n, o)
			}
		}
		if len(w.order["1"]) != crashRows {
			t.Errorf("%d effects of %d rows", len(w.order["1"]), crashRows)
		}
	})
}

// slowest is how long the slowest answer of faultsOf takes: a write that a crash cut
// off may have been on its way for so long.
const slowest = 8 * 901 * time.Millisecond

func faultsOf(seed int) func(kind, id string, call int) fault {
	bad := chance(seed, "bad") / 2
	return func(kind, id string, call int) fault {
		f := fault{delay: time.Duration(1+chance(seed, id, call, "delay")*900) * time.Millisecond}
		if seed%7 == 3 {
			f.delay *= 8 // many a record is too old when it comes
		}
		if chance(seed, id, call, "fails") < bad {
			f.class = []batch.Class{batch.Lost, batch.Lost, batch.Throttled, batch.Unsent}[int(chance(seed, id, call, "class")*4)]
			f.effect = chance(seed, id, call, "effect") < 0.5
			f.late = time.Duration(chance(seed, id, call, "late")*29) * time.Second
		}
		return f
	}
}

const crashRows = 24

// rowOf is the n-th row of a seed's file.
func rowOf(act *edit, ids []string, seed, n int) *batch.Item {
	id := ids[int(chance(seed, n, "row")*float64(len(ids)))]
	return &batch.Item{N: n, Lane: id, ID: id, Key: "id=" + id, Action: act, More: true,
		Edits: []batch.Edit{{Field: "a", Want: batch.Text(fmt.Sprint("v", n))}}}
}

// process is one life of the program.
type process struct {
	w    *fakeServer
	act  *edit
	ids  []string
	seed int
	data []byte // of the journal, as the last life left it
}

// live runs until the end, or until it is killed, and returns what the disk holds then.
func (p *process) live(t *testing.T, dies time.Duration, power bool) (kept []byte, died bool) {
	d := &disk{data: bytes.Clone(p.data), synced: len(p.data)}
	p.w.disk = d
	j, past := p.journal(t, d)
	ctx, end := context.WithCancel(t.Context())
	defer end()
	stop, halt := context.WithCancelCause(ctx)
	e := batch.Engine{Journal: j, Stops: batch.Stops{Stop: stop, Abort: ctx, Halt: halt}, Emit: func(*batch.Item, batch.Outcome) {},
		Options: batch.Options{
			Workers: workers(3), Send: true, Settle: 30 * time.Second, Fresh: 5 * time.Second,
			Tries: 8, Waits: waits(time.Minute)}}
	src := journal.Resumed(p.rows(), past, journal.ResumeOptions{
		Again: func(batch.Outcome) bool { return false }, Attempt: slowest, Settle: 30 * time.Second})
	crashed := make(chan []byte, 1)
	if dies > 0 {
		time.AfterFunc(dies, func() {
			crashed <- d.crash(power, chance(p.seed, len(p.data), "torn"))
			p.w.epoch.Add(1)
			end()
		})
	}
	err := e.Run(src)
	select {
	case left := <-crashed:
		return left, true
	default:
	}
	if err != nil {
		t.Fatal(err)
	}
	if err := j.Flush(); err != nil {
		t.Fatal(err)
	}
	return d.data, false
}

// journal starts a journal, or goes on with the one on the disk.
func (p *process) journal(t *testing.T, d *disk) (*journal.Writer, *journal.Index) {
	if len(d.data) > 0 {
		x, err := journal.Load(bytes.NewReader(d.data), int64(len(d.data)))
		if x.Sound > 0 {
			must(t, err)
			d.data, d.synced = d.data[:x.Sound], int(x.Sound)
			return journal.Continue(d, x), p.load(t, d.data)
		}
		d.data, d.synced = nil, 0 // not even its head had come to be on disk
	}
	j, err := journal.Create(d, journal.Head{Rows: crashRows})
	if err != nil {
		t.Fatal(err)
	}
	return j, p.load(t, d.data)
}

func (p *process) load(t *testing.T, data []byte) *journal.Index {
	data = bytes.Clone(data)
	x, err := journal.Load(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	return x
}

func (p *process) rows() batch.Source {
	return func(yield func(*batch.Item, error) bool) {
		for n := range crashRows {
			if !yield(rowOf(p.act, p.ids, p.seed, n), nil) {
				return
			}
		}
	}
}
