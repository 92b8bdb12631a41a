package cli_test

import (
	"flag"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/tidwall/gjson"

	"rowbatch/samples"
)

var shardWindows = flag.Int("shard-windows", 0, "over how many windows of a minute TestShardsShareTheMinute goes; 0: it does not run")

const shards = 4

// together runs a command for each shard, all at once, and returns their reports.
func (o *office) together(t *testing.T, ends []int, wordsOf func(i int) []string) []sheet {
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
func (o *office) everyRowOnce(t *testing.T, all []sheet, rows int) {
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

// inFlight is what may still be sent when the floor is reached, on the strength of
// replies from before: a read and a write of each worker of all shards.
const inFlight = 2 * 8

// calm wants hardly any 429, and the reserve of a window to be kept but for what is in flight.
func (o *office) calm(t *testing.T, window string, reserve int) {
	t.Helper()
	t.Logf("%d requests, %d throttled, at least %v left", o.seen.requests, o.seen.throttled, o.seen.least)
	if 100*o.seen.throttled > o.seen.requests {
		t.Errorf("%d of %d requests were throttled", o.seen.throttled, o.seen.requests)
	}
	if least := o.seen.least[window]; least < reserve-inFlight {
		t.Errorf("%d were left of the %s, and %d were to be kept", least, window, reserve)
	}
}

// newNames are updates of the first n Active customers.
func newNames(t *testing.T, n int) []byte {
	t.Helper()
	rows := [][]string{{"id", "firstName"}}
	for _, c := range gjson.ParseBytes(samples.Seed()).Array() {
		if id := c.Get("id").Raw; active(c) && len(rows) <= n {
			rows = append(rows, []string{id, "N" + id})
		}
	}
	file, err := csvOf(rows)
	if err != nil {
		t.Fatal(err)
	}
	return file
}

// TestShardsShareAnAllowance: four processes know of each other by the account's
// headers alone. They stop at the day's floor, and go on when there is room again;
// then every row has been sent once.
func TestShardsShareAnAllowance(t *testing.T) {
	const rows, day = 200, 240
	o := openOffice(t, newNames(t, rows))
	o.turn(t, 1_000_000, day)
	all := o.together(t, []int{exitDone, exitStopped}, shardOf("update", "rows.csv"))
	o.calm(t, "Day", day/10)
	o.turn(t, 1_000_000, 1_000_000)
	stopped := 0
	for i, s := range all {
		if slices.Contains(s.column("rb_outcome"), "not_attempted") {
			stopped++
			all[i] = o.carryOut(t, fmt.Sprint("shard", i+1), "resume", "last")
		}
	}
	if stopped == 0 {
		t.Error("nobody was stopped by the day's limit")
	}
	o.everyRowOnce(t, all, rows)
}

// TestShardsShareTheMinute is the same over whole minutes, of which each ends in the wait for the next.
func TestShardsShareTheMinute(t *testing.T) {
	if *shardWindows == 0 {
		t.Skip("it takes minutes: -shard-windows 3")
	}
	const rows = 200
	minute := 2 * rows / *shardWindows
	o := openOffice(t, newNames(t, rows))
	o.turn(t, minute, 1_000_000)
	began := time.Now()
	all := o.together(t, []int{exitDone}, shardOf("update", "rows.csv"))
	t.Logf("%d requests at %d a minute took %s", o.seen.requests, minute, time.Since(began).Round(time.Second))
	o.calm(t, "Minute", minute/10)
	o.everyRowOnce(t, all, rows)
}
