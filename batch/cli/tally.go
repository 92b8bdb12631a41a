package cli

import (
	"sync"

	"rowbatch/batch"
)

// tally counts the rows of a run as they are settled.
type tally struct {
	mu       sync.Mutex
	kinds    map[batch.Kind]int
	again    map[batch.Kind]int // of kinds, those of rows that were only looked at and will come again
	done     int
	reads    int
	writes   int
	past     map[batch.Kind]int // of rows that an earlier process has settled
	preview  preview
	failures failureCount
}

func newTally(limit failureLimit) *tally {
	return &tally{kinds: map[batch.Kind]int{}, again: map[batch.Kind]int{}, past: map[batch.Kind]int{}, preview: newPreview(), failures: failureCount{limit: limit}}
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
	sent := o.Sends - it.Earlier
	t.writes += sent
	t.reads += o.Requests - it.Spent - sent
	t.preview.add(it, o)
	return t.failures.add(o)
}

// watchPast counts the rows that an earlier process has settled, as they pass by.
func (t *tally) watchPast(src batch.Source) batch.Source {
	return func(yield func(*batch.Item, error) bool) {
		for it, err := range src {
			if err == nil && it.Past != nil {
				t.recall(it.Past.Kind)
			}
			if !yield(it, err) {
				return
			}
		}
	}
}

func (t *tally) recall(kind batch.Kind) {
	t.mu.Lock()
	defer t.mu.Unlock()
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
	clear(t.past)
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
	t.failures = failureCount{limit: t.failures.limit}
}
