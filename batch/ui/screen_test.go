package ui

import (
	"bytes"
	"regexp"
	"strings"
	"testing"

	"charm.land/lipgloss/v2"

	"rowbatch/batch"
	"rowbatch/batch/job"
	"rowbatch/batch/journal"
	"rowbatch/reports"
)

// shownAt is what stands on a screen of a width; 0 columns: on none.
func shownAt(columns int, color bool, show func(Screen)) string {
	var out bytes.Buffer
	show(Screen{Writer: &out, columns: columns, color: color})
	return out.String()
}

// A dry run with wide, bidirectional and invisible characters.
func oddPreview() *job.Preview {
	return &job.Preview{Rows: []job.PreviewRow{
		{N: 0, Key: "id=1", Customer: "株式会社サンプル", Changes: []batch.Change{
			{Field: "firstName", Before: `"Hugo"`, After: `"Hugo  "`},
			{Field: "customerReference.reference2", Before: `"漢字"`, After: `"🙂 ok"`}}},
		{N: 1, Key: "id=2", Customer: "Copperleaf", Changes: []batch.Change{
			{Field: "lastName", Before: `"אב"`, After: `"ג\u202eד"`},
			{Field: "title", Before: `"Ms"`, After: batch.Null}}},
	}}
}

func TestAPreviewAtWidths(t *testing.T) {
	for columns, want := range map[int]string{
		0: `line 2  id=1  株式会社サンプル
    firstName                     Hugo → Hugo␠␠
    customerReference.reference2  漢字 → 🙂 ok
line 3  id=2  Copperleaf
    lastName  אב → ג\u202eד
    title     Ms → (empty)
`,
		40: `line 2  id=1  株式会社サンプル
  firstName
    Hugo → Hugo␠␠
  customerReference.reference2
    漢字 → 🙂 ok
line 3  id=2  Copperleaf
  lastName
    אב` + "\u200e" + ` → ג\u202eד
  title
    Ms → (empty)
`,
		80: `line 2  id=1  株式会社サンプル
    firstName                     Hugo → Hugo␠␠
    customerReference.reference2  漢字 → 🙂 ok
line 3  id=2  Copperleaf
    lastName                      אב` + "\u200e" + ` → ג\u202eד
    title                         Ms → (empty)
`,
		200: `line 2  id=1  株式会社サンプル  firstName                     Hugo → Hugo␠␠
                                customerReference.reference2  漢字 → 🙂 ok
line 3  id=2  Copperleaf        lastName                      אב` + "\u200e" + ` → ג\u202eד
                                title                         Ms → (empty)
`,
	} {
		lines := func(n int) string { return map[int]string{0: "line 2", 1: "line 3"}[n] }
		got := shownAt(columns, false, func(s Screen) { printPreview(s, oddPreview(), lines, 2) })
		if got != want+"\n" {
			t.Errorf("%d columns:\n%s\nwant:\n%s", columns, got, want)
		}
		colored := shownAt(columns, true, func(s Screen) { printPreview(s, oddPreview(), lines, 2) })
		if !strings.Contains(colored, "\x1b[") || len(colored) <= len(got) {
			t.Errorf("%d columns: no colours in %q", columns, colored)
		}
	}
}

// A customer's changes stand beside him where even the longest has room, else below him.
func TestAPreviewOfLongAddresses(t *testing.T) {
	p := &job.Preview{Rows: []job.PreviewRow{{Key: "id=987001", Customer: "Copperleaf Works", Changes: []batch.Change{
		{Field: "title", Before: `"Mrs"`, After: `"Ms"`},
		{Field: "primaryEmail", Before: `"hugo.jessop@example.org"`, After: `"hugo.jessop@example.org;billing@example.org"`},
		{Field: "customerReference.reference2", Before: batch.Null, After: `"south-2"`}}}}}
	const below, beside = `line 2  id=987001  Copperleaf Works
    title                         Mrs → Ms
    primaryEmail                  hugo.jessop@example.org →
                                  hugo.jessop@example.org;billing@example.org
    customerReference.reference2  (empty) → south-2

`, `line 2  id=987001  Copperleaf Works  title                         Mrs → Ms
                                     primaryEmail                  hugo.jessop@example.org →
                                                                   hugo.jessop@example.org;billing@example.org
                                     customerReference.reference2  (empty) → south-2

`
	inOneLine := func(text string) string { return regexp.MustCompile(`→\n +`).ReplaceAllString(text, "→ ") }
	for columns, want := range map[int]string{80: below, 100: below, 120: beside, 200: inOneLine(beside)} {
		got := shownAt(columns, false, func(s Screen) { printPreview(s, p, func(int) string { return "line 2" }, 1) })
		if got != want {
			t.Errorf("%d columns:\n%s\nwant:\n%s", columns, got, want)
		}
	}
}

// Only what differs is marked, and no word is cut.
func TestWhatDiffersIsMarked(t *testing.T) {
	gone, come := func(s string) string { return "\x1b[31;9m" + s + "\x1b[m" }, func(s string) string { return "\x1b[32;4m" + s + "\x1b[m" }
	for _, c := range []struct {
		before, after batch.Value
		want          string
	}{
		{`"12 Park Lane"`, `"14 Park Lane"`, "1" + gone("2") + " Park Lane → 1" + come("4") + " Park Lane"},
		{`"Copperleaf"`, `"Copperworks"`, gone("Copperleaf") + " → " + come("Copperworks")},
		{`"ann@example.com"`, `"anna@example.com"`, gone("ann") + "@example.com → " + come("anna") + "@example.com"},
		{`"Hugo"`, `"Hugh"`, gone("Hugo") + " → " + come("Hugh")},
		{`"Two words"`, `"Two  words"`, "Two" + gone(" ") + "words → Two" + come("␠␠") + "words"},
		{batch.Hidden, `"x"`, "\x1b[2m(unreadable)\x1b[m → " + come("x")},
	} {
		s := Screen{color: true}
		if got := shownChange(s, batch.Change{Field: "f", Before: c.before, After: c.after}); string(got) != c.want {
			t.Errorf("%q\nwant %q", got, c.want)
		}
	}
	long := strings.Repeat("x ", 100)
	got := string(shownChange(Screen{}, batch.Change{Before: batch.Text(long + "A"), After: batch.Text(long + "B")}))
	if !strings.Contains(got, "x A → …") || !strings.HasSuffix(got, "x B") {
		t.Errorf("what differs is not seen: %q", got)
	}
}

// No line is wider than the screen, but for what is copied: paths and commands.
func TestASummaryAtWidths(t *testing.T) {
	s := reports.Summary{Rows: 1234, Outcomes: map[batch.Kind]int{batch.Changed: 1200, batch.Rejected: 34},
		Errors: []reports.ErrorCount{{Code: "bad_id", Count: 20, Lines: []int{2, 3}, Fix: batch.Fix("bad_id")}, {Code: "too_long", Count: 9, Lines: []int{9}, Fix: "shorten the cell"},
			{Code: "not_found", Count: 3, Lines: []int{7}, Fix: batch.Fix("not_found"), Text: "no customer has the id 987999"}, {Code: "bad_value", Count: 2, Lines: []int{4, 5}, Fix: "correct the cell"}}}
	s.RunID, s.File, s.Report = "2026-run", "edits.csv", "reports/report.csv"
	r := &job.Result{Run: job.Identity{ID: "2026-run", Mode: journal.ModeRun, Action: "update", File: "edits.csv"}, Summary: s, Next: "rowbatch resume 2026-run",
		TakeBack: []string{"rowbatch undo 2026-run"}}
	for _, columns := range []int{40, 80, 200} {
		got := shownAt(columns, false, func(w Screen) { printSummary(w, r) })
		for line := range strings.SplitSeq(got, "\n") {
			if lipgloss.Width(line) > columns || strings.HasSuffix(line, " ") {
				t.Errorf("%d columns: %q", columns, line)
			}
		}
		for _, part := range []string{"update edits.csv: 1,234 rows\n", "  1,200  changed\n     34  rejected\n", "bad_id", "try: shorten the",
			"and 1 other reason for 2 rows"} {
			if !strings.Contains(got, part) {
				t.Errorf("%d columns: %q is missing in\n%s", columns, part, got)
			}
		}
		if strings.Contains(got, "bad_value") {
			t.Errorf("%d columns: more than the three commonest reasons:\n%s", columns, got)
		}
	}
	if got := shownAt(0, false, func(w Screen) { printSummary(w, r) }); !strings.HasPrefix(got, "update edits.csv: 1,234 rows: 1,200 changed, 34 rejected\n") ||
		!strings.Contains(got, "  bad_value              2 rows (line 4, 5)\n                         try: correct the cell\n") {
		t.Errorf("into a pipe:\n%s", got)
	}
	var out bytes.Buffer
	if err := PrintResult(&Terminal{Out: &out, Err: &bytes.Buffer{}}, r, false); err != nil || !strings.HasSuffix(out.String(), "\nnext: rowbatch resume 2026-run\n") {
		t.Errorf("the next command is not the last line: %v\n%s", err, out.String())
	}
}

// Colours end with their line, and come again on the next.
func TestABrokenTextKeepsItsColour(t *testing.T) {
	got := shownAt(26, true, func(s Screen) { s.Table(2, []any{"a", s.Paint(Bad, "one two three four five")}) })
	if want := "  a  \x1b[31mone two three four\x1b[m\n     \x1b[31mfive\x1b[m\n"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestColoursAreAskedFor(t *testing.T) {
	for look, want := range map[Look]bool{{}: false, {Color: Auto}: false, {Color: Always}: true, {Color: Always, Dumb: true}: true, {Color: Never}: false} {
		if s := NewScreen(&bytes.Buffer{}, nil, look); s.color != want || s.columns != 0 {
			t.Errorf("%v: %v", look, s)
		}
	}
	if err := new(Color).UnmarshalText([]byte("sometimes")); err == nil {
		t.Error("a colour that is none")
	}
}
