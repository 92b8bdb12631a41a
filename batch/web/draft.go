package web

import (
	"cmp"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
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

// said is what an error says, without the folder that nobody knows.
func (d *draft) said(err error) error {
	return errors.New(strings.ReplaceAll(err.Error(), d.folder+string(filepath.Separator), ""))
}

// source is where a run of the draft begins.
func (d *draft) source() intake.Source {
	return intake.Source{Name: d.path(), Actions: intake.ActionsOf(d.Action), Input: d.Input}
}

// findDraft reads a draft; it answers the request where there is none.
func (s draftPages) findDraft(w http.ResponseWriter, r *http.Request) (*draft, bool) {
	id := r.PathValue("id")
	d := &draft{ID: id, folder: filepath.Join(s.drafts(), id)}
	text, err := []byte(nil), os.ErrNotExist
	if id == filepath.Base(id) && filepath.IsLocal(id) {
		text, err = os.ReadFile(filepath.Join(d.folder, "draft.json"))
	}
	if err == nil {
		err = json.Unmarshal(text, d)
	}
	if err != nil {
		s.complain(w, http.StatusNotFound, errors.New("this edit was dropped; try: choose the file again"))
		return nil, false
	}
	if !slices.ContainsFunc(s.Accounts, func(a Account) bool { return a.Name == d.Account }) {
		s.complain(w, http.StatusNotFound,
			fmt.Errorf("the account %q of this edit is not set any more; try: choose the file again", d.Account))
		return nil, false
	}
	return d, true
}

// draftPages are the pages of edits that have no run yet.
type draftPages struct{ *site }

// newView is the first step: account, action, file.
type newView struct {
	frame
	Accounts []accountView
	Actions  []choice
	Action   string // that is chosen
	Problem  *trouble
}

type accountView struct {
	Name   string
	Chosen bool
	band
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

func (s draftPages) newEdit(w http.ResponseWriter, r *http.Request) {
	s.showNew(w, http.StatusOK, &draft{Account: r.FormValue("account"), Action: r.FormValue("action")}, nil)
}

// showNew shows the first step, with the account and the action of an edit that needs another file.
func (s draftPages) showNew(w http.ResponseWriter, status int, of *draft, problem error) {
	v := newView{frame: frame{Title: "New edit", Script: "draft.js", Nav: "new", Steps: stepsOf("New", nil)},
		Actions: choices(), Action: choices()[0].Name, Problem: told(problem)}
	if of != nil && slices.ContainsFunc(v.Actions, func(c choice) bool { return c.Name == of.Action }) {
		v.Action = of.Action
	}
	chosen := 0
	if of != nil {
		chosen = max(slices.IndexFunc(s.Accounts, func(a Account) bool { return a.Name == of.Account }), 0)
	}
	for n, a := range s.Accounts {
		v.Accounts = append(v.Accounts, accountView{a.Name, n == chosen, s.bandOf(a)})
	}
	v.Account = v.Accounts[chosen].band
	s.show(w, status, "new", v)
}

// takeFile spools a file that was dropped on the page.
func (s draftPages) takeFile(w http.ResponseWriter, r *http.Request) {
	if err := s.sweep(); err != nil {
		s.complain(w, http.StatusInternalServerError, err)
		return
	}
	d, err := s.spool(r)
	if err == nil {
		d.Input.Sheet = likely(s.ctx, d)
		err = s.prepare(d)
	}
	if err != nil {
		if large := (*http.MaxBytesError)(nil); errors.As(err, &large) {
			err = fmt.Errorf("the file is larger than %d MB; try: split it, or use the command line", largestFile>>20)
		}
		if d != nil {
			err = errors.Join(d.said(err), os.RemoveAll(d.folder))
		}
		s.showNew(w, http.StatusUnprocessableEntity, d, err)
		return
	}
	http.Redirect(w, r, "/drafts/"+d.ID, http.StatusSeeOther)
}

// prepare proposes what the columns of a file mean, as it is read now. A file that cannot
// be read so is no error: its page tells. One with passwords is.
func (s draftPages) prepare(d *draft) error {
	d.Columns = nil
	look, err := intake.LookAt(s.ctx, d.source())
	if err != nil {
		return d.save()
	}
	if hasSecrets(look) {
		return errSecrets
	}
	d.Columns = proposed(d, look)
	return d.keep()
}

// errSecrets refuses a file.
var errSecrets = errors.New("this file has passwords, and the page keeps none: it was removed again; " +
	"try: the command line, rowbatch patch FILE")

// keep saves a draft, with the mapping file that says what was chosen, where the headings
// do not say it by themselves.
func (d *draft) keep() error {
	if d.Uploaded {
		return d.save()
	}
	if d.Input.Map = ""; plain(d.Columns) {
		return d.save()
	}
	text, err := mappingText(d.Action, d.Columns)
	if err != nil {
		return err
	}
	d.Input.Map = d.mapping()
	return errors.Join(maybe.WriteFile(d.Input.Map, text, 0o600), d.save())
}

// changed answers a change of a draft, which may have shown that it must go.
func (s draftPages) changed(w http.ResponseWriter, r *http.Request, d *draft, err error) {
	switch {
	case errors.Is(err, errSecrets):
		s.showNew(w, http.StatusUnprocessableEntity, d, errors.Join(err, os.RemoveAll(d.folder)))
	case err != nil:
		s.complain(w, http.StatusInternalServerError, err)
	default:
		http.Redirect(w, r, "/drafts/"+d.ID, http.StatusSeeOther)
	}
}

// spool copies the parts of a form as they come: settings first, then the file.
func (s draftPages) spool(r *http.Request) (*draft, error) {
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
			if d.File != "" {
				return d, errors.New("several files were chosen, and an edit is of one; try: one after the other")
			}
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
	if strings.EqualFold(name, "draft.json") || strings.EqualFold(name, "mapping.yaml") {
		name = "_" + name
	}
	return name
}

func (s draftPages) dropDraft(w http.ResponseWriter, r *http.Request) {
	d, ok := s.findDraft(w, r)
	if !ok {
		return
	}
	if err := os.RemoveAll(d.folder); err != nil {
		s.complain(w, http.StatusInternalServerError, err)
		return
	}
	http.Redirect(w, r, "/new?"+url.Values{"account": {d.Account}, "action": {d.Action}}.Encode(), http.StatusSeeOther)
}

// preview begins the dry run of a draft.
func (s draftPages) preview(w http.ResponseWriter, r *http.Request) {
	d, ok := s.findDraft(w, r)
	if !ok {
		return
	}
	what, view := "preview "+d.ID, r.PostFormValue("view")
	s.forget(what, view)
	run, err := s.begin(what, agreement{view: view}, func(f job.Front, c job.Control) (*job.Result, error) {
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

func (s draftPages) showDraft(w http.ResponseWriter, r *http.Request) {
	if d, ok := s.findDraft(w, r); ok {
		s.draftPage(w, d, http.StatusOK, nil)
	}
}

// draftPage shows a draft, with what was wrong when something was asked of it.
func (s draftPages) draftPage(w http.ResponseWriter, d *draft, status int, wrong error) {
	v := &draftView{ID: d.ID, File: d.File, Uploaded: d.Uploaded, HasMapping: d.Input.Map != ""}
	i := slices.IndexFunc(choices(), func(c choice) bool { return c.Name == d.Action })
	v.What = choices()[i].Title
	v.frame = frame{Title: d.File, Script: "draft.js", Nav: "new", Account: s.bandOf(s.account(d.Account)),
		Steps: stepsOf("Columns", map[string]string{"New": "/new"})}
	look, err := intake.LookAt(s.ctx, d.source())
	if err == nil && hasSecrets(look) { // what is wrong with it was found out only now
		err, look = errSecrets, nil
	}
	if wrong = cmp.Or(wrong, err); wrong != nil {
		v.Problem = told(d.said(wrong))
	}
	if v.reading, err = readingOf(s.ctx, d, look, wrong); err != nil && v.Problem == nil {
		v.Problem = told(d.said(err))
	}
	if look == nil {
		v.NotReady = &trouble{Text: "The file cannot be read as it stands."}
		s.show(w, status, "draft", v)
		return
	}
	v.Rows = look.Rows
	for _, c := range look.Columns {
		v.Headings = append(v.Headings, shortened(c.Heading))
	}
	for _, row := range look.First {
		l := lineView{Line: row.Line}
		for _, cell := range row.Cells {
			l.Cells = append(l.Cells, shortened(cell))
		}
		v.First = append(v.First, l)
	}
	m, err := look.Understand(s.ctx, d.source())
	switch {
	case err != nil:
		v.NotReady = told(d.said(err))
	case m.HasSecrets():
		v.NotReady, v.First = told(errSecrets), nil
	}
	if !d.Uploaded {
		v.Columns = columnViews(d, look, v.NotReady)
		for _, c := range v.Columns {
			if c.Field == "" {
				v.Open++
			}
		}
		if v.Open > 0 {
			v.NotReady = &trouble{Text: batch.Plural(v.Open, "column") + " without a field.",
				Try: "choose one for each, or leave the column out"}
		}
	}
	s.show(w, status, "draft", v)
}

// draftView is the page of a draft.
type draftView struct {
	frame
	ID, File, What string
	reading
	Problem    *trouble // of the file as a whole
	NotReady   *trouble // why there can be no preview yet
	Rows       int
	Columns    []columnView
	Open       int // columns without a field
	Headings   []string
	First      []lineView
	HasMapping bool
	Uploaded   bool
}

type lineView struct {
	Line  int
	Cells []string
}
