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

// Draft is a report file on its way: complete or not there at all.
type Draft struct {
	dir  *Dir
	name string
	file File
	out  *bufio.Writer
	sum  hash.Hash
}

// Write appends to the draft.
func (t *Draft) Write(p []byte) (int, error) {
	n, err := t.out.Write(p)
	return n, writing(t.dir.Path(t.name), err)
}

// Keep puts the draft in its place and returns its path. A file that somebody
// changed since it was written is left alone: the draft becomes report-2.csv then.
func (t *Draft) Keep() (path string, err error) {
	defer func() {
		if err != nil {
			t.Drop()
			path, err = "", writing(t.dir.Path(t.name), err)
		}
	}()
	err = t.out.Flush()
	if err == nil {
		err = t.file.Sync()
	}
	if err = errors.Join(err, t.file.Close()); err != nil {
		return "", err
	}
	ours, err := readOwnFiles(t.dir.fs, t.dir.Path(writtenName))
	if err != nil {
		return "", err
	}
	for n, free := 1, false; !free; n++ { // name, name-2, name-3, …
		path = t.dir.Path(numbered(t.name, n))
		isOurs, err := ours.has(path)
		if free = isOurs || errors.Is(err, fs.ErrNotExist); !free && err != nil {
			return "", err
		}
	}
	if err := ours.note(hex.EncodeToString(t.sum.Sum(nil)), t.name); err != nil { // before: a crash must not make the file look edited
		return "", err
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

// writtenName lists the SHA-256 of every report file that was ever put into the
// folder, as sha256sum prints them: how a later version tells our own files from
// those that somebody has edited.
const writtenName = ".written"

// ownFiles knows the report files of a folder that nobody else has changed.
type ownFiles struct {
	fs   FS
	list string // the path of that file
	sums map[string]bool
}

func readOwnFiles(on FS, list string) (*ownFiles, error) {
	o := &ownFiles{on, list, map[string]bool{}}
	f, err := on.OpenFile(list, os.O_RDONLY, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return o, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		sum, _, _ := strings.Cut(lines.Text(), " ")
		o.sums[sum] = true
	}
	return o, lines.Err()
}

// has reports whether a file is ours.
func (o *ownFiles) has(path string) (bool, error) {
	f, err := o.fs.OpenFile(path, os.O_RDONLY, 0)
	if err != nil {
		return false, err
	}
	defer f.Close()
	sum := sha256.New()
	_, err = io.Copy(sum, f)
	return err == nil && o.sums[hex.EncodeToString(sum.Sum(nil))], err
}

// note enters a file that is about to be ours.
func (o *ownFiles) note(sum, name string) error {
	if o.sums[sum] {
		return nil
	}
	f, err := o.fs.OpenFile(o.list, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(f, "%s  %s\n", sum, name)
	return errors.Join(err, f.Close())
}
