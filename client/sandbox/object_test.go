package sandbox

import (
	"encoding/json"
	"slices"
	"testing"
)

func TestSame(t *testing.T) {
	for _, c := range []struct {
		a, b string
		same bool
	}{
		{`25.9800`, `25.98`, true},
		{`250`, `250.0`, true},
		{`250`, `25`, false},
		{`1e2`, `100`, false}, // never multiplied out
		{`9007199254740993123`, `9007199254740993000`, false},
		{`"é"`, `"\u00e9"`, true},
		{`"5550100"`, `5550100`, false},
		{`null`, `""`, false},
		{`true`, `true`, true},
		{`true`, `false`, false},
		{`[1,2]`, `[1.0,2]`, true},
		{`[1,2]`, `[2,1]`, false},
		{`[]`, `{}`, false},
		{`{"a":1,"b":"x"}`, `{"b":"x","a":1.0}`, true},
		{`{"a":1}`, `{"a":1,"b":2}`, false},
		{`{"a":1}`, `{"b":1}`, false},
	} {
		if same(c.a, c.b) != c.same || same(c.b, c.a) != c.same {
			t.Errorf("same(%s, %s) is not %t", c.a, c.b, c.same)
		}
	}
}

// Whatever is sent, the answer is one of the API's, and what it leaves is a
// record that survives its own PUT to the byte.
func FuzzPut(f *testing.F) {
	f.Add(odd)
	f.Add(`{"id":7,"status":"Active"}`)
	f.Add(`{"id":11,"status":"Draft","customerReference":{"salesTrackingCodes":[{"type":"Region","code":"EAST"}]}}`)
	f.Add(`{"id":8,"status":"Hold","customerAcquisition":[],"parentId":7,"reference":1e400}`)
	f.Fuzz(func(t *testing.T, body string) {
		s := open(t, Options{})
		g := put(t, s, body)
		if !slices.Contains([]int{200, 400, 404, 409}, g.status) || !json.Valid([]byte(g.body)) {
			t.Fatalf("%d %s", g.status, g.body)
		}
		if g.status != 200 {
			return
		}
		o, err := parseObject([]byte(g.body))
		if err != nil {
			t.Fatal(err)
		}
		again := put(t, s, g.body)
		if o.text("status") == "Cancelled" {
			return
		}
		if echo, err := parseObject([]byte(again.body)); err != nil || again.status != 200 ||
			string(withoutStamp(echo).bytes()) != string(withoutStamp(o).bytes()) {
			t.Errorf("%s\nsent back: %d %s", g.body, again.status, again.body)
		}
	})
}

func withoutStamp(o object) object {
	return slices.DeleteFunc(slices.Clone(o), func(m member) bool { return m.name == "modifiedTimestamp" })
}
