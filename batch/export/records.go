package export

import (
	"encoding/binary"
	"errors"

	"rowbatch/batch/runs"
	"rowbatch/mapping"
)

// records are the customers whom FILE names as the customer list has shown them: in
// a file of the run's folder, since FILE has an order of its own. In memory are 8
// bytes a row. Nil records are none.
type records struct {
	dir  *runs.Dir
	file runs.File
	rows *mapping.Checked
	size int64
	at   []int64 // by row: where its record begins, plus one; 0: it was not shown
}

// unclear marks a row whose reference several customers bear, or of whom the list
// does not show all that is wanted: it is asked for.
const unclear = -1

const recordsName = "list.tmp"

func newRecords(dir *runs.Dir, rows *mapping.Checked) (*records, error) {
	f, err := dir.CreateFile(recordsName)
	if err != nil {
		return nil, err
	}
	return &records{dir: dir, file: f, rows: rows, at: make([]int64, rows.Rows)}, nil
}

// keep keeps a customer for a row that names him. A short record does not show all
// that is wanted.
func (r *records) keep(n int, record []byte, short bool) error {
	if short || r.at[n] != 0 && r.byReference(n) {
		r.at[n] = unclear
		return nil
	}
	framed := append(binary.BigEndian.AppendUint32(nil, uint32(len(record))), record...)
	if _, err := r.file.WriteAt(framed, r.size); err != nil {
		return r.failed(err)
	}
	r.at[n] = r.size + 1
	r.size += int64(len(framed))
	return nil
}

// forgetReferences leaves it to the search whose the references are: a list that
// is not complete may have left out another customer who bears the same.
func (r *records) forgetReferences() {
	for n := range r.at {
		if r.byReference(n) {
			r.at[n] = 0
		}
	}
}

func (r *records) byReference(n int) bool { return r.rows.KeyField(n) != "id" }

// has reports whether the list has shown a row's customer.
func (r *records) has(n int) bool { return r != nil && r.at[n] > 0 }

// record is the customer of a row that has one.
func (r *records) record(n int) ([]byte, error) {
	size := make([]byte, 4)
	if _, err := r.file.ReadAt(size, r.at[n]-1); err != nil {
		return nil, r.failed(err)
	}
	record := make([]byte, binary.BigEndian.Uint32(size))
	if _, err := r.file.ReadAt(record, r.at[n]-1+int64(len(size))); err != nil {
		return nil, r.failed(err)
	}
	return record, nil
}

func (r *records) failed(err error) error { return &runs.WriteError{Path: r.file.Name(), Err: err} }

// close removes the file.
func (r *records) close() error {
	if r == nil {
		return nil
	}
	return errors.Join(r.file.Close(), r.dir.RemoveFile(recordsName))
}
