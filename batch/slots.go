package batch

import (
	"context"
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

// slots bound the requests in flight. Who wants to write gets one before who wants
// to read: behind other rows' reads the record would grow stale.
type slots struct {
	mu     sync.Mutex
	free   int
	writes []chan struct{} // closed when it is their turn
	reads  []chan struct{}
}

// acquire waits for a slot.
func (s *slots) acquire(write bool) {
	s.mu.Lock()
	if s.free > 0 {
		s.free--
		s.mu.Unlock()
		return
	}
	turn := make(chan struct{})
	if write {
		s.writes = append(s.writes, turn)
	} else {
		s.reads = append(s.reads, turn)
	}
	s.mu.Unlock()
	<-turn
}

// release hands a slot on. Whoever gets it goes first: the next request is to be on its
// way before the reply to this one is thought about.
func (s *slots) release() {
	if s.handOn() {
		runtime.Gosched()
	}
}

// handOn reports whether somebody was waiting for the slot.
func (s *slots) handOn() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, waiting := range []*[]chan struct{}{&s.writes, &s.reads} {
		if len(*waiting) > 0 {
			close((*waiting)[0])
			*waiting = (*waiting)[1:]
			return true
		}
	}
	s.free++
	return false
}

// canary lets the first write of an action go alone, in each process, until reading
// its customer has shown that nothing moved but what the row named. Only then may many go
// at once: a misunderstanding of the API is to cost one customer, not a thousand.
type canary struct {
	turn   chan struct{} // holds one token: the right to go alone
	proved chan struct{} // closed once a write was verified
	behind atomic.Int64  // the longest that reads were seen to lag behind writes
}

// lags notes by how much a reading lagged behind a write.
func (c *canary) lags(by time.Duration) {
	c.behind.Store(max(c.behind.Load(), int64(by)))
}

func (c *canary) lag() time.Duration { return time.Duration(c.behind.Load()) }

func newCanary() *canary {
	c := &canary{turn: make(chan struct{}, 1), proved: make(chan struct{})}
	c.turn <- struct{}{}
	return c
}

// passed reports whether a write of the action was verified.
func (c *canary) passed() bool {
	select {
	case <-c.proved:
		return true
	default:
		return false
	}
}

// enter waits until the writer may send: as one of many, or alone as the first. Who
// is the first must leave.
func (c *canary) enter(stop context.Context) (first bool, err error) {
	if c.passed() {
		return false, nil
	}
	select {
	case <-c.proved:
		return false, nil
	case <-c.turn:
		return true, nil
	case <-stop.Done():
		return false, stop.Err()
	}
}

// leave ends a turn alone.
func (c *canary) leave(verified bool) {
	if verified {
		close(c.proved)
		return
	}
	c.turn <- struct{}{}
}
