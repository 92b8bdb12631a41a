package runs

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"rowbatch/batch"
	"rowbatch/batch/journal"
)

func TestID(t *testing.T) {
	for file, want := range map[string]string{
		"customers.csv":                      "customers",
		"-":                                  "stdin",
		"/srv/in/Q3 Clean-up (final).CSV":    "q3-clean-up-final",
		"..csv":                              "file",
		"名前.csv":                             "file",
		"--x--.tsv":                          "x",
		strings.Repeat("long", 20) + ".csv":  strings.Repeat("long", 10),
		strings.Repeat("x", 39) + " end.csv": strings.Repeat("x", 39),
		filepath.Join("..", "..", "passwd"):  "passwd",
		"a\nb.csv":                           "a-b",
	} {
		zone := time.FixedZone("", 3600)
		d, err := Create(Disk(), t.TempDir(), start.In(zone), "update", file)
		if err != nil {
			t.Fatal(err)
		}
		if got := d.ID(); got != "20261120T215200Z-update-"+want {
			t.Errorf("%q: %s", file, got)
		}
	}
}

func TestCreate(t *testing.T) {
	root := filepath.Join(t.TempDir(), "deep", "reports")
	for _, want := range []string{"20261120T215200Z-hold-list", "20261120T215200Z-hold-list-2", "20261120T215200Z-hold-list-3"} {
		d, err := Create(Disk(), root, start, "hold", "list.csv")
		if err != nil {
			t.Fatal(err)
		}
		if d.ID() != want || d.Path() != filepath.Join(root, want) {
			t.Errorf("%s in %s, want %s", d.ID(), d.Path(), want)
		}
		if text, err := os.ReadFile(d.Path(".gitignore")); err != nil || string(text) != "*\n" {
			t.Errorf("%q %v", text, err)
		}
	}
}

func TestOnlyTheOwnerMayRead(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("no such modes there")
	}
	d := newDir(t)
	writeRows(t, d, []string{"id"}, nil)
	j, err := d.CreateJournal(journal.Head{})
	if err != nil {
		t.Fatal(err)
	}
	if err := j.End(journal.End{}); err != nil {
		t.Fatal(err)
	}
	keep(t, d, "report.csv", "x")
	err = filepath.WalkDir(d.Path(), func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := e.Info()
		if err == nil && info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s: %v", path, info.Mode())
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

func TestCreateWhereNothingCanBe(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := Create(Disk(), file, start, "update", "x.csv")
	var unwritten *WriteError
	if !errors.As(err, &unwritten) || !strings.Contains(err.Error(), "try:") {
		t.Error(err)
	}
}

func TestOnlyAFolderWithAJournalIsARun(t *testing.T) {
	d := newDir(t)
	root := filepath.Dir(d.Path())
	for _, id := range []string{d.ID(), "", ".", "..", "other", filepath.Join("..", filepath.Base(root), d.ID())} {
		if _, err := Open(Disk(), root, id); err == nil {
			t.Errorf("%q was opened", id)
		}
	}
	j, err := d.CreateJournal(journal.Head{Action: "update", Rows: 1})
	if err != nil {
		t.Fatal(err)
	}
	if err := j.Done(0, batch.Outcome{Kind: batch.Unchanged}); err != nil {
		t.Fatal(err)
	}
	if err := j.Flush(); err != nil {
		t.Fatal(err)
	}
	again, err := Open(Disk(), root, d.ID())
	if err != nil {
		t.Fatal(err)
	}
	x, err := again.OpenJournal() // of a run that still goes on
	if err != nil {
		t.Fatal(err)
	}
	defer x.Close()
	if o, err := x.Outcome(0); err != nil || o.Kind != batch.Unchanged || x.Head.Action != "update" || x.End != nil {
		t.Errorf("%+v %v", o, err)
	}
	if err := j.End(journal.End{}); err != nil {
		t.Error(err)
	}
}

func TestDiscard(t *testing.T) {
	d := newDir(t)
	writeRows(t, d, []string{"id"}, nil)
	if err := d.Discard(); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(d.Path()); !errors.Is(err, fs.ErrNotExist) {
		t.Error("the folder is still there", err)
	}

	d = newDir(t)
	j, err := d.CreateJournal(journal.Head{})
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Discard(); err == nil {
		t.Error("a run was discarded")
	}
	if err := j.End(journal.End{}); err != nil {
		t.Error("the journal of a run is gone:", err)
	}
	if x, err := d.OpenJournal(); err != nil || x.Close() != nil {
		t.Error(err)
	}
}

// fullDisk accepts files and no bytes.
type fullDisk struct{ FS }

type fullFile struct{ File }

func (fullFile) Write([]byte) (int, error) { return 0, errors.New("no space left") }

func (d fullDisk) OpenFile(path string, flag int, perm fs.FileMode) (File, error) {
	f, err := d.FS.OpenFile(path, flag, perm)
	return fullFile{f}, err
}

func TestAJournalThatCannotBeStartedIsNoRun(t *testing.T) {
	d := newDir(t)
	d.fs = fullDisk{d.fs}
	_, err := d.CreateJournal(journal.Head{})
	var unwritten *WriteError
	if !errors.As(err, &unwritten) || strings.Count(err.Error(), "could not be written") != 1 {
		t.Error(err)
	}
	if err := d.Discard(); err != nil {
		t.Error(err)
	}
	root := t.TempDir()
	if _, err := Create(fullDisk{Disk()}, root, start, "update", "x.csv"); !errors.As(err, &unwritten) {
		t.Error(err)
	}
	if left, err := os.ReadDir(root); err != nil || len(left) > 0 {
		t.Error("a half-made folder is left behind", left, err)
	}
}

func keep(t *testing.T, d *Dir, name, text string) string {
	t.Helper()
	f, err := d.Draft(name)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(f, text); err != nil {
		t.Fatal(err)
	}
	path, err := f.Keep()
	if err != nil {
		t.Fatal(err)
	}
	return filepath.Base(path)
}

func edit(t *testing.T, d *Dir, name string) {
	t.Helper()
	if err := os.WriteFile(d.Path(name), []byte("edited"), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestAnEditedReportIsKept(t *testing.T) {
	d := newDir(t)
	expect := func(want, text string) {
		t.Helper()
		if got := keep(t, d, "report.csv", text); got != want {
			t.Errorf("written to %s, want %s", got, want)
		}
		if got, err := os.ReadFile(d.Path(want)); err != nil || string(got) != text {
			t.Errorf("%q %v", got, err)
		}
	}
	expect("report.csv", "one")
	expect("report.csv", "two")
	expect("report.csv", "two")
	edit(t, d, "report.csv")
	expect("report-2.csv", "three")
	expect("report-2.csv", "four")
	edit(t, d, "report-2.csv")
	expect("report-3.csv", "five")
	if err := os.Remove(d.Path("report.csv")); err != nil {
		t.Fatal(err)
	}
	expect("report.csv", "six")
	if text, _ := os.ReadFile(d.Path("report-2.csv")); string(text) != "edited" {
		t.Errorf("the edited file now holds %q", text)
	}
	if left, err := filepath.Glob(d.Path(".*.tmp")); err != nil || len(left) > 0 {
		t.Error(left, err)
	}
}

func TestWithdrawKeepsWhatIsEdited(t *testing.T) {
	d := newDir(t)
	keep(t, d, "failed.csv", "one")
	edit(t, d, "failed.csv")
	keep(t, d, "failed.csv", "two")
	if left, err := d.Withdraw("failed.csv"); err != nil || len(left) != 1 || left[0] != d.Path("failed.csv") {
		t.Fatal(left, err)
	}
	if _, err := os.Stat(d.Path("failed-2.csv")); !errors.Is(err, fs.ErrNotExist) {
		t.Error("ours is still there", err)
	}
	if text, _ := os.ReadFile(d.Path("failed.csv")); string(text) != "edited" {
		t.Errorf("the edited file holds %q", text)
	}
}

func TestWriteErrorsSayWhatToDo(t *testing.T) {
	for err, want := range map[error]string{
		errors.New("no space left"): "try: free space on the disk",
		fs.ErrPermission:            "try: close it in other programs",
	} {
		if got := writing("report.csv", err).Error(); !strings.Contains(got, "report.csv could not be written: "+err.Error()) || !strings.Contains(got, want) {
			t.Error(got)
		}
	}
}
