package job

import (
	"errors"
	"io"
	"os"

	"rowbatch/batch"
	"rowbatch/batch/intake"
	"rowbatch/batch/runs"
	"rowbatch/mapping"
)

// FileCheck is what the offline checks say of a file.
type FileCheck struct {
	File     string            `json:"file"`
	Action   string            `json:"action"`
	Rows     int               `json:"rows"`
	Fit      int               `json:"fit"` // rows that no offline check speaks against
	Rejected int               `json:"rejected"`
	Notes    int               `json:"skipped"`  // as notes
	Problems []RowProblem      `json:"problems"` // of rejected rows, the first in file order
	Findings []mapping.Finding `json:"findings"` // about whole columns
	Warnings []mapping.Warning `json:"warnings"` // about rows, the first in file order
	Warned   int               `json:"warning_count"`
	ExitCode int               `json:"exit_code"`
}

// RowProblem is why a row would be rejected.
type RowProblem struct {
	Line int    `json:"line"`
	Code string `json:"code"`
	Text string `json:"text"`
	Fix  string `json:"fix"`
}

// mostProblems are kept of a check.
const mostProblems = 1000

// Check makes all offline checks of a file. It needs no account, and leaves no folder.
func Check(j Job, c Control, a intake.Actions, name string, stdin io.Reader) (result *FileCheck, err error) {
	r := j.Start(c)
	defer r.Release()
	if a.Name == "" { // the mapping file says, else it is an update
		if a, err = intake.ActionsOfMapping(r.Stop, r.Settings.Input.Map); err != nil {
			return nil, err
		}
	}
	aside, err := os.MkdirTemp("", "rowbatch-check-")
	if err != nil {
		return nil, &runs.WriteError{Path: os.TempDir(), Err: err, Try: "free space on the disk"}
	}
	defer func() { err = errors.Join(err, os.RemoveAll(aside)) }()
	dir, err := runs.Create(runs.Disk(), aside, r.Began, "check", name)
	if err != nil {
		return nil, err
	}
	settings := r.Settings
	settings.Input.Findings = true
	source := intake.Source{Name: name, Stdin: stdin, Actions: a, Input: settings.Input,
		Exports: settings.Output.Exports()}
	rows, err := TakeIn(r.Stop, source, dir)
	if err != nil {
		return nil, err
	}
	r.Show(FileRead{rows})
	checked := rows.File.Checked
	result = &FileCheck{File: name, Action: a.Name, Rows: checked.Rows, Fit: checked.Rows - checked.Rejected - checked.Notes,
		Rejected: checked.Rejected, Notes: checked.Notes, Problems: []RowProblem{},
		Findings: append([]mapping.Finding{}, checked.Findings...),
		Warnings: append([]mapping.Warning{}, checked.Warnings...), Warned: checked.WarningCount}
	for line, out := range rows.Rejects() {
		if len(result.Problems) == mostProblems {
			break
		}
		result.Problems = append(result.Problems, RowProblem{line, out.Code, out.Error, batch.Fix(out.Code)})
	}
	if result.Rejected > 0 {
		result.ExitCode = batch.ExitRows
	}
	return result, nil
}
