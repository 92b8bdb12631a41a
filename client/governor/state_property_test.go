package governor

import (
	"errors"
	"net/http"
	"strconv"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// model drives a state by hand: what it lets through, and what becomes of that.
type model struct {
	state
	now    time.Time
	leases []*Lease       // with permits that are not used
	onWay  map[*Lease]int // requests that have left
}

func newModel(t *rapid.T) *model {
	reserve := rapid.SampledFrom([]float64{0, 0.1, 0.5, 1}).Draw(t, "reserve")
	return &model{state: New(Limits{Reserve: reserve}).state, now: time.Date(2026, 11, 20, 21, 52, 7, 0, time.UTC), onWay: map[*Lease]int{}}
}

// ask asks for n permits, and keeps them when they are given.
func (m *model) ask(n int, dipping bool) verdict {
	l := &Lease{reserve: dipping}
	v := m.admit(m.now, l, n)
	if v.ok {
		m.leases = append(m.leases, l)
	}
	return v
}

func (m *model) send(l *Lease) {
	m.leave(l)
	m.onWay[l]++
}

func (m *model) close(l *Lease) {
	unused := l.left
	l.left = 0
	m.takeBack(l, unused)
}

func (m *model) settle(l *Lease, o Observation) {
	m.onWay[l]--
	m.end(l, o, m.read(o), m.now)
}

// drain ends everything that is open, as a run does that gives up.
func (m *model) drain() {
	for _, l := range m.leases {
		m.close(l)
	}
	for l, n := range m.onWay {
		for range n {
			m.settle(l, Observation{Ending: Unanswered, Counted: true, Err: errors.New("reset"), Sent: m.now, Received: m.now})
		}
	}
	m.leases = nil
}

// anyReply is what a server, or something before it, may say at its worst.
func anyReply(t *rapid.T, now time.Time) Observation {
	// An answer, a 429, a reply that got lost, a request that did not leave.
	end := rapid.SampledFrom([]string{"answered", "answered", "answered", "throttled", "lost", "unsent"}).Draw(t, "end")
	sent := now.Add(-rapid.SampledFrom([]time.Duration{50 * time.Millisecond, time.Second, 2 * time.Minute}).Draw(t, "took"))
	o := Observation{Ending: Answered, Counted: true, Sent: sent, Received: now, Header: http.Header{}}
	switch end {
	case "lost", "unsent":
		o.Ending, o.Counted, o.Err = Unanswered, end == "lost", errors.New("reset")
		return o
	case "throttled":
		o.Ending = Throttled
	}
	at := now.Add(rapid.SampledFrom([]time.Duration{0, 0, 0, -time.Hour, time.Hour, 3 * time.Second}).Draw(t, "server's clock"))
	o.Header.Set("Date", at.UTC().Format(http.TimeFormat))
	if o.Ending == Throttled {
		o.Header.Set("Retry-After", rapid.SampledFrom([]string{"", "3", "7200", "x"}).Draw(t, "wish"))
	}
	for i, name := range []string{"Minute", "Day"} {
		length := []time.Duration{time.Minute, 24 * time.Hour}[i]
		limit := rapid.SampledFrom([]int{0, 1, 3, 50, 1000}).Draw(t, "limit")
		reset := at.Truncate(length).Add(length)
		o.Header.Set("X-Rate-Limit-Limit-"+name, strconv.Itoa(limit))
		o.Header.Set("X-Rate-Limit-Remaining-"+name, strconv.Itoa(rapid.IntRange(0, limit).Draw(t, "left")))
		o.Header.Set("X-Rate-Limit-Reset-"+name, rapid.SampledFrom([]string{
			reset.Format(time.RFC3339), reset.Format(time.RFC3339), reset.Format(time.RFC3339), at.Add(17 * time.Second).Format(time.RFC3339), "soon", "-1", "0",
		}).Draw(t, "reset"))
	}
	return o
}

// Whatever servers say, no permit gets lost, nothing known of the limits is
// overdrawn, and after a time that can be told there is room for the next.
func TestAnyRepliesLeaveAWayOn(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := newModel(t)
		pick := func(t *rapid.T) *Lease {
			if len(m.leases) == 0 {
				t.Skip("nothing is open")
			}
			return rapid.SampledFrom(m.leases).Draw(t, "lease")
		}
		t.Repeat(map[string]func(*rapid.T){
			"ask": func(t *rapid.T) {
				n, dipping := rapid.IntRange(1, 3).Draw(t, "n"), rapid.Bool().Draw(t, "from the reserve")
				if v := m.ask(n, dipping); v.ok {
					m.overdrawn(t, n, dipping)
				} else if v.at.IsZero() && m.probe == nil {
					t.Fatalf("%+v: for what?", v)
				}
			},
			"send": func(t *rapid.T) {
				if l := pick(t); l.left > 0 {
					m.send(l)
				}
			},
			"close": func(t *rapid.T) { m.close(pick(t)) },
			"reply": func(t *rapid.T) {
				if l := pick(t); m.onWay[l] > 0 {
					m.settle(l, anyReply(t, m.now))
				}
			},
			"wait": func(t *rapid.T) {
				m.now = m.now.Add(rapid.SampledFrom([]time.Duration{time.Millisecond, time.Second, 20 * time.Second, time.Hour}).Draw(t, "for"))
			},
			"": func(t *rapid.T) { m.balanced(t) },
		})
		m.drain()
		m.goesOn(t)
	})
}

// overdrawn checks what was just given: what is out fits into what is left.
func (m *model) overdrawn(t *rapid.T, n int, dipping bool) {
	for _, w := range m.windows() {
		if !w.known() || w.fresh {
			continue
		}
		share := m.reserve
		if dipping {
			share = 0
		}
		most := usable(w.limit, share)
		if w.left-m.out+n-min(n, most) < w.limit-most {
			t.Fatalf("%v: %d of %d left, %d out, reserve %v: %d more were given", w.headers, w.left, w.limit, m.out, share, n)
		}
	}
}

// balanced compares the account's books with what is really open.
func (m *model) balanced(t *rapid.T) {
	left, onWay := 0, 0
	for _, l := range m.leases {
		left += l.left
	}
	for _, n := range m.onWay {
		onWay += n
	}
	if m.out != left+onWay || m.pending != onWay {
		t.Fatalf("%d out and %d on their way, want %d and %d", m.out, m.pending, left+onWay, onWay)
	}
}

// goesOn asks again each time that it is told to, until there is room. Nothing is
// open meanwhile, and the server is well again.
func (m *model) goesOn(t *rapid.T) {
	begun := m.now
	for range 10 {
		v := m.ask(1, false)
		if v.ok {
			return
		}
		if !v.at.After(m.now) || v.at.Sub(begun) > 26*time.Hour {
			t.Fatalf("%+v after %s", v, m.now.Sub(begun))
		}
		m.now = v.at
	}
	t.Fatalf("no room after %s", m.now.Sub(begun))
}
