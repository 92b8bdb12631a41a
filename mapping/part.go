package mapping

import (
	"fmt"
	"slices"
	"strings"

	"rowbatch/mapping/csvfile"
)

// heading is a column of the input on its way to a use.
type heading struct {
	index int
	text  string // trimmed
	use   use
	taken bool // by an action, or meant to be by the mapping file

	joined []int // the columns of which it is made; nil: it is one column
}

// use is what a column is for.
type use int

const (
	undecided use = iota // up to each action
	leftOut
	decides // the action
	guards
)

// part is one action on its way to a layout.
type part struct {
	*layout
	setBy map[string]string // folded field → what sets it
	takes []bool            // by column: it is the key, a guard, or sets a field
}

// taker is an action that has a field of some name.
type taker struct {
	*part
	target target
}

// objections are what speaks against a column of some name setting the field as a rule has it.
func (t taker) objections(name string, r *ColumnRule) (all []string) {
	if r == nil {
		r = &ColumnRule{}
	}
	if t.target.field.Secret && (r.Values != nil || r.expression != nil || r.Lower || r.Dates != "" || r.Join != nil) {
		all = append(all, t.target.name+" is sent as it stands in the input: values, expr and lower are not for it, nor are dates and join")
	}
	if t.schema.Unreadable && r.OnlyIfBlank {
		all = append(all, fmt.Sprintf("only_if_blank is not for %s: the API gives no record back, and nobody can tell whether %s is blank",
			t.schema.Action, t.target.name))
	}
	if csvfile.Fold(name) == passwordName && !t.target.field.Secret {
		all = append(all, showsPasswords(name, t.target.name+" is shown in reports"))
	}
	return all
}

func showsPasswords(heading, where string) string {
	return fmt.Sprintf("the column %q holds passwords by its heading, and %s: rename the column if it holds none", heading, where)
}

func (p *part) take(h *heading) {
	p.takes[h.index], h.taken = true, true
	for _, i := range h.joined {
		p.takes[i] = true
	}
}

// claim notes who sets a field and objects to a second.
func (p *part) claim(t target, by string) string {
	name := csvfile.Fold(t.name)
	if other := p.setBy[name]; other != "" {
		return fmt.Sprintf("two sources for %s: %s and %s", t.name, other, by)
	}
	p.setBy[name] = by
	return ""
}

// column is a heading with the rules by which this action reads it.
func (p *part) column(h *heading, t target, file *File, rule *ColumnRule) column {
	col := newColumn(h, t)
	col.clearWord = file.Clear
	col.reserved = p.schema.Reserved
	col.readable = !p.schema.Unreadable
	for _, word := range file.Blanks {
		col.blanks = append(col.blanks, trimEnds(word.Text))
	}
	if rule != nil {
		col.rule = *rule
	}
	allowed := slices.ContainsFunc(file.AllowClear, func(s Scalar) bool { return csvfile.Fold(s.Text) == csvfile.Fold(t.name) })
	col.clearable = !t.field.neverCleared() && (t.field.Clear == Clearable || allowed)
	col.blankClears = file.BlankClears && col.clearable
	return col
}

// settable finds the actions that can set a field, or says why none of them can.
func settable(parts []*part, name string) (all []taker, why string) {
	for _, p := range parts {
		if t, ok := p.schema.settable(name); ok {
			all = append(all, taker{p, t})
		}
	}
	if len(all) > 0 {
		return all, ""
	}
	for _, p := range parts {
		for other, where := range p.schema.Belongs {
			if csvfile.Fold(other) == csvfile.Fold(name) {
				return nil, fmt.Sprintf("%s cannot be set by %s: %s", name, p.schema.Action, where)
			}
		}
	}
	for _, p := range parts {
		if f := p.schema.key(name); f != nil {
			return nil, fmt.Sprintf("%s names the customer and cannot be set", f.Name)
		}
	}
	return nil, fmt.Sprintf("%q is not a field of %s%s", name, either(actionsOf(parts)), didYouMean(name, keyAndFieldNames(parts)))
}

// readable finds the actions that can compare a field with the live record, or
// says why none of them can.
func readable(parts []*part, name string) (readers []taker, why string) {
	var names []string
	blind := true
	for _, p := range parts {
		t, ok := p.schema.readable(name)
		switch {
		case ok && t.field.Secret:
			return nil, t.name + " is secret and cannot be compared with the live record"
		case p.schema.Unreadable:
			continue
		case ok:
			readers = append(readers, taker{p, t})
		}
		blind = false
		names = slices.Concat(names, namesOf(p.schema.Keys), namesOf(p.schema.Fields), p.schema.Guards)
	}
	switch {
	case len(readers) > 0:
		return readers, ""
	case blind:
		return nil, fmt.Sprintf("%s has nothing to compare %s with: the API gives no record back", either(actionsOf(parts)), name)
	}
	return nil, fmt.Sprintf("%q cannot be read%s", name, didYouMean(name, names))
}

func actionsOf(parts []*part) []string {
	var names []string
	for _, p := range parts {
		names = append(names, p.schema.Action)
	}
	return names
}

func keyAndFieldNames(parts []*part) (names []string) {
	for _, p := range parts {
		names = slices.Concat(names, namesOf(p.schema.Keys), namesOf(p.schema.Fields))
	}
	return names
}

// keyNames are the fields that name the customers of some of the actions.
func keyNames(parts []*part) (names []string) {
	for _, p := range parts {
		names = append(names, namesOf(p.schema.Keys)...)
	}
	return eachOnce(names)
}

// finderNames are keyNames, and those that need a mapping file.
func finderNames(parts []*part) []string {
	names := keyNames(parts)
	for _, p := range parts {
		names = append(names, namesOf(p.schema.Finders)...)
	}
	return eachOnce(names)
}

func eachOnce(names []string) (once []string) {
	for _, name := range names {
		if !slices.Contains(once, name) {
			once = append(once, name)
		}
	}
	return once
}

// delimiterHint is for a heading that looks like several in one.
func delimiterHint(heading string) string {
	if strings.ContainsAny(heading, csvfile.Delimiters+":") {
		return "; or is another --delimiter meant?"
	}
	return ""
}
