package cli

import (
	"errors"
	"strconv"
	"time"

	"rowbatch/batch"
	"rowbatch/batch/action"
	"rowbatch/batch/runs"
	"rowbatch/client"
)

// listLife is for how long a row of the customer list is evidence.
const listLife = 15 * time.Minute

// listLookup holds the customer list against the rows of the file as it passes by:
// who bears a reference, and which rows would change nothing. It keeps 11 bytes a
// row of the file, and nothing of other customers.
type listLookup struct {
	*rowFinder
	run     *run
	engine  *batch.Engine
	actions map[string]batch.Action
	asks    []asking // by row: whether its reference is to be looked up; nil when none is
	byBoth  bool     // some rows name their customers by reference

	// several are customers beyond the first who bear a row's reference.
	several  map[int][]uint64
	kept     int      // ids in it
	pending  *pending // of rows whose reference may yet prove to be another's too
	complete bool     // the list showed each customer once
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

func (r *run) newListLookup(searches bool) (*listLookup, error) {
	l := &listLookup{rowFinder: newRowFinder(r.rows), run: r, engine: r.engine(false), actions: r.actions(), several: map[int][]uint64{}}
	if searches {
		l.asks = make([]asking, r.rows.rows())
	}
	for row, err := range r.rows.read() {
		if err != nil {
			return nil, err
		}
		l.enter(row)
	}
	return l, l.ready()
}

// enter notes who a row is about, be it sent or not: a customer with several rows
// is judged by none of the list's.
func (l *listLookup) enter(row runs.Row) {
	n, rows := row.N, l.run.rows
	if row.Ragged || !rows.isFusebill(n) {
		return
	}
	field := l.run.in.checked.KeyField(n)
	l.byBoth = l.byBoth || field == "reference"
	mapped := rows.mapped(row)
	if mapped.Key == "" {
		return
	}
	l.add(mapped, n)
	if field == "reference" && rows.isOpen(n) && rows.ids[n] == 0 {
		l.asks[n] = whoBearsIt
	}
}

// take holds a page against the rows. The error is the journal's, or that of the
// run's own files.
func (l *listLookup) take(p client.ListPage) error {
	for _, c := range p.Rows {
		if l.run.stopped() {
			return nil
		}
		if err := l.customer(c, p.At); err != nil {
			return err
		}
		l.seen.Add(1)
	}
	return nil
}

func (l *listLookup) customer(c client.ListRow, at time.Time) error {
	var last *match
	var others []int // that are not to be sent
	several := false
	for n := range l.candidates(c) {
		if !l.run.rows.isOpen(n) {
			others = append(others, n)
			continue
		}
		m, err := l.matching(n, c)
		if err != nil {
			return err
		}
		if m != nil {
			l.found(n, c.ID)
			last, several = m, last != nil
		}
	}
	if last == nil || several {
		return nil
	}
	for _, n := range others {
		if m, err := l.matching(n, c); err != nil || m != nil {
			return err
		}
	}
	return l.judge(last, c, at)
}

// found notes who bears a row's reference.
func (l *listLookup) found(n int, id uint64) {
	if !l.asksFor(n) {
		return
	}
	switch first := &l.run.rows.ids[n]; {
	case *first == 0:
		*first = id
	case *first == id:
	case l.kept == mostSeveral:
		l.asks[n] = tooMany
	default:
		l.several[n] = append(l.several[n], id)
		l.kept++
	}
}

// asksFor says that a row's customer is not known yet.
func (l *listLookup) asksFor(n int) bool { return l.asks != nil && l.asks[n] != nothingAsked }

// judge settles a row whose customer has no other, if the list row is evidence.
func (l *listLookup) judge(m *match, c client.ListRow, at time.Time) error {
	r, n := l.run, m.row.N
	it := r.rows.item(m.row)
	it.Action = l.actions[r.in.checked.Action(n)]
	blind := l.byBoth && c.Nameless // another row may be about this customer by reference
	if it.Out != nil || blind || time.Since(at) > listLife || it.ID != strconv.FormatUint(c.ID, 10) {
		return nil
	}
	fresh, err := r.neverSent(n)
	if err != nil || !fresh {
		return err
	}
	out := action.DecideFromList(it, c.Raw, r.flags.dryRun)
	switch {
	case out == nil:
		return nil
	case !l.asksFor(n):
		return l.conclude(it, *out)
	case l.pending == nil:
		if l.pending, err = newPending(r.dir); err != nil {
			return err
		}
	}
	out.Key = m.key
	return l.pending.add(pendingRow{n, at, *out})
}

// neverSent says that no write has left for the row: one whose write was not
// answered is read back, whatever a list shows.
func (r *run) neverSent(n int) (bool, error) {
	if r.past == nil {
		return true, nil
	}
	o, err := r.past.Outcome(n)
	return err == nil && o.Kind != batch.InDoubt && o.Sends == 0, err
}

func (l *listLookup) conclude(it *batch.Item, o batch.Outcome) error {
	if l.run.past != nil {
		before, err := l.run.past.Outcome(it.N)
		if err != nil {
			return err
		}
		it.Spent = max(it.Spent, before.Requests)
	}
	if o.Kind == batch.Unchanged {
		rows := l.run.rows
		rows.put(it.N, markListed, true)
		l.run.tally.listed(func(n int) bool { return rows.is(n, markListed) })
	}
	o.Requests, it.Out = it.Spent, &o
	return l.engine.Conclude(it, o)
}

// close lets go of files and memory; that a file of no use any more cannot be removed ends no run.
func (l *listLookup) close() {
	err := l.rowFinder.close()
	if l.pending != nil {
		err = errors.Join(err, l.pending.close())
	}
	if err != nil {
		complain(l.run.console.err, err)
	}
}
