package runs

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"
)

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
func LockShard(ctx context.Context, dir, account string, s Shard, run, process string, wait time.Duration) (release func() error, err error) {
	return LockShardOn(ctx, Disk(), dir, account, s, run, process, wait)
}

// LockShardOn is LockShard on another file system.
func LockShardOn(ctx context.Context, on FS, dir, account string, s Shard, run, process string, wait time.Duration) (release func() error, err error) {
	l := accountLock(on, dir, account)
	if err := on.MkdirAll(dir, 0o700); err != nil {
		return nil, l.failed(ctx, err)
	}
	leave, err := l.share(ctx, shortened(run), s.Split, wait)
	if err != nil {
		return nil, l.failed(ctx, err)
	}
	own := lockFile{fs: on, path: fmt.Sprintf("%s-%d.lock", strings.TrimSuffix(l.path, ".lock"), s.Number), what: "shard " + s.String() + " of this file"}
	end, err := own.take(ctx, process, wait)
	if err != nil {
		return nil, errors.Join(own.failed(ctx, err), leave())
	}
	return sync.OnceValue(func() error { return errors.Join(end(), leave()) }), nil
}

// shortened keeps a holder short enough for the split to be found behind it.
func shortened(holder string) string { return holder[:min(len(holder), mostHolder)] }

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
	if named, err := l.split(); err != nil || named != split {
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

// split is the second line of the file, "" for none.
func (l lockFile) split() (string, error) {
	f, err := l.fs.OpenFile(l.path, os.O_RDONLY, 0)
	if err != nil {
		return "", err
	}
	defer f.Close()
	text := make([]byte, 2*mostHolder)
	n, _ := f.ReadAt(text, 1) // the end of a short file is no trouble here
	_, second, _ := strings.Cut(string(text[:n]), "\n")
	second, _, _ = strings.Cut(second, "\n")
	return second, nil
}
