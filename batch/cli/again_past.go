package cli

import (
	"context"
	"errors"
	"fmt"
	"io"

	"rowbatch/batch"
	"rowbatch/batch/action"
	"rowbatch/batch/runs"
)

// earlier is a run whose rows are carried out or taken back.
type earlier struct {
	dir     *runs.Dir
	journal *runs.Journal
	codes   *action.TrackingCodes
}

// openEarlier reads the journal of another run. Close it.
func openEarlier(dir *runs.Dir) (*earlier, error) {
	j, err := dir.OpenAnyJournal()
	if err != nil {
		return nil, err
	}
	codes, err := action.RecalledCodes(j.Names)
	if err != nil {
		return nil, errors.Join(err, j.Close())
	}
	return &earlier{dir, j, codes}, nil
}

// lines reads where the rows of a run start in its input: 4 bytes a row.
func lines(dir *runs.Dir, rows int) (all []uint32, err error) {
	reader, err := dir.ReadRows()
	if err != nil {
		return nil, err
	}
	defer reader.Close()
	for {
		row, err := reader.Next()
		if errors.Is(err, io.EOF) && len(all) != rows {
			return nil, &runs.RowsError{Path: dir.Path(), Why: fmt.Sprintf("it keeps %d rows instead of %d", len(all), rows)}
		}
		if errors.Is(err, io.EOF) {
			return all, nil
		}
		if err != nil {
			return nil, err
		}
		all = append(all, uint32(row.Line))
	}
}

// redone is the work of a run whose rows come from an earlier one's journal.
type redone struct {
	marks
	of      *earlier
	lines   []uint32
	actions []string // of the rows that may be sent; "" of the others
	reverse bool     // the last row first
	// item makes the item of a row that may be sent; without an action yet.
	item func(n int) (*batch.Item, error)
	// rest is the outcome of a row that is not.
	rest func(n int) (batch.Outcome, error)
}

func (r *redone) line(n int) int { return int(r.lines[n]) }

func (r *redone) countIn(action string) (n int) {
	for i, a := range r.actions {
		if a != "" && r.open(i) && (action == "" || a == action) {
			n++
		}
	}
	return n
}

func (r *redone) source(ctx context.Context, actions map[string]batch.Action) batch.Source {
	return func(yield func(*batch.Item, error) bool) {
		for i := range r.actions {
			n := i
			if r.reverse {
				n = len(r.actions) - 1 - i
			}
			if ctx.Err() != nil {
				return
			}
			if r.is(n, markSettled) {
				continue
			}
			it, err := r.make(n, actions)
			if !yield(it, err) || err != nil {
				return
			}
		}
	}
}

func (r *redone) make(n int, actions map[string]batch.Action) (*batch.Item, error) {
	if r.actions[n] == "" {
		out, err := r.rest(n)
		out.Requests, out.Sends, out.Millis = 0, 0, 0 // those were the earlier run's
		return &batch.Item{N: n, Key: out.Key, ID: out.ID, Out: &out}, err
	}
	it, err := r.item(n)
	if err != nil {
		return nil, err
	}
	r.prepare(it, n)
	it.Action, it.More = actions[r.actions[n]], r.several
	return it, nil
}
