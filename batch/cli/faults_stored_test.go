package cli_test

import (
	"encoding/csv"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/tidwall/gjson"

	"rowbatch/batch/invariants"
	"rowbatch/batch/runs"
)

// A server that stores otherwise than it is sent, and a quarter of whose replies go
// wrong: nothing is changed, nothing somebody else's, the same file finds it all in
// place, and all of it can be taken back.
func TestAServerThatStoresOtherwiseAmongFaults(t *testing.T) {
	t.Parallel()
	for seed := range *storms {
		t.Run(fmt.Sprint(seed), func(t *testing.T) { storeOtherwise(t, seed) })
	}
}

func storeOtherwise(t *testing.T, seed int) {
	dir := t.TempDir()
	r := &trial{dir: dir, box: filepath.Join(dir, "sandbox"), names: []string{"id", "primaryEmail", "lastName", "primaryPhone"}}
	for n := range 100 {
		r.rows = append(r.rows, []string{strconv.Itoa(987001 + (n+50*seed)%300), fmt.Sprintf("Ann.%d@Example.com", n),
			fmt.Sprintf("Wolf %d-schlegelstein", n), fmt.Sprintf("415.555.%04d", n)})
	}
	f, err := os.Create(r.path("edits.csv"))
	if err != nil {
		t.Fatal(err)
	}
	if err := csv.NewWriter(f).WriteAll(append([][]string{r.names}, r.rows...)); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	habit := []string{"--fail", "put:stores=lower+cut+phone"}
	address := "127.0.0.1:0" // the same from the second server on: another one is another account
	carryOut := func(faults []string, command ...string) map[string]int {
		t.Helper()
		if command[0] == "update" && seed%2 == 1 {
			command = append(command, "--lookup", "ids")
		}
		box := r.serve(t, append(faults, "--addr", address, "--minute", "100000")...)
		u, err := url.Parse(box.settings["FUSEBILL_URL"])
		if err != nil {
			t.Fatal(err)
		}
		address = u.Host
		c := r.command(box, "")
		c.Args = append(append([]string{"rowbatch"}, command...), "--timeout", "200ms", "--max-failures", "100%")
		out, err := c.CombinedOutput()
		code := exitCode(t, c, err)
		if err := box.stop(); err != nil {
			t.Fatal(err)
		}
		kinds := count(r.reported(t))
		t.Logf("%v: exit %d, %v", command, code, kinds)
		if code > 5 {
			t.Fatalf("%s", out)
		}
		return kinds
	}
	kinds := carryOut(append(manyFaults(), habit...), "update", "edits.csv")
	run := r.invariable(t, nil, 0)
	first := filepath.Base(run.Dir.Path())
	if kinds["changed"]+kinds["conflict"]+kinds["unchanged"] > 0 || kinds["failed"] < 80 || kinds["in_doubt"] > 5 {
		t.Errorf("outcomes %v", kinds)
	}
	carryOut(habit, "resume", first)
	run = r.invariable(t, nil, 0)
	ledger := r.ledger(t)

	kinds = carryOut(habit, "update", "edits.csv")
	if n := r.ledger(t).Last(); n != ledger.Last() || kinds["unchanged"] < 90 || kinds["unchanged"]+kinds["rejected"] != 100 {
		t.Errorf("the same file had %d effects and the outcomes %v", n-ledger.Last(), kinds)
	}
	carryOut(nil, "undo", first)
	r.invariable(t, run, ledger.Last())
	was, err := firstCustomers(r.box)
	if err != nil {
		t.Fatal(err)
	}
	is, err := readCustomers(r.box)
	if err != nil {
		t.Fatal(err)
	}
	for id := range was {
		for _, field := range r.names[1:] {
			if a, b := gjson.GetBytes(was[id], field).Raw, gjson.GetBytes(is[id], field).Raw; a != b {
				t.Errorf("customer %s: %s was %s, and is %s when all is taken back", id, field, a, b)
			}
		}
	}
}

func (r *trial) ledger(t *testing.T) *invariants.Ledger {
	t.Helper()
	l, err := invariants.ReadLedger(r.box)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// invariable holds the newest run against the effects behind one, and returns it.
func (r *trial) invariable(t *testing.T, of *invariants.Run, after int64) *invariants.Run {
	t.Helper()
	d, err := runs.Open(runs.Disk(), r.path("reports"), filepath.Base(r.newest(t)))
	if err != nil {
		t.Fatal(err)
	}
	run, err := invariants.Read(d)
	if err != nil {
		t.Fatal(err)
	}
	found, err := invariants.Case{Run: run, Of: of, Ledger: r.ledger(t).After(after), Reported: true}.Breaches()
	if err != nil {
		t.Fatal(err)
	}
	for _, one := range found {
		t.Error(one)
	}
	return run
}
