package governor

import "time"

// What the tests that stand outside, with a client between, see and set.

var Usable = usable

// SetMinute makes the window of the minute's headers longer or shorter.
func (g *Governor) SetMinute(length time.Duration) { g.state.minute.length = length }

// SetClock has this machine's clock show another time by so much.
func (g *Governor) SetClock(by func() time.Duration) {
	g.mu.Lock()
	defer g.mu.Unlock()
	system := g.read
	g.read = func() reading {
		r := system()
		r.wall = r.wall.Add(by())
		return r
	}
}

// Out is how many permits are out, and how many requests under them have left.
func (g *Governor) Out() (permits, pending int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.state.out, g.state.pending
}

// Probing reports whether a probe is out.
func (g *Governor) Probing() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.state.probe != nil
}

// Others is how many requests of others were seen in this minute and before it.
func (g *Governor) Others() (now int, before float64) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.state.minute.others.seen, g.state.minute.others.past.seen
}

// WaitsFor is for what callers wait now.
func (g *Governor) WaitsFor() Reason {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.waits.gravest()
}

// Queue stands at the head of the queue until the caller leaves it.
func (g *Governor) Queue() (leave func()) {
	g.turn <- struct{}{}
	return func() { <-g.turn }
}

// Left is how many permits of the lease are not used yet.
func (l *Lease) Left() int { return l.left }
