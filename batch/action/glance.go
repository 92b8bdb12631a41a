package action

import (
	"slices"

	"github.com/tidwall/gjson"

	"rowbatch/batch"
)

// glancing is an action whose rows can be decided by a row of the customer list.
// One under a condition is none: the condition may ask for any field.
type glancing interface {
	batch.Action
	// shows reads the fields of a list row.
	shows(now batch.Record) func(field string) batch.Value
	// needs are the fields, beside those that the row sets and guards, without
	// which a list row is no evidence.
	needs() []string
	// standsIn says that a list row may be a dry run's record.
	standsIn() bool
}

func (u *update) shows(now batch.Record) func(string) batch.Value { return u.customer(now).value }
func (u *update) needs() []string                                 { return nil }
func (u *update) standsIn() bool                                  { return true }

func (l *latch) shows(now batch.Record) func(string) batch.Value { return valueOf(now.Body) }
func (l *latch) standsIn() bool                                  { return true }

// A latch needs both links: the API clears the one left out.
func (l *latch) needs() []string { return []string{hubSpotContact, hubSpotCompany} }

func (h *hold) shows(now batch.Record) func(string) batch.Value { return valueOf(now.Body) }
func (h *hold) needs() []string                                 { return nil }

// A hold shows what the customer owes, which the overview alone tells.
func (h *hold) standsIn() bool { return false }

// Glance decides a row by its customer's row in the list of customers, as far as
// that is evidence: a list row may be a short form, and it ages. Of a run that
// sends it says that nothing need be sent; in a dry run a list row that carries all
// that matters is the record itself. nil: the customer must be read.
func Glance(it *batch.Item, row []byte, dry bool) (out *batch.Outcome) {
	defer func() {
		if recover() != nil {
			out = nil // the visit to the customer meets it too, and tells
		}
	}()
	a, may := it.Action.(glancing)
	now := Record(row)
	if !may || now.ID != it.ID || !carries(it, now, a) {
		return nil
	}
	judged := batch.Judge(it, now)
	if judged.Kind == batch.Unchanged || dry && a.standsIn() && isWhole(now) {
		return &judged
	}
	return nil
}

// carries says that a list row has every field that decides about the item. The
// key itself must be there: in a parent that is null, or in a list of codes without
// the entry, a field may merely have been left out.
func carries(it *batch.Item, now batch.Record, a glancing) bool {
	if _, twice := doubled(gjson.ParseBytes(now.Body)); twice {
		return false
	}
	value := a.shows(now)
	has := func(field string) bool { return value(field) != batch.Absent }
	for _, e := range it.Edits {
		if !has(e.Field) {
			return false
		}
	}
	for _, g := range it.Guards {
		if !has(g.Field) {
			return false
		}
	}
	return !slices.ContainsFunc(a.needs(), func(f string) bool { return !has(f) })
}

// isWhole says that a list row shows what a preview and a plan keep of a customer.
func isWhole(now batch.Record) bool {
	value := valueOf(now.Body)
	return !slices.ContainsFunc([]string{"status", "createdTimestamp", "currency", "companyName", "firstName", "lastName"},
		func(f string) bool { return value(f) == batch.Absent })
}
