package cli

import (
	"iter"
	"strconv"
	"sync/atomic"

	"rowbatch/batch/action"
	"rowbatch/batch/runs"
	"rowbatch/client"
	"rowbatch/mapping"
)

// rowFinder finds the rows of a file that are about a customer of the list.
type rowFinder struct {
	rows   *rows
	index  *runs.KeyIndex // of the rows that customers stand in
	picker *runs.RowsPicker
	seen   atomic.Int64
}

func newRowFinder(r *rows) *rowFinder {
	return &rowFinder{rows: r, index: runs.NewKeyIndex(r.rows())}
}

// add notes whom row n is about.
func (f *rowFinder) add(row mapping.Mapped, n int) {
	f.index.Add(action.Key(row.KeyField, row.Key), n)
}

// ready ends the adding of rows, which can be found then.
func (f *rowFinder) ready() (err error) {
	f.index.Finish()
	f.picker, err = f.rows.dir.PickRows(f.rows.rows())
	return err
}

// match is a row of the file that is about a customer of the list.
type match struct {
	row runs.Row
	key string
}

// count is how many customers have passed by.
func (f *rowFinder) count() int { return int(f.seen.Load()) }

// candidates yields the rows that may be about a customer.
func (f *rowFinder) candidates(c client.ListRow) iter.Seq[int] {
	return func(yield func(int) bool) {
		for n := range f.index.Find(action.Key("id", strconv.FormatUint(c.ID, 10))) {
			if !yield(int(n)) {
				return
			}
		}
		if c.Reference == "" {
			return
		}
		for n := range f.index.Find(action.Key("reference", c.Reference)) {
			if !yield(int(n)) {
				return
			}
		}
	}
}

// matching reads the row, and makes sure that it is about the customer: the index knows hashes only.
func (f *rowFinder) matching(n int, c client.ListRow) (*match, error) {
	row, err := f.picker.Row(n)
	if err != nil {
		return nil, err
	}
	mapped := f.rows.mapped(row)
	is := mapped.KeyField == "id" && mapped.Key == strconv.FormatUint(c.ID, 10) || mapped.KeyField == "reference" && mapped.Key == c.Reference
	if !is {
		return nil, nil
	}
	return &match{row, action.Key(mapped.KeyField, mapped.Key)}, nil
}

func (f *rowFinder) close() error { return f.picker.Close() }
