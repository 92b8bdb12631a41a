package governor_test

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net/http"
	"rowbatch/client"
	"rowbatch/client/governor"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// fakeAccount is an account's server in virtual time. Its window is the header's
// minute, of whatever length.
type fakeAccount struct {
	length  time.Duration
	limit   int
	day     int                                    // 0: no headers of a day
	skew    time.Duration                          // its clock, ahead of ours
	others  func(window int, into float64) int     // requests others have made, at a share of the window
	stamp   func(reset, now time.Time) string      // nil: RFC 3339
	floats  bool                                   // windows start at the first request after the last has ended
	fault   func(n int, r *http.Request) *verbatim // nil: a proper answer
	spoil   func(h http.Header, refused bool)      // what becomes of its headers; nil: nothing
	latency func() time.Duration

	mu       sync.Mutex
	rng      *rand.Rand
	start    time.Time // of the window
	window   int
	used     int
	taken    int   // by others, in the window
	wanted   int   // by others, in the window
	demand   int   // of others, in all
	starved  int   // of that, refused
	wants    []int // of others, window by window
	peak     int   // most requests of ours in one window that is over
	dayUsed  int
	arrived  int
	refused  int // 429s
	inFlight int
	most     int // in flight at once
	times    []time.Time
}

// verbatim is a reply that is not the account's own.
type verbatim struct {
	status int // 0: the connection breaks
	header map[string]string
	body   string
	after  time.Duration
}

func newFakeAccount(length time.Duration, limit int, seed uint64) *fakeAccount {
	return &fakeAccount{length: length, limit: limit, rng: rand.New(rand.NewPCG(seed, 1))}
}

func (f *fakeAccount) delay() time.Duration {
	if f.latency != nil {
		return f.latency()
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	return time.Duration(10+f.rng.IntN(31)) * time.Millisecond // each way: replies take 20 to 80 ms
}

func (f *fakeAccount) RoundTrip(r *http.Request) (*http.Response, error) {
	f.countInFlight(1)
	defer f.countInFlight(-1)
	if err := sleep(r.Context(), f.delay()); err != nil {
		return nil, err
	}
	res, wait, err := f.serve(r)
	if err := sleep(r.Context(), wait+f.delay()); err != nil {
		return nil, err
	}
	return res, err
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (f *fakeAccount) countInFlight(step int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.inFlight += step
	f.most = max(f.most, f.inFlight)
}

func (f *fakeAccount) serve(r *http.Request) (*http.Response, time.Duration, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.arrived++
	f.times = append(f.times, time.Now())
	if f.fault != nil {
		if v := f.fault(f.arrived, r); v != nil {
			return v.response()
		}
	}
	now := time.Now().Add(f.skew)
	f.roll(now)
	status, body := http.StatusOK, `{"id":1}`
	f.letOthers(float64(now.Sub(f.start)) / float64(f.length))
	left := f.limit - f.used - f.taken
	if left <= 0 || f.day > 0 && f.dayUsed >= f.day {
		f.refused++
		status, body = http.StatusTooManyRequests, `{"Message":"limit"}`
	} else {
		f.used++
		f.dayUsed++
		left--
	}
	h := f.headers(now, max(0, left))
	if f.spoil != nil {
		f.spoil(h, status == http.StatusTooManyRequests)
	}
	return answer(status, body, h), 0, nil
}

func (f *fakeAccount) roll(now time.Time) {
	start := now.Truncate(f.length)
	if f.floats && now.Sub(f.start) < f.length {
		return
	}
	if f.floats {
		start = now
	}
	if !start.Equal(f.start) {
		f.letOthers(1)
		f.wants = append(f.wants, f.wanted)
		f.peak = max(f.peak, f.used)
		f.start, f.used, f.taken, f.wanted = start, 0, 0, 0
		f.window++
	}
}

// letOthers makes the requests of the account's other users up to a share of the window.
func (f *fakeAccount) letOthers(into float64) {
	if f.others == nil {
		return
	}
	more := f.others(f.window, into) - f.wanted
	granted := min(more, f.limit-f.used-f.taken)
	f.wanted += more
	f.taken += granted
	f.dayUsed += granted
	f.demand += more
	f.starved += more - granted
}

func (f *fakeAccount) headers(now time.Time, left int) http.Header {
	stamp := f.stamp
	if stamp == nil {
		stamp = func(reset, _ time.Time) string { return reset.UTC().Format(time.RFC3339) }
	}
	h := http.Header{}
	h.Set("Date", now.UTC().Format(http.TimeFormat))
	set := func(name string, limit, left int, reset time.Time) {
		h.Set("X-Rate-Limit-Limit-"+name, strconv.Itoa(limit))
		h.Set("X-Rate-Limit-Remaining-"+name, strconv.Itoa(left))
		h.Set("X-Rate-Limit-Reset-"+name, stamp(reset, now))
	}
	set("Minute", f.limit, left, f.start.Add(f.length))
	if f.day > 0 {
		set("Day", f.day, f.day-f.dayUsed, now.Truncate(24*time.Hour).Add(24*time.Hour))
	}
	return h
}

func (v *verbatim) response() (*http.Response, time.Duration, error) {
	if v.status == 0 {
		return nil, v.after, errors.New("connection reset by peer")
	}
	h := http.Header{}
	for name, value := range v.header {
		h.Set(name, value)
	}
	return answer(v.status, v.body, h), v.after, nil
}

func answer(status int, body string, h http.Header) *http.Response {
	return &http.Response{StatusCode: status, Header: h, Body: io.NopCloser(strings.NewReader(body)), ContentLength: int64(len(body))}
}

// client returns a client and governor for the account, whose minute is its window.
func (f *fakeAccount) client(t *testing.T, l governor.Limits) (*client.Fusebill, *governor.Governor) {
	t.Helper()
	g := governor.New(l)
	g.SetMinute(f.length)
	return f.of(t, g), g
}

// of returns a client of the account under a governor, or none.
func (f *fakeAccount) of(t *testing.T, g *governor.Governor) *client.Fusebill {
	t.Helper()
	fb, err := client.NewFusebill(client.Options{BaseURL: "https://api.example.com/v1", Key: "MDpzZWNyZXQ=", Transport: f, Governor: g})
	if err != nil {
		t.Fatal(err)
	}
	return fb
}

// manyVisits makes visits of two requests each with a number of workers, as the
// engine would, repeating what brought no answer. It returns how long it took.
func manyVisits(t *testing.T, fb *client.Fusebill, g *governor.Governor, workers, visits int) time.Duration {
	t.Helper()
	begun := time.Now()
	todo := make(chan int, visits)
	for n := range visits {
		todo <- n
	}
	close(todo)
	var done sync.WaitGroup
	for range workers {
		done.Go(func() {
			for range todo {
				for !visit(t, fb, g) {
				}
			}
		})
	}
	done.Wait()
	return time.Since(begun)
}

// visit reads and writes under one lease; false: it is to be made again.
func visit(t *testing.T, fb *client.Fusebill, g *governor.Governor) bool {
	l, err := g.Lease(t.Context(), 2)
	if err != nil {
		t.Error(err)
		return true
	}
	defer l.Close()
	if rep := fb.Customer(t.Context(), l, "1"); rep.Class != client.Answered {
		return false
	}
	return fb.Update(t.Context(), l, []byte(`{"id":1,"status":"Active"}`)).Class == client.Answered
}

// ideal is the least time for a number of requests: full windows, and then the last one's work.
func ideal(requests, perWindow, workers int, length time.Duration) time.Duration {
	full := (requests - 1) / perWindow
	rest := requests - full*perWindow
	return time.Duration(full)*length + time.Duration(rest/workers)*50*time.Millisecond
}

func even(n int) int { return n - n%2 }

func percent(part, of int) float64 { return 100 * float64(part) / float64(of) }
