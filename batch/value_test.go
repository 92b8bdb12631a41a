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
