package batch_test

import (
	"testing"

	"rowbatch/batch"
)

func TestExitOf(t *testing.T) {
	for _, tt := range []struct {
		kinds []batch.Kind
		want  int
	}{
		{nil, 0},
		{[]batch.Kind{batch.Changed, batch.Unchanged, batch.WouldChange, batch.Skipped}, 0},
		{[]batch.Kind{batch.Changed, batch.Rejected}, 3},
		{[]batch.Kind{batch.Failed}, 3},
		{[]batch.Kind{batch.Conflict}, 3},
		{[]batch.Kind{batch.Failed, batch.InDoubt}, 4},
		{[]batch.Kind{batch.Failed, batch.InDoubt, batch.NotAttempted}, 5},
	} {
		outcomes := map[batch.Kind]int{}
		for _, k := range tt.kinds {
			outcomes[k] = 1
		}
		if got := batch.ExitOf(outcomes); got != tt.want {
			t.Errorf("%v: %d, want %d", tt.kinds, got, tt.want)
		}
	}
}

func TestEveryCodeHasAFix(t *testing.T) {
	for _, c := range batch.Codes() {
		if c.Fix == "" || c.Means == "" || len(c.Kinds) == 0 {
			t.Errorf("%s lacks a fix, a meaning or an outcome", c.Name)
		}
	}
	if batch.Fix("http_409") == "" {
		t.Error("http_409 has no fix")
	}
}
