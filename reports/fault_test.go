package reports

import (
	"bytes"
	"encoding/csv"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"rowbatch/batch"
	"rowbatch/batch/runs"
)

var errFault = errors.New("the disk gave up")

// faulty is a disk whose n-th operation fails, counted from 1, as do all after it
// when lasting. Syncs cost nothing.
type faulty struct {
	runs.FS
	failAt, count int
	lasting       bool
}

func (f *faulty) fault() error {
	f.count++
	if f.count == f.failAt || f.lasting && f.failAt > 0 && f.count > f.failAt {
		return errFault
	}
	return nil
}

func (f *faulty) try(operation func() error) error {
	if err := f.fault(); err != nil {
		return err
	}
	return operation()
}

func (f *faulty) MkdirAll(path string, perm fs.FileMode) error {
	return f.try(func() error { return f.FS.MkdirAll(path, perm) })
}

func (f *faulty) Mkdir(path string, perm fs.FileMode) error {
	return f.try(func() error { return f.FS.Mkdir(path, perm) })
}

func (f *faulty) Rename(from, to string) error {
	return f.try(func() error { return f.FS.Rename(from, to) })
}

func (f *faulty) Remove(path string) error {
	return f.try(func() error { return f.FS.Remove(path) })
}

func (f *faulty) RemoveAll(path string) error {
	return f.try(func() error { return f.FS.RemoveAll(path) })
}

func (f *faulty) SyncDir(string) error { return f.fault() }

func (f *faulty) OpenFile(path string, flag int, perm fs.FileMode) (runs.File, error) {
	return f.file(func() (runs.File, error) { return f.FS.OpenFile(path, flag, perm) })
}

func (f *faulty) CreateTemp(dir, pattern string) (runs.File, error) {
	return f.file(func() (runs.File, error) { return f.FS.CreateTemp(dir, pattern) })
}

func (f *faulty) file(open func() (runs.File, error)) (runs.File, error) {
	if err := f.fault(); err != nil {
		return nil, err
	}
	file, err := open()
	if err != nil {
		return nil, err
	}
	return &faultyFile{file, f}, nil
}

type faultyFile struct {
	runs.File
	disk *faulty
}

func (f *faultyFile) Write(p []byte) (int, error) {
	if err := f.disk.fault(); err != nil {
		n, _ := f.File.Write(p[:len(p)/2]) // as a full disk does
		return n, err
	}
	return f.File.Write(p)
}

func (f *faultyFile) Read(p []byte) (int, error) {
	if err := f.disk.fault(); err != nil {
		return 0, err
	}
	return f.File.Read(p)
}

func (f *faultyFile) ReadAt(p []byte, off int64) (int, error) {
	if err := f.disk.fault(); err != nil {
		return 0, err
	}
	return f.File.ReadAt(p, off)
}

func (f *faultyFile) Stat() (fs.FileInfo, error) {
	if err := f.disk.fault(); err != nil {
		return nil, err
	}
	return f.File.Stat()
}

func (f *faultyFile) Sync() error { return f.disk.fault() }

func (f *faultyFile) Close() error { return errors.Join(f.disk.fault(), f.File.Close()) }

// A run whose n-th file operation fails ends in an error or in all its files, and
// what is there under a report's name is the whole report.
func TestEveryFileOperationFails(t *testing.T) {
	t.Parallel()
	sound := run(t, mixed())
	write(t, sound)
	want := read(t, sound, "report.csv")
	for _, lasting := range []bool{false, true} {
		root := t.TempDir()
		for failAt := 1; ; failAt++ {
			disk := &faulty{FS: runs.Disk(), failAt: failAt, lasting: lasting}
			d, err := play(disk, filepath.Join(root, strconv.Itoa(failAt)), mixed())
			if err == nil {
				_, err = Write(d, Options{Escape: escape})
			}
			if disk.count < failAt {
				break
			}
			if failAt > 1000 {
				t.Fatal("no end of operations")
			}
			if err != nil && !errors.Is(err, errFault) {
				t.Errorf("operation %d: %v", failAt, err)
			}
			checkReport(t, d, err, want)
		}
	}
}

func checkReport(t *testing.T, d *runs.Dir, err error, want string) {
	t.Helper()
	if d == nil {
		return
	}
	got, rerr := os.ReadFile(d.Path("report.csv"))
	if err == nil || rerr == nil {
		if string(got) != want {
			t.Errorf("after %v: %q %v", err, got, rerr)
		}
	}
	isRun := false
	if _, oerr := runs.Open(runs.Disk(), filepath.Dir(d.Path()), d.ID()); oerr == nil {
		isRun = true
	}
	var unwritten *runs.WriteError
	if !isRun && !errors.As(err, &unwritten) {
		t.Errorf("there is no run, and no word of it: %v", err)
	}
}

// Wherever the journal is torn, every row stands in the report once: as recorded,
// or in doubt if its intent is there, or as not attempted.
func TestTornJournal(t *testing.T) {
	t.Parallel()
	disk := &faulty{FS: runs.Disk()}
	d, err := play(disk, t.TempDir(), mixed())
	if err != nil {
		t.Fatal(err)
	}
	journal := []byte(read(t, d, "journal"))
	head := bytes.IndexByte(journal, '\n') + 1
	for cut := len(journal); cut >= 0; cut-- {
		if err := os.Truncate(d.Path("journal"), int64(cut)); err != nil {
			t.Fatal(err)
		}
		s, err := Write(d, Options{Escape: escape})
		if cut < head {
			if err == nil {
				t.Fatalf("cut at %d: a journal without its head made a report", cut)
			}
			continue
		}
		if err != nil {
			t.Fatalf("cut at %d: %v", cut, err)
		}
		outcomes := outcomesOf(t, d, s)
		for n, r := range mixed().rows {
			if want := known(journal[:cut], n, r); outcomes[n] != want {
				t.Errorf("cut at %d: row %d is %s, want %s", cut, n, outcomes[n], want)
			}
		}
	}
}

// known is what the whole records in a journal tell of a row.
func known(journal []byte, n int, r row) batch.Kind {
	intent, done := false, false
	for _, line := range bytes.SplitAfter(journal, []byte("\n")) {
		whole := bytes.HasSuffix(line, []byte("\n"))
		about := bytes.Contains(line, []byte(`"r":`+string(rune('0'+n))+`,`))
		intent = intent || whole && about && bytes.Contains(line, []byte(`"k":"intent"`))
		done = done || whole && about && bytes.Contains(line, []byte(`"k":"done"`))
	}
	switch {
	case done:
		return r.done.Kind
	case intent:
		return batch.InDoubt
	}
	return batch.NotAttempted
}

func outcomesOf(t *testing.T, d *runs.Dir, s Summary) []batch.Kind {
	t.Helper()
	r := csv.NewReader(strings.NewReader(read(t, d, "report.csv")))
	r.Comma, r.FieldsPerRecord = ';', -1
	lines, err := r.ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var outcomes []batch.Kind
	counts := map[string]int{}
	for _, line := range lines[1:] {
		outcomes = append(outcomes, batch.Kind(line[0]))
		counts[line[0]]++
	}
	for kind, n := range s.Outcomes {
		if got := counts[string(kind)]; got != n {
			t.Errorf("%d rows are %s, and the summary says %d", got, kind, n)
		}
	}
	if len(outcomes) != s.Rows {
		t.Errorf("%d lines for %d rows", len(outcomes), s.Rows)
	}
	return outcomes
}
