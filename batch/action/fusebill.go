package action

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/tidwall/gjson"
	"github.com/tidwall/sjson"

	"rowbatch/batch"
	"rowbatch/client"
	"rowbatch/client/governor"
)

// Fusebill is an account: its client, and the governor of its requests.
type Fusebill struct {
	Client   *client.Fusebill
	Governor *governor.Governor
}

// fusebillAction is what the actions on Fusebill customers have in common.
type fusebillAction struct {
	name      string
	mostSends int
	account   Fusebill
	codes     *TrackingCodes // of an update, or of updates that come before the action in a plan
	list      listEvidence
	fields    fieldTable
	mayMove   []string // fields that the server moves by itself

	noOverview func() // tells people, once, that first writes are checked without overviews
}

func newFusebillAction(name string, mostSends int, s Services, list listEvidence) fusebillAction {
	noOverview := sync.OnceFunc(func() {
		if s.Warn != nil {
			s.Warn("overview_refused", "the server refuses the overview: what only that shows is not checked around the first write")
		}
	})
	return fusebillAction{name, mostSends, s.Fusebill, cmp.Or(s.Codes, NewTrackingCodes()), list, customerFields(), s.MayMove, noOverview}
}

// open leases the requests of a visit together; visit makes it the action's own.
func (a *fusebillAction) open(
	ctx context.Context, requests int, sent []batch.Change, visit func(*fusebillVisit) batch.Visit,
) (batch.Visit, error) {
	lease := a.account.Governor.Lease
	if sent != nil {
		lease = a.account.Governor.LeaseReserve
	}
	l, err := lease(ctx, requests)
	if err != nil {
		return nil, err
	}
	return visit(&fusebillVisit{a, a.account.Client, l}), nil
}

func (a *fusebillAction) Name() string   { return a.name }
func (a *fusebillAction) System() string { return SystemFusebill }
func (a *fusebillAction) MaxSends() int  { return a.mostSends }

func (a *fusebillAction) customer(r batch.Record) customer { return customer{r.Body, a.codes} }

func (a *fusebillAction) fromList() listEvidence { return a.list }

// Apply lays changes over a record's bytes.
func (a *fusebillAction) Apply(now batch.Record, changes []batch.Change) (batch.Record, error) {
	c := a.customer(now)
	for _, ch := range changes {
		var err error
		if c, err = c.set(ch.Field, ch.After); err != nil {
			return now, fmt.Errorf("%s: %w", ch.Field, err)
		}
		if ch.Field == "status" {
			now.Status = ch.After.Plain()
		}
	}
	now.Body = c.body
	return now, nil
}

// Settle judges by the fields that were sent: whatever else moved is not evidence about this write.
func (a *fusebillAction) Settle(sent []batch.Change, now batch.Record) batch.Verdict {
	took, none, alike := true, true, true
	for _, ch := range sent {
		is := a.customer(now).value(ch.Field)
		took = took && same(ch.Field, is, ch.After)
		none = none && same(ch.Field, is, ch.Before)
		alike = alike && (same(ch.Field, is, ch.After) || respelled(ch.Field, is, ch.After))
	}
	switch {
	case took:
		return batch.TookEffect
	case none:
		return batch.NoEffect
	case alike:
		return batch.Respelled
	}
	return batch.Other
}

// checked holds the customer after a write against what was sent; nil: all is as it
// should be. Of a value in whose place another was stored it keeps that. reply: it is
// what the write was answered with.
func (a *fusebillAction) checked(sent, got customer, changes []batch.Change, reply bool) *batch.Outcome {
	var missed []string
	var kept []batch.Change
	for i, ch := range changes {
		if reply && !got.shows(ch.Field) {
			return notShown(ch.Field)
		}
		is := got.value(ch.Field)
		if same(ch.Field, is, ch.After) {
			continue
		}
		missed = append(missed, fmt.Sprintf("%s is %q, not %q", ch.Field, is.Plain(), ch.After.Plain()))
		if is != batch.Absent && !same(ch.Field, is, ch.Before) {
			if kept == nil {
				kept = slices.Clone(changes)
			}
			kept[i].Stored = is
		}
	}
	if moved := a.sideEffects(sent, got, changes, reply); len(moved) > 0 {
		return &batch.Outcome{Kind: batch.Failed, Code: "side_effect", Changes: kept, Error: strings.Join(append(moved, missed...), "; ")}
	}
	if len(missed) > 0 {
		return &batch.Outcome{Kind: batch.Failed, Code: "not_applied", Changes: kept,
			Error: "the server accepted the write, but " + strings.Join(missed, "; ")}
	}
	return nil
}

// sideEffects tells which fields differ between the body that was sent and the
// record after it, though no change accounts for it. Of the reply to a write only what
// both have is compared: it may be a short form of the record, or a longer one.
func (a *fusebillAction) sideEffects(sent, got customer, changes []batch.Change, reply bool) (moved []string) {
	for _, path := range movedPaths(a.fields, sent.body, got.body) {
		explains := func(c batch.Change) bool {
			return c.Field == path || slices.Contains(strings.Fields(a.fields.of(c.Field).moves), path)
		}
		unseen := reply && (!sent.shows(path) || !got.shows(path))
		if slices.Contains(a.mayMove, path) || slices.ContainsFunc(changes, explains) || unseen {
			continue
		}
		if path == trackingList {
			if before, after := sent.codesBeside(changes), got.codesBeside(changes); !slices.Equal(before, after) {
				moved = append(moved, fmt.Sprintf("%s went from %v to %v"+byItself, trackingList, before, after, trackingList))
			}
			continue
		}
		was, is := valueOf(sent.body)(path), valueOf(got.body)(path)
		if !same(path, was, is) {
			moved = append(moved, movedText(path, was, is))
		}
	}
	return moved
}

// byItself is the way on where a field is no side effect.
const byItself = " (--may-move %s, if the server moves it by itself)"

func movedText(field string, was, is batch.Value) string {
	return fmt.Sprintf("%s went from %q to %q"+byItself, field, was.Plain(), is.Plain(), field)
}

// notShown is the hint of a reply that leaves out what was set.
func notShown(field string) *batch.Outcome {
	return &batch.Outcome{Kind: batch.InDoubt, Code: "no_answer", Error: "the reply to the write does not show " + field}
}

// fusebillVisit is one turn with one Fusebill customer.
type fusebillVisit struct {
	action *fusebillAction
	client *client.Fusebill
	lease  *governor.Lease
}

// Read fetches the customer.
func (v *fusebillVisit) Read(ctx context.Context, id string) batch.Reply {
	return missing(translate(v.client.Customer(ctx, v.lease, id)))
}

// overview fetches what the customer owes and pays. Its id may be null.
func (v *fusebillVisit) overview(ctx context.Context, id string) batch.Reply {
	rep := missing(translate(v.client.Overview(ctx, v.lease, id)))
	if rep.Class == batch.Answered {
		shown := func(field string) string { return valueOf(rep.Record.Body)(field).Plain() }
		rep.Record.ID, rep.Record.Standing = id, batch.Standing{Balance: shown("arBalance"), NextBilling: shown("nextBillingDate"),
			Recurring: shown("netMonthlyRecurringRevenue"), Parent: shown("isParent") == "true"}
	}
	return rep
}

// ReadBeside reads the overview, where the action's own reading is of the customer. A
// server that refuses it shows nothing there: an account without the call must not
// be without edits.
func (v *fusebillVisit) ReadBeside(ctx context.Context, id string) batch.Reply {
	rep := v.overview(ctx, id)
	if rep.Class == batch.Refused {
		v.action.noOverview()
		return batch.Reply{Class: batch.Answered, Requests: rep.Requests}
	}
	return rep
}

// CheckBeside wants two readings of one resource to differ in nothing that the step
// does not account for, where both were shown.
func (v *fusebillVisit) CheckBeside(s batch.Step, before, after batch.Record) *batch.Outcome {
	if before.Body == nil || after.Body == nil {
		return nil
	}
	moved := v.action.sideEffects(v.action.customer(before), v.action.customer(after), s.Changes, false)
	if len(moved) == 0 {
		return nil
	}
	return &batch.Outcome{Kind: batch.Failed, Code: "side_effect", Error: strings.Join(moved, "; ")}
}

// ReadListed reads the customer's row in the list of customers.
func (v *fusebillVisit) ReadListed(ctx context.Context, id string) batch.Reply {
	const few = 10 // who does not know the query shows anybody
	r := v.client.Customers(ctx, v.lease, client.Query{Terms: "id:" + id, Size: few})
	rep := translate(r)
	if rep.Class != batch.Answered {
		return rep
	}
	for _, row := range gjson.ParseBytes(r.Body).Array() {
		if rep.Record = Record([]byte(row.Raw)); rep.Record.ID == id {
			return rep
		}
	}
	return batch.Reply{Class: batch.Refused, Requests: rep.Requests, Status: rep.Status, Text: "the list does not show customer " + id}
}

// missing names the refusal of a customer who is not there.
func missing(rep batch.Reply) batch.Reply {
	if rep.Class == batch.Refused && rep.Status == http.StatusNotFound {
		rep.Code = "not_found"
	}
	return rep
}

// Send replaces the customer by the step's body.
func (v *fusebillVisit) Send(ctx context.Context, s batch.Step) batch.Reply {
	return translate(v.client.Update(ctx, v.lease, s.Body))
}

// Close gives back the requests that the visit did not need.
func (v *fusebillVisit) Close() { v.lease.Close() }

// translate puts the client's reply into the engine's words.
func translate(r client.Reply) batch.Reply {
	words := [...]batch.Class{client.Answered: batch.Answered, client.Refused: batch.Refused, client.Throttled: batch.Throttled,
		client.Unsent: batch.Unsent, client.Lost: batch.Lost, client.NoAccess: batch.Fatal}
	rep := batch.Reply{Class: words[r.Class], Status: r.Status, Requests: r.Requests, Err: r.Err}
	if r.Err != nil {
		rep.Text = r.Err.Error()
	}
	if client.EndsRun(r.Err) {
		rep.Class = batch.Fatal
	}
	switch rep.Class {
	case batch.Answered:
		rep.Record = Record(r.Body)
	case batch.Refused:
		rep.Code = refusal(r)
		said, is := errors.AsType[*client.APIError](r.Err)
		rep.Later = is && said.Astray // the other rows will show whether it is the address that is wrong
	}
	return rep
}

func refusal(r client.Reply) string {
	if _, unreadable := errors.AsType[*client.RecordError](r.Err); unreadable {
		return "unreadable_record"
	}
	return batch.HTTPCode(r.Status)
}

// Record reads what the engine needs of a customer's bytes.
func Record(body []byte) batch.Record {
	r := batch.Record{Body: body}
	var status, first, last string
	gjson.ParseBytes(body).ForEach(func(key, value gjson.Result) bool {
		var text *string
		switch key.Str {
		case "id":
			text = &r.ID
		case "status":
			text = &status
		case "modifiedTimestamp":
			text = &r.Modified
		case "createdTimestamp":
			text = &r.Created
		case "currency":
			text = &r.Currency
		case "companyName":
			text = &r.Name
		case "firstName":
			text = &first
		case "lastName":
			text = &last
		}
		if text != nil && *text == "" { // the first counts
			*text = strings.Clone(value.String())
		}
		return true
	})
	r.Status, r.Name = canonical(statuses(), status), cmp.Or(r.Name, strings.TrimSpace(first+" "+last))
	return r
}

// hiddenLinks reads the links that customers' records lack from their overviews.
type hiddenLinks struct {
	keys []string
	warn func(code, text string) // told of one that the overview lacks, too; nil: nobody is
	said sync.Once
	lack atomic.Bool // some record lacked one, so that visits need one read more
}

// requests is how many a visit takes that takes n but for overviews.
func (h *hiddenLinks) requests(n int) int {
	if h.lack.Load() {
		return n + 1
	}
	return n
}

// complete adds to a record the links that only the overview shows.
func (h *hiddenLinks) complete(ctx context.Context, v *fusebillVisit, rep batch.Reply) batch.Reply {
	if rep.Class != batch.Answered {
		return rep
	}
	lacking := h.absent(rep.Record.Body)
	if len(lacking) == 0 {
		return rep
	}
	h.lack.Store(true)
	rep.Record.Twofold = true
	seen := v.overview(ctx, rep.Record.ID)
	seen.Requests += rep.Requests
	if seen.Class == batch.Refused {
		seen.Code = "cannot_read_link"
		seen.Text = fmt.Sprintf("the customer's record does not show %s, and the overview cannot be read: %s",
			strings.Join(lacking, ", "), seen.Text)
	}
	if seen.Class != batch.Answered {
		return seen
	}
	rep.Requests = seen.Requests
	shown := valueOf(seen.Record.Body)
	for _, key := range lacking {
		raw := shown(key)
		if key == "quickBooksId" { // an overview spells the key otherwise, too
			raw = batch.Value(wholeNumber.ReplaceAllString(string(cmp.Or(raw, shown("quickbooksId"))), "$1"))
		}
		if raw == batch.Absent {
			continue
		}
		body, err := sjson.SetRawBytes(rep.Record.Body, key, []byte(raw))
		if err != nil {
			return batch.Reply{Class: batch.Refused, Requests: rep.Requests, Code: "unreadable_record", Text: err.Error()}
		}
		rep.Record.Body = body
		rep.Record.Elsewhere = append(rep.Record.Elsewhere, key)
	}
	rep.Record.Status = cmp.Or(seen.Record.Status, rep.Record.Status) // as of the later read
	return rep
}

// tell says, once, that a customer is edited without a link that nothing shows.
func (h *hiddenLinks) tell(s batch.Step) {
	if !s.Before.Twofold || h.warn == nil { // the record alone shows them all
		return
	}
	if nowhere := h.absent(s.Body); len(nowhere) > 0 {
		h.said.Do(func() {
			h.warn("field_nowhere", fmt.Sprintf("neither the record of customer %s nor its overview shows %s: customers are edited without",
				s.Before.ID, strings.Join(nowhere, ", ")))
		})
	}
}

// absent are the keys that a record lacks.
func (h *hiddenLinks) absent(record []byte) []string {
	keys := slices.Clone(h.keys)
	gjson.ParseBytes(record).ForEach(func(key, _ gjson.Result) bool {
		if n := slices.Index(keys, key.Str); n >= 0 {
			keys = slices.Delete(keys, n, n+1)
		}
		return len(keys) > 0
	})
	return keys
}

// wholeNumber is an id as a record spells one of QuickBooks, which the overview shows as text.
var wholeNumber = regexp.MustCompile(`^"([1-9][0-9]*)"$`)
