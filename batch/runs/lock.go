package runs

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"rowbatch/batch"
	"strings"
	"sync"
	"time"
)

const lockName = "lock"

// mostHolder is how many bytes of a holder are shown.
const mostHolder = 300

const (
	pollInterval = 200 * time.Millisecond // the longest between two looks at a lock that another holds
	askingTime   = 500 * time.Millisecond // far longer than [Dir.Running] of another process holds a lock
)

// BusyError says that another process holds a lock.
type BusyError struct {
	What   string // that is locked
	Holder string // as the holder named itself
}

func (e *BusyError) Error() string {
	return fmt.Sprintf("%s is in use by %s; try: again when that has ended, or --lock-wait 1h", e.What, e.Holder)
}

// Lock makes this process the only one that writes the run's journal, until it
// releases the lock or dies. The error is a *[BusyError] when another one has it.
func (d *Dir) Lock() (release func() error, err error) {
	l := lockFile{fs: d.fs, path: d.Path(lockName), what: "the run " + d.ID()}
	release, err = l.take(context.Background(), fmt.Sprintf("process %d", os.Getpid()), askingTime)
	if err != nil && !isBusy(err) {
		return nil, writing(l.path, err)
	}
	d.unlock = release
	return release, err
}

// Running says that a process holds the lock of the run. Where there is no way
// to tell, as on a file system without locks, no run counts as running.
func (d *Dir) Running() bool {
	held, err := d.fs.Locked(d.Path(lockName))
	return err == nil && held
}

// LockAccount keeps two runs of one account apart on this machine. The lock is a
// file in dir that is named by the account's hash; dir is made if it is missing.
// holder is what others are told: the run and the process. While another holds
// the lock it waits, at most as long as wait says and until ctx ends, then
// returns a *[BusyError], or the error of ctx. Any other error is a *[WriteError].
func LockAccount(ctx context.Context, dir, account, holder string, wait time.Duration) (release func() error, err error) {
	return LockAccountOn(ctx, Disk(), dir, account, holder, wait)
}

// LockAccountOn is LockAccount on another file system.
func LockAccountOn(ctx context.Context, on FS, dir, account, holder string, wait time.Duration) (release func() error, err error) {
	l := accountLock(on, dir, account)
	if err = on.MkdirAll(dir, 0o700); err == nil {
		release, err = l.take(ctx, holder, wait)
	}
	if err != nil {
		return nil, l.failed(ctx, err)
	}
	return release, nil
}

func accountLock(on FS, dir, account string) lockFile {
	sum := sha256.Sum256([]byte(account))
	return lockFile{fs: on, path: filepath.Join(dir, hex.EncodeToString(sum[:16])+".lock"), what: "this account"}
}

// failed is the error as callers get it.
func (l lockFile) failed(ctx context.Context, err error) error {
	if isBusy(err) || ctx.Err() != nil {
		return err
	}
	return &WriteError{Path: l.path, Err: err, Try: "see that this folder is on a local disk, has room and may be written to; the file keeps two runs of one account apart"}
}

// lockFile is a file whose lock stands for something else. Its first byte is left
// empty: while it is locked, Windows lets nobody else read or write it. Behind it
// the holder writes who it is. The file is never removed: another process might
// have it open, lock what nobody else can find any more, and think itself alone.
type lockFile struct {
	fs   FS
	path string
	what string
}

func isBusy(err error) bool {
	var busy *BusyError
	return errors.As(err, &busy)
}

// take waits for the lock and signs it. release may be called several times.
func (l lockFile) take(ctx context.Context, holder string, wait time.Duration) (release func() error, err error) {
	unlock, err := l.await(ctx, wait)
	if err != nil {
		return nil, err
	}
	return l.held(holder, unlock)
}

// held signs a lock that this process has got.
func (l lockFile) held(holder string, unlock func() error) (release func() error, err error) {
	if err := l.sign(holder, ""); err != nil {
		return nil, errors.Join(err, unlock())
	}
	return sync.OnceValue(func() error {
		err := l.sign("", "")
		if errors.Is(err, fs.ErrNotExist) {
			err = nil // the folder was discarded
		}
		return errors.Join(err, unlock())
	}), nil
}

func (l lockFile) await(ctx context.Context, wait time.Duration) (unlock func() error, err error) {
	err = poll(ctx, wait, func() (busy *BusyError, err error) {
		var ok bool
		if unlock, ok, err = l.fs.TryLock(l.path); !ok {
			busy = l.busy()
		}
		return busy, unlockable(err)
	})
	return unlock, err
}

func (l lockFile) busy() *BusyError { return &BusyError{What: l.what, Holder: l.holder()} }

func unlockable(err error) error {
	if err != nil {
		return fmt.Errorf("it cannot be locked: %w", err)
	}
	return nil
}

// poll tries until nobody else is in the way, at most as long as wait says.
func poll(ctx context.Context, wait time.Duration, try func() (*BusyError, error)) error {
	late := time.NewTimer(wait)
	defer late.Stop()
	for ctx.Err() == nil {
		busy, err := try()
		if err != nil || busy == nil {
			return err
		}
		select {
		case <-late.C:
			return busy
		case <-time.After(min(pollInterval, max(wait/10, time.Millisecond))):
		case <-ctx.Done():
		}
	}
	return ctx.Err()
}

// sign writes who holds the lock, and in a second line what is shared by it.
func (l lockFile) sign(holder, shared string) error {
	f, err := l.fs.OpenFile(l.path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	line, _, _ := strings.Cut(holder, "\n")
	_, err = f.WriteAt([]byte(line+"\n"+shared+"\n"), 1)
	return errors.Join(err, f.Close())
}

// holder is how the holder signed. It may be missing when the holder has only
// just come, and that of a killed predecessor may still stand there.
func (l lockFile) holder() string {
	const unknown = "another process"
	f, err := l.fs.OpenFile(l.path, os.O_RDONLY, 0)
	if err != nil {
		return unknown
	}
	defer f.Close()
	line := make([]byte, mostHolder)
	n, _ := f.ReadAt(line, 1) // the end of a short file is no trouble here
	line, _, _ = bytes.Cut(line[:n], []byte("\n"))
	return cmp.Or(batch.Visible(string(line)), unknown)
}
