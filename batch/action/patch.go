package action

import (
	"context"
	"errors"
	"net/url"
	"strings"

	"rowbatch/batch"
	"rowbatch/client"
	"rowbatch/client/governor"
	"rowbatch/mapping"
)

// removeWord is what Trackfinity takes for a clear.
const removeWord = "REMOVE"

// The fields that can name a Trackfinity customer.
const (
	customerID     = "customer_id"
	subscriptionID = "subscription_id"
)

// PatchSchema is the field table of `patch` (docs.trackfinity.com/api/customer/set-customer-details).
// No length is documented for any field.
func PatchSchema() mapping.Schema {
	s := mapping.Schema{
		Action: "patch", System: SystemTrackfinity,
		Keys:      []mapping.Field{{Name: customerID, Kind: mapping.Reference}, {Name: subscriptionID, Kind: mapping.Reference}},
		EitherKey: true, Unreadable: true, Reserved: removeWord,
	}
	for _, name := range []string{"firstname", "lastname", "email", "username", "password", "address1", "address2", "city", "state",
		"country", "zip", "custom1", "custom2", "custom3", "custom4", "custom5"} {
		f := mapping.Field{Name: name}
		switch name {
		case "email":
			f.Kind = mapping.Email
		case "password":
			f.Secret, f.Clear = true, mapping.Never
		}
		s.Fields = append(s.Fields, f)
	}
	return s
}

// Trackfinity is an install: its client, and the governor of its requests.
type Trackfinity struct {
	Client   *client.Trackfinity
	Governor *governor.Governor
}

// patch edits a Trackfinity customer. The API has no call that reads one, so
// there is nothing to compare with and nothing to read back; the same values
// sent twice leave what they leave once.
type patch struct{ install Trackfinity }

// NewPatch returns the action that edits a Trackfinity customer.
func NewPatch(s Services) batch.Action { return &patch{s.Trackfinity} }

func (p *patch) Name() string   { return "patch" }
func (p *patch) System() string { return SystemTrackfinity }
func (p *patch) MaxSends() int  { return 8 }

// Open leases the write: the engine counts a read before it, which is none here.
func (p *patch) Open(ctx context.Context, requests int, sent []batch.Change) (batch.Visit, error) {
	if requests == 1 && sent == nil {
		return &patchVisit{client: p.install.Client}, nil
	}
	lease, err := p.install.Governor.Lease(ctx, 1)
	if err != nil {
		return nil, err
	}
	return &patchVisit{p.install.Client, lease}, nil
}

// patchItem turns a row into edits. Rows that name their customers in two ways
// share a lane, since nobody can tell which of them are about the same one.
func patchItem(row mapping.Mapped, c Context) *batch.Item {
	it := &batch.Item{Key: Key(row.KeyField, row.Key)}
	it.Lane, it.Shared = patchLane(it.Key, c.BothKeys)
	if row.KeyField == customerID {
		it.ID = row.Key
	}
	if len(row.Problems) > 0 {
		it.Out = Problems(row.Problems)
		return it
	}
	for _, cell := range row.Cells {
		e := batch.Edit{Field: cell.Name, Want: batch.Text(cell.Text), Secret: cell.Field.Secret}
		if cell.Clear {
			e.Want = batch.Null
		}
		it.Edits = append(it.Edits, e)
	}
	return it
}

func patchLane(key string, bothKeys bool) (lane string, shared bool) {
	if bothKeys {
		return "tf", true
	}
	return "tf:" + key, false
}

// Decide makes the form of all cells that are not blank. A value left out stays
// as it is; what an empty one does is not documented, and none is sent.
func (p *patch) Decide(it *batch.Item, _ batch.Record) (batch.Step, *batch.Outcome) {
	if len(it.Edits) == 0 {
		return batch.Step{}, &batch.Outcome{Kind: batch.Unchanged}
	}
	field, value, _ := strings.Cut(it.Key, "=")
	form := url.Values{field: {value}}
	var changes []batch.Change
	for _, e := range it.Edits {
		c := batch.Change{Field: e.Field, Before: batch.Hidden, After: e.Want}
		if e.Secret {
			c.After = batch.Hidden
		}
		changes = append(changes, c)
		if e.Want == batch.Null {
			form.Set(e.Field, removeWord)
		} else {
			form.Set(e.Field, e.Want.Plain())
		}
	}
	return batch.Step{Changes: changes, Before: batch.Record{ID: it.ID}, Body: []byte(form.Encode())}, nil
}

// Apply has no record to lay anything over.
func (p *patch) Apply(now batch.Record, _ []batch.Change) (batch.Record, error) { return now, nil }

// Hint and Check have nothing to look at beside the reply, which was `true`.
func (p *patch) Hint(batch.Step, batch.Record) *batch.Outcome { return nil }

func (p *patch) Check(batch.Step, batch.Record) *batch.Outcome { return nil }

func (p *patch) Settle([]batch.Change, batch.Record) batch.Verdict { return batch.Unreadable }

// patchVisit is one turn with one Trackfinity customer.
type patchVisit struct {
	client *client.Trackfinity
	lease  *governor.Lease
}

// Read knows no more than the customer's id, and makes no request.
func (v *patchVisit) Read(_ context.Context, id string) batch.Reply {
	return batch.Reply{Class: batch.Answered, Record: batch.Record{ID: id}}
}

// Blind marks a visit whose Read asks nobody.
func (v *patchVisit) Blind() {}

// Send sets the fields of the form.
func (v *patchVisit) Send(ctx context.Context, s batch.Step) batch.Reply {
	form, err := url.ParseQuery(string(s.Body))
	if err != nil {
		return batch.Reply{Class: batch.Refused, Code: "internal_error", Text: "the form cannot be read"}
	}
	answer := v.client.SetCustomerDetails(ctx, v.lease, form)
	rep := translate(answer)
	if _, untrue := errors.AsType[*client.NotTrueError](answer.Err); untrue {
		rep.Code = "not_applied" // a server that answers otherwise may have acted all the same
	}
	return rep
}

func (v *patchVisit) Close() { v.lease.Close() }
