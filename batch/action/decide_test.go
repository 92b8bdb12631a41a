package action_test

import (
	"strings"
	"testing"

	"rowbatch/batch"
)

// What equals the live value is not written.
func TestSameness(t *testing.T) {
	tests := []struct {
		field, now, want string // now "": the key is absent
		same             bool
	}{
		{"firstName", `"Ada"`, `"Ada"`, true},
		{"firstName", `"Ada"`, `"ada"`, false},
		{"firstName", `"Ada"`, `"Ada "`, false},
		{"firstName", `"caf\u00e9"`, `"café"`, true},
		{"firstName", `"cafe\u0301"`, `"café"`, true},
		{"firstName", `""`, `null`, true},
		{"firstName", `null`, `""`, true},
		{"firstName", ``, `null`, true},
		{"firstName", `" "`, `null`, false},
		{"primaryPhone", `5550100`, `"5550100"`, true},
		{"primaryPhone", `"5550100"`, `"05550100"`, false},
		{"reference", `40021`, `"40021"`, true},
		{"reference", `40021.0`, `"40021"`, false},
		{"reference", `true`, `"true"`, false},
		{"parentId", `9007199254740993123`, `9007199254740993124`, false},
		{"parentId", `"8"`, `8`, true},
		{"parentId", `0`, `null`, false},
		{"primaryEmail", `"a@example.com; b@example.com"`, `"a@example.com;b@example.com"`, true},
		{"secondaryEmail", `" a@example.com ;b@example.com"`, `"a@example.com; b@example.com"`, true},
		{"primaryEmail", `"a@example.com;b@example.com"`, `"b@example.com;a@example.com"`, false},
		{"primaryEmail", `"a@example.com"`, `"A@example.com"`, false},
		{"firstName", `"A; B"`, `"A;B"`, false},
	}
	for _, tt := range tests {
		members := `,"lastName":"Reed"`
		if tt.now != "" {
			members += `,"` + tt.field + `":` + tt.now
		}
		step, out := updating().Decide(setting(tt.field, tt.want), active(members))
		if unchanged := out != nil && out.Kind == batch.Unchanged; unchanged != tt.same {
			t.Errorf("%s %s over %s: %+v, want same %v", tt.field, tt.want, tt.now, out, tt.same)
		}
		change := batch.Change{Field: tt.field, Before: batch.Value(tt.now), After: batch.Value(tt.want)}
		if !tt.same && (len(step.Changes) != 1 || step.Changes[0] != change) {
			t.Errorf("%s: changes %v, want %v", tt.field, step.Changes, change)
		}
	}
}

// Only what differs is a change, even if the row names more.
func TestOnlyDifferencesAreChanges(t *testing.T) {
	step := decided(t, active(`,"firstName":"Ada","lastName":"Reed","title":""`), "firstName", `"Ada"`, "title", "null", "lastName", `"Holm"`)
	if len(step.Changes) != 1 || step.Changes[0] != (batch.Change{Field: "lastName", Before: `"Reed"`, After: `"Holm"`}) {
		t.Errorf("%v", step.Changes)
	}
	if want := `{"id":7,"status":"Active","firstName":"Ada","lastName":"Holm","title":""}`; string(step.Body) != want {
		t.Errorf("body %s", step.Body)
	}
}

func TestDecideRefuses(t *testing.T) {
	text := func(raw string) *batch.Value { v := batch.Value(raw); return &v }
	guarded := func(field, value string, exact bool) *batch.Item {
		it := setting("lastName", `"Holm"`)
		it.Guards = []batch.Guard{{Field: field, Value: batch.Value(value), Exact: exact}}
		return it
	}
	const odd = `{"id":7,"status":"Hold","reference":40021,"companyName":"Northlight","primaryEmail":"a@example.com; b@example.com","lastName":"Reed"}`
	tests := []struct {
		name, body string
		it         *batch.Item
		kind       batch.Kind // "": there is a step
		code, text string
	}{
		{"no status", `{"id":7}`, setting("lastName", `"Holm"`), batch.Rejected, "unreadable_record", "no status"},
		{"null status", `{"id":7,"status":null}`, setting("lastName", `"Holm"`), batch.Rejected, "unreadable_record", "no status"},
		{"cancelled", `{"id":7,"status":"Cancelled"}`, setting("lastName", `"Holm"`), batch.Rejected, "bad_status", "Cancelled"},
		{"draft", `{"id":7,"status":"Draft"}`, setting("lastName", `"Holm"`), "", "", ""},
		{"suspended", `{"id":7,"status":"Suspended"}`, setting("lastName", `"Holm"`), "", "", ""},
		{"on hold", odd, setting("lastName", `"Holm"`), "", "", ""},

		{"own parent", odd, setting("parentId", "7"), batch.Rejected, "bad_value", "its own parent"},
		{"another's parent", odd, setting("parentId", "77"), "", "", ""},

		{"last name", `{"id":7,"status":"Active","lastName":"Reed","firstName":"","companyName":null}`, setting("lastName", "null"),
			batch.Rejected, "not_clearable", "lastName: the customer would be left without any name"},
		{"last two names", `{"id":7,"status":"Active","lastName":"Reed","companyName":"N"}`, setting("lastName", "null", "companyName", "null"),
			batch.Rejected, "not_clearable", "without any name"},
		{"one of two names", odd, setting("lastName", "null"), "", "", ""},
		{"name replaced by another", `{"id":7,"status":"Active","lastName":"Reed"}`, setting("lastName", "null", "companyName", `"N"`), "", "", ""},
		{"nameless already", `{"id":7,"status":"Active","suffix":"Jr"}`, setting("suffix", "null"), "", "", ""},

		{"guard holds", odd, guarded("companyName", `"Northlight"`, false), "", "", ""},
		{"guard holds as text", odd, guarded("reference", `"40021"`, false), "", "", ""},
		{"guard on addresses", odd, guarded("primaryEmail", `"a@example.com;b@example.com"`, false), "", "", ""},
		{"guard on emptiness", odd, guarded("parentId", `""`, false), "", "", ""},
		{"guard fails", odd, guarded("companyName", `"Southlight"`, false), batch.Conflict, "match_failed", `companyName of the customer is "Northlight", and the row says "Southlight"`},
		{"guard on emptiness fails", odd, guarded("companyName", `""`, false), batch.Conflict, "match_failed", "the row says empty"},
		{"exact reference", odd, guarded("reference", `"40021"`, true), "", "", ""},
		{"exact reference in other letters", `{"id":7,"status":"Active","reference":"ac-1"}`, guarded("reference", `"AC-1"`, true), batch.Conflict, "match_failed", "reference"},
		{"exact reference with zeros", odd, guarded("reference", `"040021"`, true), batch.Conflict, "match_failed", "reference"},
		{"guard beats unchanged", odd, &batch.Item{Guards: []batch.Guard{{Field: "companyName", Value: `"x"`}}}, batch.Conflict, "match_failed", ""},

		{"as expected", odd, &batch.Item{Edits: []batch.Edit{{Field: "lastName", Want: `"Holm"`, Expect: text(`"Reed"`)}}}, "", "", ""},
		{"not as expected", odd, &batch.Item{Edits: []batch.Edit{{Field: "lastName", Want: `"Holm"`, Expect: text(`"Reid"`)}}},
			batch.Conflict, "changed_since_plan", `lastName should be "Reid", and is "Reed"`},
		{"there already", odd, &batch.Item{Edits: []batch.Edit{{Field: "lastName", Want: `"Reed"`, Expect: text(`"Reid"`)}}}, batch.Unchanged, "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			step, out := updating().Decide(tt.it, recordOf(tt.body))
			switch {
			case tt.kind == "" && (out != nil || len(step.Changes) == 0):
				t.Errorf("no step: %+v", out)
			case tt.kind != "" && (out == nil || out.Kind != tt.kind || out.Code != tt.code || !strings.Contains(out.Error, tt.text)):
				t.Errorf("%+v, want %s %s %q", out, tt.kind, tt.code, tt.text)
			case tt.kind != "" && step.Body != nil:
				t.Errorf("a body besides: %s", step.Body)
			}
		})
	}
}

// Two columns may call one code type by its two names; the write that they ask for must be one that can be checked.
func TestOneTypeUnderTwoNames(t *testing.T) {
	now := active(`,"customerReference":{"salesTrackingCodes":[{"type":"Region","code":"EAST"}]}`)
	act := updating()
	step, out := act.Decide(setting("salesTrackingCode.Sales Tracking Code 2", `"NORTH"`, "salesTrackingCode.Region", `"SOUTH"`), now)
	if out != nil {
		if out.Kind != batch.Rejected {
			t.Errorf("%+v", out)
		}
		return
	}
	if out := act.Check(step, recordOf(string(step.Body))); out != nil {
		t.Errorf("the step cannot succeed, whatever the server does: %+v", out)
	}
}
