package runs

import (
	"bytes"
	"encoding/csv"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// A row beyond what the table of lengths holds is picked like any other.
func TestPickedLongRows(t *testing.T) {
	d := newDir(t)
	want := []Row{
		{N: 0, Line: 2, Cells: []string{strings.Repeat("long ", tooLong/4)}},
		{N: 1, Line: 3, Cells: []string{"short"}},
	}
	writeRows(t, d, []string{"note"}, want)
	picker, err := d.PickRows(len(want))
	if err != nil {
		t.Fatal(err)
	}
	defer picker.Close()
	for n := range want {
		got, err := picker.Row(n)
		if diff := cmp.Diff(want[n], got); diff != "" || err != nil {
			t.Errorf("row %d: %v %.300s", n, err, diff)
		}
	}
}

// A rows.csv that somebody has edited is not read as something else.
func TestEditedRowsAreDamaged(t *testing.T) {
	for _, record := range []string{"2,a\"b,c,\n", "2,\"a\"b,c,\n", "2,a,b,c,\n", "2,a,\n", "2,a,b", "2,\"a,b,\n3,a,b,\n"} {
		d := newDir(t)
		if err := os.WriteFile(d.Path(rowsName), []byte("rb_line,id,name,rb_ragged\n"+record), 0o600); err != nil {
			t.Fatal(err)
		}
		r, err := d.ReadRows()
		if err != nil {
			t.Fatal(err)
		}
		if row, err := r.Next(); err == nil || !strings.Contains(err.Error(), "rows.csv is damaged after row 0") {
			t.Errorf("%q: %v, %v", record, row, err)
		}
		if err := r.Close(); err != nil {
			t.Fatal(err)
		}
		picker, err := d.PickRows(1)
		if err != nil {
			continue // it is noticed as soon
		}
		if row, err := picker.Row(0); err == nil {
			t.Errorf("%q picked: %v", record, row)
		}
		if err := picker.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// A picked row has the cells that were written, whatever stands in them.
func TestFieldsAreTakenApartAsWritten(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		field := rapid.OneOf(rapid.SampledFrom([]string{"", `\.`, " a", "\u00a0", "\u2028a", "\xff", "\x85"}), rapid.StringMatching(`[a\\., "\r\n]{0,5}`), rapid.String())
		want := rapid.SliceOfN(field, 2, 5).Draw(t, "fields")
		var record bytes.Buffer
		w := csv.NewWriter(&record)
		if err := w.Write(want); err != nil {
			t.Fatal(err)
		}
		w.Flush()
		got, err := fieldsOf(record.String(), nil)
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("%q: %v\n%s", record.String(), err, diff)
		}
	})
}
