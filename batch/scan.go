package batch

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"

	"github.com/tidwall/gjson"
)

// DamageError says that the journal has a bad line before records that were
// already on disk: not a torn end, which a crash leaves, but damage.
type DamageError struct{ Offset int64 }

func (e *DamageError) Error() string {
	return fmt.Sprintf("the journal is damaged at byte %d; try: restore the run's folder from a backup", e.Offset)
}

// Scan calls each for every sound record in order, with its offset, and returns
// the length of the sound part. A torn end is left out: no write has left for
// what follows a record that did not reach the disk.
func Scan(r io.Reader, each func(offset int64, e *Entry) error) (sound int64, err error) {
	return scan(r, decode, each)
}

func scan(r io.Reader, decode func(line []byte) *Entry, each func(offset int64, e *Entry) error) (sound int64, err error) {
	s := scanner{lines: bufio.NewReaderSize(r, 1<<16), decode: decode, badAt: -1}
	for {
		e, offset, err := s.next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return s.sound(), err
		}
		if e == nil {
			continue
		}
		if err := each(offset, e); err != nil {
			return s.sound(), err
		}
	}
	return s.sound(), nil
}

type scanner struct {
	lines  *bufio.Reader
	long   []byte // a line longer than the buffer
	decode func(line []byte) *Entry
	at     int64 // offset of the next line
	seq    int64
	badAt  int64 // offset of the first bad line; -1: none
}

func (s *scanner) sound() int64 {
	if s.badAt >= 0 {
		return s.badAt
	}
	return s.at
}

// next returns one record; nil for a line that is not sound.
func (s *scanner) next() (*Entry, int64, error) {
	line, err := s.line()
	if err != nil && (len(line) == 0 || !errors.Is(err, io.EOF)) {
		return nil, 0, err // a disk that cannot be read has no torn end
	}
	offset := s.at
	s.at += int64(len(line))
	e := s.decode(line)
	switch {
	case s.badAt >= 0:
		if e != nil && e.Durable > s.badAt {
			return nil, 0, &DamageError{s.badAt}
		}
		return nil, 0, nil
	case e == nil || e.Seq != s.seq+1:
		s.badAt = offset
		if e != nil && e.Durable > offset {
			return nil, 0, &DamageError{offset}
		}
		return nil, 0, nil
	}
	s.seq = e.Seq
	return e, offset, nil
}

// line returns the next line, valid until the one after.
func (s *scanner) line() ([]byte, error) {
	line, err := s.lines.ReadSlice('\n')
	if !errors.Is(err, bufio.ErrBufferFull) {
		return line, err
	}
	for s.long = s.long[:0]; errors.Is(err, bufio.ErrBufferFull); line, err = s.lines.ReadSlice('\n') {
		s.long = append(s.long, line...)
	}
	s.long = append(s.long, line...)
	return s.long, err
}

// checked returns the record's text of one line, if its checksum holds.
func checked(line []byte) (body []byte, sound bool) {
	body, found := bytes.CutSuffix(line, []byte("\n"))
	tab := bytes.LastIndexByte(body, '\t')
	if !found || tab < 0 {
		return nil, false
	}
	sum := checksum(body[:tab])
	return body[:tab], bytes.Equal(sum[:], body[tab+1:])
}

// decode returns the record of one line, nil when its checksum does not hold.
func decode(line []byte) *Entry {
	body, sound := checked(line)
	var e Entry
	if !sound || json.Unmarshal(body, &e) != nil {
		return nil
	}
	if e.Found != nil {
		e.Found.Record.Body = e.Found.Body
	}
	return &e
}

// Index finds each row's last words in a journal: 5 bytes a row, and 6 more where
// writes have left, whatever the length of the journal.
type Index struct {
	Head Head
	End  *End // nil: the run goes on, or was killed

	Names json.RawMessage // as Journal.Names recorded them last

	lines  *Window
	intent offsets // the row's last intent
	done   offsets // its outcome, unless a later intent voids it
	sends  []uint8 // intents, but for those that are known to have had no effect; nil: there are none
}

// Load reads a journal of size bytes.
func Load(r io.ReaderAt, size int64) (*Index, error) {
	x := &Index{lines: NewWindow(r)}
	_, err := Skim(io.NewSectionReader(r, 0, size), x.note)
	if err == nil && x.Head.Format == 0 {
		err = &DamageError{0} // there is not even a first record
	}
	return x, err
}

func (x *Index) note(offset int64, e *Entry) error {
	if e.Kind == "run" {
		x.Head = *e.Run
		x.intent, x.done, x.sends = newOffsets(x.Head.Rows), newOffsets(x.Head.Rows), nil
		if x.Head.Format != Format {
			return fmt.Errorf("the journal has format %d; this program reads format %d", x.Head.Format, Format)
		}
		return nil
	}
	if e.Kind == "end" {
		x.End = e.End
		return nil
	}
	x.End = nil // what follows is another process's
	if e.Kind == "names" {
		x.Names = e.Names
		return nil
	}
	if e.Row < 0 || e.Row >= x.Head.Rows {
		return &DamageError{offset}
	}
	if offset > mostOffset {
		return errors.New("the journal is longer than a terabyte")
	}
	if e.Kind == "intent" {
		if x.sends == nil {
			x.sends = make([]uint8, x.Head.Rows)
		}
		x.intent.set(e.Row, offset)
		x.done.clear(e.Row)
		x.sends[e.Row] = uint8(min(int(x.sends[e.Row])+1, math.MaxUint8))
		return nil
	}
	if e.Outcome == nil {
		return &DamageError{offset}
	}
	x.done.set(e.Row, offset)
	if o := e.Outcome; o.Kind == NotAttempted && (!o.Lost || o.Futile) && x.sends != nil { // whatever was sent, the server did not take it
		x.sends[e.Row] = 0
	}
	return nil
}

// sent is how many writes have left for a row, but for those that had no effect.
func (x *Index) sent(n int) int {
	if x.sends == nil {
		return 0
	}
	return int(x.sends[n])
}

// Outcome tells how row n (from 0) ended, with the changes that were sent for it.
func (x *Index) Outcome(n int) (Outcome, error) {
	at, ended := x.done.at(n)
	if !ended {
		return x.unfinished(n)
	}
	var o Outcome
	if err := x.part(at, "o", &o); err != nil {
		return Outcome{}, err
	}
	if at, sent := x.intent.at(n); sent && o.Kind.WasSent() {
		o.Changes = nil
		if err := x.part(at, "c", &o.Changes); err != nil {
			return Outcome{}, err
		}
	}
	return o, nil
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

func (x *Index) unfinished(n int) (Outcome, error) {
	at, sent := x.intent.at(n)
	if !sent {
		return Outcome{Kind: NotAttempted, Code: "stopped"}, nil
	}
	e, err := x.entry(at)
	if err != nil {
		return Outcome{}, err
	}
	return Outcome{Kind: InDoubt, Code: "no_answer", Key: e.Found.Key, ID: e.Found.ID, Changes: e.Changes,
		Sends: x.sent(n), Lost: true, Requests: 2 * x.sent(n), // at least: its reads and its writes
		Error: "the run ended before the answer to this write was recorded"}, nil
}

func (x *Index) entry(offset int64) (*Entry, error) {
	line, err := x.lines.Line(offset)
	if err != nil {
		return nil, err
	}
	e := decode(line)
	if e == nil {
		return nil, &DamageError{offset}
	}
	return e, nil
}
