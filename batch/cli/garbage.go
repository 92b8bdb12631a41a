package cli

import (
	"os"
	"runtime/debug"
)

const (
	// rowTables is about what is kept in memory of each row of a large file, in bytes.
	rowTables = 28
	// mostGarbage is what may lie about beside it until it is collected. As much
	// again as is kept, which is the usual measure, would double what such a file takes.
	mostGarbage = 8 << 20
	// leastPercent keeps the collector from running all the time in files beyond.
	leastPercent = 20
)

// collectFor has garbage collected in time for a file of so many rows, unless the
// user has set GOGC. The tables hold no pointers, so that going through them costs little.
func collectFor(rows int) {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(garbagePercent(rows))
	}
}

// garbagePercent is how much garbage there may be, as a share of what is kept.
func garbagePercent(rows int) int {
	return min(100, max(leastPercent, mostGarbage*100/(rowTables*max(rows, 1))))
}

// collectEvery is after how many rows of a file being read the measure is taken anew.
const collectEvery = 1 << 16
