package cli_test

import (
	"bytes"
	"encoding/csv"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
)

var storms = flag.Int("storms", 1, "how many storms each kind of file goes through in TestStormsOfAllActions, with other rows and other faults each")

// fireRun is a file of some action, a server, and what a run made of them.
type fireRun struct {
	trial
	server  *fireServer
	orders  []order
	timeout string
	mapping []string // flags
}

// fire is one kind of file.
type fire struct {
	action string
	file   func(*testing.T, uint64) *fireRows

	timeout string
	change  int // least share of rows that a storm leaves changed, in percent
}

func fires() map[string]fire {
	return map[string]fire{
		"hold":             {"hold", holdFile, "400ms", 85},
		"latch":            {"latch", latchFile, "400ms", 70},
		"patch":            {"patch", patchFile(false), "300ms", 75},
		"patch, both keys": {"patch", patchFile(true), "100ms", 75},
		"run":              {"run", mixedFile, "300ms", 50},
	}
}

// gale is a quarter of the replies going wrong, in other places for each seed. Some
// writes act after their caller has given them up.
func gale(seed uint64, timeout time.Duration) []string {
	faults := []string{"any:500:rate=6%", "any:503-after:rate=4%", "any:lost:rate=8%", "any:truncated:rate=4%", "any:html:rate=3%:after=20"}
	if timeout > 200*time.Millisecond { // else a busy machine would be later than that
		for _, kind := range []string{"put", "hold", "latch", "unlatch", "patch"} {
			faults = append(faults, fmt.Sprintf("%s:late=%s:rate=3%%", kind, timeout*5/4))
		}
	}
	for n := range faults {
		faults[n] += fmt.Sprintf(":seed=%d", 20*seed+uint64(n))
	}
	return faults
}

func (f fire) start(t *testing.T, seed uint64) *fireRun {
	t.Helper()
	made := f.file(t, seed)
	r := &fireRun{trial: trial{dir: t.TempDir(), names: made.names, rows: made.rows}, orders: made.orders, timeout: f.timeout}
	timeout, err := time.ParseDuration(f.timeout)
	if err != nil {
		t.Fatal(err)
	}
	r.server = startFireServer(t, r.path("sandbox"), gale(seed, timeout)...)
	var b bytes.Buffer
	if err := csv.NewWriter(&b).WriteAll(append([][]string{r.names}, r.rows...)); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(r.path("edits.csv"), b.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	if slices.Contains(r.names, "action") && slices.Contains(r.names, "reference") {
		if err := os.WriteFile(r.path("edits.yaml"), []byte(mixedMapping), 0o644); err != nil {
			t.Fatal(err)
		}
		r.mapping = []string{"--map", "edits.yaml"}
	}
	return r
}

// do runs the program to its end.
func (r *fireRun) do(t *testing.T, command ...string) (code int, said string) {
	t.Helper()
	c := r.program(command...)
	out, err := c.CombinedOutput()
	return exitCode(t, c, err), string(out)
}

func (r *fireRun) program(command ...string) *exec.Cmd {
	rate := "trackfinity=1000/s"
	switch command[0] {
	case "patch":
		rate = "1000/s"
	case "hold", "latch":
		rate = "500/s"
	}
	command = append(command, "--timeout", r.timeout, "--rate", rate, "--max-failures", "1000")
	if command[0] != "resume" { // which knows what the run was
		command = append(append(command, "--allow-duplicates"), r.mapping...)
	}
	c := exec.Command("rowbatch", command...)
	c.Dir, c.Env = r.dir, r.server.environment()
	return c
}

// check judges what a run has left, and returns the outcomes.
func (r *fireRun) check(t *testing.T, said string) map[string]int {
	t.Helper()
	all := r.verdicts(t)
	effects, _, breaches := r.server.seen()
	for _, breach := range append(r.judge(all, effects), breaches...) {
		t.Error(breach)
	}
	kinds := map[string]int{}
	for _, v := range all {
		if kinds[v.outcome]++; v.outcome == "rejected" && v.code != "bad_status" && v.code != "earlier_row_failed" {
			t.Errorf("line %s is rejected: %s", v.line, v.code)
		}
	}
	for _, line := range r.failures(all) {
		t.Errorf("nothing but lost and spoilt answers made line %s fail", line)
	}
	if kinds["conflict"]+kinds["would_change"]+kinds["skipped"] > 0 || strings.Contains(said, "panic") {
		t.Errorf("outcomes %v\n%s", kinds, said)
	}
	return kinds
}

// failures are the lines that failed, and had no other reason to than the weather.
// A latch may: where the customer who has the link did not give it away, or will not.
func (r *fireRun) failures(all []verdict) (lines []string) {
	gave := map[string]bool{"": false}
	for n, v := range all {
		if o := r.orders[n]; o.action == "latch" && (v.outcome == "changed" || v.outcome == "unchanged") {
			gave[o.customer] = true
		}
	}
	for n, v := range all {
		if v.outcome == "failed" && (v.code != "already_linked" || !r.orders[n].stuck && gave[r.orders[n].giver]) {
			lines = append(lines, v.line+" "+v.code)
		}
	}
	return lines
}

func TestStormsOfAllActions(t *testing.T) {
	t.Parallel()
	for name, f := range fires() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			total := figures{}
			for seed := range uint64(*storms) {
				r := f.start(t, seed)
				code, said := r.do(t, f.action, "edits.csv")
				kinds := r.check(t, said)
				if least := len(r.rows) * f.change / 100; kinds["changed"] < least {
					t.Errorf("seed %d: only %d of %d rows changed: exit %d, %v\n%s", seed, kinds["changed"], len(r.rows), code, kinds, said)
				}
				if want := map[bool]int{true: 4, false: 3}[kinds["in_doubt"] > 0]; code != want && code != 0 && kinds["not_attempted"] == 0 {
					t.Errorf("seed %d: exit %d with %v", seed, code, kinds)
				}
				total.add(r, kinds)
				if t.Failed() {
					t.Fatalf("seed %d: %v\n%s", seed, kinds, said)
				}
			}
			t.Log(total)
			if total.writes < total.effects+5 {
				t.Error("this was no storm")
			}
		})
	}
}

// figures sum up many runs.
type figures struct {
	runs, rows, writes, effects int
	kinds                       map[string]int
}

func (f *figures) add(r *fireRun, kinds map[string]int) {
	f.runs++
	f.rows += len(r.rows)
	effects, writes, _ := r.server.seen()
	f.writes += writes
	for _, of := range effects {
		f.effects += len(of)
	}
	if f.kinds == nil {
		f.kinds = map[string]int{}
	}
	for kind, n := range kinds {
		f.kinds[kind] += n
	}
}

func (f figures) String() string {
	return fmt.Sprintf("%d runs, %d rows, %d writes sent, %d effects, %v", f.runs, f.rows, f.writes, f.effects, f.kinds)
}

// TestStormsWithCtrlC stops each kind of run in the middle of a storm, and goes on in calm weather.
func TestStormsWithCtrlC(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("Windows cannot send this signal")
	}
	for name, f := range fires() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			stopped, total := figures{}, figures{}
			for seed := range uint64(*storms) {
				r := f.start(t, 1000+seed)
				code, said := r.interrupt(t, 10+int(seed*13)%70, f.action)
				kinds := r.check(t, said)
				if code != 130 || kinds["not_attempted"] == 0 || kinds["changed"] == 0 {
					t.Errorf("seed %d: exit %d, outcomes %v\n%s", seed, code, kinds, said)
				}
				stopped.add(r, kinds)
				r.server.weather(t)
				code, said = r.do(t, "resume", "last")
				kinds = r.check(t, said)
				if kinds["not_attempted"] > 0 || code == 5 {
					t.Errorf("seed %d: a resume in calm weather: exit %d, outcomes %v\n%s", seed, code, kinds, said)
				}
				total.add(r, kinds)
				if t.Failed() {
					t.Fatalf("seed %d: exit %d, outcomes %v\n%s", seed, code, kinds, said)
				}
			}
			t.Logf("stopped: %v", stopped)
			t.Logf("resumed: %v", total)
		})
	}
}

// interrupt runs the file until so many writes have arrived, and sends a signal.
func (r *fireRun) interrupt(t *testing.T, writes int, action string) (code int, said string) {
	t.Helper()
	c := r.program(action, "edits.csv")
	var out bytes.Buffer
	c.Stdout, c.Stderr = &out, &out
	signalled := make(chan error, 1)
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	r.server.at(writes, func() { signalled <- c.Process.Signal(os.Interrupt) })
	err := c.Wait()
	select {
	case err := <-signalled:
		if err != nil {
			t.Fatal(err)
		}
	default:
		t.Fatalf("the run ended before %d writes: %s", writes, out.String())
	}
	return exitCode(t, c, err), out.String()
}
