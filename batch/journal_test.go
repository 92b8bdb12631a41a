package batch_test

import (
	"bytes"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"rowbatch/batch"
)

// smallJournal has four rows: changed, in doubt, rejected, never begun.
func smallJournal(t testing.TB) *disk {
	d := &disk{}
	j, err := batch.NewJournal(d, batch.Head{Mode: batch.ModeRun, Rows: 4})
	must(t, err)
	found := batch.Record{ID: "1", Status: "Active", Body: []byte(`{"id":1,"mrr":25.9800,"name":"A&B <x>","crm":9007199254740993123}`)}
	must(t, j.Intent(0, batch.Found{Record: found, Key: "reference=AC-1"}, []batch.Change{{Field: "a", Before: batch.Absent, After: `"é\u0041<"`}}))
	must(t, j.Done(0, batch.Outcome{Kind: batch.Changed, Sends: 1, Requests: 2}))
	must(t, j.Intent(1, batch.Found{Record: found, Key: "reference=AC-1"}, []batch.Change{{Field: "a", Before: `"o"`, After: batch.Null}}))
	must(t, j.Done(2, batch.Outcome{Kind: batch.Rejected, Code: "bad_id", Error: "no"}))
	must(t, j.End(batch.End{Reads: 3, Writes: 2, Exit: 4}))
	return d
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func load(data []byte) (*batch.Index, error) {
	return batch.Load(bytes.NewReader(data), int64(len(data)))
}

func TestJournalTellsHowRowsEnded(t *testing.T) {
	x, err := load(smallJournal(t).data)
	must(t, err)
	var got []batch.Outcome
	for n := range 4 {
		o, err := x.Outcome(n)
		must(t, err)
		got = append(got, o)
	}
	if diff := cmp.Diff("changed in_doubt/no_answer rejected/bad_id not_attempted/stopped", kinds(got)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]batch.Change{{Field: "a", After: `"é\u0041<"`}}, got[0].Changes); diff != "" {
		t.Error(diff)
	}
	if x.End == nil || x.End.Exit != 4 {
		t.Errorf("the end is %+v", x.End)
	}
}

func TestJournalKeepsTheRecordByteForByte(t *testing.T) {
	_, err := batch.Scan(bytes.NewReader(smallJournal(t).data), func(_ int64, e *batch.Entry) error {
		if e.Kind == "intent" && string(e.Found.Body) != `{"id":1,"mrr":25.9800,"name":"A&B <x>","crm":9007199254740993123}` {
			t.Errorf("the record came back as %s", e.Found.Body)
		}
		return nil
	})
	must(t, err)
}

// A journal cut anywhere after its head is a torn end: it loads, and says nothing that was not written.
func TestJournalCutAtEveryByte(t *testing.T) {
	data := smallJournal(t).data
	head := bytes.IndexByte(data, '\n') + 1
	for cut := head; cut < len(data); cut++ {
		x, err := load(data[:cut])
		if err != nil {
			t.Fatalf("cut at byte %d: %v", cut, err)
		}
		o, err := x.Outcome(0)
		must(t, err)
		if o.Kind != batch.NotAttempted && o.Kind != batch.InDoubt && o.Kind != batch.Changed {
			t.Errorf("cut at byte %d: row 0 is %s", cut, o.Kind)
		}
	}
}

// A byte flipped in what was known to be on disk is damage; later ones are a torn end. None is believed.
func TestJournalFlippedAtEveryByte(t *testing.T) {
	data := smallJournal(t).data
	lastSync := bytes.LastIndex(data[:len(data)-1], []byte("\n")) + 1 // the last record knows all before it to be durable
	for at := range data {
		flipped := bytes.Clone(data)
		flipped[at] ^= 0x20
		_, err := load(flipped)
		if at < lastSync-1 && err == nil && bytes.Count(data[:at], []byte("\n")) < 3 {
			t.Errorf("byte %d flipped, and the journal loads", at)
		}
		if damage := (*batch.DamageError)(nil); errors.As(err, &damage) && damage.Offset > int64(at) {
			t.Errorf("byte %d flipped, damage reported at %d", at, damage.Offset)
		}
	}
}

func TestIntentsShareSyncs(t *testing.T) {
	d := &disk{}
	j, err := batch.NewJournal(d, batch.Head{Rows: 64})
	must(t, err)
	var all sync.WaitGroup
	for n := range 64 {
		all.Go(func() {
			if err := j.Intent(n, batch.Found{Record: batch.Record{ID: fmt.Sprint(n)}}, nil); err != nil {
				t.Error(err)
			}
			d.mu.Lock()
			defer d.mu.Unlock()
			if !bytes.Contains(d.data[:d.synced], fmt.Appendf(nil, `"r":%d,`, n)) {
				t.Errorf("the intent of row %d is not on disk", n)
			}
		})
	}
	all.Wait()
}

// Who writes alone waits for nobody; of many, each waits a moment for the others.
func TestIntentsWaitForEachOther(t *testing.T) {
	for writers, most := range map[int]struct {
		took  time.Duration
		syncs int
	}{1: {20 * time.Millisecond, 20}, 16: {70 * time.Millisecond, 60}} {
		synctest.Test(t, func(t *testing.T) {
			d := &disk{slow: time.Millisecond}
			j, err := batch.NewJournal(d, batch.Head{Rows: writers})
			must(t, err)
			began, before := time.Now(), d.ops
			var all sync.WaitGroup
			for n := range writers {
				all.Go(func() {
					for range 20 {
						must(t, j.Intent(n, batch.Found{Record: batch.Record{ID: fmt.Sprint(n)}}, nil))
					}
				})
			}
			all.Wait()
			if took, syncs := time.Since(began), (d.ops-before)/2; took > most.took || syncs > most.syncs {
				t.Errorf("%d writers of 20 intents each: %d syncs in %s", writers, syncs, took)
			}
		})
	}
}

func FuzzJournal(f *testing.F) {
	f.Add(smallJournal(f).data)
	f.Fuzz(func(t *testing.T, data []byte) {
		x, err := load(data)
		if err != nil {
			return
		}
		for n := range x.Head.Rows {
			if _, err := x.Outcome(n); err != nil {
				t.Errorf("row %d of a journal that loads: %v", n, err)
			}
		}
	})
}

func BenchmarkIntent(b *testing.B) {
	j, err := batch.NewJournal(&disk{}, batch.Head{Rows: b.N})
	must(b, err)
	body := bytes.Repeat([]byte(`"x",`), 500)
	rec := batch.Record{ID: "1", Body: append(append([]byte("["), body...), `"x"]`...)}
	for n := 0; b.Loop(); n++ {
		must(b, j.Intent(n, batch.Found{Record: rec}, []batch.Change{{Field: "a", Before: `"x"`, After: `"y"`}}))
	}
}
