package action_test

import (
	"slices"
	"testing"

	"github.com/tidwall/gjson"
	"pgregory.net/rapid"

	"rowbatch/batch"
	"rowbatch/batch/action"
)

// TestAnUndoLeavesWhatWasThere takes any edit of any record back.
func TestAnUndoLeavesWhatWasThere(t *testing.T) {
	act := updating()
	rapid.Check(t, func(t *rapid.T) {
		m, _ := customer(t)
		before := recordOf(m.String())
		step, out := act.Decide(edits(t), before)
		if out != nil {
			return
		}
		after, err := act.Apply(before, step.Changes)
		if err != nil {
			t.Fatal(err)
		}
		sent := &batch.Sent{Found: batch.Found{Record: before, Act: "update"}, Changes: step.Changes}
		back, out := act.Decide(action.Undone(sent, false), after)
		if out != nil {
			t.Fatalf("%+v", out)
		}
		for _, field := range slices.Concat(plainFields(), nestedFields(), []string{"customerReference.reference2", codeList, "customerAcquisition", "crmRecordId", "tags"}) {
			was, is := gjson.GetBytes(before.Body, field), gjson.GetBytes(back.Body, field)
			if was.Raw != is.Raw && !batch.Value(was.Raw).Empty() && !was.IsObject() {
				t.Fatalf("%s was %s and is %s", field, was.Raw, is.Raw)
			}
			if batch.Value(was.Raw).Empty() && was.Exists() && was.Raw != is.Raw {
				t.Fatalf("%s was %s and is %s", field, was.Raw, is.Raw)
			}
			if !was.Exists() && is.Exists() && is.Type != gjson.Null && is.Raw != "[]" && !is.IsObject() {
				t.Fatalf("%s was absent and is %s", field, is.Raw)
			}
		}
		if out := act.Check(back, batch.Record{ID: before.ID, Status: before.Status, Body: back.Body}); out != nil {
			t.Fatalf("check: %+v", out)
		}
		if _, out := act.Decide(action.Undone(sent, false), batch.Record{ID: before.ID, Status: before.Status, Body: back.Body}); out == nil || out.Kind != batch.Unchanged {
			t.Fatalf("a second time: %+v", out)
		}
	})
}

func TestUndoAndOtherPeoplesWork(t *testing.T) {
	act := updating()
	sent := &batch.Sent{Found: batch.Found{Record: active(`,"firstName":"Ada","lastName":"Reed"`)},
		Changes: []batch.Change{{Field: "firstName", Before: `"Ada"`, After: `"Bea"`}, {Field: "lastName", Before: `"Reed"`, After: `"Rood"`}}}
	theirs := active(`,"firstName":"Cleo","lastName":"Rood"`)
	if _, out := act.Decide(action.Undone(sent, false), theirs); out == nil || out.Kind != batch.Conflict || out.Code != "changed_since_run" {
		t.Errorf("%+v", out)
	}
	step, out := act.Decide(action.Undone(sent, true), theirs)
	if out != nil || gjson.GetBytes(step.Body, "firstName").Str != "Cleo" || gjson.GetBytes(step.Body, "lastName").Str != "Reed" {
		t.Errorf("%+v %s", out, step.Body)
	}
	if _, out := act.Decide(action.Undone(sent, true), active(`,"firstName":"Cleo","lastName":"Dee"`)); out == nil || out.Kind != batch.Unchanged {
		t.Errorf("%+v", out)
	}
}

func TestAPlanIsCarriedOutOnlyOnWhatItFound(t *testing.T) {
	act := updating()
	plan := batch.Outcome{Kind: batch.WouldChange, Planned: batch.Planned{Action: "update"}, Key: "reference=AC-1", ID: "7", Status: "Active",
		Changes: []batch.Change{{Field: "firstName", Before: `"Ada"`, After: `"Bea"`}}}
	for name, c := range map[string]struct{ members, want string }{
		"as found":                        {`,"reference":"AC-1","firstName":"Ada"`, ""},
		"something else changed":          {`,"reference":"AC-1","firstName":"Ada","lastName":"New"`, ""},
		"the value is there already":      {`,"reference":"AC-1","firstName":"Bea"`, "unchanged"},
		"somebody else changed the field": {`,"reference":"AC-1","firstName":"Cleo"`, "conflict/changed_since_plan"},
		"the reference is another's now":  {`,"reference":"AC-2","firstName":"Ada"`, "conflict/changed_since_plan"},
	} {
		_, out := act.Decide(action.Planned(plan, nil, false), active(c.members))
		if got := outcomeOf(out); got != c.want {
			t.Errorf("%s: %q", name, got)
		}
	}
	held := recordOf(`{"id":7,"status":"Hold","reference":"AC-1","firstName":"Ada"}`)
	if _, out := act.Decide(action.Planned(plan, nil, false), held); outcomeOf(out) != "conflict/changed_since_plan" {
		t.Errorf("%+v", out)
	}
}

func outcomeOf(out *batch.Outcome) string {
	switch {
	case out == nil:
		return ""
	case out.Code == "":
		return string(out.Kind)
	}
	return string(out.Kind) + "/" + out.Code
}

func TestNamesOutliveTheRun(t *testing.T) {
	codes := action.NewTrackingCodes()
	codes.Known("Sales Tracking Code 2", "NORTH", "Region", "NORTH")
	kept, err := action.RecalledCodes(codes.Remembered())
	if err != nil {
		t.Fatal(err)
	}
	act := action.NewUpdate(action.Services{Codes: kept})
	step, out := act.Decide(setting("salesTrackingCode.Sales Tracking Code 2", `"SOUTH"`),
		active(`,"customerReference":{"salesTrackingCodes":[{"type":"Region","code":"NORTH"}]}`))
	if out != nil || gjson.GetBytes(step.Body, codeList+".#").Int() != 1 {
		t.Errorf("%+v %s", out, step.Body)
	}
	if action.NewTrackingCodes().Remembered() != nil {
		t.Error("an empty table need not be kept")
	}
}
