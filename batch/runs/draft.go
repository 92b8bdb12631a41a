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
	"runtime"
	"strings"
	"syscall"
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

// Keep puts the draft in its place and returns its path. A file that somebody changed
// since it was written, or holds open, is left alone: the draft becomes report-2.csv
// then. What is left of higher numbers, and ours, goes.
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
	if err := ours.note(hex.EncodeToString(t.sum.Sum(nil)), t.name); err != nil { // before: a crash must not make the file look edited
		return "", err
	}
	for n := 1; ; n++ { // name, name-2, name-3, …
		path = t.dir.Path(numbered(t.name, n))
		isOurs, err := ours.has(path)
		if isOurs || errors.Is(err, fs.ErrNotExist) {
			if err = t.dir.fs.Rename(t.file.Name(), path); err == nil {
				_, err = ours.withdraw(t.dir, t.name, n+1)
				return path, errors.Join(err, t.dir.fs.SyncDir(t.dir.path))
			}
		}
		if err != nil && (!heldOpen(err) || n == mostHeld) {
			return "", err
		}
	}
}

// mostHeld is how many files of one name another program may hold open; beyond that
// the folder is what may not be written to.
const mostHeld = 9

// heldOpen reports whether another program may be why a file could not be touched.
func heldOpen(err error) bool {
	const sharing, locking = syscall.Errno(32), syscall.Errno(33) // of Windows
	var why syscall.Errno
	return errors.Is(err, fs.ErrPermission) || runtime.GOOS == "windows" && errors.As(err, &why) && (why == sharing || why == locking)
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

// withdraw removes the report files of a name from the n-th on, and returns the paths
// of those that it leaves: somebody has changed them, or holds them open.
func (o *ownFiles) withdraw(d *Dir, name string, n int) (left []string, err error) {
	for ; ; n++ {
		path := d.Path(numbered(name, n))
		isOurs, err := o.has(path)
		if errors.Is(err, fs.ErrNotExist) {
			return left, nil
		}
		if err == nil && isOurs {
			err = o.fs.Remove(path)
		}
		if err != nil && !heldOpen(err) {
			return left, writing(path, err)
		}
		if err != nil || !isOurs {
			left = append(left, path)
		}
	}
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
