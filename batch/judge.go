package batch

import "time"

// Judge decides a row by a record that is at hand, and sends nothing: what a
// dry run makes of the row once it has read the customer.
func Judge(it *Item, now Record) Outcome {
	var o Outcome
	if step, out := it.Action.Decide(it, now); out != nil {
		o = *out
	} else {
		o = wouldChange(it, step, now)
	}
	o.ID, o.Customer, o.Status, o.At = it.ID, now.Name, now.Status, time.Now().UTC()
	return o
}

// wouldChange keeps what a plan needs. The status is as earlier rows of the plan would leave it.
func wouldChange(it *Item, s Step, now Record) Outcome {
	return Outcome{Kind: WouldChange, Changes: s.Changes, Status: now.Status,
		Action: it.Action.Name(), Created: now.Created, Currency: now.Currency}
}
