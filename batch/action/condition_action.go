package action

import "rowbatch/batch"

// conditioned is an action for those customers only whose live record satisfies --when.
type conditioned struct {
	batch.Action
	condition *Condition
	planned   bool // it held when the plan was made
}

// conditional returns the action under a condition; without one, the action itself.
func conditional(a batch.Action, s Services) batch.Action {
	if s.Condition == nil {
		return a
	}
	return conditioned{a, s.Condition, s.Planned}
}

// Decide leaves out who does not satisfy the condition, before anything else is looked at.
func (a conditioned) Decide(it *batch.Item, now batch.Record) (batch.Step, *batch.Outcome) {
	switch out := a.condition.Refuses(now.Body); {
	case out != nil && out.Kind == batch.Skipped && a.planned:
		return batch.Step{}, &batch.Outcome{Kind: batch.Conflict, Code: "changed_since_plan", Error: out.Error + " any more"}
	case out != nil:
		return batch.Step{}, out
	}
	return a.Action.Decide(it, now)
}
