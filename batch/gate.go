package batch

import (
	"context"
	"sync"
)

// firstWrite lets the first write of each action, in each process, go alone, until a read after
// it has shown that nothing moved but what the row named. Only then may many go
// at once: a misunderstanding of the API shall cost one customer, not a thousand.
type firstWrite struct {
	mu    sync.Mutex
	gates map[string]*gate
}

type gate struct {
	turn   chan struct{} // holds one token: the right to go alone
	proven chan struct{} // closed once a write was verified
}

func (f *firstWrite) of(action string) *gate {
	f.mu.Lock()
	defer f.mu.Unlock()
	g := f.gates[action]
	if g == nil {
		g = &gate{turn: make(chan struct{}, 1), proven: make(chan struct{})}
		g.turn <- struct{}{}
		if f.gates == nil {
			f.gates = map[string]*gate{}
		}
		f.gates[action] = g
	}
	return g
}

// open says that a write of this action was verified.
func (g *gate) open() bool {
	select {
	case <-g.proven:
		return true
	default:
		return false
	}
}

// enter waits until the writer may send. Alone: it must prove the gate or give its turn back.
func (g *gate) enter(ctx context.Context) (alone bool, err error) {
	if g.open() {
		return false, nil
	}
	select {
	case <-g.proven:
		return false, nil
	case <-g.turn:
		return true, nil
	case <-ctx.Done():
		return false, ctx.Err()
	}
}

// leave ends a turn alone.
func (g *gate) leave(proven bool) {
	if proven {
		close(g.proven)
		return
	}
	g.turn <- struct{}{}
}
