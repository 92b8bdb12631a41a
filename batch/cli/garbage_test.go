package cli

import "testing"

// A small file is left to the usual measure; of a large one the garbage stays
// small beside what is kept, and the collector is not run for every few bytes.
func TestGarbagePercent(t *testing.T) {
	for rows, want := range map[int]int{0: 100, 10_000: 100, 1_000_000: 29, 100_000_000: leastPercent} {
		if got := garbagePercent(rows); got != want {
			t.Errorf("%d rows: %d%%, and not %d%%", rows, got, want)
		}
	}
}
