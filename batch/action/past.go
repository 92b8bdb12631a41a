package action

import (
	"strings"

	"rowbatch/batch"
)

// Planned makes the item of a row that a plan would change: what was found then
// must still stand there. secret returns a value that the plan does not hold;
// bothKeys is as in Context.
func Planned(o batch.Outcome, secret func(field string) batch.Value, bothKeys bool) *batch.Item {
	it := &batch.Item{Key: o.Key, ID: o.ID, Lane: "fb:" + o.ID}
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
		it.Guards = append(it.Guards, batch.Guard{Field: "status", Value: batch.Text(o.Status), Exact: true, Stale: "changed_since_plan"})
	}
	if ref, keyed := strings.CutPrefix(o.Key, "reference="); keyed {
		it.Guards = append(it.Guards, batch.Guard{Field: "reference", Value: batch.Text(ref), Exact: true, Stale: "changed_since_plan"})
	}
	return it
}

// KeyField is how a row named its Trackfinity customer; "" of a Fusebill one.
func KeyField(key string) string {
	for _, field := range []string{customerID, subscriptionID} {
		if strings.HasPrefix(key, field+"=") {
			return field
		}
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
		it.Edits = append(it.Edits, batch.Edit{Field: c.Field, Want: want, Expect: &c.After, Stale: "changed_since_run", Yields: keepTheirs})
	}
	return it
}
