package action

import (
	"context"

	"rowbatch/batch"
)

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
	return &unhold{hold{account: s.Fusebill, codes: s.codes()}, option}
}

func (u *unhold) Name() string  { return "unhold" }
func (u *unhold) MaxSends() int { return 1 }

func (u *unhold) Open(ctx context.Context, requests int, sent []batch.Change) (batch.Visit, error) {
	v, err := u.account.open(ctx, requests, sent)
	if err != nil {
		return nil, err
	}
	return &unholdVisit{holdVisit{v, false}, u.option}, nil
}

// Decide wants a customer on hold.
func (u *unhold) Decide(it *batch.Item, now batch.Record) (batch.Step, *batch.Outcome) {
	changes, out := batch.Diff(it.Edits, it.Guards, valueOf(now.Body), same)
	switch {
	case out != nil:
		return batch.Step{}, out
	case it.Unanswered && it.Sends >= u.MaxSends():
		return batch.Step{}, &batch.Outcome{Kind: batch.InDoubt, Code: "no_answer",
			Error: "the un-hold was sent, its answer was lost, and the customer is still on hold; it is never sent twice"}
	}
	return batch.Step{Changes: changes, Before: now}, nil
}

// Check wants the customer off hold. Whether the reply shows him is not
// documented; the read after the first un-hold does.
func (u *unhold) Check(_ batch.Step, after batch.Record) *batch.Outcome {
	if after.Status == onHold {
		return &batch.Outcome{Kind: batch.Failed, Code: "not_applied", Error: "the server accepted the un-hold, but the customer is still on hold"}
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

// Send takes the customer off hold, and reads him: the call's reply is not described.
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
