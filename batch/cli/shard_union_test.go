package cli_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"rowbatch/client/sandbox"
	"rowbatch/samples"
)

// inShards carries a file out in n processes at once, and then tries once more what
// found a link taken: another shard may have freed it.
func (o *office) inShards(t *testing.T, n int, words []string) []sheet {
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

// united puts the shards' reports together: of each row what its own shard says.
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

// verdictsOf are the rows without what differs from run to run.
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

// left are all the account's customers as the ledger's writes left them.
func (o *office) left(t *testing.T) map[string]string {
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

// effects counts the writes that each customer has taken.
func (o *office) effects(t *testing.T) map[string]int {
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

// byOneKey names all Trackfinity customers by their number.
func byOneKey(random *rand.Rand) [][]string {
	all := patchRows(random)
	for _, row := range all[1:] {
		if row[0] == "" {
			row[0], row[1] = strings.TrimPrefix(row[1], "S-"), ""
		}
	}
	return all
}

// badRows are updates of which some are rejected for their cells, or for other rows.
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

// TestShardsTogetherAreTheWholeRun carries files out whole, and in 1 to 5 shards at
// once: what the shards say of their rows, and what they leave of the customers,
// is what the whole run says and leaves.
func TestShardsTogetherAreTheWholeRun(t *testing.T) {
	t.Parallel()
	for name, p := range shardedPlans() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rows := p.rows(rand.New(rand.NewPCG(7, 7)))
			alone := openOffice(t, sandbox.Options{Seed: samples.Seed(), Minute: plenty, Day: plenty})
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
				o := openOffice(t, sandbox.Options{Seed: samples.Seed(), Minute: plenty, Day: plenty})
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
