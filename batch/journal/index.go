package journal

import (
	"encoding/json"
	"io"
	"math"
	"slices"
	"time"

	"github.com/tidwall/gjson"

	"rowbatch/batch"
)

// Index is what one reading of a journal tells of its run, and where each row's
// last records stand in it: at most 18 bytes a row, whatever the journal's length.
type Index struct {
	Head  Head
	End   *End            // nil: the run goes on, or was killed
	Names json.RawMessage // as Writer.Names recorded them last
	Sound int64           // bytes; what follows is a torn end

	lines   *Window
	seq     int64         // of the last record
	worked  time.Duration // of all processes together
	last    time.Time     // outcome, to which worked reaches; zero: none since an end
	intents int
	kinds   []batch.Kind // that rows have ended with
	words   []uint8      // by row: what its newest record says, as a place in kinds
	intent  []int64      // by row: where its last intent stands; nil, or 0, where there is none
	done    []int64      // by row: where its outcome stands, unless a later intent voids it; likewise
	sends   []uint8      // by row: intents, but for those that are known to have had no effect
}

// Load reads a journal of size bytes. With an error comes what was read before it.
func Load(r io.ReaderAt, size int64) (x *Index, err error) {
	x = &Index{lines: NewWindow(r), kinds: append([]batch.Kind{batch.NotAttempted}, batch.Kinds()...)}
	x.Sound, err = scan(io.NewSectionReader(r, 0, size), x.note)
	if err == nil && x.Head.Format == 0 {
		err = &DamageError{0} // there is not even a first record
	}
	return x, err
}

// note takes up the next record. This is the one place that says what a
// sequence of records means.
func (x *Index) note(offset int64, e *Entry) error {
	x.seq, x.End = e.Seq, e.End // an end that others follow was that of an earlier process
	rows := x.Head.Rows
	switch {
	case (e.Run == nil) == (x.Head.Format == 0): // the first record is the head, and no other
		return &DamageError{offset}
	case e.Run != nil:
		x.last = e.Run.Started
		return x.begin(*e.Run)
	case e.Kind == "end":
		if e.End != nil {
			x.worked, x.last = time.Duration(e.End.Seconds*float64(time.Second)), time.Time{}
		}
		return nil
	case e.Kind == "names":
		x.Names = e.Names
		return nil
	case e.Row < 0 || e.Row >= len(x.words) || e.Kind != "intent" && e.Outcome == nil:
		return &DamageError{offset}
	case e.Kind == "intent":
		if x.intent == nil {
			x.intent = make([]int64, rows)
		}
		x.intents++
		x.intent[e.Row] = offset
		if x.done != nil {
			x.done[e.Row] = 0
		}
		x.sends[e.Row] = uint8(min(int(x.sends[e.Row])+1, math.MaxUint8))
		x.words[e.Row] = x.word(batch.InDoubt)
		return nil
	}
	if x.done == nil {
		x.done = make([]int64, rows)
	}
	o := e.Outcome
	if o.At.After(x.last) {
		if !x.last.IsZero() { // else a process has gone on after an end: it begins here
			x.worked += o.At.Sub(x.last)
		}
		x.last = o.At
	}
	x.done[e.Row], x.words[e.Row] = offset, x.word(o.Kind)
	if o.Kind == batch.NotAttempted && (!o.Lost || o.Futile) { // whatever was sent, the server did not take it
		x.sends[e.Row] = 0
	}
	return nil
}

func (x *Index) begin(h Head) error {
	x.Head = h
	if h.Format != Format && h.Format != OldFormat {
		return &FormatError{h.Format, h.Program}
	}
	if h.Mode != ModeExport { // whose rows have no outcomes
		x.words, x.sends = make([]uint8, h.Rows), make([]uint8, h.Rows)
	}
	return nil
}

func (x *Index) word(k batch.Kind) uint8 {
	at := slices.Index(x.kinds, k)
	if at < 0 { // of a later version
		at = len(x.kinds)
		x.kinds = append(x.kinds, k)
	}
	return uint8(at)
}

// Counts returns how many rows have ended in which way: a row without a word is
// not_attempted, one whose write has no answer in_doubt.
func (x *Index) Counts() map[batch.Kind]int {
	counts := map[batch.Kind]int{}
	for _, at := range x.words {
		counts[x.kinds[at]]++
	}
	return counts
}

// Writes returns how many writes may have left, one for each intent, and for how many rows.
func (x *Index) Writes() (writes, rows int) {
	for n := range x.intent {
		if x.intent[n] != 0 {
			rows++
		}
	}
	return x.intents, rows
}

// Wrote reports whether a write may have left.
func (x *Index) Wrote() bool { return x.intents > 0 }

// Outcome tells how row n (from 0) ended, with the changes that were sent for it.
func (x *Index) Outcome(n int) (o batch.Outcome, err error) {
	intent, done := placeOf(x.intent, n), placeOf(x.done, n)
	switch {
	case done != 0:
		if err := x.part(done, "o", &o); err != nil {
			return batch.Outcome{}, err
		}
		if intent == 0 || !o.Kind.WasSent() || o.Changes != nil { // the last with what was stored in their place
			return o, nil
		}
		return o, x.part(intent, "c", &o.Changes)
	case intent == 0:
		return batch.Outcome{Kind: batch.NotAttempted, Code: "stopped"}, nil
	}
	e, err := x.entry(intent)
	if err != nil {
		return batch.Outcome{}, err
	}
	return batch.Outcome{Kind: batch.InDoubt, Code: batch.Unanswered(e.Changes), Key: e.Found.Key, ID: e.Found.ID, Changes: e.Changes,
		Sends: int(x.sends[n]), Efforts: batch.Efforts{Lost: true}, Requests: 2 * int(x.sends[n]), // at least: its reads and its writes
		Error: "the run ended before the answer to this write was recorded"}, nil
}

// placeOf returns where a row's record stands, 0 for none: the head stands there.
func placeOf(places []int64, row int) int64 {
	if places == nil {
		return 0
	}
	return places[row]
}

// part reads one member of a record: the customer beside it may be long. What the
// record lacks stays as it is.
func (x *Index) part(at int64, name string, to any) error {
	line, err := x.lines.Line(at)
	if err != nil {
		return err
	}
	body, sound := checked(line)
	raw := gjson.GetBytes(body, name).Raw
	if !sound || raw != "" && json.Unmarshal([]byte(raw), to) != nil {
		return &DamageError{at}
	}
	return nil
}

func (x *Index) entry(at int64) (*Entry, error) {
	line, err := x.lines.Line(at)
	if err != nil {
		return nil, err
	}
	e := decode(line)
	if e == nil || e.Found == nil {
		return nil, &DamageError{at}
	}
	return e, nil
}

// Sent returns row n's last write; nil when none left.
func (x *Index) Sent(n int) (*batch.Sent, error) {
	at := placeOf(x.intent, n)
	if at == 0 {
		return nil, nil
	}
	e, err := x.entry(at)
	if err != nil {
		return nil, err
	}
	o, err := x.Outcome(n)
	s := &batch.Sent{N: n, Found: *e.Found, Changes: e.Changes, Outcome: o, At: e.At}
	if o.Kind.WasSent() {
		s.Changes = o.Changes
	}
	return s, err
}

// Witnesses returns up to most customers whom the run has read, with the id, the
// time of creation and the currency that they were found with.
func (x *Index) Witnesses(most int) (all []batch.Record, err error) {
	for n := range x.words {
		if len(all) == most {
			break
		}
		var r batch.Record
		if sent, err := x.Sent(n); err != nil {
			return nil, err
		} else if sent != nil {
			r = sent.Found.Record
		} else if placeOf(x.done, n) != 0 {
			o, err := x.Outcome(n)
			if err != nil {
				return nil, err
			}
			r = batch.Record{ID: o.ID, Created: o.Created, Currency: o.Currency}
		}
		if r.ID != "" && r.Created != "" {
			all = append(all, r)
		}
	}
	return all, nil
}

// Worked is how many seconds the processes of the run took together, each until its end or,
// if it was killed, its last outcome.
func (x *Index) Worked() float64 {
	return float64(x.worked.Round(time.Millisecond).Milliseconds()) / 1000
}

// Costs is what the run has cost so far. Of a process that was killed only the
// requests of rows with an outcome are known, and the time until the last of these.
func (x *Index) Costs() End {
	if x.End != nil {
		return *x.End
	}
	e := End{Seconds: x.Worked()}
	for n := range x.words {
		o, err := x.Outcome(n)
		if err != nil {
			continue // whoever needs the row itself is told
		}
		e.Writes += o.Sends
		e.Reads += max(0, o.Requests-o.Sends)
	}
	return e
}
