package web

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"rowbatch/batch"
	"rowbatch/batch/intake"
	"rowbatch/batch/job"
	"rowbatch/batch/journal"
	"rowbatch/batch/runs"
)

// doing is a job that a page begins, with a front and a control of its own.
type doing func(job.Front, job.Control) (*job.Result, error)

// site is what all pages stand on: the templates, the accounts, the runs of this process.
type site struct {
	Options
	pages *template.Template
	ctx   context.Context // ends when the program is left: requests on their way are cut off then

	mu      sync.Mutex
	watches map[string]*watch // runs of this process, by id
	begun   map[string]*watch // by what was asked for: a second click begins nothing
}

// begin starts a job, unless the same was asked for before, and waits until its run
// has an id or the job has ended without one.
func (s *site) begin(what string, a agreement, do doing) (*watch, error) {
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
func (s *site) watchOf(id string) *watch {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.watches[id]
}

// job makes a job whose front is a watch.
func (s *site) job(f job.Front, a Account, set func(*job.Settings)) job.Job {
	settings := s.Settings
	settings.Sending.Sandbox, settings.Sending.Profile = a.Sandbox, a.Profile
	if set != nil {
		set(&settings)
	}
	return job.Job{Settings: settings, Front: f, Open: a.Open(), Program: s.Program}
}

// accountOf is the account of an earlier run: the one at its host, or else one that the job
// will tell from it.
func (s *site) accountOf(i runs.Info) Account {
	kept, err := job.SettingsOf(i.Head)
	own := func(a Account) bool { return a.Profile != "" && a.Profile == kept.Sending.Profile }
	if at := slices.IndexFunc(s.Accounts, own); err == nil && at >= 0 {
		return s.Accounts[at]
	}
	nearest := Account{Open: func() job.Opener {
		return func(string, job.Settings, int, func(string) error) (job.Endpoint, error) {
			return job.Endpoint{}, batch.Usage("rowbatch ui with its key set", "no account of %s is set here",
				intake.AddressesOf(i.Head.Account))
		}
	}}
	hosts := hostsOf(i.Head)
	for _, a := range slices.Backward(s.Accounts) {
		if a.Sandbox == (i.Head.Account == job.StandIn) && (nearest.Name == "" || slices.Contains(hosts, a.Host)) {
			nearest = a
		}
	}
	return nearest
}

// hostsOf are the servers of a run.
func hostsOf(h journal.Head) (hosts []string) {
	for _, name := range intake.AccountsOf(h.Account) {
		base, _, _ := strings.Cut(name, "#")
		if u, err := url.Parse(base); err == nil && u.Host != "" && !slices.Contains(hosts, u.Host) {
			hosts = append(hosts, u.Host)
		}
	}
	return hosts
}

// forget lets something be asked for again that has come to its end, but not by the view
// of a page that has asked for it: that is a click too many, which came late.
func (s *site) forget(what, view string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if w := s.begun[what]; w != nil && w.ended() && (view == "" || view != w.agreed.view) {
		delete(s.begun, what)
	}
}

// find looks a run up among the others; it answers the request where there is none.
func (s *site) find(w http.ResponseWriter, r *http.Request) (job.Listed, bool) {
	i, is, err := job.ListedOf(s.Settings.Output.Reports, r.PathValue("id"))
	switch {
	case err != nil:
		s.complain(w, http.StatusInternalServerError, err)
	case !is || i.Head.Mode == journal.ModeExport:
		s.complain(w, http.StatusNotFound, errors.New("there is no such run in "+s.Settings.Output.Reports))
		return i, false
	}
	return i, err == nil
}

// show writes a page.
func (s *site) show(w http.ResponseWriter, status int, name string, view any) {
	var text bytes.Buffer
	if err := s.pages.ExecuteTemplate(&text, name, view); err != nil {
		http.Error(w, "this page cannot be shown: "+err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(text.Bytes()) // who is gone needs no page
}

// complain shows an error as a page.
func (s *site) complain(w http.ResponseWriter, status int, err error) {
	s.show(w, status, "trouble", struct {
		frame
		*trouble
	}{frame{Title: "That did not work", Account: s.noAccount(), Nav: ""}, told(err)})
}

// trouble is an error as pages tell it.
type trouble struct {
	Text string `json:"text"`
	Try  string `json:"try"`
}

// Points reports whether the text shows a line of a file, with a mark below what is wrong in it.
func (t *trouble) Points() bool {
	return strings.Contains(t.Text, " | ") && strings.Contains(t.Text, "^")
}

// told takes an error apart, and says what to do on a page where the error names a flag. No
// error is no trouble.
func told(err error) *trouble {
	if err == nil {
		return nil
	}
	text := err.Error()
	t := &trouble{Text: text}
	if at := strings.LastIndex(text, "try: "); at > 0 {
		t.Text, t.Try = strings.TrimRight(text[:at], "; \n"), text[at+len("try: "):]
	}
	t.Text = strings.ReplaceAll(t.Text, "\n--encoding ", "\n")
	for _, on := range [][2]string{
		{"--hidden", "show what is hidden in the spreadsheet and choose the file again, or say here what becomes of it"},
		{"--sheet", "choose a sheet here"},
		{"--encoding", "save it from the spreadsheet as CSV UTF-8, or say here how it is encoded"},
		{"--delimiter", "say here what stands between the cells"},
		{"--header-row", "say here in which row the heading stands"},
		{"--ignore-others", "give the column a heading in the spreadsheet, or leave out here what has none"},
		{"--ignore", "choose a field for the column, or leave it out"},
		{"--map", "choose a field for each column"},
		{"--lock-wait", "again when that has ended"},
	} {
		if strings.Contains(t.Try, on[0]) {
			t.Try = on[1]
			break
		}
	}
	return t
}

func (s *site) noAccount() band {
	return band{Kind: "none", Word: "no account", Host: fmt.Sprintf("runs in %s", s.Settings.Output.Reports)}
}

func (s *site) bandOf(a Account) band {
	b := band{Kind: "production", Word: a.Word, Tint: a.Colour, Host: a.Host}
	if a.Sandbox {
		b.Kind, b.Who = "sandbox", "invented customers, nothing real is touched"
	}
	return b
}

// bandOfRun is the account of an earlier run, as its journal names it.
func (s *site) bandOfRun(i job.Listed) band {
	a := s.accountOf(i.Info)
	b := s.bandOf(a)
	if i.Head.Account == job.StandIn {
		return b
	}
	if hosts := hostsOf(i.Head); len(hosts) > 0 {
		b.Kind, b.Word, b.Host = "production", cmp.Or(i.Head.Word, b.Word, "PRODUCTION"), strings.Join(hosts, " and ")
		b.Tint = cmp.Or(i.Head.Colour, b.Tint)
	}
	return b
}

// account is the one of a name, which must be there.
func (s *site) account(name string) Account {
	return s.Accounts[slices.IndexFunc(s.Accounts, func(a Account) bool { return a.Name == name })]
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

func (s *site) drafts() string { return filepath.Join(s.Settings.Output.Reports, draftsFolder) }

// sweep removes drafts that nobody has changed for long.
func (s *site) sweep() error {
	entries, err := os.ReadDir(s.drafts())
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	for _, e := range entries {
		at := filepath.Join(s.drafts(), e.Name())
		info, failed := os.Stat(filepath.Join(at, "draft.json"))
		if failed != nil {
			info, failed = os.Stat(at) // it was never complete
		}
		if failed == nil && time.Since(info.ModTime()) > draftLasts {
			err = errors.Join(err, os.RemoveAll(at))
		}
	}
	return err
}

// draftOf is the draft of a run's file; "" when it has none any more.
func (s *site) draftOf(path string) string {
	folder, err := filepath.Abs(s.drafts())
	at := filepath.Dir(path)
	if err != nil || path == "" || filepath.Dir(at) != folder {
		return ""
	}
	if _, err := os.Stat(filepath.Join(at, "draft.json")); err != nil {
		return ""
	}
	return filepath.Base(at)
}
