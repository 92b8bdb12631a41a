package client_test

import (
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"rowbatch/client"
	"rowbatch/client/governor"
)

// starting is a network: nobody listens until a server has started, and where the
// connection itself takes time, it is waited for.
type starting struct {
	at      time.Time // when the server starts
	connect time.Duration
	answer  time.Duration // after the connection
	failure error         // of an attempt before that; nil: connection refused
	mute    int           // attempts, after which none fails any more until its time is up; 0: all do
	tried   int64
}

func (s *starting) RoundTrip(r *http.Request) (*http.Response, error) {
	trace := httptrace.ContextClientTrace(r.Context())
	trace.GetConn("")
	tried := int(atomic.AddInt64(&s.tried, 1))
	wait := func(d time.Duration) error {
		select {
		case <-time.After(d):
			return nil
		case <-r.Context().Done():
			return r.Context().Err()
		}
	}
	if err := wait(s.connect); err != nil {
		return nil, err
	}
	switch {
	case !time.Now().Before(s.at):
	case s.mute > 0 && tried > s.mute:
		return nil, wait(1000 * time.Hour)
	case s.failure != nil:
		return nil, s.failure
	default:
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: errors.New("connection refused")}
	}
	trace.GotConn(httptrace.GotConnInfo{})
	if err := wait(s.answer); err != nil {
		return nil, err
	}
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(`{"id":1}`))}, nil
}

func (s *starting) client(t *testing.T, o client.Options) *client.Fusebill {
	o.BaseURL, o.Key, o.Transport, o.Contact = "https://api.example.com/v1", "MDpzZWNyZXQ=", s, client.ContactTime
	fb, err := client.NewFusebill(o)
	if err != nil {
		t.Fatal(err)
	}
	return fb
}

// What answers in the end is no wrong address, and what never does is told at once and given up soon.
func TestAnAddressThatNeverAnswered(t *testing.T) {
	const never = 1000 * time.Hour
	tests := map[string]struct {
		server    starting
		starts    time.Duration
		want      client.Class
		from, to  time.Duration // when that is known; whoever asks with the first one's answer may take as long again
		told      int
		mostTried int
	}{
		"it answers":                    {starting{}, 0, client.Answered, 0, 0, 0, 1},
		"it starts after 5 s":           {starting{}, 5 * time.Second, client.Answered, 5 * time.Second, 6 * time.Second, 1, 12},
		"it answers after 5 s":          {starting{answer: 5 * time.Second}, 0, client.Answered, 5 * time.Second, 10 * time.Second, 0, 1},
		"it answers after 20 s":         {starting{answer: 20 * time.Second}, 0, client.Answered, 20 * time.Second, 40 * time.Second, 0, 1},
		"nobody listens":                {starting{}, never, client.NoAccess, 13 * time.Second, 13 * time.Second, 1, 20},
		"no connection comes about":     {starting{connect: never}, never, client.NoAccess, 13 * time.Second, 13 * time.Second, 0, 1},
		"connections fail after 10 s":   {starting{connect: 10 * time.Second}, never, client.NoAccess, 13 * time.Second, 13 * time.Second, 1, 2},
		"it is connected, and is mute":  {starting{answer: never}, 0, client.NoAccess, 30 * time.Second, 30 * time.Second, 0, 1},
		"it starts when it is given up": {starting{}, 14 * time.Second, client.NoAccess, 13 * time.Second, 13 * time.Second, 1, 20},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				began := time.Now()
				server, told := tt.server, []string(nil)
				server.at = began.Add(tt.starts)
				g := governor.New(governor.Limits{Outage: 10 * time.Minute})
				fb := server.client(t, client.Options{Governor: g, Silent: func(err error) { told = append(told, err.Error()) }})
				var all sync.WaitGroup
				for range 4 { // all learn of it at the same time
					all.Go(func() {
						l, err := g.Lease(t.Context(), 2)
						if err != nil {
							t.Error(err)
							return
						}
						defer l.Close()
						rep := fb.Customer(t.Context(), l, "1")
						if took := time.Since(began); rep.Class != tt.want || took < tt.from || took > tt.to+time.Second {
							t.Errorf("%s after %s: %v", rep.Class, took, rep.Err)
						}
						if tt.want == client.NoAccess && !strings.Contains(rep.Err.Error(), "https://api.example.com/v1 has not answered within 13s: ") {
							t.Errorf("%v does not name the address", rep.Err)
						}
					})
					if tt.want == client.NoAccess { // which ends a run
						break
					}
				}
				all.Wait()
				if len(told) != tt.told || tt.told > 0 && !strings.Contains(told[0], "https://api.example.com/v1 does not answer: ") {
					t.Errorf("told: %q", told)
				}
				if int(server.tried) > tt.mostTried+3 {
					t.Errorf("tried %d times", server.tried)
				}
			})
		})
	}
}

// The reason that was found stands in the last word, too, and in plain words first: not
// that time was up in the middle of the last attempt.
func TestTheReasonOfAnAddressThatIsGivenUp(t *testing.T) {
	dial := func(err error) error { return &net.OpError{Op: "dial", Net: "tcp", Err: err} }
	for want, failure := range map[string]error{
		"has not answered within 13s: nobody listens there: dial tcp: ": dial(syscall.ECONNREFUSED),
		"has not answered within 13s: no such host: dial tcp: ":         dial(&net.DNSError{Err: "no such host", Name: "api.example.com", IsNotFound: true}),
		"has not answered within 13s: dial tcp: network is down":        dial(errors.New("network is down")),
	} {
		synctest.Test(t, func(t *testing.T) {
			server := &starting{at: time.Now().Add(time.Hour), failure: failure, mute: 3}
			rep := server.client(t, client.Options{}).Customer(t.Context(), nil, "1")
			if rep.Class != client.NoAccess || !strings.Contains(rep.Err.Error(), want) || server.tried != 4 {
				t.Errorf("%s after %d attempts: %v, want %q", rep.Class, server.tried, rep.Err, want)
			}
		})
	}
}

// A stop is not kept waiting, and a server that was there before has the patience of any outage.
func TestAnAddressIsWaitedForNoLonger(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stop := make(chan struct{})
		server := &starting{at: time.Now().Add(time.Hour)}
		fb := server.client(t, client.Options{Stop: stop})
		time.AfterFunc(2*time.Second, func() { close(stop) })
		began := time.Now()
		if rep := fb.Customer(t.Context(), nil, "1"); rep.Class != client.Unsent || time.Since(began) > 2*time.Second {
			t.Errorf("%s after %s", rep.Class, time.Since(began))
		}
		server = &starting{}
		fb = server.client(t, client.Options{})
		fb.Customer(t.Context(), nil, "1")
		server.at = time.Now().Add(time.Hour)
		began = time.Now()
		if rep := fb.Customer(t.Context(), nil, "1"); rep.Class != client.Unsent || time.Since(began) > 0 {
			t.Errorf("%s after %s", rep.Class, time.Since(began))
		}
	})
}
