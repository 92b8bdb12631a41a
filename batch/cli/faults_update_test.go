package cli_test

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/tidwall/gjson"

	"rowbatch/batch"
	"rowbatch/batch/runs"
)

// manyFaults make a quarter of the replies go wrong. A web page comes only after the
// first replies, where it would mean that the URL is wrong.
func manyFaults() []string {
	return []string{"--minute", "100000", // so that no run waits for the minute's limit
		"--fail", "any:500:rate=8%:seed=1", "--fail", "any:lost:rate=8%:seed=2",
		"--fail", "any:truncated:rate=5%:seed=3", "--fail", "any:html:rate=4%:seed=4:after=20"}
}

// trial is a folder with an input file, a sandbox of its own, and runs of the file.
type trial struct {
	dir, box string
	names    []string
	rows     [][]string
}

// newTrial writes a file of 300 rows over 250 customers.
func newTrial(t *testing.T, seed uint64) *trial {
	dir := t.TempDir()
	r := &trial{dir: dir, box: filepath.Join(dir, "sandbox"),
		names: []string{"id", "firstName", "primaryPhone", "customerReference.reference2", "customerAcquisition.source", "salesTrackingCode.Sales Tracking Code 1"}}
	random := rand.New(rand.NewPCG(seed, 0))
	ids := random.Perm(250)
	for range 50 {
		ids = append(ids, random.IntN(250))
	}
	for n, id := range ids {
		row := []string{strconv.Itoa(987001 + id)}
		for at, name := range r.names[1:] {
			row = append(row, cellOf(random, n, at, name))
		}
		r.rows = append(r.rows, row)
	}
	var b bytes.Buffer
	if err := csv.NewWriter(&b).WriteAll(append([][]string{r.names}, r.rows...)); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(r.path("edits.csv"), b.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	return r
}

// cellOf is a value that no other row has, so that each effect shows which row it is of; the last columns are often blank.
func cellOf(random *rand.Rand, n, at int, name string) string {
	switch {
	case at > 0 && random.IntN(2) == 0:
		return ""
	case strings.HasPrefix(name, "salesTrackingCode."):
		return []string{"EMB", "FRO", "TID"}[random.IntN(3)]
	}
	return fmt.Sprintf("%c%d-%d", 'A'+rune(at), n, random.IntN(1000))
}

func (r *trial) path(name string) string { return filepath.Join(r.dir, name) }

// serve starts the trial's sandbox; stop it to look at its state.
func (r *trial) serve(t *testing.T, flags ...string) *sandboxProcess {
	t.Helper()
	box, err := startSandbox(r.box, flags...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = box.stop() }) // after a failure; otherwise it has ended
	return box
}

func (r *trial) command(box *sandboxProcess, file string, flags ...string) *exec.Cmd {
	c := exec.Command("rowbatch", append([]string{"update", file, "--allow-duplicates", "--timeout", "200ms"}, flags...)...)
	c.Dir = r.dir
	c.Env = box.environment()
	return c
}

func count(ends []end) map[string]int {
	n := map[string]int{}
	for _, e := range ends {
		n[e.outcome]++
	}
	return n
}

func TestReportOfAnUpdateAgreesWithTheServer(t *testing.T) {
	t.Parallel()
	r := newTrial(t, 1)
	box := r.serve(t, manyFaults()...)
	run := r.command(box, "edits.csv", "--lookup", "ids")
	out, err := run.CombinedOutput()
	code := exitCode(t, run, err)
	if err := box.stop(); err != nil {
		t.Fatal(err)
	}
	ends := r.reported(t)
	r.agree(t, ends)
	kinds := count(ends)
	// Cancelled customers cannot be edited; nothing else is a reason to fail.
	if kinds["changed"] < 250 || kinds["rejected"] == 0 || kinds["failed"]+kinds["conflict"] > 0 {
		t.Errorf("exit %d, outcomes %v\n%s", code, kinds, out)
	}
	if n := r.resent(t); n < 10 {
		t.Errorf("only %d writes were sent again: too few faults met a write", n)
	}
	if want := map[bool]int{true: 4, false: 3}[kinds["in_doubt"] > 0]; code != want && kinds["not_attempted"] == 0 {
		t.Errorf("exit %d with outcomes %v", code, kinds)
	}
}

// resent counts the writes that were sent again.
func (r *trial) resent(t *testing.T) (n int) {
	t.Helper()
	s := r.report(t)
	for _, attempts := range s.column("rb_attempts") {
		sent, err := strconv.Atoi(attempts)
		if err != nil {
			t.Fatal(err)
		}
		n += max(0, sent-1)
	}
	return n
}

// interrupted runs the trial's file until some dozen writes have been sent, sends a signal, and returns the exit status.
func (r *trial) interrupted(t *testing.T, signal os.Signal, lookup string) int {
	t.Helper()
	box := r.serve(t, manyFaults()...)
	run := r.command(box, "edits.csv", "--verbose", "--rate", "250/s", "--lookup", lookup)
	said, err := run.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := run.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(said)
	for writes := 0; writes < 40 && lines.Scan(); {
		if strings.Contains(lines.Text(), "method=PUT") {
			writes++
		}
	}
	if err := run.Process.Signal(signal); err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(io.Discard, said); err != nil {
		t.Fatal(err)
	}
	err = run.Wait()
	if err := box.stop(); err != nil {
		t.Fatal(err)
	}
	return exitCode(t, run, err)
}

func TestInterruptedRunAccountsForEveryRow(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("Windows cannot send these signals")
	}
	for _, c := range []struct {
		signal os.Signal
		code   int
		lookup string
	}{{os.Interrupt, 130, "auto"}, {syscall.SIGTERM, 143, "ids"}} {
		t.Run(c.signal.String(), func(t *testing.T) {
			r := newTrial(t, uint64(c.code))
			if got := r.interrupted(t, c.signal, c.lookup); got != c.code {
				t.Errorf("exit status %d, not %d", got, c.code)
			}
			ends := r.reported(t)
			r.agree(t, ends)
			if kinds := count(ends); kinds["changed"] < 20 || kinds["not_attempted"] < 100 {
				t.Errorf("outcomes %v", kinds)
			}
			r.finishLater(t)
		})
	}
}

// finishLater runs failed.csv without faults: then every row of the file has been carried out.
func (r *trial) finishLater(t *testing.T) {
	t.Helper()
	box := r.serve(t)
	again := r.command(box, filepath.Join(r.newest(t), "failed.csv"))
	out, err := again.CombinedOutput()
	code := exitCode(t, again, err)
	if err := box.stop(); err != nil {
		t.Fatal(err)
	}
	for _, e := range r.reported(t) {
		if !slices.Contains([]string{"changed", "unchanged", "rejected"}, e.outcome) {
			t.Errorf("line %s of failed.csv: %s (exit %d)\n%s", e.line, e.outcome, code, out)
		}
	}
	now, err := readCustomers(r.box)
	if err != nil {
		t.Fatal(err)
	}
	for id, want := range r.wanted() {
		if gjson.GetBytes(now[id], "status").Str == "Cancelled" {
			continue
		}
		for field, text := range want {
			if got := gjson.Parse(rawValue(now[id], field)).String(); got != text {
				t.Errorf("customer %s: %s is %q, not %q", id, field, got, text)
			}
		}
	}
}

// wanted is what the whole file makes of each customer's fields: of each, the last cell that is not blank.
func (r *trial) wanted() map[string]map[string]string {
	all := map[string]map[string]string{}
	for _, row := range r.rows {
		if all[row[0]] == nil {
			all[row[0]] = map[string]string{}
		}
		for i, cell := range row {
			if i > 0 && cell != "" {
				all[row[0]][r.names[i]] = cell
			}
		}
	}
	return all
}

func TestKilledRunLeavesASoundJournal(t *testing.T) {
	t.Parallel()
	r := newTrial(t, 9)
	r.interrupted(t, os.Kill, "ids")
	if _, err := os.Stat(filepath.Join(r.newest(t), "report.csv")); !os.IsNotExist(err) {
		t.Errorf("a killed run left a report: %v", err)
	}
	ends := r.journalled(t)
	r.agree(t, ends)
	if kinds := count(ends); kinds["changed"]+kinds["in_doubt"] < 20 || kinds[string(batch.NotAttempted)] < 100 {
		t.Errorf("outcomes %v", kinds)
	}
}

// end is what became of a row, as the run tells it.
type end struct {
	line, id, outcome string
	changes           map[string]string // field → raw value
}

func (r *trial) newest(t *testing.T) string {
	t.Helper()
	run, err := newestRun(r.path("reports"))
	if err != nil {
		t.Fatal(err)
	}
	return run
}

func (r *trial) report(t *testing.T) sheet {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(r.newest(t), "report.csv"))
	if err != nil {
		t.Fatal(err)
	}
	s, err := parseSheet(string(text))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func (r *trial) reported(t *testing.T) []end {
	t.Helper()
	s := r.report(t)
	var ends []end
	for i, line := range s.column("rb_line") {
		e := end{line, s.column("id")[i], s.column("rb_outcome")[i], map[string]string{}}
		gjson.Parse(s.column("rb_changes")[i]).ForEach(func(_, c gjson.Result) bool {
			e.changes[c.Get("field").Str] = c.Get("after").Raw
			return true
		})
		ends = append(ends, e)
	}
	return ends
}

// journalled reads what became of the rows from the journal of a run without a report.
func (r *trial) journalled(t *testing.T) []end {
	t.Helper()
	d, err := runs.Open(runs.Disk(), r.path("reports"), filepath.Base(r.newest(t)))
	if err != nil {
		t.Fatal(err)
	}
	j, err := d.OpenJournal()
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	var ends []end
	for n, row := range r.rows {
		o, err := j.Outcome(n)
		if err != nil {
			t.Fatal(err)
		}
		e := end{strconv.Itoa(n + 2), row[0], string(o.Kind), map[string]string{}}
		for _, c := range o.Changes {
			e.changes[c.Field] = string(c.After)
		}
		ends = append(ends, e)
	}
	return ends
}

// agree holds what a run tells against the sandbox's ledger.
func (r *trial) agree(t *testing.T, ends []end) {
	t.Helper()
	r.complete(t, ends)
	effects, err := readEffects(r.box)
	if err != nil {
		t.Fatal(err)
	}
	ledger := map[string][]effect{}
	for _, e := range effects {
		ledger[e.ID] = append(ledger[e.ID], effect{e.Before, e.After})
	}
	for _, e := range ends {
		left := ledger[e.id]
		switch ours := len(left) > 0 && left[0].is(e.changes); {
		case e.outcome == "changed" && !ours:
			t.Errorf("line %s is changed, and the next effect on customer %s is another, or there is none", e.line, e.id)
		case e.outcome == "changed", e.outcome == "in_doubt" && ours:
			if moved := movedFields(left[0].before, left[0].after, left[0].holders(e.changes)); len(moved) > 0 {
				t.Errorf("line %s: the write moved what the row does not name: %v", e.line, moved)
			}
			ledger[e.id] = left[1:]
		}
	}
	for id, left := range ledger {
		if len(left) > 0 {
			t.Errorf("customer %s: %d effects belong to no row", id, len(left))
		}
	}
}

// complete wants every row of the file once, in the file's order.
func (r *trial) complete(t *testing.T, ends []end) {
	t.Helper()
	var got, want [][2]string
	for _, e := range ends {
		got = append(got, [2]string{e.line, e.id})
	}
	for n, row := range r.rows {
		want = append(want, [2]string{strconv.Itoa(n + 2), row[0]})
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("lines and ids (-file +report):\n%s", diff)
	}
}

// effect is a customer before and after one write on the ledger.
type effect struct{ before, after json.RawMessage }

// is reports whether the write made these changes.
func (e effect) is(changes map[string]string) bool {
	for field, want := range changes {
		if rawValue(e.after, field) != want || rawValue(e.before, field) == want {
			return false
		}
	}
	return len(changes) > 0
}

// holders names the fields that hold the changes: for a tracking code the whole list, otherwise the field itself.
func (e effect) holders(changes map[string]string) (fields []string) {
	for field := range changes {
		if typ, ok := strings.CutPrefix(field, "salesTrackingCode."); ok && otherCodes(e.before, typ) == otherCodes(e.after, typ) {
			field = "customerReference.salesTrackingCodes"
		}
		fields = append(fields, field)
	}
	return fields
}

// otherCodes are the bytes of all tracking codes but those of one type.
func otherCodes(body []byte, typ string) (raw string) {
	for _, entry := range gjson.GetBytes(body, "customerReference.salesTrackingCodes").Array() {
		if entry.Get("type").Str != typ {
			raw += entry.Raw
		}
	}
	return raw
}
