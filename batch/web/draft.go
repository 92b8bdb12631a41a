package web

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/google/renameio/v2/maybe"

	"rowbatch/batch"
	"rowbatch/batch/intake"
	"rowbatch/batch/job"
)

// draft is an edit that has no run yet: a file, and what is to be made of it. It lies
// in a folder of its own below the reports folder, for its owner only, and goes when
// it is dropped, or a day after it was last changed.
type draft struct {
	ID       string       `json:"-"`
	Account  string       `json:"account"`
	Action   string       `json:"action"`
	File     string       `json:"file"` // its name, as it was given
	Input    intake.Input `json:"input"`
	Columns  []column     `json:"columns,omitempty"`  // as they were chosen
	Uploaded bool         `json:"uploaded,omitempty"` // the mapping file is one of somebody's own

	folder string
}

const (
	draftsFolder = ".drafts"
	draftLasts   = 24 * time.Hour
	largestFile  = 200 << 20 // bytes
)

func (d *draft) path() string { return filepath.Join(d.folder, d.File) }

func (d *draft) mapping() string { return filepath.Join(d.folder, "mapping.yaml") }

func (d *draft) save() error {
	text, err := json.Marshal(d)
	if err != nil {
		return err
	}
	return maybe.WriteFile(filepath.Join(d.folder, "draft.json"), text, 0o600)
}

// source is where a run of the draft begins.
func (d *draft) source() intake.Source {
	return intake.Source{Name: d.path(), Actions: intake.ActionsOf(d.Action), Input: d.Input}
}

func (s *Server) drafts() string { return filepath.Join(s.Settings.Output.Reports, draftsFolder) }

// findDraft reads a draft; it answers the request where there is none.
func (s *Server) findDraft(w http.ResponseWriter, r *http.Request) (*draft, bool) {
	id := r.PathValue("id")
	d := &draft{ID: id, folder: filepath.Join(s.drafts(), id)}
	text, err := os.ReadFile(filepath.Join(d.folder, "draft.json"))
	if err == nil {
		err = json.Unmarshal(text, d)
	}
	if err != nil || id != filepath.Base(id) || !filepath.IsLocal(id) {
		s.complain(w, http.StatusNotFound, errors.New("this edit was dropped; try: choose the file again"))
		return nil, false
	}
	return d, true
}

// draftOf is the draft of a run's file; "" when it has none any more.
func (s *Server) draftOf(path string) string {
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

// sweep removes drafts that nobody has changed for long.
func (s *Server) sweep() error {
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

// newView is the first step: account, action, file.
type newView struct {
	frame
	Accounts []Account
	Actions  []choice
	Problem  string
}

type choice struct{ Name, Title, Text string }

func choices() []choice {
	return []choice{
		{"update", "Update customers", "Fusebill: sets the fields whose cells are filled"},
		{"hold", "Hold customers", "Fusebill: suspends every subscription"},
		{"latch", "HubSpot links", "Fusebill: links a contact or company, or unlinks"},
		{"patch", "Trackfinity patch", "Old values cannot be read, and not put back"},
		{"run", "Mixed", "The column “action” says it, row by row"},
	}
}

func (s *Server) newEdit(w http.ResponseWriter, _ *http.Request) {
	s.showNew(w, http.StatusOK, "")
}

func (s *Server) showNew(w http.ResponseWriter, status int, problem string) {
	s.show(w, status, "new", newView{frame: frame{Title: "New edit", Script: "draft.js", Nav: "new", Account: s.bandOf(s.Accounts[0]),
		Steps: stepsOf("New", nil)}, Accounts: s.Accounts, Actions: choices(), Problem: problem})
}

// takeFile spools a file that was dropped on the page.
func (s *Server) takeFile(w http.ResponseWriter, r *http.Request) {
	if err := s.sweep(); err != nil {
		s.complain(w, http.StatusInternalServerError, err)
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, largestFile+1<<20)
	d, err := s.spool(r)
	if err != nil {
		if d != nil {
			err = errors.Join(err, os.RemoveAll(d.folder))
		}
		if large := (*http.MaxBytesError)(nil); errors.As(err, &large) {
			err = fmt.Errorf("the file is larger than %d MB; try: split it, or use the command line", largestFile>>20)
		}
		s.showNew(w, http.StatusUnprocessableEntity, err.Error())
		return
	}
	http.Redirect(w, r, "/drafts/"+d.ID, http.StatusSeeOther)
}

// spool copies the parts of a form as they come: settings first, then the file.
func (s *Server) spool(r *http.Request) (*draft, error) {
	form, err := r.MultipartReader()
	if err != nil {
		return nil, errors.New("no file was chosen")
	}
	d := &draft{ID: rand.Text()[:16], Account: s.Accounts[0].Name, Action: "update"}
	d.folder = filepath.Join(s.drafts(), d.ID)
	if err := os.MkdirAll(s.Settings.Output.Reports, 0o755); err != nil { //nolint:gosec // as other runs make it
		return nil, err
	}
	if err := os.MkdirAll(d.folder, 0o700); err != nil {
		return nil, err
	}
	for {
		part, err := form.NextPart()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return d, err
		}
		switch part.FormName() {
		case "account", "action":
			text, err := io.ReadAll(io.LimitReader(part, 100))
			if err != nil {
				return d, err
			}
			if part.FormName() == "account" {
				d.Account = string(text)
			} else {
				d.Action = string(text)
			}
		case "file":
			if d.File = safeName(part.FileName()); d.File == "" {
				return d, errors.New("no file was chosen")
			}
			f, err := os.OpenFile(d.path(), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
			if err != nil {
				return d, err
			}
			_, err = io.Copy(f, part)
			if err = errors.Join(err, f.Close()); err != nil {
				return d, err
			}
		}
	}
	switch {
	case d.File == "":
		return d, errors.New("no file was chosen")
	case !slices.ContainsFunc(choices(), func(c choice) bool { return c.Name == d.Action }):
		return d, fmt.Errorf("there is no action %q", d.Action)
	case !slices.ContainsFunc(s.Accounts, func(a Account) bool { return a.Name == d.Account }):
		return d, fmt.Errorf("there is no account %q", d.Account)
	}
	return d, d.save()
}

// safeName keeps of a file's name what is one on every system.
func safeName(name string) string {
	name = filepath.Base(strings.ReplaceAll(name, `\`, "/"))
	name = strings.Map(func(r rune) rune {
		if r < ' ' || strings.ContainsRune(`<>:"/\|?*`, r) {
			return '_'
		}
		return r
	}, batch.Visible(name))
	if name = strings.Trim(name, ". "); len(name) > 100 {
		ext := filepath.Ext(name)
		name = strings.ToValidUTF8(name[:100-min(len(ext), 10)], "") + ext
	}
	if name == "draft.json" || name == "mapping.yaml" {
		name = "_" + name
	}
	return name
}

func (s *Server) account(name string) Account {
	i := slices.IndexFunc(s.Accounts, func(a Account) bool { return a.Name == name })
	return s.Accounts[max(i, 0)]
}

func (s *Server) dropDraft(w http.ResponseWriter, r *http.Request) {
	d, ok := s.findDraft(w, r)
	if !ok {
		return
	}
	if err := os.RemoveAll(d.folder); err != nil {
		s.complain(w, http.StatusInternalServerError, err)
		return
	}
	http.Redirect(w, r, "/new", http.StatusSeeOther)
}

// preview begins the dry run of a draft.
func (s *Server) preview(w http.ResponseWriter, r *http.Request) {
	d, ok := s.findDraft(w, r)
	if !ok {
		return
	}
	what := "preview " + d.ID
	s.forget(what)
	run, err := s.begin(what, agreement{}, func(f job.Front, c job.Control) (*job.Result, error) {
		return job.File(s.job(f, s.account(d.Account), func(set *job.Settings) {
			set.Sending.DryRun, set.Input = true, d.Input
		}), c, intake.ActionsOf(d.Action), d.path(), nil)
	})
	if err != nil {
		s.draftPage(w, d, statusOf(err), err)
		return
	}
	http.Redirect(w, r, "/runs/"+run.id(), http.StatusSeeOther)
}
