package governor

import (
	"testing"
	"testing/synctest"
	"time"
)

func TestSteadyClock(t *testing.T) {
	noon := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	type step struct{ wall, ran, want time.Duration } // since noon
	const m, h = time.Minute, time.Hour
	tests := map[string][]step{
		"undisturbed":  {{m, m, m}, {2 * m, 2 * m, 2 * m}},
		"set back":     {{m, m, m}, {2*m - h, 2 * m, 2 * m}, {3*m - h, 3 * m, 3 * m}},
		"twice":        {{m - h, m, m}, {2*m - 2*h, 2 * m, 2 * m}},
		"a sleep":      {{m, m, m}, {8 * h, 2 * m, 8 * h}, {8*h + m, 3 * m, 8*h + m}},
		"set forward":  {{h + m, m, h + m}, {h + 2*m, 2 * m, h + 2*m}},
		"and set back": {{h + m, m, h + m}, {2 * m, 2 * m, h + 2*m}},
	}
	for name, steps := range tests {
		t.Run(name, func(t *testing.T) {
			var clock steady
			clock.now(reading{noon, 0})
			for _, s := range steps {
				got := clock.now(reading{noon.Add(s.wall), s.ran})
				if !got.Equal(noon.Add(s.want)) || !clock.shown(got).Equal(noon.Add(s.wall)) {
					t.Errorf("%s, shown as %s; want %s after noon", got, clock.shown(got), s.want)
				}
			}
		})
	}
}

// Somebody sets a clock while a run goes on: this machine's or the server's. No
// pause may become longer by that, nor the allowance be overdrawn.
func TestAClockIsSetDuringTheRun(t *testing.T) {
	const hour = time.Hour
	tests := map[string]struct {
		machine, server time.Duration
		slower          time.Duration // than the ideal
	}{
		"this machine's back":    {-hour, 0, 0},
		"this machine's forward": {hour, 0, time.Minute},
		"the server's back":      {0, -hour, time.Minute},
		"the server's forward":   {0, hour, time.Minute},
		"by three seconds":       {0, -3 * time.Second, time.Minute},
		"by three, forward":      {0, 3 * time.Second, time.Minute},
		"by ten, forward":        {0, 10 * time.Second, time.Minute},
	}
	for name, tt := range tests {
		for _, after := range []time.Duration{61 * time.Second, 90 * time.Second} { // in the middle of a burst, and of a wait
			t.Run(name+" after "+after.String(), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					f := newFake(time.Minute, 1000, 1)
					fb, g := f.client(t, Limits{Reserve: 0.10})
					system, machine := g.read, time.Duration(0)
					g.read = func() reading {
						r := system()
						r.wall = r.wall.Add(machine)
						return r
					}
					time.AfterFunc(after, func() {
						g.mu.Lock()
						f.mu.Lock()
						machine, f.skew = tt.machine, tt.server
						f.mu.Unlock()
						g.mu.Unlock()
					})
					const visits = 2500
					took := crowd(t, fb, g, 16, visits)
					best := ideal(2*visits, 900, 16, time.Minute)
					t.Logf("%s, %s is ideal; %d of %d throttled", took, best, f.refused, f.arrived)
					if took > best*102/100+tt.slower || percent(f.refused, f.arrived) > 1 {
						t.Errorf("took %s, %d of %d throttled", took, f.refused, f.arrived)
					}
				})
			})
		}
	}
}

// What a pause is for does not end earlier because the machine's clock was set back.
func TestAPauseOutlastsNoClock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake(time.Minute, 10, 1)
		fb, g := f.client(t, Limits{})
		crowd(t, fb, g, 1, 5)
		system := g.read
		g.read = func() reading {
			r := system()
			r.wall = r.wall.Add(-time.Hour)
			return r
		}
		begun := time.Now()
		go fb.Customer(t.Context(), nil, "1")
		synctest.Wait()
		until, why, ok := g.Waiting()
		if !ok || why != MinuteLimit || until.After(begun.Add(-time.Hour+62*time.Second)) {
			t.Errorf("waiting %v for %q until %s; this machine's clock shows %s", ok, why, until, begun.Add(-time.Hour))
		}
		time.Sleep(time.Minute + 2*time.Second)
		if _, _, ok := g.Waiting(); ok {
			t.Error("waits still")
		}
	})
}
