package job

import (
	"io"
	"path/filepath"
	"time"

	"rowbatch/batch"
	"rowbatch/batch/journal"
	"rowbatch/batch/runs"
	"rowbatch/reports"
)

// Result is how a run ended. Its exit code stands in the summary.
type Result struct {
	Run      Identity
	Summary  reports.Summary
	Stopped  error // why the run did not come to its end; nil: it did
	Complete bool  // it had come to its end before: there was nothing to resume

	Preview  *Preview // of a dry run
	Forecast *Forecast
	Line     func(row int) int // where a row starts in the input

	Next     string   // the command that leads on from here; "": there is nothing to do
	TakeBack []string // the command that takes the run back, or several to choose from; none: there is nothing to take back
	Held     []string // customers whom an undo leaves on hold
	Unhold   []string // the commands, to choose from, that take them off
	Nothing  string   // why there was nothing to do, where no run was made
}

// WriteReport writes a run's report files once more, as far as it has come.
func WriteReport(d *runs.Dir, o Output) (*Result, error) {
	p, err := planOfReport(d)
	if err != nil {
		return nil, err
	}
	summary, err := reports.Write(d, p.reporting(o))
	if err != nil {
		return nil, err
	}
	r := &Result{Run: p.identityOf(p.Head, p.Head.Started, time.Now()), Summary: summary}
	r.Run.Hosts, r.Run.Label = summary.Host, summary.Label // its accounts are not opened
	return r, nil
}

// CopyReport writes a report of a run to somewhere else than its folder: report.xlsx,
// failed.xlsx, report.html or changes.csv.
func CopyReport(d *runs.Dir, name string, to io.Writer) error {
	p, err := planOfReport(d)
	if err != nil {
		return err
	}
	return reports.WriteTo(d, name, p.reporting(Output{}), to)
}

// planOfReport is what a report needs to know of the plan that a run carried out.
func planOfReport(d *runs.Dir) (*Plan, error) {
	h, err := d.Head()
	if err != nil {
		return nil, err
	}
	p := &Plan{Dir: d, Head: h}
	p.Head.ID = d.ID()
	if p.Settings, err = SettingsOf(h); err != nil {
		return nil, err
	}
	p.Settings.Output.Reports = filepath.Dir(d.Path())
	return p, nil
}

// forecastText is a dry run's forecast, as the journal keeps it.
func forecastText(f journal.Forecast) string {
	text := batch.Plural(f.Requests, "request")
	if f.AtMost {
		text = "at most " + text
	}
	if f.Seconds < 60 {
		return text + ", less than a minute"
	}
	text += ", about " + batch.Span(time.Duration(f.Seconds*float64(time.Second)))
	if !f.EnoughToday {
		text += ": today's allowance does not suffice"
	}
	return text
}

// nothingToDo is the result of a command that finds its work done.
func nothingToDo(dir *runs.Dir, o Output, text string) (*Result, error) {
	r, err := WriteReport(dir, o)
	if err != nil {
		return nil, err
	}
	r.Summary.ExitCode = batch.ExitDone
	return &Result{Summary: r.Summary, Nothing: text}, nil
}

// completeAlready is the result of a resume that finds no rows left. The run's report is in place.
func completeAlready(r *Session, p *Plan) (*Result, error) {
	written, err := WriteReport(p.Dir, r.Settings.Output)
	if err != nil {
		return nil, err
	}
	summary := written.Summary
	if p.Settings, err = r.adopt(p.Head); err != nil {
		return nil, err
	}
	summary.ExitCode = batch.ExitOf(summary.Outcomes)
	r.Notice("complete_already", p.Head.ID+" is complete: there is nothing left to do, and nothing was sent")
	return &Result{Run: p.identity(p.Since), Summary: summary, Complete: true, Next: p.next(summary),
		TakeBack: p.takeBack(summary), Unhold: p.unhold(summary)}, nil
}
