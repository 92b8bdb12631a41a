package cli_test

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"testing"

	"rowbatch/client/sandbox"
)

const plenty = 10_000_000 // requests

// office is an account of its own, at which files are carried out.
type office struct {
	dir     string
	options sandbox.Options
	box     *sandbox.Sandbox
	env     []string

	open sync.RWMutex // held for reading while a request is served
	mu   sync.Mutex
	seen traffic
}

// traffic is what an account has answered since its limits were set.
type traffic struct {
	requests, throttled int
	least               map[string]int // of each window: the fewest requests that were left
}

func (o *office) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	o.open.RLock()
	defer o.open.RUnlock()
	o.box.ServeHTTP(&watched{w, o}, r)
}

// watched notes the limits that a reply tells.
type watched struct {
	http.ResponseWriter
	office *office
}

func (w *watched) WriteHeader(status int) {
	o := w.office
	o.mu.Lock()
	defer o.mu.Unlock()
	o.seen.requests++
	if status == http.StatusTooManyRequests {
		o.seen.throttled++
	}
	for _, window := range []string{"Minute", "Day"} {
		if left, err := strconv.Atoi(w.Header().Get("X-Rate-Limit-Remaining-" + window)); err == nil {
			if least, seen := o.seen.least[window]; !seen || left < least {
				o.seen.least[window] = left
			}
		}
	}
	w.ResponseWriter.WriteHeader(status)
}

func openOffice(t *testing.T, options sandbox.Options) *office {
	t.Helper()
	o := &office{dir: t.TempDir(), options: options}
	o.options.Dir = filepath.Join(o.dir, "box")
	o.turn(t, options.Minute, options.Day)
	served := httptest.NewServer(o)
	t.Cleanup(func() {
		served.Close()
		o.open.Lock()
		defer o.open.Unlock()
		if err := o.box.Close(); err != nil {
			t.Error(err)
		}
	})
	o.env = append(environment(), "FUSEBILL_URL="+served.URL+"/v1", "FUSEBILL_API_KEY=MDpzYW5kYm94",
		"TRACKFINITY_URL="+served.URL+"/api", "TRACKFINITY_API_KEY=sandbox-key", "TRACKFINITY_API_USERNAME=admin")
	return o
}

// file writes what is to be carried out.
func (o *office) file(t *testing.T, rows [][]string) {
	t.Helper()
	file, err := csvOf(rows)
	if err == nil {
		err = os.WriteFile(filepath.Join(o.dir, "rows.csv"), file, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// turn gives the account other limits, and what was used of them back.
func (o *office) turn(t *testing.T, minute, day int) {
	t.Helper()
	o.open.Lock()
	defer o.open.Unlock()
	var err error
	if o.box != nil {
		err = o.box.Close()
	}
	o.options.Minute, o.options.Day = minute, day
	if err == nil {
		o.box, err = sandbox.Open(o.options)
	}
	if err != nil {
		t.Fatal(err)
	}
	o.seen = traffic{least: map[string]int{}}
}

// carryOut runs a command with a reports folder of its own, and returns its report.
func (o *office) carryOut(t *testing.T, reports string, words ...string) sheet {
	t.Helper()
	return o.carryOutTo(t, []int{exitDone, exitRows}, reports, words...)
}

func (o *office) carryOutTo(t *testing.T, ends []int, reports string, words ...string) sheet {
	t.Helper()
	c := exec.Command("rowbatch", append(words, "--quiet", "--reports", reports, "--max-failures", "10000")...)
	c.Dir, c.Env = o.dir, o.env
	var said bytes.Buffer
	c.Stdout, c.Stderr = &said, &said
	err := c.Run()
	if code := exitCode(t, c, err); !slices.Contains(ends, code) {
		t.Errorf("%q ended with %d\n%s", c.Args, code, said.String())
	}
	run, err := newestRun(filepath.Join(o.dir, reports))
	if err != nil {
		t.Errorf("%q: %v\n%s", c.Args, err, said.String())
		return sheet{}
	}
	text, err := os.ReadFile(filepath.Join(run, "report.csv"))
	if err != nil {
		t.Error(err)
		return sheet{}
	}
	s, err := parseSheet(string(text))
	if err != nil {
		t.Error(err)
	}
	return s
}
