package governor

import (
	"testing"
	"time"
)

func TestUsable(t *testing.T) {
	tests := []struct {
		limit   int
		reserve float64
		want    int
	}{
		{1000, 0.10, 900}, {50, 0.10, 45}, {10, 0.10, 9}, {10, 0.90, 2}, {10, 1, 2}, {1, 0.5, 1},
		{1000, 0, 1000}, {15, 0.10, 13}, {180_000, 0.10, 162_000}, {30, 0.10, 27},
	}
	for _, tt := range tests {
		if got := usable(tt.limit, tt.reserve); got != tt.want {
			t.Errorf("usable(%d, %v) = %d, want %d", tt.limit, tt.reserve, got, tt.want)
		}
	}
}

func TestWindowObserve(t *testing.T) {
	t0 := time.Date(2026, 11, 20, 21, 52, 0, 0, time.UTC)
	reset := t0.Add(time.Minute)
	known := window{length: time.Minute, limit: 100, left: 40, reset: reset, ours: 50, dated: t0.Add(time.Second), others: others{from: t0, heard: t0.Add(time.Second), seen: 10}}
	ended := known
	ended.roll(reset, skew{known: true})
	at := func(d time.Duration) time.Time { return reset.Add(d) }
	tests := []struct {
		name       string
		w          window
		q          quota
		sent       time.Time
		left, ours int
		others     int
		fresh      bool
		late       time.Duration
	}{
		{"first", window{length: time.Minute}, quota{100, 90, reset}, t0, 90, 1, 0, false, 0},
		{"lower", known, quota{100, 38, reset}, t0, 38, 51, 0, false, 0},
		{"overtaken", known, quota{100, 45, reset}, t0, 40, 51, 0, false, 0},
		{"stamp within a second", known, quota{100, 39, reset.Add(-time.Second)}, t0, 39, 51, 0, false, 0},
		{"straggler", known, quota{100, 1, reset.Add(-time.Minute)}, t0, 40, 50, 0, false, 0},
		{"next, before our clock knew", known, quota{100, 99, reset.Add(time.Minute)}, t0, 99, 1, 10, false, 0},
		{"a stamp that creeps", known, quota{100, 39, reset.Add(3 * time.Second)}, t0, 39, 51, 0, false, 0},
		{"next, as expected", ended, quota{100, 99, reset.Add(time.Minute)}, at(1), 99, 1, 10, false, 0},
		{"too early", ended, quota{100, 0, reset}, at(1), 0, 51, 0, false, 100 * time.Millisecond},
		{"of the old window", ended, quota{100, 3, reset}, at(-1), 40, 50, 0, true, 0},
		{"earlier than thought", ended, quota{100, 99, reset.Add(-30 * time.Second)}, at(1), 99, 1, 10, false, 0},
	}
	for _, tt := range tests {
		w := tt.w
		w.observe(tt.q, sighting{sent: tt.sent, received: tt.sent})
		if w.left != tt.left || w.ours != tt.ours || int(w.others.past.seen) != tt.others || w.fresh != tt.fresh || w.late != tt.late {
			t.Errorf("%s: left %d, ours %d, others %d, fresh %v, late %s; want %d, %d, %d, %v, %s", tt.name,
				w.left, w.ours, int(w.others.past.seen), w.fresh, w.late, tt.left, tt.ours, tt.others, tt.fresh, tt.late)
		}
	}
}

func TestWindowAdmit(t *testing.T) {
	now := time.Date(2026, 11, 20, 21, 52, 0, 0, time.UTC)
	half := window{length: time.Minute, limit: 100, left: 50, reset: now.Add(30 * time.Second), why: MinuteLimit}
	busy := half
	busy.others.past.seen = 60
	tests := []struct {
		name   string
		w      window
		n, out int
		share  float64
		ok     bool
		wait   time.Duration
		floor  bool
	}{
		{"unknown", window{}, 2, 99, 0.1, true, 0, false},
		{"room", half, 2, 38, 0.1, true, 0, false},
		{"room once permits come back", half, 2, 39, 0.1, false, 30 * time.Second, false},
		{"floor", half, 41, 0, 0.1, false, 30 * time.Second, true},
		{"a read-back below the floor", half, 41, 9, 0, true, 0, false},
		{"others' share kept", busy, 2, 0, 0.1, true, 0, false},
		{"others' share not free yet", busy, 30, 0, 0.1, false, 20 * time.Second, true},
		{"no reserve, no share", busy, 30, 0, 0, true, 0, false},
	}
	for _, tt := range tests {
		v := tt.w.admit(now, skew{}, tt.n, tt.out, tt.share)
		if v.ok != tt.ok || v.floor != tt.floor || !v.ok && v.at.Sub(now) != tt.wait {
			t.Errorf("%s: %+v; want %v after %s, floor %v", tt.name, v, tt.ok, tt.wait, tt.floor)
		}
	}
}
