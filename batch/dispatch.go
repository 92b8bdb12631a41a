package batch

import (
	"container/heap"
	"context"
	"iter"
	"slices"
	"time"

	"github.com/cenkalti/backoff/v5"
)

// task is a row on its way through the engine.
type task struct {
	*Item
	requests int // made for this row by this process
	tries    int // visits in a row that brought no answer
	started  time.Time
	waits    *backoff.ExponentialBackOff
	due      time.Time // of a parked row
	step     Step      // as last sent
	last     int       // HTTP status of the last reply
	seen     Record    // as last read
	planned  []Change  // dry run: what earlier rows of the lane would change
	pool     *pool

	unsettled bool     // an earlier write may have taken effect, and nothing can tell
	postponed int      // times that it was put off until the other rows are done
	changed   int      // rows that were changed when it was last tried
	refused   *Outcome // what stands if it is not tried again
	refusal   *Reply   // of a write that followed on one without an answer

	outOfDate []byte // the record as last read, when the write came too late after it
	slow      int    // such readings in a row that took long themselves
	outdated  int    // times that the record was too old by the time its intent was on disk
}

// result is what a turn brought: an outcome, or a row to visit again later.
type result struct {
	task   *task
	out    *Outcome
	wait   time.Duration
	later  bool  // once more when all other rows are done; out is what stands without
	afresh bool  // not for the dispatcher: the same worker visits again at once
	err    error // the journal's
}

const (
	// mostWaiting bounds the rows that are parked, ready, or queue behind a row of their own lane.
	mostWaiting = 1024
	// mostPostponed is after how many rows those that were put off are tried, though
	// others are still to come: an account that refuses all would else be asked about each.
	mostPostponed = 100
)

// dispatcher owns the lanes, the parked rows and the source. One goroutine runs it.
type dispatcher struct {
	e         *Engine
	pools     *pools
	results   <-chan result
	lanes     map[string]*lane
	parked    parkedTasks
	postponed []*task
	queued    int // rows waiting behind another row of their lane
	changed   int // rows so far whose write took effect
	drained   bool
	err       error
}

func newDispatcher(e *Engine, p *pools, results <-chan result) *dispatcher {
	return &dispatcher{e: e, pools: p, results: results, lanes: map[string]*lane{}}
}

func (d *dispatcher) run(stop context.Context, src Source) error {
	next, end := iter.Pull2(src)
	defer end()
	for {
		d.fill(stop, next)
		busy := d.pools.hand() || len(d.parked) > 0
		switch {
		case busy:
			d.step(stop)
		case len(d.postponed) > 0:
			d.resumePostponed(stop)
		case d.drained:
			return d.err
		}
	}
}

// resumePostponed readies the rows that were put off, now that no other is on its
// way: once in any case, and again as long as other rows have changed something
// since the last try, for one may have freed what another wants.
func (d *dispatcher) resumePostponed(stop context.Context) {
	waiting := d.postponed
	d.postponed = nil
	for _, t := range waiting {
		if stop.Err() != nil {
			d.close(t, t.cutShort())
			continue
		}
		if t.postponed > 1 && d.changed == t.changed {
			d.close(t, *t.refused)
			continue
		}
		t.changed = d.changed
		t.pool.ready = append(t.pool.ready, t)
	}
}

// putOff keeps a refused row for later, unless it was sent as often as it may.
func (d *dispatcher) putOff(t *task, refused Outcome) {
	if t.Sends >= t.Action.MaxSends() {
		d.close(t, refused)
		return
	}
	t.postponed++
	t.refused = &refused
	d.postponed = append(d.postponed, t)
}

// fill takes rows from the source until enough are on the way.
func (d *dispatcher) fill(stop context.Context, next func() (*Item, error, bool)) {
	for !d.drained && d.pools.hungry() && d.pools.ready()+d.queued+len(d.parked) < mostWaiting && len(d.postponed) < mostPostponed {
		it, err, ok := next()
		if !ok || err != nil {
			d.drained = true
			d.fail(err)
			return
		}
		d.take(it, stop.Err() != nil)
	}
}

// take puts a row on its way, or settles it at once.
func (d *dispatcher) take(it *Item, stopped bool) {
	if it.Out != nil {
		d.settle(it, *it.Out)
		return
	}
	if it.Past != nil {
		d.recall(it)
		return
	}
	t := &task{Item: it, waits: d.e.Waits(), pool: d.pools.of(it.Action.System())}
	if stopped {
		d.settle(it, t.cutShort())
		return
	}
	l := d.lanes[it.Lane]
	if l == nil {
		l = &lane{}
		d.lanes[it.Lane] = l
	}
	if l.busy {
		l.queue = append(l.queue, t)
		d.queued++
		return
	}
	d.start(l, t)
}

// recall takes note of a row that an earlier process has settled.
func (d *dispatcher) recall(it *Item) {
	if !it.More {
		return
	}
	l := d.lanes[it.Lane]
	if l == nil {
		l = &lane{}
	}
	if l.note(it, *it.Past); l.remembers() {
		d.lanes[it.Lane] = l
	}
}

// start readies a lane's next row, unless an earlier row has closed the lane.
func (d *dispatcher) start(l *lane, t *task) {
	if out := l.closed(t.Item); out != nil {
		d.settle(t.Item, *out)
		d.leave(l, t.Item)
		return
	}
	l.busy, t.planned = true, l.planned
	if t.Sent != nil && time.Now().Before(t.Settle) {
		t.due = t.Settle
		heap.Push(&d.parked, t)
		return
	}
	t.pool.ready = append(t.pool.ready, t)
}

// step waits for one thing to happen.
func (d *dispatcher) step(stop context.Context) {
	wake, cancel := d.parked.alarm()
	defer cancel()
	select {
	case r := <-d.results:
		r.task.pool.running--
		d.finish(r, stop.Err() != nil)
	case <-wake:
		t := heap.Pop(&d.parked).(*task)
		t.pool.ready = append(t.pool.ready, t)
	case <-d.halted(stop):
		d.cutShort()
	}
}

// halted is the stop signal for as long as there is something to cut short.
func (d *dispatcher) halted(stop context.Context) <-chan struct{} {
	if d.pools.ready()+len(d.parked)+len(d.postponed) == 0 {
		return nil
	}
	return stop.Done()
}

func (d *dispatcher) finish(r result, stopped bool) {
	d.fail(r.err)
	switch {
	case r.later && !stopped:
		d.putOff(r.task, *r.out)
	case r.out != nil && !r.later:
		d.close(r.task, *r.out)
	case stopped:
		d.close(r.task, r.task.cutShort())
	default:
		r.task.due = time.Now().Add(r.wait)
		heap.Push(&d.parked, r.task)
	}
}

// close settles a row that held its lane, and starts the lane's next.
func (d *dispatcher) close(t *task, o Outcome) {
	d.settle(t.Item, o)
	l := d.lanes[t.Lane]
	l.busy = false
	if o.Kind == Changed {
		d.changed++
	}
	l.note(t.Item, o)
	d.leave(l, t.Item)
}

// leave goes on with the lane after one of its rows, or forgets a lane of which
// nothing needs to be remembered.
func (d *dispatcher) leave(l *lane, it *Item) {
	if len(l.queue) > 0 && !l.busy {
		t := l.queue[0]
		l.queue = l.queue[1:]
		d.queued--
		d.start(l, t)
		return
	}
	if !l.busy && (!it.More || !l.remembers()) {
		delete(d.lanes, it.Lane)
	}
}

// cutShort settles every row that is not with a worker.
func (d *dispatcher) cutShort() {
	waiting := slices.Concat(d.pools.takeReady(), d.parked, d.postponed)
	d.parked, d.postponed = nil, nil
	for _, t := range waiting {
		d.close(t, t.cutShort())
	}
}

// cutShort is the outcome of a row that the stop of the run overtook.
func (t *task) cutShort() Outcome {
	if t.Sent != nil {
		return t.outcome(Outcome{Kind: InDoubt, Cut: true, Code: "no_answer", Error: "the run stopped before it could be read back whether the write took effect"})
	}
	return t.outcome(Outcome{Kind: NotAttempted, Cut: true, Code: "stopped"})
}

func (d *dispatcher) settle(it *Item, o Outcome) { d.fail(d.e.Conclude(it, o)) }

// fail keeps the first error and stops the run for it.
func (d *dispatcher) fail(err error) {
	if err != nil && d.err == nil {
		d.err = err
		d.e.Halt(err)
	}
}
