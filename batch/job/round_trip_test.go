package job_test

import (
	"encoding/csv"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"rowbatch/batch"
	"rowbatch/batch/intake"
	"rowbatch/batch/job"
	"rowbatch/reports"
)

// reported are the codes and the cells of a report.csv's rows, as far as they came from the input.
func reported(t *testing.T, path string) (all [][]string) {
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	parser := csv.NewReader(strings.NewReader(strings.TrimPrefix(string(text), "\uFEFF")))
	parser.FieldsPerRecord = -1
	rows, err := parser.ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	outcome, code, own := slices.Index(rows[0], "rb_outcome"), slices.Index(rows[0], "rb_error_code"), slices.Index(rows[0], "id")
	for _, row := range rows[1:] {
		all = append(all, append([]string{row[outcome], row[code]}, row[own:]...))
	}
	return all
}

// What a run could not send ends the same way when its files are run again, unedited: the
// text file as the workbook, and the whole report as the rows that need work.
func TestReportsRunAgain(t *testing.T) {
	o := newOffice(t, "")
	o.set.Sending.DryRun, o.set.Output.XLSX, o.set.Input.Ignore = true, true, []string{"Note"}
	folder := t.TempDir()
	again := func(path string) [][]string {
		j, c := o.job()
		r, err := job.File(j, c, intake.ActionsOf("update"), path, nil)
		if err != nil {
			t.Fatalf("%s: %v", filepath.Base(path), err)
		}
		return reported(t, r.Summary.Report)
	}
	cell := rapid.Map(rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{"", "Ada", "REMOVE", "remove", `\REMOVE`, "#N/A", `\#N/A`, "N/A", "-", "1.23E+11", "12-Oct", "'0049",
		`="0049"`, "''=1", "'=1", "=1+1", "007", "+49 30 901820", "(030) 1", "a\r\nb", "a\rb", "\u00a0x ", "\u202eabc", "😀", "_xD800_", "_x000D_", "#DAMAGED! 5"})), func(text string) string {
		if reports.Unfit(text) != "" { // a workbook has it as damage
			return "x"
		}
		return text
	})
	files := rapid.Custom(func(t *rapid.T) [][]string {
		rows := [][]string{{"id", "firstName", "primaryPhone", "customerReference.reference1", "Note"}}
		for n := range rapid.IntRange(1, 20).Draw(t, "rows") {
			id := rapid.SampledFrom([]string{fmt.Sprint(987001 + n), fmt.Sprint(1 + n), "x", "#17"}).Draw(t, "id")
			row := append([]string{id}, rapid.SliceOfN(cell, 4, 4).Draw(t, "cells")...)
			rows = append(rows, row[:len(row)-rapid.SampledFrom([]int{0, 0, 0, 2}).Draw(t, "ragged")])
		}
		return rows
	})
	read := 0
	for seed := range 12 {
		rows := files.Example(seed)
		text := &strings.Builder{}
		if err := csv.NewWriter(text).WriteAll(rows); err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(folder, "edits.csv")
		if err := os.WriteFile(path, []byte(text.String()), 0o600); err != nil {
			t.Fatal(err)
		}
		j, c := o.job()
		first, err := job.File(j, c, intake.ActionsOf("update"), path, nil)
		if err != nil {
			continue // the whole file is refused
		}
		read++
		whole := reported(t, first.Summary.Report)
		var bad [][]string
		for _, row := range whole {
			if batch.Kind(row[0]).NeedsWork() {
				bad = append(bad, row)
			}
		}
		for path, want := range map[string][][]string{first.Summary.Report: whole, first.Summary.ReportXLSX: whole,
			first.Summary.Failed: bad, first.Summary.FailedXLSX: bad} {
			if path == "" {
				continue
			}
			got := again(path)
			for n := range min(len(want), len(got)) { // a ragged row of a workbook tells in a cell of its own that it is one
				got[n] = got[n][:min(len(want[n]), len(got[n]))]
				if strings.Contains(strings.Join(want[n], "\x00"), "\x00'") && got[n][1] == "spreadsheet_damage" {
					got[n][1] = want[n][1] // what was meant in a row that was rejected is to be meant once more
				}
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%q: %s: %s", rows, filepath.Base(path), diff)
			}
		}
	}
	if read < 6 {
		t.Errorf("only %d files were read", read)
	}
}
