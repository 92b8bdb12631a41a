package governor_test

import (
	"errors"
	"net/http"
	"rowbatch/client"
	"rowbatch/client/governor"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// A run smaller than one window is as fast as without any governor, but for the
// first request, which goes alone.
func TestARunSmallerThanAWindowIsNotSlowed(t *testing.T) {
	const visits, first = 440, 80 * time.Millisecond
	run := func(t *testing.T, governed bool) (took time.Duration) {
		synctest.Test(t, func(t *testing.T) {
			f := newFakeAccount(time.Minute, 1000, 1)
			f.day = 180_000
			f.latency = func() time.Duration { return 20 * time.Millisecond }
			if governed {
				fb, g := f.client(t, governor.Limits{Reserve: 0.10})
				took = manyVisits(t, fb, g, 16, visits)
				if f.refused > 0 || len(g.Waited()) > 0 {
					t.Errorf("%d refused, waited %v", f.refused, g.Waited())
				}
				return
			}
			fb := f.of(t, nil)
			begun := time.Now()
			var done sync.WaitGroup
			for worker := range 16 {
				done.Go(func() {
					for n := worker; n < visits; n += 16 {
						fb.Customer(t.Context(), nil, "1")
						fb.Update(t.Context(), nil, []byte(`{"id":1}`))
					}
				})
			}
			done.Wait()
			took = time.Since(begun)
		})
		return took
	}
	if with, without := run(t, true), run(t, false); with > without+first {
		t.Errorf("took %s, without a governor %s", with, without)
	}
}

// A read and its write are let through together or not at all: a day that ends
// between the two would leave a row half done. Its last request stays unused.
func TestTheDayNeverEndsWithinAPair(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFakeAccount(time.Minute, 1000, 1)
		f.day = 101
		fb, g := f.client(t, governor.Limits{})
		pairs := 0
		for {
			l, err := g.Lease(t.Context(), 2)
			if day := (*governor.DayLimitError)(nil); errors.As(err, &day) {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			for range 2 {
				if rep := fb.Customer(t.Context(), l, "1"); rep.Class != client.Answered {
					t.Fatalf("after %d pairs: %+v", pairs, rep)
				}
			}
			pairs++
			l.Close()
		}
		if pairs != 50 || f.refused > 0 {
			t.Errorf("%d pairs, %d refused", pairs, f.refused)
		}
	})
}

// Others may use up the day between our read and our write. The write's 429 ends
// nothing but its visit, and what asks next is told about the day.
func TestTheDayIsUsedUpByOthersWithinAPair(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFakeAccount(time.Minute, 1000, 1)
		f.day = 100
		fb, g := f.client(t, governor.Limits{Reserve: 0.10})
		l, err := g.Lease(t.Context(), 2)
		if err != nil {
			t.Fatal(err)
		}
		fb.Customer(t.Context(), l, "1")
		f.mu.Lock()
		f.dayUsed = f.day
		f.mu.Unlock()
		if rep := fb.Update(t.Context(), l, []byte(`{"id":1}`)); rep.Class != client.Throttled {
			t.Errorf("%+v", rep)
		}
		l.Close()
		for _, lease := range []func() error{
			func() error { _, err := g.Lease(t.Context(), 2); return err },
			func() error { _, err := g.LeaseReserve(t.Context(), 1); return err }, // not even that is left
		} {
			if day := (*governor.DayLimitError)(nil); !errors.As(lease(), &day) {
				t.Errorf("%v, want the day's limit", err)
			}
		}
		if out, pending := g.Out(); out != 0 || pending != 0 {
			t.Errorf("%d permits out, %d requests pending", out, pending)
		}
	})
}

// Read-backs from the reserve, leases that find nothing to do, and callers who give
// up do not upset the count of what others use: the account is calm all the time.
func TestNobodyElseIsSeenInACalmAccount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFakeAccount(time.Minute, 1000, 1)
		f.fault = func(n int, _ *http.Request) *verbatim {
			if n%17 == 0 {
				return &verbatim{after: 3 * time.Second} // lost, before the server counted it
			}
			return nil
		}
		fb, g := f.client(t, governor.Limits{Reserve: 0.10})
		var done sync.WaitGroup
		for worker := range 16 {
			done.Go(func() {
				for n := range 300 {
					lease := g.Lease
					if (worker+n)%7 == 0 {
						lease = g.LeaseReserve
					}
					l, err := lease(t.Context(), 2)
					if err != nil {
						t.Error(err)
						return
					}
					if n%5 != 0 {
						fb.Customer(t.Context(), l, "1")
					}
					l.Close()
				}
			})
		}
		done.Wait()
		if now, before := g.Others(); now != 0 || before != 0 || f.refused > 0 {
			t.Errorf("others seen: %d, %v; %d refused", now, before, f.refused)
		}
	})
}
