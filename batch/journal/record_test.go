package journal

import (
	"bytes"
	"fmt"
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
		Planned: batch.Planned{Action: text.Draw(t, "action"), Created: text.Draw(t, "created"), Currency: text.Draw(t, "currency")},
		HTTP:    rapid.IntRange(0, 599).Draw(t, "http"), Code: text.Draw(t, "code"), Error: text.Draw(t, "error"),
		Sends: rapid.IntRange(0, 9).Draw(t, "sends"), Efforts: batch.Efforts{Lost: rapid.Bool().Draw(t, "lost"), Futile: rapid.Bool().Draw(t, "futile")}, Requests: rapid.IntRange(0, 99).Draw(t, "requests"),
		Millis: rapid.Int64().Draw(t, "millis"), Customer: text.Draw(t, "customer"), Status: text.Draw(t, "status"),
		Standing: batch.Standing{Balance: text.Draw(t, "balance"), NextBilling: text.Draw(t, "billing"),
			Recurring: text.Draw(t, "recurring"), Parent: rapid.Bool().Draw(t, "parent")},
	}
	if rapid.Bool().Draw(t, "changes") {
		o.Changes = rapid.SliceOfN(change, 1, 3).Draw(t, "list")
	}
	if rapid.Bool().Draw(t, "timed") {
		o.At = time.UnixMilli(rapid.Int64Range(0, 4e12).Draw(t, "at")).UTC()
	}
	return o
}

// A skimmed record differs from a decoded one in nothing that it tells.
func TestSkimmedRecords(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		d, rows := &disk{}, rapid.IntRange(1, 6).Draw(rt, "rows")
		j, err := Create(d, Head{Mode: ModeRun, Rows: rows})
		must(t, err)
		for n := range rows {
			o := anyOutcome(rt)
			if rapid.Bool().Draw(rt, "sent") {
				must(t, j.Intent(n, batch.Found{Record: batch.Record{ID: "1", Body: []byte(`"` + strings.Repeat("x", rapid.SampledFrom([]int{0, 1 << 17}).Draw(rt, "length")) + `"`)}}, o.Changes))
			}
			must(t, j.Done(n, o))
		}
		must(t, j.End(End{Reads: 3}))
		cut := rapid.IntRange(len(d.data)/2, len(d.data)).Draw(rt, "cut")
		data := bytes.Clone(d.data[:cut])
		if flip := rapid.IntRange(0, 2*cut).Draw(rt, "flip"); flip < cut {
			data[flip] ^= 1
		}
		for line := range bytes.SplitAfterSeq(data, []byte("\n")) {
			if diff := cmp.Diff(told(decode(line)), told(skim(line))); diff != "" {
				rt.Error(diff)
			}
		}
	})
}

// told is what a skimmed record tells.
func told(e *Entry) string {
	if e == nil {
		return "nothing"
	}
	text := fmt.Sprintln(e.Seq, e.Kind, e.Durable, e.Row, e.Run != nil, e.End != nil)
	if e.Outcome != nil {
		text += fmt.Sprintln(e.Outcome.Kind, e.Outcome.Lost, e.Outcome.Futile)
	}
	return text
}
