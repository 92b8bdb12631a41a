package cli

import (
	"context"
	"errors"
	"io"
	"iter"
	"slices"
	"strconv"
	"strings"

	"rowbatch/batch"
	"rowbatch/batch/action"
	"rowbatch/batch/runs"
	"rowbatch/mapping"
)

// rows turns the copied rows of a run into items, and remembers of each what
// a later pass needs: at most 10 bytes.
type rows struct {
	marks
	dir     *runs.Dir
	in      *intake
	job     job
	limit   int // only the first rows; 0: all
	shard   shard
	codes   *action.TrackingCodes
	ids     []uint64        // of the customers, where rows are keyed by reference; 0: not known
	circles map[uint64]bool // customers whom the rows would make their own ancestors
}

func newRows(dir *runs.Dir, in *intake, f *actionFlags, j job) *rows {
	n := in.checked.Rows
	r := &rows{marks: newMarks(n, f.allowDuplicates || j.mixed()), dir: dir, in: in, job: j, limit: f.limit, shard: f.shard, codes: action.NewTrackingCodes()}
	if r.keyedByReference() {
		r.ids = make([]uint64, n)
	}
	return r
}

// keyedByReference says that some rows name their customers by reference.
func (r *rows) keyedByReference() bool {
	return slices.ContainsFunc(r.in.mapper.Keys(), func(k mapping.KeyUse) bool { return k.Field == "reference" })
}

// systems are those of the rows that may be sent.
func (r *rows) systems() []string {
	var all []string
	for _, s := range r.job.specs {
		if system := s.Schema.System; r.countIn(s.Schema.Action) > 0 && !slices.Contains(all, system) {
			all = append(all, system)
		}
	}
	return all
}

func (r *rows) countIn(action string) (n int) {
	for i := range r.in.checked.Rows {
		if r.sendable(i) && r.open(i) && (action == "" || r.in.checked.Action(i) == action) {
			n++
		}
	}
	return n
}

func (r *rows) line(n int) int { return r.in.checked.Line(n) }

// sendable says that nothing known offline keeps the row from being sent.
func (r *rows) sendable(n int) bool {
	return r.in.checked.OK(n) && (r.limit == 0 || n < r.limit) && r.elsewhere(n) == 0
}

// found remembers what the look-up of a row's reference brought.
func (r *rows) found(n int, f action.Found) {
	r.ids[n] = f.ID
	r.spend(n, f.Requests)
}

// source yields the rows in file order.
func (r *rows) source(ctx context.Context, actions map[string]batch.Action) batch.Source {
	return func(yield func(*batch.Item, error) bool) {
		for row, err := range r.read() {
			if err != nil {
				yield(nil, err)
				return
			}
			if ctx.Err() != nil {
				return
			}
			if r.is(row.N, markSettled) {
				continue
			}
			it := r.item(row)
			if it.Action = actions[r.in.checked.Action(row.N)]; !yield(it, nil) {
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
		it = r.understood(n, r.mapped(row))
	}
	r.prepare(it, n)
	it.More = checked.More(n)
	switch p, out := checked.Problem(n), r.leftOut(n); {
	case out != nil:
		it.Out = out
	case it.Out == nil && p != nil:
		it.Out = batch.Reject(p.Code, p.Text)
	case it.Out == nil && r.ids != nil && r.circles[r.ids[n]]:
		it.Out = batch.Reject("bad_value", "parentId: the customer would be its own parent, directly or through other rows")
	case it.Out == nil && r.ids != nil && r.ids[n] == 0 && strings.HasPrefix(it.Key, "reference="):
		it.Out = &batch.Outcome{Kind: batch.NotAttempted, Code: "stopped"} // its reference was not looked up any more
	}
	return it
}

// mapped says what the cells of a row set, its secrets among them.
func (r *rows) mapped(row runs.Row) mapping.Mapped {
	cells := row.Cells
	if hidden := r.in.secrets[row.N]; hidden != nil {
		cells = r.in.mapper.Unmask(cells, hidden)
	}
	return r.in.mapper.RowSince(cells, baseOf(row))
}

// understood turns what a row says into an item of its action.
func (r *rows) understood(n int, row mapping.Mapped) *batch.Item {
	if row.Action == "" {
		return &batch.Item{Out: action.Problems(row.Problems)}
	}
	return r.job.spec(row.Action).Item(row, action.Context{Found: r.id(n), Codes: r.codes, BothKeys: len(r.in.checked.KeyFields(row.Action)) > 1})
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
			if !r.isOpen(row.N) || r.ids[row.N] != 0 {
				continue
			}
			if mapped := r.mapped(row); mapped.KeyField == "reference" && !yield(row.N, mapped.Key) {
				return
			}
		}
	}
}

// uses are the tracking codes of the rows that are still open, each once.
func (r *rows) uses() (all []mapping.Use) {
	seen := map[mapping.Use]bool{}
	for row, err := range r.read() {
		if err != nil {
			return all // the next pass meets it too, and tells
		}
		if !r.sendable(row.N) || !r.open(row.N) {
			continue
		}
		for _, c := range r.mapped(row).Cells {
			if !c.Field.Family {
				continue
			}
			if use := (mapping.Use{Family: c.Field.Name, Member: strings.TrimPrefix(c.Name, c.Field.Name), Text: c.Text}); !seen[use] {
				seen[use] = true
				all = append(all, use)
			}
		}
	}
	return all
}

// findCircles looks for customers that the rows would make their own ancestors.
// A file keyed by id was checked for it when it was read.
func (r *rows) findCircles() {
	if !slices.ContainsFunc(r.job.specs, func(s action.Spec) bool {
		return slices.Contains(r.in.mapper.Fields(s.Schema.Action), "parentId")
	}) {
		return
	}
	r.circles = mapping.Cycles(func(yield func(child, parent uint64) bool) {
		for row, err := range r.read() {
			if err != nil {
				return // the next pass meets it too, and tells
			}
			if r.ids[row.N] != 0 && !yield(r.ids[row.N], parentOf(r.mapped(row))) {
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
