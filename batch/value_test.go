package batch_test

import (
	"testing"

	"rowbatch/batch"
)

func TestSame(t *testing.T) {
	tests := []struct {
		a, b batch.Value
		want bool
	}{
		{`"x"`, `"x"`, true},
		{`"x"`, `"X"`, false},
		{`"x"`, `"\u0078"`, true},
		{`5550100`, `"5550100"`, true},
		{`25.9800`, `"25.9800"`, true},
		{`25.98`, `25.9800`, false},
		{`""`, batch.Null, true},
		{batch.Absent, batch.Null, true},
		{batch.Absent, `"x"`, false},
		{`true`, `"true"`, false},
		{`null`, `"null"`, false},
		{`0`, batch.Null, false},
		{batch.Hidden, batch.Hidden, false},
	}
	for _, test := range tests {
		if got := test.a.Same(test.b); got != test.want {
			t.Errorf("%s and %s: %v", test.a, test.b, got)
		}
		if got := test.b.Same(test.a); got != test.want {
			t.Errorf("%s and %s: %v", test.b, test.a, got)
		}
	}
}

// What people read is short where that hides nothing.
func TestChangesAsPeopleReadThem(t *testing.T) {
	for change, want := range map[batch.Change][2]string{
		{Before: `25.980000`, After: `120.5000`}:                                   {"25.98", "120.50"},
		{Before: `25`, After: `0.12500`}:                                           {"25", "0.125"},
		{Before: `1.0000`, After: `1.00`}:                                          {"1.0000", "1.00"}, // else nothing would seem to change
		{Before: `1e5`, After: `1.000e5`}:                                          {"1e5", "1.000e5"},
		{Before: `"25.9800"`, After: `"007"`}:                                      {"25.9800", "007"}, // text is shown as it is
		{Before: `"2026-01-02T00:00:00"`, After: `"2026-01-03T00:00:00.0000000Z"`}: {"2026-01-02", "2026-01-03"},
		{Before: `"2026-01-02T10:00:00"`, After: `"T00:00:00"`}:                    {"2026-01-02T10:00:00", "T00:00:00"},
		{Before: `"2026-01-02T00:00:00"`, After: `"2026-01-02"`}:                   {"2026-01-02T00:00:00", "2026-01-02"},
		{Before: `"Ms"`, After: batch.Null}:                                        {"Ms", "(empty)"},
		{Before: batch.Absent, After: `"a\u202eb"`}:                                {"(empty)", `a\u202eb`},
		{Before: `"Hugo  "`, After: `"\u200bHugo\t"`}:                              {"Hugo␠␠", "U+200BHugoU+0009"},
		{Before: `"A  B C"`, After: `"A\u00a0B\u200bC\tD"`}:                        {"A␠␠B C", `AU+00A0BU+200BC\u0009D`},
		{Before: `" "`, After: `"\ud83d\udc69\u200d\ud83d\ude80"`}:                 {"␠", "👩\u200d🚀"}, // one picture of two
		{Before: batch.Hidden, After: `"x"`}:                                       {"(unreadable)", "x"},
		{Before: batch.Hidden, After: batch.Hidden}:                                {"(unreadable)", "***"},
	} {
		if before, after := change.Shown(); [2]string{before, after} != want {
			t.Errorf("%v: %q, %q", change, before, after)
		}
	}
}
