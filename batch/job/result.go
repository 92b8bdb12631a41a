package job

import (
	"rowbatch/batch"
	"rowbatch/batch/runs"
	"rowbatch/mapping/csvfile"
	"rowbatch/reports"
)

// Result is how a run ended. Its exit code stands in the summary.
type Result struct {
	Run     Identity
	Summary reports.Summary
	Stopped error // why the run did not come to its end; nil: it did

	Preview  *Preview // of a dry run
	Forecast *Forecast
	Line     func(row int) int // where a row starts in the input

	Next     string   // the command that leads on from here; "": there is nothing to do
	TakeBack []string // the command that takes the run back, or several to choose from; none: there is nothing to take back
	Held     []string // customers whom an undo leaves on hold
	Unhold   []string // the commands, to choose from, that take them off
	Nothing  string   // why there was nothing to do, where no run was made
}

// nothingToDo is the result of a command that finds its work done.
func nothingToDo(dir *runs.Dir, text string) (*Result, error) {
	summary, err := reports.Write(dir, reports.Options{Escape: csvfile.Escape})
	summary.ExitCode = batch.ExitDone
	return &Result{Summary: summary, Nothing: text}, err
}

// completeAlready is the result of a resume that finds no rows left. The run's report is in place.
func completeAlready(r *Session, p *Plan) (*Result, error) {
	summary, err := reports.Write(p.Dir, reports.Options{Escape: csvfile.Escape})
	if err != nil {
		return nil, err
	}
	if p.Settings, err = r.adopt(p.Head); err != nil {
		return nil, err
	}
	summary.ExitCode = batch.ExitOf(summary.Outcomes)
	r.Notice(p.Head.ID + " is complete: there is nothing left to do, and nothing was sent")
	return &Result{Run: p.identity(p.Since), Summary: summary, Next: p.next(summary),
		TakeBack: p.takeBack(summary), Unhold: p.unhold(summary)}, nil
}
