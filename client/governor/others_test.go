package governor_test

import (
	"fmt"
	"math/rand/v2"
	"rowbatch/client"
	"rowbatch/client/governor"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// Other users of the account come in all shapes. Whatever they do, at most 1% of
// our requests is refused, little of theirs, and what they leave is put to use.
func TestOtherUsersOfTheAccount(t *testing.T) {
	half := func(f *fakeAccount) int { return f.limit / 2 }
	tests := map[string]struct {
		others  func(f *fakeAccount, seed uint64) func(int, float64) int
		slower  float64    // of the least time on what others leave
		starved [2]float64 // percent of others' requests, the day's headers being shown or not
	}{
		"nobody":                 {func(*fakeAccount, uint64) func(int, float64) int { return nil }, 1.02, [2]float64{}},
		"half, evenly":           {func(f *fakeAccount, _ uint64) func(int, float64) int { return evenly(half(f)) }, 1.05, [2]float64{1, 1}},
		"half, at the start":     {func(f *fakeAccount, _ uint64) func(int, float64) int { return atOnce(half(f), 0) }, 1.05, [2]float64{1, 1}},
		"half, in the middle":    {func(f *fakeAccount, _ uint64) func(int, float64) int { return atOnce(half(f), 0.5) }, 1.05, [2]float64{60, 80}},
		"a random half":          {func(f *fakeAccount, s uint64) func(int, float64) int { return restless(half(f), s) }, 1.05, [2]float64{5, 5}},
		"random bursts":          {func(f *fakeAccount, s uint64) func(int, float64) int { return bursts(half(f), s) }, 1.1, [2]float64{25, 45}},
		"any part, at the start": {func(f *fakeAccount, s uint64) func(int, float64) int { return burst(f.limit, s) }, 1.1, [2]float64{1, 1}},
	}
	for name, tt := range tests {
		for i, day := range []string{"", ", the day unknown"} {
			t.Run(name+day, func(t *testing.T) {
				for seed := range uint64(2) {
					synctest.Test(t, func(t *testing.T) {
						f := newFakeAccount(time.Minute, 1000, seed)
						f.others, f.day = tt.others(f, seed), []int{180_000, 0}[i]
						fb, g := f.client(t, governor.Limits{Reserve: 0.10})
						took := manyVisits(t, fb, g, 16, 5000)
						best := f.leastTime(2*5000, 0.10)
						t.Logf("seed %d: %.3f of the least time %s; refused: %.2f%% of ours, %.2f%% of theirs", seed,
							float64(took)/float64(best), best, percent(f.refused, f.arrived), percent(f.starved, max(1, f.demand)))
						if float64(took) > tt.slower*float64(best) {
							t.Errorf("took %s, %s is the least", took, best)
						}
						if percent(f.refused, f.arrived) > 1 || percent(f.starved, max(1, f.demand)) > tt.starved[i] {
							t.Errorf("refused: %d of our %d requests, %d of others' %d", f.refused, f.arrived, f.starved, f.demand)
						}
					})
				}
			})
		}
	}
}

// Several processes on one account keep out of each other's way, with nothing but
// the headers to know each other by: whoever came first, and however many workers
// they have.
func TestSeveralGovernorsOnOneAccount(t *testing.T) {
	tests := map[string]struct {
		workers []int
		later   time.Duration // than the one before each begins
		windows int           // of four, one goes short in each: whom it hits is chance, which evens out
	}{
		"two":                {[]int{16, 16}, 0, 12},
		"two, one later":     {[]int{16, 16}, 20 * time.Second, 12},
		"two, one of few":    {[]int{16, 4}, 20 * time.Second, 12},
		"four":               {[]int{16, 16, 16, 16}, 0, 36},
		"four, later by far": {[]int{16, 16, 16, 16}, 50 * time.Second, 36},
	}
	for name, tt := range tests {
		for seed := range uint64(3) {
			t.Run(fmt.Sprintf("%s, seed %d", name, seed), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					f := newFakeAccount(time.Minute, 1000, seed)
					parts, all := f.together(t, tt.workers, tt.later, time.Duration(tt.windows)*time.Minute)
					usable := tt.windows * governor.Usable(f.limit, 0.10)
					t.Logf("%v requests, %.3f of what is usable, at most %d in a window; 429s %.2f%%", parts, float64(all)/float64(usable), f.peak, percent(f.refused, f.arrived))
					if all < usable*98/100 || all > usable*102/100 || f.peak > f.limit*92/100 {
						t.Errorf("%d requests of %d usable, %d in a window", all, usable, f.peak)
					}
					if most, least := slices.Max(parts), slices.Min(parts); 2*most > 5*least {
						t.Errorf("shares of %v", parts)
					}
					if percent(f.refused, f.arrived) > 1 {
						t.Errorf("%d of %d requests were throttled", f.refused, f.arrived)
					}
				})
			})
		}
	}
}

// together has processes at work for a time. It returns how many requests each was
// granted while all of them were, and how many were in all.
func (f *fakeAccount) together(t *testing.T, workers []int, later, during time.Duration) (parts []int, all int) {
	t.Helper()
	begun := time.Now()
	complete, end := begun.Add(later*time.Duration(len(workers)-1)), begun.Add(during)
	granted, since := make([]atomic.Int64, len(workers)), make([]atomic.Int64, len(workers))
	var done sync.WaitGroup
	for i, n := range workers {
		fb, g := f.client(t, governor.Limits{Reserve: 0.10})
		for range n {
			done.Go(func() {
				time.Sleep(later * time.Duration(i))
				for time.Now().Before(end) {
					more := f.pair(t, fb, g, end)
					granted[i].Add(more)
					if time.Now().After(complete) {
						since[i].Add(more)
					}
				}
			})
		}
	}
	done.Wait()
	for i := range workers {
		parts, all = append(parts, int(since[i].Load())), all+int(granted[i].Load())
	}
	return parts, all
}

// pair makes a visit, and counts the requests that were granted before the end.
func (f *fakeAccount) pair(t *testing.T, fb *client.Fusebill, g *governor.Governor, end time.Time) (granted int64) {
	l, err := g.Lease(t.Context(), 2)
	if err != nil {
		t.Error(err)
		return 0
	}
	defer l.Close()
	for range 2 {
		if rep := fb.Customer(t.Context(), l, "1"); rep.Class == client.Answered && rep.Sent.Before(end) {
			granted++
		}
	}
	return granted
}

// leastTime is the shortest in which a number of requests fits into what others,
// as they were, and the reserve left of each window.
func (f *fakeAccount) leastTime(requests int, reserve float64) time.Duration {
	took := time.Duration(0)
	for _, wanted := range f.wants[1:] { // before the first was none
		free := even(max(0, governor.Usable(f.limit, reserve)-wanted))
		if requests <= free {
			break
		}
		requests -= free
		took += f.length
	}
	return took + time.Duration(requests/16)*50*time.Millisecond
}

// atOnce makes n requests at a share of each window.
func atOnce(n int, at float64) func(int, float64) int {
	return func(_ int, into float64) int {
		if into < at {
			return 0
		}
		return n
	}
}

// restless draws anew in each sixtieth of a window, with n in all as the mean.
func restless(n int, seed uint64) func(int, float64) int {
	return func(window int, into float64) (made int) {
		rng := rand.New(rand.NewPCG(seed, uint64(window)))
		for slice := range 60 {
			draw := int(float64(rng.IntN(2*n+1)) / 60 * min(1, max(0, into*60-float64(slice))))
			made += draw
		}
		return made
	}
}

// bursts makes eight bursts of random sizes at random times, with n in all as the mean.
func bursts(n int, seed uint64) func(int, float64) int {
	return func(window int, into float64) (made int) {
		rng := rand.New(rand.NewPCG(seed, uint64(window)))
		for range 8 {
			if at, size := rng.Float64(), rng.IntN(n/4+1); at <= into {
				made += size
			}
		}
		return made
	}
}
