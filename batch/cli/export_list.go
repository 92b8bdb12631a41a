package cli

import (
	"encoding/binary"
	"errors"
	"slices"

	"github.com/tidwall/gjson"

	"rowbatch/batch/action"
	"rowbatch/batch/runs"
	"rowbatch/client"
	"rowbatch/mapping"
)

// listedRows keeps what the customer list shows of the customers whom FILE names:
// in a file of the run's folder, since FILE has an order of its own. In memory are
// 8 bytes a row.
type listedRows struct {
	dir  *runs.Dir
	file runs.File
	size int64
	at   []int64 // by row: where its record begins, plus one; 0: it was not shown
}

// unclear marks a row whose reference several customers bear, or of whom the list
// does not show all that is wanted: it is asked for.
const unclear = -1

// namedInList reads the customers of FILE from the list, where that takes fewer
// requests than asking for each. It returns nil where it does not, or where the
// list does not show all that is wanted.
func (x *export) namedInList() (*listedRows, error) {
	n := lookups{searches: x.soundRows()}
	if !n.may(lookupAuto) {
		return nil, nil
	}
	list := x.services.Fusebill.Client.List("", spoiltPages)
	page, rep := list.Next(x.stop)
	switch {
	case client.EndsRun(rep.Err):
		return nil, rep.Err
	case rep.Class != client.Answered || !n.worth(lookupAuto, list.Pages()) || slices.ContainsFunc(page.Rows, x.isShort):
		return nil, nil
	}
	named, err := x.indexNamed()
	if err != nil {
		return nil, err
	}
	defer func() {
		if err := named.close(); err != nil { // it has served
			complain(x.console.err, err)
		}
	}()
	l, err := newListedRows(x.dir, x.rows.rows())
	if err != nil {
		return nil, err
	}
	defer x.startPhase("reading the customer list", list.Count(), named.count, demand{fusebill: list.Pages() - 1, together: 1})()
	for len(page.Rows) > 0 && rep.Class == client.Answered && !x.stopped() {
		if err := l.take(x, named, page.Rows); err != nil {
			return l, err
		}
		page, rep = list.Next(x.stop)
	}
	if client.EndsRun(rep.Err) {
		return l, rep.Err
	}
	if !list.CompleteByReference() {
		l.forgetReferences(x.in.checked)
	}
	return l, nil
}

// soundRows is how many rows name a customer.
func (x *export) soundRows() (n int) {
	for i := range x.in.checked.Rows {
		if x.in.checked.OK(i) {
			n++
		}
	}
	return n
}

// isShort says that a row of the list does not show all columns.
func (x *export) isShort(row client.ListRow) bool {
	return slices.ContainsFunc(x.columns, func(c action.ExportColumn) bool { return !c.Overview && !c.Carried(row.Raw) })
}

// indexNamed makes the rows of FILE ready to be found by their customers.
func (x *export) indexNamed() (*rowFinder, error) {
	f := newRowFinder(x.rows)
	for row, err := range x.rows.read() {
		if err != nil {
			return nil, err
		}
		if x.in.checked.OK(row.N) {
			f.add(x.rows.mapped(row), row.N)
		}
	}
	return f, f.ready()
}

func newListedRows(dir *runs.Dir, rows int) (*listedRows, error) {
	f, err := dir.CreateFile(pendingName)
	return &listedRows{dir: dir, file: f, at: make([]int64, rows)}, err
}

// take keeps the customers of a page whom FILE names.
func (l *listedRows) take(x *export, named *rowFinder, page []client.ListRow) error {
	for _, c := range page {
		named.seen.Add(1)
		for n := range named.candidates(c) {
			m, err := named.matching(n, c)
			if err == nil && m != nil {
				err = l.keep(n, c.Raw, x.isShort(c), x.in.checked.KeyField(n) == "reference")
			}
			if err != nil {
				return err
			}
		}
	}
	return nil
}

func (l *listedRows) keep(n int, record []byte, short, byReference bool) error {
	if short || l.at[n] != 0 && byReference {
		l.at[n] = unclear
		return nil
	}
	framed := append(binary.BigEndian.AppendUint32(nil, uint32(len(record))), record...)
	if _, err := l.file.WriteAt(framed, l.size); err != nil {
		return &runs.WriteError{Path: l.file.Name(), Err: err}
	}
	l.at[n] = l.size + 1
	l.size += int64(len(framed))
	return nil
}

// forgetReferences leaves it to the search whose the references are: a list that
// is not complete may have left out another customer who bears the same.
func (l *listedRows) forgetReferences(rows *mapping.Checked) {
	for n := range l.at {
		if rows.KeyField(n) == "reference" {
			l.at[n] = 0
		}
	}
}

// has says that the list has shown a row's customer.
func (l *listedRows) has(n int) bool { return l != nil && l.at[n] > 0 }

// customer is the row's customer as the list has shown him; nil: it has not.
func (l *listedRows) customer(n int) (id string, record []byte, err error) {
	if !l.has(n) {
		return "", nil, nil
	}
	size := make([]byte, 4)
	if _, err = l.file.ReadAt(size, l.at[n]-1); err == nil {
		record = make([]byte, binary.BigEndian.Uint32(size))
		_, err = l.file.ReadAt(record, l.at[n]-1+int64(len(size)))
	}
	if err != nil {
		return "", nil, &runs.WriteError{Path: l.file.Name(), Err: err}
	}
	return gjson.GetBytes(record, "id").String(), record, nil
}

// close removes the file.
func (l *listedRows) close() error {
	if l == nil {
		return nil
	}
	return errors.Join(l.file.Close(), l.dir.RemoveFile(pendingName))
}
