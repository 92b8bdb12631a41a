package web

import (
	"cmp"
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
	"rowbatch/mapping"
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
func (d *draft) said(err error) string { return strings.ReplaceAll(err.Error(), d.path(), d.File) }

// source is where a run of the draft begins.
func (d *draft) source() intake.Source {
	return intake.Source{Name: d.path(), Actions: intake.ActionsOf(d.Action), Input: d.Input}
}

// findDraft reads a draft; it answers the request where there is none.
func (s draftPages) findDraft(w http.ResponseWriter, r *http.Request) (*draft, bool) {
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

// sweep removes drafts that nobody has changed for long.
func (s draftPages) sweep() error {
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

// draftPages are the pages of edits that have no run yet.
type draftPages struct{ *site }

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

func (s draftPages) newEdit(w http.ResponseWriter, _ *http.Request) {
	s.showNew(w, http.StatusOK, "")
}

func (s draftPages) showNew(w http.ResponseWriter, status int, problem string) {
	s.show(w, status, "new", newView{frame: frame{Title: "New edit", Script: "draft.js", Nav: "new", Account: s.bandOf(s.Accounts[0]),
		Steps: stepsOf("New", nil)}, Accounts: s.Accounts, Actions: choices(), Problem: problem})
}

// takeFile spools a file that was dropped on the page.
func (s draftPages) takeFile(w http.ResponseWriter, r *http.Request) {
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

func (s draftPages) dropDraft(w http.ResponseWriter, r *http.Request) {
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
func (s draftPages) preview(w http.ResponseWriter, r *http.Request) {
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

const largestMapping = 1 << 20 // bytes

func (s draftPages) showDraft(w http.ResponseWriter, r *http.Request) {
	if d, ok := s.findDraft(w, r); ok {
		s.draftPage(w, d, http.StatusOK, nil)
	}
}

// draftPage shows a draft, with what was wrong when something was asked of it.
func (s draftPages) draftPage(w http.ResponseWriter, d *draft, status int, wrong error) {
	a := s.account(d.Account)
	v := &draftView{ID: d.ID, File: d.File, Uploaded: d.Uploaded}
	i := slices.IndexFunc(choices(), func(c choice) bool { return c.Name == d.Action })
	v.What = choices()[i].Title
	v.frame = frame{Title: d.File, Script: "draft.js", Nav: "new", Account: s.bandOf(a),
		Steps: stepsOf("Columns", map[string]string{"New": "/new"})}
	look, err := intake.LookAt(s.ctx, d.source())
	if err != nil {
		v.Problem, v.NotReady = d.said(cmp.Or(wrong, err)), "The file cannot be read as it stands."
		s.show(w, http.StatusUnprocessableEntity, "draft", v)
		return
	}
	if wrong != nil {
		v.Problem = d.said(wrong)
	}
	v.Rows, v.Facts = look.Rows, []fact{{"Written as", look.Written}, {"Columns", fmt.Sprint(len(look.Columns))}}
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
	if !d.Uploaded {
		if len(d.Columns) == 0 {
			d.Columns = proposed(d, look)
		}
		v.Columns = columnViews(d, look)
		err = d.keepMapping()
	}
	v.HasMapping = d.Input.Map != ""
	if err == nil {
		_, err = s.understood(d, look)
	}
	if v.Ready = err == nil; !v.Ready {
		v.NotReady = d.said(err)
	}
	s.show(w, status, "draft", v)
}

// understood compiles the columns of a draft as its run will.
func (s draftPages) understood(d *draft, l *intake.Look) (*mapping.Mapper, error) {
	m, err := l.Understand(s.ctx, d.source())
	if err == nil && m.HasSecrets() {
		err = errors.New("this file has passwords, and the page keeps none; try: the command line, rowbatch " + d.Action + " FILE")
	}
	return m, err
}

// changeDraft takes what was chosen for the columns.
func (s draftPages) changeDraft(w http.ResponseWriter, r *http.Request) {
	d, ok := s.findDraft(w, r)
	if !ok {
		return
	}
	look, err := intake.LookAt(s.ctx, d.source())
	if err != nil {
		s.draftPage(w, d, http.StatusUnprocessableEntity, err)
		return
	}
	if len(d.Columns) == 0 {
		d.Columns = proposed(d, look)
	}
	for n := range d.Columns {
		c, is := &d.Columns[n], func(name string) bool { return r.PostFormValue(fmt.Sprint(name, n)) == "yes" }
		had := len(c.Values) > 0
		c.Field = r.PostFormValue(fmt.Sprint("field", n))
		c.Lower, c.OnlyIfBlank, c.Expr = is("lower"), is("if_blank"), strings.TrimSpace(r.PostFormValue(fmt.Sprint("expr", n)))
		c.Values = nil
		from, to := r.PostForm[fmt.Sprint("from", n)], r.PostForm[fmt.Sprint("to", n)]
		switch {
		case is("values") && had:
			for k := range min(len(from), len(to)) {
				c.Values = append(c.Values, valuePair{from[k], to[k]})
			}
		case is("values"):
			for _, value := range look.Columns[n].Values {
				if strings.TrimSpace(value) != "" {
					c.Values = append(c.Values, valuePair{value, value})
				}
			}
		}
	}
	if err := d.save(); err != nil {
		s.complain(w, http.StatusInternalServerError, err)
		return
	}
	http.Redirect(w, r, "/drafts/"+d.ID, http.StatusSeeOther)
}

// keepMapping writes the mapping file of what was chosen, where the headings do not say it by themselves.
func (d *draft) keepMapping() error {
	if plain(d.Columns) {
		d.Input.Map = ""
		return d.save()
	}
	text, err := mappingText(d.Action, d.Columns)
	if err != nil {
		return err
	}
	d.Input.Map = d.mapping()
	return errors.Join(maybe.WriteFile(d.Input.Map, text, 0o600), d.save())
}

// takeMapping takes a mapping file in place of the choices; without one, the choices again.
func (s draftPages) takeMapping(w http.ResponseWriter, r *http.Request) {
	d, ok := s.findDraft(w, r)
	if !ok {
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, 2*largestMapping)
	d.Uploaded, d.Input.Map = false, ""
	err := error(nil)
	if f, _, noFile := r.FormFile("mapping"); noFile == nil {
		defer f.Close()
		var text []byte
		if text, err = io.ReadAll(io.LimitReader(f, largestMapping)); err == nil {
			d.Uploaded, d.Input.Map = true, d.mapping()
			err = os.WriteFile(d.Input.Map, text, 0o600)
		}
	}
	if err = errors.Join(err, d.save()); err != nil {
		s.complain(w, http.StatusInternalServerError, err)
		return
	}
	http.Redirect(w, r, "/drafts/"+d.ID, http.StatusSeeOther)
}

// sendMapping sends the mapping file of a draft.
func (s draftPages) sendMapping(w http.ResponseWriter, r *http.Request) {
	d, ok := s.findDraft(w, r)
	if !ok {
		return
	}
	text, err := os.ReadFile(d.mapping())
	if err != nil {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", "application/yaml")
	w.Header().Set("Content-Disposition", `attachment; filename="mapping.yaml"`)
	_, _ = w.Write(text) // who is gone needs no file
}
