package batch

// rowsPerWorker is how many rows are on the way for each request in flight: a
// worker that waits for the disk must not leave a connection idle. Whoever asks
// for one request at a time gets the rows in their order.
const rowsPerWorker = 4

func onTheWay(workers int) int {
	if workers == 1 {
		return 1
	}
	return workers * rowsPerWorker
}

// pool is the workers of one system, and the rows that are ready for them: a
// slow system must not hold up another's rows.
type pool struct {
	flight  *flight
	tasks   chan *task // has room for all that may run, so that handing out never waits
	ready   []*task
	running int
}

func (p *pool) most() int { return cap(p.tasks) }

// hungry says that more rows should be on the way.
func (p *pool) hungry() bool { return len(p.ready)+p.running < p.most() }

// hand gives ready rows to the workers that are free.
func (p *pool) hand() {
	for len(p.ready) > 0 && p.running < p.most() {
		p.tasks <- p.ready[0]
		p.ready = p.ready[1:]
		p.running++
	}
}

// pools are made as rows of their systems come.
type pools struct {
	workers map[string]int
	start   func(<-chan *task) // one worker
	all     map[string]*pool
}

func newPools(workers map[string]int, start func(<-chan *task)) *pools {
	return &pools{workers: workers, start: start, all: map[string]*pool{}}
}

func (p *pools) of(system string) *pool {
	if known := p.all[system]; known != nil {
		return known
	}
	n := max(1, p.workers[system])
	made := &pool{flight: newFlight(n), tasks: make(chan *task, onTheWay(n))}
	for range made.most() {
		p.start(made.tasks)
	}
	p.all[system] = made
	return made
}

// hungry says that some system's workers could do with more rows. A system whose
// rows are still to come could, too.
func (p *pools) hungry() bool {
	for _, one := range p.all {
		if one.hungry() {
			return true
		}
	}
	return len(p.all) == 0 || len(p.all) < len(p.workers)
}

// hand gives ready rows to free workers, and says whether any worker is busy.
func (p *pools) hand() (busy bool) {
	for _, one := range p.all {
		one.hand()
		busy = busy || one.running > 0
	}
	return busy
}

func (p *pools) ready() (n int) {
	for _, one := range p.all {
		n += len(one.ready)
	}
	return n
}

// takeReady returns the rows that no worker has, which are then in no pool.
func (p *pools) takeReady() (all []*task) {
	for _, one := range p.all {
		all = append(all, one.ready...)
		one.ready = nil
	}
	return all
}

func (p *pools) close() {
	for _, one := range p.all {
		close(one.tasks)
	}
}
