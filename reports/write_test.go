package reports

import (
	"encoding/csv"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"rowbatch/batch"
	"rowbatch/batch/journal"
	"rowbatch/batch/runs"
)

const columns = "rb_outcome;rb_change;rb_error;rb_fix;rb_warning;rb_customer;rb_line;rb_action;rb_key;rb_id;rb_status;rb_balance;rb_next_billing;rb_changes;rb_error_code;rb_http_status;rb_attempts;rb_requests;rb_ms;rb_at"

func TestReport(t *testing.T) {
	d := run(t, mixed())
	s := write(t, d)
	needWork := []string{
		`rejected;;2 cells under 4 headings;"quote cells that hold the delimiter; close or double quotation marks gone astray; give the row as many cells as the heading";;;4;update;;;;;;;ragged_row;;0;0;0;;3;Ms`,
		`rejected;;no\u001b[31m\u000asuch customer;"check the key; is this the right account?";;;5;update;"reference=A;""4""";;;;;;not_found;404;0;1;0;2026-11-20T21:52:01.234Z;4;Dr;`,
		`in_doubt;title: (empty) → Dr;the run ended before the answer to this write was recorded;resume the run: that reads the customer back and settles the row;;;6;update;id=9007199254740993;9007199254740993;;;;"[{""field"":""title"",""before"":null,""after"":""Dr""}]";no_answer;;1;2;0;;5;Dr;`,
		`not_attempted;;;resume the run, which goes on here;=odd;;7;update;;;;;;;stopped;;0;0;0;;6;Dr;'+1`,
		`failed;title: (empty) → Dr;<no>;read rb_error, correct the row and run it again;;;8;update;id=7;7;;;;"[{""field"":""title"",""before"":null,""after"":""Dr""}]";http_400;400;1;2;0;2026-11-20T21:52:01.234Z;7;Dr;`,
	}
	needWork[3] = strings.Replace(needWork[3], ";=odd;", ";'=odd;", 1)
	heading := "\uFEFF" + columns + ";id;'=Title;Note"
	failed := append([]string{heading}, needWork...)
	report := append([]string{heading,
		`changed;"title: Ms → Dr; mrr: 25.98 → (empty)";;;"long; late";'=Northlight\u202e & Co;2;update;id=1;1;Active;-25.00;2026-12-01;"[{""field"":""title"",""before"":""Ms"",""after"":""Dr""},{""field"":""mrr"",""before"":25.9800,""after"":null}]";;200;1;2;143;2026-11-20T21:52:01.234Z;1;Dr;-5`,
		"unchanged;;;;;;3;update;id=2;2;;;;;;;0;0;0;2026-11-20T21:52:01.234Z;2;Ms;\"'=1+1\nsecond line\"",
	}, needWork...)
	if diff := cmp.Diff(strings.Join(report, "\n")+"\n", read(t, d, "report.csv")); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(strings.Join(failed, "\n")+"\n", read(t, d, "failed.csv")); diff != "" {
		t.Error(diff)
	}
	if s.Report != d.Path("report.csv") || s.Failed != d.Path("failed.csv") {
		t.Error(s.Report, s.Failed)
	}
}

func TestSummary(t *testing.T) {
	d := run(t, mixed())
	write(t, d)
	want := `{
  "run_id": "20261120T215200Z-update-customers",
  "action": "update",
  "mode": "",
  "dry_run": false,
  "file": "customers.csv",
  "account": "sandbox",
  "host": "sandbox",
  "started": "2026-11-20T21:52:00Z",
  "rows": 7,
  "outcomes": {
    "changed": 1,
    "failed": 1,
    "in_doubt": 1,
    "not_attempted": 1,
    "rejected": 2,
    "unchanged": 1
  },
  "requests": {
    "read": 4,
    "write": 3,
    "total": 7
  },
  "seconds": 1.235,
  "waited_seconds": 0,
  "waited": {},
  "errors": [
    {
      "code": "http_400",
      "count": 1,
      "fix": "read rb_error, correct the row and run it again",
      "lines": [
        8
      ]
    },
`
	if got := read(t, d, "summary.json"); !strings.HasPrefix(got, want) || !strings.HasSuffix(got, "  \"exit_code\": 5\n}\n") {
		t.Error(cmp.Diff(want, got))
	}
}

func TestSummaryOfAnEndedRun(t *testing.T) {
	h := mixed()
	h.end = &journal.End{Reads: 70, Writes: 30, Seconds: 12.5, Waited: 3.25, WaitedFor: map[string]float64{"outage": 3.25}, Exit: 13}
	for range 12 {
		h.rows = append(h.rows, row{cells: []string{"8", "", "", ""}, done: batch.Reject("not_found", "")})
	}
	s := write(t, run(t, h))
	if s.Requests != (Requests{70, 30, 100}) || s.Seconds != 12.5 || s.WaitedSeconds != 3.25 || s.Waited["outage"] != 3.25 || s.ExitCode != 13 {
		t.Errorf("%+v", s)
	}
	first := ErrorCount{"not_found", 13, batch.Fix("not_found"), []int{5, 9, 10, 11, 12, 13, 14, 15, 16, 17}, "no\x1b[31m\nsuch customer"}
	if diff := cmp.Diff(first, s.Errors[0]); diff != "" {
		t.Error(diff)
	}
	var codes []string
	for _, e := range s.Errors[1:] {
		codes = append(codes, e.Code)
	}
	if diff := cmp.Diff([]string{"http_400", "no_answer", "ragged_row", "stopped"}, codes); diff != "" {
		t.Error(diff)
	}
}

func TestARunWithNothingLeftToDo(t *testing.T) {
	unchanged := &batch.Outcome{Kind: batch.Unchanged, Key: "id=1"}
	d := run(t, history{heading: []string{"id"}, rows: []row{{cells: []string{"1"}, done: unchanged}}, end: &journal.End{}})
	s := write(t, d)
	if _, err := os.Stat(d.Path("failed.csv")); !errors.Is(err, fs.ErrNotExist) || s.Failed != "" || s.ExitCode != 0 {
		t.Errorf("%v %+v", err, s)
	}
	var keys map[string]json.RawMessage
	if err := json.Unmarshal(s.JSON(), &keys); err != nil || string(keys["errors"]) != "[]" || len(keys) != 18 {
		t.Errorf("%v %s", err, s.JSON())
	}
}

// While a run goes on, its report says what is known so far, and what is settled
// later leaves no stale file behind.
func TestReportOfARunThatGoesOn(t *testing.T) {
	d, err := runs.Create(runs.Disk(), t.TempDir(), start, "update", "x.csv")
	if err != nil {
		t.Fatal(err)
	}
	w, err := d.Rows(runs.RowsName, []string{"id"})
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(w.Append(runs.Row{Line: 2, Cells: []string{"1"}}), w.Close()); err != nil {
		t.Fatal(err)
	}
	j, err := d.CreateJournal(journal.Head{Rows: 1})
	if err != nil {
		t.Fatal(err)
	}
	if s := write(t, d); s.Outcomes["not_attempted"] != 1 || s.Failed == "" || s.ExitCode != 5 {
		t.Errorf("%+v", s)
	}
	if err := errors.Join(j.Done(0, batch.Outcome{Kind: batch.Unchanged}), j.End(journal.End{})); err != nil {
		t.Fatal(err)
	}
	if s := write(t, d); s.Outcomes["unchanged"] != 1 || s.Failed != "" || s.ExitCode != 0 {
		t.Errorf("%+v", s)
	}
	if left, err := filepath.Glob(d.Path("failed*")); err != nil || len(left) > 0 {
		t.Error(left, err)
	}
}

func TestAnEditedReportStays(t *testing.T) {
	d := run(t, mixed())
	write(t, d)
	if err := os.WriteFile(d.Path("failed.csv"), []byte("my work"), 0o600); err != nil {
		t.Fatal(err)
	}
	s := write(t, d)
	if s.Failed != d.Path("failed-2.csv") || s.Report != d.Path("report.csv") || read(t, d, "failed.csv") != "my work" {
		t.Errorf("%+v", s)
	}
}

// heldFiles is a disk on which another program has files open, as Windows lets it.
type heldFiles struct {
	runs.FS
	names []string
}

func (h heldFiles) held(path string) error {
	if _, err := os.Stat(path); err == nil && slices.Contains(h.names, filepath.Base(path)) {
		return &fs.PathError{Op: "rename", Path: path, Err: fs.ErrPermission}
	}
	return nil
}

func (h heldFiles) Rename(from, to string) error {
	if err := h.held(to); err != nil {
		return err
	}
	return h.FS.Rename(from, to)
}

func (h heldFiles) Remove(path string) error {
	if err := h.held(path); err != nil {
		return err
	}
	return h.FS.Remove(path)
}

// A report that is open elsewhere stays, and the new one stands beside it until the
// old one can be replaced.
func TestAReportThatIsOpenElsewhereStays(t *testing.T) {
	root := t.TempDir()
	d, err := play(runs.Disk(), root, mixed())
	if err != nil {
		t.Fatal(err)
	}
	write(t, d)
	open := func(names ...string) *runs.Dir {
		d, err := runs.Open(heldFiles{runs.Disk(), names}, root, d.ID())
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	s := write(t, open("report.csv", "failed.csv", "summary.json"))
	if s.Report != d.Path("report-2.csv") || s.Failed != d.Path("failed-2.csv") ||
		!slices.Equal(s.Left, []string{d.Path("report.csv"), d.Path("failed.csv")}) {
		t.Errorf("%+v", s.Files)
	}
	read(t, d, "summary-2.json")
	s = write(t, open("report.csv", "report-2.csv"))
	if s.Report != d.Path("report-3.csv") || s.Failed != d.Path("failed.csv") || len(s.Left) != 1 {
		t.Errorf("%+v", s.Files)
	}
	s = write(t, open())
	if left, err := filepath.Glob(d.Path("*-[23].*")); err != nil || len(left) > 0 || s.Report != d.Path("report.csv") {
		t.Errorf("%q, %v, %+v", left, err, s.Files)
	}
	if left, err := open("failed.csv").Withdraw("failed.csv"); err != nil || len(left) != 1 {
		t.Errorf("%q, %v", left, err)
	}
}

func TestRowsAndJournalThatDisagree(t *testing.T) {
	for _, rows := range []int{6, 8} {
		h := mixed()
		h.rows = append(h.rows, h.rows...)[:rows]
		written, other := run(t, h), run(t, mixed())
		d, err := runs.Find("", written.Path(), nil) // as another process finds it
		if err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(other.Path("journal"), d.Path("journal")); err != nil {
			t.Fatal(err)
		}
		_, err = Write(d, Options{Escape: escape})
		var changed *runs.RowsError
		if !errors.As(err, &changed) || changed.Path != d.Path(runs.RowsName) {
			t.Error(err)
		}
		if left, err := filepath.Glob(d.Path("*report*")); err != nil || len(left) > 0 {
			t.Error(left, err)
		}
	}
}

// A report read as the input of the next run gives the cells of this one.
func TestRoundTrip(t *testing.T) {
	cells := []string{"-5", "'-5", "''-5", "-5.20", "-5.", "-", "=1", "'=1", "+49 30 1", "@x", "\tx", "\rx", "'", "'x", "007", "", "1e5", "-1e5", "a\r\nb", `"`}
	unescape := func(s string) string {
		if rest, found := strings.CutPrefix(s, "'"); found && escape(s) != s {
			return rest
		}
		return s
	}
	var want []string // a cell that came with an apostrophe is not given another
	for _, cell := range cells {
		want = append(want, unescape(cell))
	}
	for _, delimiter := range []string{",", ";", "\t", "|"} {
		d := run(t, history{head: journal.Head{Source: journal.Source{Delimiter: delimiter}}, heading: cells, rows: []row{{cells: cells}}})
		write(t, d)
		text := strings.TrimPrefix(read(t, d, "report.csv"), "\uFEFF")
		r := csv.NewReader(strings.NewReader(strings.ReplaceAll(text, "\r\n", "\r\r\n")))
		r.Comma = rune(delimiter[0])
		lines, err := r.ReadAll()
		if err != nil {
			t.Fatal(err)
		}
		for _, line := range lines {
			var got []string
			for _, cell := range line[20:] {
				got = append(got, unescape(cell))
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
		}
	}
}

// A report says whose customers it is about: a server that has called itself the stand-in is no production.
func TestAReportNamesItsAccount(t *testing.T) {
	const ours = "http://127.0.0.1:9/v1#MDpz"
	for want, h := range map[string]history{
		`env-sandbox" role="region" aria-label="Account"><strong class="env-name">SANDBOX<`: {
			head: journal.Head{Target: journal.Target{Account: ours}}, end: &journal.End{Trial: true}},
		`env-sandbox" role="region" aria-label="Account"><strong class="env-name word word-blue">TRIAL<`: {
			head: journal.Head{Target: journal.Target{Account: ours, Label: journal.Label{Word: "TRIAL", Colour: "blue"}}}, end: &journal.End{Trial: true}},
		`env-production" role="region" aria-label="Account"><strong class="env-name">PRODUCTION<`: {
			head: journal.Head{Target: journal.Target{Account: ours}}, end: &journal.End{}},
	} {
		d := run(t, h)
		if _, err := Write(d, Options{Escape: escape, HTML: true}); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(read(t, d, "report.html"), want) {
			t.Errorf("the page does not have %s", want)
		}
	}
}
