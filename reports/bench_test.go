package reports

import (
	"fmt"
	"os"
	"runtime"
	"testing"
	"time"

	"rowbatch/batch"
	"rowbatch/batch/journal"
	"rowbatch/batch/runs"
)

// BenchmarkWrite reports rows/s and how much memory is in use while rows of 12
// columns, every fifth of them changed, become a report.
func BenchmarkWrite(b *testing.B) { writeRows(b, 200_000, Options{Escape: escape}) }

// BenchmarkWritePage does the same with report.html of half a million rows.
func BenchmarkWritePage(b *testing.B) { writeRows(b, 500_000, Options{Escape: escape, HTML: true}) }

func writeRows(b *testing.B, rows int, o Options) {
	h := history{rows: make([]row, rows), end: &journal.End{}}
	cells := make([]string, 12)
	for i := range cells {
		h.heading = append(h.heading, fmt.Sprintf("Column %d", i))
		cells[i] = fmt.Sprintf("value of %d", i)
	}
	outcomes := []*batch.Outcome{
		{Kind: batch.Changed, Key: "id=1", ID: "1", HTTP: 200, Sends: 1, Requests: 2, Millis: 143, At: start, Customer: "Northlight", Status: "Active"},
		{Kind: batch.Unchanged, Key: "id=2", ID: "2", At: start},
		{Kind: batch.Unchanged, Key: "id=3", ID: "3", At: start},
		{Kind: batch.Unchanged, Key: "id=4", ID: "4", At: start},
		batch.Reject("bad_value", "Title is not one of Mr, Mrs, Ms, Miss, Dr"),
	}
	for n := range h.rows {
		h.rows[n] = row{cells: cells, done: outcomes[n%len(outcomes)]}
		if h.rows[n].done.Kind == batch.Changed {
			h.rows[n].intent = []batch.Change{{Field: "title", Before: `"Ms"`, After: `"Dr"`}}
		}
	}
	d, err := play(&faulty{FS: runs.Disk()}, b.TempDir(), h)
	if err != nil {
		b.Fatal(err)
	}
	h = history{}
	peak := watchHeap(b)
	for b.Loop() {
		if _, err := Write(d, o); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(rows*b.N)/b.Elapsed().Seconds(), "rows/s")
	b.ReportMetric(float64(peak())/(1<<20), "peak-MiB")
	if info, err := os.Stat(d.Path("report.html")); err == nil {
		b.ReportMetric(float64(info.Size())/(1<<20), "page-MiB")
	}
}

// watchHeap samples the heap in use, and returns its peak when called.
func watchHeap(b *testing.B) (peak func() uint64) {
	runtime.GC()
	stop, most := make(chan struct{}), make(chan uint64)
	go func() {
		var m runtime.MemStats
		var top uint64
		tick := time.NewTicker(20 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				runtime.ReadMemStats(&m)
				top = max(top, m.HeapInuse)
			case <-stop:
				most <- top
				return
			}
		}
	}()
	b.Cleanup(func() { runtime.GC() })
	return func() uint64 { close(stop); return <-most }
}
