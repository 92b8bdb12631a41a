package intake

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"strconv"
	"strings"

	"rowbatch/batch"
	"rowbatch/batch/action"
	"rowbatch/batch/runs"
	"rowbatch/mapping"
	"rowbatch/mapping/csvfile"
)

// Rows turns the copied rows of a file into items, and remembers of each what a
// later pass needs: at most 10 bytes.
type Rows struct {
	RowState
	File      *File
	dir       *runs.Dir
	actions   Actions
	Selection Selection
	Codes     *action.TrackingCodes // the account's names, as far as they were looked up
	ids       []uint64              // of the customers, where rows are keyed by reference; 0: not known
	circles   map[uint64]bool       // customers whom the rows would make their own ancestors
}

// NewRows returns the rows of a file that were copied into dir.
func NewRows(dir *runs.Dir, in *File, s Source) *Rows {
	r := &Rows{
		RowState: NewRowState(in.Checked.Rows, s.Input.AllowDuplicates || s.Actions.Mixed()),
		File:     in, dir: dir, actions: s.Actions, Selection: s.Selection, Codes: action.NewTrackingCodes(),
	}
	if r.keyedByReference() {
		r.ids = make([]uint64, r.Len())
	}
	return r
}

// keyedByReference reports whether some rows name their customers by reference, or by
// another field that is no id.
func (r *Rows) keyedByReference() bool { return len(r.finders()) > 0 }

// finders are the fields, ids aside, by which rows name their Fusebill customers.
func (r *Rows) finders() (fields []string) {
	for _, k := range r.File.Mapper.Keys() {
		isFusebill := r.actions.Spec(k.Action).Schema.System == action.SystemFusebill
		if isFusebill && k.Field != "id" && !slices.Contains(fields, k.Field) {
			fields = append(fields, k.Field)
		}
	}
	return fields
}

// byReference reports whether a row names its customer by one of these.
func (r *Rows) byReference(n int) bool {
	field := r.File.Checked.KeyField(n)
	return field != "" && field != "id" && r.isFusebill(n)
}

// Systems are those of the rows that may be sent.
func (r *Rows) Systems() []string {
	var all []string
	for _, s := range r.actions.Specs {
		if system := s.Schema.System; r.CountOf(s.Schema.Action) > 0 && !slices.Contains(all, system) {
			all = append(all, system)
		}
	}
	return all
}

// CountOf is how many rows of an action may be sent; of "", of all actions.
func (r *Rows) CountOf(name string) (n int) {
	for i := range r.Len() {
		if r.sendable(i) && r.Undecided(i) && (name == "" || r.File.Checked.Action(i) == name) {
			n++
		}
	}
	return n
}

// Has reports whether the file has rows of an action that may be sent, by this run
// or by that of another shard: what refuses one shard refuses all.
func (r *Rows) Has(name string) bool {
	for i := range r.Len() {
		if r.File.Checked.OK(i) && !r.beyondLimit(i) && r.Undecided(i) && r.File.Checked.Action(i) == name {
			return true
		}
	}
	return false
}

// Open counts the rows whose customers may have to be looked at, by action.
func (r *Rows) Open() map[string]int {
	all := map[string]int{}
	for n := range r.Len() {
		if r.isOpen(n) {
			all[r.File.Checked.Action(n)]++
		}
	}
	return all
}

// InShard is how many rows of the file are in this run's shard.
func (r *Rows) InShard() (n int) {
	for i := range r.Len() {
		if r.elsewhere(i) == 0 {
			n++
		}
	}
	return n
}

// Line is where a row starts in the input.
func (r *Rows) Line(n int) int { return r.File.Checked.Line(n) }

// sendable reports whether nothing known offline keeps the row from being sent.
func (r *Rows) sendable(n int) bool {
	return r.File.Checked.OK(n) && !r.beyondLimit(n) && r.elsewhere(n) == 0
}

// isOpen reports whether the row's customer may have to be looked at.
func (r *Rows) isOpen(n int) bool {
	return r.sendable(n) && r.Undecided(n) && !r.File.Checked.AsExported(n)
}

func (r *Rows) isFusebill(n int) bool {
	name := r.File.Checked.Action(n)
	return name != "" && r.actions.Spec(name).Schema.System == action.SystemFusebill
}

func (r *Rows) beyondLimit(n int) bool { return r.Selection.Limit > 0 && n >= r.Selection.Limit }

// elsewhere is the shard that sends a row in place of this run; 0 when none does.
func (r *Rows) elsewhere(n int) int {
	if !r.Selection.Shard.Some() || int(r.File.shards[n]) == r.Selection.Shard.Number {
		return 0
	}
	return int(r.File.shards[n])
}

// leftOut is the outcome of a row that this run was told not to send; nil when it was not.
func (r *Rows) leftOut(n int) *batch.Outcome {
	home, of := r.elsewhere(n), r.Selection.Shard.Of
	switch {
	case r.beyondLimit(n):
		return &batch.Outcome{Kind: batch.Skipped, Error: "beyond --limit " + strconv.Itoa(r.Selection.Limit)}
	case home != 0:
		return &batch.Outcome{Kind: batch.Skipped, Error: fmt.Sprintf("in shard %d of %d: --shard %d/%d sends it", home, of, home, of)}
	}
	return nil
}

// Recall also keeps the customer's id, so that no reference is looked up twice.
func (r *Rows) Recall(n int, o batch.Outcome, done bool) {
	r.RowState.Recall(n, o, done)
	if r.ids != nil {
		r.ids[n], _ = strconv.ParseUint(o.ID, 10, 64) // none, where it was not looked up
	}
}

// Source yields the rows that are not settled yet, in file order; for a survey, those
// that the customer list has not counted either. It ends early when ctx does: what it
// leaves out is not_attempted in the report.
func (r *Rows) Source(ctx context.Context, actions map[string]batch.Action) batch.Source {
	return func(yield func(*batch.Item, error) bool) {
		for row, err := range r.dir.AllRows() {
			if err != nil {
				yield(nil, err)
				return
			}
			if ctx.Err() != nil {
				return
			}
			if r.Settled(row.N) || !r.surveyed && r.is(row.N, counted) {
				continue
			}
			it := r.item(row.N, row.Ragged, r.mapped(row))
			if it.Action = actions[r.File.Checked.Action(row.N)]; !yield(it, nil) {
				return
			}
		}
	}
}

// Rejects yields the rows that the offline checks reject, with the reason: of the
// whole file, whatever part of it is to be sent.
func (r *Rows) Rejects() iter.Seq2[int, batch.Outcome] {
	whole := *r
	whole.Selection.Limit, whole.Selection.Shard = 0, Shard{}
	return func(yield func(int, batch.Outcome) bool) {
		for row, err := range r.dir.AllRows() {
			if err != nil {
				return // the refusal stands without them
			}
			doubtful := r.File.Checked.Doubtful(row.N)
			if r.File.Checked.OK(row.N) && !doubtful {
				continue
			}
			mapped := whole.mapped(row)
			if mapped.Note {
				continue
			}
			out := whole.item(row.N, row.Ragged, mapped).Out
			if doubtful && (out == nil || out.Kind == batch.NotAttempted) { // nobody has looked at its record
				out = action.Problems(mapped.Problems)
			}
			if out != nil && !yield(row.Line, *out) {
				return
			}
		}
	}
}

// Named is whom a row names.
type Named struct {
	N, Line    int
	Field, Key string           // of the customer
	Problem    *mapping.Problem // why it names nobody; nil: it does
}

// Named yields of each row whom it names.
func (r *Rows) Named() iter.Seq2[Named, error] {
	return func(yield func(Named, error) bool) {
		for row, err := range r.dir.AllRows() {
			n := Named{N: row.N, Line: row.Line}
			if err == nil {
				switch mapped := r.mapped(row); {
				case mapped.Note:
					continue
				case row.Ragged:
					n.Problem = r.File.Checked.Problem(row.N)
				case mapped.Key == "":
					n.Problem = &mapped.Problems[0]
				default:
					n.Field, n.Key = mapped.KeyField, strings.Clone(mapped.Key) // else all of the row stays in memory
				}
			}
			if !yield(n, err) {
				return
			}
		}
	}
}

// mapped says what the cells of a row set, its secrets among them; of a ragged row nothing.
func (r *Rows) mapped(row runs.Row) mapping.Mapped {
	if row.Ragged {
		return mapping.Mapped{}
	}
	cells := row.Cells
	if hidden := r.File.secrets[row.N]; hidden != nil {
		cells = r.File.Mapper.Unmask(cells, hidden)
	}
	return r.File.Mapper.RowSince(csvfile.Row{Line: row.Line, Cells: cells, Forms: row.Forms}, baseOf(row))
}

// item makes of a row what the engine carries out, without an action yet.
func (r *Rows) item(n int, ragged bool, row mapping.Mapped) *batch.Item {
	checked := r.File.Checked
	it := &batch.Item{}
	switch {
	case ragged:
	case row.Note:
		it.Out = &batch.Outcome{Kind: batch.Skipped, Error: "a note: the key begins with #"}
	case row.Action == "":
		it.Out = action.Problems(row.Problems)
	default:
		with := action.Context{Found: r.id(n), Codes: r.Codes, BothKeys: len(checked.KeyFields(row.Action)) > 1}
		it = r.actions.Spec(row.Action).Item(row, with)
	}
	r.Prepare(it, n)
	it.More = checked.More(n)
	switch p, out := checked.Problem(n), r.leftOut(n); {
	case out != nil:
		it.Out = out
	case it.Out == nil && p != nil:
		it.Out = batch.Reject(p.Code, p.Text)
	case it.Out == nil && r.ids != nil && r.circles[r.ids[n]]:
		it.Out = batch.Reject("bad_value", "parentId: the customer would be its own parent, directly or through other rows")
	case it.Out == nil && r.ids != nil && r.ids[n] == 0 && r.byReference(n) && it.Key != "":
		it.Out = &batch.Outcome{Kind: batch.NotAttempted, Code: "stopped"} // its reference was not looked up any more
	}
	return it
}

// id is the customer's, where the file does not give it; "" when it was not found.
func (r *Rows) id(n int) string {
	if r.ids == nil || r.ids[n] == 0 {
		return ""
	}
	return spelled(r.ids[n])
}

// codeUses are the tracking codes of the rows that are still open, each once.
func (r *Rows) codeUses() (all []mapping.Use) {
	seen := map[mapping.Use]bool{}
	for row, err := range r.dir.AllRows() {
		if err != nil {
			return all // the next pass meets it too, and tells
		}
		if !r.sendable(row.N) || !r.Undecided(row.N) {
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
func (r *Rows) findCircles() {
	if !r.actions.Any(func(s action.Spec) bool { return slices.Contains(r.File.Mapper.Fields(s.Schema.Action), "parentId") }) {
		return
	}
	r.circles = mapping.Cycles(func(yield func(child, parent uint64) bool) {
		for row, err := range r.dir.AllRows() {
			if err != nil {
				return // the next pass meets it too, and tells
			}
			if r.ids[row.N] == 0 {
				continue
			}
			parent := uint64(0)
			for _, c := range r.mapped(row).Cells {
				if c.Field.Parent {
					parent, _ = strconv.ParseUint(c.Text, 10, 64) // checked to be digits; one beyond 64 bits is no customer of the file
				}
			}
			if !yield(r.ids[row.N], parent) {
				return
			}
		}
	})
}
