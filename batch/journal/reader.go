package journal

import (
	"bufio"
	"bytes"
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
	lines := bufio.NewReaderSize(r, 1<<16)
	var at, seq int64  // where the next line starts; the last sound record's number
	badAt := int64(-1) // where the first bad line starts; -1: none is
	for err == nil {
		var line []byte
		line, err = lines.ReadSlice('\n')
		if errors.Is(err, bufio.ErrBufferFull) {
			begun := bytes.Clone(line) // reading on overwrites it
			line, err = lines.ReadBytes('\n')
			line = append(begun, line...)
		}
		if err != nil && (len(line) == 0 || !errors.Is(err, io.EOF)) {
			break // a disk that cannot be read has no torn end
		}
		offset, e := at, skim(line)
		at += int64(len(line))
		if badAt < 0 && e != nil && e.Seq == seq+1 {
			seq, err = e.Seq, each(offset, e)
			continue
		}
		if badAt < 0 {
			badAt = offset
		}
		if e != nil && e.Durable > badAt {
			err = &DamageError{badAt}
		}
	}
	if errors.Is(err, io.EOF) {
		err = nil
	}
	if badAt >= 0 {
		return badAt, err
	}
	return at, err
}

// ReadEnd reads the last record alone, of a journal of size bytes; nil when it is no end.
func ReadEnd(r io.ReaderAt, size int64) (*End, error) {
	const longest = 16 << 10
	tail := make([]byte, min(size, longest))
	if _, err := r.ReadAt(tail, size-int64(len(tail))); err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	line := tail[bytes.LastIndexByte(bytes.TrimSuffix(tail, []byte("\n")), '\n')+1:]
	if e := decode(line); e != nil {
		return e.End, nil
	}
	return nil, nil
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
