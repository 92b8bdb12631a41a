package cli_test

import (
	"flag"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"rowbatch/client/sandbox"
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

// inFlight is what may still be sent when a floor is reached, on the strength of
// replies from before: a read and a write for each row on the way, of which there
// are four for each of the eight requests in flight that the shards divide.
const inFlight = 2 * 4 * 8

// calm wants hardly any 429, and the reserve of a window to be kept but for what is in flight.
func (o *office) calm(t *testing.T, window string, reserve int) {
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

// openBusy opens an account of n customers, all of which a file gives another name.
func openBusy(t *testing.T, n, minute, day int) *office {
	t.Helper()
	o := openOffice(t, sandbox.Options{Seed: activeSeed(), Customers: n, Minute: minute, Day: day})
	rows := [][]string{{"id", "firstName"}}
	for _, id := range o.box.IDs() {
		rows = append(rows, []string{id, "N" + id})
	}
	o.file(t, rows)
	return o
}

// TestShardsShareAnAllowance: four processes know of each other by the account's
// headers alone. They stop at the day's floor, and go on when there is room again;
// then every row has been sent once.
func TestShardsShareAnAllowance(t *testing.T) {
	t.Parallel()
	const rows, day = 700, 1000
	o := openBusy(t, rows, plenty, day)
	all := o.together(t, []int{exitDone, exitStopped}, shardOf("update", "rows.csv"))
	o.calm(t, "Day", day/10)
	o.turn(t, plenty, plenty)
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

// TestShardsShareTheMinute is the same over whole minutes of the default limit, of
// which each ends in the wait for the next.
func TestShardsShareTheMinute(t *testing.T) {
	if *shardWindows == 0 {
		t.Skip("it takes minutes: -shard-windows 3")
	}
	const minute = 1000
	rows := *shardWindows * minute * 9 / 10 / 2
	o := openBusy(t, rows, minute, plenty)
	began := time.Now()
	all := o.together(t, []int{exitDone}, shardOf("update", "rows.csv"))
	t.Logf("%d rows at %d requests a minute took %s", rows, minute, time.Since(began).Round(time.Second))
	o.calm(t, "Minute", minute/10)
	o.everyRowOnce(t, all, rows)
}
