package web

import (
	"context"
	"errors"
	"html/template"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"

	"rowbatch/batch"
	"rowbatch/batch/job"
	"rowbatch/batch/runs"
	"rowbatch/reports/page"
)

// Options are what a server needs.
type Options struct {
	Settings job.Settings // of every run: the reports folder, the pace
	Accounts []Account    // that edits may go to; the first is chosen until somebody chooses another
	Program  string       // the program's version
}

// Account is one that a new edit may go to.
type Account struct {
	Name    string     // as forms name it
	Host    string     // where requests go
	Word    string     // PRODUCTION, SANDBOX
	Sandbox bool       // the embedded stand-in
	Open    job.Opener // finds its endpoints
}

// Server is the local page.
type Server struct {
	Options
	pages *template.Template
	guard *guard
	ctx   context.Context // ends when the program is left: runs stop then

	mu      sync.Mutex
	watches map[string]*watch // runs of this process, by id
	begun   map[string]*watch // by what was asked for: a second click begins nothing
}

// New returns a server that listens on an address. Runs that it has begun stop when ctx ends.
func New(ctx context.Context, addr net.Addr, o Options) (*Server, error) {
	all, err := pages()
	if err != nil {
		return nil, err
	}
	s := &Server{Options: o, pages: all, ctx: ctx, watches: map[string]*watch{}, begun: map[string]*watch{}}
	m := http.NewServeMux()
	m.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/runs", http.StatusSeeOther) })
	m.HandleFunc("GET /assets/{name}", s.asset)
	m.HandleFunc("GET /runs", s.listRuns)
	m.HandleFunc("GET /runs/{id}", s.showRun)
	m.HandleFunc("GET /runs/{id}/rows.json", s.sendRows)
	m.HandleFunc("GET /runs/{id}/state.json", s.sendState)
	m.HandleFunc("GET /runs/{id}/files/{name}", s.sendFile)
	m.HandleFunc("POST /runs/{id}/apply", s.apply)
	m.HandleFunc("POST /runs/{id}/resume", s.resume)
	m.HandleFunc("POST /runs/{id}/undo", s.undo)
	m.HandleFunc("POST /runs/{id}/stop", s.stop)
	m.HandleFunc("POST /runs/{id}/answer", s.answer)
	m.HandleFunc("GET /new", s.newEdit)
	m.HandleFunc("POST /drafts", s.takeFile)
	m.HandleFunc("GET /drafts/{id}", s.showDraft)
	m.HandleFunc("POST /drafts/{id}", s.changeDraft)
	m.HandleFunc("GET /drafts/{id}/mapping.yaml", s.sendMapping)
	m.HandleFunc("POST /drafts/{id}/mapping", s.takeMapping)
	m.HandleFunc("POST /drafts/{id}/drop", s.dropDraft)
	m.HandleFunc("POST /drafts/{id}/preview", s.preview)
	s.guard = newGuard(addr.String(), m)
	return s, nil
}

// Address is where a browser begins: it has the token.
func (s *Server) Address() string { return s.guard.address() }

// ServeHTTP answers a request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.guard.ServeHTTP(w, r) }

// Wait returns once the runs that were begun have ended, and reports whether one was stopped.
func (s *Server) Wait() (stopped bool) {
	s.mu.Lock()
	var all []*watch
	for _, w := range s.begun {
		all = append(all, w)
	}
	s.mu.Unlock()
	for _, w := range all {
		<-w.done
		result, _ := w.outcome()
		stopped = stopped || result != nil && errors.As(result.Stopped, new(job.Signalled))
	}
	return stopped
}

// Stop stops the runs under way, as a signal does.
func (s *Server) Stop(sig os.Signal) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, w := range s.begun {
		w.control.Halt(job.Signalled{Signal: sig})
	}
}

func (s *Server) asset(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("name")
	kinds := map[string]string{"style.css": "text/css", "rows.js": "text/javascript", "run.js": "text/javascript", "runs.js": "text/javascript",
		"draft.js": "text/javascript"}
	kind := kinds[name]
	if kind == "" {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", kind+"; charset=utf-8")
	text, err := assets.ReadFile("assets/" + name)
	if err != nil {
		text = page.Asset(name)
	}
	_, _ = w.Write(text) // who is gone needs no style
}

// begin starts a job, unless the same was asked for before, and waits until its run
// has an id or the job has ended without one.
func (s *Server) begin(what string, a agreement, do func(job.Front, job.Control) (*job.Result, error)) (*watch, error) {
	s.mu.Lock()
	w := s.begun[what]
	if w != nil && w.ended() && w.id() == "" { // it came to nothing: it may be asked for once more
		w = nil
	}
	if w == nil {
		w = newWatch(s.ctx, a)
		s.begun[what] = w
		go w.carryOut(do)
	}
	s.mu.Unlock()
	select {
	case <-w.begun:
	case <-w.done:
	}
	if w.id() == "" {
		result, err := w.outcome()
		if err == nil && result != nil && result.Nothing != "" {
			err = errors.New(result.Nothing)
		}
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.watches[w.id()] = w
	return w, nil
}

// watchOf is the run of this process with that id; nil: it is another's, or over for long.
func (s *Server) watchOf(id string) *watch {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.watches[id]
}

// job makes a job whose front is a watch.
func (s *Server) job(f job.Front, a Account, set func(*job.Settings)) job.Job {
	settings := s.Settings
	settings.Sending.Sandbox = a.Sandbox
	if set != nil {
		set(&settings)
	}
	return job.Job{Settings: settings, Front: f, Open: a.Open, Program: s.Program}
}

// accountOf is the account of an earlier run: the one that it names, or whatever is set for its host.
func (s *Server) accountOf(i runs.Info) Account {
	for _, a := range s.Accounts {
		if a.Sandbox == (i.Head.Account == job.StandIn) {
			return a
		}
	}
	return Account{}
}

// start begins a job and leads to its run.
func (s *Server) start(w http.ResponseWriter, r *http.Request, what string, a agreement, do func(job.Front, job.Control) (*job.Result, error)) {
	run, err := s.begin(what, a, do)
	if err != nil {
		s.complain(w, statusOf(err), err)
		return
	}
	http.Redirect(w, r, "/runs/"+run.id(), http.StatusSeeOther)
}

// statusOf is the HTTP status of what ended a job before it began.
func statusOf(err error) int {
	switch job.ExitCode(err) {
	case batch.ExitLocked:
		return http.StatusConflict
	case batch.ExitFiles:
		return http.StatusInternalServerError
	}
	return http.StatusUnprocessableEntity
}

// apply sends what a preview has shown, the rows aside that were struck out.
func (s *Server) apply(w http.ResponseWriter, r *http.Request) {
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

func (s *Server) resume(w http.ResponseWriter, r *http.Request) {
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

// forget lets something be asked for again that has come to its end.
func (s *Server) forget(what string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if w := s.begun[what]; w != nil && w.ended() {
		delete(s.begun, what)
	}
}

// undo previews what an undo would put back.
func (s *Server) undo(w http.ResponseWriter, r *http.Request) {
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

// errStopped is the cause of a stop that somebody asked for on a page.
var errStopped = errors.New("stopped on the page")

func (s *Server) stop(w http.ResponseWriter, r *http.Request) {
	run := s.watchOf(r.PathValue("id"))
	if run == nil {
		http.Error(w, "this run is not under way here", http.StatusConflict)
		return
	}
	run.control.Halt(errStopped)
	w.WriteHeader(http.StatusNoContent)
}

func (s *Server) answer(w http.ResponseWriter, r *http.Request) {
	run := s.watchOf(r.PathValue("id"))
	if run == nil || !run.reply(r.PostFormValue("answer")) {
		http.Error(w, "nothing is asked", http.StatusConflict)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// find looks a run up among the others; it answers the request where there is none.
func (s *Server) find(w http.ResponseWriter, r *http.Request) (job.Listed, bool) {
	all, err := job.List(s.Settings.Output.Reports)
	if err != nil {
		s.complain(w, http.StatusInternalServerError, err)
		return job.Listed{}, false
	}
	for _, i := range all {
		if i.ID == r.PathValue("id") {
			return i, true
		}
	}
	s.complain(w, http.StatusNotFound, errors.New("there is no such run in "+s.Settings.Output.Reports))
	return job.Listed{}, false
}

// readHeaderTimeout keeps a connection that says nothing from staying.
const readHeaderTimeout = 10 * time.Second

// Serve answers requests until ctx ends, then stops the runs under way and waits for them.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	server := &http.Server{Handler: s, ReadHeaderTimeout: readHeaderTimeout}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(l) }()
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
	}
	return server.Close()
}
