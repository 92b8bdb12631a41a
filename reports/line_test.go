package reports

import (
	"testing"

	"rowbatch/batch"
)

func TestChanges(t *testing.T) {
	for _, tt := range []struct {
		change batch.Change
		want   string
	}{
		{batch.Change{Field: "title", Before: `"Ms"`, After: batch.Null}, `[{"field":"title","before":"Ms","after":null}]`},
		{batch.Change{Field: "title", Before: batch.Absent, After: `""`}, `[{"field":"title","before":null,"after":""}]`},
		{batch.Change{Field: "title", Before: batch.Null, After: `"<a&b>"`}, `[{"field":"title","before":null,"after":"<a&b>"}]`},
		{batch.Change{Field: "password", Before: batch.Hidden, After: batch.Hidden}, `[{"field":"password","after":"***"}]`},
		{batch.Change{Field: "id", Before: `9007199254740993`, After: `25.9800`}, `[{"field":"id","before":9007199254740993,"after":25.9800}]`},
		{batch.Change{Field: "codes", Before: "[ {\n \"type\": 1 } ]", After: `[]`}, `[{"field":"codes","before":[{"type":1}],"after":[]}]`},
		{batch.Change{Field: "x", Before: `"` + "\u202e\u007f\u2028" + `"`, After: `not JSON`}, `[{"field":"x","before":"\u202e\u007f\u2028","after":"not JSON"}]`},
	} {
		if got := changesOf([]batch.Change{tt.change}); got != tt.want {
			t.Errorf("%+v\n got %s\nwant %s", tt.change, got, tt.want)
		}
	}
	if got := changesOf(nil); got != "" {
		t.Errorf("no changes: %q", got)
	}
}

func TestNumbers(t *testing.T) {
	for s, want := range map[string]bool{
		"0": true, "-5": true, "007": true, "12.50": true, "-0.1": true,
		"": false, "-": false, "--5": false, "+5": false, "5.": false, ".5": false, "-.5": false, "1.2.3": false, "1e5": false, "-1-1": false, "١": false, "'5": false, " 5": false,
	} {
		if IsNumber(s) != want {
			t.Errorf("%q: %v", s, !want)
		}
	}
}
