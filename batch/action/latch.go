package action

import (
	"context"
	"fmt"
	"net/http"
	"regexp"
	"sync"

	"github.com/tidwall/gjson"

	"rowbatch/batch"
	"rowbatch/mapping"
)

// The two links of a customer to HubSpot.
const (
	hubSpotContact = "hubSpotId"
	hubSpotCompany = "hubSpotCompanyId"
)

func hubSpotLinks() []string { return []string{hubSpotContact, hubSpotCompany} }

// LatchSchema is the field table of `latch` (developer.staxbill.com/reference/latch-customer-1).
// One contact belongs to one customer, and one company to one.
func LatchSchema() mapping.Schema {
	all := customerFields()
	return mapping.Schema{
		Action: "latch", System: SystemFusebill,
		Keys: all.keys(), Finders: all.finders(inRecord | inOverview),
		Fields: []mapping.Field{
			{Name: hubSpotContact, Kind: mapping.Digits, Unique: "already_linked"},
			{Name: hubSpotCompany, Kind: mapping.Digits, Unique: "already_linked"},
		},
		Guards:   append(all.overviewTexts(), "status"),
		ReadOnly: all.exported(),
	}
}

// latch links a Fusebill customer to HubSpot, or unlinks it.
type latch struct {
	fusebillAction
	owners linkOwners
	hidden hiddenLinks
}

// NewLatch returns the action that links a Fusebill customer to HubSpot.
func NewLatch(s Services) batch.Action {
	// A latch is sent again only after a read has shown that the last one had no effect.
	// It needs both links of a list row, too.
	l := &latch{fusebillAction: newFusebillAction("latch", 8, s, listEvidence{needs: hubSpotLinks(), standsIn: true})}
	l.owners.of, l.hidden.keys = map[string]string{}, hubSpotLinks()
	return conditional(l, s)
}

func (l *latch) Open(ctx context.Context, requests int, sent []batch.Change) (batch.Visit, error) {
	return l.open(ctx, l.hidden.requests(requests), sent, func(v *fusebillVisit) batch.Visit { return &latchVisit{v, l} })
}

// Decide compares the row's links with the customer's. The body always carries
// both: the API clears the one left out.
func (l *latch) Decide(it *batch.Item, now batch.Record) (batch.Step, *batch.Outcome) {
	value := valueOf(now.Body)
	switch {
	case now.Status == "":
		return batch.Step{}, batch.Reject("unreadable_record", "the customer's record has no status")
	case value(hubSpotContact) == batch.Absent || value(hubSpotCompany) == batch.Absent:
		return batch.Step{}, batch.Reject("cannot_read_link",
			"neither the customer's record nor its overview shows both HubSpot ids, and the one not sent would be cleared")
	}
	step, out := batch.Diff(it.Edits, it.Guards, value, alike)
	switch {
	case out != nil:
		return batch.Step{}, out
	case now.Status == "Cancelled": // which matters only where something would be sent
		return batch.Step{}, batch.Reject("bad_status", "the customer is Cancelled, and cannot be modified")
	}
	after, err := l.Apply(now, step.Changes)
	if err != nil {
		return batch.Step{}, batch.Reject("unreadable_record", err.Error())
	}
	value = valueOf(after.Body)
	step.Before, step.Body = now, fmt.Appendf(nil, `{"fusebillId":%s,"hubSpotId":%s,"hubSpotCompanyId":%s}`,
		now.ID, orNull(value(hubSpotContact)), orNull(value(hubSpotCompany)))
	return step, nil
}

func orNull(v batch.Value) batch.Value {
	if v.Empty() {
		return batch.Null
	}
	return v
}

// Hint holds the reply against the links that were sent and the record before.
func (l *latch) Hint(s batch.Step, reply batch.Record) *batch.Outcome { return l.held(s, reply, true) }

// Check holds the record after the latch against the links that were sent, and
// all else against the record before.
func (l *latch) Check(s batch.Step, after batch.Record) *batch.Outcome {
	return l.held(s, after, false)
}

func (l *latch) held(s batch.Step, after batch.Record, reply bool) *batch.Outcome {
	sent, err := l.Apply(s.Before, s.Changes)
	if err != nil {
		return batch.Reject("unreadable_record", err.Error())
	}
	return l.checked(l.customer(sent), l.customer(after), s.Changes, reply)
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
		v.latch.owners.note(rep.Record.ID, rep.Record.Body)
	}
	return rep
}

// Send sets both links, or takes both away. A refusal may be due to a link that
// another row of the run is about to free.
func (v *latchVisit) Send(ctx context.Context, s batch.Step) batch.Reply {
	id, value := s.Before.ID, valueOf(s.Body)
	var rep batch.Reply
	if value(hubSpotContact) == batch.Null && value(hubSpotCompany) == batch.Null {
		rep = translate(v.client.Unlatch(ctx, v.lease, id))
	} else {
		rep = translate(v.client.Latch(ctx, v.lease, s.Body))
	}
	switch {
	case rep.Class == batch.Answered:
		v.latch.owners.free(id, s.Before.Body)
		if rep = v.linked(ctx, rep); rep.Class != batch.Answered {
			rep.Class = batch.Lost // the write was accepted; what it left is read again
		}
	case rep.Class == batch.Refused && (rep.Status == http.StatusBadRequest || rep.Status == http.StatusConflict):
		rep.Later = true
		if owner := v.latch.owners.owner(id, s.Body); owner != "" {
			rep.Code, rep.Text = "already_linked", rep.Text+"; customer "+owner+" has that link"
		} else if takenWords.MatchString(rep.Text) {
			rep.Code = "already_linked"
		}
	}
	return rep
}

// takenWords are looked for, since what the API answers for a link that another
// customer has is not documented.
var takenWords = regexp.MustCompile(`(?i)already|another customer|in use|taken`)

// linkOwners remembers who has which link to HubSpot, among the customers seen.
type linkOwners struct {
	mu sync.Mutex
	of map[string]string // link → customer's id
}

// linksOf are the links of a record as texts.
func linksOf(record []byte) (links []string) {
	for _, field := range hubSpotLinks() {
		if v := valueOf(record)(field); !v.Empty() {
			links = append(links, field+"="+gjson.Parse(string(v)).String())
		}
	}
	return links
}

func (o *linkOwners) note(id string, record []byte) {
	const most = 100_000 // bounds the memory: beyond it a refusal is told without the owner's name
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, link := range linksOf(record) {
		if len(o.of) < most {
			o.of[link] = id
		}
	}
}

// free forgets the links that a customer had.
func (o *linkOwners) free(id string, record []byte) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, link := range linksOf(record) {
		if o.of[link] == id {
			delete(o.of, link)
		}
	}
}

// owner returns another customer who has one of the links, "" when none is known.
func (o *linkOwners) owner(id string, record []byte) string {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, link := range linksOf(record) {
		if owner := o.of[link]; owner != "" && owner != id {
			return owner
		}
	}
	return ""
}
