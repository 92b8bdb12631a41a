package web

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"

	"rowbatch/batch"
	"rowbatch/batch/intake"
	"rowbatch/batch/job"
)

// runActions is what is done with a run from its page.
type runActions struct{ *site }

// errStopped is the cause of a stop that somebody asked for on a page.
var errStopped = errors.New("stopped on the page")

// start begins a job about a run, and leads to the run that it makes; the page of the first says
// why there is none.
func (s runActions) start(w http.ResponseWriter, r *http.Request, i job.Listed, what string, a agreement, do doing) {
	run, err := s.begin(what, a, do)
	if err != nil {
		runPages(s).showListed(w, i, statusOf(err), err)
		return
	}
	http.Redirect(w, r, "/runs/"+run.id(), http.StatusSeeOther)
}

// apply sends what a preview has shown, the rows aside that were struck out.
func (s runActions) apply(w http.ResponseWriter, r *http.Request) {
	i, ok := s.find(w, r)
	if !ok {
		return
	}
	switch {
	case i.By != "": // by another tab, or another program
		http.Redirect(w, r, "/runs/"+i.By, http.StatusSeeOther)
		return
	case i.State != job.Planned:
		runPages(s).showListed(w, i, http.StatusConflict, fmt.Errorf("%s is %s, and cannot be sent", i.ID, i.State))
		return
	}
	agreed := agreement{answer: strings.ReplaceAll(r.PostFormValue("answer"), ",", ""), old: r.PostFormValue("old") == "yes"}
	agreed.rows = number(r.PostFormValue("rows"))
	struck := intake.Choice{Except: r.PostFormValue("except")}
	struck.Struck = struck.Except != ""
	s.start(w, r, i, "apply "+i.ID, agreed, func(f job.Front, c job.Control) (*job.Result, error) {
		return job.Apply(s.job(f, s.accountOf(i.Info), func(set *job.Settings) { set.Selection.Choice = struck }), c, i.ID)
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
	s.forget(what, "")
	s.start(w, r, i, what, agreement{}, func(f job.Front, c job.Control) (*job.Result, error) {
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
	view := r.PostFormValue("view")
	s.forget(what, view)
	s.start(w, r, i, what, agreement{view: view}, func(f job.Front, c job.Control) (*job.Result, error) {
		res, err := job.Undo(s.job(f, s.accountOf(i.Info), func(set *job.Settings) {
			set.Sending.DryRun, set.Sending.Unhold = true, unhold
		}), c, i.ID)
		if err != nil && res != nil && len(res.Held) > 0 { // the command line lists commands here
			err = batch.Usage("choose how they come off hold",
				"this run put %s on hold, and has nothing else to put back; nothing was sent", batch.Plural(len(res.Held), "customer"))
		}
		return res, err
	})
}

// review takes back a report that somebody has gone through, and tells which rows that strikes out.
func (s runActions) review(w http.ResponseWriter, r *http.Request) {
	i, ok := s.find(w, r)
	if !ok {
		return
	}
	front := newWatch(s.ctx, agreement{})
	left, err := s.reviewed(r, i, front)
	reply := struct {
		LeftOut []int    `json:"left_out"`
		Notes   []string `json:"notes"`
		Problem *trouble `json:"problem"`
	}{Notes: front.now(0).Notes, Problem: told(err)}
	if err == nil {
		reply.LeftOut = append([]int{}, left.LeftOut...)
	}
	tell(w, reply)
}

func (s runActions) reviewed(r *http.Request, i job.Listed, front *watch) (_ *job.Chosen, err error) {
	from, head, err := r.FormFile("review")
	if err != nil {
		return nil, errors.New("no file was chosen")
	}
	defer from.Close()
	folder, err := os.MkdirTemp("", "rowbatch-review-") // for its owner only
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	path := filepath.Join(folder, cmp.Or(safeName(head.Filename), "review.xlsx"))
	to, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, err
	}
	_, err = io.Copy(to, from)
	if err = errors.Join(err, to.Close()); err != nil {
		return nil, err
	}
	left, err := job.Choose(s.job(front, s.accountOf(i.Info), func(set *job.Settings) { set.Selection.Review = path }), front.control, i.ID)
	if err != nil {
		err = errors.New(strings.ReplaceAll(err.Error(), folder+string(filepath.Separator), ""))
	}
	return left, err
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
