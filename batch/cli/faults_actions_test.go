package cli_test

import (
	"bytes"
	"encoding/csv"
	"flag"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/tidwall/gjson"

	"rowbatch/client/sandbox"
)

var storms = flag.Int("storms", 1, "with how many seeds, for other rows and other faults each, the tests of faults in all actions go through each kind of file")

// faultRun is a file of some action, a server with faults, and the run that carries the file out.
type faultRun struct {
	trial
	server  *checkingServer
	orders  []order
	timeout string
	mapping []string // flags
}

type fileKind struct {
	action string
	file   func(*testing.T, uint64) *randomFile

	timeout string
	change  int // percent of the rows that end changed at least, whatever goes wrong
}

func fileKinds() map[string]fileKind {
	return map[string]fileKind{
		"hold":             {"hold", holdFile, "400ms", 85},
		"latch":            {"latch", latchFile, "400ms", 70},
		"patch":            {"patch", patchFile(false), "300ms", 75},
		"patch, both keys": {"patch", patchFile(true), "100ms", 75},
		"run":              {"run", mixedFile, "300ms", 50},
	}
}

// seededFaults make a quarter of the replies go wrong, in other places for each seed.
// Some writes take effect after the program has given them up.
func seededFaults(seed uint64, timeout time.Duration) []string {
	faults := []string{"any:500:rate=6%", "any:503-after:rate=4%", "any:lost:rate=8%", "any:truncated:rate=4%", "any:html:rate=3%:after=20",
		"list:ids-some:rate=30%"}
	if timeout > 200*time.Millisecond { // else a busy machine would be later than that
		for _, kind := range []string{"put", "hold", "latch", "unlatch", "patch"} {
			faults = append(faults, fmt.Sprintf("%s:late=%s:rate=3%%", kind, timeout*5/4))
		}
	}
	faults = append(faults, "put:short:rate=20%", "hold:former:rate=20%", "hold:short:rate=10%", "latch:respelled:rate=20%",
		"latch:short:rate=20%", "unlatch:longer:rate=20%", "overview:other-ids")
	if seed%3 == 1 { // one read after a refusal may itself lag
		faults = append(faults, "any:lag=20ms")
	} else {
		faults = append(faults, "put:409-after:rate=4%", "hold:409-after:rate=4%", "latch:400-after:rate=4%",
			"unlatch:409-after:rate=4%", "put:404-after:rate=2%")
	}
	for n := range faults {
		faults[n] += fmt.Sprintf(":seed=%d", 20*seed+uint64(n))
	}
	return faults
}

func (f fileKind) start(t *testing.T, seed uint64) *faultRun {
	t.Helper()
	made := f.file(t, seed)
	r := &faultRun{trial: trial{dir: t.TempDir(), names: made.names, rows: made.rows}, orders: made.orders, timeout: f.timeout}
	timeout, err := time.ParseDuration(f.timeout)
	if err != nil {
		t.Fatal(err)
	}
	if underRace { // slow as it is then, a busy machine would act after the settle time, when no effect is to be expected any more
		timeout *= 3
		r.timeout = timeout.String()
	}
	r.server = startCheckingServer(t, r.path("sandbox"), seededFaults(seed, timeout)...)
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

// do runs the program to its end, and returns what it printed.
func (r *faultRun) do(t *testing.T, command ...string) (code int, said string) {
	t.Helper()
	c := r.program(command...)
	out, err := c.CombinedOutput()
	return exitCode(t, c, err), string(out)
}

func (r *faultRun) program(command ...string) *exec.Cmd {
	rate := "trackfinity=1000/s"
	switch command[0] {
	case "patch":
		rate = "1000/s"
	case "hold", "latch":
		rate = "500/s"
		fallthrough
	case "run":
		command = append(command, "--lookup", "ids")
	}
	command = append(command, "--timeout", r.timeout, "--rate", rate, "--max-failures", "1000")
	if command[0] != "resume" { // which knows what the run was
		command = append(append(command, "--allow-duplicates"), r.mapping...)
	}
	c := exec.Command("rowbatch", command...)
	c.Dir, c.Env = r.dir, r.server.environment()
	return c
}

// check holds what a run has left against the server, and counts the outcomes.
func (r *faultRun) check(t *testing.T, said string) map[string]int {
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
		t.Errorf("only lost and spoilt answers made line %s fail", line)
	}
	if kinds["conflict"]+kinds["would_change"]+kinds["skipped"] > 0 || strings.Contains(said, "panic") {
		t.Errorf("outcomes %v\n%s", kinds, said)
	}
	return kinds
}

// failures are the lines that failed for no reason but the faults. A latch has one
// where the customer that has the link did not give it away, or cannot.
func (r *faultRun) failures(all []verdict) (lines []string) {
	gave := map[string]bool{"": false}
	for n, v := range all {
		if o := r.orders[n]; o.action == "latch" && (v.outcome == "changed" || v.outcome == "unchanged") {
			gave[o.customer] = true
		}
	}
	for n, v := range all {
		if v.outcome == "failed" && (v.code != "already_linked" || !r.orders[n].giverCannot && gave[r.orders[n].giver]) {
			lines = append(lines, fmt.Sprintf("%s (%s %s: %s)", v.line, v.key, v.code, v.text))
		}
	}
	return lines
}

func TestReportsOfAllActionsAgreeWithTheServer(t *testing.T) {
	t.Parallel()
	for name, f := range fileKinds() {
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
				t.Error("too few faults met a write")
			}
		})
	}
}

// figures are the sums over many runs.
type figures struct {
	runs, rows, writes, effects int
	kinds                       map[string]int
}

func (f *figures) add(r *faultRun, kinds map[string]int) {
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

// TestCtrlCAmongFaults stops each kind of run among faults, and resumes it without any.
func TestCtrlCAmongFaults(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("Windows cannot send this signal")
	}
	for name, f := range fileKinds() {
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
				r.server.setFaults(t)
				code, said = r.do(t, "resume", "last")
				kinds = r.check(t, said)
				if kinds["not_attempted"] > 0 || code == 5 {
					t.Errorf("seed %d: a resume without faults: exit %d, outcomes %v\n%s", seed, code, kinds, said)
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
func (r *faultRun) interrupt(t *testing.T, writes int, action string) (code int, said string) {
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

// order is what a row of the file asks for.
type order struct {
	action, key string
	customer    string            // as the ledger names it
	want        map[string]string // field → raw value, of the cells that are not blank
	giver       string            // the customer that has to give a link away first
	giverCannot bool              // it cannot
}

// kinds are the writes by which an order can be carried out.
func (o order) kinds() []string {
	return map[string][]string{"update": {"put"}, "hold": {"hold"}, "latch": {"latch", "unlatch"}, "patch": {"patch"}}[o.action]
}

// is reports whether an effect gave the customer what the order asks for.
func (o order) is(e sandbox.Effect) bool {
	for field, want := range o.want {
		if rawValue(e.After, field) != want {
			return false
		}
	}
	return slices.Contains(o.kinds(), e.Kind)
}

// moved are the values that an effect changed although the order does not name them.
// A link that the record lacked altogether appears as null once links are set.
func (o order) moved(e sandbox.Effect) []string {
	named := slices.Collect(maps.Keys(o.want))
	for _, link := range []string{"hubSpotId", "hubSpotCompanyId"} {
		if o.action == "latch" && rawValue(e.Before, link) == "" && rawValue(e.After, link) == "null" {
			named = append(named, link)
		}
	}
	return movedFields(e.Before, e.After, named)
}

// verdict is what the report says of a row.
type verdict struct {
	line, action, key, outcome, code, text string
	sends                                  int
	changes                                map[string]string // field → raw value after
}

func (f *faultRun) verdicts(t *testing.T) (all []verdict) {
	t.Helper()
	s := f.report(t)
	column := func(name string) func(int) string {
		cells := s.column(name)
		return func(i int) string { return cells[i] }
	}
	action, key, outcome, code := column("rb_action"), column("rb_key"), column("rb_outcome"), column("rb_error_code")
	changes, attempts, text := column("rb_changes"), column("rb_attempts"), column("rb_error")
	for i, line := range s.column("rb_line") {
		v := verdict{line: line, action: action(i), key: key(i), outcome: outcome(i), code: code(i), text: text(i), changes: map[string]string{}}
		v.sends, _ = strconv.Atoi(attempts(i)) // blank: none
		gjson.Parse(changes(i)).ForEach(func(_, c gjson.Result) bool {
			v.changes[c.Get("field").Str] = c.Get("after").Raw
			return true
		})
		all = append(all, v)
	}
	return all
}

// mayHaveActed reports whether a row's write may have taken effect, though nobody knows that it did as asked.
func (v verdict) mayHaveActed() bool {
	return v.outcome == "in_doubt" || v.outcome == "failed" && (v.code == "not_applied" || v.code == "side_effect")
}

// judge holds the report against the file and against the ledger, and returns every breach.
func (f *faultRun) judge(all []verdict, ledger map[string][]sandbox.Effect) (breaches []string) {
	note := func(format string, args ...any) { breaches = append(breaches, fmt.Sprintf(format, args...)) }
	if len(all) != len(f.orders) {
		note("%d rows in the report, %d in the file", len(all), len(f.orders))
		return breaches
	}
	left := maps.Clone(ledger)
	for n, v := range all {
		o := f.orders[n]
		if v.line != strconv.Itoa(n+2) || v.action != o.action || v.key != o.key {
			note("row %d of the file (%s %s) stands in the report as line %s: %s %s", n, o.action, o.key, v.line, v.action, v.key)
		}
		took, problem := o.take(v, left[o.customer])
		if problem != "" {
			note("line %s (%s %s, %s %s): %s", v.line, o.action, o.key, v.outcome, v.code, problem)
		}
		left[o.customer] = left[o.customer][took:]
	}
	for customer, rest := range left {
		for _, e := range rest {
			note("customer %s: effect %d (%s) belongs to no row, or to none in this order", customer, e.Seq, e.Kind)
		}
	}
	return append(breaches, heldTwice(ledger)...)
}

// take returns how many of a customer's next effects are the row's, and what is wrong with them.
func (o order) take(v verdict, next []sandbox.Effect) (took int, problem string) {
	if v.outcome == "changed" || v.mayHaveActed() {
		most := 1
		if o.action == "patch" { // which cannot be read back, and is sent again as it was
			most = v.sends
		}
		for took < most && took < len(next) && o.is(next[took]) {
			if moved := o.moved(next[took]); len(moved) > 0 {
				return took + 1, fmt.Sprintf("the write moved what the row does not name: %v", moved)
			}
			took++
		}
	}
	if v.outcome != "changed" {
		return took, ""
	}
	for field, after := range v.changes {
		want, named := o.want[field]
		if named && field == "password" {
			want = `"***"`
		}
		if !named || want != after {
			return took, fmt.Sprintf("rb_changes has %s as %s, and the row asks for %q", field, after, want)
		}
	}
	switch {
	case took == 0:
		return 0, "the customer's next effect is another, or there is none"
	case len(v.changes) == 0:
		return took, "rb_changes is empty"
	}
	return took, ""
}

func heldTwice(ledger map[string][]sandbox.Effect) (breaches []string) {
	for customer, effects := range ledger {
		holds := 0
		for _, e := range effects {
			if e.Kind == "hold" {
				holds++
			}
		}
		if holds > 1 {
			breaches = append(breaches, fmt.Sprintf("customer %s was held %d times", customer, holds))
		}
	}
	return breaches
}
