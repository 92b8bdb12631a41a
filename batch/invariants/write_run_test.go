package invariants_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rowbatch/batch"
	"rowbatch/batch/invariants"
	"rowbatch/batch/journal"
	"rowbatch/batch/runs"
	"rowbatch/client/sandbox"
	"rowbatch/reports"
)

// runWriter writes the journal of a run and the ledger beside it, record by record,
// and so can write what the program itself never would.
type runWriter struct {
	head    journal.Head
	rows    int
	journal bytes.Buffer
	ledger  invariants.Ledger
	now     time.Time
	seq     int64
	durable func(size int64) int64 // what a record claims to be on disk; nil: all before it
}

func newRunWriter(rows int) *runWriter {
	s := &runWriter{rows: rows, now: time.Date(2026, 11, 20, 21, 52, 0, 0, time.UTC)}
	s.head = journal.Head{Format: journal.Format, ID: "x", Mode: journal.ModeRun, Action: "run", Source: journal.Source{Delimiter: ","}, Rows: rows}
	return s
}

func (s *runWriter) write(e journal.Entry) {
	if s.seq == 0 && e.Run == nil {
		s.write(journal.Entry{Kind: "run", Row: -1, Run: &s.head})
	}
	s.seq++
	e.Seq, e.Durable = s.seq, int64(s.journal.Len())
	if s.durable != nil {
		e.Durable = s.durable(e.Durable)
	}
	line, err := json.Marshal(e)
	if err != nil {
		panic(err)
	}
	fmt.Fprintf(&s.journal, "%s\t%08x\n", line, crc32.Checksum(line, crc32.MakeTable(crc32.Castagnoli)))
}

func (s *runWriter) tick() time.Time {
	s.now = s.now.Add(time.Second)
	return s.now
}

// intent records that a write is about to leave. A change is field=before>after in raw JSON.
func (s *runWriter) intent(row int, act, id, body string, changes ...string) {
	found := batch.Found{Record: batch.Record{ID: id}, Key: "id=" + id, Act: act, Body: json.RawMessage(body)}
	if act == "patch" {
		found.Key = "customer_id=" + id
	}
	s.write(journal.Entry{Kind: "intent", Row: row, At: s.tick(), Found: &found, Changes: changesOf(changes)})
}

func changesOf(texts []string) (all []batch.Change) {
	for _, c := range texts {
		field, values, _ := strings.Cut(c, "=")
		before, after, _ := strings.Cut(values, ">")
		all = append(all, batch.Change{Field: field, Before: batch.Value(before), After: batch.Value(after)})
	}
	return all
}

func (s *runWriter) effect(kind, id, before, after string) {
	s.ledger.Effects = append(s.ledger.Effects, sandbox.Effect{Seq: int64(len(s.ledger.Effects) + 1), At: s.tick(), Kind: kind, ID: id,
		Before: json.RawMessage(before), After: json.RawMessage(after)})
}

func (s *runWriter) done(row int, o batch.Outcome) {
	o.At = s.tick()
	s.write(journal.Entry{Kind: "done", Row: row, Outcome: &o})
}

// as is an outcome of a customer.
func as(kind batch.Kind, code, id string, sends int) batch.Outcome {
	return batch.Outcome{Kind: kind, Code: code, ID: id, Key: "id=" + id, Sends: sends, Requests: 2 * sends}
}

// run puts all into a folder and reads it. Row n stands in line n+2.
func (s *runWriter) run(t *testing.T) *invariants.Run {
	t.Helper()
	if s.seq == 0 {
		s.write(journal.Entry{Kind: "run", Row: -1, Run: &s.head})
	}
	d, err := runs.Create(runs.Disk(), t.TempDir(), s.now, "run", "x.csv")
	must(t, err)
	w, err := d.Rows(runs.RowsName, []string{"action", "id", "note"})
	must(t, err)
	for n := range s.rows {
		must(t, w.Append(runs.Row{Line: n + 2, Cells: []string{"update", fmt.Sprint(n), "=1+1"}}))
	}
	must(t, errors.Join(w.Close(), os.WriteFile(d.Path("journal"), s.journal.Bytes(), 0o600)))
	r, err := invariants.Read(d)
	must(t, err)
	return r
}

// report writes the run's report files, and reads the folder again.
func report(t *testing.T, r *invariants.Run) *invariants.Run {
	t.Helper()
	_, err := reports.Write(r.Dir, reports.Options{Escape: func(cell string) string {
		if strings.HasPrefix(cell, "=") {
			return "'" + cell
		}
		return cell
	}})
	must(t, err)
	r, err = invariants.Read(r.Dir)
	must(t, err)
	return r
}

func breaches(t *testing.T, c invariants.Case) []string {
	t.Helper()
	all, err := c.Breaches()
	must(t, err)
	return all
}

// wants compares breaches with what they begin with.
func wants(t *testing.T, got []string, want ...string) {
	t.Helper()
	for i := range got {
		if i < len(want) && strings.HasPrefix(got[i], want[i]) {
			got[i] = want[i]
		}
	}
	if diff := cmp.Diff(want, got); diff != "" && len(want)+len(got) > 0 {
		t.Errorf("breaches (-want +got):\n%s", diff)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
