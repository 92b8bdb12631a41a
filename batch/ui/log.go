package ui

import (
	"context"
	"io"
	"log/slog"
	"strings"
	"time"

	"rowbatch/batch/job"
	"rowbatch/client/governor"
)

// Log tells of a run in records, for programs to read. The attribute code says what a
// record is about, and stays the same from version to version; the message is for people.
// It is a front that asks nobody, and takes as a terminal's Err what else there is to say.
type Log struct {
	*slog.Logger
	told time.Time       // when progress was last told of this phase
	why  governor.Reason // that it was then waiting for
}

// NewLog writes a record as one JSON object a line.
func NewLog(w io.Writer, least slog.Level) *Log {
	return &Log{Logger: slog.New(slog.NewJSONHandler(w, &slog.HandlerOptions{Level: least}))}
}

// Show tells of an event.
func (l *Log) Show(e job.Event) {
	switch e := e.(type) {
	case job.Begun:
		r := e.Run
		l.Info("the run begins", "code", "run_began", "run_id", r.ID, "mode", r.Mode, "dry_run", r.Dry, "action", r.Action, "file", r.File,
			"host", r.Hosts)
	case job.FileRead:
		in := e.Rows.File
		c := in.Checked
		l.Info("the file is read", "code", "file_read", "file", in.Name, "rows", c.Rows, "rejected", c.Rejected, "notes", c.Notes,
			"blank", c.BlankRows, "exported", c.Exported, "edited", c.Edited, "warnings", c.WarningCount, "written", in.Written,
			"key", keyColumns(in.Mapper.Keys()), "left_out", append(in.Mapper.Others(), in.Mapper.ReadOnly()...))
		for _, w := range c.Warnings {
			l.Warn(w.Text, "code", "row_warning", "file", in.Name, "line", w.Line)
		}
	case job.RowRefused:
		l.Warn(e.Problem.Text, "code", "row_refused", "file", e.File, "line", e.Line, "rb_error_code", e.Problem.Code)
	case job.Notice:
		l.Info(e.Text, "code", e.Code, "file", e.File)
	case job.Trouble:
		l.Warn(e.Err.Error(), "code", "trouble")
	case job.PhaseBegan:
		l.told, l.why = time.Now(), ""
		l.Info(e.Name, "code", "phase_began", "phase", e.Name, "total", e.Total)
	case job.Foretold:
		f := e.Forecast
		l.Info(ForecastText(f), "code", "forecast", "phase", e.Phase, "requests", f.Requests, "seconds", f.Takes.Seconds(),
			"finish", f.Finish())
	case job.Progress:
		l.progress(e)
	case job.PhaseEnded:
		l.Info(e.Name, "code", "phase_ended", "phase", e.Name)
	case *job.Result:
		s := e.Summary
		l.Info(CountsText(s.Rows, s.Outcomes), "code", "run_ended", "run_id", s.RunID, "outcomes", s.Outcomes, "requests", s.Requests.Total,
			"seconds", s.Seconds, "exit_code", s.ExitCode)
	}
}

// progress tells how far a phase is every few seconds, and once why it waits.
func (l *Log) progress(p job.Progress) {
	now, why := time.Now(), governor.Reason("")
	if p.Waiting.Until.Sub(now) >= time.Second {
		why = p.Waiting.Reason
	}
	if now.Sub(l.told) < lineEvery || why != "" && why == l.why {
		return
	}
	l.told, l.why = now, why
	of := l.With("phase", p.Phase, "done", p.Done, "total", p.Total, "requests", p.Requests)
	if why == "" {
		of.Info(p.Phase, "code", "progress")
		return
	}
	text, _ := WaitingText(p.Waiting, now)
	of.Info(text, "code", "waiting", "until", p.Waiting.Until, "reason", why)
}

// Ask agrees to nothing: nobody reads this who could.
func (l *Log) Ask(context.Context, job.Question) bool { return false }

// Attended reports that there is nobody to ask.
func (l *Log) Attended() bool { return false }

// Write tells a remark that has no code of its own.
func (l *Log) Write(text []byte) (int, error) {
	if said := strings.TrimSpace(strings.TrimPrefix(string(text), "rowbatch: ")); said != "" {
		l.Info(said, "code", "remark")
	}
	return len(text), nil
}
