package runs

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"rowbatch/batch"
)

const lockName = "lock"

// mostHolder is how many bytes of a holder are shown.
const mostHolder = 300

const (
	pollInterval = 200 * time.Millisecond // the longest between two looks at a lock that another holds
	askingTime   = 500 * time.Millisecond // far longer than [Dir.Running] of another process holds a lock
)

// BusyError is the error when another process holds a lock.
type BusyError struct {
	What   string // that is locked
	Holder string // as the holder named itself
}

func (e *BusyError) Error() string {
	return fmt.Sprintf("%s is in use by %s; try: again when that has ended, or --lock-wait 1h", e.What, e.Holder)
}

// LockAccount keeps two runs of one account apart on this machine. The lock is a
// file in dir that is named by the account's hash; dir is made if it is missing.
// holder is what others are told: the run and the process. While another holds
// the lock it waits, at most as long as wait says and until ctx ends, then
// returns a *[BusyError], or the error of ctx. Any other error is a *[WriteError].
func LockAccount(ctx context.Context, on FS, dir, account, holder string, wait time.Duration) (release func() error, err error) {
	l, err := accountLock(on, dir, account)
	if err == nil {
		release, err = l.take(ctx, holder, wait)
	}
	if err != nil {
		return nil, l.failed(ctx, err)
	}
	return release, nil
}

// accountLock makes the folder of the locks, which must be this user's alone: in one
// that others may write to, they could lock him out, or have a file of his overwritten.
func accountLock(on FS, dir, account string) (lockFile, error) {
	sum := sha256.Sum256([]byte(account))
	l := lockFile{fs: on, path: filepath.Join(dir, hex.EncodeToString(sum[:16])+".lock"), what: "this account"}
	return l, cmp.Or(on.MkdirAll(dir, 0o700), on.Private(dir))
}

// failed is the error as callers get it.
func (l lockFile) failed(ctx context.Context, err error) error {
	if _, busy := errors.AsType[*BusyError](err); busy || ctx.Err() != nil {
		return err
	}
	return &WriteError{Path: l.path, Err: err,
		Try: "see that its folder is yours alone, on a local disk, has room and may be written to, or name another cache folder by " +
			"XDG_CACHE_HOME; the file keeps two runs of one account apart"}
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

// take waits for the lock and signs it. release may be called several times.
func (l lockFile) take(ctx context.Context, holder string, wait time.Duration) (release func() error, err error) {
	var unlock func() error
	err = poll(ctx, wait, func() (busy *BusyError, err error) {
		var ok bool
		if unlock, ok, err = l.fs.TryLock(l.path); !ok {
			busy = l.busy()
		}
		return busy, unlockable(err)
	})
	if err != nil {
		return nil, err
	}
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

// busy names the holder as it signed. That may be missing when the holder has only
// just come, and that of a killed predecessor may still stand there.
func (l lockFile) busy() *BusyError {
	holder, _, _ := l.signed()
	holder = batch.Visible(holder[:min(len(holder), mostHolder)])
	return &BusyError{What: l.what, Holder: cmp.Or(holder, "another process")}
}

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
	f, err := l.fs.OpenFile(l.path, os.O_WRONLY|noFollow, 0)
	if err != nil {
		return err
	}
	line, _, _ := strings.Cut(holder, "\n")
	_, err = f.WriteAt([]byte(line+"\n"+shared+"\n"), 1)
	return errors.Join(err, f.Close())
}

// signed reads the two lines, "" for none.
func (l lockFile) signed() (holder, shared string, err error) {
	f, err := l.fs.OpenFile(l.path, os.O_RDONLY|noFollow, 0)
	if err != nil {
		return "", "", err
	}
	defer f.Close()
	text := make([]byte, 2*mostHolder)
	n, _ := f.ReadAt(text, 1) // the end of a short file is no trouble here
	holder, rest, _ := strings.Cut(string(text[:n]), "\n")
	shared, _, _ = strings.Cut(rest, "\n")
	return holder, shared, nil
}

// Shard is one part of a run that several processes share. Parts of one split are
// about different customers, and may go side by side.
type Shard struct {
	Split  string // what tells the split from any other: a line of at most 200 bytes
	Number int    // from 1
	Of     int
}

func (s Shard) String() string { return fmt.Sprintf("%d/%d", s.Number, s.Of) }

// LockShard is [LockAccount] for a shard: it shares the account with the other
// shards of its split, and with nothing else. run is what others are told of the
// split, process what they are told of this shard.
//
// The account's file is locked by all shards together, and names their split. It
// is written only by who has it alone, and read by who shares it: so all who share
// it belong to the split that it names. A file of its own keeps each shard single.
func LockShard(ctx context.Context, on FS, dir, account string, s Shard, run, process string, wait time.Duration) (func() error, error) {
	l, err := accountLock(on, dir, account)
	if err != nil {
		return nil, l.failed(ctx, err)
	}
	leave, err := l.share(ctx, run[:min(len(run), mostHolder)], s.Split, wait) // short enough for the split to be found behind it
	if err != nil {
		return nil, l.failed(ctx, err)
	}
	path := fmt.Sprintf("%s-%d.lock", strings.TrimSuffix(l.path, ".lock"), s.Number)
	own := lockFile{fs: on, path: path, what: "shard " + s.String() + " of this file"}
	end, err := own.take(ctx, process, wait)
	if err != nil {
		return nil, errors.Join(own.failed(ctx, err), leave())
	}
	return sync.OnceValue(func() error { return errors.Join(end(), leave()) }), nil
}

// share joins those who share the lock, or is their first. Shards that begin at
// one moment stand in each other's way for another: they look again.
func (l lockFile) share(ctx context.Context, run, split string, wait time.Duration) (leave func() error, err error) {
	err = poll(ctx, max(wait, askingTime), func() (busy *BusyError, err error) {
		leave, busy, err = l.join(split)
		if busy == nil || err != nil {
			return busy, err
		}
		if founded, err := l.found(run, split); !founded || err != nil {
			return busy, err
		}
		leave, busy, err = l.join(split)
		return busy, err
	})
	return leave, err
}

// join shares the lock if it is, or was last, shared by this split.
func (l lockFile) join(split string) (leave func() error, busy *BusyError, err error) {
	leave, ok, err := l.fs.TryShare(l.path)
	switch {
	case err != nil:
		return nil, nil, unlockable(err)
	case !ok:
		return nil, l.busy(), nil
	}
	if _, named, err := l.signed(); err != nil || named != split {
		return nil, l.busy(), errors.Join(err, leave())
	}
	return leave, nil, nil
}

// found names another split, which can be done when nobody has the lock.
func (l lockFile) found(run, split string) (ok bool, err error) {
	unlock, ok, err := l.fs.TryLock(l.path)
	if !ok || err != nil {
		return false, unlockable(err)
	}
	return true, errors.Join(l.sign(run, split), unlock())
}
