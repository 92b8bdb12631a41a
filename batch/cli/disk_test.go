package cli_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/tidwall/gjson"

	"rowbatch/batch"
	"rowbatch/batch/action"
	"rowbatch/batch/invariants"
	"rowbatch/batch/journal"
	"rowbatch/batch/runs"
	"rowbatch/client"
	"rowbatch/client/governor"
	"rowbatch/client/sandbox"
	"rowbatch/mapping/csvfile"
	"rowbatch/reports"
	"rowbatch/samples"
)

// diskTrial is a small run on a disk that may fail: folder, journal, engine and
// report as the command line puts them together, without the command line, which
// knows no disk but the real one.
type diskTrial struct {
	t       *testing.T
	reports string
	box     *sandbox.Sandbox
	workers int
	stopAt  int // rows after which the run is stopped; 0: it is not
}

const diskRows = 3

// smallSeed is the seed's first customers, who are all Active.
func smallSeed() []byte {
	seed := []byte("[")
	for n, c := range gjson.ParseBytes(samples.Seed()).Array()[:diskRows] {
		if n > 0 {
			seed = append(seed, ',')
		}
		seed = append(seed, c.Raw...)
	}
	return append(seed, ']')
}

func newDiskTrial(t *testing.T, workers int) *diskTrial {
	t.Helper()
	box, err := sandbox.Open(sandbox.Options{Seed: smallSeed()})
	if err != nil {
		t.Fatal(err)
	}
	return &diskTrial{t: t, reports: filepath.Join(t.TempDir(), "reports"), box: box, workers: workers}
}

// begin is a run from its first operation to its report.
func (d *diskTrial) begin(on runs.FS) error {
	dir, err := runs.Create(on, d.reports, time.Now(), "update", "small.csv")
	if err != nil {
		return err
	}
	if err := copyIn(dir); err != nil {
		return errors.Join(err, dir.Discard())
	}
	release, err := dir.Lock()
	if err != nil {
		return errors.Join(err, dir.Discard())
	}
	j, err := dir.CreateJournal(journal.Head{ID: dir.ID(), Mode: journal.ModeRun, Action: "update", Source: journal.Source{File: "small.csv", Delimiter: ","}, Rows: diskRows, Started: time.Now()})
	if err != nil {
		return errors.Join(err, release(), dir.Discard())
	}
	return errors.Join(d.run(dir, j, d.items), release())
}

func copyIn(dir *runs.Dir) error {
	w, err := dir.Rows(runs.RowsName, []string{"id", "firstName"})
	if err != nil {
		return err
	}
	for n := range diskRows {
		if err := w.Append(runs.Row{Line: n + 2, Cells: []string{strconv.Itoa(firstID + n), "New" + strconv.Itoa(n)}}); err != nil {
			return errors.Join(err, w.Close())
		}
	}
	return w.Close()
}

// resume goes on with the run in its folder; nil when there is no run.
func (d *diskTrial) resume(on runs.FS) error {
	id := d.id()
	dir, err := runs.Open(on, d.reports, id)
	if err != nil {
		return err
	}
	release, err := dir.Lock()
	if err != nil {
		return err
	}
	past, err := dir.OpenJournal()
	if err != nil {
		return errors.Join(err, release())
	}
	j, err := dir.ContinueJournal()
	if err != nil {
		return errors.Join(err, past.Close(), release())
	}
	left := func(a batch.Action) batch.Source {
		return journal.Resumed(d.items(a), past.Index, journal.ResumeOptions{Again: func(batch.Outcome) bool { return false }})
	}
	return errors.Join(d.run(dir, j, left), past.Close(), release())
}

// id is that of the one run there is; "" for none, or one whose journal has not
// even its first record.
func (d *diskTrial) id() string {
	journals, err := filepath.Glob(filepath.Join(d.reports, "*", "journal"))
	if err != nil || len(journals) > 1 {
		d.t.Fatal(journals, err)
	}
	if len(journals) == 0 {
		return ""
	}
	text, err := os.ReadFile(journals[0])
	if err != nil {
		d.t.Fatal(err)
	}
	if !bytes.Contains(text, []byte("\n")) {
		return ""
	}
	return filepath.Base(filepath.Dir(journals[0]))
}

func (d *diskTrial) items(a batch.Action) batch.Source {
	return func(yield func(*batch.Item, error) bool) {
		for n := range diskRows {
			id := strconv.Itoa(firstID + n)
			edit := batch.Edit{Field: "firstName", Want: batch.Text("New" + strconv.Itoa(n))}
			if !yield(&batch.Item{N: n, Lane: "fb:" + id, Key: "id=" + id, ID: id, Action: a, Edits: []batch.Edit{edit}}, nil) {
				return
			}
		}
	}
}

// run carries the rows out and writes the report.
func (d *diskTrial) run(dir *runs.Dir, j *journal.Writer, source func(batch.Action) batch.Source) error {
	limits := governor.New(governor.Limits{})
	fusebill, err := client.NewFusebill(client.Options{BaseURL: "http://localhost/v1", Key: "MDpzYW5kYm94", Timeout: time.Second, Transport: d.box.Transport(), Governor: limits})
	if err != nil {
		d.t.Fatal(err)
	}
	update := action.NewUpdate(action.Services{Fusebill: action.Fusebill{Client: fusebill, Governor: limits}, Codes: action.NewTrackingCodes()})
	stop, halt := context.WithCancelCause(context.Background())
	defer halt(nil)
	ended := 0
	e := &batch.Engine{
		Options: batch.Options{Workers: map[string]int{update.System(): d.workers}, Send: true, Settle: time.Millisecond,
			Tries: 2, Waits: client.Patience{First: time.Millisecond, Most: time.Millisecond}.Waits, Fresh: time.Minute},
		Stops: batch.Stops{Stop: stop, Abort: context.Background(), Halt: halt}, Journal: j,
		Emit: func(*batch.Item, batch.Outcome) {
			if ended++; ended == d.stopAt {
				halt(context.Canceled)
			}
		},
	}
	err = e.Run(source(update))
	err = errors.Join(err, j.End(journal.End{}))
	_, failed := reports.Write(dir, reports.Options{Escape: csvfile.Escape})
	return errors.Join(err, failed)
}

func (d *diskTrial) requests() int {
	n := d.box.Requests()
	return n.Reads + n.Writes
}

// breaches looks at the folder as it stands.
func (d *diskTrial) breaches(ended bool) []string {
	dir, err := runs.Open(runs.Disk(), d.reports, d.id())
	if err != nil {
		d.t.Fatal(err)
	}
	run, err := invariants.Read(dir)
	if err != nil {
		d.t.Fatal(err)
	}
	all, err := invariants.Case{Run: run, Ledger: &invariants.Ledger{Effects: d.box.Effects()}, Reported: ended, Ended: ended}.Breaches()
	if err != nil {
		d.t.Fatal(err)
	}
	return all
}

// everyOperation lets an attempt meet disks that fail at each operation in turn,
// alone or for good, until one is not reached.
func everyOperation(t *testing.T, workers int, lasting bool, prepare func(*diskTrial), attempt func(*diskTrial, runs.FS) error) {
	for failAt, reached := 1, true; reached && !t.Failed(); failAt++ {
		d := newDiskTrial(t, workers)
		prepare(d)
		asked := -1 // requests made when the disk failed
		disk := &failingDisk{FS: runs.Disk(), failAt: failAt, lasting: lasting, onFault: func() { asked = d.requests() }}
		err := attempt(d, disk)
		if reached = disk.reached(); !reached {
			t.Logf("%d operations", failAt-1)
			if err != nil {
				t.Errorf("on a sound disk: %v", err)
			}
		}
		d.afterFault(failAt, err, asked)
		if failAt > 500 {
			t.Fatal("no end of operations")
		}
	}
}

// afterFault wants an error that ends the command with 15, nothing sent after the
// fault, and a resume on a sound disk that carries the run to its end.
func (d *diskTrial) afterFault(failAt int, err error, asked int) {
	d.t.Helper()
	var journal *journal.WriteError
	var files *runs.WriteError
	known := errors.As(err, &journal) || errors.As(err, &files) || errors.Is(err, errDisk)
	if err != nil && !known {
		d.t.Errorf("operation %d: %v", failAt, err)
	}
	if err != nil && d.workers == 1 && d.requests() != asked {
		d.t.Errorf("operation %d: %d requests after the fault (%v)", failAt, d.requests()-asked, err)
	}
	if d.id() == "" {
		if d.requests() > 0 {
			d.t.Errorf("operation %d: requests, and no journal", failAt)
		}
		return
	}
	for _, b := range d.breaches(err == nil && d.stopAt == 0) {
		d.t.Errorf("operation %d, after the fault: %s", failAt, b)
	}
	d.stopAt = 0
	if err := d.resume(soundDisk()); err != nil {
		d.t.Errorf("operation %d: the resume: %v", failAt, err)
		return
	}
	for _, b := range d.breaches(true) {
		d.t.Errorf("operation %d, after the resume: %s", failAt, b)
	}
	if n := len(d.box.Effects()); n != diskRows {
		d.t.Errorf("operation %d: %d effects of %d rows", failAt, n, diskRows)
	}
}

func TestADiskThatFailsInARun(t *testing.T) {
	t.Parallel()
	nothing := func(*diskTrial) {}
	everyOperation(t, 1, false, nothing, (*diskTrial).begin)
	everyOperation(t, 1, true, nothing, (*diskTrial).begin)
	everyOperation(t, 4, true, nothing, (*diskTrial).begin)
}

func TestADiskThatFailsInAResume(t *testing.T) {
	t.Parallel()
	stopped := func(d *diskTrial) {
		d.stopAt = 1
		if err := d.begin(soundDisk()); err != nil {
			t.Fatal(err)
		}
		if sent := len(d.box.Effects()); sent != d.stopAt {
			t.Fatalf("%d rows were sent before the stop", sent)
		}
		// A journal that a crash has torn.
		f, err := os.OpenFile(filepath.Join(d.reports, d.id(), "journal"), os.O_APPEND|os.O_WRONLY, 0)
		if err == nil {
			_, err = f.WriteString(`{"s":9,"k":"int`)
		}
		if err = errors.Join(err, f.Close()); err != nil {
			t.Fatal(err)
		}
		d.stopAt = 0
	}
	everyOperation(t, 1, false, stopped, (*diskTrial).resume)
	everyOperation(t, 1, true, stopped, (*diskTrial).resume)
}
