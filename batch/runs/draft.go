package runs

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"strings"
)

// writtenName lists the SHA-256 of every report file that was ever put into the
// folder, as sha256sum prints them: how a later version tells our own files from
// those that somebody has edited.
const writtenName = ".written"

// Draft is a report file on its way: complete or not there at all.
type Draft struct {
	dir  *Dir
	name string
	file File
	out  *bufio.Writer
	sum  hash.Hash
}

// Draft starts a file that takes its place under name when it is kept.
func (d *Dir) Draft(name string) (*Draft, error) {
	f, err := d.fs.CreateTemp(d.path, "."+name+".*.tmp")
	if err != nil {
		return nil, writing(d.Path(name), err)
	}
	t := &Draft{dir: d, name: name, file: f, sum: sha256.New()}
	t.out = bufio.NewWriterSize(io.MultiWriter(f, t.sum), bufferSize)
	return t, nil
}

// Write appends to the draft.
func (t *Draft) Write(p []byte) (int, error) {
	n, err := t.out.Write(p)
	return n, writing(t.dir.Path(t.name), err)
}

// Keep puts the draft in its place and returns its path. A file that somebody
// changed since it was written is left alone: the draft becomes report-2.csv then.
func (t *Draft) Keep() (string, error) {
	path, err := t.place()
	if err != nil {
		t.Drop()
		return "", writing(t.dir.Path(t.name), err)
	}
	return path, nil
}

func (t *Draft) place() (string, error) {
	err := t.out.Flush()
	if err == nil {
		err = t.file.Sync()
	}
	if err = errors.Join(err, t.file.Close()); err != nil {
		return "", err
	}
	written, err := t.dir.written()
	if err != nil {
		return "", err
	}
	path, err := t.dir.vacant(t.name, written)
	if err != nil {
		return "", err
	}
	sum := hex.EncodeToString(t.sum.Sum(nil))
	if !written[sum] { // noted first: a crash in between must not make the file look edited
		if err := t.dir.noteWritten(sum, t.name); err != nil {
			return "", err
		}
	}
	if err := t.dir.fs.Rename(t.file.Name(), path); err != nil {
		return "", err
	}
	return path, t.dir.fs.SyncDir(t.dir.path)
}

// Drop forgets the draft. After Keep it does nothing.
func (t *Draft) Drop() {
	_ = t.file.Close()
	_ = t.dir.fs.Remove(t.file.Name()) // a leftover is hidden, and in nobody's way
}

// Withdraw removes the file of this name, and its numbered successors, unless
// somebody changed them.
func (d *Dir) Withdraw(name string) error {
	written, err := d.written()
	if err != nil {
		return err
	}
	for n := 1; ; n++ {
		path := d.Path(numbered(name, n))
		sum, err := d.sumOf(path)
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err == nil && written[sum] {
			err = d.fs.Remove(path)
		}
		if err != nil {
			return writing(path, err)
		}
	}
}

// vacant returns the first of name, name-2, name-3, … that is free or ours.
func (d *Dir) vacant(name string, written map[string]bool) (string, error) {
	for n := 1; ; n++ {
		path := d.Path(numbered(name, n))
		sum, err := d.sumOf(path)
		if errors.Is(err, fs.ErrNotExist) || err == nil && written[sum] {
			return path, nil
		}
		if err != nil {
			return "", err
		}
	}
}

func (d *Dir) sumOf(path string) (string, error) {
	f, err := d.fs.OpenFile(path, os.O_RDONLY, 0)
	if err != nil {
		return "", err
	}
	defer f.Close()
	sum := sha256.New()
	if _, err := io.Copy(sum, f); err != nil {
		return "", err
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}

func (d *Dir) written() (map[string]bool, error) {
	f, err := d.open(writtenName)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	sums := map[string]bool{}
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		sum, _, _ := strings.Cut(lines.Text(), " ")
		sums[sum] = true
	}
	return sums, lines.Err()
}

func (d *Dir) noteWritten(sum, name string) error {
	f, err := d.fs.OpenFile(d.Path(writtenName), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(f, "%s  %s\n", sum, name)
	return errors.Join(err, f.Close())
}
