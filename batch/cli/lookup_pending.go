package cli

import (
	"bufio"
	"encoding/json"
	"errors"
	"io"
	"time"

	"rowbatch/batch"
	"rowbatch/batch/runs"
)

// pending keeps outcomes that rest on something not known yet, in a file of the
// run's folder: of a million rows too many for memory.
type pending struct {
	dir  *runs.Dir
	file runs.File
	out  *bufio.Writer
}

// pendingRow is one of them.
type pendingRow struct {
	Row     int
	At      time.Time // when its evidence came
	Outcome batch.Outcome
}

const pendingName = "list.tmp"

// newPending makes the file anew: that of a process which was killed tells nothing any more.
func newPending(dir *runs.Dir) (*pending, error) {
	if err := dir.RemoveFile(pendingName); err != nil {
		return nil, err
	}
	f, err := dir.CreateFile(pendingName)
	if err != nil {
		return nil, err
	}
	return &pending{dir, f, bufio.NewWriterSize(f, 64<<10)}, nil
}

func (p *pending) add(row pendingRow) error {
	text, err := json.Marshal(row)
	if err == nil {
		_, err = p.out.Write(append(text, '\n'))
	}
	return p.failed(err)
}

// each hands the rows out in the order in which they came.
func (p *pending) each(do func(pendingRow) error) error {
	err := p.out.Flush()
	if err != nil {
		return p.failed(err)
	}
	all := json.NewDecoder(io.NewSectionReader(p.file, 0, 1<<62))
	for {
		var row pendingRow
		err := all.Decode(&row)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return p.failed(err)
		}
		if err := do(row); err != nil {
			return err
		}
	}
}

func (p *pending) failed(err error) error {
	if err == nil {
		return nil
	}
	return &runs.WriteError{Path: p.file.Name(), Err: err}
}

// close removes the file.
func (p *pending) close() error {
	return errors.Join(p.file.Close(), p.dir.RemoveFile(pendingName))
}
