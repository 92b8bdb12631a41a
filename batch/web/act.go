package web

import (
	"errors"
	"net/http"
	"strings"

	"rowbatch/batch"
	"rowbatch/batch/job"
)

// runActions is what is done with a run from its page.
type runActions struct{ *site }

// errStopped is the cause of a stop that somebody asked for on a page.
var errStopped = errors.New("stopped on the page")

// apply sends what a preview has shown, the rows aside that were struck out.
func (s runActions) apply(w http.ResponseWriter, r *http.Request) {
	i, ok := s.find(w, r)
	if !ok {
		return
	}
	if i.State != job.Planned {
		s.complain(w, http.StatusConflict, batch.Unfit("look at its page", "%s is %s, and cannot be sent", i.ID, i.State))
		return
	}
	agreed := agreement{answer: strings.ReplaceAll(r.PostFormValue("answer"), ",", ""), old: r.PostFormValue("old") == "yes"}
	agreed.rows = number(r.PostFormValue("rows"))
	except := r.PostFormValue("except")
	s.start(w, r, "apply "+i.ID, agreed, func(f job.Front, c job.Control) (*job.Result, error) {
		return job.Apply(s.job(f, s.accountOf(i.Info), func(set *job.Settings) { set.Selection.Except = except }), c, i.ID)
	})
}

func (s runActions) resume(w http.ResponseWriter, r *http.Request) {
	i, ok := s.find(w, r)
	if !ok {
		return
	}
	failed := r.PostFormValue("failed") == "yes"
	what := "resume " + i.ID
	if old := s.watchOf(i.ID); old != nil && !old.ended() {
		http.Redirect(w, r, "/runs/"+i.ID, http.StatusSeeOther)
		return
	}
	s.forget(what)
	s.start(w, r, what, agreement{}, func(f job.Front, c job.Control) (*job.Result, error) {
		return job.Resume(s.job(f, s.accountOf(i.Info), nil), c, i.ID, failed)
	})
}

// undo previews what an undo would put back.
func (s runActions) undo(w http.ResponseWriter, r *http.Request) {
	i, ok := s.find(w, r)
	if !ok {
		return
	}
	unhold := r.PostFormValue("unhold")
	what := "undo " + i.ID + " " + unhold
	s.forget(what)
	s.start(w, r, what, agreement{}, func(f job.Front, c job.Control) (*job.Result, error) {
		return job.Undo(s.job(f, s.accountOf(i.Info), func(set *job.Settings) {
			set.Sending.DryRun, set.Sending.Unhold = true, unhold
		}), c, i.ID)
	})
}

func (s runActions) stop(w http.ResponseWriter, r *http.Request) {
	run := s.watchOf(r.PathValue("id"))
	if run == nil {
		http.Error(w, "this run is not under way here", http.StatusConflict)
		return
	}
	run.control.Halt(errStopped)
	w.WriteHeader(http.StatusNoContent)
}

func (s runActions) answer(w http.ResponseWriter, r *http.Request) {
	run := s.watchOf(r.PathValue("id"))
	if run == nil || !run.reply(r.PostFormValue("answer")) {
		http.Error(w, "nothing is asked", http.StatusConflict)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}
