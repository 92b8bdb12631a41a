package cli_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/tidwall/gjson"

	"rowbatch/client/sandbox"
	"rowbatch/samples"
)

// checkingServer is a sandbox in the test's own process, so that each request can be
// held against the state that it meets. Its address and its state stay when it is
// given other faults.
type checkingServer struct {
	dir string
	url string // where programs find it

	mu       sync.Mutex
	idle     *sync.Cond // signalled when no request is being served any more
	active   int        // requests, those of callers that have left included
	box      *sandbox.Sandbox
	busy     map[string]context.Context // by customer: of the request being served
	unread   map[string]bool            // by customer: the last request was a write
	holds    map[string]int             // by customer: requests
	writes   int
	breaches []string
	onWrite  func(n int) // called as the n-th write arrives
}

func startCheckingServer(t *testing.T, dir string, faults ...string) *checkingServer {
	t.Helper()
	s := &checkingServer{dir: dir, busy: map[string]context.Context{}, unread: map[string]bool{}, holds: map[string]int{}}
	s.idle = sync.NewCond(&s.mu)
	s.setFaults(t, faults...)
	served := httptest.NewServer(s)
	s.url = served.URL
	t.Cleanup(func() {
		served.Close()
		if err := s.box.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// setFaults opens the sandbox's state again, with other faults.
func (s *checkingServer) setFaults(t *testing.T, faults ...string) {
	t.Helper()
	specs, err := sandbox.ParseFaults(faults)
	if err != nil {
		t.Fatal(err)
	}
	s.lockWhenIdle()
	defer s.mu.Unlock()
	if s.box != nil {
		if err := s.box.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if s.box, err = sandbox.Open(sandbox.Options{Dir: s.dir, Seed: samples.Seed(), Minute: 100_000, Faults: specs}); err != nil {
		t.Fatal(err)
	}
}

// environment is that of a program which is to use the server.
func (s *checkingServer) environment() []string {
	return append(environment(), settingsFor(s.url)...)
}

func (s *checkingServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		panic(http.ErrAbortHandler) // the caller left in the middle
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	kind, customer := addressed(r, body)
	box := s.arrive(r.Context(), kind, customer, body)
	defer s.end()
	answered := sync.OnceFunc(func() { s.leave(customer) })
	defer answered()
	box.ServeHTTP(&beforeAnswer{w, answered}, r)
}

// beforeAnswer has something done before an answer can reach the caller.
type beforeAnswer struct {
	http.ResponseWriter
	do func()
}

func (w *beforeAnswer) WriteHeader(status int) {
	w.do()
	w.ResponseWriter.WriteHeader(status)
}

func (w *beforeAnswer) Flush() { w.ResponseWriter.(http.Flusher).Flush() }

// addressed is what a request does, and to which customer, as the ledger names it;
// a subscription is its customer's number with a prefix.
func addressed(r *http.Request, body []byte) (kind, customer string) {
	parts := strings.Split(strings.Trim(strings.ToLower(r.URL.Path), "/"), "/")
	last := parts[len(parts)-1]
	switch {
	case r.Method == http.MethodPut:
		return "put", gjson.GetBytes(body, "id").Raw
	case r.Method == http.MethodPatch:
		form, err := url.ParseQuery(string(body))
		if err != nil {
			return "patch", ""
		}
		return "patch", "tf:" + form.Get("customer_id") + strings.TrimPrefix(form.Get("subscription_id"), "S-")
	case strings.Contains(r.URL.Path, "/CustomerHold/"):
		return "hold", last
	case last == "latchcustomer":
		return "latch", gjson.GetBytes(body, "fusebillId").Raw
	case strings.Contains(r.URL.Path, "/UnlatchCustomer/"):
		return "unlatch", last
	case r.Method == http.MethodGet && len(parts) > 2 && parts[1] == "customers":
		return "read", parts[2]
	}
	return "", ""
}

// arrive checks a request before it is served.
func (s *checkingServer) arrive(ctx context.Context, kind, customer string, body []byte) *sandbox.Sandbox {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.active++; kind == "" {
		return s.box
	}
	if other := s.busy[customer]; other != nil && other.Err() == nil {
		s.breach("customer %s: two requests at once", customer)
	}
	s.busy[customer] = ctx
	if kind == "read" {
		s.unread[customer] = false
		return s.box
	}
	if s.unread[customer] && kind != "patch" {
		s.breach("customer %s: a %s without a read after the write before it", customer, kind)
	}
	s.unread[customer] = true
	s.writes++
	s.checkWrite(kind, customer, body)
	if s.onWrite != nil {
		s.onWrite(s.writes)
	}
	return s.box
}

// checkWrite holds a write against the customer as it stands.
func (s *checkingServer) checkWrite(kind, customer string, body []byte) {
	now, _ := s.box.Customer(customer)
	status := gjson.GetBytes(now, "status").Str
	switch kind {
	case "hold":
		if s.holds[customer]++; s.holds[customer] > 2 {
			s.breach("customer %s: %d holds were sent", customer, s.holds[customer])
		}
		if status == "Hold" {
			s.breach("customer %s: a hold was sent, and it is on hold already", customer)
		}
	case "put":
		if sent := gjson.GetBytes(body, "status").Str; sent != status {
			s.breach("customer %s: a PUT with status %q, and it is %s", customer, sent, status)
		}
	case "latch":
		for _, field := range []string{"fusebillId", "hubSpotId", "hubSpotCompanyId"} {
			if !gjson.GetBytes(body, field).Exists() {
				s.breach("customer %s: a latch without %s", customer, field)
			}
		}
	case "patch":
		form, err := url.ParseQuery(string(body))
		if err != nil || form.Has("customer_id") == form.Has("subscription_id") {
			s.breach("customer %s: a form with both keys, or none: %v", customer, err)
		}
		for name, values := range form {
			if len(values) != 1 || strings.TrimSpace(values[0]) == "" {
				s.breach("customer %s: %d values of %s, or an empty one", customer, len(values), name)
			}
		}
	}
}

// leave is called before the answer is sent.
func (s *checkingServer) leave(customer string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.busy, customer)
}

// end is called when a request has had all the effect that it will have.
func (s *checkingServer) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.active--; s.active == 0 {
		s.idle.Broadcast()
	}
}

// lockWhenIdle waits until no request is being served, and takes the lock.
func (s *checkingServer) lockWhenIdle() {
	s.mu.Lock()
	for s.active > 0 {
		s.idle.Wait()
	}
}

func (s *checkingServer) breach(format string, args ...any) {
	s.breaches = append(s.breaches, fmt.Sprintf(format, args...))
}

// at has a function called when the n-th write from now arrives.
func (s *checkingServer) at(n int, do func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	target := s.writes + n
	s.onWrite = func(writes int) {
		if writes == target {
			do()
		}
	}
}

// seen is what has happened so far: each customer's writes that took effect, in their
// order, how many write requests came, and what was wrong with them.
func (s *checkingServer) seen() (effects map[string][]sandbox.Effect, writes int, breaches []string) {
	s.lockWhenIdle()
	defer s.mu.Unlock()
	effects = map[string][]sandbox.Effect{}
	for _, e := range s.box.Effects() {
		effects[e.ID] = append(effects[e.ID], e)
	}
	return effects, s.writes, slices.Clone(s.breaches)
}
