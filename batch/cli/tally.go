package cli

import (
	"maps"
	"sync"

	"rowbatch/batch"
	"rowbatch/batch/action"
)

// tally counts the rows of a run as they are settled.
type tally struct {
	mu       sync.Mutex
	kinds    map[batch.Kind]int
	again    map[batch.Kind]int // of kinds, those of rows that were only looked at and will come again
	done     int
	writes   int
	past     map[batch.Kind]int // of rows that an earlier process has settled
	would    map[string]int     // rows that would be sent, by action
	pastSend map[string]int     // of them, those that an earlier process has found
	rereads  int                // other rows that will be read once more
	preview  preview
	failures failureCount
}

func newTally(limit failureLimit) *tally {
	return &tally{kinds: map[batch.Kind]int{}, again: map[batch.Kind]int{}, past: map[batch.Kind]int{}, would: map[string]int{}, pastSend: map[string]int{}, preview: newPreview(), failures: failureCount{limit: limit}}
}

// add counts one row. The error says that too many have failed.
func (t *tally) add(it *batch.Item, o batch.Outcome, settled bool) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.kinds[o.Kind]++
	if !settled {
		t.again[o.Kind]++
	}
	t.done++
	t.writes += o.Sends - it.Earlier.Sends
	t.preview.add(it, o)
	switch {
	case o.Kind == batch.WouldChange:
		t.would[it.Action.Name()]++
	case !settled && it.Action != nil && it.Action.System() == action.SystemFusebill:
		t.rereads++
	}
	return t.failures.add(it.N, o)
}

// watchPast counts the rows that an earlier process has settled, as they pass by.
func (t *tally) watchPast(src batch.Source) batch.Source {
	return func(yield func(*batch.Item, error) bool) {
		for it, err := range src {
			if err == nil && it.Earlier.Settled {
				t.recall(it)
			}
			if !yield(it, err) {
				return
			}
		}
	}
}

func (t *tally) recall(it *batch.Item) {
	t.mu.Lock()
	defer t.mu.Unlock()
	kind := it.Earlier.Outcome.Kind
	if kind == batch.WouldChange {
		t.would[it.Action.Name()]++
		t.pastSend[it.Action.Name()]++
	}
	t.kinds[kind]++
	t.past[kind]++
	t.done++
}

// forgetPast makes ready for another pass, in which those rows come by again.
func (t *tally) forgetPast() {
	t.mu.Lock()
	defer t.mu.Unlock()
	for kind, n := range t.past {
		t.kinds[kind] -= n
		t.done -= n
	}
	for name, n := range t.pastSend {
		t.would[name] -= n
	}
	clear(t.past)
	clear(t.pastSend)
}

// count is how many rows are settled.
func (t *tally) count() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.done
}

// startOver forgets the rows that were only looked at.
func (t *tally) startOver() {
	t.mu.Lock()
	defer t.mu.Unlock()
	for kind, n := range t.again {
		t.kinds[kind] -= n
		t.done -= n
	}
	clear(t.again)
	t.failures = failureCount{limit: t.failures.limit, listed: t.failures.listed}
}

// listed counts a row of which the customer list has shown that it needs nothing;
// is tells which rows those are.
func (t *tally) listed(is func(n int) bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.failures.listed.is = is
	t.failures.listed.rows++
}

// toSend counts the rows that a pass without sending would have sent, by action,
// and the others that it has read and that are read again.
func (t *tally) toSend() (would map[string]int, rereads int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return maps.Clone(t.would), t.rereads
}
