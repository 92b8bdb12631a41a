package client

import (
	"strings"
	"testing"
)

func TestUnaskable(t *testing.T) {
	for _, ref := range []string{"a;b", "a:b", "a,b", "a|b", "a*", "[empty]", " a", "a ", "a\t", ""} {
		if !Unaskable(ref) {
			t.Errorf("%q can be asked for", ref)
		}
	}
	for _, ref := range []string{"AC-100", "a b", "007", "[Empty]", "é&=+%"} {
		if Unaskable(ref) {
			t.Errorf("%q cannot be asked for", ref)
		}
	}
}

func TestMatches(t *testing.T) {
	full := "[" + strings.Repeat(`{"id":1,"reference":"x"},`, searchSize-1) + `{"id":1,"reference":"x"}]`
	tests := []struct {
		name, page, ref string
		ids             string
		err             string
	}{
		{"none", `[]`, "x", "", ""},
		{"one", `[{"id":5,"reference":"x"}]`, "x", "5", ""},
		{"case differs", `[{"id":5,"reference":"X"}]`, "x", "", ""},
		{"several", `[{"id":5,"reference":"x"},{"id":6,"reference":"X"},{"id":7,"reference":"x"}]`, "x", "5 7", ""},
		{"a number", `[{"id":5,"reference":100}]`, "100", "5", ""},
		{"a number of another spelling", `[{"id":5,"reference":100.0}]`, "100", "", ""},
		{"null", `[{"id":5,"reference":null}]`, "x", "", ""},
		{"the same row twice", `[{"id":5,"reference":"x"},{"id":5,"reference":"x"}]`, "x", "5", ""},
		{"no id", `[{"reference":"x"}]`, "x", "", "without an id"},
		{"not rows", `[1]`, "x", "", "without an id"},
		{"more than a page", full, "x", "", "more customers than one page"},
	}
	for _, tt := range tests {
		m, class, err := matches([]byte(tt.page), "reference", tt.ref)
		if got := strings.Join(m.IDs, " "); got != tt.ids || len(m.Rows) != len(m.IDs) {
			t.Errorf("%s: ids %q, %d rows; want %q", tt.name, got, len(m.Rows), tt.ids)
		}
		if unread := strings.HasPrefix(tt.err, "without"); err != nil && unread != (class == Lost) || err == nil && class != Answered {
			t.Errorf("%s: %s", tt.name, class)
		}
		if (err != nil) != (tt.err != "") || err != nil && !strings.Contains(err.Error(), tt.err) {
			t.Errorf("%s: %v, want %q", tt.name, err, tt.err)
		}
	}
}
