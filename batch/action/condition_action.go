package action

import "rowbatch/batch"

// conditioned is an action for those customers only whose live record satisfies --when.
type conditioned struct {
	batch.Action
	condition *Condition
}

// conditional returns the action under a condition; without one, the action itself.
func conditional(a batch.Action, c *Condition) batch.Action {
	if c == nil {
		return a
	}
	return conditioned{a, c}
}

// Decide leaves out who does not satisfy the condition, before anything else is looked at.
func (a conditioned) Decide(it *batch.Item, now batch.Record) (batch.Step, *batch.Outcome) {
	if out := a.condition.Refuses(now.Body); out != nil {
		return batch.Step{}, out
	}
	return a.Action.Decide(it, now)
}
