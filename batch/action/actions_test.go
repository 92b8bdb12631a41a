package action_test

import (
	"net/url"
	"strings"
	"testing"

	"rowbatch/batch"
	"rowbatch/batch/action"
	"rowbatch/client"
	"rowbatch/mapping"
)

func overview(status string) batch.Record {
	return recordOf(`{"id":7,"status":"` + status + `","firstName":"Ada","hubSpotId":null,"arBalance":12.5000}`)
}

func holding() *batch.Item {
	return &batch.Item{ID: "7", Key: "id=7", Edits: []batch.Edit{{Field: "status", Want: batch.Text("Hold")}}}
}

func TestHoldDecides(t *testing.T) {
	strict, lenient := action.NewHold(action.Services{}), action.NewHold(action.Services{HoldSuspended: true})
	for _, c := range []struct {
		act    batch.Action
		status string
		want   string
	}{
		{strict, "Active", ""}, {strict, "Hold", "unchanged"}, {strict, "Draft", "rejected/bad_status"}, {strict, "Cancelled", "rejected/bad_status"},
		{strict, "Suspended", "rejected/bad_status"}, {lenient, "Suspended", ""}, {lenient, "Draft", "rejected/bad_status"}, {strict, "", "rejected/unreadable_record"},
		{strict, "SomethingNew", "rejected/bad_status"},
	} {
		if _, out := c.act.Decide(holding(), overview(c.status)); outcomeOf(out) != c.want {
			t.Errorf("%s: %s", c.status, outcomeOf(out))
		}
	}
}

func TestHoldIsNotSentAThirdTime(t *testing.T) {
	it := holding()
	it.Sends, it.Unanswered = 2, true
	if _, out := action.NewHold(action.Services{}).Decide(it, overview("Active")); outcomeOf(out) != "in_doubt/no_answer" {
		t.Errorf("%+v", out)
	}
}

func TestHoldChecksAndSettles(t *testing.T) {
	act := action.NewHold(action.Services{})
	step, _ := act.Decide(holding(), overview("Active"))
	for name, c := range map[string]struct{ after, want string }{
		"held":                  {`{"id":7,"status":"Hold","firstName":"Ada","companyName":"X"}`, ""},
		"the reply says no":     {`{"id":7,"status":"Active","firstName":"Ada"}`, "failed/not_applied"},
		"a name moved":          {`{"id":7,"status":"Hold","firstName":"Bea"}`, "failed/side_effect"},
		"a link was cut":        {`{"id":7,"status":"Hold","firstName":"Ada","hubSpotId":5}`, "failed/side_effect"},
		"money moves by itself": {`{"id":7,"status":"Hold","firstName":"Ada","arBalance":99}`, ""},
	} {
		if got := outcomeOf(act.Check(step, recordOf(c.after))); got != c.want {
			t.Errorf("%s: %q", name, got)
		}
	}
	for status, want := range map[string]batch.Verdict{"Hold": batch.TookEffect, "Active": batch.NoEffect, "Cancelled": batch.Other} {
		if got := act.Settle(step.Changes, overview(status)); got != want {
			t.Errorf("%s: verdict %d", status, got)
		}
	}
}

func TestUnholdIsSentOnce(t *testing.T) {
	act := action.NewUnhold(action.Services{}, client.ServiceStartOptions()[0])
	it := action.Undone(&batch.Sent{Found: batch.Found{Record: overview("Active")}, Changes: []batch.Change{{Field: "status", Before: `"Active"`, After: `"Hold"`}}}, false)
	if step, out := act.Decide(it, overview("Hold")); out != nil || len(step.Changes) != 1 || act.MaxSends() != 1 {
		t.Errorf("%+v", out)
	}
	for status, want := range map[string]string{"Active": "unchanged", "Cancelled": "conflict/changed_since_run"} {
		if _, out := act.Decide(it, overview(status)); outcomeOf(out) != want {
			t.Errorf("%s: %s", status, outcomeOf(out))
		}
	}
	it.Unanswered, it.Sends = true, 1
	if _, out := act.Decide(it, overview("Hold")); outcomeOf(out) != "in_doubt/no_answer" {
		t.Errorf("%+v", out)
	}
}

func TestLatchAlwaysCarriesBothIDs(t *testing.T) {
	act := action.NewLatch(action.Services{})
	linked := recordOf(`{"id":7,"status":"Active","hubSpotId":9007199254740993,"hubSpotCompanyId":"202"}`)
	for name, c := range map[string]struct {
		now   batch.Record
		pairs []string
		want  string
		body  string
	}{
		"a blank cell keeps what was read": {linked, []string{"hubSpotCompanyId", "203"}, "", `{"fusebillId":7,"hubSpotId":9007199254740993,"hubSpotCompanyId":203}`},
		"spelled as read":                  {linked, []string{"hubSpotId", "1"}, "", `{"fusebillId":7,"hubSpotId":1,"hubSpotCompanyId":"202"}`},
		"one taken away":                   {linked, []string{"hubSpotId", "null"}, "", `{"fusebillId":7,"hubSpotId":null,"hubSpotCompanyId":"202"}`},
		"equal":                            {linked, []string{"hubSpotId", "9007199254740993", "hubSpotCompanyId", "202"}, "unchanged", ""},
		"nothing named":                    {linked, nil, "unchanged", ""},
		"cancelled":                        {recordOf(`{"id":7,"status":"Cancelled","hubSpotId":1,"hubSpotCompanyId":2}`), []string{"hubSpotId", "3"}, "rejected/bad_status", ""},
		"a link that cannot be read":       {recordOf(`{"id":7,"status":"Active","hubSpotId":1}`), []string{"hubSpotId", "3"}, "rejected/cannot_read_link", ""},
	} {
		step, out := act.Decide(setting(c.pairs...), c.now)
		if outcomeOf(out) != c.want || string(step.Body) != c.body {
			t.Errorf("%s: %q %s", name, outcomeOf(out), step.Body)
		}
	}
}

func TestLatchSeesAnythingElseMove(t *testing.T) {
	act := action.NewLatch(action.Services{})
	now := recordOf(`{"id":7,"status":"Active","hubSpotId":1,"hubSpotCompanyId":2,"firstName":"Ada"}`)
	step, _ := act.Decide(setting("hubSpotId", "3"), now)
	for after, want := range map[string]string{
		`{"id":7,"status":"Active","hubSpotId":3,"hubSpotCompanyId":2,"firstName":"Ada"}`:    "",
		`{"id":7,"status":"Active","hubSpotId":3,"hubSpotCompanyId":null,"firstName":"Ada"}`: "failed/side_effect",
		`{"id":7,"status":"Active","hubSpotId":1,"hubSpotCompanyId":2,"firstName":"Ada"}`:    "failed/not_applied",
		`{"id":7,"status":"Hold","hubSpotId":3,"hubSpotCompanyId":2,"firstName":"Ada"}`:      "failed/side_effect",
	} {
		if got := outcomeOf(act.Check(step, recordOf(after))); got != want {
			t.Errorf("%s: %q", after, got)
		}
	}
}

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
