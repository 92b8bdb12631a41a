package invariants

import (
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"rowbatch/batch"
)

// sheet is a report file.
type sheet struct {
	columns map[string]int
	rows    [][]string
}

const byteOrderMark = "\uFEFF"

// readSheet reads a report file of the run; nil when there is none.
func readSheet(r *Run, name string) (*sheet, error) {
	text, err := os.ReadFile(r.Dir.Path(name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	in := csv.NewReader(strings.NewReader(strings.TrimPrefix(string(text), byteOrderMark)))
	in.Comma, _ = utf8.DecodeRuneInString(r.Head.Delimiter)
	in.FieldsPerRecord = -1
	all, err := in.ReadAll()
	if err != nil || len(all) == 0 {
		return nil, fmt.Errorf("%s cannot be read: %w", name, err)
	}
	s := &sheet{columns: map[string]int{}, rows: all[1:]}
	for i, column := range all[0] {
		if strings.HasPrefix(column, "rb_") {
			s.columns[column] = i
		}
	}
	return s, nil
}

func (s *sheet) cell(row int, column string) string {
	at, ok := s.columns[column]
	if !ok || at >= len(s.rows[row]) {
		return ""
	}
	return s.rows[row][at]
}

// reported holds the report files against rows.jsonl and the journal.
func reported(run *Run, b *breaches) error {
	report, err := readSheet(run, "report.csv")
	if err != nil {
		return err
	}
	if report == nil {
		b.add(1, "there is no report.csv")
		return nil
	}
	all, wanting := make([]int, len(run.Rows)), []int{}
	for n := range all {
		if all[n] = n; run.Outcomes[n].Kind.NeedsWork() {
			wanting = append(wanting, n)
		}
	}
	lists(run, "report.csv", report, all, b)
	failed, err := readSheet(run, "failed.csv")
	if err != nil {
		return err
	}
	if failed == nil {
		failed = &sheet{}
	} else if len(wanting) == 0 {
		b.add(1, "failed.csv is there, and no row needs work")
	}
	lists(run, "failed.csv", failed, wanting, b)
	return counted(run, b)
}

// lists wants a file to list just these rows in their order, as the journal has them.
func lists(run *Run, name string, s *sheet, rows []int, b *breaches) {
	if len(s.rows) != len(rows) {
		b.add(1, "%s has %d rows, and there are %d", name, len(s.rows), len(rows))
		return
	}
	for i, n := range rows {
		o := run.Outcomes[n]
		for _, want := range [][2]string{{"rb_line", strconv.Itoa(run.Rows[n].Line)}, {"rb_outcome", string(o.Kind)},
			{"rb_error_code", o.Code}, {"rb_attempts", strconv.Itoa(o.Sends)}, {"rb_id", o.ID}} {
			if got := s.cell(i, want[0]); got != want[1] {
				b.add(1, "%s, row %d: %s is %q, not %q", name, i+1, want[0], got, want[1])
			}
		}
		cells := s.rows[i][min(len(s.columns), len(s.rows[i])):]
		if !slices.EqualFunc(cells, run.Rows[n].Cells, func(got, want string) bool {
			want = strings.ReplaceAll(want, "\r\n", "\n") // reading a CSV file loses the CR
			return got == want || got == "'"+want         // which keeps a spreadsheet from running the cell
		}) {
			b.add(1, "%s, row %d: the input's cells are %q, not %q", name, i+1, cells, run.Rows[n].Cells)
		}
	}
}

// counted wants summary.json to count every row once.
func counted(run *Run, b *breaches) error {
	text, err := os.ReadFile(run.Dir.Path("summary.json"))
	if errors.Is(err, fs.ErrNotExist) {
		b.add(1, "there is no summary.json")
		return nil
	}
	var s struct {
		Rows     int                `json:"rows"`
		Outcomes map[batch.Kind]int `json:"outcomes"`
	}
	if err := errors.Join(err, json.Unmarshal(text, &s)); err != nil {
		return err
	}
	left := map[batch.Kind]int{}
	for _, o := range run.Outcomes {
		left[o.Kind]++
	}
	total := 0
	for _, kind := range batch.Kinds() {
		total += s.Outcomes[kind]
		if s.Outcomes[kind] != left[kind] {
			b.add(1, "summary.json counts %d rows %s, and there are %d", s.Outcomes[kind], kind, left[kind])
		}
	}
	if total != s.Rows || s.Rows != len(run.Rows) {
		b.add(1, "summary.json counts %d outcomes of %d rows, and there are %d", total, s.Rows, len(run.Rows))
	}
	return nil
}
