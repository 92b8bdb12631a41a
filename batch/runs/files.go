package runs

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"runtime"
	"syscall"

	"github.com/gofrs/flock"
)

// FS is what this package needs of a file system. [Disk] is the real one; tests
// pass one whose n-th operation fails.
type FS interface {
	MkdirAll(path string, perm fs.FileMode) error
	Mkdir(path string, perm fs.FileMode) error
	OpenFile(path string, flag int, perm fs.FileMode) (File, error)
	CreateTemp(dir, pattern string) (File, error) // as [os.CreateTemp]
	Rename(from, to string) error
	Remove(path string) error
	RemoveAll(path string) error
	ReadDir(path string) ([]fs.DirEntry, error)
	Stat(path string) (fs.FileInfo, error)
	SyncDir(path string) error // makes created and renamed files survive a power loss
	Private(path string) error // wants a folder that no other user can look or put anything into

	// TryLock takes the exclusive lock of a file, which it makes when it is
	// missing, and does not wait. The kernel releases it when the process dies.
	TryLock(path string) (unlock func() error, ok bool, err error)
	// TryShare is TryLock for a lock that others may share, while nobody has it alone.
	TryShare(path string) (unlock func() error, ok bool, err error)
	// Locked reports whether somebody holds the lock of a file. It makes no file.
	Locked(path string) (bool, error)
}

// File is an open file. [*os.File] is one.
type File interface {
	io.ReadWriteCloser
	io.ReaderAt
	io.WriterAt
	Name() string
	Stat() (fs.FileInfo, error)
	Truncate(size int64) error
	Sync() error
}

// WriteError is the error when a file of the run could not be written.
type WriteError struct {
	Path string
	Err  error
	Try  string // what helps; "": what helps with a file in the reports folder
}

func (e *WriteError) Error() string {
	try := e.Try
	switch {
	case try != "":
	case errors.Is(e.Err, fs.ErrPermission):
		try = "close it in other programs, or --reports with a folder that you may write to"
	default:
		try = "free space on the disk, or --reports with another folder"
	}
	return fmt.Sprintf("%s could not be written: %v; try: %s", e.Path, e.Err, try)
}
func (e *WriteError) Unwrap() error { return e.Err }

func writing(path string, err error) error {
	if err == nil {
		return nil
	}
	return &WriteError{Path: path, Err: err}
}

// Disk returns the operating system's file system.
func Disk() FS { return disk{} }

type disk struct{}

func (disk) MkdirAll(path string, perm fs.FileMode) error { return os.MkdirAll(path, perm) }
func (disk) Mkdir(path string, perm fs.FileMode) error    { return os.Mkdir(path, perm) }
func (disk) Rename(from, to string) error                 { return os.Rename(from, to) }
func (disk) Remove(path string) error                     { return os.Remove(path) }
func (disk) Private(path string) error                    { return private(path) }
func (disk) RemoveAll(path string) error                  { return os.RemoveAll(path) }
func (disk) ReadDir(path string) ([]fs.DirEntry, error)   { return os.ReadDir(path) }
func (disk) Stat(path string) (fs.FileInfo, error)        { return os.Stat(path) }

func (disk) OpenFile(path string, flag int, perm fs.FileMode) (File, error) {
	return opened(os.OpenFile(path, flag, perm))
}
func (disk) CreateTemp(dir, pattern string) (File, error) { return opened(os.CreateTemp(dir, pattern)) }

// opened keeps a nil *os.File from becoming a File that is not nil.
func opened(f *os.File, err error) (File, error) {
	if err != nil {
		return nil, err
	}
	return f, nil
}

func (disk) SyncDir(path string) error {
	if runtime.GOOS == "windows" {
		return nil // folders cannot be opened for syncing there
	}
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	err = f.Sync()
	if errors.Is(err, errors.ErrUnsupported) || errors.Is(err, syscall.EINVAL) {
		return nil // some network file systems cannot, and nothing is gained by refusing to run there
	}
	return err
}

func (disk) TryLock(path string) (unlock func() error, ok bool, err error) {
	l := lockOf(path)
	ok, err = l.TryLock()
	return l.Close, ok, err
}

func (disk) TryShare(path string) (unlock func() error, ok bool, err error) {
	l := lockOf(path)
	ok, err = l.TryRLock()
	return l.Close, ok, err
}

func lockOf(path string) *flock.Flock {
	return flock.New(path, flock.SetFlag(os.O_RDWR|os.O_CREATE|noFollow), flock.SetPermissions(0o600))
}

// Locked shares the lock for a moment, so that several who ask at once do not
// take one another for a holder.
func (disk) Locked(path string) (bool, error) {
	l := flock.New(path, flock.SetFlag(os.O_RDONLY|noFollow))
	free, err := l.TryRLock()
	return err == nil && !free, errors.Join(err, l.Close())
}

// placedFile is a file that is in its place when a sync has succeeded: one that was
// removed takes every write, and nobody will ever read it.
type placedFile struct {
	File
	fs FS
	is fs.FileInfo
}

// openPlaced opens a file to append to it, for as long as it stays where it is.
func openPlaced(on FS, path string) (*placedFile, error) {
	f, err := on.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		return nil, err
	}
	is, err := f.Stat()
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return &placedFile{f, on, is}, nil
}

func (f *placedFile) Sync() error {
	if err := f.File.Sync(); err != nil {
		return err
	}
	return f.inPlace()
}

func (f *placedFile) inPlace() error {
	now, err := f.fs.Stat(f.Name())
	switch {
	case err == nil && os.SameFile(now, f.is):
		return nil
	case err == nil:
		err = errors.New("another file was put in its place while the run went on")
	case errors.Is(err, fs.ErrNotExist):
		err = errors.New("it was removed while the run went on")
	}
	return &WriteError{Path: f.Name(), Err: err, Try: "put the folder back from where it was moved to, and rowbatch resume; " +
		"without it, run the file anew: what took effect is found unchanged then, and cannot be undone"}
}
