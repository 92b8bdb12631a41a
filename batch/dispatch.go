package batch

import (
	"iter"
	"slices"
	"time"
)

const (
	// mostWaiting bounds the rows that are parked, ready, or queue behind a row of their own lane.
	mostWaiting = 1024
	// mostPostponed is after how many rows those that were put off are tried, though
	// others are still to come: an account that refuses all would else be asked about each.
	mostPostponed = 100
	// rowsPerWorker is how many rows are on the way for each request in flight: a
	// worker that waits for the disk must not leave a connection idle.
	rowsPerWorker = 4
)

// pool is the workers of one system, and the rows that are ready for them: a
// slow system must not hold up another's rows.
type pool struct {
	slots   slots
	tasks   chan *task // has room for all that may run, so that handing out never waits
	ready   []*task
	running int
}

// lane is one customer's rows, or those of several that cannot be told apart: at
// most one is under way.
type lane struct {
	queue   []*task
	busy    bool
	halted  *Outcome            // of a row that was not attempted: none may overtake it
	ended   map[string]*Outcome // by customer: of a row after which the customer's others are not sent
	planned []Change            // dry run: what the rows so far would change
	written *written            // the last row's write, if it took effect
}

// written is a write that took effect.
type written struct {
	action Action
	step   Step
	at     time.Time
}

// closed is the outcome of a row that an earlier one keeps from being sent.
func (l *lane) closed(it *Item) *Outcome {
	ended := l.ended[it.customer()]
	switch {
	case l.halted != nil && l.halted.Cut, ended != nil && ended.Cut:
		return &Outcome{Kind: NotAttempted, Code: "stopped"}
	case l.halted != nil:
		return &Outcome{Kind: NotAttempted, Code: "server_unavailable",
			Error: "an earlier row of this customer was not attempted, and rows keep their order"}
	case ended != nil:
		return Reject("earlier_row_failed", "an earlier row of this customer ended "+string(ended.Kind))
	}
	return nil
}

// note remembers of a row's outcome what concerns the rows after it.
func (l *lane) note(it *Item, o Outcome) {
	switch {
	case o.Kind == NotAttempted:
		l.halted = &o
	case o.Kind.ClosesLane():
		if l.ended == nil {
			l.ended = map[string]*Outcome{}
		}
		l.ended[it.customer()] = &o
	case o.Kind == WouldChange:
		// One change a field, though a lane may have thousands of rows. The earlier list is with a worker, and stays as it is.
		l.planned = slices.Clone(l.planned)
		for _, c := range o.Changes {
			at := slices.IndexFunc(l.planned, func(e Change) bool { return e.Field == c.Field })
			if at < 0 {
				l.planned = append(l.planned, c)
			} else {
				l.planned[at].After = c.After
			}
		}
	}
}

// remembers reports whether later rows need to know of earlier ones.
func (l *lane) remembers() bool {
	return l.halted != nil || l.written != nil || len(l.ended)+len(l.planned) > 0
}

// dispatcher owns the lanes, the parked rows and the source. One goroutine runs it.
type dispatcher struct {
	e         *Engine
	work      func(<-chan *task) // starts a worker
	results   chan *result
	pools     map[string]*pool   // by system, made as rows of it come
	canaries  map[string]*canary // by action, likewise
	lanes     map[string]*lane
	parked    []*task
	postponed []*task
	queued    int // rows waiting behind another row of their lane
	changed   int // rows so far whose write took effect
	drained   bool
	err       error
}

func (d *dispatcher) run(src Source) error {
	next, end := iter.Pull2(src)
	defer end()
	for {
		d.fill(next)
		busy := len(d.parked) > 0
		for _, p := range d.pools {
			for len(p.ready) > 0 && p.running < cap(p.tasks) {
				p.tasks <- p.ready[0]
				p.ready = p.ready[1:]
				p.running++
			}
			busy = busy || p.running > 0
		}
		switch {
		case busy:
			d.step()
		case len(d.postponed) > 0:
			d.retryPostponed()
		case d.drained:
			return d.err
		}
	}
}

// fill takes rows from the source until enough are on the way: until no system's
// workers could do with more. A system whose rows are still to come could, too.
func (d *dispatcher) fill(next func() (*Item, error, bool)) {
	hungry := func() bool {
		for _, p := range d.pools {
			if len(p.ready)+p.running < cap(p.tasks) {
				return true
			}
		}
		return len(d.pools) == 0 || len(d.pools) < len(d.e.Workers)
	}
	for !d.drained && hungry() && d.ready()+d.queued+len(d.parked) < mostWaiting && len(d.postponed) < mostPostponed {
		it, err, ok := next()
		if !ok || err != nil {
			d.drained = true
			d.fail(err)
			return
		}
		d.take(it)
	}
}

// ready counts the rows that wait for a worker.
func (d *dispatcher) ready() (n int) {
	for _, p := range d.pools {
		n += len(p.ready)
	}
	return n
}

// take puts a row on its way, or settles it at once.
func (d *dispatcher) take(it *Item) {
	switch {
	case it.Earlier.Settled && !it.More:
		return
	case !it.Earlier.Settled && it.Out != nil:
		d.settle(it, *it.Out)
		return
	}
	l := d.lanes[it.Lane]
	if l == nil {
		l = &lane{}
	}
	if it.Earlier.Settled {
		if l.note(it, *it.Earlier.Outcome); l.remembers() {
			d.lanes[it.Lane] = l
		}
		return
	}
	t := &task{Item: it, waits: d.e.Waits(), pool: d.pools[it.Action.System()], canary: d.canaries[it.Action.Name()]}
	if d.e.stopped() {
		d.settle(it, t.cutShort())
		return
	}
	if t.pool == nil {
		t.pool = d.newPool(it.Action.System())
	}
	if t.canary == nil {
		t.canary = newCanary()
		d.canaries[it.Action.Name()] = t.canary
	}
	d.lanes[it.Lane] = l
	if l.busy {
		l.queue = append(l.queue, t)
		d.queued++
		return
	}
	d.start(l, t)
}

// newPool starts the workers of a system. Whoever asks for one request at a time
// gets the rows in their order.
func (d *dispatcher) newPool(system string) *pool {
	inFlight := max(1, d.e.Workers[system])
	onTheWay := inFlight * rowsPerWorker
	if inFlight == 1 {
		onTheWay = 1
	}
	p := &pool{slots: slots{free: inFlight}, tasks: make(chan *task, onTheWay)}
	for range onTheWay {
		d.work(p.tasks)
	}
	d.pools[system] = p
	return p
}

// start readies a lane's next row, unless an earlier row has closed the lane.
func (d *dispatcher) start(l *lane, t *task) {
	if out := l.closed(t.Item); out != nil {
		d.settle(t.Item, *out)
		d.leave(l, t.Item)
		return
	}
	l.busy, t.planned, t.after = true, l.planned, l.written
	if t.Sent != nil && time.Now().Before(t.Earlier.Settle) {
		t.due = t.Earlier.Settle
		d.parked = append(d.parked, t)
		return
	}
	t.pool.ready = append(t.pool.ready, t)
}

// step waits for one thing to happen.
func (d *dispatcher) step() {
	var wake <-chan time.Time
	var first *task
	if len(d.parked) > 0 {
		first = slices.MinFunc(d.parked, func(a, b *task) int { return a.due.Compare(b.due) })
		timer := time.NewTimer(time.Until(first.due))
		defer timer.Stop()
		wake = timer.C
	}
	var halted <-chan struct{} // for as long as there is something to cut short
	if d.ready()+len(d.parked)+len(d.postponed) > 0 {
		halted = d.e.Stop.Done()
	}
	select {
	case r := <-d.results:
		r.task.pool.running--
		d.finish(r)
	case <-wake:
		d.parked = slices.DeleteFunc(d.parked, func(t *task) bool { return t == first })
		first.pool.ready = append(first.pool.ready, first)
	case <-halted: // every row that is not with a worker ends here
		var waiting []*task
		for _, p := range d.pools {
			waiting = append(waiting, p.ready...)
			p.ready = nil
		}
		waiting = slices.Concat(waiting, d.parked, d.postponed)
		d.parked, d.postponed = nil, nil
		for _, t := range waiting {
			d.close(t, t.cutShort())
		}
	}
}

// finish takes a worker's result for what it asks for.
func (d *dispatcher) finish(r *result) {
	t := r.task
	switch {
	case r.next == end:
		d.close(t, r.out)
	case d.e.stopped():
		d.close(t, t.cutShort())
	case r.next == park:
		t.due = time.Now().Add(r.wait)
		d.parked = append(d.parked, t)
	case t.Sends >= t.Action.MaxSends(): // it cannot be sent once more
		d.close(t, r.out)
	default:
		t.postponed++
		t.refused = &r.out
		d.postponed = append(d.postponed, t)
	}
}

// retryPostponed readies the rows that were put off, now that no other is on its
// way: once in any case, and again as long as other rows have changed something
// since the last try, for one may have freed what another wants.
func (d *dispatcher) retryPostponed() {
	waiting := d.postponed
	d.postponed = nil
	for _, t := range waiting {
		switch {
		case d.e.stopped():
			d.close(t, t.cutShort())
		case t.postponed > 1 && d.changed == t.changed:
			d.close(t, *t.refused)
		default:
			t.changed = d.changed
			t.pool.ready = append(t.pool.ready, t)
		}
	}
}

// close settles a row that held its lane, and starts the lane's next.
func (d *dispatcher) close(t *task, o Outcome) {
	d.settle(t.Item, o)
	l := d.lanes[t.Lane]
	l.busy = false
	if o.Kind == Changed {
		d.changed++
		l.written = &written{t.Action, t.step, time.Now()}
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

func (d *dispatcher) settle(it *Item, o Outcome) { d.fail(d.e.Conclude(it, o)) }

// fail keeps the first error and stops the run for it.
func (d *dispatcher) fail(err error) {
	if err != nil && d.err == nil {
		d.err = err
		d.e.Halt(err)
	}
}
