package runs

import (
	"errors"
	"io/fs"
	"sync"
	"testing"
)

var errFault = errors.New("the disk gave up")

// faulty is a disk whose n-th operation fails, counted from 1, as do all after it
// when lasting. Syncs cost nothing.
type faulty struct {
	FS
	failAt  int
	lasting bool

	mu    sync.Mutex
	count int
}

func (f *faulty) fault() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.count++
	if f.count == f.failAt || f.lasting && f.failAt > 0 && f.count > f.failAt {
		return errFault
	}
	return nil
}

func (f *faulty) reached() bool { return f.count >= f.failAt }

func (f *faulty) try(operation func() error) error {
	if err := f.fault(); err != nil {
		return err
	}
	return operation()
}

func (f *faulty) MkdirAll(path string, perm fs.FileMode) error {
	return f.try(func() error { return f.FS.MkdirAll(path, perm) })
}

func (f *faulty) Private(path string) error {
	return f.try(func() error { return f.FS.Private(path) })
}

func (f *faulty) Remove(path string) error {
	return f.try(func() error { return f.FS.Remove(path) })
}

func (f *faulty) Rename(from, to string) error {
	return f.try(func() error { return f.FS.Rename(from, to) })
}

func (f *faulty) SyncDir(string) error { return f.fault() }

func (f *faulty) ReadDir(path string) ([]fs.DirEntry, error) {
	if err := f.fault(); err != nil {
		return nil, err
	}
	return f.FS.ReadDir(path)
}

func (f *faulty) Stat(path string) (fs.FileInfo, error) {
	if err := f.fault(); err != nil {
		return nil, err
	}
	return f.FS.Stat(path)
}

func (f *faulty) TryLock(path string) (func() error, bool, error) {
	if err := f.fault(); err != nil {
		return nil, false, err
	}
	return f.FS.TryLock(path)
}

func (f *faulty) TryShare(path string) (func() error, bool, error) {
	if err := f.fault(); err != nil {
		return nil, false, err
	}
	return f.FS.TryShare(path)
}

func (f *faulty) Locked(path string) (bool, error) {
	if err := f.fault(); err != nil {
		return false, err
	}
	return f.FS.Locked(path)
}

func (f *faulty) OpenFile(path string, flag int, perm fs.FileMode) (File, error) {
	if err := f.fault(); err != nil {
		return nil, err
	}
	file, err := f.FS.OpenFile(path, flag, perm)
	if err != nil {
		return nil, err
	}
	return &faultyFile{file, f}, nil
}

type faultyFile struct {
	File
	disk *faulty
}

func (f *faultyFile) Write(p []byte) (int, error) {
	if err := f.disk.fault(); err != nil {
		n, _ := f.File.Write(p[:len(p)/2]) // as a full disk does
		return n, err
	}
	return f.File.Write(p)
}

func (f *faultyFile) WriteAt(p []byte, off int64) (int, error) {
	if err := f.disk.fault(); err != nil {
		return 0, err
	}
	return f.File.WriteAt(p, off)
}

func (f *faultyFile) Read(p []byte) (int, error) {
	if err := f.disk.fault(); err != nil {
		return 0, err
	}
	return f.File.Read(p)
}

func (f *faultyFile) Stat() (fs.FileInfo, error) {
	if err := f.disk.fault(); err != nil {
		return nil, err
	}
	return f.File.Stat()
}

func (f *faultyFile) Truncate(size int64) error {
	return f.disk.try(func() error { return f.File.Truncate(size) })
}

func (f *faultyFile) Sync() error { return f.disk.fault() }

func (f *faultyFile) Close() error { return errors.Join(f.disk.fault(), f.File.Close()) }

// everyFault calls attempt with disks of which each fails at a later operation,
// once alone and once for good, until one is not reached.
func everyFault(t *testing.T, attempt func(t *testing.T, disk *faulty)) {
	t.Helper()
	for _, lasting := range []bool{false, true} {
		for failAt := 1; ; failAt++ {
			disk := &faulty{FS: Disk(), failAt: failAt, lasting: lasting}
			attempt(t, disk)
			if !disk.reached() {
				if failAt == 1 {
					t.Fatal("no operation at all")
				}
				break
			}
			if failAt > 1000 {
				t.Fatal("no end of operations")
			}
		}
	}
}

func isBusy(err error) bool {
	_, busy := errors.AsType[*BusyError](err)
	return busy
}
