package action_test

import (
	"strings"
	"testing"

	"rowbatch/batch"
)

// judged holds the outcome of a Check against a code, "" for none, and a text.
func judged(t *testing.T, out *batch.Outcome, code, text string) {
	t.Helper()
	switch {
	case code == "" && out != nil:
		t.Errorf("%s %s: %s; want nothing", out.Kind, out.Code, out.Error)
	case code != "" && (out == nil || out.Kind != batch.Failed || out.Code != code || !strings.Contains(out.Error, text)):
		t.Errorf("%+v; want failed %s, %q", out, code, text)
	}
}

// Between the body that was sent and the record after it only what the row names may differ.
func TestSideEffects(t *testing.T) {
	tests := []struct {
		name, sent, after string // members
		text              string // "": no side effect
	}{
		{"nothing", `,"a":1,"b":"x"`, `,"a":1,"b":"x"`, ""},
		{"another order and white space", `,"a":1,"b":"x"`, `,  "b" : "x" , "a":1`, ""},
		{"another escape", `,"a":"caf\u00e9"`, `,"a":"café"`, ""},
		{"an escaped key", `,"note":"x"`, `,"n\u006fte":"x"`, ""},
		{"a number as text", `,"primaryPhone":5550100`, `,"primaryPhone":"5550100"`, ""},
		{"empty for null", `,"title":null`, `,"title":""`, ""},

		{"a key put before the others", `,"a":1,"b":"x","c":true`, `,"new":null,"a":1,"b":"x","c":true`, ""},
		{"a change behind a key put before", `,"a":1,"b":"x"`, `,"new":null,"a":1,"b":"y"`, `b went from "x" to "y"`},

		{"a text", `,"middleName":"Ann"`, `,"middleName":"Eve"`, `middleName went from "Ann" to "Eve"`},
		{"a text emptied", `,"middleName":"Ann"`, `,"middleName":null`, `middleName went from "Ann" to ""`},
		{"a text filled", `,"middleName":null`, `,"middleName":"Ann"`, `middleName went from "" to "Ann"`},
		{"letter case", `,"middleName":"Ann"`, `,"middleName":"ANN"`, "middleName"},
		{"a number's spelling", `,"rate":25.9800`, `,"rate":25.98`, `rate went from "25.9800" to "25.98"`},
		{"a long id's last digit", `,"crm":9007199254740993123`, `,"crm":9007199254740993124`, "crm"},
		{"a flag", `,"isParent":false`, `,"isParent":true`, `isParent went from "false" to "true"`},
		{"a flag as text", `,"isParent":true`, `,"isParent":"true"`, "isParent"},

		{"a key that vanished", `,"geotabId":"g1"`, ``, `geotabId went from "g1" to ""`},
		{"a null key that vanished", `,"geotabId":null`, ``, ""},
		{"a new key with a value", ``, `,"geotabId":"g1"`, `geotabId went from "" to "g1"`},
		{"a new key with false", ``, `,"isParent":false`, "isParent"},
		{"a new key without a value", ``, `,"geotabId":null,"suffix":""`, ""},
		{"a key with signs of paths", `,"a.b*c?@|#":1`, `,"a.b*c?@|#":2`, `went from "1" to "2"`},
		{"a key like a path", `,"a.b":1,"a":{"b":1}`, `,"a.b":2,"a":{"b":1}`, `went from "1" to "2"`},

		{"nested", `,"customerReference":{"reference2":"x"}`, `,"customerReference":{"reference2":"y"}`, `customerReference.reference2 went from "x" to "y"`},
		{"nested key vanished", `,"customerReference":{"reference2":"x"}`, `,"customerReference":{}`, "customerReference.reference2"},
		{"nested key new", `,"customerReference":{}`, `,"customerReference":{"reference3":"x"}`, "customerReference.reference3"},
		{"nested null vanished", `,"customerReference":{"reference2":null}`, `,"customerReference":{}`, ""},
		{"nested id and uri", `,"customerReference":{"id":7,"uri":"/a"}`, `,"customerReference":{"id":8,"uri":"/b"}`, ""},
		{"nested id and uri new", `,"customerReference":{}`, `,"customerReference":{"id":8,"uri":"/b"}`, ""},
		{"deep", `,"x":{"y":{"z":1}}`, `,"x":{"y":{"z":2}}`, "x.y"},
		{"an object gone", `,"x":{"y":1}`, ``, `x.y went from "1" to ""`},
		{"an object for null", `,"x":{"y":1}`, `,"x":null`, "x.y"},
		{"an object new", ``, `,"x":{"y":1}`, `x.y went from "" to "1"`},
		{"null for an object", `,"x":null`, `,"x":{"y":1}`, "x"},
		{"a text for an object", `,"x":{"y":1}`, `,"x":"y"`, "x"},
		{"an object for a text", `,"x":"y"`, `,"x":{"y":1}`, "x"},
		{"an object of nulls gone", `,"x":{"y":null,"id":7}`, `,"x":null`, ""},
		{"an object of nulls new", ``, `,"x":{"y":null,"id":7}`, ""},
		{"an object of nulls for null", `,"x":null`, `,"x":{"y":null,"id":7}`, ""},

		{"an array's entry gone", `,"tags":["a","b"]`, `,"tags":["a"]`, "tags"},
		{"an array's entry moved", `,"tags":["a","b"]`, `,"tags":["b","a"]`, "tags"},
		{"an array nested", `,"x":{"tags":[1]}`, `,"x":{"tags":[]}`, "x.tags"},
		{"a code gone", `,"customerReference":{"salesTrackingCodes":[` + emb + `]}`, `,"customerReference":{"salesTrackingCodes":[]}`, "Sales Tracking Code 1=EMB"},
		{"codes null", `,"customerReference":{"salesTrackingCodes":[]}`, `,"customerReference":{"salesTrackingCodes":null}`, ""},
		{"codes filled in", `,"customerReference":{"salesTrackingCodes":[{"type":"Region","code":"EAST"}]}`,
			`,"customerReference":{"salesTrackingCodes":[{"type":"Region","code":"EAST","id":1,"uri":"/x"}]}`, ""},
		{"QuickBooks' id without a latch", `,"quickBooksId":null`, `,"quickBooksId":5`, `quickBooksId went from "" to "5"`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			step := decided(t, active(`,"lastName":"Reed"`+tt.sent), "lastName", `"Holm"`)
			code := ""
			if tt.text != "" {
				code = "side_effect"
			}
			judged(t, updating().Check(step, active(`,"lastName":"Holm"`+tt.after)), code, tt.text)
		})
	}
}

// A write may act on billing: its status above all must not move.
func TestStatusIsWatched(t *testing.T) {
	step := decided(t, active(`,"lastName":"Reed"`), "lastName", `"Holm"`)
	judged(t, updating().Check(step, recordOf(`{"id":7,"status":"Hold","lastName":"Holm"}`)), "side_effect", `status went from "Active" to "Hold"`)
}

func TestVolatileFieldsMayMove(t *testing.T) {
	step := decided(t, active(`,"lastName":"Reed","modifiedTimestamp":"2025-01-02T03:04:05Z","customerAccountStatus":"Good",`+
		`"monthlyRecurringRevenue":25.9800,"netMonthlyRecurringRevenue":20,"quickBooksSyncToken":null,"uri":"/v1/customers/7"`), "lastName", `"Holm"`)
	judged(t, updating().Check(step, active(`,"lastName":"Holm","modifiedTimestamp":"2026-01-02T03:04:05Z","customerAccountStatus":"PoorStanding",`+
		`"monthlyRecurringRevenue":26,"netMonthlyRecurringRevenue":21,"quickBooksSyncToken":4,"uri":"https://api.example.com/v1/customers/7"`)), "", "")
}

func TestALatchExplainsTheIDItGot(t *testing.T) {
	step := decided(t, active(`,"quickBooksLatchType":null,"quickBooksId":null,"hubSpotId":1`), "quickBooksLatchType", `"CreateNew"`)
	latched := `,"quickBooksLatchType":"CreateNew","quickBooksId":55`
	judged(t, updating().Check(step, active(latched+`,"hubSpotId":1`)), "", "")
	judged(t, updating().Check(step, active(latched+`,"hubSpotId":2`)), "side_effect", "hubSpotId")
}

// An accepted write whose reply does not show the value.
func TestNotApplied(t *testing.T) {
	tests := []struct{ name, field, want, after, code, text string }{
		{"taken", "lastName", `"Holm"`, `,"lastName":"Holm"`, "", ""},
		{"taken as an escape", "lastName", `"Hólm"`, `,"lastName":"H\u00f3lm"`, "", ""},
		{"taken as a number", "primaryPhone", `"5550199"`, `,"primaryPhone":5550199,"lastName":"Reed"`, "", ""},
		{"cleared to empty text", "lastName", `null`, `,"lastName":"","firstName":"Ada"`, "", ""},
		{"cleared by leaving out", "lastName", `null`, `,"firstName":"Ada"`, "", ""},
		{"addresses spaced otherwise", "primaryEmail", `"a@example.com;b@example.com"`, `,"lastName":"Reed","primaryEmail":"a@example.com; b@example.com"`, "", ""},
		{"not taken", "lastName", `"Holm"`, `,"lastName":"Reed"`, "not_applied", `the server accepted the write, but lastName is "Reed", not "Holm"`},
		{"cut short", "lastName", `"Holmström"`, `,"lastName":"Holmst"`, "not_applied", `lastName is "Holmst"`},
		{"trimmed", "lastName", `"Holm "`, `,"lastName":"Holm"`, "not_applied", `not "Holm "`},
		{"not cleared", "lastName", `null`, `,"lastName":"Reed"`, "not_applied", `lastName is "Reed", not ""`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			change := batch.Change{Field: tt.field, Before: `"Reed"`, After: batch.Value(tt.want)}
			sent, err := updating().Apply(active(tt.after), []batch.Change{change})
			if err != nil {
				t.Fatal(err)
			}
			judged(t, updating().Check(batch.Step{Changes: []batch.Change{change}, Body: sent.Body}, active(tt.after)), tt.code, tt.text)
		})
	}
}

// After a lost answer the fields that were sent tell what happened, and no other.
func TestSettle(t *testing.T) {
	last := batch.Change{Field: "lastName", Before: `"Reed"`, After: `"Holm"`}
	first := batch.Change{Field: "firstName", Before: batch.Absent, After: `"Ada"`}
	cleared := batch.Change{Field: "suffix", Before: `"Jr"`, After: batch.Null}
	mails := batch.Change{Field: "primaryEmail", Before: `"a@example.com"`, After: `"b@example.com; c@example.com"`}
	phone := batch.Change{Field: "primaryPhone", Before: `5550100`, After: `"5550199"`}
	code := batch.Change{Field: "salesTrackingCode.Sales Tracking Code 2", Before: `"NORTH"`, After: batch.Null}
	nested := batch.Change{Field: "customerReference.reference1", Before: batch.Absent, After: `"x"`}
	tests := []struct {
		name    string
		sent    []batch.Change
		members string
		want    batch.Verdict
	}{
		{"took", []batch.Change{last}, `,"lastName":"Holm"`, batch.TookEffect},
		{"did not", []batch.Change{last}, `,"lastName":"Reed"`, batch.NoEffect},
		{"somebody else", []batch.Change{last}, `,"lastName":"Iver"`, batch.Other},
		{"vanished", []batch.Change{last}, ``, batch.Other},
		{"both took", []batch.Change{last, first}, `,"lastName":"Holm","firstName":"Ada"`, batch.TookEffect},
		{"neither took", []batch.Change{last, first}, `,"lastName":"Reed","firstName":""`, batch.NoEffect},
		{"one of two", []batch.Change{last, first}, `,"lastName":"Holm","firstName":null`, batch.Other},
		{"other fields are no evidence", []batch.Change{last}, `,"lastName":"Reed","suffix":"III","customerReference":5`, batch.NoEffect},
		{"cleared", []batch.Change{cleared}, `,"suffix":""`, batch.TookEffect},
		{"not cleared", []batch.Change{cleared}, `,"suffix":"Jr"`, batch.NoEffect},
		{"addresses spaced otherwise", []batch.Change{mails}, `,"primaryEmail":"b@example.com;c@example.com"`, batch.TookEffect},
		{"a number as text", []batch.Change{phone}, `,"primaryPhone":"5550100"`, batch.NoEffect},
		{"a text as number", []batch.Change{phone}, `,"primaryPhone":5550199`, batch.TookEffect},
		{"a phone put in order", []batch.Change{phone}, `,"primaryPhone":"555-0199"`, batch.Respelled},
		{"trimmed and in lower case", []batch.Change{last}, `,"lastName":"holm "`, batch.Respelled},
		{"cut", []batch.Change{{Field: "lastName", Before: `"Reed"`, After: `"Holmström"`}}, `,"lastName":"Holms"`, batch.Respelled},
		{"cut to hardly anything", []batch.Change{{Field: "lastName", Before: `"Reed"`, After: `"Holmström"`}}, `,"lastName":"Ho"`, batch.Other},
		{"escaped", []batch.Change{{Field: "companyName", Before: `"A"`, After: `"R&D"`}}, `,"companyName":"R&amp;D"`, batch.Respelled},
		{"an accent by itself", []batch.Change{{Field: "firstName", Before: `"A"`, After: "\"Zoe\u0301\""}}, ",\"firstName\":\"Zo\u00e9\"", batch.Respelled},
		{"another phone", []batch.Change{phone}, `,"primaryPhone":"555-0198"`, batch.Other},
		{"emptied", []batch.Change{last}, `,"lastName":""`, batch.Other},
		{"one as before, one respelled", []batch.Change{last, {Field: "firstName", Before: `"A"`, After: `"Bo"`}}, `,"lastName":"Reed","firstName":"bo"`, batch.Other},
		{"code removed", []batch.Change{code}, `,"customerReference":{"salesTrackingCodes":[` + emb + `]}`, batch.TookEffect},
		{"code still there", []batch.Change{code}, `,"customerReference":{"salesTrackingCodes":[` + north + `]}`, batch.NoEffect},
		{"nested", []batch.Change{nested}, `,"customerReference":{"reference1":"x","reference2":"y"}`, batch.TookEffect},
		{"nested in nothing", []batch.Change{nested}, `,"customerReference":null`, batch.NoEffect},
	}
	for _, tt := range tests {
		if got := updating().Settle(tt.sent, active(tt.members)); got != tt.want {
			t.Errorf("%s: verdict %d, want %d", tt.name, got, tt.want)
		}
	}
}
