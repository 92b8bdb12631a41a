package batch

import (
	"cmp"
	"fmt"
)

// Equal says that writing want over now would change nothing in this field.
type Equal func(field string, now, want Value) bool

// Diff is the one decision of every mode: which of the edits must be sent,
// given the values that stand there now, or why none may be.
func Diff(edits []Edit, guards []Guard, now func(field string) Value, same Equal) ([]Change, *Outcome) {
	for _, g := range guards {
		if out := g.broken(now(g.Field), same); out != nil {
			return nil, out
		}
	}
	var changes []Change
	for _, e := range edits {
		was := now(e.Field)
		if same(e.Field, was, e.Want) {
			continue
		}
		stale := e.Expect != nil && !same(e.Field, was, *e.Expect)
		if stale && e.Yields {
			continue
		}
		if stale {
			return nil, e.conflict(was)
		}
		changes = append(changes, Change{Field: e.Field, Before: was, After: e.Want})
	}
	if len(changes) == 0 {
		return nil, &Outcome{Kind: Unchanged}
	}
	return changes, nil
}

// conflict tells what was expected of a field, what it holds and what it was to become.
func (e Edit) conflict(now Value) *Outcome {
	text := "%s should be %s, and is %s; the row would make it %s"
	if e.Stale == "changed_since_export" {
		text = "%s was exported as %s, and is now %s; the row would make it %s"
	}
	return &Outcome{Kind: Conflict, Code: cmp.Or(e.Stale, "changed_since_plan"),
		Error: fmt.Sprintf(text, e.Field, e.Expect.quoted(), now.quoted(), e.Want.quoted())}
}

func (g Guard) broken(now Value, same Equal) *Outcome {
	holds := same(g.Field, now, g.Value)
	if g.Exact {
		holds = now.Plain() == g.Value.Plain()
	}
	if holds {
		return nil
	}
	return &Outcome{Kind: Conflict, Code: cmp.Or(g.Stale, "match_failed"), Error: fmt.Sprintf(
		"%s of the customer is %s, and the row says %s", g.Field, now.quoted(), g.Value.quoted())}
}

func (v Value) quoted() string {
	if v.Empty() {
		return "empty"
	}
	return fmt.Sprintf("%q", v.Plain())
}
