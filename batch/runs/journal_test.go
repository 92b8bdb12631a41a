package runs

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"rowbatch/batch"
	"rowbatch/batch/journal"
)

// begun makes a run of three rows: the first has its outcome, the second an
// intent alone, the third nothing.
func begun(t testing.TB) *Dir {
	t.Helper()
	d := newDir(t)
	j, err := d.CreateJournal(journal.Head{ID: d.ID(), Mode: journal.ModeRun, Action: "update", Rows: 3, Started: start})
	if err != nil {
		t.Fatal(err)
	}
	err = errors.Join(
		j.Intent(0, batch.Found{Key: "id=1"}, nil),
		j.Done(0, batch.Outcome{Kind: batch.Changed, Key: "id=1"}),
		j.Intent(1, batch.Found{Key: "id=2"}, nil),
		j.End(journal.End{Exit: 5}))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func journalOf(t testing.TB, d *Dir) []byte {
	t.Helper()
	text, err := os.ReadFile(d.Path(journalName))
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func kindsOf(t *testing.T, d *Dir) []batch.Kind {
	t.Helper()
	j, err := d.OpenJournal()
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	var kinds []batch.Kind
	for n := range j.Head.Rows {
		o, err := j.Outcome(n)
		if err != nil {
			t.Fatal(err)
		}
		kinds = append(kinds, o.Kind)
	}
	return kinds
}

// Wherever a journal is torn, it goes on behind its last whole record.
func TestATornJournalGoesOn(t *testing.T) {
	whole := journalOf(t, begun(t))
	head := bytes.IndexByte(whole, '\n') + 1
	for cut := head; cut <= len(whole); cut++ {
		d := newDir(t)
		if err := os.WriteFile(d.Path(journalName), whole[:cut], 0o600); err != nil {
			t.Fatal(err)
		}
		j, err := d.ContinueJournal()
		if err != nil {
			t.Fatalf("cut at %d: %v", cut, err)
		}
		if err := errors.Join(j.Done(2, batch.Outcome{Kind: batch.Skipped}), j.End(journal.End{})); err != nil {
			t.Fatalf("cut at %d: %v", cut, err)
		}
		sound := whole[:bytes.LastIndexByte(whole[:cut], '\n')+1]
		if !bytes.HasPrefix(journalOf(t, d), sound) {
			t.Fatalf("cut at %d: records are lost", cut)
		}
		if kinds := kindsOf(t, d); kinds[2] != batch.Skipped {
			t.Fatalf("cut at %d: %v", cut, kinds)
		}
	}
}

func TestADamagedJournalIsLeftAlone(t *testing.T) {
	whole := journalOf(t, begun(t))
	second := bytes.IndexByte(whole, '\n') + 1
	wrong := bytes.Replace(whole[:second], []byte("update"), []byte("UPDATE"), 1)
	for name, text := range map[string][]byte{
		"flipped":     append(append(append([]byte{}, whole[:second+9]...), '!'), whole[second+10:]...),
		"no head":     append(wrong, whole[second:]...),
		"empty":       {},
		"torn head":   whole[:second-3],
		"not a thing": []byte("{}\n"),
	} {
		d := newDir(t)
		if err := os.WriteFile(d.Path(journalName), text, 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := d.ContinueJournal()
		var unwritten *WriteError
		if err == nil || errors.As(err, &unwritten) || !strings.Contains(err.Error(), d.Path(journalName)) || !strings.Contains(err.Error(), "try:") {
			t.Errorf("%s: %v", name, err)
		}
		var damage *journal.DamageError
		if !errors.As(err, &damage) {
			t.Errorf("%s: %v", name, err)
		}
		if !bytes.Equal(journalOf(t, d), text) {
			t.Errorf("%s: the file was changed", name)
		}
	}
}

// After any fault the next attempt still finds every record.
func TestAJournalGoesOnAfterAFault(t *testing.T) {
	sound := begun(t)
	whole := journalOf(t, sound)
	everyFault(t, func(t *testing.T, disk *faulty) {
		if err := os.WriteFile(sound.Path(journalName), append(whole, `{"s":6,"k":"do`...), 0o600); err != nil {
			t.Fatal(err)
		}
		j, err := at(disk, sound.path).ContinueJournal()
		if err == nil {
			err = errors.Join(j.Done(2, batch.Outcome{Kind: batch.Skipped}), j.End(journal.End{}))
		}
		if err == nil && !disk.reached() || errors.Is(err, errFault) {
			if j, err = sound.ContinueJournal(); err != nil {
				t.Fatalf("operation %d: %v", disk.failAt, err)
			}
			if err := j.End(journal.End{}); err != nil {
				t.Fatal(err)
			}
		} else {
			t.Errorf("operation %d: %v", disk.failAt, err)
		}
		if !bytes.HasPrefix(journalOf(t, sound), whole) {
			t.Errorf("operation %d: records are lost", disk.failAt)
		}
		if diff := cmp.Diff([]batch.Kind{batch.Changed, batch.InDoubt}, kindsOf(t, sound)[:2]); diff != "" {
			t.Errorf("operation %d: %s", disk.failAt, diff)
		}
	})
}

// What a killed process wrote and did not sync is on disk before it counts as such.
func TestAJournalIsSyncedBeforeItGoesOn(t *testing.T) {
	d := begun(t)
	disk := &syncs{FS: Disk()}
	j, err := at(disk, d.path).ContinueJournal()
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(disk.synced, " "); got != "journal folder" {
		t.Errorf("synced: %s", got)
	}
	if err := j.End(journal.End{}); err != nil {
		t.Error(err)
	}
}

// A journal that was removed takes every write, and nobody will ever read it.
func TestAJournalStaysInItsPlace(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("Windows removes no file that is open")
	}
	for what, remove := range map[string]func(d *Dir) error{
		"the folder":        func(d *Dir) error { return os.RemoveAll(d.path) },
		"the journal":       func(d *Dir) error { return os.Remove(d.Path(journalName)) },
		"moved":             func(d *Dir) error { return os.Rename(d.path, d.path+"-elsewhere") },
		"another's journal": func(d *Dir) error { return os.Rename(begun(t).Path(journalName), d.Path(journalName)) },
	} {
		for how, d := range map[string]*Dir{"begun": newDir(t), "gone on with": begun(t)} {
			writeRows(t, d, []string{"id"}, []Row{{Line: 2, Cells: []string{"17"}}})
			open := func() (*journal.Writer, error) { return d.CreateJournal(journal.Head{Rows: 1}) }
			if how != "begun" {
				open = d.ContinueJournal
			}
			if err := d.InPlace(); err != nil {
				t.Errorf("%s, %s: before: %v", what, how, err)
			}
			j, err := open()
			if err == nil {
				err = j.Intent(0, batch.Found{}, nil)
			}
			if err = errors.Join(err, d.InPlace()); err != nil {
				t.Fatalf("%s, %s: %v", what, how, err)
			}
			if err := remove(d); err != nil {
				t.Fatal(err)
			}
			_, reading := d.OpenAnyJournal()
			for _, err := range []error{d.InPlace(), j.Intent(0, batch.Found{}, nil), j.End(journal.End{}), reading} {
				if unwritten, is := errors.AsType[*WriteError](err); !is || !strings.Contains(unwritten.Try, "put the folder back") {
					t.Errorf("%s, %s: %v", what, how, err)
				}
				if err != nil && strings.Contains(err.Error(), "make room") {
					t.Errorf("%s, %s: wrong advice: %v", what, how, err)
				}
			}
		}
	}
}

type syncs struct {
	FS
	synced []string
}

type syncsFile struct {
	File
	disk *syncs
}

func (s *syncs) OpenFile(path string, flag int, perm fs.FileMode) (File, error) {
	f, err := s.FS.OpenFile(path, flag, perm)
	return &syncsFile{f, s}, err
}

func (s *syncs) SyncDir(path string) error {
	s.synced = append(s.synced, "folder")
	return s.FS.SyncDir(path)
}

func (f *syncsFile) Sync() error {
	f.disk.synced = append(f.disk.synced, filepath.Base(f.Name()))
	return f.File.Sync()
}

// A run and the one that it is of share no file.
func TestCopyRows(t *testing.T) {
	parent, d := newDir(t), newDir(t)
	rows := []Row{{N: 0, Line: 2, Cells: []string{"17", "Ada"}}, {N: 1, Line: 3, Cells: []string{"x"}, Ragged: true}}
	writeRows(t, parent, []string{"id", "Name"}, rows)
	if err := d.CopyRows(parent); err != nil {
		t.Fatal(err)
	}
	if d.vouched[RowsName] != parent.vouched[RowsName] {
		t.Errorf("%+v and %+v", d.vouched, parent.vouched)
	}
	_, got := readRows(t, d)
	if diff := cmp.Diff(rows, got); diff != "" {
		t.Error(diff)
	}
	mine, err1 := os.Stat(d.Path(RowsName))
	theirs, err2 := os.Stat(parent.Path(RowsName))
	if err := errors.Join(err1, err2); err != nil || os.SameFile(mine, theirs) {
		t.Errorf("one file: %v", err)
	}
	if err := d.CopyRows(parent); err == nil {
		t.Error("rows were put over others")
	}
	if err := d.Discard(); err != nil {
		t.Error(err)
	}
	if _, got := readRows(t, parent); len(got) != len(rows) {
		t.Error("the parent's rows are gone")
	}
}

// What has changed between the look at the parent's rows and the copy is noticed.
func TestCopyRowsThatHaveJustChanged(t *testing.T) {
	parent := newDir(t)
	writeRows(t, parent, []string{"id"}, []Row{{Line: 2, Cells: []string{"17"}}})
	text, err := os.ReadFile(parent.Path(RowsName))
	if err == nil {
		err = os.WriteFile(parent.Path(RowsName), bytes.Replace(text, []byte("17"), []byte("18"), 1), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	var changed *RowsError
	if err := newDir(t).CopyRows(parent); !errors.As(err, &changed) || changed.Path != parent.Path(RowsName) {
		t.Error(err)
	}
}

func TestCopyRowsThatAreGone(t *testing.T) {
	err := newDir(t).CopyRows(newDir(t))
	if !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), "try: restore") {
		t.Error(err)
	}
}

// After any fault the rows are there as a whole, or an error says that they are not.
func TestCopyRowsAfterAFault(t *testing.T) {
	parent := newDir(t)
	writeRows(t, parent, []string{"id"}, []Row{{Line: 2, Cells: []string{"17"}}})
	want, err := os.ReadFile(parent.Path(RowsName))
	if err != nil {
		t.Fatal(err)
	}
	everyFault(t, func(t *testing.T, disk *faulty) {
		d := newDir(t)
		d.fs = disk
		err := d.CopyRows(at(disk, parent.path))
		if err != nil && !errors.Is(err, errFault) {
			t.Errorf("operation %d: %v", disk.failAt, err)
		}
		got, rerr := os.ReadFile(d.Path(RowsName))
		if err == nil && !bytes.Equal(got, want) {
			t.Errorf("operation %d: %q %v", disk.failAt, got, rerr)
		}
		if rerr == nil && !bytes.Equal(got, want) && !disk.lasting {
			t.Errorf("operation %d left half of the rows behind: %q", disk.failAt, got)
		}
	})
}

// damages are what an editor, a disk or a mistake makes of a run's rows.
func damages(t *testing.T, text []byte) map[string]func(path string) error {
	t.Helper()
	lines := bytes.SplitAfter(text, []byte("\n"))
	write := func(parts ...[]byte) func(string) error {
		return func(path string) error { return os.WriteFile(path, bytes.Join(parts, nil), 0o600) }
	}
	if len(lines) != 5 { // the heading, three rows, and nothing behind the last line feed
		t.Fatalf("%q", lines)
	}
	other := newDir(t)
	writeRows(t, other, []string{"id", "Name"}, []Row{{Line: 2, Cells: []string{"1", "x"}}, {Line: 3, Cells: []string{"2", "y"}}, {Line: 4, Cells: []string{"3", "z"}}})
	theirs, err := os.ReadFile(other.Path(RowsName))
	if err != nil {
		t.Fatal(err)
	}
	return map[string]func(path string) error{
		"re-sorted":        write(lines[0], lines[2], lines[1], lines[3]),
		"edited":           write(bytes.Replace(text, []byte("Ada"), []byte("Eve"), 1)),
		"a row less":       write(lines[0], lines[1], lines[2]),
		"a row more":       write(text, lines[3]),
		"truncated":        write(text[:len(text)-3]),
		"empty":            write(),
		"missing":          os.Remove,
		"another run's":    write(theirs),
		"line ends edited": write(bytes.ReplaceAll(text, []byte("\n"), []byte("\r\n"))),
	}
}

// Nobody is given a journal whose rows are not those that it speaks of.
func TestAJournalIsOpenedOnlyWithItsRows(t *testing.T) {
	for name := range damages(t, []byte("h\n1\n2\n3\n")) {
		d := newDir(t)
		writeRows(t, d, []string{"id", "Name"}, []Row{{Line: 2, Cells: []string{"17", "Ada"}}, {Line: 3, Cells: []string{"18", "Bo"}}, {Line: 4, Cells: []string{"19", "Cy"}}})
		j, err := d.CreateJournal(journal.Head{Rows: 3})
		if err == nil {
			err = j.End(journal.End{})
		}
		if err != nil {
			t.Fatal(err)
		}
		again := at(Disk(), d.path)
		for _, open := range []func() (*Journal, error){again.OpenJournal, again.OpenAnyJournal} {
			if whole, err := open(); err != nil || whole.Close() != nil {
				t.Fatal(err)
			}
		}
		text, err := os.ReadFile(d.Path(RowsName))
		if err == nil {
			err = damages(t, text)[name](d.Path(RowsName))
		}
		if err != nil {
			t.Fatal(err)
		}
		for _, open := range []func() (*Journal, error){again.OpenJournal, again.OpenAnyJournal} {
			_, err := open()
			var changed *RowsError
			if !errors.As(err, &changed) || changed.Path != d.Path(RowsName) || !strings.Contains(err.Error(), "try:") {
				t.Errorf("%s: %v", name, err)
			}
		}
		if i := again.Info(); i.Damage != nil || i.Counts == nil {
			t.Errorf("%s: it is not listed any more: %+v", name, i)
		}
	}
}

// A journal has its name only when its head is on disk: until then the folder is no run.
func TestAFolderWithoutAHeadIsNoRun(t *testing.T) {
	everyFault(t, func(t *testing.T, disk *faulty) {
		d := newDir(t)
		d.fs = disk
		j, err := d.CreateJournal(journal.Head{Rows: 1})
		if err == nil {
			if err = j.End(journal.End{}); err != nil && !errors.Is(err, errFault) {
				t.Error(err)
			}
			return
		}
		var unwritten *WriteError
		if !errors.As(err, &unwritten) || !errors.Is(err, errFault) {
			t.Errorf("operation %d: %v", disk.failAt, err)
		}
		whole := at(Disk(), d.path)
		if isRun, err := whole.isRun(); err != nil || isRun && !disk.lasting {
			t.Errorf("operation %d: it is a run: %v %v", disk.failAt, isRun, err)
		}
		if i := whole.Info(); there(t, whole.Path(journalName)) && i.Damage != nil {
			t.Errorf("operation %d: %v", disk.failAt, i.Damage)
		}
	})
}
