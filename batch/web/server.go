package web

import (
	"context"
	"errors"
	"net"
	"net/http"
	"os"
	"time"

	"rowbatch/batch/job"
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
	Name    string            // as forms name it
	Host    string            // where requests go
	Word    string            // PRODUCTION, SANDBOX
	Colour  string            // of the word; "": none was chosen
	Sandbox bool              // the embedded stand-in
	Profile string            // that it is; "": it is none
	Open    func() job.Opener // finds the endpoints of one run
}

// Server is the local page.
type Server struct {
	site  *site
	guard *guard
}

// New returns a server that listens on an address. Runs that it has begun stop when ctx ends.
func New(ctx context.Context, addr net.Addr, o Options) (*Server, error) {
	all, err := pages()
	if err != nil {
		return nil, err
	}
	on := &site{Options: o, pages: all, ctx: ctx, watches: map[string]*watch{}, begun: map[string]*watch{}}
	s := &Server{site: on}
	list, shown, data, act, drafts := runList{on}, runPages{on}, runData{on}, runActions{on}, draftPages{on}
	columns, reads := columnPages{drafts}, readingPages{drafts}
	m := http.NewServeMux()
	m.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/runs", http.StatusSeeOther) })
	m.HandleFunc("GET /assets/{name}", s.asset)
	m.HandleFunc("GET /runs", list.show)
	m.HandleFunc("GET /runs/{id}", shown.showRun)
	m.HandleFunc("GET /runs/{id}/rows.json", data.sendRows)
	m.HandleFunc("GET /runs/{id}/state.json", data.sendState)
	m.HandleFunc("GET /runs/{id}/files/{name}", data.sendFile)
	m.HandleFunc("POST /runs/{id}/follows", shown.follows)
	m.HandleFunc("POST /runs/{id}/review", act.review)
	m.HandleFunc("POST /runs/{id}/apply", act.apply)
	m.HandleFunc("POST /runs/{id}/resume", act.resume)
	m.HandleFunc("POST /runs/{id}/undo", act.undo)
	m.HandleFunc("POST /runs/{id}/stop", act.stop)
	m.HandleFunc("POST /runs/{id}/answer", act.answer)
	m.HandleFunc("GET /new", drafts.newEdit)
	m.HandleFunc("POST /drafts", drafts.takeFile)
	m.HandleFunc("GET /drafts/{id}", drafts.showDraft)
	m.HandleFunc("POST /drafts/{id}", columns.choose)
	m.HandleFunc("GET /drafts/{id}/mapping.yaml", columns.sendMapping)
	m.HandleFunc("POST /drafts/{id}/mapping", columns.takeMapping)
	m.HandleFunc("POST /drafts/{id}/reading", reads.choose)
	m.HandleFunc("GET /drafts/{id}/check", reads.check)
	m.HandleFunc("POST /drafts/{id}/drop", drafts.dropDraft)
	m.HandleFunc("POST /drafts/{id}/preview", drafts.preview)
	s.guard = newGuard(addr.String(), m)
	return s, nil
}

// Address is where a browser begins: it has the token.
func (s *Server) Address() string { return s.guard.address() }

// ServeHTTP answers a request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.guard.ServeHTTP(w, r) }

// Wait returns once the runs that were begun have ended, and reports whether one was stopped.
func (s *Server) Wait() (stopped bool) {
	s.site.mu.Lock()
	var all []*watch
	for _, w := range s.site.begun {
		all = append(all, w)
	}
	s.site.mu.Unlock()
	for _, w := range all {
		<-w.done
		result, _ := w.outcome()
		stopped = stopped || result != nil && errors.As(result.Stopped, new(job.Signalled))
	}
	return stopped
}

// Stop stops the runs under way, as a signal does.
func (s *Server) Stop(sig os.Signal) {
	s.site.mu.Lock()
	defer s.site.mu.Unlock()
	for _, w := range s.site.begun {
		w.control.Halt(job.Signalled{Signal: sig})
	}
}

func (s *Server) asset(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("name")
	kinds := map[string]string{"style.css": "text/css", "rows.js": "text/javascript", "run.js": "text/javascript",
		"icon.svg": "image/svg+xml", "runs.js": "text/javascript",
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

// readHeaderTimeout keeps a connection that says nothing from staying.
const readHeaderTimeout = 10 * time.Second

// Serve answers requests until ctx ends, then stops the runs under way and waits for them.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	server := &http.Server{Handler: s, ReadHeaderTimeout: readHeaderTimeout}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(l) }()
	often := time.NewTicker(time.Hour)
	defer often.Stop()
	for {
		_ = s.site.sweep() // whoever begins a new edit is told what keeps one from being removed
		select {
		case err := <-ended:
			return err
		case <-often.C:
		case <-ctx.Done():
			return server.Close()
		}
	}
}
