package cli

import (
	"sync"

	"rowbatch/batch"
)

// tally counts the rows of a run as they are settled.
type tally struct {
	mu       sync.Mutex
	kinds    map[batch.Kind]int
	done     int
	reads    int
	writes   int
	preview  preview
	failures failureCount
}

func newTally(limit failureLimit) *tally {
	return &tally{kinds: map[batch.Kind]int{}, preview: newPreview(), failures: failureCount{limit: limit}}
}

// add counts one row. The error says that too many have failed.
func (t *tally) add(it *batch.Item, o batch.Outcome) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.kinds[o.Kind]++
	t.done++
	t.writes += o.Sends
	t.reads += o.Requests - it.Spent - o.Sends
	t.preview.add(it, o)
	return t.failures.add(o)
}

// count is how many rows are settled.
func (t *tally) count() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.done
}

// startOver takes the rows that were only looked at as not settled.
func (t *tally) startOver() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.done -= t.kinds[batch.WouldChange]
	delete(t.kinds, batch.WouldChange)
}
