package runs

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"rowbatch/batch"
	"rowbatch/batch/journal"
)

// addRun makes a run whose rows end so; a blank kind is a row without a word.
func addRun(t testing.TB, reports string, h journal.Head, kinds ...batch.Kind) *Dir {
	t.Helper()
	d, err := Create(Disk(), reports, h.Started, "update", "customers.csv")
	if err != nil {
		t.Fatal(err)
	}
	h.ID, h.Rows = d.ID(), len(kinds)
	j, err := d.CreateJournal(h)
	if err != nil {
		t.Fatal(err)
	}
	for n, k := range kinds {
		if k != "" {
			err = errors.Join(err, j.Done(n, batch.Outcome{Kind: k}))
		}
	}
	if err := errors.Join(err, j.End(journal.End{Writes: 7})); err != nil {
		t.Fatal(err)
	}
	return d
}

func list(t testing.TB, reports string) []Info {
	t.Helper()
	all, err := List(Disk(), reports)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func idsOf(all []Info) (ids []string) {
	for _, i := range all {
		ids = append(ids, i.ID)
	}
	return ids
}

func TestListNewestFirst(t *testing.T) {
	reports := t.TempDir()
	var want []string
	for n := range 12 {
		d := addRun(t, reports, journal.Head{Started: start.Add(time.Duration(n/11) * time.Hour)})
		want = append([]string{d.ID()}, want...)
	}
	late := addRun(t, reports, journal.Head{Started: start.Add(-time.Hour)})
	want = append(want, late.ID())
	if diff := cmp.Diff(want, idsOf(list(t, reports))); diff != "" {
		t.Error(diff)
	}
}

func TestListPassesOverWhatIsNoRun(t *testing.T) {
	reports := t.TempDir()
	run := addRun(t, reports, journal.Head{Started: start})
	if _, err := Create(Disk(), reports, start, "update", "begun.csv"); err != nil {
		t.Fatal(err)
	}
	err := errors.Join(
		os.WriteFile(filepath.Join(reports, "report.csv"), nil, 0o600),
		os.WriteFile(filepath.Join(reports, "20261120T215200Z-update-file"), nil, 0o600),
		os.MkdirAll(filepath.Join(reports, "diary", journalName), 0o700),
		os.Mkdir(filepath.Join(reports, "empty"), 0o700))
	if err != nil {
		t.Fatal(err)
	}
	_ = os.Symlink(filepath.Join(reports, "report.csv"), filepath.Join(reports, "link")) // not possible everywhere
	if diff := cmp.Diff([]string{run.ID()}, idsOf(list(t, reports))); diff != "" {
		t.Error(diff)
	}
	if all, err := List(Disk(), filepath.Join(reports, "missing")); err != nil || len(all) != 0 {
		t.Error(all, err)
	}
	if _, err := List(Disk(), filepath.Join(reports, "report.csv")); err == nil {
		t.Error("a file was listed")
	}
}

func TestADamagedRunIsListed(t *testing.T) {
	reports := t.TempDir()
	bad := addRun(t, reports, journal.Head{Started: start, Action: "hold"}, batch.Changed, batch.Changed)
	lost := addRun(t, reports, journal.Head{Started: start.Add(time.Hour)}, batch.Changed)
	whole := addRun(t, reports, journal.Head{Started: start.Add(-time.Hour)}, batch.Changed)
	text := strings.Replace(string(journalOf(t, bad)), `"r":0`, `"r":9`, 1)
	err := errors.Join(
		os.WriteFile(bad.Path(journalName), []byte(text), 0o600),
		os.WriteFile(lost.Path(journalName), []byte(strings.Replace(text, "hold", "HOLD", 1)), 0o600))
	if err != nil {
		t.Fatal(err)
	}
	continued, err := bad.ContinueJournal() // cuts it, for nothing behind the bad line was sent
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(continued.Intent(0, batch.Found{}, nil), continued.End(journal.End{})); err != nil {
		t.Fatal(err)
	}
	text = strings.Replace(string(journalOf(t, bad)), `"k":"intent"`, `"k":"Intent"`, 1)
	if err := os.WriteFile(bad.Path(journalName), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}

	all := list(t, reports)
	if diff := cmp.Diff([]string{lost.ID(), bad.ID(), whole.ID()}, idsOf(all)); diff != "" {
		t.Fatal(diff)
	}
	for _, i := range all[:2] {
		if i.Damage == nil || i.Counts != nil || i.Complete() || !strings.Contains(i.Damage.Error(), i.Dir) || !strings.Contains(i.Damage.Error(), "try:") {
			t.Errorf("%+v", i)
		}
	}
	var damage *journal.DamageError
	if !errors.As(all[1].Damage, &damage) || all[1].Head.Action != "hold" {
		t.Errorf("%+v", all[1])
	}
	if !all[2].Complete() {
		t.Errorf("%+v", all[2])
	}
}

func TestARunThatMayNotBeReadIsListed(t *testing.T) {
	reports := t.TempDir()
	run := addRun(t, reports, journal.Head{Started: start})
	if err := os.Mkdir(filepath.Join(reports, "lost+found"), 0o700); err != nil {
		t.Fatal(err)
	}
	all, err := List(&faulty{FS: Disk(), failAt: 2, lasting: true}, reports)
	if err != nil || len(all) != 1 || all[0].ID != run.ID() || !errors.Is(all[0].Damage, errFault) {
		t.Errorf("%+v %v", all, err)
	}
}

func TestListOnAFailingDisk(t *testing.T) {
	reports := t.TempDir()
	for n := range 3 {
		addRun(t, reports, journal.Head{Started: start.Add(time.Duration(n) * time.Hour)}, batch.Changed)
	}
	everyFault(t, func(t *testing.T, disk *faulty) {
		all, err := List(disk, reports)
		if err != nil {
			if !errors.Is(err, errFault) {
				t.Error(err)
			}
			return
		}
		if len(all) != 3 {
			t.Errorf("operation %d: %d runs", disk.failAt, len(all))
		}
		for _, i := range all {
			if !i.Complete() && !errors.Is(i.Damage, errFault) || i.Complete() && i.Counts[batch.Changed] != 1 {
				t.Errorf("operation %d: %+v", disk.failAt, i)
			}
		}
	})
}

func TestInfo(t *testing.T) {
	d := begun(t)
	reports := filepath.Dir(d.path)
	i := list(t, reports)[0]
	want := map[batch.Kind]int{batch.Changed: 1, batch.InDoubt: 1, batch.NotAttempted: 1}
	if diff := cmp.Diff(want, i.Counts); diff != "" {
		t.Error(diff)
	}
	if i.ID != d.ID() || i.Dir != d.path || i.Head.Action != "update" || i.End == nil || i.End.Exit != 5 || i.Writes != 2 || i.Running || i.Damage != nil || i.Complete() {
		t.Errorf("%+v", i)
	}

	release, err := d.Lock()
	if err != nil {
		t.Fatal(err)
	}
	j, err := d.ContinueJournal()
	if err != nil {
		t.Fatal(err)
	}
	err = errors.Join(j.Intent(0, batch.Found{}, nil), j.Done(1, batch.Outcome{Kind: batch.Failed}), j.Done(2, batch.Outcome{Kind: batch.Skipped}), j.Flush())
	if err != nil {
		t.Fatal(err)
	}
	i = list(t, reports)[0]
	want = map[batch.Kind]int{batch.InDoubt: 1, batch.Failed: 1, batch.Skipped: 1}
	if diff := cmp.Diff(want, i.Counts); diff != "" {
		t.Error(diff)
	}
	if !i.Running || i.End != nil || i.Writes != 3 || i.Complete() {
		t.Errorf("%+v", i)
	}

	if err := errors.Join(j.Done(0, batch.Outcome{Kind: batch.Changed}), j.End(journal.End{}), release()); err != nil {
		t.Fatal(err)
	}
	if i = list(t, reports)[0]; i.Running || i.End == nil || !i.Complete() {
		t.Errorf("%+v", i)
	}
}

// The counts are those of the outcomes that a report would show.
func TestCountsAgreeWithTheOutcomes(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		rows := rapid.IntRange(1, 5).Draw(rt, "rows")
		d := newDir(t)
		j, err := d.CreateJournal(journal.Head{Rows: rows})
		if err != nil {
			rt.Fatal(err)
		}
		for range rapid.IntRange(0, 12).Draw(rt, "records") {
			row := rapid.IntRange(0, rows-1).Draw(rt, "row")
			kind := rapid.SampledFrom(append(batch.Kinds(), "intent", "a kind to come")).Draw(rt, "kind")
			if kind == "intent" {
				err = errors.Join(err, j.Intent(row, batch.Found{}, nil))
			} else {
				err = errors.Join(err, j.Done(row, batch.Outcome{Kind: kind}))
			}
		}
		if err := errors.Join(err, j.End(journal.End{})); err != nil {
			rt.Fatal(err)
		}
		want := map[batch.Kind]int{}
		for _, k := range kindsOf(t, d) {
			want[k]++
		}
		if diff := cmp.Diff(want, d.Info().Counts); diff != "" {
			rt.Error(diff)
		}
	})
}

func TestUndoneAndApplied(t *testing.T) {
	reports := t.TempDir()
	hours := 0
	add := func(mode string, of *Dir, kinds ...batch.Kind) *Dir {
		h := journal.Head{Mode: mode, Started: start.Add(time.Duration(hours) * time.Hour)}
		if of != nil {
			h.Of = of.ID()
		}
		hours++
		return addRun(t, reports, h, kinds...)
	}
	plan := add(journal.ModeDryRun, nil, batch.WouldChange, batch.Rejected)
	half := add(journal.ModeDryRun, nil, batch.WouldChange, batch.WouldChange)
	applied := add(journal.ModeApply, plan, batch.Changed, batch.Skipped)
	add(journal.ModeApply, half, batch.Changed, "")
	doubtful := add(journal.ModeRun, nil, batch.Changed)
	back := add(journal.ModeUndo, applied, batch.Changed, batch.Conflict)
	add(journal.ModeUndo, applied, batch.Unchanged, batch.Unchanged) // all was done
	add(journal.ModeUndo, doubtful, batch.InDoubt)
	redone := add(journal.ModeRun, nil, batch.Changed)
	undo := add(journal.ModeUndo, redone, batch.Changed)
	again := add(journal.ModeUndo, undo, batch.Changed)

	all := list(t, reports)
	if diff := cmp.Diff(map[string]string{plan.ID(): applied.ID()}, Applied(all)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(map[string]string{applied.ID(): back.ID(), undo.ID(): again.ID()}, Undone(all)); diff != "" {
		t.Error(diff)
	}
}

// A million rows are listed in a byte or two for each.
func TestListTakesLittleMemory(t *testing.T) {
	const rows = 1_000_000
	reports := t.TempDir()
	addRun(t, reports, journal.Head{Started: start}, make([]batch.Kind, rows)...)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	all := list(t, reports)
	runtime.ReadMemStats(&after)
	if taken := after.TotalAlloc - before.TotalAlloc; taken > 2*rows+1<<20 {
		t.Errorf("%d bytes", taken)
	}
	if all[0].Counts[batch.NotAttempted] != rows {
		t.Errorf("%+v", all[0].Counts)
	}
}

func BenchmarkList(b *testing.B) {
	const runs, rows = 100, 1000
	reports := b.TempDir()
	body := []byte(`{"text":"` + strings.Repeat("x", 2000) + `"}`)
	size := 0
	for n := range runs {
		d, err := Create(Disk(), reports, start, "update", fmt.Sprintf("%d.csv", n))
		if err != nil {
			b.Fatal(err)
		}
		d.fs = &faulty{FS: d.fs} // syncs cost nothing
		j, err := d.CreateJournal(journal.Head{Rows: rows, Started: start})
		for row := range rows {
			err = errors.Join(err, j.Intent(row, batch.Found{Record: batch.Record{Body: body}}, nil), j.Done(row, batch.Outcome{Kind: batch.Changed}))
		}
		if err := errors.Join(err, j.End(journal.End{})); err != nil {
			b.Fatal(err)
		}
		size += len(journalOf(b, d))
	}
	b.SetBytes(int64(size))
	for b.Loop() {
		if all := list(b, reports); len(all) != runs || !all[0].Complete() {
			b.Fatal("not all are there")
		}
	}
}

func TestPrunable(t *testing.T) {
	now := time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)
	info := func(id string, days int, h journal.Head, kinds ...batch.Kind) Info {
		i := Info{ID: id, Head: h, Counts: map[batch.Kind]int{}}
		i.Head.Started = now.AddDate(0, 0, -days)
		if i.Head.Mode == "" {
			i.Head.Mode = journal.ModeRun
		}
		for _, k := range kinds {
			i.Counts[k]++
		}
		return i
	}
	of := func(mode, of string) journal.Head { return journal.Head{Mode: mode, Parent: journal.Parent{Of: of}} }
	newer := []Info{info("newest", 1, journal.Head{Mode: journal.ModeExport}), info("plan", 2, journal.Head{Mode: journal.ModeDryRun}), info("live", 3, journal.Head{})}
	running, damaged, declined := info("a", 200, journal.Head{}), info("a", 200, journal.Head{}), info("a", 200, journal.Head{}, batch.NotAttempted)
	running.Running, damaged.Damage, declined.End = true, errors.New("torn"), &journal.End{Exit: batch.ExitUsage}
	back := of(journal.ModeUndo, "a")
	back.Plan = "shown"
	for name, test := range map[string]struct {
		older []Info // behind those three
		want  string
	}{
		"old":                        {[]Info{info("a", 91, journal.Head{}, batch.Changed)}, "[a]"},
		"not old enough":             {[]Info{info("a", 89, journal.Head{}, batch.Changed)}, "[]"},
		"of the day itself":          {[]Info{info("a", 90, journal.Head{}, batch.Changed)}, "[]"},
		"has rows left":              {[]Info{info("a", 200, journal.Head{}, batch.NotAttempted)}, "[]"},
		"is in doubt":                {[]Info{info("a", 200, journal.Head{}, batch.InDoubt)}, "[]"},
		"goes on":                    {[]Info{running}, "[]"},
		"cannot be read":             {[]Info{damaged}, "[]"},
		"nobody agreed to it":        {[]Info{declined}, "[a]"},
		"an export":                  {[]Info{info("a", 200, journal.Head{Mode: journal.ModeExport})}, "[a]"},
		"a plan and its run":         {[]Info{info("b", 100, of(journal.ModeApply, "a")), info("a", 100, journal.Head{Mode: journal.ModeDryRun})}, "[b a]"},
		"a plan of a younger run":    {[]Info{info("b", 80, of(journal.ModeApply, "a")), info("a", 100, journal.Head{Mode: journal.ModeDryRun})}, "[]"},
		"an undo of a younger run":   {[]Info{info("b", 100, of(journal.ModeUndo, "live"))}, "[]"},
		"a run whose undo stopped":   {[]Info{info("b", 100, of(journal.ModeUndo, "a"), batch.NotAttempted), info("a", 101, journal.Head{})}, "[]"},
		"an undo that was shown":     {[]Info{info("b", 80, back), info("shown", 100, of(journal.ModeUndo, "a")), info("a", 101, journal.Head{})}, "[]"},
		"of a run that is gone":      {[]Info{info("b", 100, of(journal.ModeUndo, "gone"))}, "[b]"},
		"a whole chain":              {[]Info{info("c", 80, of(journal.ModeUndo, "b")), info("b", 100, of(journal.ModeApply, "a")), info("a", 100, journal.Head{Mode: journal.ModeDryRun})}, "[]"},
		"one of several, on its own": {[]Info{info("c", 100, journal.Head{}), info("b", 110, journal.Head{}, batch.InDoubt), info("a", 120, journal.Head{})}, "[c a]"},
	} {
		all := append(append([]Info{}, newer...), test.older...)
		if got := fmt.Sprint(idsOf(Prunable(all, now.AddDate(0, 0, -90)))); got != test.want {
			t.Errorf("%s: %s", name, got)
		}
	}
	for i := range newer { // whatever their age
		newer[i].Head.Started = now.AddDate(-1, 0, -i)
	}
	if got := Prunable(newer, now); len(got) > 0 {
		t.Errorf("%v", idsOf(got))
	}
}
