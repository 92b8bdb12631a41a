package invariants_test

import (
	"os"
	"strings"
	"testing"

	"rowbatch/batch"
	"rowbatch/batch/invariants"
)

func TestReportsAreHeldAgainstTheJournal(t *testing.T) {
	for name, c := range map[string]struct {
		file string
		edit func(lines []string) []string
		want []string
	}{
		"a row is missing":     {"report.csv", func(l []string) []string { return append(l[:3], l[4:]...) }, []string{"1: report.csv has 8 rows, and there are 9"}},
		"a row stands twice":   {"report.csv", func(l []string) []string { return append(l[:9], l[8], l[9]) }, []string{"1: report.csv has 10 rows, and there are 9"}},
		"one row for another":  {"report.csv", func(l []string) []string { l[2] = l[1]; return l }, []string{`1: report.csv, row 2: rb_line is "2", not "3"`, "1: report.csv, row 2: the input's cells are"}},
		"another outcome":      {"report.csv", replaced(1, "changed", "unchanged"), []string{`1: report.csv, row 1: rb_outcome is "unchanged", not "changed"`}},
		"another cell":         {"report.csv", replaced(1, "'=1+1", "2"), []string{"1: report.csv, row 1: the input's cells are"}},
		"a failed row lost":    {"failed.csv", func(l []string) []string { return l[:2] }, []string{"1: failed.csv has 1 rows, and there are 3"}},
		"no failed rows":       {"failed.csv", nil, []string{"1: failed.csv has 0 rows, and there are 3"}},
		"no report":            {"report.csv", nil, []string{"1: there is no report.csv"}},
		"no summary":           {"summary.json", nil, []string{"1: there is no summary.json"}},
		"a row not counted":    {"summary.json", replaced(-1, `"in_doubt": 1`, `"in_doubt": 0`), []string{"1: summary.json counts 0 rows in_doubt, and there are 1", "1: summary.json counts 8 outcomes of 9 rows"}},
		"the input's row gone": {"summary.json", replaced(-1, `"rows": 9`, `"rows": 8`), []string{"1: summary.json counts 9 outcomes of 8 rows"}},
	} {
		t.Run(name, func(t *testing.T) {
			s := sound()
			r := report(t, s.run(t))
			path := r.Dir.Path(c.file)
			text, err := os.ReadFile(path)
			must(t, err)
			if c.edit == nil {
				must(t, os.Remove(path))
			} else {
				lines := c.edit(strings.SplitAfter(strings.TrimSuffix(string(text), "\n"), "\n"))
				must(t, os.WriteFile(path, []byte(strings.Join(lines, "")), 0o600))
			}
			wants(t, breaches(t, invariants.Case{Run: r, Ledger: &s.ledger, Reported: true}), c.want...)
		})
	}
}

// replaced changes a text in one line, or wherever it stands first.
func replaced(line int, from, to string) func([]string) []string {
	return func(lines []string) []string {
		for n := range lines {
			if (line < 0 || n == line) && strings.Contains(lines[n], from) {
				lines[n] = strings.Replace(lines[n], from, to, 1)
				break
			}
		}
		return lines
	}
}

// A file of failed rows that should not be there.
func TestNoFailedRows(t *testing.T) {
	s := newRunWriter(1)
	s.done(0, as(batch.Unchanged, "", "1", 0))
	r := report(t, s.run(t))
	must(t, os.WriteFile(r.Dir.Path("failed.csv"), []byte("\uFEFFrb_line,id\n"), 0o600))
	wants(t, breaches(t, invariants.Case{Run: r, Ledger: &s.ledger, Reported: true}), "1: failed.csv is there, and no row needs work")
}
