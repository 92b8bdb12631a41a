package action

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"github.com/tidwall/gjson"

	"rowbatch/batch"
	"rowbatch/mapping"
)

// The two links of a customer to HubSpot.
const (
	hubSpotContact = "hubSpotId"
	hubSpotCompany = "hubSpotCompanyId"
)

// LatchSchema is the field table of `latch` (developer.staxbill.com/reference/latch-customer-1).
// One contact belongs to one customer, and one company to one.
func LatchSchema() mapping.Schema {
	return mapping.Schema{
		Action: "latch", System: SystemFusebill,
		Keys: FusebillKeys(),
		Fields: []mapping.Field{
			{Name: hubSpotContact, Kind: mapping.Digits, Unique: "already_linked"},
			{Name: hubSpotCompany, Kind: mapping.Digits, Unique: "already_linked"},
		},
		Guards: append(overviewTexts(), "status"),
	}
}

// latch links a Fusebill customer to HubSpot, or unlinks it.
type latch struct {
	account Fusebill
	codes   *TrackingCodes // of updates that come before it in a plan
	links   *links
	hidden  *hiddenLinks
}

// NewLatch returns the action that links a Fusebill customer to HubSpot.
func NewLatch(s Services) batch.Action {
	return conditional(&latch{account: s.Fusebill, codes: s.codes(), links: newLinks(), hidden: &hiddenLinks{keys: linkKeys()[:2]}}, s)
}

func (l *latch) Name() string   { return "latch" }
func (l *latch) System() string { return SystemFusebill }

// MaxSends is generous, as that of an update: a latch is sent again only after a
// read has shown that the last one had no effect.
func (l *latch) MaxSends() int { return 8 }

func (l *latch) Open(ctx context.Context, requests int, sent []batch.Change) (batch.Visit, error) {
	v, err := l.account.open(ctx, l.hidden.requests(requests), sent)
	if err != nil {
		return nil, err
	}
	return &latchVisit{v, l}, nil
}

// Decide compares the row's links with the customer's. The body always carries
// both: the API clears the one left out.
func (l *latch) Decide(it *batch.Item, now batch.Record) (batch.Step, *batch.Outcome) {
	value := valueOf(now.Body)
	switch {
	case now.Status == "":
		return batch.Step{}, batch.Reject("unreadable_record", "the customer's record has no status")
	case now.Status == "Cancelled":
		return batch.Step{}, batch.Reject("bad_status", "the customer is Cancelled, and cannot be modified")
	case value(hubSpotContact) == batch.Absent || value(hubSpotCompany) == batch.Absent:
		return batch.Step{}, batch.Reject("cannot_read_link", "neither the customer's record nor its overview shows both HubSpot ids, and the one not sent would be cleared")
	}
	changes, out := batch.Diff(it.Edits, it.Guards, value, same)
	if out != nil {
		return batch.Step{}, out
	}
	after, err := l.Apply(now, changes)
	if err != nil {
		return batch.Step{}, batch.Reject("unreadable_record", err.Error())
	}
	return batch.Step{Changes: changes, Before: now, Body: latchBody(now.ID, valueOf(after.Body))}, nil
}

func latchBody(id string, value func(string) batch.Value) []byte {
	return fmt.Appendf(nil, `{"fusebillId":%s,"hubSpotId":%s,"hubSpotCompanyId":%s}`, id, orNull(value(hubSpotContact)), orNull(value(hubSpotCompany)))
}

func orNull(v batch.Value) batch.Value {
	if v.Empty() {
		return batch.Null
	}
	return v
}

// Apply lays changes over the record's bytes.
func (l *latch) Apply(now batch.Record, changes []batch.Change) (batch.Record, error) {
	return applied(now, changes, l.codes)
}

// Check holds the record after the latch against the links that were sent, and
// all else against the record before.
func (l *latch) Check(s batch.Step, after batch.Record) *batch.Outcome {
	sent, err := l.Apply(s.Before, s.Changes)
	if err != nil {
		return batch.Reject("unreadable_record", err.Error())
	}
	return checked(customer{sent.Body, l.codes}, customer{after.Body, l.codes}, s.Changes)
}

func (l *latch) Settle(sent []batch.Change, now batch.Record) batch.Verdict {
	return settle(sent, valueOf(now.Body))
}

// latchVisit reads customers with both their links, and sends latches.
type latchVisit struct {
	*fusebillVisit
	latch *latch
}

// Read fetches the customer, with both links.
func (v *latchVisit) Read(ctx context.Context, id string) batch.Reply {
	return v.linked(ctx, v.fusebillVisit.Read(ctx, id))
}

func (v *latchVisit) linked(ctx context.Context, rep batch.Reply) batch.Reply {
	rep = v.latch.hidden.complete(ctx, v.fusebillVisit, rep)
	if rep.Class == batch.Answered {
		v.latch.links.note(rep.Record.ID, valueOf(rep.Record.Body))
	}
	return rep
}

// Send sets both links, or takes both away. A refusal may be due to a link that
// another row of the run is about to free.
func (v *latchVisit) Send(ctx context.Context, s batch.Step) batch.Reply {
	id := s.Before.ID
	rep := v.write(ctx, s)
	switch {
	case rep.Class == batch.Answered:
		v.latch.links.free(id, valueOf(s.Before.Body))
		if rep = v.linked(ctx, rep); rep.Class != batch.Answered {
			rep.Class = batch.Lost // the write was accepted; what it left is read again
		}
	case rep.Class == batch.Refused && (rep.Status == http.StatusBadRequest || rep.Status == http.StatusConflict):
		rep.Later = true
		if owner := v.latch.links.owner(id, valueOf(s.Body)); owner != "" {
			rep.Code, rep.Text = "already_linked", rep.Text+"; customer "+owner+" has that link"
		} else if saysTaken(rep.Text) {
			rep.Code = "already_linked"
		}
	}
	return rep
}

func (v *latchVisit) write(ctx context.Context, s batch.Step) batch.Reply {
	value := valueOf(s.Body)
	if value(hubSpotContact) == batch.Null && value(hubSpotCompany) == batch.Null {
		return translate(v.client.Unlatch(ctx, v.lease, s.Before.ID))
	}
	return translate(v.client.Latch(ctx, v.lease, s.Body))
}

// saysTaken looks for words: what the API answers for a link that another
// customer has is not documented.
func saysTaken(text string) bool {
	text = strings.ToLower(text)
	for _, words := range []string{"already", "another customer", "in use", "taken"} {
		if strings.Contains(text, words) {
			return true
		}
	}
	return false
}

// linkValue is a link as one text, "" for none.
func linkValue(field string, value func(string) batch.Value) string {
	if v := value(field); !v.Empty() {
		return field + "=" + gjson.Parse(string(v)).String()
	}
	return ""
}
