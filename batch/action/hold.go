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
	return mapping.Schema{Action: "hold", System: SystemFusebill, Keys: FusebillKeys(), Guards: overviewTexts()}
}

const onHold = "Hold"

// mostHolds: a hold acts on billing, and what a second one does is not documented.
const mostHolds = 2

// hold puts a Fusebill customer on hold (developer.staxbill.com/reference/hold-customer).
// It reads the overview, which also tells what the customer owes and pays.
type hold struct {
	account   Fusebill
	codes     *TrackingCodes // of updates that come before it in a plan
	suspended bool           // a Suspended customer may be held
	whole     bool           // a condition needs fields that the overview lacks
}

// NewHold returns the action that puts a Fusebill customer on hold.
func NewHold(s Services) batch.Action {
	return conditional(&hold{s.Fusebill, s.codes(), s.HoldSuspended, s.Condition != nil && s.Condition.BeyondOverview()}, s)
}

func (h *hold) Name() string   { return "hold" }
func (h *hold) System() string { return SystemFusebill }
func (h *hold) MaxSends() int  { return mostHolds }

func (h *hold) Open(ctx context.Context, requests int, sent []batch.Change) (batch.Visit, error) {
	if h.whole {
		requests++
	}
	v, err := h.account.open(ctx, requests, sent)
	if err != nil {
		return nil, err
	}
	return &holdVisit{v, h.whole}, nil
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
	changes, out := batch.Diff(it.Edits, it.Guards, valueOf(now.Body), same)
	switch {
	case out != nil:
		return batch.Step{}, out
	case now.Status == "Suspended" && !h.suspended:
		return batch.Step{}, batch.Reject("bad_status", "the customer is Suspended, and is held only with --hold-suspended")
	case now.Status != "Active" && now.Status != "Suspended":
		return batch.Step{}, batch.Reject("bad_status", fmt.Sprintf("the customer is %s, and only an Active one can be held", now.Status))
	case it.Unanswered && it.Sends >= mostHolds:
		return batch.Step{}, &batch.Outcome{Kind: batch.InDoubt, Code: "no_answer",
			Error: fmt.Sprintf("%d holds were sent; an answer was lost, and the customer is still %s", it.Sends, now.Status)}
	}
	return batch.Step{Changes: changes, Before: now}, nil
}

// Apply lays changes over an overview, as far as it shows their fields.
func (h *hold) Apply(now batch.Record, changes []batch.Change) (batch.Record, error) {
	shown := slices.DeleteFunc(slices.Clone(changes), func(c batch.Change) bool {
		field, _, _ := strings.Cut(c.Field, ".")
		return !gjson.GetBytes(now.Body, cmp.Or(holder(c.Field), field)).Exists()
	})
	return applied(now, shown, h.codes)
}

// Check wants the status to be Hold, and everything that a hold has no business with as it was.
func (h *hold) Check(s batch.Step, after batch.Record) *batch.Outcome {
	before, now := valueOf(s.Before.Body), valueOf(after.Body)
	var moved []string
	for _, field := range overviewTexts() {
		was, is := before(field), now(field)
		if was != batch.Absent && is != batch.Absent && !same(field, was, is) {
			moved = append(moved, fmt.Sprintf("%s went from %q to %q", field, was.Plain(), is.Plain()))
		}
	}
	switch {
	case len(moved) > 0:
		return &batch.Outcome{Kind: batch.Failed, Code: "side_effect", Error: strings.Join(moved, "; ")}
	case after.Status != onHold:
		return &batch.Outcome{Kind: batch.Failed, Code: "not_applied", Error: fmt.Sprintf("the server accepted the hold, but the customer is %q", after.Status)}
	}
	return nil
}

// Settle judges by the status alone.
func (h *hold) Settle(sent []batch.Change, now batch.Record) batch.Verdict {
	return settle(sent, valueOf(now.Body))
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
	if customer.Class == batch.Answered {
		rep.Record.Body = under(rep.Record.Body, customer.Record.Body)
		rep.Requests = customer.Requests
		return rep
	}
	return customer
}

// ReadBeside reads the customer.
func (v *holdVisit) ReadBeside(ctx context.Context, id string) batch.Reply {
	return v.fusebillVisit.Read(ctx, id)
}

// under adds to an object the members of another that it lacks.
func under(object, other []byte) []byte {
	gjson.ParseBytes(other).ForEach(func(key, value gjson.Result) bool {
		path := gjson.Escape(key.Str)
		if !gjson.GetBytes(object, path).Exists() {
			if with, err := sjson.SetRawBytes(object, path, []byte(value.Raw)); err == nil {
				object = with
			}
		}
		return true
	})
	return object
}

// Send holds the customer.
func (v *holdVisit) Send(ctx context.Context, s batch.Step) batch.Reply {
	return translate(v.client.Hold(ctx, v.lease, s.Before.ID))
}

// valueOf reads the top-level fields of an object.
func valueOf(body []byte) func(string) batch.Value {
	return func(field string) batch.Value { return batch.Value(gjson.GetBytes(body, field).Raw) }
}
