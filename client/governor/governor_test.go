package governor_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"rowbatch/client"
	"rowbatch/client/governor"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// Runs of pairs against servers of all tempers: how near they come to the ideal
// time, and how often they are told off.
func TestUseOfTheAllowance(t *testing.T) {
	wholeSeconds := func(reset, _ time.Time) string { return reset.UTC().Truncate(time.Second).Format(time.RFC3339) }
	tests := map[string]struct {
		set         func(f *fakeAccount, seed uint64)
		slower      [2]float64 // of the ideal, per window size
		throttled   [2]float64 // share of the requests
		shareOthers float64    // of the limit, taken by others
	}{
		"calm":                        {func(*fakeAccount, uint64) {}, [2]float64{1.02, 1.02}, [2]float64{0, 0}, 0},
		"clock 7.3 s ahead":           {func(f *fakeAccount, _ uint64) { f.skew = 7300 * time.Millisecond }, [2]float64{1.02, 1.02}, [2]float64{0, 0}, 0},
		"clock 7.3 s behind":          {func(f *fakeAccount, _ uint64) { f.skew = -7300 * time.Millisecond }, [2]float64{1.02, 1.02}, [2]float64{0, 0}, 0},
		"Unix seconds":                {func(f *fakeAccount, _ uint64) { f.stamp = unixStamp }, [2]float64{1.02, 1.02}, [2]float64{0, 0}, 0},
		"seconds to go":               {func(f *fakeAccount, _ uint64) { f.stamp = toGoStamp }, [2]float64{1.25, 1.04}, [2]float64{0.01, 0.01}, 0},
		"window at the first request": {func(f *fakeAccount, _ uint64) { f.floats, f.stamp = true, wholeSeconds }, [2]float64{1.2, 1.03}, [2]float64{0.01, 0.01}, 0},
		"others at a window's start":  {func(f *fakeAccount, s uint64) { f.others = burst(f.limit, s) }, [2]float64{3, 3}, [2]float64{0.01, 0.01}, 0.5},
		"others evenly, half of it":   {func(f *fakeAccount, _ uint64) { f.others = evenly(f.limit / 2) }, [2]float64{1.1, 1.1}, [2]float64{0.01, 0.01}, 0.5},
		"a stamp in an unknown zone":  {func(f *fakeAccount, _ uint64) { f.stamp = farStamp }, [2]float64{13, 2}, [2]float64{0.02, 0.02}, 0},
	}
	sizes := []struct {
		length        time.Duration
		limit, visits int
	}{{5 * time.Second, 250, 700}, {time.Minute, 1000, 2000}}
	const workers = 16
	for name, tt := range tests {
		for i, size := range sizes {
			t.Run(fmt.Sprintf("%s/%d per %s", name, size.limit, size.length), func(t *testing.T) {
				for seed := range uint64(2) {
					synctest.Test(t, func(t *testing.T) {
						f := newFakeAccount(size.length, size.limit, seed)
						tt.set(f, seed)
						fb, g := f.client(t, governor.Limits{Reserve: 0.10})
						took := manyVisits(t, fb, g, workers, size.visits)
						free := governor.Usable(size.limit, 0.10) - int(tt.shareOthers*float64(size.limit))
						best := ideal(2*size.visits, even(free), workers, size.length)
						t.Logf("seed %d: %.3f of the ideal %s, 429s %.2f%%", seed, float64(took)/float64(best), best, percent(f.refused, f.arrived))
						if worst := time.Duration(tt.slower[i] * float64(best)); took > worst {
							t.Errorf("took %s, at most %s", took, worst)
						}
						if most := int(tt.throttled[i] * float64(f.arrived)); f.refused > most {
							t.Errorf("%d of %d requests were throttled, at most %d", f.refused, f.arrived, most)
						}
						if f.others == nil && f.used > governor.Usable(f.limit, 0.10) {
							t.Errorf("%d requests in the last window: the reserve was used", f.used)
						}
					})
				}
			})
		}
	}
}

// Others who need half of every window, evenly, get it once their use has been seen.
func TestOthersGetTheirShare(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFakeAccount(5*time.Second, 250, 1)
		f.others = evenly(f.limit / 2)
		fb, g := f.client(t, governor.Limits{Reserve: 0.10})
		manyVisits(t, fb, g, 16, 5000)
		t.Logf("refused: %.2f%% of theirs, %.2f%% of ours", percent(f.starved, f.demand), percent(f.refused, f.arrived))
		if percent(f.starved, f.demand) > 10 || percent(f.refused, f.arrived) > 1 {
			t.Errorf("%d of others' %d requests and %d of our %d were refused", f.starved, f.demand, f.refused, f.arrived)
		}
	})
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
		f := newFakeAccount(time.Minute, 1000, 1)
		alone := 0
		f.fault = func(n int, _ *http.Request) *verbatim {
			if n <= 3 {
				alone = max(alone, f.inFlight)
				return &verbatim{status: http.StatusServiceUnavailable}
			}
			return nil
		}
		fb, g := f.client(t, governor.Limits{Reserve: 0.10})
		manyVisits(t, fb, g, 16, 100)
		if alone != 1 || f.most < 8 {
			t.Errorf("in flight before the first answer: %d, later %d; want 1, and many", alone, f.most)
		}
	})
}

// In an outage of two minutes the requests that are under way get lost, and so may
// one repetition of each while answers from before still come in. From then on
// there is a probe now and then: pauses of 1, 2, 4 … 60 seconds leave room for seven.
func TestOutageIsProbedNotStormed(t *testing.T) {
	const workers, probes = 16, 7
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
				f := newFakeAccount(time.Minute, 1000, 1)
				f.mu.Lock()
				begun := time.Now()
				f.fault = func(n int, _ *http.Request) *verbatim {
					if since := time.Since(begun); since > time.Second && since < 121*time.Second {
						return trouble
					}
					return nil
				}
				f.mu.Unlock()
				fb, g := f.client(t, governor.Limits{Reserve: 0.10})
				took := manyVisits(t, fb, g, workers, 1000)
				known := time.Second + trouble.after + 300*time.Millisecond
				before, after := 0, 0
				for _, at := range f.times {
					switch since := at.Sub(begun); {
					case since <= time.Second || since >= 121*time.Second:
					case since < known:
						before++
					default:
						after++
					}
				}
				if before > 2*workers || after > probes {
					t.Errorf("%d requests before the outage was known, and %d after that", before, after)
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
		f := newFakeAccount(time.Minute, 50, 1)
		f.fault = func(n int, _ *http.Request) *verbatim {
			return []*verbatim{nil, nil, {status: 503}, {}, {status: 429}, {status: 404, body: `{}`}, nil}[n%7]
		}
		fb, g := f.client(t, governor.Limits{Reserve: 0.10})
		for range 20 {
			l, err := g.Lease(t.Context(), 2)
			if err != nil {
				t.Fatal(err)
			}
			l.Close() // not used
		}
		if took := manyVisits(t, fb, g, 8, 200); took > 4*time.Hour { // every seventh request is a 429 that nothing explains
			t.Errorf("took %s", took)
		}
		if out, _ := g.Out(); out != 0 {
			t.Errorf("%d permits were never given back", out)
		}
	})
}

func TestWithoutHeadersTenASecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFakeAccount(time.Minute, 1000, 1)
		f.fault = func(int, *http.Request) *verbatim { return &verbatim{status: 200, body: `{"id":1}`} }
		fb, g := f.client(t, governor.Limits{})
		took := manyVisits(t, fb, g, 16, 300)
		if took < 58*time.Second || took > 62*time.Second {
			t.Errorf("600 requests took %s, want a minute", took)
		}
	})
}

func TestThrottledWithoutHeadersWaitsAMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFakeAccount(time.Minute, 1000, 1)
		f.fault = func(n int, _ *http.Request) *verbatim {
			if n == 10 {
				return &verbatim{status: 429}
			}
			return &verbatim{status: 200, body: `{"id":1}`}
		}
		fb, g := f.client(t, governor.Limits{})
		if took := manyVisits(t, fb, g, 4, 20); took < time.Minute || took > 70*time.Second {
			t.Errorf("took %s", took)
		}
	})
}

func TestRetryAfterStopsEveryone(t *testing.T) {
	tests := []struct {
		wish string
		want time.Duration
	}{{"30", 30 * time.Second}, {"999999", time.Hour}, {"-5", 59 * time.Second}, {"soon", 59 * time.Second}} // of the latter the minute's end
	for _, tt := range tests {
		t.Run(tt.wish, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFakeAccount(time.Minute, 1000, 1)
				f.latency = func() time.Duration { return time.Millisecond }
				var struck time.Time
				f.fault = func(n int, _ *http.Request) *verbatim {
					if n == 40 {
						struck = time.Now()
						return &verbatim{status: 429, header: map[string]string{"Retry-After": tt.wish}}
					}
					return nil
				}
				fb, g := f.client(t, governor.Limits{})
				manyVisits(t, fb, g, 4, 50)
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

// A server that is gone ends the run instead of holding it up for ever: with
// many callers each of them would need its own tries to find that out.
func TestOutageEndsLeases(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := governor.New(governor.Limits{Outage: 10 * time.Minute})
		began := time.Now()
		asked := 0
		for {
			l, err := g.Lease(t.Context(), 2)
			if gone := (*governor.OutageError)(nil); errors.As(err, &gone) {
				if took := time.Since(began); took < 10*time.Minute || took > 12*time.Minute || asked > 25 {
					t.Errorf("gave up after %v and %d requests", took, asked)
				}
				if !client.EndsRun(err) || !strings.Contains(err.Error(), "refused") {
					t.Errorf("the error is %v", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			asked++
			l.Start(t.Context())
			l.End(governor.Observation{Ending: governor.Unanswered, Err: errors.New("connection refused"), Sent: time.Now(), Received: time.Now()})
			l.Close()
		}
	})
}

// What is foretold comes true, but for the time that replies take.
func TestForecastComesTrue(t *testing.T) {
	for name, l := range map[string]governor.Limits{"the account's limit": {Reserve: 0.10}, "a slower rate": {Reserve: 0.10, Rate: 4}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFakeAccount(time.Minute, 1000, 1)
				fb, g := f.client(t, l)
				begun := time.Now()
				go func() {
					time.Sleep(17 * time.Second) // the window does not begin with the run
					fb.Customer(t.Context(), nil, "1")
				}()
				if err := g.Met(t.Context()); err != nil || time.Since(begun) < 17*time.Second {
					t.Fatalf("met after %s, %v", time.Since(begun), err)
				}
				foretold := g.Allowance().Forecast(governor.Demand{4000, 2, l.Rate}, time.Now()).Takes
				took := manyVisits(t, fb, g, 16, 2000)
				if d := (took - foretold).Seconds(); d < -1 || d > 10 {
					t.Errorf("took %s, foretold %s", took, foretold)
				}
			})
		})
	}
}

// Nothing is known of an install's limits: one request goes ahead, then five a
// second, and a 429 holds all of them up.
func TestTrackfinityPace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFakeAccount(time.Minute, 1000, 1)
		f.latency = func() time.Duration { return 150 * time.Millisecond } // each way
		alone := 0
		f.fault = func(n int, _ *http.Request) *verbatim {
			switch n {
			case 1:
				alone = f.most
			case 31:
				return &verbatim{status: http.StatusTooManyRequests}
			}
			return &verbatim{status: http.StatusOK, body: "true", after: 300 * time.Millisecond}
		}
		g := governor.New(governor.Limits{Rate: client.TrackfinityRate})
		tf, err := client.NewTrackfinity(client.Options{BaseURL: "https://tracking.example.com/api", Key: "tf-key", Username: "ada", Transport: f, Governor: g})
		if err != nil {
			t.Fatal(err)
		}
		form := url.Values{"customer_id": {"4102"}, "city": {"Ash"}}
		var group sync.WaitGroup
		for range 8 {
			group.Go(func() {
				for range 8 {
					for tf.SetCustomerDetails(t.Context(), nil, form).Class != client.Answered {
					}
				}
			})
		}
		group.Wait()
		if alone != 1 || f.most < 2 {
			t.Errorf("in flight before the first answer: %d, later %d; want 1, and several", alone, f.most)
		}
		if first := f.times[1].Sub(f.times[0]); first < 600*time.Millisecond {
			t.Errorf("the second request left %s after the first, before its answer", first)
		}
		for n := 7; n < len(f.times); n++ { // five in any second, and one whose turn had come while nothing might leave
			if gap := f.times[n].Sub(f.times[n-6]); gap < 990*time.Millisecond {
				t.Errorf("requests %d to %d within %s", n-6, n, gap)
			}
		}
		if took := f.times[29].Sub(f.times[1]); took > 6*time.Second {
			t.Errorf("28 requests took %s, want 5 a second", took)
		}
		var pauses []time.Duration
		for n := 30; n+1 < len(f.times); n++ {
			if gap := f.times[n+1].Sub(f.times[n]); gap > 10*time.Second {
				pauses = append(pauses, gap)
			}
		}
		if len(pauses) != 1 || pauses[0] < 55*time.Second || len(f.times) != 65 {
			t.Errorf("pauses %v in %d requests; want one of a minute in 65", pauses, len(f.times))
		}
	})
}
