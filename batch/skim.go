package batch

import (
	"bytes"
	"io"
	"strconv"

	"github.com/tidwall/gjson"
)

// Skim is Scan for whoever wants to know where the records stand: those of rows
// lack what was found, changed and answered. Of an outcome there are its kind and
// whether an answer was lost. They are valid until each returns.
func Skim(r io.Reader, each func(offset int64, e *Entry) error) (sound int64, err error) {
	return scan(r, newSkimmer().decode, each)
}

// skimmer reads the first words of a line, which are always the same: a journal
// of a million rows is gone through several times in a run's life.
type skimmer struct {
	kinds   map[string]Kind
	entry   Entry
	outcome Outcome
}

func newSkimmer() *skimmer {
	s := &skimmer{kinds: map[string]Kind{}}
	for _, k := range Kinds() {
		s.kinds[string(k)] = k
	}
	return s
}

// decode returns what decode does, as far as it is wanted; nil for a line that is not sound.
func (s *skimmer) decode(line []byte) *Entry {
	body, sound := checked(line)
	if !sound {
		return nil
	}
	if s.skim(body) && gjson.ValidBytes(body) {
		return &s.entry
	}
	return decode(line)
}

// skim reads a record about a row, as encode wrote it.
func (s *skimmer) skim(body []byte) (ok bool) {
	w := words{rest: body}
	e := Entry{}
	w.expect(`{"s":`)
	e.Seq = w.number()
	w.expect(`,"k":"`)
	kind := w.text()
	w.expect(`,"d":`)
	e.Durable = w.number()
	w.expect(`,"r":`)
	e.Row = int(w.number())
	switch string(kind) {
	case "intent":
		e.Kind = "intent"
	case "done":
		e.Kind = "done"
		w.expect(`,"o":{"k":"`)
		if s.outcome.Kind, ok = s.kinds[string(w.text())]; !ok {
			return false
		}
		s.outcome.Lost = bytes.Contains(w.rest, []byte(`"lost":`)) && gjson.GetBytes(body, "o.lost").Bool()
		e.Outcome = &s.outcome
	default:
		return false
	}
	s.entry = e
	return !w.failed
}

// words takes expected words off a text.
type words struct {
	rest   []byte
	failed bool
}

func (w *words) expect(text string) {
	rest, ok := bytes.CutPrefix(w.rest, []byte(text))
	w.rest, w.failed = rest, w.failed || !ok
}

// number takes off a whole number.
func (w *words) number() int64 {
	end := 0
	for end < len(w.rest) && w.rest[end] >= '0' && w.rest[end] <= '9' {
		end++
	}
	n, err := strconv.ParseInt(string(w.rest[:end]), 10, 64)
	w.rest, w.failed = w.rest[end:], w.failed || err != nil
	return n
}

// text takes off the rest of a string, and the quotation mark that ends it.
func (w *words) text() []byte {
	text, rest, ok := bytes.Cut(w.rest, []byte{'"'})
	w.rest, w.failed = rest, w.failed || !ok || bytes.IndexByte(text, '\\') >= 0
	return text
}
