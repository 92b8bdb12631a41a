package export

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"rowbatch/batch"
	"rowbatch/batch/action"
	"rowbatch/batch/intake"
	"rowbatch/batch/job"
	"rowbatch/batch/journal"
	"rowbatch/batch/runs"
	"rowbatch/client/sandbox"
	"rowbatch/mapping"
	"rowbatch/reports"
	"rowbatch/samples"
)

// strangeText draws values that files, spreadsheets and cell rules trip over.
func strangeText() *rapid.Generator[string] {
	part := rapid.OneOf(
		rapid.SampledFrom([]string{"REMOVE", "remove", `\REMOVE`, "#N/A", "#REF!", "1.23E+11", "***", "=1+1", "'=x", "''-", "+49", "@a", "-5", "\t", "\r", "\n", "\r\n", `"`, ",", ";",
			" ", "\u00a0", "\ufeff", "\u202e", "\x00", "\x1b", "\xff", "\ufffd", "007", "Err:502", "rb_export", "\u2028", "é", "💶"}),
		rapid.String())
	return rapid.Custom(func(t *rapid.T) string {
		text := ""
		for _, p := range rapid.SliceOfN(part, 0, 4).Draw(t, "parts") {
			text += p
		}
		return text
	})
}

// strangeRecord is a customer with any JSON in the fields of an update, and such texts.
func strangeRecord(t *rapid.T, id string, texts *rapid.Generator[string]) []byte {
	value := func(name string) any {
		switch rapid.IntRange(0, 5).Draw(t, name+" kind") {
		case 0:
			return nil
		case 1:
			return rapid.Int64().Draw(t, name)
		default:
			return texts.Draw(t, name)
		}
	}
	record := map[string]any{"id": json.Number(id)}
	nested := map[string]map[string]any{"customerReference": {}, "customerAcquisition": {}}
	for _, c := range action.DefaultColumns()[1:] {
		parent, child := filepath.Ext(c.Name), ""
		if parent != "" {
			child, parent = parent[1:], c.Name[:len(c.Name)-len(parent)]
		}
		switch {
		case child != "":
			nested[parent][child] = value(c.Name)
		case rapid.IntRange(0, 9).Draw(t, "absent") > 0:
			record[c.Name] = value(c.Name)
		}
	}
	for name, o := range nested {
		record[name] = o
	}
	text, err := json.Marshal(record)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// Whatever customers hold: exported, read back and compared, no row was edited,
// rejected or warned of.
func TestAnExportComesBackUnedited(t *testing.T) {
	t.Run("csv", func(t *testing.T) { comesBackUnedited(t, "export.csv", strangeText()) })
	fit := rapid.Map(strangeText(), func(text string) string {
		if reports.Unfit(text) != "" { // such an export is refused
			return "x"
		}
		return text
	})
	t.Run("xlsx", func(t *testing.T) { comesBackUnedited(t, "export.xlsx", fit) })
}

func comesBackUnedited(t *testing.T, name string, texts *rapid.Generator[string]) {
	reports := t.TempDir()
	file := filepath.Join(reports, name)
	rapid.Check(t, func(t *rapid.T) {
		dir, err := runs.Create(runs.Disk(), reports, time.Now(), Actions().Name, "x")
		must(t, err)
		out, err := openSheet(file, true, nil)
		must(t, err)
		c := &copies{columns: action.DefaultColumns(), out: out, types: map[string]bool{}}
		must(t, c.begin(dir))
		rows := rapid.IntRange(1, 4).Draw(t, "rows")
		for n := range rows {
			must(t, c.write(strangeRecord(t, "98700"+string(rune('1'+n)), texts), nil))
		}
		must(t, c.baseline.Close())
		must(t, out.Finish())
		record, err := dir.CreateJournal(journal.Head{ID: dir.ID(), Mode: journal.ModeExport, Action: Actions().Name})
		must(t, err)
		must(t, record.End(journal.End{}))
		must(t, out.Keep())

		back, err := runs.Create(runs.Disk(), reports, time.Now(), "update", "x")
		must(t, err)
		in, err := intake.Read(context.Background(), intake.Source{Name: file, Actions: intake.ActionsOf("update"), Exports: []string{reports}}, back)
		must(t, err)
		must(t, back.Discard())
		checked := in.Checked
		if checked.Rows != rows || checked.Exported != rows || checked.Edited != 0 || checked.Rejected != 0 || checked.WarningCount != 0 {
			t.Fatalf("%d rows, %d exported, %d edited, %d rejected, warnings %v", checked.Rows, checked.Exported, checked.Edited, checked.Rejected, checked.Warnings)
		}
	})
}

func must(t interface {
	Helper()
	Fatal(...any)
}, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// full is a disk without room.
type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("no space left") }

func TestAFullOutputIsToldOnce(t *testing.T) {
	out, err := openSheet("-", false, full{})
	must(t, err)
	must(t, out.Write([]string{"id"}))
	if err := out.Finish(); err == nil || strings.Count(err.Error(), "no space left") != 1 || job.ExitCode(err) != batch.ExitFiles {
		t.Errorf("%v", err)
	}
}

// watcher is a front that nobody sits at. It may stop what it watches.
type watcher struct {
	seen []job.Event
	each func(n int)
}

func (w *watcher) Show(e job.Event) {
	if _, often := e.(job.Progress); often {
		return
	}
	w.seen = append(w.seen, e)
	if w.each != nil {
		w.each(len(w.seen))
	}
}

func (*watcher) Attended() bool                         { return false }
func (*watcher) Ask(context.Context, job.Question) bool { return false }

// exportNamed exports four rows of a file, two of which name one customer, and one nobody.
func exportNamed(t *testing.T, dir string, box *sandbox.Sandbox, w *watcher, c job.Control) (*Result, error) {
	t.Helper()
	must(t, os.WriteFile(filepath.Join(dir, "some.csv"), []byte("Note,reference\nx,AC-1003\ny,AC-1001\nz,AC-9999\nv,AC-1003\n"), 0o600))
	s := job.Defaults()
	s.Output.Reports = filepath.Join(dir, "reports")
	open := func(system string, _ job.Settings, _ int, _ func(string) error) (job.Endpoint, error) {
		return job.Endpoint{System: system, URL: "http://localhost/v1", Key: "MDpzYW5kYm94", Name: job.StandIn, Transport: box.Transport()}, nil
	}
	o := Defaults()
	o.Columns, o.Output = "reference,id", filepath.Join(dir, "out.csv")
	return Export(job.Job{Settings: s, Front: w, Open: open}, c, o, filepath.Join(dir, "some.csv"), nil, nil)
}

func openSandbox(t *testing.T) *sandbox.Sandbox {
	t.Helper()
	box, err := sandbox.Open(sandbox.Options{Seed: samples.Seed()})
	must(t, err)
	t.Cleanup(func() { must(t, box.Close()) })
	return box
}

// What there is to see goes to the front, and what there is to say into the result.
func TestAnExportTellsItsFront(t *testing.T) {
	dir, w := t.TempDir(), &watcher{}
	file, reports := filepath.Join(dir, "some.csv"), filepath.Join(dir, "reports")
	res, err := exportNamed(t, dir, openSandbox(t), w, job.NewControl(t.Context()))
	must(t, err)
	if _, is := w.seen[0].(job.FileRead); !is {
		t.Errorf("first came %#v", w.seen[0])
	}
	want := []job.Event{
		job.PhaseBegan{Name: "exporting", Total: 4},
		job.RowRefused{File: file, Line: 4, Problem: &mapping.Problem{Code: "not_found", Text: `no customer has the reference "AC-9999"`}},
		job.Notice{Code: "named_again", File: file, Text: "1 row names a customer again, who is exported once"},
		job.PhaseEnded{Name: "exporting"},
	}
	if diff := cmp.Diff(want, w.seen[1:]); diff != "" {
		t.Error(diff)
	}
	s := res.Summary
	if s.Rows != 2 || s.ExitCode != batch.ExitRows || s.Requests.Total != 5 || len(s.Errors) != 1 {
		t.Errorf("%+v", s)
	}
	next := "rowbatch update " + job.QuoteWord(filepath.Join(dir, "out.csv")) + " --reports " + job.QuoteWord(reports) + " --dry-run"
	if res.Next != next || res.Folder != filepath.Join(reports, s.RunID) {
		t.Errorf("next: %s; folder: %s", res.Next, res.Folder)
	}
	text, err := os.ReadFile(filepath.Join(dir, "out.csv"))
	must(t, err)
	if lines := strings.Join([]string{"\ufeffreference,id,rb_export", "AC-1003,987003," + s.RunID, "AC-1001,987001," + s.RunID, ""}, "\n"); string(text) != lines {
		t.Errorf("%q", text)
	}
	all, err := runs.List(runs.Disk(), reports)
	must(t, err)
	if len(all) != 1 || all[0].Head.Mode != journal.ModeExport || !all[0].Complete() {
		t.Errorf("%+v", all)
	}
	left, err := os.ReadDir(res.Folder)
	must(t, err)
	if slices.ContainsFunc(left, func(e os.DirEntry) bool { return strings.HasSuffix(e.Name(), ".tmp") }) {
		t.Errorf("it left %v", left)
	}
}

// Wherever an export is stopped, it is complete or keeps nothing.
func TestAStoppedExportKeepsNothing(t *testing.T) {
	box := openSandbox(t)
	for at, complete := 1, false; !complete; at++ {
		dir, c := t.TempDir(), job.NewControl(t.Context())
		res, err := exportNamed(t, dir, box, &watcher{each: func(n int) {
			if n == at {
				c.Halt(job.Signalled{Signal: os.Interrupt})
			}
		}}, c)
		complete = context.Cause(c.Stop) == nil
		left, _ := filepath.Glob(filepath.Join(dir, "*", "*"))
		files, _ := filepath.Glob(filepath.Join(dir, ".*.tmp"))
		_, missing := os.Stat(filepath.Join(dir, "out.csv"))
		if err == nil {
			if res.Summary.Rows != 2 || missing != nil || len(left) != 1 || len(files) > 0 {
				t.Errorf("event %d: %+v, folders %v, %v %v", at, res, left, files, missing)
			}
		} else if job.ExitCode(err) != batch.ExitInterrupt || missing == nil || len(left)+len(files) > 0 {
			t.Errorf("event %d: %v left %v %v", at, err, left, files)
		}
		if at > 20 {
			t.Fatal("it shows more than it has to tell")
		}
	}
}

// Pages that take a server long come side by side.
func TestAnExportOfManyPages(t *testing.T) {
	took := map[int]time.Duration{}
	for _, workers := range []int{1, 8} {
		synctest.Test(t, func(t *testing.T) {
			faults, err := sandbox.ParseFaults([]string{"list:slow=300ms"})
			must(t, err)
			box, err := sandbox.Open(sandbox.Options{Seed: samples.Seed(), Customers: 10_000, PageCap: 100, Faults: faults})
			must(t, err)
			s, dir := job.Defaults(), t.TempDir()
			s.Output.Reports, s.Pace.Workers = filepath.Join(dir, "reports"), workers
			open := func(system string, _ job.Settings, _ int, _ func(string) error) (job.Endpoint, error) {
				return job.Endpoint{System: system, URL: "http://localhost/v1", Key: "MDpzYW5kYm94", Name: job.StandIn, Transport: box.Transport()}, nil
			}
			o, began := Defaults(), time.Now()
			o.Columns, o.Output = "id", filepath.Join(dir, "out.csv")
			res, err := Export(job.Job{Settings: s, Front: &watcher{}, Open: open}, job.NewControl(t.Context()), o, "", nil, nil)
			must(t, err)
			took[workers] = time.Since(began)
			text, err := os.ReadFile(o.Output)
			must(t, err)
			lines := strings.Split(strings.TrimSpace(string(text)), "\n")[1:]
			if res.Summary.Requests.Total != 100 || len(lines) != 10_000 || !slices.Equal(lines, slices.Compact(slices.Clone(lines))) {
				t.Errorf("%d requests, %d customers", res.Summary.Requests.Total, len(lines))
			}
		})
	}
	t.Logf("%s one after another, %s side by side: %.2f of the time", took[1], took[8], took[8].Seconds()/took[1].Seconds())
	if 5*took[8] > took[1] || took[1] < 30*time.Second {
		t.Errorf("%s one after another, %s side by side", took[1], took[8])
	}
}
