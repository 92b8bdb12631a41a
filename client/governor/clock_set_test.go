package governor_test

import (
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"rowbatch/client/governor"
)

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
					f := newFakeAccount(time.Minute, 1000, 1)
					fb, g := f.client(t, governor.Limits{Reserve: 0.10})
					var machine atomic.Int64
					g.SetClock(func() time.Duration { return time.Duration(machine.Load()) })
					time.AfterFunc(after, func() {
						f.mu.Lock()
						machine.Store(int64(tt.machine))
						f.skew = tt.server
						f.mu.Unlock()
					})
					const visits = 2500
					took := manyVisits(t, fb, g, 16, visits)
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
		f := newFakeAccount(time.Minute, 10, 1)
		fb, g := f.client(t, governor.Limits{})
		manyVisits(t, fb, g, 1, 5)
		g.SetClock(func() time.Duration { return -time.Hour })
		begun := time.Now()
		go fb.Customer(t.Context(), nil, "1")
		synctest.Wait()
		until, why, ok := g.Waiting()
		if !ok || why != governor.MinuteLimit || until.After(begun.Add(-time.Hour+62*time.Second)) {
			t.Errorf("waiting %v for %q until %s; this machine's clock shows %s", ok, why, until, begun.Add(-time.Hour))
		}
		time.Sleep(time.Minute + 2*time.Second)
		if _, _, ok := g.Waiting(); ok {
			t.Error("waits still")
		}
	})
}
