package runs

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

const (
	longestPartName = 32 << 10        // bytes
	leftoverAge     = 1 * time.Minute // by far longer than a new folder is there without its lock
)

// spill begins the names of files that rows on their way to a workbook stand in meanwhile.
// The library for workbooks names them so.
const spill = "excelize-"

// RemoveLeftovers removes what killed processes have left in a reports folder, for it
// holds customers' data and is of no use: runs that were on their way out; folders
// that have not become runs, with the file that they name; halves of workbooks. Of a
// folder whose lock somebody holds nothing goes. What cannot be removed stays; so does a
// folder that is no run and holds anything else than what each run begins with: a copy of
// a standard input may be all that is left of it.
func RemoveLeftovers(on FS, reports string, now time.Time) {
	entries, err := on.ReadDir(reports)
	if err != nil {
		return
	}
	for _, e := range entries {
		d := at(on, filepath.Join(reports, e.Name()))
		if strings.HasPrefix(d.ID(), removed) {
			_ = on.RemoveAll(d.path)
		}
		began := startOf(d.ID())
		if !e.IsDir() || began.IsZero() || now.Sub(began) < leftoverAge {
			continue
		}
		if onlyBegun, spills := left(on, d.path); !onlyBegun && len(spills) == 0 {
			continue
		}
		if f, err := d.open(lockName); err != nil || f.Close() != nil { // it is no process's yet
			continue
		}
		unlock, ok, err := on.TryLock(d.Path(lockName))
		if err != nil || !ok {
			continue
		}
		onlyBegun, spills := left(on, d.path) // it may have come to be a run since
		for _, name := range spills {
			_ = on.Remove(d.Path(name))
		}
		// Unlocked before: some systems remove no file that is open.
		goes := onlyBegun && removePart(on, d.Path(PartName)) == nil
		if unlock() == nil && goes {
			_ = on.RemoveAll(d.path)
		}
	}
}

// left returns the halves of workbooks in a folder, and whether these aside it holds
// nothing but what is there before a run.
func left(on FS, folder string) (onlyBegun bool, spills []string) {
	begins := []string{ignoreName, lockName, RowsName, ExportedName, draftJournal, PartName}
	entries, err := on.ReadDir(folder)
	onlyBegun = err == nil
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), spill) {
			spills = append(spills, e.Name())
		} else if !slices.Contains(begins, e.Name()) {
			onlyBegun = false
		}
	}
	return onlyBegun, spills
}

// removePart removes the file that a folder names in its note, which nothing else does:
// the folder stays for as long as that fails. One that we would not have made stays.
func removePart(on FS, note string) error {
	f, err := on.OpenFile(note, os.O_RDONLY, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	text, err := io.ReadAll(io.LimitReader(f, longestPartName))
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	path := string(text)
	name := filepath.Base(path)
	if !filepath.IsAbs(path) || !strings.HasPrefix(name, ".") || !strings.HasSuffix(name, ".tmp") {
		return nil
	}
	if err := on.Remove(path); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// removed begins the name of a folder that is on its way out. No run has such a name.
const removed = ".removed-"

// Remove removes a run with all its files. From the first moment it is a run no more,
// and what a killed process has left of it is a leftover. One that a process works on
// stays: the error is a *[BusyError] then.
func Remove(on FS, i Info) error {
	d := at(on, i.Dir)
	unlock, err := d.Lock()
	if err != nil {
		return err
	}
	goes := filepath.Join(filepath.Dir(d.path), removed+d.ID())
	err = unlock() // before: some systems move and remove no file that is open
	if err == nil {
		err = on.Rename(d.path, goes)
	}
	if err == nil {
		err = on.RemoveAll(goes)
	}
	return writing(d.path, err)
}
