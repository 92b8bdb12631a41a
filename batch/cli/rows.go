package cli

import (
	"context"
	"errors"
	"io"
	"iter"
	"slices"
	"strconv"

	"rowbatch/batch"
	"rowbatch/batch/action"
	"rowbatch/batch/runs"
	"rowbatch/mapping"
)

// rows turns the copied rows of a run into items, and remembers of each what
// a later pass needs: at most 10 bytes.
type rows struct {
	dir     *runs.Dir
	in      *intake
	limit   int  // only the first rows; 0: all
	several bool // a customer may stand in several rows
	action  batch.Action
	codes   *action.TrackingCodes
	ids     []uint64 // of the customers, where the file is keyed by reference; 0: not known
	spent   []uint8  // requests made for the row so far
	settled []bool
	circles map[uint64]bool // customers whom the rows would make their own ancestors
}

func newRows(dir *runs.Dir, in *intake, f *actionFlags) *rows {
	n := in.checked.Rows
	r := &rows{dir: dir, in: in, limit: f.limit, several: f.allowDuplicates, codes: action.NewTrackingCodes(), spent: make([]uint8, n), settled: make([]bool, n)}
	if r.keyedByReference() {
		r.ids = make([]uint64, n)
	}
	return r
}

func (r *rows) keyedByReference() bool { return r.in.mapper.KeyField() == "reference" }

// sendable says that nothing known offline keeps the row from being sent.
func (r *rows) sendable(n int) bool {
	return r.in.checked.OK(n) && (r.limit == 0 || n < r.limit)
}

// count is how many rows may be sent.
func (r *rows) count() (n int) {
	for i := range r.in.checked.Rows {
		if r.sendable(i) && !r.settled[i] {
			n++
		}
	}
	return n
}

// final says that what was found by looking at a row's customer, before anything
// is sent, is the row's last word. It is not where several rows may be about one
// customer: there it rests on what the earlier ones would do.
func (r *rows) final(it *batch.Item, o batch.Outcome) bool {
	return it.Out != nil || o.Kind != batch.WouldChange && !r.several
}

// note remembers what a pass made of a row.
func (r *rows) note(it *batch.Item, o batch.Outcome, settled bool) {
	r.settled[it.N] = settled
	r.spent[it.N] = uint8(min(o.Requests, 255))
}

// found remembers what the look-up of a row's reference brought.
func (r *rows) found(n int, f action.Found) {
	r.ids[n] = f.ID
	r.spent[n] = uint8(min(f.Requests, 255))
}

// source yields the rows that are not settled yet, in file order. It ends early
// when ctx does: what it leaves out is not_attempted in the report.
func (r *rows) source(ctx context.Context) batch.Source {
	return func(yield func(*batch.Item, error) bool) {
		for row, err := range r.read() {
			if err != nil {
				yield(nil, err)
				return
			}
			if ctx.Err() != nil {
				return
			}
			if !r.settled[row.N] && !yield(r.item(row), nil) {
				return
			}
		}
	}
}

// read streams the copied rows.
func (r *rows) read() iter.Seq2[runs.Row, error] {
	return func(yield func(runs.Row, error) bool) {
		reader, err := r.dir.ReadRows()
		if err != nil {
			yield(runs.Row{}, err)
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

func (r *rows) item(row runs.Row) *batch.Item {
	n, checked := row.N, r.in.checked
	it := &batch.Item{}
	if !row.Ragged {
		it = action.Item(r.in.mapper.Row(row.Cells), r.in.mapper.KeyField(), r.id(n), r.codes)
	}
	it.N, it.Action, it.More, it.Spent = n, r.action, checked.More(n), int(r.spent[n])
	switch p := checked.Problem(n); {
	case r.limit > 0 && n >= r.limit:
		it.Out = &batch.Outcome{Kind: batch.Skipped, Error: "beyond --limit " + strconv.Itoa(r.limit)}
	case it.Out == nil && p != nil:
		it.Out = batch.Reject(p.Code, p.Text)
	case it.Out == nil && r.ids != nil && r.circles[r.ids[n]]:
		it.Out = batch.Reject("bad_value", "parentId: the customer would be its own parent, directly or through other rows")
	case it.Out == nil && it.ID == "":
		it.Out = &batch.Outcome{Kind: batch.NotAttempted, Code: "stopped"} // its reference was not looked up any more
	}
	return it
}

// id is the customer's, where the file does not give it; "" when it was not found.
func (r *rows) id(n int) string {
	if r.ids == nil || r.ids[n] == 0 {
		return ""
	}
	return strconv.FormatUint(r.ids[n], 10)
}

// references yields the references to look up.
func (r *rows) references() iter.Seq2[int, string] {
	return func(yield func(int, string) bool) {
		for row, err := range r.read() {
			if err != nil {
				return // the next pass meets it too, and tells
			}
			if r.sendable(row.N) && !yield(row.N, r.in.mapper.Row(row.Cells).Key) {
				return
			}
		}
	}
}

// findCircles looks for customers that the rows would make their own ancestors.
// A file keyed by id was checked for it when it was read.
func (r *rows) findCircles() {
	if !slices.Contains(r.in.mapper.Fields(), "parentId") {
		return
	}
	r.circles = mapping.Cycles(func(yield func(child, parent uint64) bool) {
		for row, err := range r.read() {
			if err != nil {
				return // the next pass meets it too, and tells
			}
			if r.ids[row.N] != 0 && !yield(r.ids[row.N], parentOf(r.in.mapper.Row(row.Cells))) {
				return
			}
		}
	})
}

// parentOf returns the parent that a row sets, 0 when it sets none.
func parentOf(row mapping.Mapped) uint64 {
	for _, c := range row.Cells {
		if c.Field.Parent {
			parent, _ := strconv.ParseUint(c.Text, 10, 64) // checked to be digits; one beyond 64 bits is no customer of the file
			return parent
		}
	}
	return 0
}
