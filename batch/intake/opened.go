package intake

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"

	"rowbatch/batch"
	"rowbatch/batch/runs"
	"rowbatch/mapping/csvfile"
)

// open opens a file of the user's. A pipe that nobody writes to cannot be opened, which
// must not keep a stop from its end.
func open(stop context.Context, name string) (*os.File, error) {
	opened, err := unlessStopped(stop, func() (*os.File, error) { return os.Open(name) })
	if err != nil && stop.Err() == nil {
		err = Unreadable(name, err)
	}
	return opened, err
}

// Of what has no size so many bytes are taken, and of any input so many rows, for which
// the limits of an account need a month and more.
const (
	longestInput = 512 << 20
	mostRows     = 5_000_000
)

// piped is an input that may have no end, or nobody who writes to it.
type piped struct {
	io.ReadCloser
	stop context.Context
	left int64 // bytes that may still come
}

func (p *piped) Read(b []byte) (int, error) {
	if p.left <= 0 {
		return 0, &csvfile.Refusal{Text: fmt.Sprintf("%d MiB, and no end of it", longestInput>>20), Try: "files of fewer rows"}
	}
	b = b[:min(int64(len(b)), p.left)]
	n, err := unlessStopped(p.stop, func() (int, error) { return p.ReadCloser.Read(b) })
	p.left -= int64(n)
	return n, err
}

// hashed reads a file from its beginning to its end, whatever was read of it before.
func hashed(stop context.Context, file io.ReaderAt) (size int64, sum string, err error) {
	hash := sha256.New()
	size, err = io.Copy(hash, stoppable{stop, io.NewSectionReader(file, 0, math.MaxInt64)})
	return size, hex.EncodeToString(hash.Sum(nil)), err
}

// sumOf hashes a file; "" for one that is gone, or never was.
func sumOf(path string) (string, error) {
	if path == "" {
		return "", nil
	}
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", Unreadable(path, err)
	}
	defer f.Close()
	_, sum, err := hashed(context.Background(), f)
	if err != nil {
		return "", Unreadable(path, err)
	}
	return sum, nil
}

// Unreadable refuses a file of the user's that cannot be read.
func Unreadable(name string, err error) error {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return batch.Usage("check the path", "%s does not exist", name)
	case errors.Is(err, fs.ErrPermission):
		return batch.Usage("check who may read it", "%s may not be read", name)
	}
	return batch.Usage("", "%v", err)
}

// stoppable reads until the run is stopped.
type stoppable struct {
	stop context.Context
	io.Reader
}

func (s stoppable) Read(p []byte) (int, error) {
	if s.stop.Err() != nil {
		return 0, context.Cause(s.stop)
	}
	return s.Reader.Read(p)
}

// stoppableAt is stoppable for what is not read from the beginning to the end.
type stoppableAt struct {
	stop context.Context
	io.ReaderAt
}

func (s stoppableAt) ReadAt(p []byte, at int64) (int, error) {
	if s.stop.Err() != nil {
		return 0, context.Cause(s.stop)
	}
	return s.ReaderAt.ReadAt(p, at)
}

// owned is one of the run's own files: that it cannot be written is not the input's fault.
type owned struct{ runs.File }

func (o owned) Write(p []byte) (int, error) {
	n, err := o.File.Write(p)
	if err != nil {
		err = &runs.WriteError{Path: o.Name(), Err: err}
	}
	return n, err
}

// spool copies standard input into the run's folder.
func spool(stop context.Context, stdin io.Reader, dir *runs.Dir) (*os.File, error) {
	kept, err := dir.CreateFile(stdinCopy)
	if err != nil {
		return nil, err
	}
	_, err = io.Copy(owned{kept}, &piped{io.NopCloser(stdin), stop, longestInput})
	if err := errors.Join(err, kept.Close()); err != nil {
		return nil, fmt.Errorf("standard input: %w", err)
	}
	return os.Open(dir.Path(stdinCopy))
}

// unlessStopped waits for a read to end, or for the stop. A read from a pipe that
// nobody writes to cannot be ended, only left behind.
func unlessStopped[T any](stop context.Context, read func() (T, error)) (none T, err error) {
	type result struct {
		got T
		err error
	}
	ended := make(chan result, 1)
	go func() {
		got, err := read()
		ended <- result{got, err}
	}()
	select {
	case r := <-ended:
		return r.got, r.err
	case <-stop.Done():
		return none, context.Cause(stop)
	}
}
