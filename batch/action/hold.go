package action

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/tidwall/gjson"
	"github.com/tidwall/sjson"

	"rowbatch/batch"
	"rowbatch/mapping"
)

// HoldSchema is what `hold` takes: a customer, and nothing to set.
func HoldSchema() mapping.Schema {
	all := customerFields()
	return mapping.Schema{Action: "hold", System: SystemFusebill, Keys: all.keys(), Finders: all.finders(inRecord | inOverview),
		Guards: all.overviewTexts(), ReadOnly: all.exported()}
}

const onHold = "Hold"

// hold puts a Fusebill customer on hold (developer.staxbill.com/reference/hold-customer).
// It reads the overview, which also tells what the customer owes and pays.
type hold struct {
	fusebillAction
	suspended bool // a Suspended customer may be held
	whole     bool // a condition needs fields that the overview lacks
}

// NewHold returns the action that puts a Fusebill customer on hold.
func NewHold(s Services) batch.Action {
	const most = 2 // a hold acts on billing, and what a second one does is not documented
	whole := s.Condition != nil && s.Condition.BeyondOverview()
	// No list row stands in for the record: what the customer owes the overview alone tells.
	return conditional(&hold{newFusebillAction("hold", most, s, listEvidence{}), s.HoldSuspended, whole}, s)
}

func (h *hold) Open(ctx context.Context, requests int, sent []batch.Change) (batch.Visit, error) {
	if h.whole {
		requests++
	}
	return h.open(ctx, requests, sent, func(v *fusebillVisit) batch.Visit { return &holdVisit{v, h.whole} })
}

// holdItem asks for one thing.
func holdItem(row mapping.Mapped, c Context) *batch.Item {
	it := fusebillItem(row, c)
	it.Edits = []batch.Edit{{Field: "status", Want: batch.Text(onHold)}}
	return it
}

// Decide holds Active customers; of the other statuses the API's pages say nothing.
func (h *hold) Decide(it *batch.Item, now batch.Record) (batch.Step, *batch.Outcome) {
	if now.Status == "" {
		return batch.Step{}, batch.Reject("unreadable_record", "the customer's overview has no status")
	}
	step, out := batch.Diff(it.Edits, it.Guards, valueOf(now.Body), alike)
	switch {
	case out != nil:
		return batch.Step{}, out
	case now.Status == "Suspended" && !h.suspended:
		return batch.Step{}, batch.Reject("bad_status", "the customer is Suspended, and is held only with --hold-suspended")
	case now.Status != "Active" && now.Status != "Suspended":
		return batch.Step{}, batch.Reject("bad_status", fmt.Sprintf("the customer is %s, and only an Active one can be held", now.Status))
	case it.Unanswered && it.Sends >= h.mostSends:
		return batch.Step{}, &batch.Outcome{Kind: batch.InDoubt, Code: "no_answer",
			Error: fmt.Sprintf("%d holds were sent; an answer was lost, and the customer is still %s", it.Sends, now.Status)}
	}
	step.Before = now
	return step, nil
}

// Apply lays changes over an overview, as far as it shows their fields.
func (h *hold) Apply(now batch.Record, changes []batch.Change) (batch.Record, error) {
	shown := slices.DeleteFunc(slices.Clone(changes), func(c batch.Change) bool {
		field, _, _ := strings.Cut(c.Field, ".")
		return !gjson.GetBytes(now.Body, cmp.Or(holder(c.Field), field)).Exists()
	})
	return h.fusebillAction.Apply(now, shown)
}

// Hint wants the reply, which is the customer, to show the status. What an overview shows is another
// resource's, though one that differs is worth a look.
func (h *hold) Hint(s batch.Step, reply batch.Record) *batch.Outcome {
	if reply.Status == "" {
		return notShown("status")
	}
	return h.Check(s, reply)
}

// Check wants the status to be Hold, and everything that a hold has no business with as it was.
func (h *hold) Check(s batch.Step, after batch.Record) *batch.Outcome {
	before, now := valueOf(s.Before.Body), valueOf(after.Body)
	var moved []string
	for _, field := range h.fields.overviewTexts() {
		was, is := before(field), now(field)
		if was != batch.Absent && is != batch.Absent && !same(field, was, is) && !slices.Contains(h.mayMove, field) {
			moved = append(moved, movedText(field, was, is))
		}
	}
	switch {
	case len(moved) > 0:
		return &batch.Outcome{Kind: batch.Failed, Code: "side_effect", Error: strings.Join(moved, "; ")}
	case after.Status != onHold:
		return &batch.Outcome{Kind: batch.Failed, Code: "not_applied",
			Error: fmt.Sprintf("the server accepted the hold, but the customer is %q", after.Status)}
	}
	return nil
}

// holdVisit reads overviews and sends holds.
type holdVisit struct {
	*fusebillVisit
	whole bool
}

// Read fetches the overview, and the customer's other fields where they are needed.
func (v *holdVisit) Read(ctx context.Context, id string) batch.Reply {
	rep := v.overview(ctx, id)
	if rep.Class != batch.Answered || !v.whole {
		return rep
	}
	customer := v.fusebillVisit.Read(ctx, id)
	customer.Requests += rep.Requests
	if customer.Class != batch.Answered {
		return customer
	}
	rep.Requests = customer.Requests
	gjson.ParseBytes(customer.Record.Body).ForEach(func(key, value gjson.Result) bool {
		path := gjson.Escape(key.Str)
		if !gjson.GetBytes(rep.Record.Body, path).Exists() {
			if with, err := sjson.SetRawBytes(rep.Record.Body, path, []byte(value.Raw)); err == nil {
				rep.Record.Body = with
			}
		}
		return true
	})
	return rep
}

// ReadBeside reads the customer.
func (v *holdVisit) ReadBeside(ctx context.Context, id string) batch.Reply {
	return v.fusebillVisit.Read(ctx, id)
}

// Send holds the customer.
func (v *holdVisit) Send(ctx context.Context, s batch.Step) batch.Reply {
	return translate(v.client.Hold(ctx, v.lease, s.Before.ID))
}

// unhold takes a Fusebill customer off hold (developer.staxbill.com/reference/un-hold-customer).
// What coming back is charged depends on the option, which nobody but the user
// can choose. It is sent once: what a second one would charge is not documented.
type unhold struct {
	hold
	option string
}

// NewUnhold returns the action that takes back a hold, with one of the API's
// values of serviceStartOption.
func NewUnhold(s Services, option string) batch.Action {
	return &unhold{hold{fusebillAction: newFusebillAction("unhold", 1, s, listEvidence{})}, option}
}

func (u *unhold) Open(ctx context.Context, requests int, sent []batch.Change) (batch.Visit, error) {
	return u.open(ctx, requests, sent, func(v *fusebillVisit) batch.Visit { return &unholdVisit{holdVisit{v, false}, u.option} })
}

// Decide wants a customer on hold, by the hold that is taken back and no later one.
func (u *unhold) Decide(it *batch.Item, now batch.Record) (batch.Step, *batch.Outcome) {
	step, out := batch.Diff(it.Edits, it.Guards, valueOf(now.Body), alike)
	switch {
	case out != nil:
		return batch.Step{}, out
	case it.UndoneBy != "" && slices.ContainsFunc(it.Edits, func(e batch.Edit) bool { return e.Yields }):
		return batch.Step{}, &batch.Outcome{Kind: batch.Unchanged}
	case it.UndoneBy != "":
		return batch.Step{}, &batch.Outcome{Kind: batch.Conflict, Code: "changed_since_run",
			Error: it.UndoneBy + " took the customer off hold, and somebody has put them on hold since: undo what did that"}
	case it.Unanswered && it.Sends >= u.mostSends:
		return batch.Step{}, &batch.Outcome{Kind: batch.InDoubt, Code: "no_answer",
			Error: "the un-hold was sent, its answer was lost, and the customer is still on hold; it is never sent twice"}
	}
	step.Before = now
	return step, nil
}

// Hint is what Check tells of a reply, which may be a short one.
func (u *unhold) Hint(s batch.Step, reply batch.Record) *batch.Outcome { return u.Check(s, reply) }

// Check wants the customer off hold. Whether the reply shows it is not
// documented; the read after the first un-hold does.
func (u *unhold) Check(_ batch.Step, after batch.Record) *batch.Outcome {
	if after.Status == onHold {
		return &batch.Outcome{Kind: batch.Failed, Code: "not_applied",
			Error: "the server accepted the un-hold, but the customer is still on hold"}
	}
	return nil
}

// Settle takes any status but Hold for the effect: how the customer came off
// hold matters less than that nobody is charged twice.
func (u *unhold) Settle(_ []batch.Change, now batch.Record) batch.Verdict {
	if now.Status == onHold {
		return batch.NoEffect
	}
	return batch.TookEffect
}

type unholdVisit struct {
	holdVisit
	option string
}

// Send takes the customer off hold, and reads it: the call's reply is not described.
func (v *unholdVisit) Send(ctx context.Context, s batch.Step) batch.Reply {
	rep := translate(v.client.Unhold(ctx, v.lease, s.Before.ID, v.option))
	if rep.Class != batch.Answered || rep.Record.Status != "" {
		return rep
	}
	seen := v.Read(ctx, s.Before.ID)
	seen.Requests += rep.Requests
	if seen.Class != batch.Answered {
		seen.Class = batch.Lost // the write was accepted; what it left is read again
	}
	return seen
}
