package invariants

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

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
		eachLine(filepath.Join(dir, "snapshot.jsonl"), func(line []byte) error {
			f := gjson.GetManyBytes(line, "id", "customer_id")
			switch {
			case f[0].Exists():
				l.Born[f[0].Raw] = line
			case f[1].Exists():
				l.Born["tf:"+f[1].String()] = line
			}
			return nil
		}),
		eachLine(filepath.Join(dir, "effects.jsonl"), func(line []byte) error {
			var e sandbox.Effect
			err := json.Unmarshal(line, &e)
			l.Effects = append(l.Effects, e)
			return err
		}))
	if err != nil {
		return nil, err
	}
	now := map[string]json.RawMessage{} // each effect begins where the last one of its customer ended
	for i, e := range l.Effects {
		was, known := now[e.ID]
		if !known {
			was, known = l.Born[e.ID]
		}
		if known && !bytes.Equal(was, e.Before) || i > 0 && e.Seq != l.Effects[i-1].Seq+1 {
			return l, fmt.Errorf("the ledger has a gap before effect %d on customer %s", e.Seq, e.ID)
		}
		now[e.ID] = e.After
	}
	return l, nil
}

func eachLine(name string, do func([]byte) error) error {
	text, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	for line := range bytes.Lines(text) {
		line, whole := bytes.CutSuffix(line, []byte("\n"))
		if !whole {
			break
		}
		if err := do(line); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return err
}

// After returns the ledger without the effects up to this one: those of a run that
// began when it was the last.
func (l *Ledger) After(seq int64) *Ledger {
	later := slices.DeleteFunc(slices.Clone(l.Effects), func(e sandbox.Effect) bool { return e.Seq <= seq })
	return &Ledger{l.Born, later}
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

// effect is a write of the ledger that an intent accounts for.
type effect struct {
	*sandbox.Effect
	taken bool // the record shows all that was asked for
}

// attribute finds for each effect the intent that it is of: a customer's effects
// come in the order of its intents, and none before its own. It reports an effect
// that no intent is left for.
func attribute(run *Run, ledger *Ledger, b *breaches) {
	ours := map[string][]*sandbox.Effect{} // by customer
	subscribed := map[string]string{}      // the ledger's ids of Trackfinity's customers, by their subscriptions
	for i, e := range ledger.Effects {
		if e.Kind == edited {
			continue
		}
		if s := gjson.GetBytes(e.Before, "subscription_id"); s.Exists() {
			subscribed["subscription_id="+s.String()] = e.ID
		}
		ours[e.ID] = append(ours[e.ID], &ledger.Effects[i])
	}
	intents := map[string][]*record{}
	for i := range run.records {
		r := &run.records[i]
		if !r.isIntent() {
			continue
		}
		r.effects = nil // of an earlier check of the same run
		number, byNumber := strings.CutPrefix(r.Found.Key, "customer_id=")
		switch {
		case r.Found.Act != "patch":
			r.customer = r.Found.ID
		case byNumber:
			r.customer = "tf:" + number
		default:
			r.customer = subscribed[r.Found.Key]
		}
		intents[r.customer] = append(intents[r.customer], r)
	}
	for customer, effects := range ours {
		limit := len(intents[customer])
		for _, e := range slices.Backward(effects) {
			if at := lastOf(intents[customer][:limit], e); at >= 0 {
				i := intents[customer][at]
				i.effects = append(i.effects, &effect{e, taken(i, e)})
				limit = at
			} else if i := slices.IndexFunc(intents[customer], func(i *record) bool { return len(i.effects) > 0 && mayBe(i, e) }); i >= 0 {
				row := intents[customer][i].Row
				b.add(3, "%s: effect %d (%s) on customer %s is one more than there are intents", run.line(row), e.Seq, e.Kind, e.ID)
			} else {
				b.add(4, "effect %d (%s) on customer %s has no earlier intent", e.Seq, e.Kind, e.ID)
			}
		}
	}
}

// lastOf returns the last intent that can be the effect's, those first whose values
// it shows; -1 for none.
func lastOf(intents []*record, e *sandbox.Effect) int {
	at := -1
	for n, i := range slices.Backward(intents) {
		if !mayBe(i, e) {
			continue
		}
		if taken(i, e) {
			return n
		}
		at = max(at, n)
	}
	return at
}

// mayBe reports whether an effect is of the intent's kind, and not earlier than it.
func mayBe(i *record, e *sandbox.Effect) bool {
	kinds := map[string][]string{"update": {"put"}, "latch": {"latch", "unlatch"}} // all others are called alike
	return (e.Kind == i.Found.Act || slices.Contains(kinds[i.Found.Act], e.Kind)) && !i.At.After(e.At)
}

// taken reports whether the record that an effect left shows all that the intent asked for.
func taken(i *record, e *sandbox.Effect) bool {
	switch i.Found.Act {
	case "unhold":
		return gjson.GetBytes(e.After, "status").Str != "Hold"
	case "hold":
		return gjson.GetBytes(e.After, "status").Str == "Hold"
	}
	return shows(e.After, i.Changes)
}
