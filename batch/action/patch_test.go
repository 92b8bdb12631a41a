package action_test

import (
	"net/url"
	"strings"
	"testing"

	"rowbatch/batch"
	"rowbatch/batch/action"
	"rowbatch/mapping"
)

func TestPatchSendsWhatIsNotBlank(t *testing.T) {
	spec, _ := action.Find("patch")
	act := spec.New(action.Services{})
	field := func(name string) *mapping.Field {
		for i := range spec.Schema.Fields {
			if spec.Schema.Fields[i].Name == name {
				return &spec.Schema.Fields[i]
			}
		}
		t.Fatal(name)
		return nil
	}
	it := spec.Item(mapping.Mapped{Action: "patch", KeyField: "subscription_id", Key: "S 1&2", Cells: []mapping.Cell{
		{Field: field("city"), Name: "city", Text: "Köln & Bonn"}, {Field: field("zip"), Name: "zip", Clear: true}, {Field: field("password"), Name: "password", Text: "tulip=4"},
	}}, action.Context{})
	step, out := act.Decide(it, batch.Record{})
	if out != nil {
		t.Fatal(out)
	}
	form, err := url.ParseQuery(string(step.Body))
	if err != nil || form.Get("subscription_id") != "S 1&2" || form.Get("city") != "Köln & Bonn" || form.Get("zip") != "REMOVE" || form.Get("password") != "tulip=4" || len(form) != 4 {
		t.Errorf("%v %v", form, err)
	}
	for _, c := range step.Changes {
		if c.Before != batch.Hidden || strings.Contains(string(c.After), "tulip") {
			t.Errorf("%+v", c)
		}
	}
	if _, out := act.Decide(spec.Item(mapping.Mapped{KeyField: "customer_id", Key: "1"}, action.Context{}), batch.Record{}); outcomeOf(out) != "unchanged" {
		t.Errorf("%+v", out)
	}
	if act.Settle(step.Changes, batch.Record{}) != batch.Unreadable || act.Check(step, batch.Record{}) != nil {
		t.Error("there is nothing to judge by")
	}
}

func TestPatchLanes(t *testing.T) {
	spec, _ := action.Find("patch")
	byID := mapping.Mapped{KeyField: "customer_id", Key: "1"}
	bySubscription := mapping.Mapped{KeyField: "subscription_id", Key: "1"}
	if a, b := spec.Item(byID, action.Context{}), spec.Item(bySubscription, action.Context{}); a.Lane == b.Lane || a.ID != "1" || b.ID != "" {
		t.Errorf("%+v %+v", a, b)
	}
	if a, b := spec.Item(byID, action.Context{BothKeys: true}), spec.Item(bySubscription, action.Context{BothKeys: true}); a.Lane != b.Lane || !a.Shared || !b.Shared {
		t.Errorf("%+v %+v", a, b)
	}
}
