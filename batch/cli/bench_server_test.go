package cli_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tidwall/gjson"
	"github.com/tidwall/sjson"

	"rowbatch/client"
	"rowbatch/client/sandbox"
	"rowbatch/samples"
)

// replyTime is how long the benchmarks' server takes for a reply.
const replyTime = 5 * time.Millisecond

// firstBenchID is the id of the first customer; the others follow without gaps.
const firstBenchID = 1_000_000

// benchServer answers for both APIs after a fixed time, with as little work as it can:
// what it takes of the machine is missing to the program that is measured.
type benchServer struct {
	rest []byte // of a customer, after its id

	mu    sync.Mutex
	put   map[string][]byte // customers as replaced
	held  map[string]bool
	count int
	first time.Time // when the first request came
	last  time.Time // when the last one did
}

// benchCounts is what a benchServer has seen since it was last reset.
type benchCounts struct {
	Requests int
	First    int64 // Unix nanoseconds
	Last     int64
}

// serveBench is the command that serves until its standard input ends.
func serveBench() {
	customer, err := sjson.Delete(gjson.GetBytes(samples.Seed(), "0|@ugly").Raw, "id")
	if err != nil {
		panic(err)
	}
	s := &benchServer{rest: []byte("," + customer[1:]), put: map[string][]byte{}, held: map[string]bool{}}
	listener, err := new(net.ListenConfig).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	fmt.Println(listener.Addr())
	go func() { panic(http.Serve(listener, s)) }()
	_, _ = io.Copy(io.Discard, os.Stdin)
}

func (s *benchServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if strings.HasPrefix(r.URL.Path, "/bench/") {
		s.control(w, r)
		return
	}
	s.mu.Lock()
	if s.count++; s.count == 1 {
		s.first = time.Now()
	}
	s.last = time.Now()
	s.mu.Unlock()
	time.Sleep(replyTime)
	h := w.Header()
	showLimits(h)
	body := s.reply(r)
	h.Set("Content-Length", strconv.Itoa(len(body)))
	_, _ = w.Write(body)
}

// showLimits sets limits so high that nothing is waited for, and says that nobody need
// be asked before an edit.
func showLimits(h http.Header) {
	h.Set(sandbox.Header, "1")
	h.Set("Content-Type", "application/json; charset=utf-8")
	for window, length := range map[string]time.Duration{"Minute": time.Minute, "Day": 24 * time.Hour} {
		h.Set("X-Rate-Limit-Limit-"+window, "10000000")
		h.Set("X-Rate-Limit-Remaining-"+window, "9990000")
		h.Set("X-Rate-Limit-Reset-"+window, time.Now().UTC().Truncate(length).Add(length).Format(time.RFC3339))
	}
}

func (s *benchServer) control(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := benchCounts{s.count, s.first.UnixNano(), s.last.UnixNano()}
	if path.Base(r.URL.Path) == "reset" {
		clear(s.put)
		clear(s.held)
		s.count = 0
	}
	_ = json.NewEncoder(w).Encode(c)
}

func (s *benchServer) reply(r *http.Request) []byte {
	last := path.Base(r.URL.Path)
	switch {
	case r.Method == http.MethodPatch, last == "ping":
		return []byte("true")
	case r.Method == http.MethodPut:
		body, _ := io.ReadAll(r.Body)
		s.mu.Lock()
		defer s.mu.Unlock()
		s.put[gjson.GetBytes(body, "id").Raw] = body
		return body
	case r.Method == http.MethodPost:
		s.mu.Lock()
		defer s.mu.Unlock()
		s.held[last] = true
		return s.customer(last)
	case last == "overview":
		last = path.Base(path.Dir(r.URL.Path))
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.customer(last)
}

// customer is one as it stands, and its overview; the lock is held.
func (s *benchServer) customer(id string) []byte {
	if body, ok := s.put[id]; ok {
		return body
	}
	body := fmt.Appendf(nil, `{"id":%s%s`, id, s.rest)
	if s.held[id] {
		body = bytes.Replace(body, []byte(`"status":"Active"`), []byte(`"status":"Hold"`), 1)
	}
	return body
}

// benchProcess is a benchServer in a process of its own.
type benchProcess struct{ url string }

func startBenchServer(b *testing.B) benchProcess {
	b.Helper()
	c := exec.Command("benchserver")
	c.Stderr = os.Stderr
	in, err := c.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	out, err := c.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := c.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		in.Close()
		_ = c.Wait()
	})
	address, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		b.Fatal(err)
	}
	return benchProcess{"http://" + strings.TrimSpace(address)}
}

// tell asks for the counts, or for a reset.
func (p benchProcess) tell(b *testing.B, what string) (c benchCounts) {
	b.Helper()
	res, err := http.Get(p.url + "/bench/" + what)
	if err != nil {
		b.Fatal(err)
	}
	defer res.Body.Close()
	if err := json.NewDecoder(res.Body).Decode(&c); err != nil {
		b.Fatal(err)
	}
	return c
}

func (p benchProcess) environment() []string {
	return append(environment(), settingsFor(p.url)...)
}

// buildProgram returns the program as users have it.
func buildProgram(b *testing.B) string {
	b.Helper()
	name := filepath.Join(b.TempDir(), "rowbatch.exe")
	c := exec.Command("go", "build", "-trimpath", "-o", name, ".")
	c.Dir = moduleRoot
	if out, err := c.CombinedOutput(); err != nil {
		b.Fatalf("%v\n%s", err, out)
	}
	return name
}

// benchFile writes so many rows of an id and the value.
func benchFile(b *testing.B, heading, value string, rows int) string {
	b.Helper()
	var text bytes.Buffer
	text.WriteString(heading + "\n")
	for n := range rows {
		fmt.Fprintf(&text, "%d%s\n", firstBenchID+n, value)
	}
	name := filepath.Join(b.TempDir(), "rows.csv")
	if err := os.WriteFile(name, text.Bytes(), 0o644); err != nil {
		b.Fatal(err)
	}
	return name
}

// load is a bare load generator: the program's own transport and nothing else.
type load struct {
	url       string
	transport *http.Transport
}

// makeLoad is the command that makes so many rows' requests, and prints how long it took.
func makeLoad() {
	l := &load{os.Args[1], client.NewTransport(benchWorkers)}
	row := map[string]func(string) error{"hold": l.hold, "update": l.update, "patch": l.patch}[os.Args[2]]
	rows, err := strconv.Atoi(os.Args[3])
	if err != nil {
		panic(err)
	}
	ids := make(chan string)
	var workers sync.WaitGroup
	began := time.Now()
	for range benchWorkers {
		workers.Go(func() {
			for id := range ids {
				if err := row(id); err != nil {
					panic(err)
				}
			}
		})
	}
	for n := range rows {
		ids <- strconv.Itoa(firstBenchID + n)
	}
	close(ids)
	workers.Wait()
	fmt.Print(time.Since(began))
}

func (l *load) hold(id string) error {
	if _, err := l.request(http.MethodGet, "/v1/customers/"+id+"/overview", nil); err != nil {
		return err
	}
	_, err := l.request(http.MethodPost, "/v1/CustomerHold/"+id, nil)
	return err
}

func (l *load) update(id string) error {
	customer, err := l.request(http.MethodGet, "/v1/customers/"+id, nil)
	if err == nil {
		_, err = l.request(http.MethodPut, "/v1/customers", customer)
	}
	return err
}

func (l *load) patch(id string) error {
	_, err := l.request(http.MethodPatch, "/api/customer/set_customer_details", []byte("customer_id="+id+"&firstname=Ada"))
	return err
}

func (l *load) request(method, path string, body []byte) ([]byte, error) {
	r, err := http.NewRequest(method, l.url+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	res, err := l.transport.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s %s: %s", method, path, res.Status)
	}
	return io.ReadAll(res.Body)
}
