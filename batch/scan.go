package batch

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
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
	s := scanner{lines: bufio.NewReaderSize(r, 1<<16), badAt: -1}
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
	lines *bufio.Reader
	at    int64 // offset of the next line
	seq   int64
	badAt int64 // offset of the first bad line; -1: none
}

func (s *scanner) sound() int64 {
	if s.badAt >= 0 {
		return s.badAt
	}
	return s.at
}

// next returns one record; nil for a line that is not sound.
func (s *scanner) next() (*Entry, int64, error) {
	line, err := s.lines.ReadBytes('\n')
	if err != nil && (len(line) == 0 || !errors.Is(err, io.EOF)) {
		return nil, 0, err // a disk that cannot be read has no torn end
	}
	offset := s.at
	s.at += int64(len(line))
	e := decode(line)
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

// decode returns the record of one line, nil when its checksum does not hold.
func decode(line []byte) *Entry {
	body, found := bytes.CutSuffix(line, []byte("\n"))
	tab := bytes.LastIndexByte(body, '\t')
	if !found || tab < 0 || checksum(body[:tab]) != string(body[tab+1:]) {
		return nil
	}
	var e Entry
	if json.Unmarshal(body[:tab], &e) != nil {
		return nil
	}
	if e.Found != nil {
		e.Found.Record.Body = e.Found.Body
	}
	return &e
}

// Index finds each row's last words in a journal: 16 bytes a row, whatever the
// length of the journal.
type Index struct {
	Head Head
	End  *End // nil: the run goes on, or was killed

	Names json.RawMessage // as Journal.Names recorded them last

	r      io.ReaderAt
	lines  *bufio.Reader // one for all rows: a fresh buffer each would be the report's main cost
	intent []int64       // offset of the row's last intent, plus one
	done   []int64       // offset of its outcome, plus one, unless a later intent voids it
	sends  []uint8       // intents, but for those that are known to have had no effect
}

// Load reads a journal of size bytes.
func Load(r io.ReaderAt, size int64) (*Index, error) {
	x := &Index{r: r, lines: bufio.NewReader(nil)}
	_, err := Scan(io.NewSectionReader(r, 0, size), x.note)
	if err == nil && x.Head.Format == 0 {
		err = &DamageError{0} // there is not even a first record
	}
	return x, err
}

func (x *Index) note(offset int64, e *Entry) error {
	if e.Kind == "run" {
		x.Head = *e.Run
		x.intent, x.done, x.sends = make([]int64, x.Head.Rows), make([]int64, x.Head.Rows), make([]uint8, x.Head.Rows)
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
	if e.Row < 0 || e.Row >= len(x.done) {
		return &DamageError{offset}
	}
	if e.Kind == "intent" {
		x.intent[e.Row], x.done[e.Row] = offset+1, 0
		x.sends[e.Row] = uint8(min(int(x.sends[e.Row])+1, math.MaxUint8))
		return nil
	}
	x.done[e.Row] = offset + 1
	if e.Outcome.Kind == NotAttempted && !e.Outcome.Lost { // whatever was sent, the server answered that it did not take it
		x.sends[e.Row] = 0
	}
	return nil
}

// Outcome tells how row n (from 0) ended, with the changes that were sent for it.
func (x *Index) Outcome(n int) (Outcome, error) {
	if x.done[n] == 0 {
		return x.unfinished(n)
	}
	e, err := x.entry(x.done[n] - 1)
	if err != nil {
		return Outcome{}, err
	}
	o := *e.Outcome
	if o.Kind.WasSent() && x.intent[n] != 0 {
		i, err := x.entry(x.intent[n] - 1)
		if err != nil {
			return Outcome{}, err
		}
		o.Changes = i.Changes
	}
	return o, nil
}

func (x *Index) unfinished(n int) (Outcome, error) {
	if x.intent[n] == 0 {
		return Outcome{Kind: NotAttempted, Code: "stopped"}, nil
	}
	e, err := x.entry(x.intent[n] - 1)
	if err != nil {
		return Outcome{}, err
	}
	return Outcome{Kind: InDoubt, Code: "no_answer", Key: e.Found.Key, ID: e.Found.ID, Changes: e.Changes,
		Sends: int(x.sends[n]), Lost: true, Requests: 2 * int(x.sends[n]), // at least: its reads and its writes
		Error: "the run ended before the answer to this write was recorded"}, nil
}

func (x *Index) entry(offset int64) (*Entry, error) {
	x.lines.Reset(io.NewSectionReader(x.r, offset, math.MaxInt64-offset))
	line, err := x.lines.ReadBytes('\n')
	if err != nil {
		return nil, err
	}
	e := decode(line)
	if e == nil {
		return nil, &DamageError{offset}
	}
	return e, nil
}
