package runs

import (
	"errors"
	"io"
	"io/fs"
	"path/filepath"
	"strings"
	"time"
)

const (
	besideName    = "beside"        // names a file that is on its way elsewhere
	longestBeside = 32 << 10        // bytes
	tidyAge       = 1 * time.Minute // by far longer than a new folder is there without its lock
)

// NoteBeside notes a file that is being written elsewhere for this run, and that
// is worth nothing without it: its name begins with a dot and ends in .tmp.
func (d *Dir) NoteBeside(path string) error {
	f, err := d.CreateFile(besideName)
	if err != nil {
		return err
	}
	_, err = io.WriteString(f, path)
	return writing(d.Path(besideName), errors.Join(err, f.Close()))
}

// ForgetBeside forgets the note: the file is in its place. In a run it is of no consequence if it stays.
func (d *Dir) ForgetBeside() { _ = d.fs.Remove(d.Path(besideName)) }

// Tidy removes what killed exports have left in a reports folder, for it holds
// customers' data and is of no use: folders that have not become runs, and whose
// lock nobody holds, with the file that they name. What cannot be removed stays;
// so does what other actions leave, which may be all that is left of an input.
func Tidy(reports string, now time.Time) { TidyOn(Disk(), reports, now) }

// TidyOn is Tidy on another file system.
func TidyOn(on FS, reports string, now time.Time) {
	entries, err := on.ReadDir(reports)
	if err != nil {
		return
	}
	for _, e := range entries {
		d := &Dir{fs: on, path: filepath.Join(reports, e.Name())}
		if e.IsDir() && d.isLeft(now) {
			d.clear()
		}
	}
}

// isLeft says that the folder bears an export's name, is no run, and was once locked.
func (d *Dir) isLeft(now time.Time) bool {
	began := startOf(d.ID())
	_, rest, _ := strings.Cut(d.ID(), "-")
	if began.IsZero() || now.Sub(began) < tidyAge || !strings.HasPrefix(rest, "export-") {
		return false
	}
	if isRun, err := d.isRun(); isRun || err != nil {
		return false
	}
	f, err := d.open(lockName)
	return err == nil && f.Close() == nil
}

// clear removes the folder unless somebody holds its lock. A run may have come to be in it since it was looked at.
func (d *Dir) clear() {
	unlock, ok, err := d.fs.TryLock(d.Path(lockName))
	if err != nil || !ok {
		return
	}
	isRun, err := d.isRun()
	if isRun || err != nil {
		_ = unlock()
		return
	}
	err = d.removeBeside()
	if unlocked := unlock(); err == nil && unlocked == nil { // some systems remove no file that is open
		_ = d.fs.RemoveAll(d.path)
	}
}

// removeBeside removes the file that the folder names, which nothing else does:
// the folder stays for as long as that fails. One that we would not have made stays.
func (d *Dir) removeBeside() error {
	f, err := d.open(besideName)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	text, err := io.ReadAll(io.LimitReader(f, longestBeside))
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	path := string(text)
	name := filepath.Base(path)
	if !filepath.IsAbs(path) || !strings.HasPrefix(name, ".") || !strings.HasSuffix(name, ".tmp") {
		return nil
	}
	if err := d.fs.Remove(path); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
