package batch_test

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"rowbatch/batch"
)

func anyOutcome(t *rapid.T) batch.Outcome {
	text := rapid.OneOf(rapid.SampledFrom([]string{"", `"lost":true`, "a\"b\\c\u2028<&>", "\x00\xff\ud7ff", "名前😀"}), rapid.String())
	value := rapid.Custom(func(t *rapid.T) batch.Value {
		return rapid.OneOf(rapid.SampledFrom([]batch.Value{batch.Absent, batch.Hidden, batch.Null, "25.9800", `{"a":[1]}`}),
			rapid.Map(text, batch.Text)).Draw(t, "value")
	})
	change := rapid.Custom(func(t *rapid.T) batch.Change {
		return batch.Change{Field: text.Draw(t, "field"), Before: value.Draw(t, "before"), After: value.Draw(t, "after")}
	})
	o := batch.Outcome{
		Kind: rapid.SampledFrom(append(batch.Kinds(), "of_a_later_version")).Draw(t, "kind"), Key: text.Draw(t, "key"), ID: text.Draw(t, "id"),
		Action: text.Draw(t, "action"), Created: text.Draw(t, "created"), Currency: text.Draw(t, "currency"),
		HTTP: rapid.IntRange(0, 599).Draw(t, "http"), Code: text.Draw(t, "code"), Error: text.Draw(t, "error"),
		Sends: rapid.IntRange(0, 9).Draw(t, "sends"), Lost: rapid.Bool().Draw(t, "lost"), Futile: rapid.Bool().Draw(t, "futile"), Requests: rapid.IntRange(0, 99).Draw(t, "requests"),
		Millis: rapid.Int64().Draw(t, "millis"), Customer: text.Draw(t, "customer"), Status: text.Draw(t, "status"),
		Balance: text.Draw(t, "balance"), Billing: text.Draw(t, "billing"),
	}
	if rapid.Bool().Draw(t, "changes") {
		o.Changes = rapid.SliceOfN(change, 1, 3).Draw(t, "list")
	}
	if rapid.Bool().Draw(t, "timed") {
		o.At = time.UnixMilli(rapid.Int64Range(0, 4e12).Draw(t, "at")).UTC()
	}
	if rapid.Bool().Draw(t, "stands") {
		o.Standing = &batch.Standing{Balance: text.Draw(t, "owes"), Parent: rapid.Bool().Draw(t, "parent")}
	}
	return o
}

// What the index tells of a row is what stands in its record, whatever stands there.
func TestRecordsComeBack(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		d, rows := &disk{}, rapid.IntRange(1, 6).Draw(rt, "rows")
		j, err := batch.NewJournal(d, batch.Head{Mode: batch.ModeRun, Rows: rows})
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
		_, err = batch.Scan(bytes.NewReader(d.data), func(_ int64, e *batch.Entry) error {
			if e.Kind == "intent" {
				sent[e.Row] = e.Changes
			}
			if e.Kind != "done" {
				return nil
			}
			want := *e.Outcome
			if changes, left := sent[e.Row]; left && want.Kind.WasSent() {
				want.Changes = changes
			}
			got, err := x.Outcome(e.Row)
			if diff := cmp.Diff(want, got); diff != "" || err != nil {
				rt.Errorf("row %d: %v %s", e.Row, err, diff)
			}
			return nil
		})
		must(t, err)
	})
}

// A skimmed record differs from a scanned one in nothing that it tells.
func TestSkimmedRecords(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		d, rows := &disk{}, rapid.IntRange(1, 6).Draw(rt, "rows")
		j, err := batch.NewJournal(d, batch.Head{Mode: batch.ModeRun, Rows: rows})
		must(t, err)
		for n := range rows {
			o := anyOutcome(rt)
			if rapid.Bool().Draw(rt, "sent") {
				must(t, j.Intent(n, batch.Found{Record: batch.Record{ID: "1", Body: []byte(`"` + strings.Repeat("x", rapid.SampledFrom([]int{0, 1 << 17}).Draw(rt, "length")) + `"`)}}, o.Changes))
			}
			must(t, j.Done(n, o))
		}
		must(t, j.End(batch.End{Reads: 3}))
		cut := rapid.IntRange(len(d.data)/2, len(d.data)).Draw(rt, "cut")
		data := bytes.Clone(d.data[:cut])
		if flip := rapid.IntRange(0, 2*cut).Draw(rt, "flip"); flip < cut {
			data[flip] ^= 1
		}
		if diff := cmp.Diff(told(batch.Scan, data), told(batch.Skim, data)); diff != "" {
			rt.Error(diff)
		}
	})
}

// told is what a reading of a journal tells of all its records.
func told(read func(io.Reader, func(int64, *batch.Entry) error) (int64, error), data []byte) (all []string) {
	sound, err := read(bytes.NewReader(data), func(offset int64, e *batch.Entry) error {
		text := fmt.Sprintln(offset, e.Seq, e.Kind, e.Durable, e.Row, e.Run != nil, e.End != nil)
		if e.Outcome != nil {
			text += fmt.Sprintln(e.Outcome.Kind, e.Outcome.Lost, e.Outcome.Futile)
		}
		all = append(all, text)
		return nil
	})
	return append(all, fmt.Sprintln(sound, err))
}
