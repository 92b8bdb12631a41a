package cli

import (
	"fmt"
	"strconv"
	"strings"

	"rowbatch/batch"
)

// failureLimit stops a run that mostly fails: something is wrong with the file or the account.
type failureLimit struct {
	count   int     // this many in all; 0: no such limit
	inARow  int     // this many in a row; 0: no such limit
	share   float64 // this share of the rows sent; 0: no such limit
	atLeast int     // rows before the share counts
}

// tooManyFailures is the cause of a stop by --max-failures.
type tooManyFailures struct{ failed, rows, inARow int }

func (e *tooManyFailures) Error() string {
	if e.inARow > 0 {
		return fmt.Sprintf("%d rows in a row failed", e.inARow)
	}
	return fmt.Sprintf("%d of %d rows failed", e.failed, e.rows)
}

func (f *runFlags) parseFailures() error {
	text, percent := strings.CutSuffix(f.maxFailures, "%")
	n, err := strconv.Atoi(text)
	switch {
	case f.maxFailures == "":
		f.failures = failureLimit{inARow: 10, share: 0.20, atLeast: 50}
	case err != nil || n < 1 || percent && n > 100:
		return usage("--max-failures 10, or --max-failures 5%", "--max-failures %q is neither a number nor a share", f.maxFailures)
	case percent:
		f.failures = failureLimit{share: float64(n) / 100, atLeast: 50}
	default:
		f.failures = failureLimit{count: n}
	}
	return nil
}

// failureCount watches the rows as they end.
type failureCount struct {
	limit                failureLimit
	failed, rows, inARow int
	last                 int // row that failed
	listed               shownFine
}

// shownFine are the rows of which the customer list has shown that they need
// nothing. They have ended before all others, and yet stand between them: how they
// were looked up must not decide whether a run goes on.
type shownFine struct {
	is   func(n int) bool
	rows int
}

func (l shownFine) between(a, b int) bool {
	for n := min(a, b) + 1; l.rows > 0 && n < max(a, b); n++ {
		if l.is(n) {
			return true
		}
	}
	return false
}

// add counts a row, and says when the limit is reached. Rows that the offline
// checks rejected are the file's affair, and say nothing of the account.
func (c *failureCount) add(n int, o batch.Outcome) error {
	if o.Requests == 0 {
		return nil
	}
	c.rows++
	if o.Kind != batch.Failed && o.Kind != batch.Rejected {
		c.inARow = 0
		return nil
	}
	c.failed++
	if c.listed.between(c.last, n) {
		c.inARow = 0
	}
	c.inARow++
	c.last = n
	l, rows := c.limit, c.rows+c.listed.rows
	switch {
	case l.inARow > 0 && c.inARow >= l.inARow:
		return &tooManyFailures{inARow: c.inARow}
	case l.count > 0 && c.failed >= l.count,
		l.share > 0 && rows >= l.atLeast && float64(c.failed) > l.share*float64(rows):
		return &tooManyFailures{failed: c.failed, rows: rows}
	}
	return nil
}
