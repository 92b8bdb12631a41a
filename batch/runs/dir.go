package runs

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"rowbatch/batch/journal"
)

const (
	journalName = "journal"
	rowsName    = "rows.csv"
	ignoreName  = ".gitignore"
)

// Dir is a run's folder.
type Dir struct {
	fs   FS
	path string
	root string // that was made for this run; empty: it was there

	unlock func() error // nil: this process has not locked it
}

// Create makes the folder of a new run under root, and root if it is missing.
// The id is made of the time, the action and the input's name; a second run of
// the same second gets -2 behind it.
func Create(root string, now time.Time, action, file string) (*Dir, error) {
	return CreateOn(Disk(), root, now, action, file)
}

// CreateOn is Create on another file system.
func CreateOn(on FS, root string, now time.Time, action, file string) (*Dir, error) {
	d := &Dir{fs: on}
	if on.Mkdir(root, 0o755) == nil {
		d.root = root
	} else if err := on.MkdirAll(root, 0o755); err != nil {
		return nil, writing(root, err)
	}
	err := fs.ErrExist
	for n := 1; errors.Is(err, fs.ErrExist); n++ {
		d.path = filepath.Join(root, numbered(idOf(now, action, file), n))
		err = on.Mkdir(d.path, 0o700) // exclusive: two runs never share a folder
	}
	if err != nil {
		return nil, writing(d.path, err)
	}
	if err := d.furnish(root); err != nil {
		return nil, errors.Join(err, on.RemoveAll(d.path))
	}
	return d, nil
}

func (d *Dir) furnish(root string) error {
	f, err := d.CreateFile(ignoreName)
	if err != nil {
		return err
	}
	_, err = io.WriteString(f, "*\n")
	if err = errors.Join(err, f.Close()); err != nil {
		return writing(d.Path(ignoreName), err)
	}
	return writing(root, d.fs.SyncDir(root))
}

// Open returns the run of this id under root.
func Open(root, id string) (*Dir, error) { return OpenOn(Disk(), root, id) }

// OpenOn is Open on another file system.
func OpenOn(on FS, root, id string) (*Dir, error) {
	d := &Dir{fs: on, path: filepath.Join(root, id)}
	if id != filepath.Base(id) || !filepath.IsLocal(id) {
		return nil, fmt.Errorf("%q is not the id of a run", id)
	}
	isRun, err := d.isRun()
	if err == nil && !isRun {
		err = fmt.Errorf("there is no run %s in %s; try: --reports with the folder that holds it", id, root)
	}
	if err != nil {
		return nil, err
	}
	return d, nil
}

// ID returns the run's id: 20261120T215200Z-update-customers.
func (d *Dir) ID() string { return filepath.Base(d.path) }

// Path returns the path of the folder, or of a file in it.
func (d *Dir) Path(name ...string) string { return filepath.Join(append([]string{d.path}, name...)...) }

// CreateFile makes a new file in the folder, such as the copy of a standard input.
func (d *Dir) CreateFile(name string) (File, error) {
	f, err := d.fs.OpenFile(d.Path(name), os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	return f, writing(d.Path(name), err)
}

// RemoveFile removes a file of the folder that has served; none may be there.
func (d *Dir) RemoveFile(name string) error {
	err := d.fs.Remove(d.Path(name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return writing(d.Path(name), err)
}

// finish closes a file whose last bytes were handed over with this result, and
// makes it durable.
func (d *Dir) finish(f File, err error) error {
	if err == nil {
		err = f.Sync()
	}
	err = errors.Join(err, f.Close())
	if err == nil {
		err = d.fs.SyncDir(d.path)
	}
	return writing(f.Name(), err)
}

func (d *Dir) open(name string) (File, error) {
	return d.fs.OpenFile(d.Path(name), os.O_RDONLY, 0)
}

func (d *Dir) isRun() (bool, error) {
	f, err := d.open(journalName)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	info, err := f.Stat()
	return err == nil && info.Mode().IsRegular(), errors.Join(err, f.Close())
}

// CreateJournal makes the folder a run. The journal's first record, and the
// folder's knowledge of it, are on disk when it returns.
func (d *Dir) CreateJournal(h journal.Head) (*journal.Writer, error) {
	f, err := d.CreateFile(journalName)
	if err != nil {
		return nil, err
	}
	j, err := journal.Create(f, h)
	if err == nil {
		err = d.fs.SyncDir(d.path)
	}
	if err != nil {
		var failed *journal.WriteError
		if errors.As(err, &failed) {
			err = failed.Err
		}
		return nil, errors.Join(writing(f.Name(), err), f.Close(), d.fs.Remove(f.Name()))
	}
	return j, nil
}

// Journal is the journal of a run, open for reading. Close it.
type Journal struct {
	*journal.Index
	io.Closer
}

// OpenJournal reads the journal as far as it is written: the run may still go on.
func (d *Dir) OpenJournal() (*Journal, error) {
	f, err := d.open(journalName)
	if err != nil {
		return nil, err
	}
	x, err := load(f)
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return &Journal{x, f}, nil
}

// Discard removes the folder of a run that was refused before anything was
// sent, and releases its lock. A folder with a journal stays: it is the only memory
// of what was sent.
func (d *Dir) Discard() error {
	isRun, err := d.isRun()
	if err != nil {
		return err
	}
	if isRun {
		return fmt.Errorf("%s has a journal and is kept", d.path)
	}
	if d.unlock != nil { // some systems remove no file that is open
		if err := d.unlock(); err != nil {
			return writing(d.path, err)
		}
	}
	err = d.fs.RemoveAll(d.path)
	if err == nil && d.root != "" {
		_ = d.fs.Remove(d.root) // fails when another run has come to live there
	}
	return writing(d.path, err)
}
