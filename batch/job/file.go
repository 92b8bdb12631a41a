package job

import (
	"context"
	"errors"
	"fmt"
	"io"

	"rowbatch/batch"
	"rowbatch/batch/action"
	"rowbatch/batch/intake"
	"rowbatch/batch/journal"
	"rowbatch/batch/runs"
	"rowbatch/mapping/csvfile"
)

// File sends the rows of a file, or with --dry-run only shows what that would
// change. The file is checked whole and copied before anybody is connected to; one
// that is refused leaves no folder.
func File(j Job, c Control, a intake.Actions, name string, stdin io.Reader) (*Result, error) {
	r := j.Start(c)
	defer r.Release()
	p, err := planFile(r, a, name, stdin)
	if err != nil {
		return nil, err
	}
	return execute(r, p)
}

func planFile(r *Session, a intake.Actions, name string, stdin io.Reader) (*Plan, error) {
	dir, err := r.MakeDir(a.Name, name)
	if err != nil {
		return nil, err
	}
	p := &Plan{Settings: r.Settings, Actions: a, Dir: dir}
	if err := planRows(r, p, name, stdin); err != nil {
		return nil, errors.Join(err, dir.Discard())
	}
	p.open = func() (*journal.Writer, error) { return r.Begin(dir, p.Head) }
	return p, nil
}

// planRows makes the rows of a file the work of a plan.
func planRows(r *Session, p *Plan, name string, stdin io.Reader) (err error) {
	source := intake.Source{Name: name, Stdin: stdin, Actions: p.Actions, Input: p.Settings.Input, Selection: p.Settings.Selection,
		Exports: p.Settings.Output.Exports()}
	if p.Rows, err = TakeIn(r.Stop, source, p.Dir); err != nil {
		return err
	}
	in := p.Rows.File
	p.Settings.Selection.Split = in.Split
	p.Work, p.Names = p.Rows, action.NewTrackingCodes()
	r.Show(FileRead{p.Rows})
	if err := p.conditions(); err != nil {
		return err
	}
	systems := []string{p.Actions.Specs[0].Schema.System}
	if p.Actions.Mixed() {
		systems = p.Rows.Systems() // only the rows tell
	}
	if p.Accounts, err = r.Connect(p.Settings, p.Actions, name, systems); err != nil {
		return err
	}
	if err := in.SameAccount(p.Accounts.Name()); err != nil {
		return err
	}
	if p.Accounts.trial() == isReal {
		if err := r.mayAsk(p.Accounts); err != nil {
			return err
		}
	}
	mode := journal.ModeRun
	if p.isDry() {
		mode = journal.ModeDryRun
	}
	p.Head = journal.Head{
		Program: r.Program, ID: p.Dir.ID(), Started: r.Began.UTC(), Mode: mode,
		Action: p.Actions.Name, ActionColumn: in.Mapper.ActionColumn(),
		Source:      journal.Source{File: name, Path: in.Path, Input: in.Sum, Delimiter: string(in.Delimiter), Places: in.Places},
		MappingFile: journal.MappingFile{Mapping: in.Mapping, MapFile: p.Settings.Input.Map, MapPath: in.MapPath},
		Target:      p.Accounts.Target(), Settings: p.Settings.record(), Rows: in.Checked.Rows,
	}
	return nil
}

// rejectsShown is how many rows a refusal by --strict names.
const rejectsShown = 10

// TakeIn reads a file into the folder of a run, as its settings want it.
func TakeIn(stop context.Context, source intake.Source, dir *runs.Dir) (*intake.Rows, error) {
	in, err := intake.Read(stop, source, dir)
	if err != nil {
		return nil, err
	}
	rows := intake.NewRows(dir, in, source)
	if !source.Input.Strict || in.Checked.Rejected == 0 {
		return rows, nil
	}
	refusal := &csvfile.Refusal{File: source.Name, Try: "correct the rows, or leave --strict out",
		Text: batch.Plural(in.Checked.Rejected, "row") + " rejected, and --strict refuses the whole file"}
	shown := 0
	for line, out := range rows.Rejects() {
		if shown == rejectsShown {
			break
		}
		refusal.Text += fmt.Sprintf("\n%s: %s: %s", in.Mapper.Line(line), out.Code, out.Error)
		shown++
	}
	return nil, refusal
}
