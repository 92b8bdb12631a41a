package runs

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"runtime"
	"syscall"
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
	SyncDir(path string) error // makes created and renamed files survive a power loss
}

// File is an open file. [*os.File] is one.
type File interface {
	io.ReadWriteCloser
	io.ReaderAt
	Name() string
	Stat() (fs.FileInfo, error)
	Sync() error
}

// WriteError says that a file of the run could not be written.
type WriteError struct {
	Path string
	Err  error
}

func (e *WriteError) Error() string {
	try := "free space on the disk, or --reports with another folder"
	if errors.Is(e.Err, fs.ErrPermission) {
		try = "close it in other programs, or --reports with a folder that you may write to"
	}
	return fmt.Sprintf("%s could not be written: %v; try: %s", e.Path, e.Err, try)
}
func (e *WriteError) Unwrap() error { return e.Err }

func writing(path string, err error) error {
	if err == nil {
		return nil
	}
	return &WriteError{path, err}
}

// Disk returns the operating system's file system.
func Disk() FS { return disk{} }

type disk struct{}

func (disk) MkdirAll(path string, perm fs.FileMode) error { return os.MkdirAll(path, perm) }
func (disk) Mkdir(path string, perm fs.FileMode) error    { return os.Mkdir(path, perm) }
func (disk) Rename(from, to string) error                 { return os.Rename(from, to) }
func (disk) Remove(path string) error                     { return os.Remove(path) }
func (disk) RemoveAll(path string) error                  { return os.RemoveAll(path) }

// The two below must not return a nil *os.File as a File that is not nil.

func (disk) OpenFile(path string, flag int, perm fs.FileMode) (File, error) {
	f, err := os.OpenFile(path, flag, perm)
	if err != nil {
		return nil, err
	}
	return f, nil
}

func (disk) CreateTemp(dir, pattern string) (File, error) {
	f, err := os.CreateTemp(dir, pattern)
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
