package batch

import (
	"context"
	"sync"
	"time"
)

// flight bounds the requests in flight. Who wants to write is let in before who
// wants to read: behind other rows' reads the record would grow stale.
type flight struct {
	mu     sync.Mutex
	free   int
	writes []chan struct{} // closed when it is their turn
	reads  []chan struct{}
}

func newFlight(most int) *flight { return &flight{free: most} }

// board waits for a place.
func (f *flight) board(write bool) {
	if turn := f.queue(write); turn != nil {
		<-turn
	}
}

// queue takes a place, or returns what is closed once there is one.
func (f *flight) queue(write bool) <-chan struct{} {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.free > 0 {
		f.free--
		return nil
	}
	turn := make(chan struct{})
	if write {
		f.writes = append(f.writes, turn)
	} else {
		f.reads = append(f.reads, turn)
	}
	return turn
}

// leave hands the place on.
func (f *flight) leave() {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, waiting := range []*[]chan struct{}{&f.writes, &f.reads} {
		if len(*waiting) > 0 {
			close((*waiting)[0])
			*waiting = (*waiting)[1:]
			return
		}
	}
	f.free++
}

// fetch reads the live record, unless the run is stopped before its turn comes.
func (v *visitor) fetch() (rep Reply, made bool) {
	if _, blind := v.visit.(Blind); !blind {
		v.board(false)
	}
	if v.stop.Err() != nil {
		return rep, false
	}
	began := time.Now()
	v.asked = v.e.Clock.now()
	rep = v.count(v.visit.Read(v.ctx, v.t.ID))
	if !v.keeps(time.Since(began)) {
		v.leave()
	}
	return rep, true
}

// keeps says that the place of the read is kept for the write. That is so where
// waiting for another might take too long; else other rows' requests have it
// while this one's intent is on its way to the disk. Who must wait for the first
// write keeps none: that one may need it.
func (v *visitor) keeps(took time.Duration) bool {
	return v.alone || v.gate.open() && (v.late || took > v.e.Fresh/20)
}

// reread reads what a write has just changed, stopped or not.
func (v *visitor) reread(read func(context.Context, string) Reply) Reply {
	v.board(false)
	rep := read(v.ctx, v.t.ID)
	v.t.requests += rep.Requests // its status is not the row's
	if rep.Class == Fatal {
		v.e.Halt(rep.Err)
	}
	return rep
}

// board waits for a place among the requests in flight.
func (v *visitor) board(write bool) {
	if !v.aboard {
		v.t.pool.flight.board(write)
		v.aboard = true
	}
}

// yield leaves, unless the first write is still to be read back.
func (v *visitor) yield() {
	if !v.alone {
		v.leave()
	}
}

func (v *visitor) leave() {
	if v.aboard {
		v.t.pool.flight.leave()
		v.aboard = false
	}
}
