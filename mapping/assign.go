package mapping

import (
	"fmt"
	"slices"
	"strings"

	"rowbatch/mapping/csvfile"
)

// rule returns what the mapping file says of a column in rows of an action.
func (c *compiler) rule(p *part, h *heading) *ColumnRule {
	for _, r := range c.file.rules(h.text) {
		if r.Action.Text == "" || r.Action.Text == p.schema.Action {
			return r
		}
	}
	return nil
}

// meaning is the name under which a column means a field to an action: the
// mapping file's, else its own; "" where the file gives it to other actions only.
func (c *compiler) meaning(p *part, h *heading) string {
	if rule := c.rule(p, h); rule != nil {
		return rule.Field.Text
	}
	if len(c.file.rules(h.text)) > 0 {
		return ""
	}
	return h.text
}

// unclear says that what a column is for stands in a part of the mapping file
// that could not be made sense of, which has been complained about already.
func (c *compiler) unclear(h *heading) bool {
	rules := c.file.rules(h.text)
	if slices.ContainsFunc(rules, func(r *ColumnRule) bool { return len(c.scope(r.Action)) == 0 }) {
		return true
	}
	if len(c.file.bad) == 0 {
		return false
	}
	if len(rules) > 0 {
		return slices.ContainsFunc(rules, func(r *ColumnRule) bool { return r.Field.Text == "" })
	}
	return c.file.columnsUnread || c.file.mentions(h.text)
}

func (c *compiler) anyUnclear() bool {
	for i := range c.columns {
		if h := &c.columns[i]; h.use == undecided && c.unclear(h) {
			return true
		}
	}
	return false
}

// assign finds the fields that a column sets.
func (c *compiler) assign(h *heading) {
	if h.use != undecided || c.unclear(h) || c.onlyRead(h) {
		return
	}
	rules := c.file.rules(h.text)
	for _, rule := range rules {
		c.assignAs(h, rule.Field.Text, rule)
	}
	switch {
	case len(rules) > 0:
	case len(c.file.Columns) == 0:
		c.assignAs(h, h.text, nil)
	case !h.taken:
		c.bad.add(fmt.Sprintf("the column %q is not listed in the mapping file%s", h.text, didYouMean(h.text, c.absent())),
			fmt.Sprintf("list it under columns or ignore, or --ignore %q", h.text))
	}
}

// assignAs lets a column set the field of a name in rows of all actions that have
// it, those aside whose key it is.
func (c *compiler) assignAs(h *heading, name string, rule *ColumnRule) {
	parts := c.parts
	if rule != nil {
		parts = c.scope(rule.Action)
	}
	free := slices.DeleteFunc(slices.Clone(parts), func(p *part) bool { return p.takes[h.index] })
	all, why := settable(free, name)
	if why != "" && len(free) == len(parts) && (rule != nil || !h.taken) {
		c.blame(h, rule, why)
	}
	for _, t := range all {
		if why := t.claim(t.target, fmt.Sprintf("the column %q", h.text)); why != "" {
			c.blame(h, rule, why)
			continue
		}
		c.checkSecret(t, rule)
		if csvfile.Fold(h.text) == passwordName && !t.target.field.Secret {
			c.blame(h, rule, fmt.Sprintf("the column %q holds passwords by its heading, and %s is shown in reports: rename the column if it holds none", h.text, t.target.name))
		}
		t.take(h)
		t.layout.columns = append(t.layout.columns, t.column(h, t.target, c.file, rule))
	}
}

// blame tells why a column cannot set what it is meant to.
func (c *compiler) blame(h *heading, rule *ColumnRule, why string) {
	if rule != nil {
		c.complain(rule.Field, "%s", why)
		return
	}
	c.bad.add(fmt.Sprintf("column %d: %s", h.index+1, why), fmt.Sprintf("rename it, or leave it out with --ignore %q%s", h.text, delimiterHint(h.text)))
}

// checkSecret refuses a rule that would hold a secret, or change one.
func (c *compiler) checkSecret(t taker, rule *ColumnRule) {
	if rule != nil && t.target.field.Secret && (rule.Values != nil || rule.expression != nil || rule.Lower) {
		c.complain(rule.Field, "%s is sent as it stands in the input: values, expr and lower are not for it", t.target.name)
	}
}

// absent are the listed columns that the input lacks: what a heading may have been meant for.
func (c *compiler) absent() []string {
	var names []string
	for _, r := range c.file.Columns {
		if c.find(r.Column.Text) == nil {
			names = append(names, strings.TrimSpace(r.Column.Text))
		}
	}
	return names
}

// unlisted are the headings without use: what a listed column may have been meant for.
func (c *compiler) unlisted() []string {
	var names []string
	for _, h := range c.columns {
		if h.use == undecided && !h.taken && c.file.rules(h.text) == nil {
			names = append(names, h.text)
		}
	}
	return names
}

// unassigned looks at the rules whose column cannot set anything: it is not in
// the input, or stands elsewhere in the file too.
func (c *compiler) unassigned() {
	for i := range c.file.Columns {
		r := &c.file.Columns[i]
		name := strings.TrimSpace(r.Column.Text)
		at := slices.IndexFunc(c.columns, func(h heading) bool { return h.text == name })
		switch {
		case at < 0:
			c.complain(r.Column, "the input has no column %q%s", name, didYouMean(name, c.unlisted()))
			c.absentee(r, name)
		case c.columns[at].use == guards, c.file.ignores(name):
			c.settableBy(r)
		}
	}
}

// settableBy finds the actions that could set the field of a rule whose column
// cannot be assigned. That there are none is told, unless the field is a key.
func (c *compiler) settableBy(r *ColumnRule) []taker {
	parts := c.scope(r.Action)
	isKey := func(p *part) bool { return p.directory.key(r.Field.Text) != nil }
	if r.Field.Text == "" || len(parts) == 0 || slices.ContainsFunc(parts, isKey) {
		return nil
	}
	all, why := settable(parts, r.Field.Text)
	if why != "" {
		c.complain(r.Field, "%s", why)
	}
	return all
}

// absentee claims the field of a column that the input lacks.
func (c *compiler) absentee(r *ColumnRule, name string) {
	for _, t := range c.settableBy(r) {
		c.checkSecret(t, r)
		if why := t.claim(t.target, fmt.Sprintf("the column %q", name)); why != "" {
			c.complain(r.Field, "%s", why)
		}
	}
}

// constants become cells that every row sets whose action has the field.
func (c *compiler) constants() {
	for _, p := range c.file.Constants {
		all, why := settable(c.parts, p.Name.Text)
		if why != "" {
			c.complain(p.Name, "constants: %s", why)
		}
		for _, t := range all {
			why := t.claim(t.target, "a constant")
			if t.target.field.Secret {
				why = noSecretsHere
			}
			if why != "" {
				c.complain(p.Name, "constants: %s", why)
				continue
			}
			c.constant(t, p)
		}
	}
}

// constant reads a value as if it stood in a cell. The clear word and allow_clear
// may be among what could not be read, and then it may be right after all.
func (c *compiler) constant(t taker, p Pair) {
	name, value := p.Name.Text, p.Value
	col := t.column(&heading{index: -1, text: "constants"}, t.target, c.file, nil)
	var out Mapped
	col.set(value.Text, &out)
	for _, problem := range out.Problems {
		if c.file.mentions(value.Text) || problem.Code == "not_clearable" && c.file.mentions(t.target.name) {
			continue
		}
		c.complain(value, "constants: %s: %s", name, problem.Text)
	}
	if len(out.Cells)+len(out.Problems) == 0 {
		text := fmt.Sprintf("constants: %s is blank, and blank sets nothing", name)
		c.bad.addAt(value, c.file.at(value, text), c.file.Clear+" to clear the field, or take the line out")
	}
	t.layout.constants = append(t.layout.constants, out.Cells...)
}

func (c *compiler) checkAllowClear() {
	for _, s := range c.file.AllowClear {
		all, why := settable(c.parts, s.Text)
		if len(all) > 0 && !slices.ContainsFunc(all, func(t taker) bool { return !t.target.field.neverCleared() }) {
			why = all[0].target.name + " can never be cleared"
		}
		if why != "" {
			c.complain(s, "allow_clear: %s", why)
		}
	}
}

// delimiterHint is for a heading that looks like several in one.
func delimiterHint(heading string) string {
	if strings.ContainsAny(heading, csvfile.Delimiters+":") {
		return "; or is another --delimiter meant?"
	}
	return ""
}
