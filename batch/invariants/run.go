package invariants

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"slices"
	"strings"

	"rowbatch/batch"
	"rowbatch/batch/journal"
	"rowbatch/batch/runs"
)

// Run is a run's folder as it stands at one moment.
type Run struct {
	Dir      *runs.Dir
	Head     journal.Head
	End      *journal.End // nil: the run goes on, or was killed
	Heading  []string
	Rows     []runs.Row
	Outcomes []batch.Outcome // of each row, as the journal tells them

	journal []byte // its sound part
	records []record
	byRow   [][]*record // of each row, in the journal's order
}

// record is an intent or an outcome.
type record struct {
	*journal.Entry
	end      int64 // bytes of the journal up to and with this record
	customer string
	effects  []*effect // of an intent
}

func (r *record) isIntent() bool { return r.Kind == "intent" }

// Read reads the folder of a run. No process may be writing to it.
func Read(d *runs.Dir) (*Run, error) {
	r := &Run{Dir: d}
	if err := errors.Join(r.readRows(), r.readJournal()); err != nil {
		return nil, err
	}
	if len(r.Rows) != r.Head.Rows {
		return nil, fmt.Errorf("%s: %d rows, and the journal speaks of %d", d.Path(runs.RowsName), len(r.Rows), r.Head.Rows)
	}
	return r, r.readOutcomes()
}

func (r *Run) readRows() error {
	in, err := r.Dir.ReadRows()
	if err != nil {
		return err
	}
	defer in.Close()
	r.Heading = in.Heading()
	for {
		row, err := in.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		r.Rows = append(r.Rows, row)
	}
}

func (r *Run) readJournal() error {
	text, err := os.ReadFile(r.Dir.Path("journal"))
	if err != nil {
		return err
	}
	sound, offset, seq := len(text), 0, int64(0)
	for line := range bytes.SplitAfterSeq(text, []byte("\n")) {
		at := offset
		offset += len(line)
		switch e := entryOf(line); {
		case sound < at || e == nil || e.Seq != seq+1: // a torn end, unless somebody knew it to be on disk
			sound = min(sound, at)
			if e != nil && e.Durable > int64(sound) {
				return fmt.Errorf("%s: damaged at byte %d", r.Dir.Path("journal"), sound)
			}
		default:
			seq++
			if e.Run != nil {
				r.Head, r.byRow = *e.Run, make([][]*record, e.Run.Rows)
			}
			if e.Kind == "intent" || e.Kind == "done" {
				r.records = append(r.records, record{Entry: e, end: int64(offset)})
			}
		}
	}
	r.journal = text[:sound]
	for i, rec := range r.records {
		if rec.Row < 0 || rec.Row >= len(r.byRow) {
			return fmt.Errorf("%s: a record of row %d", r.Dir.Path("journal"), rec.Row)
		}
		r.byRow[rec.Row] = append(r.byRow[rec.Row], &r.records[i])
	}
	return nil
}

// entryOf reads a line of the journal by itself, as its layout is written down;
// nil when it is not sound.
func entryOf(line []byte) *journal.Entry {
	tab := bytes.LastIndexByte(line, '\t')
	if tab < 0 || string(line[tab:]) != fmt.Sprintf("\t%08x\n", crc32.Checksum(line[:tab], crc32.MakeTable(crc32.Castagnoli))) {
		return nil
	}
	var e journal.Entry
	if json.Unmarshal(line[:tab], &e) != nil {
		return nil
	}
	return &e
}

// readOutcomes takes them from the journal's index, whose reading it holds against its own.
func (r *Run) readOutcomes() error {
	x, err := journal.Load(bytes.NewReader(r.journal), int64(len(r.journal)))
	if err != nil {
		return err
	}
	r.End = x.End
	for n := range r.Rows {
		o, err := x.Outcome(n)
		if err != nil {
			return err
		}
		kind, code := batch.NotAttempted, "stopped"
		if all := r.byRow[n]; len(all) > 0 && all[len(all)-1].isIntent() {
			if kind, code = batch.InDoubt, "no_answer"; all[len(all)-1].Found.Act == "patch" {
				code = "cannot_read_back"
			}
		} else if len(all) > 0 {
			kind, code = all[len(all)-1].Outcome.Kind, all[len(all)-1].Outcome.Code
		}
		if o.Kind != kind || o.Code != code {
			return fmt.Errorf("%s: row %d ends as %s %s, and the journal's index has it as %s %s",
				r.Dir.Path("journal"), n, kind, code, o.Kind, o.Code)
		}
		r.Outcomes = append(r.Outcomes, o)
	}
	return nil
}

// Complete reports whether every row has its last word.
func (r *Run) Complete() bool {
	return !slices.ContainsFunc(r.Outcomes, func(o batch.Outcome) bool { return !o.Kind.Settled() })
}

// lastIntent is a row's last write, nil when none left.
func (r *Run) lastIntent(n int) *record {
	for _, rec := range slices.Backward(r.byRow[n]) {
		if rec.isIntent() {
			return rec
		}
	}
	return nil
}

// line names a row as a person finds it.
func (r *Run) line(n int) string { return fmt.Sprintf("line %d", r.Rows[n].Line) }

// cell is what a row has under a heading, "" for nothing.
func (r *Run) cell(n int, heading string) string {
	at := slices.IndexFunc(r.Heading, func(h string) bool { return strings.EqualFold(strings.TrimSpace(h), heading) })
	if at < 0 || at >= len(r.Rows[n].Cells) {
		return ""
	}
	return r.Rows[n].Cells[at]
}
