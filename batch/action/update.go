package action

import (
	"context"
	"fmt"
	"slices"

	"rowbatch/batch"
)

// update edits a Fusebill customer (developer.staxbill.com/docs/modifying-an-existing-customer).
type update struct {
	fusebillAction
	links  hiddenLinks
	stored Spellings
}

// NewUpdate returns the action that edits a Fusebill customer: GET, merge, PUT.
func NewUpdate(s Services) batch.Action {
	// A PUT is sent again only after a read has shown that the last one had no effect.
	u := &update{fusebillAction: newFusebillAction("update", 8, s, listEvidence{standsIn: true}), stored: s.Stored}
	u.links.keys, u.links.warn = u.fields.names(func(f field) bool { return f.has(link) }), s.Warn
	return conditional(u, s)
}

func (u *update) Open(ctx context.Context, requests int, sent []batch.Change) (batch.Visit, error) {
	return u.open(ctx, u.links.requests(requests), sent, func(v *fusebillVisit) batch.Visit { return &updateVisit{v, &u.links, sent} })
}

// Decide compares the row's cells with the live customer.
func (u *update) Decide(it *batch.Item, now batch.Record) (batch.Step, *batch.Outcome) {
	if now.Status == "" {
		return batch.Step{}, batch.Reject("unreadable_record", "the customer's record has no status, and a PUT needs one")
	}
	if out := u.ambiguous(it.Edits, now); out != nil {
		return batch.Step{}, out
	}
	step, out := batch.Diff(it.Edits, it.Guards, u.customer(now).value, u.stored.of(now.ID))
	switch {
	case out != nil:
		if out.Kind == batch.Unchanged {
			out.Warnings = append(out.Warnings, u.stored.told(now.ID, it.Edits, u.customer(now).value)...)
		}
		return batch.Step{}, out
	case now.Status == "Cancelled": // which matters only where something would be sent
		return batch.Step{}, batch.Reject("bad_status", "the customer is Cancelled, and cannot be modified")
	}
	changes := step.Changes
	after, err := u.Apply(now, changes)
	if err != nil {
		return batch.Step{}, batch.Reject("unreadable_record", err.Error())
	}
	if u.Settle(changes, after) != batch.TookEffect {
		return batch.Step{}, batch.Reject("bad_value",
			"two columns set the same field: a type of sales tracking code stands under two of its names")
	}
	if it.Undoes != nil { // whatever stood there before may stand there again
		form, err := u.customer(after).restored(it.Undoes.Body, changes)
		if err != nil {
			return batch.Step{}, batch.Reject("unreadable_record", err.Error())
		}
		after.Body = form.body
	} else if out := u.forbidden(after, changes); out != nil {
		return batch.Step{}, out
	}
	step.Before, step.Body = now, after.Body
	return step, nil
}

// ambiguous refuses to take a tracking code for gone whose type may stand in the record under another name.
func (u *update) ambiguous(edits []batch.Edit, now batch.Record) *batch.Outcome {
	for _, e := range edits {
		typ, tracking := trackingType(e.Field)
		if !tracking || e.Want != batch.Null {
			continue
		}
		if entry, is := u.codes.ambiguous(u.customer(now), typ); is {
			return batch.Reject("unknown_tracking_code", fmt.Sprintf(
				"%q may be what this account calls %q, which the record shows; name the column %s%s if it is",
				typ, entry, trackingPrefix, entry))
		}
	}
	return nil
}

// forbidden refuses what only the live record can show to be wrong.
func (u *update) forbidden(after batch.Record, changes []batch.Change) *batch.Outcome {
	c := u.customer(after)
	for _, ch := range changes {
		if ch.Field == "parentId" && ch.After.Plain() == after.ID {
			return batch.Reject("bad_value", "parentId: a customer cannot be its own parent")
		}
		names := ch.Field == "firstName" || ch.Field == "lastName" || ch.Field == "companyName"
		if names && ch.After.Empty() && c.value("firstName").Empty() && c.value("lastName").Empty() && c.value("companyName").Empty() {
			return batch.Reject("not_clearable", ch.Field+": the customer would be left without any name")
		}
	}
	return nil
}

// Hint holds the reply against the body that was sent.
func (u *update) Hint(s batch.Step, reply batch.Record) *batch.Outcome {
	return u.checked(customer{s.Body, u.codes}, u.customer(reply), s.Changes, true)
}

// Check holds the record after the write against the body that was sent. Links that
// the record does not show are no evidence, but for one that the row set.
func (u *update) Check(s batch.Step, after batch.Record) *batch.Outcome {
	sent, got := customer{s.Body, u.codes}, u.customer(after)
	for _, key := range s.Before.Elsewhere {
		named := slices.ContainsFunc(s.Changes, func(c batch.Change) bool { return c.Field == key })
		if named || got.value(key) != batch.Absent {
			continue
		}
		var err error
		if got, err = got.set(key, sent.value(key)); err != nil {
			return &batch.Outcome{Kind: batch.Failed, Code: "not_applied", Error: err.Error()}
		}
	}
	return u.checked(sent, got, s.Changes, false)
}

// updateVisit reads customers with all their links, since a PUT clears what it leaves out.
type updateVisit struct {
	*fusebillVisit
	links *hiddenLinks
	sent  []batch.Change // what the visit reads back
}

// Read fetches the customer. A read-back of other fields than links does without those that are not shown.
func (v *updateVisit) Read(ctx context.Context, id string) batch.Reply {
	rep := v.fusebillVisit.Read(ctx, id)
	if v.sent != nil && !slices.ContainsFunc(v.sent, func(c batch.Change) bool { return slices.Contains(v.links.keys, c.Field) }) {
		return rep
	}
	return v.links.complete(ctx, v.fusebillVisit, rep)
}

func (v *updateVisit) Send(ctx context.Context, s batch.Step) batch.Reply {
	v.links.tell(s)
	return v.fusebillVisit.Send(ctx, s)
}
