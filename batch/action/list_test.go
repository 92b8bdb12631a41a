package action_test

import (
	"strings"
	"testing"

	"rowbatch/batch"
	"rowbatch/batch/action"
)

const wholeRow = `{"id":7,"status":"Active","createdTimestamp":"2020-01-01T00:00:00","currency":"USD","companyName":"Northlight","firstName":"Ada","lastName":null,` +
	`"reference":"AC-7","hubSpotId":51,"hubSpotCompanyId":null,"customerReference":{"reference1":"a","reference2":null,"salesTrackingCodes":[{"type":"Region","code":"NORTH"}]}}`

// A list row is evidence as far as it goes: for a run that sends, that nothing
// need be sent; for a dry run all, if it shows the customer in full.
func TestDecideFromList(t *testing.T) {
	actions := map[string]batch.Action{
		"update": updating(), "hold": action.NewHold(action.Services{}), "latch": action.NewLatch(action.Services{}),
	}
	const none = batch.Kind("")
	for _, c := range []struct {
		name, action, row string
		set               []string
		guard             string
		live, dry         batch.Kind
	}{
		{"as wanted", "update", wholeRow, []string{"firstName", `"Ada"`}, "", batch.Unchanged, batch.Unchanged},
		{"not as wanted", "update", wholeRow, []string{"firstName", `"Eve"`}, "", none, batch.WouldChange},
		{"a field is lacking", "update", wholeRow, []string{"primaryPhone", "null"}, "", none, none},
		{"one of two is lacking", "update", wholeRow, []string{"firstName", `"Ada"`, "title", "null"}, "", none, none},
		{"a short row as wanted", "update", `{"id":7,"status":"Active","firstName":"Ada"}`, []string{"firstName", `"Ada"`}, "", batch.Unchanged, batch.Unchanged},
		{"a short row not as wanted", "update", `{"id":7,"status":"Active","firstName":"Ada"}`, []string{"firstName", `"Eve"`}, "", none, none},
		{"a row without a status", "update", `{"id":7,"firstName":"Ada"}`, []string{"firstName", `"Ada"`}, "", none, none},
		{"another customer's row", "update", `{"id":8,"status":"Active","firstName":"Ada"}`, []string{"firstName", `"Ada"`}, "", none, none},
		{"a field that stands twice", "update", `{"id":7,"status":"Active","firstName":"Ada","firstName":"Eve"}`, []string{"firstName", `"Ada"`}, "", none, none},
		{"a cancelled customer", "update", `{"id":7,"status":"Cancelled","firstName":"Ada"}`, []string{"firstName", `"Ada"`}, "", batch.Unchanged, batch.Unchanged},
		{"a nested field", "update", wholeRow, []string{"customerReference.reference1", `"a"`, "customerReference.reference2", "null"}, "", batch.Unchanged, batch.Unchanged},
		{"a nested field that is lacking", "update", wholeRow, []string{"customerReference.reference3", "null"}, "", none, none},
		{"a parent that is null", "update", `{"id":7,"status":"Active","customerReference":null}`, []string{"customerReference.reference1", "null"}, "", none, none},
		{"a tracking code", "update", wholeRow, []string{"salesTrackingCode.Region", `"NORTH"`}, "", batch.Unchanged, batch.Unchanged},
		{"a tracking code that is not listed", "update", wholeRow, []string{"salesTrackingCode.Sales Tracking Code 1", "null"}, "", none, none},
		{"a guard that holds", "update", wholeRow, []string{"firstName", `"Ada"`}, "companyName", batch.Unchanged, batch.Unchanged},
		{"a guard that is lacking", "update", wholeRow, []string{"firstName", `"Ada"`}, "geotabId", none, none},
		{"a guard that does not hold", "update", wholeRow, []string{"firstName", `"Ada"`}, "reference", none, none},
		{"both links", "latch", wholeRow, []string{"hubSpotId", "51"}, "", batch.Unchanged, batch.Unchanged},
		{"another link", "latch", wholeRow, []string{"hubSpotId", "52"}, "", none, batch.WouldChange},
		{"the other link is lacking", "latch", `{"id":7,"status":"Active","hubSpotId":51}`, []string{"hubSpotId", "51"}, "", none, none},
		{"on hold", "hold", `{"id":7,"status":"Hold"}`, []string{"status", `"Hold"`}, "", batch.Unchanged, batch.Unchanged},
		{"not on hold", "hold", wholeRow, []string{"status", `"Hold"`}, "", none, none},
	} {
		t.Run(c.name, func(t *testing.T) {
			for dry, want := range map[bool]batch.Kind{false: c.live, true: c.dry} {
				it := setting(c.set...)
				it.Action = actions[c.action]
				if c.guard != "" {
					it.Guards = []batch.Guard{{Field: c.guard, Value: batch.Text("Northlight")}}
				}
				got := none
				out := action.DecideFromList(it, []byte(c.row), dry)
				if out != nil {
					got = out.Kind
				}
				if got != want || out != nil && (out.ID != "7" || out.At.IsZero() || out.Requests != 0) {
					t.Errorf("dry %v: %+v, want %q", dry, out, want)
				}
			}
		})
	}
}

// A condition is judged by a list row that shows its fields, in their one spelling.
func TestDecideFromListUnderACondition(t *testing.T) {
	for _, c := range []struct {
		when, row string
		want      string
		live, dry batch.Kind
	}{
		{`status == "Active"`, wholeRow, `"Ada"`, batch.Unchanged, batch.Unchanged},
		{`status == "Active"`, wholeRow, `"Eve"`, "", batch.WouldChange},
		{`status == "Hold"`, wholeRow, `"Eve"`, batch.Skipped, batch.Skipped},
		{`status == "Active"`, strings.Replace(wholeRow, "Active", "ACTIVE", 1), `"Eve"`, "", ""},
		{`primaryPhone == ""`, wholeRow, `"Eve"`, "", ""},
		{`primaryPhone == "555"`, strings.Replace(wholeRow, `"id":7`, `"id":7,"primaryPhone":"5-55"`, 1), `"Eve"`, "", ""},
		{`salesTrackingCode["Region"] == "NORTH"`, wholeRow, `"Ada"`, batch.Unchanged, batch.Unchanged},
		{`salesTrackingCode["Rep"] == ""`, wholeRow, `"Ada"`, "", ""},
		{`netMonthlyRecurringRevenue > 1`, strings.Replace(wholeRow, `"id":7`, `"id":7,"netMonthlyRecurringRevenue":"x"`, 1), `"Ada"`, "", batch.Rejected},
	} {
		condition, err := action.NewCondition(c.when, false)
		if err != nil {
			t.Fatal(err)
		}
		for dry, want := range map[bool]batch.Kind{false: c.live, true: c.dry} {
			it, got := setting("firstName", c.want), batch.Kind("")
			it.Action = action.NewUpdate(action.Services{Codes: action.NewTrackingCodes(), Condition: condition})
			if out := action.DecideFromList(it, []byte(c.row), dry); out != nil {
				got = out.Kind
			}
			if got != want {
				t.Errorf("%s, dry %v: %q, want %q", c.when, dry, got, want)
			}
		}
	}
}
