package cli_test

import (
	"bytes"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rowbatch/client/sandbox"
	"rowbatch/samples"
)

func shardedPlans() map[string]struct {
	rows  func(*rand.Rand) [][]string
	words []string
} {
	type plan = struct {
		rows  func(*rand.Rand) [][]string
		words []string
	}
	fast := []string{"--allow-duplicates", "--rate", "trackfinity=5000/s"}
	return map[string]plan{
		"update":          {updateRows, []string{"update", "rows.csv", "--allow-duplicates"}},
		"bad rows":        {badRows, []string{"update", "rows.csv", "--limit", "63"}},
		"references":      {referenceRows, []string{"update", "rows.csv", "--when", `status == "Active"`}},
		"by list":         {referenceRows, []string{"update", "rows.csv", "--lookup", "list"}},
		"hold":            {holdRows, []string{"hold", "rows.csv"}},
		"latch":           {latchRows, []string{"latch", "rows.csv"}},
		"patch":           {byOneKey, []string{"patch", "rows.csv", "--allow-duplicates", "--rate", "5000/s"}},
		"mixed":           {mixedRows, with([]string{"run", "rows.csv"}, fast...)},
		"mixed, dry run":  {mixedRows, with([]string{"run", "rows.csv", "--dry-run"}, fast...)},
		"mixed, --limit":  {mixedRows, with([]string{"run", "rows.csv", "--limit", "31"}, fast...)},
		"update, dry run": {badRows, []string{"update", "rows.csv", "--dry-run"}},
	}
}

// TestShardsTogetherAreTheWholeRun carries out files whole, and in 1 to 5 shards at once:
// the shards report the same rows, and leave the same customers, as the whole run.
func TestShardsTogetherAreTheWholeRun(t *testing.T) {
	t.Parallel()
	for name, p := range shardedPlans() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rows := p.rows(rand.New(rand.NewPCG(7, 7)))
			alone := openSharedAccount(t, sandbox.Options{Seed: samples.Seed(), Minute: plenty, Day: plenty})
			alone.file(t, rows)
			whole := alone.carryOut(t, "whole", p.words...)
			want, left, effects := verdictsOf(whole, whole.rows), alone.left(t), alone.effects(t)
			counts := []int{2, 5}
			switch {
			case testing.Short():
				counts = []int{3}
			case name == "mixed" || name == "bad rows" || name == "latch":
				counts = []int{1, 2, 3, 4, 5}
			}
			for _, n := range counts {
				o := openSharedAccount(t, sandbox.Options{Seed: samples.Seed(), Minute: plenty, Day: plenty})
				o.file(t, rows)
				all := o.inShards(t, n, p.words)
				if t.Failed() {
					return
				}
				if diff := cmp.Diff(want, verdictsOf(all[0], united(t, all))); diff != "" {
					t.Errorf("%d shards (-whole +shards):\n%s", n, diff)
				}
				if diff := cmp.Diff(left, o.left(t)); diff != "" {
					t.Errorf("%d shards leave other customers (-whole +shards):\n%s", n, diff)
				}
				if diff := cmp.Diff(effects, o.effects(t)); diff != "" {
					t.Errorf("%d shards write otherwise (-whole +shards):\n%s", n, diff)
				}
			}
		})
	}
}

var shardWindows = flag.Int("shard-windows", 0, "over how many windows of a minute TestShardsShareTheMinute goes; 0: it does not run")

const shards = 4

// together runs a command for each shard, all at once, and returns their reports.
func (o *sharedAccount) together(t *testing.T, ends []int, wordsOf func(i int) []string) []sheet {
	t.Helper()
	all := make([]sheet, shards)
	var done sync.WaitGroup
	for i := range shards {
		done.Go(func() { all[i] = o.carryOutTo(t, ends, fmt.Sprint("shard", i+1), wordsOf(i+1)...) })
	}
	done.Wait()
	return all
}

func shardOf(words ...string) func(int) []string {
	return func(i int) []string { return with(words, "--shard", fmt.Sprintf("%d/%d", i, shards)) }
}

// everyRowOnce wants all rows changed, by one write each.
func (o *sharedAccount) everyRowOnce(t *testing.T, all []sheet, rows int) {
	t.Helper()
	s := sheet{all[0].heading, united(t, all)}
	if n := len(s.rows); n != rows {
		t.Errorf("%d rows, not %d", n, rows)
	}
	if slices.ContainsFunc(s.column("rb_outcome"), func(o string) bool { return o != "changed" }) {
		t.Errorf("not all changed: %q", s.column("rb_outcome"))
	}
	effects := o.effects(t)
	if len(effects) != rows {
		t.Errorf("%d customers written, not %d", len(effects), rows)
	}
	for id, n := range effects {
		if n != 1 {
			t.Errorf("customer %s was written %d times", id, n)
		}
	}
}

// inFlight is how many requests may still be sent when the reserve is reached, because of
// earlier replies: a read and a write for each row on the way, of which there are four
// for each of the eight requests in flight that the shards share.
const inFlight = 2 * 4 * 8

// keptReserve wants hardly any 429, and the reserve of a window kept, apart from what is in flight.
func (o *sharedAccount) keptReserve(t *testing.T, window string, reserve int) {
	t.Helper()
	o.open.Lock() // whatever was on the way has been served
	defer o.open.Unlock()
	t.Logf("%d requests, %d throttled, at least %v left", o.seen.requests, o.seen.throttled, o.seen.least)
	if 100*o.seen.throttled > o.seen.requests {
		t.Errorf("%d of %d requests were throttled", o.seen.throttled, o.seen.requests)
	}
	if least := o.seen.least[window]; least < reserve-inFlight {
		t.Errorf("%d were left of the %s, and %d were to be kept", least, window, reserve)
	}
}

// openToRename opens an account of n customers, and writes a file that renames them all.
func openToRename(t *testing.T, n, minute, day int) *sharedAccount {
	t.Helper()
	o := openSharedAccount(t, sandbox.Options{Seed: activeSeed(), Customers: n, Minute: minute, Day: day})
	rows := [][]string{{"id", "firstName"}}
	for _, id := range o.box.IDs() {
		rows = append(rows, []string{id, "N" + id})
	}
	o.file(t, rows)
	return o
}

// TestShardsShareAnAllowance: four processes know of each other by the reply headers
// alone. They stop at the day's reserve, and are resumed when the limit is higher; then
// every row has been sent once.
func TestShardsShareAnAllowance(t *testing.T) {
	t.Parallel()
	const rows, day = 700, 1000
	o := openToRename(t, rows, plenty, day)
	all := o.together(t, []int{exitDone, exitStopped}, shardOf("update", "rows.csv"))
	o.keptReserve(t, "Day", day/10)
	o.setLimits(t, plenty, plenty)
	stopped := 0
	for i, s := range all {
		if slices.Contains(s.column("rb_outcome"), "not_attempted") {
			stopped++
			all[i] = o.carryOut(t, fmt.Sprint("shard", i+1), "resume", "last")
		}
	}
	if stopped == 0 {
		t.Error("no shard was stopped by the day's limit")
	}
	o.everyRowOnce(t, all, rows)
}

// TestShardsShareTheMinute does the same over whole minutes of the default limit, each of
// which ends with a wait for the next.
func TestShardsShareTheMinute(t *testing.T) {
	if *shardWindows == 0 {
		t.Skip("it takes minutes: -shard-windows 3")
	}
	const minute = 1000
	rows := *shardWindows * minute * 9 / 10 / 2
	o := openToRename(t, rows, minute, plenty)
	began := time.Now()
	all := o.together(t, []int{exitDone}, shardOf("update", "rows.csv"))
	t.Logf("%d rows at %d requests a minute took %s", rows, minute, time.Since(began).Round(time.Second))
	o.keptReserve(t, "Minute", minute/10)
	o.everyRowOnce(t, all, rows)
}

// inShards carries out a file in n processes at once, and then resumes what failed
// because a link was taken: another shard may have freed it.
func (o *sharedAccount) inShards(t *testing.T, n int, words []string) []sheet {
	t.Helper()
	all := make([]sheet, n)
	var done sync.WaitGroup
	for i := range n {
		done.Go(func() {
			all[i] = o.carryOut(t, fmt.Sprint("shard", i+1), append(slices.Clone(words), "--shard", fmt.Sprintf("%d/%d", i+1, n))...)
		})
	}
	done.Wait()
	for changed := true; changed && !t.Failed(); {
		changed = false
		for i := range n {
			if before := all[i].column("rb_error_code"); slices.Contains(all[i].column("rb_outcome"), "failed") {
				all[i] = o.carryOut(t, fmt.Sprint("shard", i+1), "resume", "last", "--failed")
				changed = changed || !slices.Equal(before, all[i].column("rb_error_code"))
			}
		}
	}
	return all
}

// united puts the shards' reports together: each row as its own shard reports it.
func united(t *testing.T, all []sheet) (rows [][]string) {
	t.Helper()
	errors := make([][]string, len(all))
	for i, s := range all {
		errors[i] = s.column("rb_error")
	}
	for n, line := range all[0].column("rb_line") {
		var own []int
		for i := range all {
			if !strings.HasPrefix(errors[i][n], "in shard ") {
				own = append(own, i)
			}
		}
		if len(own) != 1 && (len(own) != len(all) || !strings.HasPrefix(errors[0][n], "beyond --limit")) {
			t.Errorf("line %s belongs to the shards %v, counted from 0", line, own)
		}
		if len(own) > 0 {
			rows = append(rows, all[own[0]].rows[n])
		}
	}
	return rows
}

// verdictsOf are the rows without the columns that differ from run to run.
func verdictsOf(s sheet, rows [][]string) (all [][]string) {
	for _, row := range rows {
		var kept []string
		for at, cell := range row {
			if at >= len(s.heading) || !slices.Contains([]string{"rb_http_status", "rb_attempts", "rb_requests", "rb_ms", "rb_at"}, s.heading[at]) {
				kept = append(kept, cell)
			}
		}
		all = append(all, kept)
	}
	return all
}

// left are the customers that were written to, as the writes left them.
func (o *sharedAccount) left(t *testing.T) map[string]string {
	t.Helper()
	effects, err := readEffects(filepath.Join(o.dir, "box"))
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	for _, e := range effects {
		raw := rawFields(e.After)
		maps.DeleteFunc(raw, func(name, _ string) bool { return name == "modifiedTimestamp" })
		all[e.ID] = fmt.Sprint(raw)
	}
	return all
}

// effects counts the writes to each customer.
func (o *sharedAccount) effects(t *testing.T) map[string]int {
	t.Helper()
	all, err := readEffects(filepath.Join(o.dir, "box"))
	if err != nil {
		t.Fatal(err)
	}
	count := map[string]int{}
	for _, e := range all {
		count[e.ID]++
	}
	return count
}

// byOneKey are rows that name all Trackfinity customers by their number.
func byOneKey(random *rand.Rand) [][]string {
	all := patchRows(random)
	for _, row := range all[1:] {
		if row[0] == "" {
			row[0], row[1] = strings.TrimPrefix(row[1], "S-"), ""
		}
	}
	return all
}

// badRows are updates of which some are rejected, for their cells or for other rows.
func badRows(random *rand.Rand) [][]string {
	all := updateRows(random)
	width := len(all[0])
	for n, id := range []string{"", "", "abc", "0012", "1.2E+11", "9000001"} {
		row := make([]string, width)
		row[0], row[1] = id, fmt.Sprint("Bad ", n)
		all = append(all, row)
	}
	return append(all, []string{"987150", "ragged"}, []string{"", "ragged"})
}

const plenty = 10_000_000 // requests

// sharedAccount is a sandbox with limits, which several programs use at once.
type sharedAccount struct {
	dir     string
	options sandbox.Options
	box     *sandbox.Sandbox
	env     []string

	open sync.RWMutex // held for reading while a request is served
	mu   sync.Mutex
	seen traffic
}

// traffic is what the account has answered since its limits were set.
type traffic struct {
	requests, throttled int
	least               map[string]int // of each window: the fewest requests that were left
}

func (o *sharedAccount) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	o.open.RLock()
	defer o.open.RUnlock()
	o.box.ServeHTTP(&watched{w, o}, r)
}

// watched notes the limits in a reply's headers.
type watched struct {
	http.ResponseWriter
	account *sharedAccount
}

func (w *watched) WriteHeader(status int) {
	o := w.account
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

func openSharedAccount(t *testing.T, options sandbox.Options) *sharedAccount {
	t.Helper()
	o := &sharedAccount{dir: t.TempDir(), options: options}
	o.options.Dir = filepath.Join(o.dir, "box")
	o.setLimits(t, options.Minute, options.Day)
	served := httptest.NewServer(o)
	t.Cleanup(func() {
		served.Close()
		o.open.Lock()
		defer o.open.Unlock()
		if err := o.box.Close(); err != nil {
			t.Error(err)
		}
	})
	o.env = append(environment(), settingsFor(served.URL)...)
	return o
}

// file writes the rows that are to be carried out.
func (o *sharedAccount) file(t *testing.T, rows [][]string) {
	t.Helper()
	file, err := csvOf(rows)
	if err == nil {
		err = os.WriteFile(filepath.Join(o.dir, "rows.csv"), file, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// setLimits gives the account other limits, of which nothing is used yet.
func (o *sharedAccount) setLimits(t *testing.T, minute, day int) {
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

// carryOut runs a command with the reports folder of this name, and returns its report.
func (o *sharedAccount) carryOut(t *testing.T, reports string, words ...string) sheet {
	t.Helper()
	return o.carryOutTo(t, []int{exitDone, exitRows}, reports, words...)
}

func (o *sharedAccount) carryOutTo(t *testing.T, ends []int, reports string, words ...string) sheet {
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
