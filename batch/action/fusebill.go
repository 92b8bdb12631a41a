package action

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"github.com/tidwall/gjson"

	"rowbatch/batch"
	"rowbatch/client"
	"rowbatch/client/governor"
)

// Fusebill is an account: its client, and the governor of its requests.
type Fusebill struct {
	Client   *client.Fusebill
	Governor *governor.Governor
}

// open leases the requests of a visit together.
func (f Fusebill) open(ctx context.Context, requests int, sent []batch.Change) (*fusebillVisit, error) {
	lease := f.Governor.Lease
	if sent != nil {
		lease = f.Governor.LeaseReserve
	}
	l, err := lease(ctx, requests)
	if err != nil {
		return nil, err
	}
	return &fusebillVisit{f.Client, l}, nil
}

// fusebillVisit is one turn with one Fusebill customer.
type fusebillVisit struct {
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
		rep.Record.ID, rep.Record.Standing = id, standing(rep.Record.Body)
	}
	return rep
}

func standing(overview []byte) batch.Standing {
	f := gjson.GetManyBytes(overview, "arBalance", "nextBillingDate", "netMonthlyRecurringRevenue", "isParent")
	raw := func(r gjson.Result) string { return batch.Value(r.Raw).Plain() }
	return batch.Standing{Balance: raw(f[0]), NextBilling: raw(f[1]), Recurring: raw(f[2]), Parent: f[3].Bool()}
}

// ReadBeside reads the overview, where the action's own reading is of the customer.
func (v *fusebillVisit) ReadBeside(ctx context.Context, id string) batch.Reply {
	return v.overview(ctx, id)
}

// CheckBeside wants two readings of one resource to differ in nothing that the step does not account for.
func (v *fusebillVisit) CheckBeside(s batch.Step, before, after batch.Record) *batch.Outcome {
	none := NewTrackingCodes()
	moved := sideEffects(customer{before.Body, none}, customer{after.Body, none}, s.Changes)
	if len(moved) == 0 {
		return nil
	}
	return &batch.Outcome{Kind: batch.Failed, Code: "side_effect", Error: strings.Join(moved, "; ")}
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
	rep := batch.Reply{Class: class(r.Class), Status: r.Status, Requests: r.Requests, Err: r.Err}
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
	}
	return rep
}

func refusal(r client.Reply) string {
	var unreadable *client.RecordError
	if errors.As(r.Err, &unreadable) {
		return "unreadable_record"
	}
	return batch.HTTPCode(r.Status)
}

func class(c client.Class) batch.Class {
	switch c {
	case client.Answered:
		return batch.Answered
	case client.Refused:
		return batch.Refused
	case client.Throttled:
		return batch.Throttled
	case client.Unsent:
		return batch.Unsent
	case client.NoAccess:
		return batch.Fatal
	}
	return batch.Lost
}

// Record reads what the engine needs of a customer's bytes.
func Record(body []byte) batch.Record {
	f := gjson.GetManyBytes(body, "id", "status", "modifiedTimestamp", "companyName", "firstName", "lastName", "createdTimestamp", "currency")
	name := f[3].String()
	if name == "" {
		name = strings.TrimSpace(f[4].String() + " " + f[5].String())
	}
	return batch.Record{ID: f[0].String(), Status: f[1].String(), Modified: f[2].String(), Created: f[6].String(), Currency: f[7].String(), Name: name, Body: body}
}
