package client

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strconv"
	"testing"
	"testing/synctest"
	"time"
)

// Runs of pairs against servers of all tempers: how near they come to the ideal
// time, and how often they are told off.
func TestUseOfTheAllowance(t *testing.T) {
	wholeSeconds := func(reset, _ time.Time) string { return reset.UTC().Truncate(time.Second).Format(time.RFC3339) }
	tests := map[string]struct {
		set         func(f *fake, seed uint64)
		slower      [2]float64 // of the ideal, per window size
		throttled   [2]float64 // share of the requests
		shareOthers float64    // of the limit, taken by others
	}{
		"calm":                        {func(*fake, uint64) {}, [2]float64{1.02, 1.02}, [2]float64{0, 0}, 0},
		"clock 7.3 s ahead":           {func(f *fake, _ uint64) { f.skew = 7300 * time.Millisecond }, [2]float64{1.02, 1.02}, [2]float64{0, 0}, 0},
		"clock 7.3 s behind":          {func(f *fake, _ uint64) { f.skew = -7300 * time.Millisecond }, [2]float64{1.02, 1.02}, [2]float64{0, 0}, 0},
		"Unix seconds":                {func(f *fake, _ uint64) { f.stamp = unixStamp }, [2]float64{1.02, 1.02}, [2]float64{0, 0}, 0},
		"seconds to go":               {func(f *fake, _ uint64) { f.stamp = toGoStamp }, [2]float64{1.25, 1.04}, [2]float64{0.01, 0.01}, 0},
		"window at the first request": {func(f *fake, _ uint64) { f.floats, f.stamp = true, wholeSeconds }, [2]float64{1.2, 1.03}, [2]float64{0.01, 0.01}, 0},
		"others at a window's start":  {func(f *fake, s uint64) { f.others = burst(f.limit, s) }, [2]float64{3, 3}, [2]float64{0.01, 0.01}, 0.5},
		"others evenly, half of it":   {func(f *fake, _ uint64) { f.others = evenly(f.limit / 2) }, [2]float64{1.1, 1.1}, [2]float64{0.01, 0.01}, 0.5},
		"a stamp in an unknown zone":  {func(f *fake, _ uint64) { f.stamp = farStamp }, [2]float64{13, 2}, [2]float64{0.02, 0.02}, 0},
	}
	sizes := []struct {
		length        time.Duration
		limit, visits int
	}{{5 * time.Second, 250, 700}, {time.Minute, 1000, 2000}}
	const workers = 16
	for name, tt := range tests {
		for i, size := range sizes {
			t.Run(fmt.Sprintf("%s/%d per %s", name, size.limit, size.length), func(t *testing.T) {
				for seed := range uint64(3) {
					synctest.Test(t, func(t *testing.T) {
						f := newFake(size.length, size.limit, seed)
						tt.set(f, seed)
						fb, g := f.client(t, Limits{Reserve: 0.10})
						took := crowd(t, fb, g, workers, size.visits)
						free := usable(size.limit, 0.10) - int(tt.shareOthers*float64(size.limit))
						best := ideal(2*size.visits, even(free), workers, size.length)
						t.Logf("seed %d: %.3f of the ideal %s, 429s %s, of others %s", seed, float64(took)/float64(best), best, percent(f.refused, f.arrived), percent(f.starved, f.demand))
						if worst := time.Duration(tt.slower[i] * float64(best)); took > worst {
							t.Errorf("took %s, at most %s", took, worst)
						}
						if most := int(tt.throttled[i] * float64(f.arrived)); f.refused > most {
							t.Errorf("%d of %d requests were throttled, at most %d", f.refused, f.arrived, most)
						}
						if f.others == nil && f.used > usable(f.limit, 0.10) {
							t.Errorf("%d requests in the last window: the reserve was used", f.used)
						}
					})
				}
			})
		}
	}
}

func unixStamp(reset, _ time.Time) string { return strconv.FormatInt(reset.Unix(), 10) }

func toGoStamp(reset, now time.Time) string { return strconv.Itoa(int(reset.Sub(now) / time.Second)) }

func farStamp(reset, _ time.Time) string {
	return reset.Add(-5 * time.Hour).UTC().Format(time.DateTime)
}

func burst(limit int, seed uint64) func(int, float64) int {
	return func(window int, _ float64) int { return rand.New(rand.NewPCG(seed, uint64(window))).IntN(limit + 1) }
}

func evenly(n int) func(int, float64) int {
	return func(_ int, into float64) int { return int(float64(n) * into) }
}

// Requests must be in flight together only once something is known.
func TestFirstRequestGoesAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake(time.Minute, 1000, 1)
		alone := 0
		f.fault = func(n int, _ *http.Request) *verbatim {
			if n <= 3 {
				alone = max(alone, f.inFlight)
				return &verbatim{status: http.StatusServiceUnavailable}
			}
			return nil
		}
		fb, g := f.client(t, Limits{Reserve: 0.10})
		crowd(t, fb, g, 16, 100)
		if alone != 1 || f.most < 8 {
			t.Errorf("in flight before the first answer: %d, later %d; want 1, and many", alone, f.most)
		}
	})
}

func TestOutageIsProbedNotStormed(t *testing.T) {
	tests := map[string]*verbatim{
		"503":               {status: http.StatusServiceUnavailable},
		"no answer":         {after: 29 * time.Second},
		"web page":          {status: http.StatusOK, header: map[string]string{"Content-Type": "text/html"}, body: "<html>soon"},
		"503 with a wish":   {status: http.StatusServiceUnavailable, header: map[string]string{"Retry-After": "20"}},
		"connection resets": {},
	}
	for name, trouble := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFake(time.Minute, 1000, 1)
				f.mu.Lock()
				begun := time.Now()
				f.fault = func(n int, _ *http.Request) *verbatim {
					if since := time.Since(begun); since > time.Second && since < 121*time.Second {
						return trouble
					}
					return nil
				}
				f.mu.Unlock()
				fb, g := f.client(t, Limits{Reserve: 0.10})
				took := crowd(t, fb, g, 16, 1000)
				during := 0
				for _, at := range f.times {
					if since := at.Sub(begun); since > time.Second && since < 121*time.Second {
						during++
					}
				}
				if during > 32 {
					t.Errorf("%d requests during the outage", during)
				}
				if took > 5*time.Minute {
					t.Errorf("took %s", took)
				}
			})
		})
	}
}

// A probe may get lost, be refused, or never be made; somebody else then goes.
func TestNoProbeBlocksForEver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake(time.Minute, 50, 1)
		f.fault = func(n int, _ *http.Request) *verbatim {
			return []*verbatim{nil, nil, {status: 503}, {}, {status: 429}, {status: 404, body: `{}`}, nil}[n%7]
		}
		fb, g := f.client(t, Limits{Reserve: 0.10})
		for range 20 {
			l, err := g.Lease(t.Context(), 2)
			if err != nil {
				t.Fatal(err)
			}
			l.Close() // not used
		}
		if took := crowd(t, fb, g, 8, 200); took > time.Hour {
			t.Errorf("took %s", took)
		}
		if out := g.account.out; out != 0 {
			t.Errorf("%d permits were never given back", out)
		}
	})
}

func TestWithoutHeadersTenASecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake(time.Minute, 1000, 1)
		f.fault = func(int, *http.Request) *verbatim { return &verbatim{status: 200, body: `{"id":1}`} }
		fb, g := f.client(t, Limits{})
		took := crowd(t, fb, g, 16, 300)
		if took < 58*time.Second || took > 62*time.Second {
			t.Errorf("600 requests took %s, want a minute", took)
		}
	})
}

func TestThrottledWithoutHeadersWaitsAMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake(time.Minute, 1000, 1)
		f.fault = func(n int, _ *http.Request) *verbatim {
			if n == 10 {
				return &verbatim{status: 429}
			}
			return &verbatim{status: 200, body: `{"id":1}`}
		}
		fb, g := f.client(t, Limits{})
		if took := crowd(t, fb, g, 4, 20); took < time.Minute || took > 70*time.Second {
			t.Errorf("took %s", took)
		}
	})
}

func TestRetryAfterStopsEveryone(t *testing.T) {
	tests := []struct {
		wish string
		want time.Duration
	}{{"30", 30 * time.Second}, {"999999", time.Hour}, {"-5", 0}, {"soon", 0}}
	for _, tt := range tests {
		t.Run(tt.wish, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFake(time.Minute, 1000, 1)
				f.latency = func() time.Duration { return time.Millisecond }
				var struck time.Time
				f.fault = func(n int, _ *http.Request) *verbatim {
					if n == 40 {
						struck = time.Now()
						return &verbatim{status: 429, header: map[string]string{"Retry-After": tt.wish}}
					}
					return nil
				}
				fb, g := f.client(t, Limits{})
				crowd(t, fb, g, 4, 50)
				gap := time.Duration(0)
				for i, at := range f.times {
					if i > 0 && at.After(struck) {
						gap = max(gap, at.Sub(f.times[i-1]))
					}
				}
				if gap < tt.want-100*time.Millisecond || gap > tt.want+time.Second {
					t.Errorf("a pause of %s, want %s", gap, tt.want)
				}
			})
		})
	}
}

func TestDayLimit(t *testing.T) {
	run := func(t *testing.T, wait bool) (*fake, *Governor, error) {
		f := newFake(time.Minute, 1000, 1)
		f.day = 100
		fb, g := f.client(t, Limits{Reserve: 0.10, WaitDay: wait})
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
			var day *DayLimitError
			if !errors.As(err, &day) || f.arrived != 90 {
				t.Fatalf("%v after %d requests, want a day's limit after 90", err, f.arrived)
			}
			midnight := time.Now().Truncate(24 * time.Hour).Add(24 * time.Hour)
			if off := day.Until.Sub(midnight).Abs(); off > 2*time.Second {
				t.Errorf("until %s, want midnight", day.Until)
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
			if waited := g.Waited(); waited < 23*time.Hour {
				t.Errorf("waited %s, want a day", waited)
			}
		})
	})
}

func TestRate(t *testing.T) {
	tests := map[string]struct {
		used int // of the two requests of each visit
		want time.Duration
	}{"pairs": {2, 40 * time.Second}, "unused writes pay for later reads": {1, 20 * time.Second}}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFake(time.Minute, 1000, 1)
				fb, g := f.client(t, Limits{Rate: 5, Burst: 1})
				begun := time.Now()
				for range 100 {
					l, err := g.Lease(t.Context(), 2)
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
				if g.Waited() != 0 {
					t.Errorf("waited %s for the account, which had room", g.Waited())
				}
			})
		})
	}
}

func TestLeaseLargerThanAllThatIsUsable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake(time.Minute, 10, 1)
		fb, g := f.client(t, Limits{Reserve: 0.90})
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
		f := newFake(time.Minute, 10, 1)
		fb, g := f.client(t, Limits{})
		if _, _, ok := g.Waiting(); ok {
			t.Error("waits before the first request")
		}
		go crowd(t, fb, g, 2, 8)
		time.Sleep(20 * time.Second)
		until, why, ok := g.Waiting()
		if !ok || why != "minute's limit" || time.Until(until) < 30*time.Second || time.Until(until) > 42*time.Second {
			t.Errorf("waiting %v for %q until %s", ok, why, until)
		}
		time.Sleep(50 * time.Second)
		if _, _, ok := g.Waiting(); ok || g.Waited() < 50*time.Second {
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
		f := newFake(time.Minute, 1000, 1)
		fb, g := f.client(t, Limits{})
		fb.Customer(t.Context(), nil, "1")
		l, err := g.Lease(t.Context(), 1)
		if err != nil {
			t.Fatal(err)
		}
		if err := l.More(t.Context(), 1); err != nil || l.left != 1 {
			t.Errorf("%d permits, %v; a lease with one left needs no more", l.left, err)
		}
		g.turn <- struct{}{} // somebody waits at the head of the queue
		if err := l.More(t.Context(), 2); err != nil || l.left != 2 {
			t.Errorf("%d permits, %v", l.left, err)
		}
		<-g.turn
		l.Close()
		l.Close()
		if g.account.out != 0 {
			t.Errorf("%d permits out after closing", g.account.out)
		}
	})
}

func TestWaitersLeaveWithTheirContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake(time.Minute, 4, 1)
		fb, g := f.client(t, Limits{})
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
