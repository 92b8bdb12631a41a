package runs

import (
	"errors"
	"fmt"
	"io"
	"os"

	"rowbatch/batch/journal"
)

// ContinueJournal opens the journal of a run that stopped, to append to it. A
// torn end is cut off, and all that is left is on disk when it returns. Hold the
// lock of the run. A journal that is damaged before its end is not touched: the
// error is a *[journal.DamageError] then.
func (d *Dir) ContinueJournal() (*journal.Writer, error) {
	x, err := d.mendJournal()
	if err != nil {
		return nil, err
	}
	if err := d.fs.SyncDir(d.path); err != nil {
		return nil, writing(d.path, err)
	}
	path := d.Path(journalName)
	f, err := d.fs.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0) // Windows cuts no file that is open so
	if err != nil {
		return nil, writing(path, err)
	}
	return journal.Continue(f, x), nil
}

func (d *Dir) mendJournal() (*journal.Index, error) {
	path := d.Path(journalName)
	f, err := d.fs.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return nil, writing(path, err)
	}
	x, err := load(f)
	if err == nil && x.Head.Format != journal.Format {
		err = &journal.FormatError{Format: x.Head.Format, Program: x.Head.Program}
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	err = f.Truncate(x.Sound)
	if err == nil {
		err = f.Sync() // also what a killed process had written and not synced
	}
	return x, writing(path, errors.Join(err, f.Close()))
}

// load reads a journal. With an error comes what was read before it.
func load(f File) (*journal.Index, error) {
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	x, err := journal.Load(f, info.Size())
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

// ShareRows gives this run the rows.csv of another: one file under two names, or
// a copy where the file system has no such links. It is durable when this returns.
func (d *Dir) ShareRows(of *Dir) error {
	if d.fs.Link(of.Path(rowsName), d.Path(rowsName)) != nil {
		if err := d.copyRows(of); err != nil {
			return err
		}
	}
	return writing(d.path, d.fs.SyncDir(d.path))
}

func (d *Dir) copyRows(of *Dir) error {
	from, err := of.open(rowsName)
	if err != nil {
		return unreadable(of.Path(rowsName), err)
	}
	defer from.Close()
	to, err := d.CreateFile(rowsName)
	if err != nil {
		return err
	}
	_, err = io.Copy(to, from)
	if err == nil {
		err = to.Sync()
	}
	if err = errors.Join(err, to.Close()); err != nil {
		return errors.Join(writing(to.Name(), err), d.fs.Remove(to.Name()))
	}
	return nil
}
