package checker

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/tidwall/gjson"

	"rowbatch/client/sandbox"
)

// Ledger is what a sandbox's folder tells: the records that its snapshot holds,
// and every write since, in order.
type Ledger struct {
	Born    map[string]json.RawMessage // by the ids of the effects; Trackfinity's only when they had been edited by then
	Effects []sandbox.Effect
}

// ReadLedger reads a sandbox's folder, which may be in use: a line that is being
// written is left out. A ledger with a gap is an error, since nothing can be held against it.
func ReadLedger(dir string) (*Ledger, error) {
	l := &Ledger{Born: map[string]json.RawMessage{}}
	err := errors.Join(
		eachLine(filepath.Join(dir, "snapshot.jsonl"), l.bear),
		eachLine(filepath.Join(dir, "effects.jsonl"), l.take))
	if err != nil {
		return nil, err
	}
	return l, l.whole()
}

func eachLine(name string, do func([]byte) error) error {
	text, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	for err == nil {
		line, rest, found := bytes.Cut(text, []byte("\n"))
		if !found {
			return nil
		}
		text = rest
		if err = do(line); err != nil {
			err = fmt.Errorf("%s: %w", name, err)
		}
	}
	return err
}

func (l *Ledger) bear(line []byte) error {
	f := gjson.GetManyBytes(line, "id", "customer_id")
	switch {
	case f[0].Exists():
		l.Born[f[0].Raw] = line
	case f[1].Exists():
		l.Born["tf:"+f[1].String()] = line
	}
	return nil
}

func (l *Ledger) take(line []byte) error {
	var e sandbox.Effect
	err := json.Unmarshal(line, &e)
	l.Effects = append(l.Effects, e)
	return err
}

// whole wants each effect to begin where the last one of its customer ended.
func (l *Ledger) whole() error {
	now := map[string]json.RawMessage{}
	for i, e := range l.Effects {
		was, known := now[e.ID]
		if !known {
			was, known = l.Born[e.ID]
		}
		if known && !bytes.Equal(was, e.Before) || i > 0 && e.Seq != l.Effects[i-1].Seq+1 {
			return fmt.Errorf("the ledger has a gap before effect %d on customer %s", e.Seq, e.ID)
		}
		now[e.ID] = e.After
	}
	return nil
}

// After returns the ledger without the effects up to this one: those of a run that
// began when it was the last.
func (l *Ledger) After(seq int64) *Ledger {
	later := &Ledger{Born: l.Born}
	for _, e := range l.Effects {
		if e.Seq > seq {
			later.Effects = append(later.Effects, e)
		}
	}
	return later
}

// Last is the number of the last effect, 0 when there is none.
func (l *Ledger) Last() int64 {
	if len(l.Effects) == 0 {
		return 0
	}
	return l.Effects[len(l.Effects)-1].Seq
}

// edited is the kind of an effect that somebody else had.
const edited = "edit"

// ours are the effects of runs, by customer.
func (l *Ledger) ours() map[string][]*sandbox.Effect {
	all := map[string][]*sandbox.Effect{}
	for i, e := range l.Effects {
		if e.Kind != edited {
			all[e.ID] = append(all[e.ID], &l.Effects[i])
		}
	}
	return all
}
