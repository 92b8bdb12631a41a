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

// killServer is a sandbox in the test's own process, that serves the programs
// which are killed. It sees each request arrive, and may strike at that moment.
type killServer struct {
	dir, reports string
	served       *httptest.Server

	weather sync.RWMutex // held for reading while a request is served
	box     *sandbox.Sandbox

	mu       sync.Mutex
	process  int // of which number the program now running is
	strikes  blow
	flights  map[string]*flight // by customer
	asked    map[string]int     // by customer: requests of this program
	total    int                // requests of this program
	writes   int
	journals map[string]*openIntents // by path
	breaches []string
}

// blow is when to strike: at the n-th request or write, as it arrives or as its answer is to leave.
type blow struct {
	n       int // 0: not at all
	atWrite bool
	late    bool
	strike  func()
}

// flight is a request that is being served.
type flight struct {
	id      string
	process int
	began   time.Time
	doubled bool // another about the same customer came meanwhile
	strike  func()
}

// shortest is the shortest time after which a program gives an answer up.
const shortest = 250 * time.Millisecond

type processKey struct{}

func startKillServer(t *testing.T, dir, reports string) *killServer {
	t.Helper()
	s := &killServer{dir: dir, reports: reports, flights: map[string]*flight{}}
	s.served = httptest.NewUnstartedServer(s)
	s.served.Config.ConnContext = func(ctx context.Context, _ net.Conn) context.Context {
		s.mu.Lock()
		defer s.mu.Unlock()
		return context.WithValue(ctx, processKey{}, s.process) // what a killed program still had on the way is not the next one's
	}
	s.turn(t)
	s.served.Start()
	t.Cleanup(func() {
		s.served.Close()
		if err := s.box.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// turn changes the weather, once everything on the way has been served.
func (s *killServer) turn(t *testing.T, faults ...string) {
	t.Helper()
	list, err := sandbox.ParseFaults(faults)
	if err != nil {
		t.Fatal(err)
	}
	s.weather.Lock()
	defer s.weather.Unlock()
	if s.box != nil {
		if err := s.box.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if s.box, err = sandbox.Open(sandbox.Options{Dir: s.dir, Seed: samples.Seed(), Minute: 1_000_000, Day: 1_000_000, Faults: list}); err != nil {
		t.Fatal(err)
	}
}

// expect makes ready for another program.
func (s *killServer) expect(b blow) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.process++
	s.strikes, s.asked, s.total, s.writes = b, map[string]int{}, 0, 0
	s.journals = map[string]*openIntents{}
}

func (s *killServer) environment() []string {
	return append(environment(), "FUSEBILL_URL="+s.served.URL+"/v1", "FUSEBILL_API_KEY=MDpzYW5kYm94",
		"TRACKFINITY_URL="+s.served.URL+"/api", "TRACKFINITY_API_KEY=sandbox-key", "TRACKFINITY_API_USERNAME=admin",
		"XDG_CACHE_HOME="+filepath.Join(s.reports, "..", "cache"))
}

func (s *killServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	f := s.arrive(r, body)
	defer s.leave(f, r.Context())
	if f.strike != nil {
		w = &lastWord{w, f.strike}
	}
	s.weather.RLock()
	defer s.weather.RUnlock()
	s.box.ServeHTTP(w, r)
}

// lastWord strikes when an answer is about to leave.
type lastWord struct {
	http.ResponseWriter
	strike func()
}

func (w *lastWord) WriteHeader(status int) {
	w.strike()
	w.ResponseWriter.WriteHeader(status)
}

func (w *lastWord) Flush() { w.ResponseWriter.(http.Flusher).Flush() }

func (s *killServer) arrive(r *http.Request, body []byte) *flight {
	s.mu.Lock()
	defer s.mu.Unlock()
	process, _ := r.Context().Value(processKey{}).(int)
	f := &flight{id: whom(r, body), process: process, began: time.Now()}
	write := r.Method != http.MethodGet
	if process == s.process {
		s.total++
		s.asked[f.id]++
		if write {
			s.writes++
		}
		s.mayStrike(f, write)
	}
	if write && !s.intended(f.id) {
		s.breaches = append(s.breaches, fmt.Sprintf("4: a write to customer %s arrived, and no journal has an intent of it", f.id))
	}
	if f.id != "" {
		if other := s.flights[f.id]; other != nil && other.process == process {
			other.doubled = true
		}
		s.flights[f.id] = f
	}
	return f
}

func (s *killServer) mayStrike(f *flight, write bool) {
	n := s.total
	if s.strikes.atWrite {
		n = s.writes
	}
	switch {
	case n != s.strikes.n || s.strikes.atWrite && !write:
	case s.strikes.late:
		f.strike = sync.OnceFunc(s.strikes.strike)
	default:
		s.strikes.strike()
	}
}

// leave tells of two requests about one customer at a time, unless the program
// may have given the first up.
func (s *killServer) leave(f *flight, ctx context.Context) {
	if f.strike != nil {
		f.strike() // an answer that was never to come
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.flights[f.id] == f {
		delete(s.flights, f.id)
	}
	if f.doubled && ctx.Err() == nil && time.Since(f.began) < shortest && f.process == s.process {
		s.breaches = append(s.breaches, fmt.Sprintf("8: two requests about customer %s at one time", f.id))
	}
}

// whom names the customer that a request is about, as the ledger does; "" for none.
func whom(r *http.Request, body []byte) string {
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

// openIntents follows a journal that is being written: the customers of the
// intents without an outcome, by row.
type openIntents struct {
	read int64
	rows map[int64]string
}

// intended says that some run has an open intent about a customer in its file.
func (s *killServer) intended(id string) bool {
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
