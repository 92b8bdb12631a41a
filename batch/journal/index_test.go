package journal

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"rowbatch/batch"
)

func TestJournalTellsHowRowsEnded(t *testing.T) {
	x, err := load(smallJournal(t).data)
	must(t, err)
	var got []string
	var first batch.Outcome
	for n := range 4 {
		o, err := x.Outcome(n)
		must(t, err)
		got = append(got, strings.Trim(string(o.Kind)+"/"+o.Code, "/"))
		if n == 0 {
			first = o
		}
	}
	if diff := cmp.Diff("changed in_doubt/no_answer rejected/bad_id not_attempted/stopped", strings.Join(got, " ")); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]batch.Change{{Field: "a", After: `"é\u0041<"`}}, first.Changes); diff != "" {
		t.Error(diff)
	}
	if x.End == nil || x.End.Exit != 4 {
		t.Errorf("the end is %+v", x.End)
	}
}

// The seconds of a run are those of its processes, as its requests are; what passed between an
// end and the next process does not count.
func TestSecondsAreThoseOfAllProcesses(t *testing.T) {
	began := time.Date(2026, 11, 20, 21, 52, 0, 0, time.UTC)
	done := func(second int) batch.Outcome {
		return batch.Outcome{Kind: batch.Unchanged, At: began.Add(time.Duration(second) * time.Second), Requests: 1}
	}
	d := &disk{}
	j, err := Create(d, Head{Mode: ModeRun, Rows: 4, Started: began})
	must(t, err)
	must(t, j.Done(0, done(3)))
	must(t, j.Flush())
	x, err := load(d.data) // as after a kill
	must(t, err)
	if e := x.Costs(); e.Seconds != 3 || e.Reads != 1 {
		t.Errorf("killed after three seconds: %+v", e)
	}
	must(t, j.End(End{Reads: 5, Seconds: 4}))
	x, err = load(d.data)
	must(t, err)
	j = Continue(d, x)
	must(t, j.Done(1, done(100)))
	must(t, j.Done(2, done(102)))
	must(t, j.Flush())
	x, err = load(d.data)
	must(t, err)
	if x.Worked() != 6 {
		t.Errorf("after an end at 4 s, and two seconds more: %v s", x.Worked())
	}
}

// What the index tells of a row is what stands in its record, whatever stands there.
func TestRecordsComeBack(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		d, rows := &disk{}, rapid.IntRange(1, 6).Draw(rt, "rows")
		j, err := Create(d, Head{Mode: ModeRun, Rows: rows})
		must(t, err)
		for n := range rows {
			o := anyOutcome(rt)
			if rapid.Bool().Draw(rt, "sent") {
				must(t, j.Intent(n, batch.Found{Record: batch.Record{ID: "1", Body: []byte(`{"c":[{"f":"not this"}]}`)}, Key: o.Key}, o.Changes))
			}
			must(t, j.Done(n, o))
		}
		must(t, j.Flush())
		x, err := load(d.data)
		must(t, err)
		sent := map[int][]batch.Change{}
		for _, e := range entries(d.data) {
			if e.Kind == "intent" {
				sent[e.Row] = e.Changes
			}
			if e.Kind != "done" {
				continue
			}
			want := *e.Outcome
			if changes, left := sent[e.Row]; left && want.Kind.WasSent() {
				want.Changes = changes
			}
			got, err := x.Outcome(e.Row)
			if diff := cmp.Diff(want, got); diff != "" || err != nil {
				rt.Errorf("row %d: %v %s", e.Row, err, diff)
			}
		}
	})
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
		if damage := (*DamageError)(nil); errors.As(err, &damage) && damage.Offset > int64(at) {
			t.Errorf("byte %d flipped, damage reported at %d", at, damage.Offset)
		}
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
