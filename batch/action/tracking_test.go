package action_test

import (
	"strings"
	"testing"

	"rowbatch/batch"
	"rowbatch/batch/action"
	"rowbatch/client/sandbox"
	"rowbatch/mapping"
)

const (
	emb   = `{"type":"Sales Tracking Code 1","code":"EMB","name":"Ember team","id":4410,"note":1.50}`
	north = `{ "type" : "Region", "code":"N\u004fRTH" , "id":9007199254740993123}`
	web   = `{"type":"Sales Tracking Code 3","code":"WEB","x":null}`
)

// A field of the family touches the entry of its type, and no byte of the others.
func TestTrackingCodes(t *testing.T) {
	const one, two, region, three = "salesTrackingCode.Sales Tracking Code 1", "salesTrackingCode.sales tracking code 2",
		"salesTrackingCode.REGION", "salesTrackingCode.Sales Tracking Code 3"
	tests := []struct {
		name   string
		list   string
		edits  []string
		want   string // "": nothing changes
		before string // of the first change
	}{
		{"set in an empty list", `[]`, []string{one, `"EMB"`}, `[{"type":"Sales Tracking Code 1","code":"EMB"}]`, ``},
		{"set in null", `null`, []string{one, `"EMB"`}, `[{"type":"Sales Tracking Code 1","code":"EMB"}]`, ``},
		{"set beside others", `[` + north + `,` + web + `]`, []string{one, `"EMB"`},
			`[` + north + `,` + web + `,{"type":"Sales Tracking Code 1","code":"EMB"}]`, ``},
		{"changed in its place", `[` + emb + `,` + north + `,` + web + `]`, []string{one, `"FRO"`},
			`[{"type":"Sales Tracking Code 1","code":"FRO"},` + north + `,` + web + `]`, `"EMB"`},
		{"removed", `[` + emb + `,` + north + `,` + web + `]`, []string{region, `null`}, `[` + emb + `,` + web + `]`, `"N\u004fRTH"`},
		{"the only one removed", `[` + emb + `]`, []string{one, `null`}, `[]`, `"EMB"`},
		{"one set, one removed", `[` + emb + `,` + north + `]`, []string{one, `null`, three, `"WEB"`},
			`[` + north + `,{"type":"Sales Tracking Code 3","code":"WEB"}]`, `"EMB"`},
		{"a renamed type by its default name", `[` + north + `]`, []string{two, `"EAST"`}, `[{"type":"Region","code":"EAST"}]`, `"N\u004fRTH"`},
		{"a renamed type set anew", `[]`, []string{two, `"EAST"`}, `[{"type":"Region","code":"EAST"}]`, ``},
		{"a renamed type by its own name", `[` + north + `]`, []string{region, `"EAST"`}, `[{"type":"Region","code":"EAST"}]`, `"N\u004fRTH"`},
		{"there already", `[` + north + `]`, []string{two, `"NORTH"`}, ``, ``},
		{"gone already", `[` + emb + `]`, []string{region, `null`}, ``, ``},
		{"gone from null already", `null`, []string{region, `null`}, ``, ``},
		{"a quote in the code", `[]`, []string{one, `"a\"b"`}, `[{"type":"Sales Tracking Code 1","code":"a\"b"}]`, ``},
		{"a quote in the type", `[]`, []string{`salesTrackingCode.the "team"`, `"x"`}, `[{"type":"the \"team\"","code":"x"}]`, ``},
		{"a dot in the type", `[` + emb + `]`, []string{`salesTrackingCode.v1.0 *`, `"x"`}, `[` + emb + `,{"type":"v1.0 *","code":"x"}]`, ``},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			holding := func(list string) batch.Record {
				return active(`,"customerReference":{"reference1":1.50,"salesTrackingCodes":` + list + `,"id":7},"x":1`)
			}
			step, out := updating().Decide(setting(tt.edits...), holding(tt.list))
			if tt.want == "" {
				if out == nil || out.Kind != batch.Unchanged {
					t.Errorf("%+v", out)
				}
				return
			}
			if out != nil || string(step.Body) != string(holding(tt.want).Body) {
				t.Fatalf("%+v, body %s\nwant %s", out, step.Body, tt.want)
			}
			if step.Changes[0].Before != batch.Value(tt.before) {
				t.Errorf("before was %s, want %s", step.Changes[0].Before, tt.before)
			}
		})
	}
}

func TestTrackingCodeInAnAbsentParent(t *testing.T) {
	for _, members := range []string{``, `,"customerReference":null`} {
		step := decided(t, active(members), "salesTrackingCode.Region", `"EAST"`)
		if want := string(active(`,"customerReference":{"salesTrackingCodes":[{"type":"Region","code":"EAST"}]}`).Body); string(step.Body) != want {
			t.Errorf("body %s", step.Body)
		}
	}
}

// What the server makes of the entries, seen in its reply.
func TestCheckOfTrackingCodes(t *testing.T) {
	const rendered = `{"type":"Region","code":"EAST","name":"East","id":4415,"uri":"/v1/SalesTrackingCodes/4415"}`
	holding := func(entries ...string) batch.Record {
		return active(`,"customerReference":{"salesTrackingCodes":[` + strings.Join(entries, ",") + `]}`)
	}
	tests := []struct {
		name  string
		after batch.Record
		code  string // "": all is well
		text  string
	}{
		{"filled in", holding(emb, rendered, web), "", ""},
		{"in another order", holding(web, emb, rendered), "", ""},
		{"as sent", holding(emb, `{"type":"Region","code":"EAST"}`, web), "", ""},
		{"not taken", holding(emb, north, web), "not_applied", `is "NORTH", not "EAST"`},
		{"left out", holding(emb, web), "not_applied", `is "", not "EAST"`},
		{"another one removed", holding(emb, rendered), "side_effect", "Sales Tracking Code 3=WEB"},
		{"another one changed", holding(strings.Replace(emb, "EMB", "FRO", 1), rendered, web), "side_effect", "Sales Tracking Code 1=FRO"},
		{"another one added", holding(emb, rendered, web, `{"type":"Sales Tracking Code 5","code":"VIP"}`), "side_effect", "Sales Tracking Code 5=VIP"},
		{"another one twice", holding(emb, rendered, web, web), "side_effect", "Sales Tracking Code 3=WEB Sales Tracking Code 3=WEB"},
		{"all gone", active(`,"customerReference":{"salesTrackingCodes":null}`), "side_effect", "Sales Tracking Code 1=EMB"},
		{"the parent gone", active(`,"customerReference":null`), "side_effect", "Sales Tracking Code 1=EMB"},
		{"moved and not taken", holding(emb), "side_effect", `salesTrackingCode.Sales Tracking Code 2 is "", not "EAST"`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			step := decided(t, holding(emb, north, web), "salesTrackingCode.Sales Tracking Code 2", `"EAST"`)
			judged(t, updating().Check(step, tt.after), tt.code, tt.text)
		})
	}
}

// A code that is only removed was never looked up, so what the account calls its
// type is not known. To report "unchanged" would be a guess.
func TestRemovalUnderADefaultName(t *testing.T) {
	const two, three = "salesTrackingCode.Sales Tracking Code 2", "salesTrackingCode.Sales Tracking Code 3"
	tests := []struct {
		name, list, field, want string
	}{
		{"the entry bears a name of the account's", `[` + north + `]`, three, "rejected/unknown_tracking_code"},
		{"that name belongs to another type", `[` + north + `]`, two, "step"},
		{"the entry bears a default name", `[` + emb + `]`, three, "unchanged/"},
		{"no entries", `[]`, three, "unchanged/"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			codes := action.NewTrackingCodes()
			if tt.field == two {
				codes.Known("Sales Tracking Code 2", "NORTH", "Region", "NORTH")
			}
			got := "step"
			_, out := action.NewUpdate(action.Services{Codes: codes}).Decide(setting(tt.field, `null`), active(`,"customerReference":{"salesTrackingCodes":`+tt.list+`}`))
			if out != nil {
				got = string(out.Kind) + "/" + out.Code
			}
			if got != tt.want {
				t.Errorf("%s, want %s: %+v", got, tt.want, out)
			}
		})
	}
}

func TestRemovalUnderATypeThatDoesNotExist(t *testing.T) {
	l := lookupAt(t, stand(t, sandbox.Options{}).Transport())
	codes, err := l.Codes(t.Context(), uses("Sales Tracking Code 3", "", "Nope", "", "Region", "EAST", "Region", ""))
	if requests := l.Fusebill.Requests(); err != nil || requests != 3 {
		t.Fatalf("%v after %d requests", err, requests)
	}
	removal := func(typ string) *batch.Item {
		c := cell(t, "salesTrackingCode."+typ, "")
		c.Clear = true
		return updateItem(mapping.Mapped{KeyField: "id", Key: "7", Cells: []mapping.Cell{c}}, action.Context{Codes: codes})
	}
	if it := removal("Sales Tracking Code 3"); it.Out != nil {
		t.Errorf("%+v", it.Out)
	}
	if it := removal("Nope"); it.Out == nil || it.Out.Code != "unknown_tracking_code" {
		t.Errorf("%+v", it.Out)
	}
}
