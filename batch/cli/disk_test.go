package cli_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"sync"
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
// report put together as in a command, but without one: commands know no disk but the
// real one.
type diskTrial struct {
	t       *testing.T
	reports string
	box     *sandbox.Sandbox
	workers int
	stopAt  int // rows after which the run is stopped; 0: it is not
}

const diskRows = 3

// smallSeed is the samples' first customers, which are all Active.
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

// id is the one run's; "" where there is none, or its journal lacks even the first record.
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

// breaches checks the folder as it stands.
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

// everyOperation makes the attempt on disks that fail at each operation in turn, at it
// alone or from it on, until an operation is not reached.
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

// afterFault wants an error that ends a command with 15, no request after the fault,
// and a resume on a sound disk that carries the run to its end.
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

var errDisk = errors.New("the disk gave up")

// failingDisk is a disk whose n-th operation fails, counted from 1, and all after it
// when lasting. It does not really sync.
type failingDisk struct {
	runs.FS
	failAt  int
	lasting bool
	onFault func() // called at the first

	mu    sync.Mutex
	count int
}

func soundDisk() runs.FS { return &failingDisk{FS: runs.Disk(), failAt: -1} }

func (d *failingDisk) fault() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.count++
	if d.count == d.failAt {
		d.onFault()
		return errDisk
	}
	if d.lasting && d.count > d.failAt {
		return errDisk
	}
	return nil
}

func (d *failingDisk) reached() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.count >= d.failAt
}

func (d *failingDisk) try(operation func() error) error {
	if err := d.fault(); err != nil {
		return err
	}
	return operation()
}

func (d *failingDisk) MkdirAll(path string, perm fs.FileMode) error {
	return d.try(func() error { return d.FS.MkdirAll(path, perm) })
}

func (d *failingDisk) Mkdir(path string, perm fs.FileMode) error {
	return d.try(func() error { return d.FS.Mkdir(path, perm) })
}

func (d *failingDisk) Rename(from, to string) error {
	return d.try(func() error { return d.FS.Rename(from, to) })
}

func (d *failingDisk) Remove(path string) error {
	return d.try(func() error { return d.FS.Remove(path) })
}

func (d *failingDisk) RemoveAll(path string) error {
	return d.try(func() error { return d.FS.RemoveAll(path) })
}

func (d *failingDisk) SyncDir(string) error { return d.fault() }

func (d *failingDisk) ReadDir(path string) ([]fs.DirEntry, error) {
	if err := d.fault(); err != nil {
		return nil, err
	}
	return d.FS.ReadDir(path)
}

func (d *failingDisk) TryLock(path string) (func() error, bool, error) {
	if err := d.fault(); err != nil {
		return func() error { return nil }, false, err
	}
	return d.FS.TryLock(path)
}

func (d *failingDisk) TryShare(path string) (func() error, bool, error) {
	if err := d.fault(); err != nil {
		return func() error { return nil }, false, err
	}
	return d.FS.TryShare(path)
}

func (d *failingDisk) Locked(path string) (bool, error) {
	if err := d.fault(); err != nil {
		return false, err
	}
	return d.FS.Locked(path)
}

func (d *failingDisk) OpenFile(path string, flag int, perm fs.FileMode) (runs.File, error) {
	return d.open(func() (runs.File, error) { return d.FS.OpenFile(path, flag, perm) })
}

func (d *failingDisk) CreateTemp(dir, pattern string) (runs.File, error) {
	return d.open(func() (runs.File, error) { return d.FS.CreateTemp(dir, pattern) })
}

func (d *failingDisk) open(do func() (runs.File, error)) (runs.File, error) {
	if err := d.fault(); err != nil {
		return nil, err
	}
	f, err := do()
	if err != nil {
		return nil, err
	}
	return &failingFile{f, d}, nil
}

type failingFile struct {
	runs.File
	disk *failingDisk
}

// Write leaves half of the bytes behind, as a full disk does.
func (f *failingFile) Write(p []byte) (int, error) {
	if err := f.disk.fault(); err != nil {
		n, _ := f.File.Write(p[:len(p)/2])
		return n, err
	}
	return f.File.Write(p)
}

func (f *failingFile) Read(p []byte) (int, error) {
	if err := f.disk.fault(); err != nil {
		return 0, err
	}
	return f.File.Read(p)
}

func (f *failingFile) ReadAt(p []byte, off int64) (int, error) {
	if err := f.disk.fault(); err != nil {
		return 0, err
	}
	return f.File.ReadAt(p, off)
}

func (f *failingFile) Truncate(size int64) error {
	return f.disk.try(func() error { return f.File.Truncate(size) })
}

func (f *failingFile) Stat() (fs.FileInfo, error) {
	if err := f.disk.fault(); err != nil {
		return nil, err
	}
	return f.File.Stat()
}

func (f *failingFile) Sync() error { return f.disk.fault() }

func (f *failingFile) Close() error { return errors.Join(f.disk.fault(), f.File.Close()) }

// TestAFullDisk runs the program where no file may grow beyond a size, for sizes from
// nothing up to what the run takes. It ends with 15, and a resume on a disk with room
// carries the run to its end.
func TestAFullDisk(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("a shell sets the limit")
	}
	file, err := csvOf([][]string{{"id", "firstName"}, {"987001", "New1"}, {"987002", "New2"}, {"987003", "New3"}, {"987004", "New4"}})
	if err != nil {
		t.Fatal(err)
	}
	full, sound := 0, 0
	for blocks := 0; sound < 2 && !t.Failed(); blocks += 2 {
		if blocks > 200 {
			t.Fatal("the run never fits")
		}
		f := newFullDisk(t, file)
		switch code := f.run(blocks); code {
		case exitFiles:
			full++
		case exitDone:
			sound++
		default:
			t.Errorf("%d blocks: exit %d\n%s", blocks, code, f.printed)
		}
		f.goOn(blocks)
	}
	if full < 5 {
		t.Errorf("only %d runs had a full disk", full)
	}
	t.Logf("%d runs on a full disk", full)
}

type fullDisk struct {
	t       *testing.T
	dir     string
	server  *killServer
	printed []byte
}

func newFullDisk(t *testing.T, file []byte) *fullDisk {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "edits.csv"), file, 0o600); err != nil {
		t.Fatal(err)
	}
	return &fullDisk{t: t, dir: dir, server: startKillServer(t, filepath.Join(dir, "box"), filepath.Join(dir, "reports"))}
}

// run runs the update with a limit of so many blocks a file, of 512 or 1,024 bytes, whichever the shell counts in.
func (f *fullDisk) run(blocks int) int {
	return f.command("sh", "-c", fmt.Sprintf(`ulimit -f %d && exec "$0" "$@"`, blocks), "rowbatch", "update", "edits.csv", "--timeout", "500ms")
}

func (f *fullDisk) command(name string, args ...string) int {
	f.server.nextProcess(killPoint{})
	c := exec.Command(name, args...)
	c.Dir, c.Env = f.dir, f.server.environment()
	var err error
	f.printed, err = c.CombinedOutput()
	return exitCode(f.t, c, err)
}

// goOn resumes the run, if it has begun, and starts it anew otherwise.
func (f *fullDisk) goOn(blocks int) {
	all, err := runs.List(runs.Disk(), f.server.reports)
	if err != nil {
		f.t.Fatal(err)
	}
	command := []string{"update", "edits.csv"}
	began := len(all) > 0 && all[0].Damage == nil
	if began {
		command = []string{"resume", all[0].ID, "--timeout", "500ms"}
	} else if f.server.total > 0 {
		f.t.Errorf("%d blocks: no journal, and %d requests", blocks, f.server.total)
	}
	if code := f.command("rowbatch", command...); code != exitDone {
		f.t.Errorf("%d blocks: then %v ended with %d\n%s", blocks, command, code, f.printed)
		return
	}
	for _, b := range f.breaches() {
		f.t.Errorf("%d blocks: %s", blocks, b)
	}
}

func (f *fullDisk) breaches() []string {
	all, err := runs.List(runs.Disk(), f.server.reports)
	if err != nil || len(all) == 0 {
		f.t.Fatal(all, err)
	}
	d, err := runs.Open(runs.Disk(), f.server.reports, all[0].ID)
	if err != nil {
		f.t.Fatal(err)
	}
	run, err := invariants.Read(d)
	if err != nil {
		f.t.Fatal(err)
	}
	ledger, err := invariants.ReadLedger(f.server.dir)
	if err != nil {
		f.t.Fatal(err)
	}
	found, err := invariants.Case{Run: run, Ledger: ledger, Reported: true, Ended: true}.Breaches()
	if err != nil {
		f.t.Fatal(err)
	}
	return append(found, f.server.breaches...)
}
