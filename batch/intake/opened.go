package intake

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"rowbatch/batch"
	"rowbatch/batch/runs"
	"rowbatch/mapping"
	"rowbatch/mapping/csvfile"
	"rowbatch/mapping/xlsxfile"
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

// openRows opens a file of rows of which nothing need be kept. Close it when they are read.
func openRows(stop context.Context, name string, text csvfile.Options, sheet xlsxfile.Options) (
	in mapping.Input, file io.Closer, err error) {
	f, err := open(stop, name)
	if err != nil {
		return nil, nil, err
	}
	if info, failed := f.Stat(); failed == nil && xlsxfile.Named(name) {
		in, err = xlsxfile.NewReader(stoppableAt{stop, f}, info.Size(), name, sheet)
	} else {
		in, err = csvfile.NewReader(&piped{f, stop, longestInput}, name, text)
	}
	if err != nil {
		return nil, nil, errors.Join(err, f.Close())
	}
	return in, f, nil
}

// OpenReport opens a dry run's report that somebody has worked in, our own columns
// included. Above its heading anything may stand.
func OpenReport(stop context.Context, name string) (mapping.Input, io.Closer, error) {
	heading := func(first []csvfile.Row) (int, error) {
		at := slices.IndexFunc(first, func(r csvfile.Row) bool {
			return slices.ContainsFunc(r.Cells, func(cell string) bool { return strings.TrimSpace(cell) == "rb_apply" })
		})
		if at < 0 {
			return 0, &csvfile.Refusal{File: name, Text: "there is no column rb_apply", Try: "the report of the dry run"}
		}
		return at, nil
	}
	return openRows(stop, name, csvfile.Options{Ours: true, Unnamed: true, Heading: heading},
		xlsxfile.Options{Ours: true, Unnamed: true, Heading: heading, Hidden: xlsxfile.Take})
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
		return batch.Usage(cmp.Or(nearby(name), "check the path"), "%s does not exist", name)
	case errors.Is(err, fs.ErrPermission):
		return batch.Usage("check who may read it", "%s may not be read", name)
	}
	return batch.Usage("", "%v", err)
}

// nearby is the file of a path's folder that may have been meant; "": there is none.
func nearby(path string) string {
	entries, _ := os.ReadDir(filepath.Dir(path)) // of a folder that cannot be read nothing is near
	stem := func(name string) string { return strings.TrimSuffix(name, filepath.Ext(name)) }
	wanted, names, stems := filepath.Base(path), map[string]string{}, []string(nil)
	for _, e := range entries {
		if of := stem(e.Name()); !e.IsDir() && (filepath.Ext(wanted) == filepath.Ext(e.Name()) || stem(wanted) == of) {
			names[of], stems = e.Name(), append(stems, of)
		}
	}
	near, found := mapping.Nearest(stem(wanted), stems)
	if !found {
		return ""
	}
	return filepath.Join(filepath.Dir(path), names[near])
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
