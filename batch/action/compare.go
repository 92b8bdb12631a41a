package action

import (
	"fmt"
	"strings"

	"rowbatch/batch"
)

// applied lays changes over a record's bytes.
func applied(now batch.Record, changes []batch.Change, codes *TrackingCodes) (batch.Record, error) {
	c := customer{now.Body, codes}
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

// checked holds the customer after a write against what was sent; nil: all is as it should be.
func checked(sent, got customer, changes []batch.Change) *batch.Outcome {
	var missed []string
	for _, ch := range changes {
		if is := got.value(ch.Field); !same(ch.Field, is, ch.After) {
			missed = append(missed, fmt.Sprintf("%s is %q, not %q", ch.Field, is.Plain(), ch.After.Plain()))
		}
	}
	if moved := sideEffects(sent, got, changes); len(moved) > 0 {
		return &batch.Outcome{Kind: batch.Failed, Code: "side_effect", Error: strings.Join(append(moved, missed...), "; ")}
	}
	if len(missed) > 0 {
		return &batch.Outcome{Kind: batch.Failed, Code: "not_applied", Error: "the server accepted the write, but " + strings.Join(missed, "; ")}
	}
	return nil
}

// settle tells by the values that stand there now whether changes were made.
func settle(sent []batch.Change, now func(field string) batch.Value) batch.Verdict {
	took, none := true, true
	for _, ch := range sent {
		is := now(ch.Field)
		took = took && same(ch.Field, is, ch.After)
		none = none && same(ch.Field, is, ch.Before)
	}
	switch {
	case took:
		return batch.TookEffect
	case none:
		return batch.NoEffect
	}
	return batch.Other
}

// same compares one field's values: lists of addresses are equal if only spaces differ.
func same(field string, a, b batch.Value) bool {
	if a.Same(b) {
		return true
	}
	mails := field == "primaryEmail" || field == "secondaryEmail"
	return mails && unspaced(a) == unspaced(b)
}

func unspaced(v batch.Value) string { return strings.ReplaceAll(v.Plain(), " ", "") }
