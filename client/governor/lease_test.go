package governor_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"net/http"
	"rowbatch/client"
	"rowbatch/client/governor"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestDayLimit(t *testing.T) {
	run := func(t *testing.T, wait bool) (*fakeAccount, *governor.Governor, error) {
		f := newFakeAccount(time.Minute, 1000, 1)
		f.day = 100
		fb, g := f.client(t, governor.Limits{Reserve: 0.10, WaitDay: wait})
		for range 46 {
			l, err := g.Lease(t.Context(), 2)
			if err != nil {
				return f, g, err
			}
			fb.Customer(t.Context(), l, "1")
			fb.Customer(t.Context(), l, "1")
			l.Close()
		}
		return f, g, nil
	}
	t.Run("stops", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			f, g, err := run(t, false)
			var day *governor.DayLimitError
			if !errors.As(err, &day) || f.arrived != 90 {
				t.Fatalf("%v after %d requests, want a day's limit after 90", err, f.arrived)
			}
			midnight := time.Now().Truncate(24 * time.Hour).Add(24 * time.Hour)
			if off := day.Until.Sub(midnight).Abs(); off > 2*time.Second || !strings.Contains(err.Error(), "--wait") {
				t.Errorf("%v: until %s, want midnight", err, day.Until)
			}
			l, err := g.LeaseReserve(t.Context(), 1)
			if err != nil {
				t.Fatalf("a read-back may use the reserve: %v", err)
			}
			l.Close()
		})
	})
	t.Run("waits", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			begun := time.Now()
			f, g, err := run(t, true)
			if err != nil || f.refused > 0 {
				t.Fatalf("%v, %d refused", err, f.refused)
			}
			if took := time.Since(begun); took < 23*time.Hour || took > 25*time.Hour {
				t.Errorf("took %s, want a day", took)
			}
			if waited := g.Waited()[governor.DayLimit]; waited < 23*time.Hour {
				t.Errorf("waited %s, want a day", waited)
			}
		})
	})
}

func TestRate(t *testing.T) {
	tests := map[string]struct {
		leased, used int // requests of each visit
		want         time.Duration
	}{"pairs": {2, 2, 40 * time.Second}, "unused writes pay for later reads": {2, 1, 20 * time.Second},
		"what a first write might have needed pays for later visits": {5, 2, 40 * time.Second}}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFakeAccount(time.Minute, 1000, 1)
				fb, g := f.client(t, governor.Limits{Rate: 5})
				begun := time.Now()
				for range 100 {
					l, err := g.Lease(t.Context(), tt.leased)
					if err != nil {
						t.Fatal(err)
					}
					for range tt.used {
						fb.Customer(t.Context(), l, "1")
					}
					l.Close()
				}
				if off := (time.Since(begun) - tt.want).Abs(); off > tt.want/10 {
					t.Errorf("took %s, want %s", time.Since(begun), tt.want)
				}
				if len(g.Waited()) != 0 {
					t.Errorf("waited %s for the account, which had room", g.Waited())
				}
			})
		})
	}
}

func TestLeaseLargerThanAllThatIsUsable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFakeAccount(time.Minute, 10, 1)
		fb, g := f.client(t, governor.Limits{Reserve: 0.90})
		begun := time.Now()
		for range 5 {
			l, err := g.Lease(t.Context(), 4)
			if err != nil {
				t.Fatal(err)
			}
			for range 4 {
				fb.Customer(t.Context(), l, "1")
			}
			l.Close()
		}
		if took := time.Since(begun); took > 5*time.Minute {
			t.Errorf("took %s", took)
		}
	})
}

func TestWaitingTellsWhy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFakeAccount(time.Minute, 10, 1)
		fb, g := f.client(t, governor.Limits{})
		if _, _, ok := g.Waiting(); ok {
			t.Error("waits before the first request")
		}
		go manyVisits(t, fb, g, 2, 8)
		time.Sleep(20 * time.Second)
		until, why, ok := g.Waiting()
		if !ok || why != governor.MinuteLimit || time.Until(until) < 30*time.Second || time.Until(until) > 42*time.Second {
			t.Errorf("waiting %v for %q until %s", ok, why, until)
		}
		time.Sleep(50 * time.Second)
		if _, _, ok := g.Waiting(); ok || g.Waited()[governor.MinuteLimit] < 50*time.Second {
			t.Errorf("waits still: %v; waited %s", ok, g.Waited())
		}
		a := g.Allowance()
		if !a.Minute.Known || a.Minute.Limit != 10 || a.Minute.Left != 4 || a.Day.Known {
			t.Errorf("allowance %+v", a)
		}
	})
}

// A worker in need of one more request goes before those who queue for new visits.
func TestMoreDoesNotQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFakeAccount(time.Minute, 1000, 1)
		fb, g := f.client(t, governor.Limits{})
		fb.Customer(t.Context(), nil, "1")
		l, err := g.Lease(t.Context(), 1)
		if err != nil {
			t.Fatal(err)
		}
		if err := l.More(t.Context(), 1); err != nil || l.Left() != 1 {
			t.Errorf("%d permits, %v; a lease with one left needs no more", l.Left(), err)
		}
		leave := g.Queue() // somebody waits at the head of the queue
		if err := l.More(t.Context(), 2); err != nil || l.Left() != 2 {
			t.Errorf("%d permits, %v", l.Left(), err)
		}
		leave()
		l.Close()
		l.Close()
		if out, _ := g.Out(); out != 0 {
			t.Errorf("%d permits out after closing", out)
		}
	})
}

func TestWaitersLeaveWithTheirContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFakeAccount(time.Minute, 4, 1)
		fb, g := f.client(t, governor.Limits{})
		for range 4 {
			fb.Customer(t.Context(), nil, "1")
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		failed := make(chan error, 3)
		for range 3 { // one waits for the limit, two for their turn
			go func() {
				_, err := g.Lease(ctx, 1)
				failed <- err
			}()
		}
		for range 3 {
			if err := <-failed; !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("%v", err)
			}
		}
	})
}

// A caller may hold what it has not used yet while others find out that the
// server is away, and even wait for one of them.
func TestHeldPermitsDoNotBlockTheProbe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFakeAccount(time.Minute, 1000, 1)
		fb, g := f.client(t, governor.Limits{})
		held, err := g.Lease(t.Context(), 2)
		if err != nil {
			t.Fatal(err)
		}
		defer held.Close()
		fb.Customer(t.Context(), held, "1")
		f.fault = func(int, *http.Request) *verbatim { return &verbatim{} }
		begun := time.Now()
		for range 10 {
			if rep := fb.Customer(t.Context(), nil, "1"); rep.Class != client.Lost {
				t.Fatalf("%+v", rep)
			}
		}
		if took := time.Since(begun); took < 31*time.Second || took > 70*time.Second {
			t.Errorf("ten probes took %s", took)
		}
	})
}

// Whatever a server does, every visit comes to its turn and every permit comes back.
func TestAnyTroubleEnds(t *testing.T) {
	for seed := range uint64(40) {
		synctest.Test(t, func(t *testing.T) {
			f := newFakeAccount(time.Minute, 50, seed)
			rng := rand.New(rand.NewPCG(seed, 2))
			f.fault = func(n int, _ *http.Request) *verbatim {
				troubles := []*verbatim{
					{}, {after: 40 * time.Second}, {status: 500}, {status: 503, header: map[string]string{"Retry-After": "7"}},
					{status: 429}, {status: 429, header: map[string]string{"Retry-After": "3"}}, {status: 200, body: "<html>"},
					{status: 404, body: "{}"}, {status: 200, body: `{"id":1}`},
					{status: 429, header: map[string]string{"X-Rate-Limit-Limit-Minute": "50", "X-Rate-Limit-Remaining-Minute": "0", "X-Rate-Limit-Reset-Minute": "yesterday"}},
				}
				if n > 300 || rng.IntN(3) > 0 {
					return nil
				}
				return troubles[rng.IntN(len(troubles))]
			}
			fb, g := f.client(t, governor.Limits{Reserve: 0.10})
			if took := manyVisits(t, fb, g, 8, 150); took > 3*time.Hour {
				t.Errorf("seed %d: 150 visits took %s", seed, took)
			}
			if out, _ := g.Out(); out != 0 || g.WaitsFor() != "" {
				t.Errorf("seed %d: %d permits out, waiting for %q", seed, out, g.WaitsFor())
			}
		})
	}
}

// panicking is a transport that fails as nothing should.
type panicking struct{}

func (panicking) RoundTrip(*http.Request) (*http.Response, error) { panic("transport") }

func TestAPanicGivesThePermitBack(t *testing.T) {
	g := governor.New(governor.Limits{})
	fb, err := client.NewFusebill(client.Options{BaseURL: "https://api.example.com/v1", Key: "MDpzZWNyZXQ=", Transport: panicking{}, Governor: g})
	if err != nil {
		t.Fatal(err)
	}
	func() {
		defer func() { recover() }()
		fb.Customer(t.Context(), nil, "12")
	}()
	if out, _ := g.Out(); out != 0 || g.Probing() {
		t.Errorf("%d permits are out", out)
	}
}
