// Package runs keeps a run's folder on disk:
//
//	reports/20261120T215200Z-update-customers/
//	    .gitignore   keeps customers' data out of version control
//	    rows.jsonl   the input's rows, copied before the first request
//	    journal      what was intended, sent and answered: the run's truth
//	    lock         held by the process that writes the journal
//	    report.csv … derived from the two; may be written again at any time
//
// The folder is private to its owner (0700, files 0600). A folder without a
// journal is not a run. The journal's head has the size and the SHA-256 of the
// rows, and nothing is sent or reported for rows that are not those: each journal
// is opened only with its own. An apply or an undo has a copy of the rows of the
// run that it is of, so that each folder stands by itself.
//
// Every method's error that is about writing is a [*WriteError], after which no
// request should be sent.
package runs

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"strings"
	"time"

	"rowbatch/batch/journal"
)

const (
	journalName  = "journal"
	draftJournal = ".journal.tmp" // one that has no head yet
	ignoreName   = ".gitignore"
)

// PartName is the file that [Dir.NotePartFile] makes. In a run it is of no consequence if it stays.
const PartName = "part"

// Dir is a run's folder.
type Dir struct {
	fs   FS
	path string
	root string // that was made for this run; empty: it was there

	// vouched are the files of rows, by name, that this process has written or checked.
	vouched map[string]journal.RowsFile

	unlock  func() error // nil: this process has not locked it
	journal *placedFile  // that this process appends to; nil: it appends to none
}

// at is the folder at this path, be it there or not.
func at(on FS, path string) *Dir {
	return &Dir{fs: on, path: path, vouched: map[string]journal.RowsFile{}}
}

// rowsOf is the file of the rows that a journal's head speaks of.
func rowsOf(h journal.Head) string {
	if h.Mode == journal.ModeExport {
		return ExportedName
	}
	return RowsName
}

// Create makes the folder of a new run under root, and root if it is missing.
// The id is made of the time, the action and the input's name; a second run of
// the same second gets -2 behind it.
func Create(on FS, root string, now time.Time, action, file string) (*Dir, error) {
	d := at(on, "")
	if on.Mkdir(root, 0o755) == nil {
		d.root = root
	} else if err := on.MkdirAll(root, 0o755); err != nil {
		return nil, writing(root, err)
	}
	id := fmt.Sprintf("%s-%s-%s", now.UTC().Format(idTime), action, filePart(file))
	err := fs.ErrExist
	for n := 1; errors.Is(err, fs.ErrExist); n++ {
		d.path = filepath.Join(root, numbered(id, n))
		err = on.Mkdir(d.path, 0o700) // exclusive: two runs never share a folder
	}
	if err != nil {
		return nil, writing(d.path, err)
	}
	f, err := d.CreateFile(ignoreName)
	if err == nil {
		_, err = io.WriteString(f, "*\n")
		err = writing(f.Name(), errors.Join(err, f.Close()))
	}
	if err == nil {
		err = writing(root, on.SyncDir(root))
	}
	if err != nil {
		return nil, errors.Join(err, on.RemoveAll(d.path))
	}
	return d, nil
}

// Open returns the run of this id under root.
func Open(on FS, root, id string) (*Dir, error) {
	d := at(on, filepath.Join(root, id))
	if id != filepath.Base(id) || !filepath.IsLocal(id) {
		return nil, fmt.Errorf("%q is not the id of a run", id)
	}
	isRun, err := d.isRun()
	if err == nil && !isRun {
		err = fmt.Errorf("there is no run %s in %s; try: --reports with the folder that holds it", id, root)
	}
	if err != nil {
		return nil, err
	}
	return d, nil
}

// ID returns the run's id: 20261120T215200Z-update-customers.
func (d *Dir) ID() string { return filepath.Base(d.path) }

// Path returns the path of the folder, or of a file in it.
func (d *Dir) Path(name ...string) string { return filepath.Join(append([]string{d.path}, name...)...) }

// CreateFile makes a new file in the folder, such as the copy of a standard input.
func (d *Dir) CreateFile(name string) (File, error) {
	f, err := d.fs.OpenFile(d.Path(name), os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	return f, writing(d.Path(name), err)
}

// RemoveFile removes a file of the folder that has served; none may be there.
func (d *Dir) RemoveFile(name string) error {
	err := d.fs.Remove(d.Path(name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return writing(d.Path(name), err)
}

// finish closes a file whose last bytes were handed over with this result, and
// makes it durable.
func (d *Dir) finish(f File, err error) error {
	if err == nil {
		err = f.Sync()
	}
	err = errors.Join(err, f.Close())
	if err == nil {
		err = d.fs.SyncDir(d.path)
	}
	return writing(f.Name(), err)
}

func (d *Dir) open(name string) (File, error) {
	return d.fs.OpenFile(d.Path(name), os.O_RDONLY, 0)
}

func (d *Dir) isRun() (bool, error) {
	f, err := d.open(journalName)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	info, err := f.Stat()
	return err == nil && info.Mode().IsRegular(), errors.Join(err, f.Close())
}

// Discard removes the folder of a run that was refused before anything was
// sent, and releases its lock. A folder with a journal stays: it is the only memory
// of what was sent.
func (d *Dir) Discard() error {
	isRun, err := d.isRun()
	if err != nil {
		return err
	}
	if isRun {
		return fmt.Errorf("%s has a journal and is kept", d.path)
	}
	if d.unlock != nil { // some systems remove no file that is open
		if err := d.unlock(); err != nil {
			return writing(d.path, err)
		}
	}
	err = d.fs.RemoveAll(d.path)
	if err == nil && d.root != "" {
		_ = d.fs.Remove(d.root) // fails when another run has come to live there
	}
	return writing(d.path, err)
}

// Rows starts a file of rows, RowsName or ExportedName, under the heading of their
// columns. Columns whose name begins with rb_ are our own, of an earlier report, and
// are left out with their cells, but for rb_export.
func (d *Dir) Rows(name string, heading []string) (*RowsWriter, error) {
	f, err := d.CreateFile(name)
	if err != nil {
		return nil, err
	}
	w := &RowsWriter{dir: d, file: f, sum: sha256.New(), width: len(heading)}
	w.out = bufio.NewWriterSize(io.MultiWriter(f, w.sum), bufferSize)
	for i, name := range heading {
		if name = strings.ToLower(strings.TrimSpace(name)); !strings.HasPrefix(name, "rb_") || name == exportColumn {
			w.keep = append(w.keep, i)
		}
	}
	if err := w.Append(Row{Cells: heading}); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return w, nil
}

// ReadRows opens the run's rows at the first.
func (d *Dir) ReadRows() (*RowsReader, error) {
	f, err := d.open(RowsName)
	if errors.Is(err, fs.ErrNotExist) {
		if old, failed := d.open(oldRowsName); failed == nil {
			return readOldRows(old)
		}
	}
	if err != nil {
		return nil, err
	}
	return newRowsReader(f)
}

// AllRows yields the run's rows in their order. An error is the last that it yields.
func (d *Dir) AllRows() iter.Seq2[Row, error] {
	return func(yield func(Row, error) bool) {
		reader, err := d.ReadRows()
		if err != nil {
			yield(Row{}, err)
			return
		}
		defer reader.Close()
		for {
			row, err := reader.Next()
			if errors.Is(err, io.EOF) || !yield(row, err) || err != nil {
				return
			}
		}
	}
}

// PickRows opens the run's rows, of which there must be so many.
func (d *Dir) PickRows(rows int) (*RowsPicker, error) {
	f, err := d.open(RowsName)
	if err != nil {
		return nil, err
	}
	p, err := newRowsPicker(f, rows)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", f.Name(), err), f.Close())
	}
	return p, nil
}

// OpenBaseline opens the exported rows, to find them by the cell of one column.
// Without that column it finds none. Close it.
func (d *Dir) OpenBaseline(keyColumn string) (*Baseline, error) {
	f, err := d.open(ExportedName)
	if err != nil {
		return nil, err
	}
	return newBaseline(f, keyColumn)
}

// CopyRows gives this run the rows of another, whose journal was opened before.
// They are durable when this returns.
func (d *Dir) CopyRows(of *Dir) error {
	from, err := of.open(RowsName)
	if errors.Is(err, fs.ErrNotExist) {
		return convertOldRows(of, d)
	}
	if err != nil {
		return unreadable(of.Path(RowsName), err)
	}
	defer from.Close()
	to, err := d.CreateFile(RowsName)
	if err != nil {
		return err
	}
	sum := sha256.New()
	size, err := io.Copy(io.MultiWriter(to, sum), from)
	if err = d.finish(to, err); err != nil {
		return errors.Join(err, d.fs.Remove(to.Name()))
	}
	copied := journal.RowsFile{Size: size, SHA256: hex.EncodeToString(sum.Sum(nil))}
	d.vouched[RowsName] = copied
	if was, known := of.vouched[RowsName]; known && was != copied {
		return &RowsError{Path: from.Name(), Why: "it has just been changed"}
	}
	return nil
}

// checkRows wants the run's rows to be those that the journal's head speaks of.
func (d *Dir) checkRows(h journal.Head) error {
	want, name := h.RowsFile, rowsOf(h)
	if want == (journal.RowsFile{}) {
		return nil // of the old format, or without rows
	}
	f, err := d.open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return &RowsError{Path: d.Path(name), Why: "it is gone"}
	}
	if err != nil {
		return err
	}
	defer f.Close()
	sum := sha256.New()
	size, err := io.Copy(sum, f)
	switch {
	case err != nil:
		return err
	case size != want.Size:
		return &RowsError{Path: f.Name(), Why: fmt.Sprintf("it has %d bytes instead of %d", size, want.Size)}
	case hex.EncodeToString(sum.Sum(nil)) != want.SHA256:
		return &RowsError{Path: f.Name(), Why: "rows in it were changed, or stand in another order"}
	}
	d.vouched[name] = want
	return nil
}

// RecheckRows wants the rows to be those that this process has written or checked.
func (d *Dir) RecheckRows() error { return d.checkRows(journal.Head{RowsFile: d.vouched[RowsName]}) }

// CreateJournal makes the folder a run, of the rows that were written to it. The
// journal's first record, and the folder's knowledge of it, are on disk when it
// returns; before that there is no file of its name.
func (d *Dir) CreateJournal(h journal.Head) (*journal.Writer, error) {
	h.RowsFile = d.vouched[rowsOf(h)]
	draft, path := d.Path(draftJournal), d.Path(journalName)
	f, err := d.CreateFile(draftJournal)
	if err != nil {
		return nil, err
	}
	w, err := journal.Create(f, h)
	if err = errors.Join(err, f.Close()); err == nil {
		err = d.fs.Rename(draft, path)
	}
	if err == nil {
		err = d.fs.SyncDir(d.path)
	}
	if err == nil {
		d.journal, err = openPlaced(d.fs, path)
	}
	if err != nil {
		var failed *journal.WriteError
		if errors.As(err, &failed) {
			err = failed.Err
		}
		return nil, errors.Join(writing(path, err), d.RemoveFile(draftJournal), d.RemoveFile(journalName))
	}
	w.MoveTo(d.journal)
	return w, nil
}

// Journal is the journal of a run, open for reading. Close it.
type Journal struct {
	*journal.Index
	io.Closer
}

// OpenJournal reads the journal as far as it is written, for the run may still go
// on, and makes sure of the rows beside it. One of an earlier version's format is a
// *[journal.FormatError].
func (d *Dir) OpenJournal() (*Journal, error) { return d.openJournal(journal.Format) }

// OpenAnyJournal is OpenJournal for whoever makes do with what earlier versions
// have left: to report on it, or to undo it.
func (d *Dir) OpenAnyJournal() (*Journal, error) { return d.openJournal(journal.OldFormat) }

func (d *Dir) openJournal(oldest int) (*Journal, error) {
	if err := d.InPlace(); err != nil {
		return nil, err
	}
	f, err := d.open(journalName)
	if err != nil {
		return nil, err
	}
	x, err := load(f, oldest)
	if err == nil {
		err = d.checkRows(x.Head)
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return &Journal{x, f}, nil
}

// ContinueJournal opens the journal of a run that stopped, to append to it. A
// torn end is cut off, and all that is left is on disk when it returns. Hold the
// lock of the run. A journal that is damaged before its end is not touched: the
// error is a *[journal.DamageError] then.
func (d *Dir) ContinueJournal() (*journal.Writer, error) {
	path := d.Path(journalName)
	f, err := d.fs.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return nil, writing(path, err)
	}
	x, err := load(f, journal.Format)
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	err = f.Truncate(x.Sound)
	if err == nil {
		err = f.Sync() // also what a killed process had written and not synced
	}
	if err = errors.Join(err, f.Close()); err == nil {
		err = d.fs.SyncDir(d.path)
	}
	if err == nil {
		d.journal, err = openPlaced(d.fs, path) // Windows cuts no file that is open so
	}
	if err != nil {
		return nil, writing(path, err)
	}
	return journal.Continue(d.journal, x), nil
}

// InPlace wants the journal that this process appends to, if there is one, to be the
// file of its name. Else the folder was removed, or moved, or another one put there.
func (d *Dir) InPlace() error {
	if d.journal == nil {
		return nil
	}
	return d.journal.inPlace()
}

// Head reads the first record of the journal alone.
func (d *Dir) Head() (journal.Head, error) {
	f, err := d.open(journalName)
	if err != nil {
		return journal.Head{}, err
	}
	h, err := journal.ReadHead(f)
	if err != nil {
		err = fmt.Errorf("%s: %w", f.Name(), err)
	}
	return h, errors.Join(err, f.Close())
}

// Info reads the run's journal as far as it is written.
func (d *Dir) Info() Info {
	i := Info{ID: d.ID(), Dir: d.path, Running: d.Running()} // asked before: a run that ends meanwhile must not look stopped
	f, err := d.open(journalName)
	if err != nil {
		i.Damage = unreadable(d.Path(journalName), err)
		return i
	}
	x, err := load(f, journal.OldFormat)
	if x != nil {
		i.Head, i.End = x.Head, x.End
		i.Writes, i.Sent = x.Writes()
	}
	if i.Damage = errors.Join(err, f.Close()); i.Damage == nil {
		i.Counts = x.Counts()
	}
	return i
}

// load reads a journal. With an error comes what was read before it.
func load(f File, oldest int) (*journal.Index, error) {
	info, err := f.Stat()
	if err != nil {
		return nil, unreadable(f.Name(), err)
	}
	x, err := journal.Load(f, info.Size())
	if err == nil && x.Head.Format < oldest {
		err = &journal.FormatError{Format: x.Head.Format, Program: x.Head.Program}
	}
	var damage *journal.DamageError
	var format *journal.FormatError
	switch {
	case errors.As(err, &damage), errors.As(err, &format):
		err = fmt.Errorf("%s: %w", f.Name(), err)
	case err != nil:
		err = unreadable(f.Name(), err)
	}
	return x, err
}

func unreadable(path string, err error) error {
	return fmt.Errorf("%s: %w; try: restore the run's folder from a backup", path, err)
}

// Lock makes this process the only one that writes the run's journal, until it
// releases the lock or dies. The error is a *[BusyError] when another one has it.
func (d *Dir) Lock() (release func() error, err error) {
	l := lockFile{fs: d.fs, path: d.Path(lockName), what: "the run " + d.ID()}
	d.unlock, err = l.take(context.Background(), fmt.Sprintf("process %d", os.Getpid()), askingTime)
	if _, busy := errors.AsType[*BusyError](err); err != nil && !busy {
		err = writing(l.path, err)
	}
	return d.unlock, err
}

// Running reports whether a process holds the lock of the run. Where there is no way
// to tell, as on a file system without locks, no run counts as running.
func (d *Dir) Running() bool {
	held, err := d.fs.Locked(d.Path(lockName))
	return err == nil && held
}

// NotePartFile notes a file that is being written elsewhere for this run, and that
// is worth nothing without it: its name begins with a dot and ends in .tmp.
func (d *Dir) NotePartFile(path string) error {
	f, err := d.CreateFile(PartName)
	if err != nil {
		return err
	}
	_, err = io.WriteString(f, path)
	return writing(f.Name(), errors.Join(err, f.Close()))
}

// Draft starts a report file that takes its place under name when it is kept.
func (d *Dir) Draft(name string) (*Draft, error) {
	f, err := d.fs.CreateTemp(d.path, "."+name+".*.tmp")
	if err != nil {
		return nil, writing(d.Path(name), err)
	}
	t := &Draft{dir: d, name: name, file: f, sum: sha256.New()}
	t.out = bufio.NewWriterSize(io.MultiWriter(f, t.sum), bufferSize)
	return t, nil
}

// Withdraw removes the report file of this name, and its numbered successors. It
// returns the paths of those that stay, since somebody changed them or holds them open.
func (d *Dir) Withdraw(name string) (left []string, err error) {
	ours, err := readOwnFiles(d.fs, d.Path(writtenName))
	if err != nil {
		return nil, err
	}
	return ours.withdraw(d, name, 1)
}
