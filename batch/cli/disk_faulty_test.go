package cli_test

import (
	"errors"
	"io/fs"
	"sync"

	"rowbatch/batch/runs"
)

var errDisk = errors.New("the disk gave up")

// failingDisk is a disk whose n-th operation fails, counted from 1, as do all
// after it when lasting. Syncs cost nothing.
type failingDisk struct {
	runs.FS
	failAt  int
	lasting bool
	onFault func() // called at the first

	mu    sync.Mutex
	count int
}

func soundDisk() runs.FS { return &failingDisk{FS: runs.Disk(), failAt: -1} }

func (d *failingDisk) fault() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.count++
	if d.count == d.failAt {
		d.onFault()
		return errDisk
	}
	if d.lasting && d.count > d.failAt {
		return errDisk
	}
	return nil
}

func (d *failingDisk) reached() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.count >= d.failAt
}

func (d *failingDisk) try(operation func() error) error {
	if err := d.fault(); err != nil {
		return err
	}
	return operation()
}

func (d *failingDisk) MkdirAll(path string, perm fs.FileMode) error {
	return d.try(func() error { return d.FS.MkdirAll(path, perm) })
}

func (d *failingDisk) Mkdir(path string, perm fs.FileMode) error {
	return d.try(func() error { return d.FS.Mkdir(path, perm) })
}

func (d *failingDisk) Rename(from, to string) error {
	return d.try(func() error { return d.FS.Rename(from, to) })
}

func (d *failingDisk) Remove(path string) error {
	return d.try(func() error { return d.FS.Remove(path) })
}

func (d *failingDisk) RemoveAll(path string) error {
	return d.try(func() error { return d.FS.RemoveAll(path) })
}

func (d *failingDisk) SyncDir(string) error { return d.fault() }

func (d *failingDisk) ReadDir(path string) ([]fs.DirEntry, error) {
	if err := d.fault(); err != nil {
		return nil, err
	}
	return d.FS.ReadDir(path)
}

func (d *failingDisk) TryLock(path string) (func() error, bool, error) {
	if err := d.fault(); err != nil {
		return func() error { return nil }, false, err
	}
	return d.FS.TryLock(path)
}

func (d *failingDisk) TryShare(path string) (func() error, bool, error) {
	if err := d.fault(); err != nil {
		return func() error { return nil }, false, err
	}
	return d.FS.TryShare(path)
}

func (d *failingDisk) Locked(path string) (bool, error) {
	if err := d.fault(); err != nil {
		return false, err
	}
	return d.FS.Locked(path)
}

func (d *failingDisk) OpenFile(path string, flag int, perm fs.FileMode) (runs.File, error) {
	return d.open(func() (runs.File, error) { return d.FS.OpenFile(path, flag, perm) })
}

func (d *failingDisk) CreateTemp(dir, pattern string) (runs.File, error) {
	return d.open(func() (runs.File, error) { return d.FS.CreateTemp(dir, pattern) })
}

func (d *failingDisk) open(do func() (runs.File, error)) (runs.File, error) {
	if err := d.fault(); err != nil {
		return nil, err
	}
	f, err := do()
	if err != nil {
		return nil, err
	}
	return &failingFile{f, d}, nil
}

type failingFile struct {
	runs.File
	disk *failingDisk
}

// Write leaves half of the bytes behind, as a full disk does.
func (f *failingFile) Write(p []byte) (int, error) {
	if err := f.disk.fault(); err != nil {
		n, _ := f.File.Write(p[:len(p)/2])
		return n, err
	}
	return f.File.Write(p)
}

func (f *failingFile) Read(p []byte) (int, error) {
	if err := f.disk.fault(); err != nil {
		return 0, err
	}
	return f.File.Read(p)
}

func (f *failingFile) ReadAt(p []byte, off int64) (int, error) {
	if err := f.disk.fault(); err != nil {
		return 0, err
	}
	return f.File.ReadAt(p, off)
}

func (f *failingFile) Truncate(size int64) error {
	return f.disk.try(func() error { return f.File.Truncate(size) })
}

func (f *failingFile) Stat() (fs.FileInfo, error) {
	if err := f.disk.fault(); err != nil {
		return nil, err
	}
	return f.File.Stat()
}

func (f *failingFile) Sync() error { return f.disk.fault() }

func (f *failingFile) Close() error { return errors.Join(f.disk.fault(), f.File.Close()) }
