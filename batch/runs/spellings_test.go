package runs

import (
	"errors"
	"os"
	"testing"
	"time"

	"rowbatch/batch"
	"rowbatch/batch/journal"
)

// Earlier runs of the same account tell what the server stored; others, plans and the
// run itself do not. Of a killed run all is read; one that can't be read is left out.
func TestReadSpellings(t *testing.T) {
	reports := t.TempDir()
	sent, stored := batch.Text("A@x"), batch.Text("a@x")
	add := func(id, mode, account string, end *journal.End) string {
		d, err := Create(Disk(), reports, time.Now(), "update", "x.csv")
		if err != nil {
			t.Fatal(err)
		}
		h := journal.Head{ID: d.ID(), Mode: mode, Target: journal.Target{Account: account}, Rows: 1}
		j, err := d.CreateJournal(h)
		if err != nil {
			t.Fatal(err)
		}
		change := batch.Change{Field: "primaryEmail", Before: "null", After: sent}
		err = j.Intent(0, batch.Found{Record: batch.Record{ID: id, Body: []byte(`{}`)}}, []batch.Change{change})
		change.Stored = stored
		err = errors.Join(err, j.Done(0, batch.Outcome{Kind: batch.Failed, Code: "not_applied", ID: id, Changes: []batch.Change{change}}))
		if end != nil {
			err = errors.Join(err, j.End(*end))
		} else {
			err = errors.Join(err, j.Flush())
		}
		if err != nil {
			t.Fatal(err)
		}
		return d.ID()
	}
	respelled := &journal.End{Respelled: true}
	add("1", journal.ModeRun, "host#key", respelled)
	add("2", journal.ModeApply, "other#key, host#key", nil)
	add("3", journal.ModeRun, "other#key", respelled)
	add("4", journal.ModeDryRun, "host#key", respelled)
	mine := add("5", journal.ModeRun, "host#key", respelled)
	add("6", journal.ModeRun, "host#key", &journal.End{}) // which says that there is nothing to read
	spoilt := add("7", journal.ModeRun, "host#key", respelled)
	if err := os.WriteFile(at(Disk(), reports+"/"+spoilt).Path(journalName), []byte("no journal"), 0o600); err != nil {
		t.Fatal(err)
	}
	s := ReadSpellings(Disk(), reports, "host#key", mine)
	for id, want := range map[string]bool{"1": true, "2": true, "3": false, "4": false, "5": false, "6": false, "7": false} {
		if got := s.Has(id, "primaryEmail", sent, stored); got != want {
			t.Errorf("customer %s: %v", id, got)
		}
	}
	if s.Has("1", "secondaryEmail", sent, stored) || s.Has("1", "primaryEmail", stored, sent) || s.Has("1", "primaryEmail", sent, "null") {
		t.Error("it knows of more than was seen")
	}
}
