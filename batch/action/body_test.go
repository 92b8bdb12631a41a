package action_test

import (
	"strings"
	"testing"

	"rowbatch/batch"
)

// The body of the write is the body of the read but for the values that the row names.
func TestBodyKeepsItsBytes(t *testing.T) {
	tests := []struct {
		name, before string // members after id and status
		edits        []string
		after        string
	}{
		{"in its place", `,"firstName":"Ada","lastName":"Reed"`, []string{"firstName", `"Grace"`}, `,"firstName":"Grace","lastName":"Reed"`},
		{"numbers", `,"mrr":25.9800,"crm":9007199254740993123,"x":2.50E+03,"z":-0.0,"suffix":null`, []string{"suffix", `"Jr"`},
			`,"mrr":25.9800,"crm":9007199254740993123,"x":2.50E+03,"z":-0.0,"suffix":"Jr"`},
		{"empties", `,"title":"","middleName":null,"suffix":"Jr"`, []string{"suffix", "null"}, `,"title":"","middleName":null,"suffix":null`},
		{"white space", ",\n\t\"firstName\" :  \"Ada\" ,\r\n \"lastName\":\"Reed\"\n", []string{"firstName", `"Grace"`},
			",\n\t\"firstName\" :  \"Grace\" ,\r\n \"lastName\":\"Reed\"\n"},
		{"escapes", `,"note":"caf\u00e9 \/ \ud83d\ude00 <é>","firstName":"\u0041da"`, []string{"firstName", `"a<b>&\"c"`},
			`,"note":"caf\u00e9 \/ \ud83d\ude00 <é>","firstName":"a<b>&\"c"`},
		{"an escaped key", `,"first\u004eame":"Ada","lastName":"Reed"`, []string{"firstName", `"Grace"`}, `,"first\u004eame":"Grace","lastName":"Reed"`},
		{"a text that looks like a key", `,"note":"\"firstName\":\"Bob\"","firstName":"Ada"`, []string{"firstName", `"Grace"`},
			`,"note":"\"firstName\":\"Bob\"","firstName":"Grace"`},
		{"the same key further in", `,"x":{"firstName":"Bob"},"firstName":"Ada"`, []string{"firstName", `"Grace"`}, `,"x":{"firstName":"Bob"},"firstName":"Grace"`},
		{"unknown fields", `,"tags":[ "a",{"b":1.0} ],"a.b*":{"?":true},"firstName":"Ada"`, []string{"firstName", `"Grace"`},
			`,"tags":[ "a",{"b":1.0} ],"a.b*":{"?":true},"firstName":"Grace"`},
		{"an absent key", `,"lastName":"Reed"`, []string{"firstName", `"Grace"`}, `,"lastName":"Reed","firstName":"Grace"`},
		{"an id", `,"parentId":null`, []string{"parentId", "9007199254740993123"}, `,"parentId":9007199254740993123`},
		{"a number by a text", `,"primaryPhone":5550100`, []string{"primaryPhone", `"+1 555 0100"`}, `,"primaryPhone":"+1 555 0100"`},

		{"nested", `,"customerReference":{ "reference1" : "a","reference2":1.50,"id":7}`, []string{"customerReference.reference1", `"b"`},
			`,"customerReference":{ "reference1" : "b","reference2":1.50,"id":7}`},
		{"nested and absent", `,"customerReference":{"id":7}`, []string{"customerReference.reference1", `"b"`}, `,"customerReference":{"id":7,"reference1":"b"}`},
		{"nested in an empty object", `,"customerReference":{}`, []string{"customerReference.reference1", `"b"`}, `,"customerReference":{"reference1":"b"}`},
		{"nested in null", `,"customerAcquisition":null,"x":1`, []string{"customerAcquisition.source", `"web"`, "customerAcquisition.medium", `"mail"`},
			`,"customerAcquisition":{"source":"web","medium":"mail"},"x":1`},
		{"nested in an absent object", ``, []string{"customerReference.reference1", `"b"`}, `,"customerReference":{"reference1":"b"}`},
		{"beside a key with a dot", `,"customerReference.reference1":"trap","customerReference":{"reference1":"a"}`, []string{"customerReference.reference1", `"b"`},
			`,"customerReference.reference1":"trap","customerReference":{"reference1":"b"}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			now := active(tt.before)
			was := string(now.Body)
			step := decided(t, now, tt.edits...)
			if want := string(active(tt.after).Body); string(step.Body) != want {
				t.Errorf("body %s\nwant %s", step.Body, want)
			}
			if string(now.Body) != was {
				t.Errorf("the record that was read is now %s", now.Body)
			}
			if len(step.Changes) != len(tt.edits)/2 || string(step.Before.Body) != was {
				t.Errorf("changes %v of %s", step.Changes, step.Before.Body)
			}
		})
	}
}

// White space around the whole record, as some servers send it, stays too.
func TestBodyKeepsItsEnds(t *testing.T) {
	step := decided(t, recordOf("\n{ \"id\": 7, \"status\": \"Active\", \"suffix\": null }\r\n"), "suffix", `"Jr"`)
	if got, want := string(step.Body), "\n{ \"id\": 7, \"status\": \"Active\", \"suffix\": \"Jr\" }\r\n"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

// A record in which it is not clear what an edit would reach is left alone.
func TestUnreadableRecords(t *testing.T) {
	const ref1, code1 = "customerReference.reference1", "salesTrackingCode.Sales Tracking Code 1"
	tests := []struct{ name, members, field, text string }{
		{"parent is a text", `,"customerReference":"x"`, ref1, "customerReference is no object"},
		{"parent is a number", `,"customerReference":5`, ref1, "customerReference is no object"},
		{"parent is a list", `,"customerReference":[{"reference1":"a"}]`, ref1, "customerReference is no object"},
		{"parent is false", `,"customerReference":false`, ref1, "customerReference is no object"},
		{"parent holds the key twice", `,"customerReference":{"reference1":"a","reference1":"b"}`, ref1, "reference1 twice"},
		{"parent holds another key twice", `,"customerReference":{"reference1":"a","id":7,"\u0069d":8}`, ref1, "id twice"},
		{"codes in a text", `,"customerReference":"x"`, code1, "customerReference is no object"},
		{"codes are an object", `,"customerReference":{"salesTrackingCodes":{"type":"x"}}`, code1, "is no list"},
		{"codes are a text", `,"customerReference":{"salesTrackingCodes":"x"}`, code1, "is no list"},
		{"codes stand twice", `,"customerReference":{"salesTrackingCodes":[],"salesTrackingCodes":[]}`, code1, "salesTrackingCodes twice"},
		{"a type stands twice", `,"customerReference":{"salesTrackingCodes":[{"type":"Sales Tracking Code 1","code":"A"},{"type":"sales tracking code 1","code":"B"}]}`,
			code1, `the type "Sales Tracking Code 1" twice`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, out := updating().Decide(setting(tt.field, `"new"`), active(tt.members))
			if out == nil || out.Kind != batch.Rejected || out.Code != "unreadable_record" || !strings.Contains(out.Error, tt.text) || !strings.HasPrefix(out.Error, tt.field) {
				t.Errorf("%+v, want %s: … %s", out, tt.field, tt.text)
			}
		})
	}
}
