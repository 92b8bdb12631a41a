package runs

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"rowbatch/batch/journal"
)

// leftover makes a folder that a run began an hour ago, with all that an export puts there before it is one.
func leftover(t *testing.T, reports string, now time.Time) (d *Dir, part string) {
	t.Helper()
	d, err := Create(Disk(), reports, now.Add(-time.Hour), "export", "customers")
	if err != nil {
		t.Fatal(err)
	}
	part = filepath.Join(t.TempDir(), ".out.csv.123.tmp")
	if err := os.WriteFile(part, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := d.NotePartFile(part); err != nil {
		t.Fatal(err)
	}
	w, err := d.Rows(RowsName, []string{"id"})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return d, part
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

func TestRemoveLeftovers(t *testing.T) {
	now := time.Now()
	for _, c := range []struct {
		name   string
		change func(t *testing.T, d *Dir)
		at     time.Time
		goes   bool
	}{
		{"its process has died", locked, now, true},
		{"its process has died with half a head", func(t *testing.T, d *Dir) {
			locked(t, d)
			if err := os.WriteFile(d.Path(draftJournal), []byte(`{"s":1,"k":"ru`), 0o600); err != nil {
				t.Fatal(err)
			}
		}, now, true},
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
			d, part := leftover(t, reports, now)
			c.change(t, d)
			RemoveLeftovers(Disk(), reports, c.at)
			if there(t, d.path) == c.goes || there(t, part) == c.goes {
				t.Errorf("the folder is there: %v, the file: %v", there(t, d.path), there(t, part))
			}
		})
	}
}

// A killed process may leave half a workbook in the folder of a run, which stays.
func TestRemoveLeftoversOfWorkbooks(t *testing.T) {
	now := time.Now()
	for _, lives := range []bool{false, true} {
		reports := t.TempDir()
		d, _ := leftover(t, reports, now)
		half := d.Path("excelize-1234")
		if err := os.WriteFile(half, []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
		release, err := d.Lock()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := d.CreateJournal(journal.Head{}); err != nil {
			t.Fatal(err)
		}
		if !lives {
			if err := release(); err != nil {
				t.Fatal(err)
			}
		}
		RemoveLeftovers(Disk(), reports, now)
		if !there(t, d.Path("journal")) || there(t, half) != lives {
			t.Errorf("its process lives: %v, the run is there: %v, the half: %v", lives, there(t, d.Path("journal")), there(t, half))
		}
	}
	reports := t.TempDir()
	d, part := leftover(t, reports, now) // an export: its folder has not become a run
	locked(t, d)
	if err := os.WriteFile(d.Path("excelize-1234"), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	RemoveLeftovers(Disk(), reports, now)
	if there(t, d.path) || there(t, part) {
		t.Error("an export's folder stays, or its file")
	}
}

// Of what lies in the reports folder parts, and of what a folder names, only that goes which is ours.
func TestRemoveLeftoversIsCareful(t *testing.T) {
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
	if err := os.WriteFile(d.Path(PartName), []byte(precious), 0o600); err != nil {
		t.Fatal(err)
	}
	update, err := Create(Disk(), reports, now.Add(-time.Hour), "update", "-") // may hold the only copy of what was typed in
	if err != nil {
		t.Fatal(err)
	}
	locked(t, update)
	if err := os.WriteFile(update.Path("stdin.csv"), []byte("id\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	reported, _ := leftover(t, reports, now) // its journal is gone, and this is all that tells of it
	locked(t, reported)
	if err := os.WriteFile(reported.Path("report.csv"), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	RemoveLeftovers(Disk(), reports, now)
	if !there(t, update.path) || !there(t, reported.path) {
		t.Error("an update's input is gone, or a report")
	}
	if !there(t, own) || !there(t, precious) || there(t, d.path) {
		t.Errorf("folder: %v, file: %v, leftover: %v", there(t, own), there(t, precious), there(t, d.path))
	}
	RemoveLeftovers(Disk(), filepath.Join(reports, "missing"), now)
}

// Whatever the disk does, the file goes before the folder that names it.
func TestRemoveLeftoversOnAFailingDisk(t *testing.T) {
	everyFault(t, func(t *testing.T, disk *faulty) {
		reports, now := t.TempDir(), time.Now()
		d, part := leftover(t, reports, now)
		locked(t, d)
		RemoveLeftovers(disk, reports, now)
		if there(t, part) && !there(t, d.Path(PartName)) {
			t.Error("a file that nobody names any more")
		}
	})
}

// What is removed is gone as a whole: whatever fails on the way, no half of a run is
// listed, and what is left of it goes with the next run.
func TestRemove(t *testing.T) {
	everyFault(t, func(t *testing.T, disk *faulty) {
		reports := t.TempDir()
		stays := addRun(t, reports, journal.Head{Started: time.Now()}, "changed")
		goes := addRun(t, reports, journal.Head{Started: time.Now().Add(time.Second)}, "changed")
		disk.FS = Disk()
		err := Remove(disk, list(t, reports)[0])
		all := list(t, reports)
		if err == nil && len(all) != 1 || len(all) == 2 && all[0].Damage != nil || all[len(all)-1].ID != stays.ID() {
			t.Errorf("%v, %+v", err, all)
		}
		RemoveLeftovers(Disk(), reports, time.Now())
		if left, err := filepath.Glob(filepath.Join(reports, ".removed*")); err != nil || len(left) > 0 || len(all) == 1 && there(t, goes.Path()) {
			t.Errorf("%v, %q", err, left)
		}
	})
	reports := t.TempDir()
	d := addRun(t, reports, journal.Head{Started: time.Now()}, "changed")
	release, err := d.Lock()
	if err != nil {
		t.Fatal(err)
	}
	defer release()
	if err := Remove(Disk(), Info{Dir: d.Path()}); !isBusy(err) || !there(t, d.Path("journal")) {
		t.Errorf("a run that goes on: %v", err)
	}
}
