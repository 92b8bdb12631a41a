package cli

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"rowbatch/batch/runs"
	"rowbatch/mapping"
	"rowbatch/mapping/csvfile"
)

// intake is an input file, checked whole and copied into the run's folder.
type intake struct {
	path    string // absolute; empty for standard input
	sum     string // SHA-256 of its bytes
	mapText string // the mapping file's text
	mapPath string // absolute
	mapper  *mapping.Mapper
	checked *mapping.Checked
	dialect csvfile.Dialect
	secrets map[int][]string // by row: passwords, which stand in no file of ours
	shards  []uint16         // by row: the shard that sends it; nil where the file is not shared
	bases   *bases           // what exported rows were; nil: they are not compared
}

// stdinCopy is the name of the file in the run's folder that keeps a standard input.
const stdinCopy = "stdin.csv"

// takeIn reads a file once: it checks every row, and copies them into dir. It
// ends with the cause of stop when that comes first.
func takeIn(stop context.Context, file string, stdin io.Reader, f *actionFlags, j job, dir *runs.Dir) (*intake, error) {
	in := &intake{}
	mapFile, err := in.readMapping(f.mapFile)
	if err != nil {
		return nil, err
	}
	if file == "-" {
		if stdin, err = refuseSecrets(stop, stdin, mapFile, f, j); err != nil {
			return nil, err
		}
	}
	content, err := in.open(stop, file, stdin, dir)
	if err != nil {
		return nil, err
	}
	defer content.Close()
	sum := sha256.New()
	input, err := csvfile.NewReader(io.TeeReader(stoppable{stop, content}, sum), file, csvfile.Options{Delimiter: f.separator, Encoding: f.encoding})
	if err != nil {
		return nil, err
	}
	in.dialect = input.Dialect()
	in.mapper, err = j.compile(input.Heading(), mapping.CompileOptions{Name: file, File: mapFile, Match: f.matches, Ignore: f.ignore, Export: f.base != ""})
	if err == nil && file == "-" && in.mapper.HasSecrets() {
		err = secretsOnStdin()
	}
	if err != nil {
		return nil, err
	}
	if err := in.check(input, f, dir); err != nil {
		return nil, err
	}
	in.sum = hex.EncodeToString(sum.Sum(nil))
	return in, nil
}

func (in *intake) check(input *csvfile.Reader, f *actionFlags, dir *runs.Dir) (err error) {
	start, o := dir.Rows, mapping.CheckOptions{AllowDuplicates: f.allowDuplicates, About: in.homes(f.shard)}
	if in.mapper.ComparesExports() && !f.noBase {
		in.bases = newBases(f, dir)
		start, o.Exports = dir.ExportedRows, in.bases
		defer func() { err = errors.Join(err, in.bases.close()) }()
	}
	rows, err := start(input.Heading())
	if err != nil {
		return err
	}
	in.secrets = map[int][]string{}
	in.checked, err = mapping.Check(input, in.mapper, &copier{rows: rows, secrets: in.secrets}, o)
	return errors.Join(err, rows.Close())
}

// copier puts the checked rows into rows.csv, and keeps what must not stand there.
type copier struct {
	rows    *runs.RowsWriter
	n       int
	secrets map[int][]string
}

func (c *copier) Append(r csvfile.Row, base *mapping.Base, hidden []string) error {
	if hidden != nil {
		c.secrets[c.n] = hidden
	}
	if c.n++; c.n%collectEvery == 0 {
		collectFor(c.n)
	}
	text, err := baseText(base)
	if err != nil {
		return err
	}
	return c.rows.AppendExported(r.Line, r.Cells, r.Ragged, text)
}

func (in *intake) readMapping(name string) (*mapping.File, error) {
	if name == "" {
		return nil, nil
	}
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, unreadable(name, err)
	}
	in.mapText = string(text)
	if in.mapPath, err = filepath.Abs(name); err != nil {
		return nil, err
	}
	return mapping.ParseFile(name, text)
}

// open opens the input; a standard input is kept in the run's folder first, since it comes only once.
func (in *intake) open(stop context.Context, file string, stdin io.Reader, dir *runs.Dir) (io.ReadCloser, error) {
	if file == "-" {
		return spool(stop, stdin, dir)
	}
	opened, err := os.Open(file)
	if err != nil {
		return nil, unreadable(file, err)
	}
	if info, err := opened.Stat(); err != nil || info.IsDir() {
		opened.Close()
		return nil, usage("the path of a CSV file", "%s is a folder", file)
	}
	in.path, err = filepath.Abs(file)
	return opened, err
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

// owned is one of the run's own files: that it cannot be written is not the input's fault.
type owned struct{ runs.File }

func (o owned) Write(p []byte) (int, error) {
	n, err := o.File.Write(p)
	if err != nil {
		err = &runs.WriteError{Path: o.Name(), Err: err}
	}
	return n, err
}

// spool copies standard input into the run's folder. A read from a pipe that
// nobody writes to cannot be ended, only left behind.
func spool(stop context.Context, stdin io.Reader, dir *runs.Dir) (io.ReadCloser, error) {
	kept, err := dir.CreateFile(stdinCopy)
	if err != nil {
		return nil, err
	}
	copied := make(chan error, 1)
	go func() {
		_, err := io.Copy(owned{kept}, stoppable{stop, stdin})
		copied <- err
	}()
	select {
	case err = <-copied:
	case <-stop.Done():
		err = context.Cause(stop)
	}
	if err := errors.Join(err, kept.Close()); err != nil {
		return nil, fmt.Errorf("standard input: %w", err)
	}
	return os.Open(dir.Path(stdinCopy))
}

func unreadable(name string, err error) error {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return usage("check the path", "%s does not exist", name)
	case errors.Is(err, fs.ErrPermission):
		return usage("check who may read it", "%s may not be read", name)
	}
	return usage("", "%v", err)
}
