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
}

// result is what a turn brought: an outcome, or a row to visit again later.
type result struct {
	task   *task
	out    *Outcome
	wait   time.Duration
	afresh bool  // not for the dispatcher: the same worker visits again at once
	err    error // the journal's
}

// lane is one customer's rows: at most one is under way.
type lane struct {
	queue   []*task
	busy    bool
	ended   *Outcome // of a row that closes the lane to later ones
	planned []Change // dry run: what the rows so far would change
}

// dispatcher owns the lanes, the parked rows and the source. One goroutine runs it.
type dispatcher struct {
	e       *Engine
	tasks   chan<- *task
	results <-chan result
	lanes   map[string]*lane
	ready   []*task
	parked  parkedTasks
	running int
	queued  int // rows waiting behind another row of their lane
	drained bool
	err     error
}

func newDispatcher(e *Engine, tasks chan<- *task, results <-chan result) *dispatcher {
	return &dispatcher{e: e, tasks: tasks, results: results, lanes: map[string]*lane{}}
}

func (d *dispatcher) run(stop context.Context, src Source) error {
	next, end := iter.Pull2(src)
	defer end()
	for {
		d.fill(stop, next)
		if d.drained && d.running+len(d.ready)+len(d.parked) == 0 {
			return d.err
		}
		d.step(stop)
	}
}

// fill takes rows from the source until enough are on the way.
func (d *dispatcher) fill(stop context.Context, next func() (*Item, error, bool)) {
	most := d.e.Workers * rowsPerWorker
	for !d.drained && len(d.ready)+d.running < most && d.queued+len(d.parked) < mostWaiting {
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
	t := &task{Item: it, waits: d.e.Patience.waits()}
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

// start readies a lane's next row, unless an earlier row has closed the lane.
func (d *dispatcher) start(l *lane, t *task) {
	if out := l.closed(); out != nil {
		d.settle(t.Item, *out)
		d.leave(l, t.Item)
		return
	}
	l.busy, t.planned = true, l.planned
	d.ready = append(d.ready, t)
}

// closed is the outcome of a row whose lane an earlier row has closed.
func (l *lane) closed() *Outcome {
	switch {
	case l.ended == nil:
		return nil
	case l.ended.Cut:
		return &Outcome{Kind: NotAttempted, Code: "stopped"}
	case l.ended.Kind == NotAttempted:
		return &Outcome{Kind: NotAttempted, Code: "server_unavailable", Error: "an earlier row of this customer was not attempted, and rows keep their order"}
	}
	return Reject("earlier_row_failed", "an earlier row of this customer ended "+string(l.ended.Kind))
}

// step waits for one thing to happen.
func (d *dispatcher) step(stop context.Context) {
	var out chan<- *task
	var head *task
	if len(d.ready) > 0 {
		out, head = d.tasks, d.ready[0]
	}
	wake, cancel := d.parked.alarm()
	defer cancel()
	select {
	case out <- head:
		d.ready = d.ready[1:]
		d.running++
	case r := <-d.results:
		d.running--
		d.finish(r, stop.Err() != nil)
	case <-wake:
		d.ready = append(d.ready, heap.Pop(&d.parked).(*task))
	case <-d.halted(stop):
		d.cutShort()
	}
}

// halted is the stop signal for as long as there is something to cut short.
func (d *dispatcher) halted(stop context.Context) <-chan struct{} {
	if len(d.ready)+len(d.parked) == 0 {
		return nil
	}
	return stop.Done()
}

func (d *dispatcher) finish(r result, stopped bool) {
	d.fail(r.err)
	if r.out == nil && !stopped {
		r.task.due = time.Now().Add(r.wait)
		heap.Push(&d.parked, r.task)
		return
	}
	if r.out == nil {
		out := r.task.cutShort()
		r.out = &out
	}
	d.close(r.task, *r.out)
}

// close settles a row that held its lane, and starts the lane's next.
func (d *dispatcher) close(t *task, o Outcome) {
	d.settle(t.Item, o)
	l := d.lanes[t.Lane]
	l.busy = false
	if o.Kind.ClosesLane() || o.Kind == NotAttempted {
		l.ended = &o
	}
	if o.Kind == WouldChange {
		l.planned = merged(l.planned, o.Changes)
	}
	d.leave(l, t.Item)
}

// merged lays later changes over earlier ones, so that a lane with thousands of
// rows keeps one change a field. The earlier ones are with a worker: they stay as they are.
func merged(earlier, later []Change) []Change {
	all := slices.Clone(earlier)
	for _, c := range later {
		at := slices.IndexFunc(all, func(e Change) bool { return e.Field == c.Field })
		if at < 0 {
			all = append(all, c)
		} else {
			all[at].After = c.After
		}
	}
	return all
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
	remembered := it.More && (l.ended != nil || len(l.planned) > 0)
	if !l.busy && !remembered {
		delete(d.lanes, it.Lane)
	}
}

// cutShort settles every row that is not with a worker.
func (d *dispatcher) cutShort() {
	waiting := slices.Concat(d.ready, d.parked)
	d.ready, d.parked = nil, nil
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

// parkedTasks is a heap by due time.
type parkedTasks []*task

func (p parkedTasks) Len() int           { return len(p) }
func (p parkedTasks) Less(i, j int) bool { return p[i].due.Before(p[j].due) }
func (p parkedTasks) Swap(i, j int)      { p[i], p[j] = p[j], p[i] }
func (p *parkedTasks) Push(t any)        { *p = append(*p, t.(*task)) }
func (p *parkedTasks) Pop() any {
	last := len(*p) - 1
	t := (*p)[last]
	*p = (*p)[:last]
	return t
}

// alarm rings when the first parked row is due.
func (p parkedTasks) alarm() (<-chan time.Time, func()) {
	if len(p) == 0 {
		return nil, func() {}
	}
	timer := time.NewTimer(time.Until(p[0].due))
	return timer.C, func() { timer.Stop() }
}
