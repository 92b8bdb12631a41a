package cli_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/tidwall/gjson"

	"rowbatch/batch/runs"
)

// end is what a run says of one row.
type end struct {
	line, id, outcome string
	changes           map[string]string // field → raw value
}

func (r *trial) newest(t *testing.T) string {
	t.Helper()
	run, err := newestRun(r.path("reports"))
	if err != nil {
		t.Fatal(err)
	}
	return run
}

func (r *trial) report(t *testing.T) sheet {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(r.newest(t), "report.csv"))
	if err != nil {
		t.Fatal(err)
	}
	s, err := parseSheet(string(text))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func (r *trial) reported(t *testing.T) []end {
	t.Helper()
	s := r.report(t)
	var ends []end
	for i, line := range s.column("rb_line") {
		e := end{line, s.column("id")[i], s.column("rb_outcome")[i], map[string]string{}}
		gjson.Parse(s.column("rb_changes")[i]).ForEach(func(_, c gjson.Result) bool {
			e.changes[c.Get("field").Str] = c.Get("after").Raw
			return true
		})
		ends = append(ends, e)
	}
	return ends
}

// journalled is what the journal of a run without a report says of its rows.
func (r *trial) journalled(t *testing.T) []end {
	t.Helper()
	d, err := runs.Open(runs.Disk(), r.path("reports"), filepath.Base(r.newest(t)))
	if err != nil {
		t.Fatal(err)
	}
	j, err := d.OpenJournal()
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	var ends []end
	for n, row := range r.rows {
		o, err := j.Outcome(n)
		if err != nil {
			t.Fatal(err)
		}
		e := end{strconv.Itoa(n + 2), row[0], string(o.Kind), map[string]string{}}
		for _, c := range o.Changes {
			e.changes[c.Field] = string(c.After)
		}
		ends = append(ends, e)
	}
	return ends
}

// agree holds what a run says against the sandbox's ledger.
func (r *trial) agree(t *testing.T, ends []end) {
	t.Helper()
	r.complete(t, ends)
	effects, err := readEffects(r.box)
	if err != nil {
		t.Fatal(err)
	}
	ledger := map[string][]effect{}
	for _, e := range effects {
		ledger[e.ID] = append(ledger[e.ID], effect{e.Before, e.After})
	}
	for _, e := range ends {
		left := ledger[e.id]
		switch ours := len(left) > 0 && left[0].is(e.changes); {
		case e.outcome == "changed" && !ours:
			t.Errorf("line %s is changed, and the next effect on customer %s is another, or there is none", e.line, e.id)
		case e.outcome == "changed", e.outcome == "in_doubt" && ours:
			if moved := movedFields(left[0].before, left[0].after, left[0].holders(e.changes)); len(moved) > 0 {
				t.Errorf("line %s: the write moved what the row does not name: %v", e.line, moved)
			}
			ledger[e.id] = left[1:]
		}
	}
	for id, left := range ledger {
		if len(left) > 0 {
			t.Errorf("customer %s: %d effects belong to no row", id, len(left))
		}
	}
}

// complete says that every row of the file is there once, in its order.
func (r *trial) complete(t *testing.T, ends []end) {
	t.Helper()
	var got, want [][2]string
	for _, e := range ends {
		got = append(got, [2]string{e.line, e.id})
	}
	for n, row := range r.rows {
		want = append(want, [2]string{strconv.Itoa(n + 2), row[0]})
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("lines and ids (-file +report):\n%s", diff)
	}
}

// effect is one write on the ledger.
type effect struct{ before, after json.RawMessage }

// is says that the write made just these changes of values.
func (e effect) is(changes map[string]string) bool {
	for field, want := range changes {
		if rawValue(e.after, field) != want || rawValue(e.before, field) == want {
			return false
		}
	}
	return len(changes) > 0
}

// holders names the values in which the changes stand: a tracking code's list, else the field itself.
func (e effect) holders(changes map[string]string) (fields []string) {
	for field := range changes {
		if typ, ok := strings.CutPrefix(field, "salesTrackingCode."); ok && otherCodes(e.before, typ) == otherCodes(e.after, typ) {
			field = "customerReference.salesTrackingCodes"
		}
		fields = append(fields, field)
	}
	return fields
}

// otherCodes are the bytes of all tracking codes but those of one type.
func otherCodes(body []byte, typ string) (raw string) {
	for _, entry := range gjson.GetBytes(body, "customerReference.salesTrackingCodes").Array() {
		if entry.Get("type").Str != typ {
			raw += entry.Raw
		}
	}
	return raw
}

func rawValue(body []byte, field string) string {
	if typ, ok := strings.CutPrefix(field, "salesTrackingCode."); ok {
		field = `customerReference.salesTrackingCodes.#(type=="` + typ + `").code`
	}
	return gjson.GetBytes(body, field).Raw
}
