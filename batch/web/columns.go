package web

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/google/renameio/v2/maybe"
	"go.yaml.in/yaml/v4"

	"rowbatch/batch"
	"rowbatch/batch/intake"
	"rowbatch/mapping"
)

// column is what somebody has chosen for a heading.
type column struct {
	Heading     string      `json:"heading"`
	Field       string      `json:"field"` // a field's name, or one of the uses below; "": nothing yet
	Untrimmed   bool        `json:"untrimmed,omitempty"`
	Lower       bool        `json:"lower,omitempty"`
	OnlyIfBlank bool        `json:"only_if_blank,omitempty"`
	Expr        string      `json:"expr,omitempty"`
	Values      []valuePair `json:"values,omitempty"`
}

type valuePair struct {
	From string `json:"from"`
	To   string `json:"to"`
}

// The uses of a column that sets no field.
const (
	useIgnore = "ignore"
	useAction = "action"
	useExport = "export" // rb_export, which nobody chooses: it is there, or not
	useKey    = "key:"   // before the name of a field that names the customer
	useGuard  = "guard:" // before the name of a field that must hold the cell's value
)

// hasSecrets reports whether a heading means passwords to any action.
func hasSecrets(l *intake.Look) bool {
	schemas := schemasOf(intake.Mixed)
	for _, p := range mapping.Propose(schemas, l.Headings(), nil) {
		for _, s := range schemas {
			if slices.ContainsFunc(s.Fields, func(f mapping.Field) bool { return f.Secret && f.Name == p.Field }) {
				return true
			}
		}
	}
	return false
}

// proposed are the columns of a file before anybody has chosen.
func proposed(d *draft, l *intake.Look) []column {
	headings, samples := l.Headings(), make([][]string, len(l.Columns))
	for n, c := range l.Columns {
		samples[n] = c.Values
	}
	all := make([]column, len(headings))
	for n, p := range mapping.Propose(schemasOf(d.Action), headings, samples) {
		all[n] = column{Heading: headings[n], Field: p.Field}
		if p.Key {
			all[n].Field = useKey + p.Field
		}
		if p.Action {
			all[n].Field = useAction
		}
		if l.Columns[n].Export {
			all[n].Field = useExport
		}
	}
	return all
}

func schemasOf(action string) (all []mapping.Schema) {
	for _, s := range intake.ActionsOf(action).Specs {
		all = append(all, s.Schema)
	}
	return all
}

// mappingText writes the mapping file that says what was chosen.
func mappingText(action string, columns []column) ([]byte, error) {
	m := map[string]any{"action": action}
	rules, match, ignore := map[string]any{}, map[string]string{}, []string{}
	for _, c := range columns {
		name, isKey := strings.CutPrefix(c.Field, useKey)
		guard, isGuard := strings.CutPrefix(c.Field, useGuard)
		switch {
		case c.Field == useExport:
		case c.Field == useIgnore:
			ignore = append(ignore, c.Heading)
		case c.Field == useAction:
			m["action_column"] = c.Heading
		case isKey:
			m["key"] = map[string]string{"column": c.Heading, "field": name}
		case isGuard:
			match[c.Heading] = guard
		case c.Field != "":
			rules[c.Heading] = c.rule()
		}
	}
	if len(rules) > 0 {
		m["columns"] = rules
	}
	if len(match) > 0 {
		m["match"] = match
	}
	if len(ignore) > 0 {
		m["ignore"] = ignore
	}
	return yaml.Marshal(m)
}

// rule is what the mapping file says of a column that sets a field.
func (c column) rule() any {
	if !c.Untrimmed && !c.Lower && !c.OnlyIfBlank && c.Expr == "" && len(c.Values) == 0 {
		return c.Field
	}
	r := map[string]any{"field": c.Field}
	if c.Untrimmed {
		r["trim"] = false
	}
	if c.Lower {
		r["lower"] = true
	}
	if c.OnlyIfBlank {
		r["only_if_blank"] = true
	}
	if c.Expr != "" {
		r["expr"] = c.Expr
	}
	if len(c.Values) > 0 {
		values := map[string]string{}
		for _, v := range c.Values {
			values[v.From] = v.To
		}
		r["values"] = values
	}
	return r
}

// plain reports whether the headings say all that was chosen by themselves.
func plain(columns []column) bool {
	return !slices.ContainsFunc(columns, func(c column) bool {
		name := strings.TrimPrefix(c.Field, useKey)
		_, isText := c.rule().(string)
		return !isText || c.Field != useAction && c.Field != useExport && !mapping.SameName(name, c.Heading)
	})
}

type columnView struct {
	column
	Place, Filled, Remark, Todo string
	Samples                     []string
	Choices                     []choice
	Sets                        bool
	Few                         bool // values, so that each can be told what it becomes
}

// shortened is as much of a cell as a page of columns has room for.
func shortened(cell string) string {
	const enough = 200 // bytes
	if len(cell) > enough {
		return batch.Visible(strings.ToValidUTF8(cell[:enough], "")) + "…"
	}
	return batch.Visible(cell)
}

// columnViews are the columns of a draft, each with what is wrong with it.
func columnViews(d *draft, l *intake.Look, wrong *trouble) (all []columnView) {
	options := fieldChoices(d.Action)
	for n, c := range d.Columns[:min(len(d.Columns), len(l.Columns))] {
		look := l.Columns[n]
		v := columnView{column: c, Choices: options, Filled: batch.Thousands(look.Filled) + " filled", Few: look.Few()}
		if _, letter, is := strings.Cut(look.Place, "!"); is {
			v.Place = letter
		}
		for _, cell := range look.Samples {
			v.Samples = append(v.Samples, shortened(cell))
		}
		if blank := l.Rows - look.Filled; blank > 0 {
			v.Filled += ", " + batch.Thousands(blank) + " blank"
		}
		switch {
		case c.Field == "":
			v.Todo = "This heading is no field: choose one, or leave the column out."
		case c.Field == useIgnore:
			v.Remark = "left out"
		case c.Field == useExport:
			v.Remark = "tells which cells you have edited: all others are left as they are, whatever the customer holds by now"
		case c.Field == useAction:
			v.Remark = "says what each row becomes"
		case strings.HasPrefix(c.Field, useKey):
			v.Remark = "the key: must find exactly one customer"
		case strings.HasPrefix(c.Field, useGuard):
			v.Remark = "a guard: the live record must hold this value, else the row is a conflict"
		default:
			v.Sets = true
			if c.Field == "primaryEmail" {
				v.Remark = "invoices go to this address"
			}
		}
		named := func(text string) bool { return wrong != nil && strings.Contains(wrong.Text, text) }
		if v.Todo == "" && (named(strconv.Quote(c.Heading)) || named(c.Heading+": ")) {
			v.Todo = wrong.Text
		}
		all = append(all, v)
	}
	return all
}

// columnPages take what is chosen for the columns of a draft.
type columnPages struct{ draftPages }

func (s columnPages) choose(w http.ResponseWriter, r *http.Request) {
	d, ok := s.findDraft(w, r)
	if !ok {
		return
	}
	look, err := intake.LookAt(s.ctx, d.source())
	if err != nil {
		s.draftPage(w, d, http.StatusUnprocessableEntity, err)
		return
	}
	for n := range d.Columns[:min(len(d.Columns), len(look.Columns))] {
		if look.Columns[n].Export {
			continue
		}
		c, is := &d.Columns[n], func(name string) bool { return r.PostFormValue(fmt.Sprint(name, n)) == "yes" }
		sets, had := r.PostForm.Has(fmt.Sprint("expr", n)), len(c.Values) > 0 // one that sets no field has no options on its page
		c.Field = r.PostFormValue(fmt.Sprint("field", n))
		if ignore := r.PostFormValue("ignore"); ignore == strconv.Itoa(n) || ignore == "others" && c.Field == "" {
			c.Field = useIgnore
		}
		c.Untrimmed, c.Lower, c.OnlyIfBlank = sets && !is("trim"), is("lower"), is("if_blank")
		c.Expr, c.Values = strings.TrimSpace(r.PostFormValue(fmt.Sprint("expr", n))), nil
		from, to := r.PostForm[fmt.Sprint("from", n)], r.PostForm[fmt.Sprint("to", n)]
		switch {
		case is("values") && had:
			for k := range min(len(from), len(to)) {
				c.Values = append(c.Values, valuePair{from[k], to[k]})
			}
		case is("values") && look.Columns[n].Few():
			for _, value := range look.Columns[n].Values {
				if strings.TrimSpace(value) != "" {
					c.Values = append(c.Values, valuePair{value, value})
				}
			}
		}
	}
	s.changed(w, r, d, d.keep())
}

const largestMapping = 1 << 20 // bytes

// takeMapping takes a mapping file in place of the choices; without one, the choices again.
func (s columnPages) takeMapping(w http.ResponseWriter, r *http.Request) {
	d, ok := s.findDraft(w, r)
	if !ok {
		return
	}
	f, _, err := r.FormFile("mapping")
	if d.Uploaded = err == nil; !d.Uploaded {
		s.changed(w, r, d, d.keep())
		return
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, largestMapping+1))
	if len(text) > largestMapping {
		s.complain(w, http.StatusUnprocessableEntity, fmt.Errorf("a mapping file has %d MB at most", largestMapping>>20))
		return
	}
	if d.Input.Map = d.mapping(); err == nil {
		err = maybe.WriteFile(d.Input.Map, text, 0o600)
	}
	if err = errors.Join(err, d.save()); err == nil {
		var look *intake.Look
		if look, err = intake.LookAt(s.ctx, d.source()); err == nil {
			if m, wrong := look.Understand(s.ctx, d.source()); wrong == nil && m.HasSecrets() {
				err = errSecrets
			}
		} else {
			err = nil // its page tells
		}
	}
	s.changed(w, r, d, err)
}

// sendMapping sends the mapping file of a draft.
func (s columnPages) sendMapping(w http.ResponseWriter, r *http.Request) {
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

// fieldChoices are all that a column of an action can be.
func fieldChoices(action string) (all []choice) {
	all = append(all, choice{Name: useIgnore, Title: "leave this column out"})
	if action == intake.Mixed {
		all = append(all, choice{Name: useAction, Title: "the action of each row"})
	}
	var keys, sets, guards []choice
	for _, s := range schemasOf(action) {
		for _, k := range slices.Concat(s.Keys, s.Finders) {
			keys = append(keys, choice{Name: useKey + k.Name, Title: "key: " + k.Name})
		}
		names := slices.Clone(s.Guards)
		for _, f := range s.Fields {
			if f.Secret || f.Family {
				continue
			}
			sets = append(sets, choice{Name: f.Name, Title: f.Name})
			if len(s.Guards) > 0 { // what is written can be compared, too, where it can be read
				names = append(names, f.Name)
			}
		}
		for _, name := range names {
			guards = append(guards, choice{Name: useGuard + name, Title: "guard: " + name})
		}
	}
	seen := map[string]bool{}
	for _, c := range slices.Concat(all, keys, sets, guards) {
		if !seen[c.Name] {
			seen[c.Name] = true
			all = append(all[:len(seen)-1], c)
		}
	}
	return all
}
