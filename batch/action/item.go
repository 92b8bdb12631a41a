package action

import (
	"slices"
	"strings"

	"github.com/tidwall/gjson"

	"rowbatch/batch"
	"rowbatch/client"
	"rowbatch/mapping"
)

// Context is what must be known beside a row's own cells.
type Context struct {
	Found    string // the customer's id where the row is keyed by a reference; "" when none is known
	Codes    *TrackingCodes
	BothKeys bool // Trackfinity: the file's rows name their customers in two ways
}

// fusebillItem turns the cells of a row that is about a Fusebill customer into what the engine carries out.
func fusebillItem(row mapping.Mapped, c Context) *batch.Item {
	id := c.Found
	if row.KeyField == "id" {
		id = row.Key
	}
	it := &batch.Item{Key: Key(row.KeyField, row.Key), ID: id, Lane: "fb:" + id}
	if len(row.Problems) > 0 && !row.Doubtful() {
		it.Out = Problems(row.Problems)
		return it
	}
	if row.KeyField != "id" {
		// The list was asked some time ago; the record that is edited must still bear the reference, or what else names it.
		it.Guards = append(it.Guards, batch.Guard{Field: row.KeyField, Value: batch.Text(row.Key), Exact: true})
	}
	for _, cell := range row.Guards {
		it.Guards = append(it.Guards, batch.Guard{Field: cell.Name, Value: batch.Text(cell.Text)})
	}
	for _, cell := range row.Cells {
		e := batch.Edit{Field: cell.Name, Want: batch.Text(cell.Text)}
		typ, tracking := trackingType(cell.Name)
		switch {
		case tracking:
			if e.Want, it.Out = c.Codes.want(typ, cell); it.Out != nil {
				return it
			}
		case cell.Clear:
			e.Want = batch.Null
		case cell.Field.Kind == mapping.Digits:
			e.Want = batch.Value(cell.Text)
		}
		if cell.Was != nil { // what was exported must still stand there
			was := batch.Text(*cell.Was)
			e.Expect, e.Stale, it.Listed = &was, "changed_since_export", &batch.Record{}
		}
		if cell.OnlyIfBlank {
			empty := batch.Null
			e.Expect, e.Stale, e.Yields = &empty, "", true
		}
		it.Edits = append(it.Edits, e)
	}
	for i, p := range row.Problems { // one that is none, where the record holds just that
		it.Edits = append(it.Edits, batch.Edit{Field: p.Held.Name, Want: batch.Text(p.Held.Text), Unless: Problems(row.Problems[i:])})
	}
	if row.Exported && len(it.Edits) == 0 {
		it.Out = &batch.Outcome{Kind: batch.Unchanged} // whatever the record holds now
	}
	return it
}

// Key is a row's customer as the report names it; "" when the row names none.
func Key(field, value string) string {
	if value == "" {
		return ""
	}
	return field + "=" + value
}

// Problems makes one outcome of all that is wrong with a row's cells.
func Problems(all []mapping.Problem) *batch.Outcome {
	var texts []string
	for _, p := range all {
		if p.Column != "" && !strings.HasPrefix(p.Text, p.Column+" ") {
			p.Text = p.Column + ": " + p.Text
		}
		if p.Cell != "" {
			p.Text = p.Cell + ", " + p.Text
		}
		texts = append(texts, p.Text)
	}
	return batch.Reject(all[0].Code, strings.Join(texts, "; "))
}

// Planned makes the item of a row that a plan would change: what was found then
// must still stand there. secret returns a value that the plan does not hold;
// bothKeys is as in Context.
func Planned(o batch.Outcome, secret func(field string) batch.Value, bothKeys bool) *batch.Item {
	it := &batch.Item{Key: o.Key, ID: o.ID, Lane: "fb:" + o.ID}
	if o.Listed {
		it.Listed = &batch.Record{}
	}
	if KeyField(o.Key) != "" {
		it.Lane, it.Shared = patchLane(o.Key, bothKeys)
	}
	for _, c := range o.Changes {
		e := batch.Edit{Field: c.Field, Want: c.After, Stale: "changed_since_plan"}
		if c.After == batch.Hidden {
			e.Want, e.Secret = secret(c.Field), true
		}
		if c.Before != batch.Hidden {
			e.Expect = &c.Before
		}
		it.Edits = append(it.Edits, e)
	}
	if o.Status != "" && o.Action != "hold" { // a hold expects it as an edit does
		it.Guards = append(it.Guards, batch.Guard{Field: "status", Value: batch.Text(o.Status), Stale: "changed_since_plan"})
	}
	if field, key, keyed := strings.Cut(o.Key, "="); keyed && field != "id" && KeyField(o.Key) == "" {
		it.Guards = append(it.Guards, batch.Guard{Field: field, Value: batch.Text(key), Exact: true, Stale: "changed_since_plan"})
	}
	return it
}

// KeyField is how a row named its Trackfinity customer; "" of a Fusebill one.
func KeyField(key string) string {
	if field, _, named := strings.Cut(key, "="); named && (field == customerID || field == subscriptionID) {
		return field
	}
	return ""
}

// Undone makes the item that takes a row's write back: the values found before
// it go where its own still stand. With keepTheirs a field in which somebody
// else's stands is left; without, the whole row is.
func Undone(s *batch.Sent, keepTheirs bool) *batch.Item {
	id := s.Found.ID
	it := &batch.Item{N: s.N, Key: Key("id", id), ID: id, Lane: "fb:" + id, Undoes: &s.Found.Record}
	for _, c := range s.Changes {
		want := c.Before
		if want == batch.Absent {
			want = batch.Null // a key cannot be taken out of a record, only emptied
		}
		it.Edits = append(it.Edits, batch.Edit{
			Field: c.Field, Want: want, Expect: &c.After, Stored: c.Stored, Stale: "changed_since_run", Yields: keepTheirs})
	}
	return it
}

// listed is an action whose rows can be decided by a row of the customer list.
type listed interface {
	customer(batch.Record) customer
	fromList() listEvidence
}

// listEvidence is what a list row is to an action.
type listEvidence struct {
	needs    []string                // fields, beside those that the row sets and guards, without which it is none
	standsIn bool                    // it may be a dry run's record
	clear    func(row customer) bool // whether it shows what a condition is about; nil: there is none
}

// DecideFromList decides a row by its customer's row in the list of customers, as far as
// that is evidence: a list row may be a short form, and it ages. In a run that sends,
// the only outcome is that nothing need be sent; in a dry run a list row that carries
// all that matters may stand in for the record. Where it differs from a guard, or only in
// spelling from what was exported, the record is to say. nil: the customer must be read.
func DecideFromList(it *batch.Item, row []byte, dry bool) (out *batch.Outcome) {
	defer func() {
		if recover() != nil {
			out = nil // the visit to the customer meets it too, and tells
		}
	}()
	a, may := it.Action.(listed)
	now := Record(row)
	if !may || now.ID != it.ID {
		return nil
	}
	if _, twice := client.RepeatedKey(gjson.ParseBytes(row)); twice {
		return nil
	}
	// The key itself must be there: in a parent that is null, or in a list of codes
	// without the entry, a field may merely have been left out.
	evidence := a.fromList()
	lacks := func(field string) bool { return a.customer(now).value(field) == batch.Absent }
	if slices.ContainsFunc(it.Edits, func(e batch.Edit) bool { return lacks(e.Field) }) ||
		slices.ContainsFunc(it.Guards, func(g batch.Guard) bool { return lacks(g.Field) }) ||
		slices.ContainsFunc(evidence.needs, lacks) || evidence.clear != nil && !evidence.clear(a.customer(now)) {
		return nil
	}
	judged := batch.Judge(it, now)
	// What a preview and a plan keep of a customer.
	short := slices.ContainsFunc([]string{"status", "createdTimestamp", "currency", "companyName", "firstName", "lastName"}, lacks)
	spelled := func(e batch.Edit) bool { // what was exported, perhaps, and only otherwise
		is := a.customer(now).value(e.Field)
		return e.Expect != nil && !same(e.Field, is, *e.Expect) && respelled(e.Field, is, *e.Expect)
	}
	judged.Listed = judged.Kind == batch.WouldChange
	unclear := judged.Code == "match_failed" || judged.Kind == batch.Conflict && slices.ContainsFunc(it.Edits, spelled)
	if judged.Kind == batch.Unchanged || judged.Kind == batch.Skipped || dry && evidence.standsIn && !short && !unclear {
		return &judged
	}
	return nil
}
