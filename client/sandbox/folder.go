package sandbox

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/gofrs/flock"
	"github.com/google/renameio/v2/maybe"
	"github.com/tidwall/gjson"
)

// The files of a state's folder.
const (
	ledgerName   = "effects.jsonl"
	snapshotName = "snapshot.jsonl"
	lockName     = "lock"
)

func openStore(o Options) (*store, error) {
	if o.Dir == "" {
		return freshStore(o)
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

func freshStore(o Options) (*store, error) {
	var bodies []json.RawMessage
	if len(o.Seed) > 0 {
		if err := json.Unmarshal(o.Seed, &bodies); err != nil {
			return nil, fmt.Errorf("the seed is no JSON array: %w", err)
		}
	}
	s, err := newSeed(bodies, o.Customers)
	if err != nil {
		return nil, err
	}
	return newStore(s), nil
}

func openLocked(o Options, lock *flock.Flock) (st *store, err error) {
	snapshot, path := filepath.Join(o.Dir, snapshotName), filepath.Join(o.Dir, ledgerName)
	err = os.ErrNotExist
	if !o.Reset {
		st, err = readSnapshot(snapshot)
	}
	if errors.Is(err, os.ErrNotExist) {
		if st, err = freshStore(o); err != nil {
			return nil, err
		}
		if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
			return nil, err
		}
		err = writeSnapshot(snapshot, st)
	}
	if err != nil {
		return nil, err
	}
	end, err := replay(path, st.redo)
	if err != nil {
		return nil, err
	}
	if end > int64(cmp.Or(o.foldAbove, 64<<20)) {
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
	st.ledger = &ledger{lock: lock, file: f}
	return st, nil
}

// ledger records the effects: in memory, or in the folder's file, where each stands
// before the caller gets its answer. It is not synced: the state need outlive the
// process, not a power cut.
type ledger struct {
	effects []Effect // in memory

	file *os.File // nil: in memory
	lock *flock.Flock
	err  error // after a failed append the file's tail is unknown, and nothing more is written
}

func (l *ledger) append(e Effect) error {
	switch {
	case l.file == nil:
		l.effects = append(l.effects, e)
	case l.err == nil:
		_, l.err = l.file.Write(append(encode(e), '\n'))
	}
	return l.err
}

func (l *ledger) all() []Effect {
	if l.file == nil {
		return slices.Clone(l.effects)
	}
	var out []Effect
	_, _ = replay(l.file.Name(), func(e Effect) { out = append(out, e) }) // what can be read is what there is
	return out
}

func (l *ledger) close() error {
	if l.file == nil {
		return nil
	}
	return errors.Join(l.file.Close(), l.lock.Unlock())
}

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

// A snapshot is JSON lines: the heading, the seed's customers, the edited
// affiliates (none in a snapshot that is older than they), the edited customers.
type heading struct {
	Format     int       `json:"format"`
	Seq        int64     `json:"seq"` // of the last effect it holds
	At         time.Time `json:"at"`
	Seeds      int       `json:"seeds"`
	Customers  int       `json:"customers"`
	Affiliates int       `json:"affiliates,omitempty"` // edited ones
}

func writeSnapshot(path string, st *store) error {
	var b bytes.Buffer
	line := func(raw []byte) { b.Write(raw); b.WriteByte('\n') }
	line(encode(heading{1, st.seq, st.clock, len(st.seed.templates), st.seed.count, len(st.affiliates.edited)}))
	for _, t := range st.seed.templates {
		line(t.own)
	}
	for _, all := range []*records{st.affiliates, st.customers} {
		for _, body := range all.edited {
			line(body)
		}
	}
	return maybe.WriteFile(path, b.Bytes(), 0o600)
}

func readSnapshot(path string) (*store, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	st, err := loadSnapshot(bufio.NewReader(f))
	if err != nil {
		return nil, fmt.Errorf("%s cannot be read: %w; try: start anew with --reset", path, err)
	}
	return st, nil
}

func loadSnapshot(r *bufio.Reader) (*store, error) {
	var head heading
	first, err := r.ReadBytes('\n')
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(first, &head); err != nil {
		return nil, err
	}
	if head.Format != 1 {
		return nil, fmt.Errorf("format %d is not known to this version", head.Format)
	}
	var bodies []json.RawMessage
	for range head.Seeds {
		line, err := r.ReadBytes('\n')
		if err != nil {
			return nil, err
		}
		bodies = append(bodies, line)
	}
	s, err := newSeed(bodies, head.Customers)
	if err != nil {
		return nil, err
	}
	st := newStore(s)
	st.seq, st.clock = head.Seq, head.At
	edited := func(all *records) error {
		line, err := r.ReadBytes('\n')
		if err != nil {
			return err
		}
		body := bytes.TrimSuffix(line, []byte("\n"))
		all.edited[gjson.GetBytes(body, all.idField).Int()] = body
		return nil
	}
	for range head.Affiliates {
		if err := edited(st.affiliates); err != nil {
			return nil, err
		}
	}
	for {
		if err := edited(st.customers); err != nil {
			return st, ignoreEOF(err)
		}
	}
}
