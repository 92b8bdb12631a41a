package runs

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"rowbatch/batch/journal"
)

// leftover makes a folder that a run began an hour ago, with all that an export puts there before it is one.
func leftover(t *testing.T, reports string, now time.Time) (d *Dir, beside string) {
	t.Helper()
	d, err := Create(reports, now.Add(-time.Hour), "export", "customers")
	if err != nil {
		t.Fatal(err)
	}
	beside = filepath.Join(t.TempDir(), ".out.csv.123.tmp")
	if err := os.WriteFile(beside, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := d.NoteBeside(beside); err != nil {
		t.Fatal(err)
	}
	w, err := d.WriteBaseline([]string{"id"})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return d, beside
}

// locked leaves the folder as one whose process has died.
func locked(t *testing.T, d *Dir) {
	t.Helper()
	release, err := d.Lock()
	if err != nil {
		t.Fatal(err)
	}
	if err := release(); err != nil {
		t.Fatal(err)
	}
}

func there(t *testing.T, path string) bool {
	t.Helper()
	_, err := os.Lstat(path)
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	return err == nil
}

func TestTidy(t *testing.T) {
	now := time.Now()
	for _, c := range []struct {
		name   string
		change func(t *testing.T, d *Dir)
		at     time.Time
		goes   bool
	}{
		{"its process has died", locked, now, true},
		{"its process lives", func(t *testing.T, d *Dir) {
			if _, err := d.Lock(); err != nil {
				t.Fatal(err)
			}
		}, now, false},
		{"it is no process's yet", func(*testing.T, *Dir) {}, now, false},
		{"it is new", locked, now.Add(-time.Hour), false},
		{"it is a run", func(t *testing.T, d *Dir) {
			locked(t, d)
			if _, err := d.CreateJournal(journal.Head{}); err != nil {
				t.Fatal(err)
			}
		}, now, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			reports := t.TempDir()
			d, beside := leftover(t, reports, now)
			c.change(t, d)
			Tidy(reports, c.at)
			if there(t, d.path) == c.goes || there(t, beside) == c.goes {
				t.Errorf("the folder is there: %v, the file: %v", there(t, d.path), there(t, beside))
			}
		})
	}
}

// Of what lies in the reports folder besides, and of what a folder names, only that goes which is ours.
func TestTidyIsCareful(t *testing.T) {
	reports, now := t.TempDir(), time.Now()
	own, precious := filepath.Join(reports, "2026 plans"), filepath.Join(t.TempDir(), "precious.csv")
	if err := os.Mkdir(own, 0o700); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{filepath.Join(own, lockName), precious} {
		if err := os.WriteFile(path, []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	d, _ := leftover(t, reports, now)
	locked(t, d)
	if err := os.WriteFile(d.Path(besideName), []byte(precious), 0o600); err != nil {
		t.Fatal(err)
	}
	update, err := Create(reports, now.Add(-time.Hour), "update", "-") // may hold the only copy of what was typed in
	if err != nil {
		t.Fatal(err)
	}
	locked(t, update)
	Tidy(reports, now)
	if !there(t, update.path) {
		t.Error("an update's input is gone")
	}
	if !there(t, own) || !there(t, precious) || there(t, d.path) {
		t.Errorf("folder: %v, file: %v, leftover: %v", there(t, own), there(t, precious), there(t, d.path))
	}
	Tidy(filepath.Join(reports, "missing"), now)
}

// Whatever the disk does, the file goes before the folder that names it.
func TestTidyOnAFailingDisk(t *testing.T) {
	everyFault(t, func(t *testing.T, disk *faulty) {
		reports, now := t.TempDir(), time.Now()
		d, beside := leftover(t, reports, now)
		locked(t, d)
		TidyOn(disk, reports, now)
		if there(t, beside) && !there(t, d.Path(besideName)) {
			t.Error("a file that nobody names any more")
		}
	})
}
