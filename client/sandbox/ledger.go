package sandbox

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"github.com/gofrs/flock"
)

// ledger records the effects: in memory, or in the folder's ledger file.
type ledger interface {
	append(Effect) error
	all() []Effect
	close() error
}

type memoryLedger struct{ effects []Effect }

func (l *memoryLedger) append(e Effect) error { l.effects = append(l.effects, e); return nil }
func (l *memoryLedger) all() []Effect         { return slices.Clone(l.effects) }
func (l *memoryLedger) close() error          { return nil }

// fileLedger appends each effect before the caller gets its answer. It is not
// synced: the state need outlive the process, not a power cut.
type fileLedger struct {
	lock *flock.Flock
	file *os.File
	err  error // after a failed append the file's tail is unknown, and nothing more is written
}

const (
	ledgerName   = "effects.jsonl"
	snapshotName = "snapshot.jsonl"
	lockName     = "lock"
)

func (l *fileLedger) append(e Effect) error {
	if l.err == nil {
		_, l.err = l.file.Write(append(encode(e), '\n'))
	}
	return l.err
}

func (l *fileLedger) all() []Effect {
	var out []Effect
	_, _ = replay(l.file.Name(), func(e Effect) { out = append(out, e) }) // what can be read is what there is
	return out
}

func (l *fileLedger) close() error { return errors.Join(l.file.Close(), l.lock.Unlock()) }

// replay calls each for every effect in the file and returns where the last
// whole line ends. A torn last line is left out; damage before it is an error.
func replay(path string, each func(Effect)) (end int64, err error) {
	f, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	defer func() { _ = f.Close() }()
	r := bufio.NewReader(f)
	for {
		line, err := r.ReadBytes('\n')
		if err != nil {
			return end, ignoreEOF(err)
		}
		var e Effect
		if bad := json.Unmarshal(line, &e); bad != nil {
			if _, more := r.Peek(1); more == io.EOF {
				return end, nil
			}
			return end, fmt.Errorf("%s is damaged at byte %d: %w; try: start anew with --reset", path, end, bad)
		}
		each(e)
		end += int64(len(line))
	}
}

func ignoreEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}

func openStore(o Options) (*store, error) {
	if o.Dir == "" {
		h, err := newHerd(o.Seed, o.Customers)
		st := newStore(h)
		st.ledger = &memoryLedger{}
		return st, err
	}
	if err := os.MkdirAll(o.Dir, 0o700); err != nil {
		return nil, err
	}
	lock := flock.New(filepath.Join(o.Dir, lockName), flock.SetPermissions(0o600))
	switch held, err := lock.TryLock(); {
	case err != nil:
		return nil, err
	case !held:
		return nil, fmt.Errorf("%s: %w", o.Dir, ErrInUse)
	}
	st, err := openLocked(o, lock)
	if err != nil {
		return nil, errors.Join(err, lock.Unlock())
	}
	return st, nil
}

func openLocked(o Options, lock *flock.Flock) (*store, error) {
	snapshot, path := filepath.Join(o.Dir, snapshotName), filepath.Join(o.Dir, ledgerName)
	st, err := firstState(o, snapshot, path)
	if err != nil {
		return nil, err
	}
	end, err := replay(path, st.redo)
	if err != nil {
		return nil, err
	}
	if end > int64(positive(o.foldAbove, 64<<20)) {
		if err := writeSnapshot(snapshot, st); err != nil {
			return nil, err
		}
		end = 0 // should this fail below, redo passes over what the snapshot holds
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR|os.O_APPEND, 0o600)
	if err != nil {
		return nil, err
	}
	if err := os.Truncate(path, end); err != nil { // by name: on Windows a file open for appending cannot be cut
		return nil, errors.Join(err, f.Close())
	}
	st.ledger = &fileLedger{lock: lock, file: f}
	return st, nil
}

// redo takes an effect of the ledger up, unless the snapshot holds it already.
func (st *store) redo(e Effect) {
	if e.Seq <= st.seq {
		return
	}
	st.seq, st.clock = e.Seq, e.At
	if b, id, ok := st.locate(e.ID); ok {
		b.edited[id] = bytes.Clone(e.After)
	}
}

// firstState is the snapshot's, or on the first opening and on Reset the seed's.
func firstState(o Options, snapshot, path string) (*store, error) {
	if !o.Reset {
		st, err := readSnapshot(snapshot)
		if !errors.Is(err, os.ErrNotExist) {
			return st, err
		}
	}
	h, err := newHerd(o.Seed, o.Customers)
	if err != nil {
		return nil, err
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	st := newStore(h)
	return st, writeSnapshot(snapshot, st)
}
