package action_test

import (
	"testing"

	"rowbatch/batch"
	"rowbatch/batch/action"
	"rowbatch/client"
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
