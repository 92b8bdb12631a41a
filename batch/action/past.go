package action

import (
	"strings"

	"rowbatch/batch"
)

// Planned makes the item of a row that a plan would change: what was found then
// must still stand there. secret returns a value that the plan does not hold.
func Planned(n int, o batch.Outcome, secret func(field string) batch.Value) *batch.Item {
	it := &batch.Item{N: n, Key: o.Key, ID: o.ID, Lane: laneOf(o.Key, o.ID)}
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

// laneOf is the lane of a customer whose id is known, or of one of Trackfinity's.
func laneOf(key, id string) string {
	if strings.HasPrefix(key, customerID+"=") || strings.HasPrefix(key, subscriptionID+"=") {
		return "tf:" + key
	}
	return "fb:" + id
}

// Undone makes the item that takes a row's write back: the values found before
// it go where its own still stand. With keepTheirs a field in which somebody
// else's stands is left; without, the whole row is.
func Undone(s *batch.Sent, keepTheirs bool) *batch.Item {
	id := s.Found.ID
	it := &batch.Item{N: s.N, Key: Key("id", id), ID: id, Lane: "fb:" + id, Found: &s.Found.Record}
	for _, c := range s.Changes {
		want := c.Before
		if want == batch.Absent {
			want = batch.Null // a key cannot be taken out of a record, only emptied
		}
		it.Edits = append(it.Edits, batch.Edit{Field: c.Field, Want: want, Expect: &c.After, Stale: "changed_since_run", Yields: keepTheirs})
	}
	return it
}
