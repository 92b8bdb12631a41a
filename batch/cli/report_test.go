package cli_test

import (
	"encoding/csv"
	"errors"
	"fmt"
	"slices"
	"strings"

	"rowbatch/batch/runs"
)

// newestRun returns the folder of the run that began last.
func newestRun(reports string) (string, error) {
	all, err := runs.List(runs.Disk(), reports)
	if err != nil {
		return "", err
	}
	if len(all) == 0 {
		return "", fmt.Errorf("no run in %s", reports)
	}
	return all[0].Dir, nil
}

// sheet is a report file, read.
type sheet struct {
	heading []string
	rows    [][]string
}

const byteOrderMark = "\uFEFF"

func parseSheet(text string) (sheet, error) {
	text, marked := strings.CutPrefix(text, byteOrderMark)
	first := text[:max(0, strings.IndexFunc(text, func(r rune) bool { return r != '_' && (r < 'a' || r > 'z') }))]
	if !marked || first != "rb_outcome" && first != "rb_apply" {
		return sheet{}, errors.New("it does not begin with a byte order mark and rb_outcome or rb_apply")
	}
	r := csv.NewReader(strings.NewReader(text))
	r.Comma = rune(text[len(first)])
	r.FieldsPerRecord = -1 // a ragged row stays ragged
	all, err := r.ReadAll()
	if err != nil {
		return sheet{}, err
	}
	return sheet{all[0], all[1:]}, nil
}

func (s sheet) column(name string) (cells []string) {
	at := slices.Index(s.heading, name)
	for _, row := range s.rows {
		if at < 0 || at >= len(row) {
			cells = append(cells, "absent")
			continue
		}
		cells = append(cells, row[at])
	}
	return cells
}

// row returns the cells of the row that stands in a line of the input.
func (s sheet) row(line string) (map[string]string, bool) {
	for n, row := range s.rows {
		if s.column("rb_line")[n] != line {
			continue
		}
		cells := map[string]string{}
		for i, name := range s.heading[:min(len(row), len(s.heading))] {
			cells[name] = row[i]
		}
		return cells, true
	}
	return nil, false
}
