package job

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"

	"rowbatch/batch"
	"rowbatch/batch/action"
)

// tally counts the rows of a run as they are settled.
type tally struct {
	mu       sync.Mutex
	kinds    map[batch.Kind]int
	done     int
	respelt  bool  // a row's value was stored otherwise than it was sent
	writes   int   // that this process has sent
	sent     []int // the rows of these writes
	preview  *Preview
	failures failureCount

	surveyed surveyed
	past     past
}

// surveyed are the rows that were only looked at and will come again.
type surveyed struct {
	kinds   map[batch.Kind]int
	would   map[string]int // rows that would be sent, by action
	twofold map[string]int // of these, those whose reading takes a request more
	rereads int            // requests for other rows, which will be read once more
}

// past are the rows that an earlier process of the run has settled.
type past struct {
	kinds          map[batch.Kind]int
	would, twofold map[string]int // of a dry run: as of what is surveyed
}

func newTally(limit FailureLimit) *tally {
	return &tally{
		kinds: map[batch.Kind]int{}, failures: failureCount{limit: limit},
		preview:  newPreview(),
		surveyed: surveyed{map[batch.Kind]int{}, map[string]int{}, map[string]int{}, 0},
		past:     past{map[batch.Kind]int{}, map[string]int{}, map[string]int{}},
	}
}

// add counts one row. It returns an error once too many have failed.
func (t *tally) add(it *batch.Item, o batch.Outcome, final bool) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.kinds[o.Kind]++
	if !final {
		t.surveyed.kinds[o.Kind]++
	}
	t.done++
	t.respelt = t.respelt || respelled(o)
	if n := o.Sends - it.Earlier.Sends; n > 0 {
		t.writes += n
		t.sent = append(t.sent, it.N)
	}
	t.preview.add(it.N, o)
	switch {
	case o.Kind == batch.WouldChange:
		t.surveyed.would[it.Action.Name()]++
		t.surveyed.twofold[it.Action.Name()] += extra(o)
	case !final && it.Action != nil && it.Action.System() == action.SystemFusebill:
		t.surveyed.rereads += 1 + extra(o)
	}
	return t.failures.add(it.N, o)
}

// extra is what a reading of a row's customer takes beyond one request.
func extra(o batch.Outcome) int {
	if o.Twofold {
		return 1
	}
	return 0
}

// respelled reports whether the server stored a value of a row otherwise than it was sent.
func respelled(o batch.Outcome) bool {
	return slices.ContainsFunc(o.Changes, func(c batch.Change) bool { return c.Stored != batch.Absent })
}

// watchPast counts the rows that an earlier process has settled, as they pass by.
func (t *tally) watchPast(src batch.Source) batch.Source {
	return func(yield func(*batch.Item, error) bool) {
		for it, err := range src {
			if err == nil && it.Earlier.Settled {
				o := it.Earlier.Outcome
				t.mu.Lock()
				if o.Kind == batch.WouldChange {
					name := it.Action.Name()
					t.surveyed.would[name]++
					t.past.would[name]++
					t.surveyed.twofold[name] += extra(*o)
					t.past.twofold[name] += extra(*o)
				}
				t.kinds[o.Kind]++
				t.past.kinds[o.Kind]++
				t.respelt = t.respelt || respelled(*o)
				t.done++
				t.mu.Unlock()
			}
			if !yield(it, err) {
				return
			}
		}
	}
}

// forgetPast makes ready for another pass, in which those rows come by again.
func (t *tally) forgetPast() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.subtract(t.past.kinds)
	for name, n := range t.past.would {
		t.surveyed.would[name] -= n
		t.surveyed.twofold[name] -= t.past.twofold[name]
	}
	clear(t.past.would)
	clear(t.past.twofold)
}

// startOver forgets what was found of the rows that are not settled.
func (t *tally) startOver() {
	t.forgetSurvey()
	t.mu.Lock()
	defer t.mu.Unlock()
	clear(t.surveyed.would)
	clear(t.surveyed.twofold)
	t.surveyed.rereads = 0
}

// forgetSurvey forgets the rows that were only looked at.
func (t *tally) forgetSurvey() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.subtract(t.surveyed.kinds)
	t.failures = failureCount{limit: t.failures.limit, listed: t.failures.listed}
}

func (t *tally) subtract(kinds map[batch.Kind]int) {
	for kind, n := range kinds {
		t.kinds[kind] -= n
		t.done -= n
	}
	clear(kinds)
}

// count is how many rows are settled.
func (t *tally) count() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.done
}

// earlier is how many of these an earlier process of the run has settled.
func (t *tally) earlier() (rows int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, n := range t.past.kinds {
		rows += n
	}
	return rows
}

// counts returns how many rows ended in which way.
func (t *tally) counts() map[batch.Kind]int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return maps.Clone(t.kinds)
}

// listed counts a row of which the customer list has shown that it needs nothing;
// is tells which rows those are.
func (t *tally) listed(is func(n int) bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.failures.listed.is = is
	t.failures.listed.rows++
}

// toSend counts the rows that a pass without sending would have sent, by action, those of
// them that cost a request more, and the requests for others that are read again.
func (t *tally) toSend() (would, twofold map[string]int, rereads int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return maps.Clone(t.surveyed.would), maps.Clone(t.surveyed.twofold), t.surveyed.rereads
}

// FailureLimit stops a run that mostly fails: something is wrong with the file or
// the account. As text it is a number, or a percentage of the rows sent. The zero
// limit is 10 in a row, or 20% after 50 rows.
type FailureLimit struct {
	Count int     // this many in all; 0: no such limit
	Share float64 // this share of the rows, once they are many enough; 0: no such limit
}

const (
	defaultInARow   = 10
	defaultShare    = 0.20
	shareFromRowsOn = 50
)

func (l FailureLimit) MarshalText() ([]byte, error) {
	switch {
	case l.Count > 0:
		return []byte(strconv.Itoa(l.Count)), nil
	case l.Share > 0:
		return []byte(strconv.Itoa(int(100*l.Share+0.5)) + "%"), nil
	}
	return nil, nil
}

func (l *FailureLimit) UnmarshalText(text []byte) error {
	number, percent := strings.CutSuffix(string(text), "%")
	n, err := strconv.Atoi(number)
	switch {
	case len(text) == 0:
		*l = FailureLimit{}
	case err != nil || n < 1 || percent && n > 100:
		return batch.Usage("--max-failures 10, or --max-failures 5%", "--max-failures %q is neither a number nor a share", text)
	case percent:
		*l = FailureLimit{Share: float64(n) / 100}
	default:
		*l = FailureLimit{Count: n}
	}
	return nil
}

// failureCount watches the rows as they end.
type failureCount struct {
	limit                FailureLimit
	failed, rows, inARow int
	last                 int // row that failed
	listed               listedRows
}

// listedRows are the rows of which the customer list has shown that they need
// nothing. They have ended before all others, and yet stand between them: how they
// were looked up must not decide whether a run goes on.
type listedRows struct {
	is   func(n int) bool
	rows int
}

func (l listedRows) between(a, b int) bool {
	for n := min(a, b) + 1; l.rows > 0 && n < max(a, b); n++ {
		if l.is(n) {
			return true
		}
	}
	return false
}

// add counts a row, and returns an error once the limit is reached. Rows that the
// offline checks rejected do not count: they tell nothing about the account. Nor do
// those that a record was looked at for, since it might have held what they reject.
func (c *failureCount) add(n int, o batch.Outcome) error {
	if o.Requests == 0 || o.Code == "spreadsheet_damage" || o.Code == "no_value_word" {
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
	inARow, share, rows := 0, c.limit.Share, c.rows+c.listed.rows
	if c.limit == (FailureLimit{}) {
		inARow, share = defaultInARow, defaultShare
	}
	switch {
	case inARow > 0 && c.inARow >= inARow:
		return fmt.Errorf("%d rows in a row failed", c.inARow)
	case c.limit.Count > 0 && c.failed >= c.limit.Count,
		share > 0 && rows >= shareFromRowsOn && float64(c.failed) > share*float64(rows):
		return fmt.Errorf("%d of %d rows failed", c.failed, rows)
	}
	return nil
}
