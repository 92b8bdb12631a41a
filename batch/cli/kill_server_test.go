package cli_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tidwall/gjson"

	"rowbatch/client/sandbox"
	"rowbatch/samples"
)

// killServer is a sandbox in the test's own process, which serves the programs that
// are killed. It sees each request arrive, and may have the program killed just then.
type killServer struct {
	dir, reports string
	served       *httptest.Server

	serving sync.RWMutex // held for reading while a request is served
	box     *sandbox.Sandbox

	mu       sync.Mutex
	process  int // the number of the program that runs now
	killAt   killPoint
	underway map[string]*servedRequest // by customer
	asked    map[string]int            // by customer: requests of this program
	total    int                       // requests of this program
	writes   int
	journals map[string]*openIntents // by path
	breaches []string
}

// killPoint is when to kill: at the n-th request or write, when it arrives or when its answer is to be sent.
type killPoint struct {
	n       int // 0: never
	atWrite bool
	late    bool
	kill    func()
}

// servedRequest is a request while it is served.
type servedRequest struct {
	id      string
	process int
	began   time.Time
	doubled bool // another for the same customer came meanwhile
	kill    func()
}

// shortest is the shortest time after which a program gives up waiting for an answer.
const shortest = 250 * time.Millisecond

type processKey struct{}

func startKillServer(t *testing.T, dir, reports string) *killServer {
	t.Helper()
	s := &killServer{dir: dir, reports: reports, underway: map[string]*servedRequest{}}
	s.served = httptest.NewUnstartedServer(s)
	s.served.Config.ConnContext = func(ctx context.Context, _ net.Conn) context.Context {
		s.mu.Lock()
		defer s.mu.Unlock()
		return context.WithValue(ctx, processKey{}, s.process) // a killed program's requests may still arrive: they are not the next one's
	}
	s.setFaults(t)
	s.served.Start()
	t.Cleanup(func() {
		s.served.Close()
		if err := s.box.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// setFaults opens the sandbox's state again, with other faults, once all requests have been served.
func (s *killServer) setFaults(t *testing.T, faults ...string) {
	t.Helper()
	list, err := sandbox.ParseFaults(faults)
	if err != nil {
		t.Fatal(err)
	}
	s.serving.Lock()
	defer s.serving.Unlock()
	if s.box != nil {
		if err := s.box.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if s.box, err = sandbox.Open(sandbox.Options{Dir: s.dir, Seed: samples.Seed(), Minute: 1_000_000, Day: 1_000_000, Faults: list}); err != nil {
		t.Fatal(err)
	}
}

// nextProcess is called before another program starts: its requests are counted from 0.
func (s *killServer) nextProcess(b killPoint) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.process++
	s.killAt, s.asked, s.total, s.writes = b, map[string]int{}, 0, 0
	s.journals = map[string]*openIntents{}
}

func (s *killServer) environment() []string {
	return append(append(environment(), settingsFor(s.served.URL)...), "XDG_CACHE_HOME="+filepath.Join(s.reports, "..", "cache"))
}

func (s *killServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	f := s.arrive(r, body)
	defer s.leave(f, r.Context())
	if f.kill != nil {
		w = &beforeAnswer{w, f.kill}
	}
	s.serving.RLock()
	defer s.serving.RUnlock()
	s.box.ServeHTTP(w, r)
}

func (s *killServer) arrive(r *http.Request, body []byte) *servedRequest {
	s.mu.Lock()
	defer s.mu.Unlock()
	process, _ := r.Context().Value(processKey{}).(int)
	f := &servedRequest{id: customerOf(r, body), process: process, began: time.Now()}
	write := r.Method != http.MethodGet
	if process == s.process {
		s.total++
		s.asked[f.id]++
		if write {
			s.writes++
		}
		s.killIfDue(f, write)
	}
	if write && !s.hasIntent(f.id) {
		s.breaches = append(s.breaches, fmt.Sprintf("4: a write to customer %s arrived, and no journal has an intent of it", f.id))
	}
	if f.id != "" {
		if other := s.underway[f.id]; other != nil && other.process == process {
			other.doubled = true
		}
		s.underway[f.id] = f
	}
	return f
}

func (s *killServer) killIfDue(f *servedRequest, write bool) {
	n := s.total
	if s.killAt.atWrite {
		n = s.writes
	}
	switch {
	case n != s.killAt.n || s.killAt.atWrite && !write:
	case s.killAt.late:
		f.kill = sync.OnceFunc(s.killAt.kill)
	default:
		s.killAt.kill()
	}
}

// leave notes two requests for one customer at a time as a breach, unless the program
// may have given up the first.
func (s *killServer) leave(f *servedRequest, ctx context.Context) {
	if f.kill != nil {
		f.kill() // the sandbox never answers this one
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.underway[f.id] == f {
		delete(s.underway, f.id)
	}
	if f.doubled && ctx.Err() == nil && time.Since(f.began) < shortest && f.process == s.process {
		s.breaches = append(s.breaches, fmt.Sprintf("8: two requests for customer %s at one time", f.id))
	}
}

// customerOf names the customer that a request is for, as the ledger does; "" for none.
func customerOf(r *http.Request, body []byte) string {
	path := strings.Split(strings.Trim(strings.ToLower(r.URL.Path), "/"), "/")
	switch last := path[len(path)-1]; {
	case path[0] == "api":
		form, err := url.ParseQuery(string(body))
		number := strings.TrimPrefix(form.Get("customer_id")+form.Get("subscription_id"), "S-")
		if err != nil || number == "" {
			return ""
		}
		return "tf:" + number
	case r.Method == http.MethodPut:
		return gjson.GetBytes(body, "id").Raw
	case last == "unhold":
		return gjson.GetBytes(body, "customerId").Raw
	case last == "latchcustomer":
		return gjson.GetBytes(body, "fusebillId").Raw
	case last == "overview":
		return path[len(path)-2]
	case path[1] != "salestrackingcodes" && len(path) > 2:
		return last
	}
	return ""
}

// openIntents reads along as a journal is written: by row, the customers of the
// intents without an outcome.
type openIntents struct {
	read int64
	rows map[int64]string
}

// hasIntent reports whether the journal of some run holds an open intent for a customer.
func (s *killServer) hasIntent(id string) bool {
	names, err := filepath.Glob(filepath.Join(s.reports, "*", "journal"))
	if err != nil {
		return false
	}
	for _, name := range names {
		if s.journals[name] == nil {
			s.journals[name] = &openIntents{rows: map[int64]string{}}
		}
		if s.journals[name].has(name, id) {
			return true
		}
	}
	return false
}

func (o *openIntents) has(name, id string) bool {
	f, err := os.Open(name)
	if err != nil {
		return false
	}
	defer f.Close()
	text, err := io.ReadAll(io.NewSectionReader(f, o.read, 1<<30))
	if err != nil {
		return false
	}
	for {
		line, rest, whole := bytes.Cut(text, []byte("\n"))
		if !whole {
			break
		}
		o.note(line)
		o.read += int64(len(line)) + 1
		text = rest
	}
	for _, open := range o.rows {
		if open == id {
			return true
		}
	}
	return false
}

func (o *openIntents) note(line []byte) {
	f := gjson.GetManyBytes(line, "k", "r", "g.act", "g.id", "g.key")
	switch f[0].Str {
	case "intent":
		id := f[3].Str
		if f[2].Str == "patch" {
			_, number, _ := strings.Cut(f[4].Str, "=")
			id = "tf:" + strings.TrimPrefix(number, "S-")
		}
		o.rows[f[1].Int()] = id
	case "done":
		delete(o.rows, f[1].Int())
	}
}
