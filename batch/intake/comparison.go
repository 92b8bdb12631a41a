package intake

import (
	"bufio"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"time"

	"rowbatch/batch"
	"rowbatch/batch/action"
	"rowbatch/batch/runs"
	"rowbatch/client"
	"rowbatch/mapping"
)

// listLife is for how long a row of the customer list is evidence.
const listLife = 15 * time.Minute

// comparison holds rows of the customer list, which came by its pages or by sets of
// ids, against the rows of the file as they pass by: who bears a reference, and which rows would change nothing. It keeps nothing of
// customers whom no row is about.
type comparison struct {
	*Lookup
	actions map[string]batch.Action
	finder  *Finder
	asking  []asking // by row: whether its reference is to be looked up; nil when none is
	byBoth  bool     // some rows name their customers by reference

	// several are customers beyond the first who bear a row's reference.
	several  map[int][]uint64
	kept     int      // ids in it
	pending  *pending // of rows whose reference may yet prove to be another's too
	complete bool     // the list showed each customer once
	hidden   bool     // and of some not what may name him
}

// asking is what is to be found out about a row's reference.
type asking uint8

const (
	nothingAsked asking = iota
	whoBearsIt
	tooMany // several bear it, and more of them than can be kept: it is searched for
)

// mostSeveral bounds the customers that are kept as bearing a reference besides another.
const mostSeveral = 100_000

// begin makes the rows ready to be compared. With searches it is to be found out whose
// some references are.
func (c *comparison) begin(searches bool) error {
	rows := c.Rows
	c.actions, c.several = c.Actions(), map[int][]uint64{}
	if searches {
		c.asking = make([]asking, rows.Len())
	}
	for n := range rows.Len() {
		if !rows.byReference(n) {
			continue
		}
		c.byBoth = true
		if searches && rows.isOpen(n) && rows.ids[n] == 0 {
			c.asking[n] = whoBearsIt
		}
	}
	var err error
	c.finder, err = NewFinder(rows)
	return err
}

// take compares a customer with the rows about him. One with several rows, be they
// sent or not, is judged by none of the list's. The error is the journal's, or
// that of the run's own files.
func (c *comparison) take(customer client.ListRow, at time.Time) error {
	c.hidden = c.hidden || c.byBoth && c.hides(customer)
	var only *Match
	matches, others := 0, false
	for m, err := range c.finder.Find(customer) {
		if err != nil {
			return err
		}
		if !c.Rows.isOpen(m.N) {
			others = true
			continue
		}
		c.found(m.N, customer.ID)
		only = m
		matches++
	}
	if matches != 1 || others {
		return nil
	}
	return c.judge(only, customer, at)
}

// hides reports whether the row of a customer does not show all that may name him.
func (c *comparison) hides(customer client.ListRow) bool {
	return slices.ContainsFunc(c.finder.fields, func(field string) bool {
		_, shown := customer.Shows(field)
		return !shown
	})
}

// found notes who bears a row's reference.
func (c *comparison) found(n int, id uint64) {
	if !c.asksFor(n) {
		return
	}
	switch first := &c.Rows.ids[n]; {
	case *first == 0:
		*first = id
	case *first == id:
	case c.kept == mostSeveral:
		c.asking[n] = tooMany
	default:
		c.several[n] = append(c.several[n], id)
		c.kept++
	}
}

// asksFor reports whether it is not known yet whom a row is about.
func (c *comparison) asksFor(n int) bool { return c.asking != nil && c.asking[n] != nothingAsked }

// judge settles a row whose customer has no other, if the list row is evidence.
func (c *comparison) judge(m *Match, customer client.ListRow, at time.Time) error {
	it := c.Rows.item(m.N, false, m.mapped)
	it.Action = c.actions[c.Rows.File.Checked.Action(m.N)]
	blind := c.byBoth && c.hides(customer) // another row may be about this customer by reference
	if it.Out != nil || blind || time.Since(at) > listLife || it.ID != spelled(customer.ID) {
		return nil
	}
	if c.Past != nil { // a row whose write was not answered is read back, whatever a list shows
		if o, err := c.Past.Outcome(m.N); err != nil || o.Kind == batch.InDoubt || o.Sends > 0 {
			return err
		}
	}
	out := action.DecideFromList(it, customer.Raw, c.DryRun || c.Surveys())
	if out == nil || !c.DryRun && out.Kind != batch.WouldChange && out.Kind != batch.Unchanged && out.Kind != batch.Skipped {
		return nil // of a row that is not sent its record is to tell why
	}
	if !c.asksFor(m.N) {
		return c.conclude(it, *out)
	}
	if c.pending == nil {
		var err error
		if c.pending, err = newPending(c.Rows.dir); err != nil {
			return err
		}
	}
	out.Key = action.Key(m.mapped.KeyField, m.mapped.Key)
	return json.NewEncoder(c.pending.out).Encode(pendingRow{m.N, at, *out})
}

func (c *comparison) conclude(it *batch.Item, o batch.Outcome) error {
	if c.Past != nil {
		before, err := c.Past.Outcome(it.N)
		if err != nil {
			return err
		}
		it.Spent = max(it.Spent, before.Requests)
	}
	if o.Kind == batch.Unchanged {
		c.Rows.put(it.N, listed, true)
		c.Listed(func(n int) bool { return c.Rows.is(n, listed) })
	}
	if o.Requests = it.Spent; o.Kind != batch.WouldChange { // which is the last word in a dry run only
		it.Out = &o
	}
	return c.Conclude(it, o)
}

// resolve says what the whole list tells of the references: those that nobody
// has, or several. A list that is not complete tells nothing of them, since whoever
// was missed might bear the same: they are searched for, each by itself.
func (c *comparison) resolve() error {
	if c.asking == nil {
		return nil
	}
	if !c.complete || c.hidden {
		for n := range c.asking {
			if c.asksFor(n) {
				c.Rows.ids[n] = 0
			}
		}
		return nil
	}
	for row, err := range c.Rows.dir.AllRows() {
		if err != nil {
			return nil // the next pass meets it too, and tells
		}
		if c.asking[row.N] == tooMany {
			c.Rows.ids[row.N] = 0
		}
		if c.asking[row.N] != whoBearsIt || c.Rows.ids[row.N] != 0 && len(c.several[row.N]) == 0 {
			continue
		}
		if err := c.reject(row); err != nil {
			return err
		}
	}
	return nil
}

// reject settles a row whose reference is not one customer's.
func (c *comparison) reject(row runs.Row) error {
	mapped, id := c.Rows.mapped(row), c.Rows.ids[row.N]
	key := action.Key(mapped.KeyField, mapped.Key)
	out := action.NoneWith(key)
	if id != 0 {
		all := append([]uint64{id}, c.several[row.N]...)
		slices.Sort(all)
		var ids []string
		for _, one := range slices.Compact(all) {
			ids = append(ids, spelled(one))
		}
		out = action.SeveralWith(key, ids)
	}
	c.Rows.ids[row.N] = 0
	return c.conclude(&batch.Item{N: row.N, Key: key}, *out)
}

// settlePending settles the rows that the list has shown to need nothing, now that
// it is known whose their references are.
func (c *comparison) settlePending() error {
	if c.pending == nil {
		return nil
	}
	return c.pending.each(func(p pendingRow) error {
		rows := c.Rows
		if rows.Settled(p.Row) || rows.id(p.Row) != p.Outcome.ID || rows.circles[rows.ids[p.Row]] || time.Since(p.At) > listLife {
			return nil
		}
		it := &batch.Item{N: p.Row, Key: p.Outcome.Key, ID: p.Outcome.ID, Spent: int(rows.spent[p.Row]),
			Action: c.actions[rows.File.Checked.Action(p.Row)]}
		return c.conclude(it, p.Outcome)
	})
}

// close closes and removes the files. One that cannot be removed ends no run.
func (c *comparison) close() {
	var err error
	if c.finder != nil {
		err = c.finder.Close()
	}
	if c.pending != nil {
		err = errors.Join(err, c.pending.close())
	}
	if err != nil {
		c.Notice("leftover", err.Error())
	}
}

// Finder finds the rows of a file that are about a customer of the list.
type Finder struct {
	rows   *Rows
	picker *runs.RowsPicker
	fields []string // by which rows name their customers, ids aside
}

// Match is a row that is about a customer.
type Match struct {
	N      int
	mapped mapping.Mapped
}

// NewFinder makes rows ready to be found. Close it.
func NewFinder(r *Rows) (*Finder, error) {
	r.File.keys.Finish()
	picker, err := r.dir.PickRows(r.Len())
	if err != nil {
		return nil, err
	}
	return &Finder{r, picker, r.finders()}, nil
}

// Find yields the rows that are about a customer, by id, by reference, or by what else names him.
func (f *Finder) Find(c client.ListRow) func(yield func(*Match, error) bool) {
	return func(yield func(*Match, error) bool) {
		for _, field := range append([]string{"id"}, f.fields...) {
			key := spelled(c.ID)
			if field != "id" {
				key, _ = c.Shows(field)
			}
			if key == "" {
				continue
			}
			for n := range f.rows.File.keys.Find(subject(action.SystemFusebill, field, key)) {
				row, err := f.picker.Row(n)
				if err != nil {
					yield(nil, err)
					return
				}
				mapped := f.rows.mapped(row)
				if mapped.KeyField == field && mapped.Key == key && !yield(&Match{n, mapped}, nil) {
					return
				}
			}
		}
	}
}

func (f *Finder) Close() error { return f.picker.Close() }

// pending keeps outcomes that rest on something not known yet, in a file of the
// run's folder: of a million rows too many for memory.
type pending struct {
	dir  *runs.Dir
	file runs.File
	out  *bufio.Writer
}

// pendingRow is one of them.
type pendingRow struct {
	Row     int
	At      time.Time // when its evidence came
	Outcome batch.Outcome
}

const pendingName = "list.tmp"

// newPending makes the file anew: that of a process which was killed tells nothing any more.
func newPending(dir *runs.Dir) (*pending, error) {
	if err := dir.RemoveFile(pendingName); err != nil {
		return nil, err
	}
	f, err := dir.CreateFile(pendingName)
	if err != nil {
		return nil, err
	}
	return &pending{dir, f, bufio.NewWriterSize(owned{f}, 64<<10)}, nil
}

// each hands the rows out in the order in which they came.
func (p *pending) each(do func(pendingRow) error) error {
	if err := p.out.Flush(); err != nil {
		return err
	}
	all := json.NewDecoder(io.NewSectionReader(p.file, 0, 1<<62))
	for {
		var row pendingRow
		err := all.Decode(&row)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return &runs.WriteError{Path: p.file.Name(), Err: err}
		}
		if err := do(row); err != nil {
			return err
		}
	}
}

// close removes the file.
func (p *pending) close() error {
	return errors.Join(p.file.Close(), p.dir.RemoveFile(pendingName))
}
