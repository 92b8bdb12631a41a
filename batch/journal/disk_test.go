package journal

import (
	"bytes"
	"errors"
	"sync"
	"testing"
	"time"

	"rowbatch/batch"
)

// disk is a journal's file that knows what was synced.
type disk struct {
	mu     sync.Mutex
	data   []byte
	synced int
	ops    int
	slow   time.Duration // of a sync
	full   bool          // nothing more is written
}

func (d *disk) Write(p []byte) (int, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.ops++; d.full {
		return 0, errors.New("no space left on device")
	}
	d.data = append(d.data, p...)
	return len(p), nil
}

func (d *disk) Sync() error {
	<-time.After(d.slow)
	d.mu.Lock()
	defer d.mu.Unlock()
	d.ops++
	d.synced = len(d.data)
	return nil
}

func (d *disk) Close() error { return nil }

// smallJournal has four rows: changed, in doubt, rejected, never begun.
func smallJournal(t testing.TB) *disk {
	d := &disk{}
	j, err := Create(d, Head{Mode: ModeRun, Rows: 4})
	must(t, err)
	found := batch.Record{ID: "1", Status: "Active", Body: []byte(`{"id":1,"mrr":25.9800,"name":"A&B <x>","crm":9007199254740993123}`)}
	must(t, j.Intent(0, batch.Found{Record: found, Key: "reference=AC-1"}, []batch.Change{{Field: "a", Before: batch.Absent, After: `"é\u0041<"`}}))
	must(t, j.Done(0, batch.Outcome{Kind: batch.Changed, Sends: 1, Requests: 2}))
	must(t, j.Intent(1, batch.Found{Record: found, Key: "reference=AC-1"}, []batch.Change{{Field: "a", Before: `"o"`, After: batch.Null}}))
	must(t, j.Done(2, batch.Outcome{Kind: batch.Rejected, Code: "bad_id", Error: "no"}))
	must(t, j.End(End{Reads: 3, Writes: 2, Exit: 4}))
	return d
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func load(data []byte) (*Index, error) {
	return Load(bytes.NewReader(data), int64(len(data)))
}

// entries decodes every line of a sound journal.
func entries(data []byte) (all []*Entry) {
	for line := range bytes.SplitAfterSeq(data, []byte("\n")) {
		if len(line) > 0 {
			all = append(all, decode(line))
		}
	}
	return all
}
