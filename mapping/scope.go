package mapping

import (
	"fmt"
	"slices"
	"strings"

	"rowbatch/mapping/csvfile"
)

func (c *compiler) mixed() bool { return c.command == mixed }

func (c *compiler) part(action string) *part {
	i := slices.IndexFunc(c.parts, func(p *part) bool { return p.schema.Action == action })
	if i < 0 {
		return nil
	}
	return c.parts[i]
}

// scope returns the actions that an entry of the mapping file is for.
func (c *compiler) scope(action Scalar) []*part {
	if action.Text == "" {
		return c.parts
	}
	if p := c.part(action.Text); p != nil && c.mixed() {
		return []*part{p}
	}
	return nil
}

// checkAction looks at all places of the mapping file that name an action.
func (c *compiler) checkAction() {
	if a := c.file.Action; a.Text != "" && a.Text != c.command {
		c.complain(a, "the mapping file is for %s, the command is %s", a.Text, c.command)
		if !c.mixed() && a.Text == mixed {
			return // and so is all that stands there for each action
		}
	}
	for i, k := range c.file.Keys {
		c.checkScope(k.Action, i > 0, "key", keyParts())
	}
	for i, r := range c.file.Columns {
		again := i > 0 && c.file.Columns[i-1].Column == r.Column
		c.checkScope(r.Action, again, "a column's rule", ruleParts())
	}
}

func (c *compiler) checkScope(action Scalar, again bool, of string, parts []string) {
	switch name := action.Text; {
	case name == "":
	case !c.mixed() && !again:
		c.complain(action, "%q is no part of %s, which has %s; one for each action is for %s only", name, of, strings.Join(parts, ", "), mixed)
	case c.mixed() && c.part(name) == nil:
		all := actionsOf(c.parts)
		c.complain(action, "%q is none of the actions %s%s", name, strings.Join(all, ", "), didYouMean(name, all))
	}
}

// findAction finds the column that says what a row of a mixed file becomes.
func (c *compiler) findAction() {
	if !c.mixed() {
		if at := c.file.ActionColumn; at.Text != "" && c.file.Action.Text != mixed {
			c.complain(at, "action_column is for %s, the command is %s", mixed, c.command)
		}
		return
	}
	h := c.actionHeading()
	if h == nil {
		return
	}
	for _, r := range c.file.rules(h.text) {
		c.complain(r.Column, "the column %q says what a row becomes and cannot also set %s", h.text, r.Field.Text)
	}
	h.use = decides
	col := newColumn(h, target{&Field{Name: "action"}, "action"})
	c.mapper.action = &col
}

func (c *compiler) actionHeading() *heading {
	if at := c.file.ActionColumn; at.Text != "" {
		h := c.find(at.Text)
		if h == nil {
			c.complain(at, "action_column names the column %q, which the input lacks%s", at.Text, didYouMean(at.Text, c.texts()))
		}
		return h
	}
	for i := range c.columns {
		if h := &c.columns[i]; h.use == undecided && csvfile.Fold(h.text) == "action" {
			return h
		}
	}
	if c.file.actionUnread {
		return nil
	}
	hint := "a column headed action, or action_column: in a mapping file"
	if near, ok := nearestPair(c.texts(), []string{"action"}); ok {
		hint += "; is it " + near + "?"
	}
	c.bad.add(fmt.Sprintf("no column says what each row becomes (%s)", strings.Join(actionsOf(c.parts), ", ")), hint)
	return nil
}
