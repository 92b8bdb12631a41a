package cli

import (
	"slices"
	"strconv"
	"time"

	"rowbatch/batch"
	"rowbatch/batch/action"
)

// resolve says what the whole list tells of the references: those that nobody
// has, or several. A list that is not complete tells nothing of them, since whoever
// was missed might bear the same: they are searched for, each by itself.
func (l *listLookup) resolve() error {
	if l.asks == nil {
		return nil
	}
	if !l.complete {
		l.forget()
		return nil
	}
	for row, err := range l.run.rows.read() {
		if err != nil {
			return nil // the next pass meets it too, and tells
		}
		if l.asks[row.N] == tooMany {
			l.run.rows.ids[row.N] = 0
		}
		if l.asks[row.N] != whoBearsIt {
			continue
		}
		if err := l.answer(row.N, l.run.rows.mapped(row).Key); err != nil {
			return err
		}
	}
	return nil
}

// forget takes back who was found to bear the references.
func (l *listLookup) forget() {
	for n := range l.asks {
		if l.asksFor(n) {
			l.run.rows.ids[n] = 0
		}
	}
}

// answer settles a row whose reference is not one customer's.
func (l *listLookup) answer(n int, ref string) error {
	ids := &l.run.rows.ids[n]
	it := &batch.Item{N: n, Key: action.Key("reference", ref)}
	switch others := l.several[n]; {
	case *ids == 0:
		return l.conclude(it, *action.NoneWith(ref))
	case len(others) == 0:
		return nil
	default:
		all := distinct(append([]uint64{*ids}, others...))
		*ids = 0
		return l.conclude(it, *action.SeveralWith(ref, all))
	}
}

// distinct spells ids, each once, in ascending order.
func distinct(ids []uint64) (texts []string) {
	slices.Sort(ids)
	for _, id := range slices.Compact(ids) {
		texts = append(texts, strconv.FormatUint(id, 10))
	}
	return texts
}

// settlePending settles the rows that the list has shown to need nothing, now that
// it is known whose their references are.
func (l *listLookup) settlePending() error {
	if l.pending == nil {
		return nil
	}
	return l.pending.each(func(p pendingRow) error {
		rows := l.run.rows
		if rows.is(p.Row, markSettled) || rows.id(p.Row) != p.Outcome.ID || rows.circles[rows.ids[p.Row]] || time.Since(p.At) > listLife {
			return nil
		}
		it := &batch.Item{N: p.Row, Key: p.Outcome.Key, ID: p.Outcome.ID, Spent: int(rows.spent[p.Row]), Action: l.actions[l.run.in.checked.Action(p.Row)]}
		return l.conclude(it, p.Outcome)
	})
}
