package mapping

import (
	"fmt"
	"slices"
	"strings"
)

// chooseKey takes the column of the mapping file's key, else the one that means
// the schema's first key, else the next.
func (c *compiler) chooseKey() {
	field := c.keyField()
	if c.file.Key.Column.Text != "" {
		c.keyOfFile(field)
		return
	}
	for _, field := range c.schema.Keys {
		for i := range c.columns {
			h := &c.columns[i]
			if h.use == undecided && !c.unclear(h) && fold(c.target(h)) == fold(field.Name) {
				c.setKey(h, c.directory.key(field.Name))
				return
			}
		}
	}
	if !c.file.keyUnread && !c.anyUnclear() {
		c.bad.add("no column says which customer a row is about", c.keyHint())
	}
}

// unclear says that what a column is for may stand in a part of the mapping
// file that could not be read, which has been complained about already.
func (c *compiler) unclear(h *heading) bool {
	if len(c.file.bad) == 0 {
		return false
	}
	if rule := c.file.rule(h.text); rule != nil {
		return rule.Field.Text == ""
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

func (c *compiler) keyHint() string {
	names := c.keyNames()
	hint := "a column headed " + strings.Join(names, " or ") + ", or key: in a mapping file"
	if near, ok := nearestPair(c.texts(), names); ok {
		hint += "; is it " + near + "?"
	}
	return hint
}

func (c *compiler) keyNames() []string {
	var names []string
	for _, f := range c.schema.Keys {
		names = append(names, f.Name)
	}
	return names
}

// nearestPair returns the first heading that is near one of the names.
func nearestPair(headings, names []string) (string, bool) {
	for _, h := range headings {
		if _, ok := Nearest(h, names); ok {
			return fmt.Sprintf("%q", h), true
		}
	}
	return "", false
}

// keyField returns the field of the mapping file's key, nil when there is none.
func (c *compiler) keyField() *Field {
	name := c.file.Key.Field
	field := c.directory.key(name.Text)
	if field == nil && name.Text != "" {
		c.complain(name, "key: the field is one of %s, not %s", strings.Join(c.keyNames(), ", "), name.Text)
	}
	return field
}

func (c *compiler) keyOfFile(field *Field) {
	column := c.file.Key.Column
	h := c.find(column.Text)
	switch {
	case h == nil:
		c.complain(column, "key names the column %q, which the input lacks%s", column.Text, didYouMean(column.Text, c.texts()))
		return
	case h.use == guards:
		c.complain(column, "the column %q stands in key and in match", h.text)
		return
	}
	h.use = keys
	if field == nil {
		return
	}
	if rule := c.file.rule(h.text); rule != nil && rule.Field.Text != "" && fold(rule.Field.Text) != fold(field.Name) {
		c.complain(rule.Field, "the column %q is the key and cannot also set %s", h.text, rule.Field.Text)
	}
	c.setKey(h, field)
}

func (c *compiler) setKey(h *heading, field *Field) {
	h.use = keys
	c.mapper.key = c.column(h, target{field, field.Name}, c.file.rule(h.text))
}

// target is the name under which a column means a field: the mapping file's, else its own.
func (c *compiler) target(h *heading) string {
	if rule := c.file.rule(h.text); rule != nil {
		return rule.Field.Text
	}
	return h.text
}

// assign finds the field that a column sets.
func (c *compiler) assign(h *heading) {
	if h.use != undecided || c.unclear(h) {
		return
	}
	rule := c.file.rule(h.text)
	if rule == nil && len(c.file.Columns) > 0 {
		c.bad.add(fmt.Sprintf("the column %q is not listed in the mapping file%s", h.text, didYouMean(h.text, c.absent())),
			fmt.Sprintf("list it under columns or ignore, or --ignore %q", h.text))
		return
	}
	t, why := c.settable(c.target(h))
	if why == "" {
		why = c.claim(t, fmt.Sprintf("the column %q", h.text))
	}
	switch {
	case why == "":
		h.use = sets
		c.mapper.columns = append(c.mapper.columns, c.column(h, t, rule))
	case rule != nil:
		c.complain(rule.Field, "%s", why)
	default:
		c.bad.add(fmt.Sprintf("column %d: %s", h.index+1, why), fmt.Sprintf("rename it, or leave it out with --ignore %q%s", h.text, delimiterHint(h.text)))
	}
}

// settable finds the field of a name, or says why a row cannot set it.
func (c *compiler) settable(name string) (target, string) {
	if t, ok := c.directory.field(name); ok {
		return t, ""
	}
	if where, ok := c.directory.belongs[fold(name)]; ok {
		return target{}, fmt.Sprintf("%s cannot be set by %s: %s", name, c.schema.Action, where)
	}
	if f := c.directory.key(name); f != nil {
		return target{}, fmt.Sprintf("%s names the customer and cannot be set", f.Name)
	}
	return target{}, fmt.Sprintf("%q is not a field of %s%s", name, c.schema.Action, didYouMean(name, c.directory.names))
}

// settableBy finds the field of a rule whose column cannot be assigned; false
// when it is none, which is told, or the key.
func (c *compiler) settableBy(r *ColumnRule) (target, bool) {
	if r.Field.Text == "" || c.directory.key(r.Field.Text) != nil {
		return target{}, false
	}
	t, why := c.settable(r.Field.Text)
	if why != "" {
		c.complain(r.Field, "%s", why)
	}
	return t, why == ""
}

// claim notes who sets a field and objects to a second.
func (c *compiler) claim(t target, by string) string {
	name := fold(t.name)
	if other := c.setBy[name]; other != "" {
		return fmt.Sprintf("two sources for %s: %s and %s", t.name, other, by)
	}
	c.setBy[name] = by
	return ""
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
		if h.use == undecided && c.file.rule(h.text) == nil {
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

// absentee claims the field of a column that the input lacks.
func (c *compiler) absentee(r *ColumnRule, name string) {
	t, ok := c.settableBy(r)
	if !ok {
		return
	}
	if why := c.claim(t, fmt.Sprintf("the column %q", name)); why != "" {
		c.complain(r.Field, "%s", why)
	}
}

// checkUse refuses rows that could not say anything.
func (c *compiler) checkUse() {
	if len(c.schema.Fields) == 0 || len(c.mapper.columns)+len(c.mapper.constants) > 0 {
		return
	}
	c.bad.add("the input has a key and nothing to set", "add a column headed with a field's name"+delimiterHint(strings.Join(c.texts(), " ")))
}

// delimiterHint is for a heading that looks like several in one.
func delimiterHint(heading string) string {
	if strings.ContainsAny(heading, delimiters+":") {
		return "; or is another --delimiter meant?"
	}
	return ""
}

func (c *compiler) column(h *heading, t target, rule *ColumnRule) column {
	col := newColumn(h, t)
	col.words.clear = c.file.Clear
	if rule != nil {
		col.rule = *rule
		col.mapped = rule.Values != nil || rule.expression != nil
	}
	allowed := slices.ContainsFunc(c.file.AllowClear, func(s Scalar) bool { return fold(s.Text) == fold(t.name) })
	col.clearable = t.field.Clear == Clearable || t.field.Clear == IfAllowed && allowed
	col.blankClears = c.file.BlankClears && col.clearable
	return col
}
