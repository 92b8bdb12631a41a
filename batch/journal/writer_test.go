package journal

import (
	"bytes"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"rowbatch/batch"
)

func TestJournalKeepsTheRecordByteForByte(t *testing.T) {
	for _, e := range entries(smallJournal(t).data) {
		if e.Kind == "intent" && string(e.Found.Body) != `{"id":1,"mrr":25.9800,"name":"A&B <x>","crm":9007199254740993123}` {
			t.Errorf("the record came back as %s", e.Found.Body)
		}
	}
}

func TestIntentsShareSyncs(t *testing.T) {
	d := &disk{}
	j, err := Create(d, Head{Rows: 64})
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
			j, err := Create(d, Head{Rows: writers})
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

// Who is alone after many does not wait for them for long.
func TestIntentsForgetThoseWhoLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j, err := Create(&disk{slow: time.Millisecond}, Head{Rows: 16})
		must(t, err)
		var all sync.WaitGroup
		for n := range 16 {
			all.Go(func() { must(t, j.Intent(n, batch.Found{}, nil)) })
		}
		all.Wait()
		began := time.Now()
		for range 20 {
			must(t, j.Intent(0, batch.Found{}, nil))
		}
		if took, most := time.Since(began), 20*time.Millisecond+16*gathering; took > most {
			t.Errorf("twenty intents of one writer took %s after those of sixteen, want at most %s", took, most)
		}
		began = time.Now()
		must(t, j.Intent(0, batch.Found{}, nil))
		if took := time.Since(began); took > time.Millisecond {
			t.Errorf("one more took %s", took)
		}
	})
}

// A disk that fails fails all who wait for it, those too who were still being waited for.
func TestIntentsFailTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &disk{slow: time.Millisecond}
		j, err := Create(d, Head{Rows: 16})
		must(t, err)
		intents := func(errs []error) {
			var all sync.WaitGroup
			for n := range errs {
				all.Go(func() { errs[n] = j.Intent(n, batch.Found{}, nil) })
			}
			all.Wait()
		}
		sound := make([]error, 16)
		intents(sound)
		must(t, errors.Join(sound...))
		d.full = true
		failed := make([]error, 3) // fewer than came together before: they wait for more
		intents(failed)
		for n, err := range failed {
			if wrong := (*WriteError)(nil); !errors.As(err, &wrong) {
				t.Errorf("intent %d: %v", n, err)
			}
		}
	})
}

func BenchmarkIntent(b *testing.B) {
	j, err := Create(&disk{}, Head{Rows: b.N})
	must(b, err)
	body := bytes.Repeat([]byte(`"x",`), 500)
	rec := batch.Record{ID: "1", Body: append(append([]byte("["), body...), `"x"]`...)}
	for n := 0; b.Loop(); n++ {
		must(b, j.Intent(n, batch.Found{Record: rec}, []batch.Change{{Field: "a", Before: `"x"`, After: `"y"`}}))
	}
}
