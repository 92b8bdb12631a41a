package web

import (
	"net/http"
	"path/filepath"
	"time"

	"rowbatch/batch"
	"rowbatch/batch/job"
	"rowbatch/batch/journal"
	"rowbatch/batch/ui"
	"rowbatch/reports/page"
)

// listed is a run as the page of all runs shows it.
type listed struct {
	ID, File, Action, What, When string
	State                        job.State
	Icon                         string
	Text, Remark                 string
	CountsJSON                   string
	Go                           string // what is to be done next; "": to look at it
	Account                      *band  // where it is another than the first
}

// runList is the page of all runs.
type runList struct{ *site }

type runsView struct {
	frame
	Folder  string
	Running []listed
	Runs    []listed
	States  []job.State
}

func (s runList) show(w http.ResponseWriter, _ *http.Request) {
	all, err := job.List(s.Settings.Output.Reports)
	if err != nil {
		s.complain(w, http.StatusInternalServerError, err)
		return
	}
	v := runsView{frame: frame{Title: "Runs", Script: "runs.js", Nav: "runs", Account: s.bandOf(s.Accounts[0])},
		Folder: s.Settings.Output.Reports, States: job.States()}
	for _, i := range all {
		if i.Head.Mode == journal.ModeExport {
			continue
		}
		l := s.listedOf(i)
		if i.State == job.Running {
			v.Running = append(v.Running, l)
		}
		v.Runs = append(v.Runs, l)
	}
	s.site.show(w, http.StatusOK, "runs", v)
}

func (s runList) listedOf(i job.Listed) listed {
	icons := map[job.State]string{job.Planned: "would_change", job.Running: "wait", job.Stopped: "warn", job.Damaged: "alert",
		job.Done: "changed", job.Declined: "skipped", job.Undone: "unchanged"}
	verbs := map[job.State]string{job.Planned: "Go on to send", job.Running: "Watch", job.Stopped: "Resume…"}
	l := listed{ID: i.ID, File: filepath.Base(i.Head.File), Action: i.Head.Action, What: page.What(i.Head),
		When:  when(i.Head.Started, time.Now()),
		State: i.State, Icon: icons[i.State], Text: ui.CountsText(i.Head.Rows, i.Counts), CountsJSON: inJSON(i.Counts), Go: verbs[i.State]}
	if b := s.bandOfRun(i); b.Kind != s.bandOf(s.Accounts[0]).Kind || b.Host != s.bandOf(s.Accounts[0]).Host {
		l.Account = &b
	}
	switch {
	case i.State == job.Damaged:
		l.Text = "its journal cannot be read"
	case i.State == job.Planned && time.Since(i.Head.Started) > 24*time.Hour:
		l.Remark = "over 24 hours old: asks before it is sent"
	case i.State == job.Stopped && i.End != nil:
		l.Remark = i.End.Cause
	case i.State == job.Undone:
		l.Remark = "taken back by " + i.By
	case i.By != "":
		l.Remark = "sent by " + i.By
	}
	return l
}

// countOf is how many rows ended in one way.
type countOf struct {
	Kind batch.Kind
	Rows int
}
