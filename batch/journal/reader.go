package journal

import (
	"bufio"
	"errors"
	"fmt"
	"io"
)

// DamageError is the error of a journal with a bad line before records that were
// already on disk: not a torn end, which a crash leaves, but damage.
type DamageError struct{ Offset int64 }

func (e *DamageError) Error() string {
	return fmt.Sprintf("the journal is damaged at byte %d; try: restore the run's folder from a backup", e.Offset)
}

// scan calls each for every sound record in order, skimmed, with its offset, and
// returns the length of the sound part. A torn end is left out: no write has left
// for what follows a record that did not reach the disk.
func scan(r io.Reader, each func(offset int64, e *Entry) error) (sound int64, err error) {
	s := scanner{lines: bufio.NewReaderSize(r, 1<<16), badAt: -1}
	for err == nil {
		var e *Entry
		var offset int64
		if e, offset, err = s.next(); e != nil && err == nil {
			err = each(offset, e)
		}
	}
	if errors.Is(err, io.EOF) {
		err = nil
	}
	if s.badAt >= 0 {
		return s.badAt, err
	}
	return s.at, err
}

// ReadHead reads the first record alone.
func ReadHead(r io.Reader) (Head, error) {
	line, err := bufio.NewReader(r).ReadBytes('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return Head{}, err
	}
	e := decode(line)
	if e == nil || e.Run == nil {
		return Head{}, &DamageError{0}
	}
	return *e.Run, nil
}

type scanner struct {
	lines *bufio.Reader
	long  []byte // a line longer than the buffer
	at    int64  // offset of the next line
	seq   int64
	badAt int64 // offset of the first bad line; -1: none
}

// next returns one record; nil for a line that is not sound.
func (s *scanner) next() (*Entry, int64, error) {
	line, err := s.line()
	if err != nil && (len(line) == 0 || !errors.Is(err, io.EOF)) {
		return nil, 0, err // a disk that cannot be read has no torn end
	}
	offset := s.at
	s.at += int64(len(line))
	e := skim(line)
	if s.badAt < 0 && e != nil && e.Seq == s.seq+1 {
		s.seq = e.Seq
		return e, offset, nil
	}
	if s.badAt < 0 {
		s.badAt = offset
	}
	if e != nil && e.Durable > s.badAt {
		return nil, 0, &DamageError{s.badAt}
	}
	return nil, 0, nil
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
