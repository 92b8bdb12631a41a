package mapping

import (
	"fmt"
	"slices"
	"strings"

	"rowbatch/mapping/csvfile"
)

// chooseKeys finds the columns that say which customer a row is about, for each
// action: that of the mapping file's key, else the one that means the schema's
// first key, else the next.
func (c *compiler) chooseKeys() {
	for i := range c.file.Keys {
		c.checkKey(&c.file.Keys[i])
	}
	for _, p := range c.parts {
		if k := c.keyRule(p); k != nil {
			c.keyOfFile(p, k)
		} else {
			c.chooseKey(p)
		}
	}
	hasKey := func(p *part) bool { return len(p.layout.keys) > 0 }
	if !slices.ContainsFunc(c.parts, hasKey) && len(c.file.Keys) == 0 && !c.file.keyUnread && !c.anyUnclear() {
		c.bad.add("no column says which customer a row is about", c.keyHint())
	}
}

// checkKey looks at an entry of key, whichever actions it is for.
func (c *compiler) checkKey(k *KeyRule) {
	parts := c.scope(k.Action)
	if names := keyNames(parts); k.Field.Text != "" && len(parts) > 0 && !slices.ContainsFunc(parts, k.serves) {
		c.complain(k.Field, "key: the field is one of %s, not %s", strings.Join(names, ", "), k.Field.Text)
	}
	if k.Column.Text == "" {
		return
	}
	switch h := c.find(k.Column.Text); {
	case h == nil:
		c.complain(k.Column, "key names the column %q, which the input lacks%s", k.Column.Text, didYouMean(k.Column.Text, c.texts()))
	case h.use == guards:
		c.complain(k.Column, "the column %q stands in key and in match", h.text)
	case h.use == decides:
		c.complain(k.Column, "the column %q says what a row becomes and cannot also be the key", h.text)
	default:
		h.taken = true
	}
}

func (k *KeyRule) serves(p *part) bool { return p.directory.key(k.Field.Text) != nil }

// keyRule returns the mapping file's key for an action, nil when there is none.
func (c *compiler) keyRule(p *part) *KeyRule {
	for i := range c.file.Keys {
		k := &c.file.Keys[i]
		if k.Column.Text != "" && k.serves(p) && slices.Contains(c.scope(k.Action), p) {
			return k
		}
	}
	return nil
}

func (c *compiler) keyOfFile(p *part, k *KeyRule) {
	h := c.find(k.Column.Text)
	if h == nil || h.use != undecided {
		return
	}
	field := p.directory.key(k.Field.Text)
	if rule := c.rule(p, h); rule != nil && rule.Field.Text != "" && csvfile.Fold(rule.Field.Text) != csvfile.Fold(field.Name) {
		c.complain(rule.Field, "the column %q is the key and cannot also set %s", h.text, rule.Field.Text)
	}
	c.setKey(p, h, field)
}

func (c *compiler) chooseKey(p *part) {
	for _, f := range p.schema.Keys {
		if h := c.keyColumn(p, f.Name); h != nil {
			c.setKey(p, h, p.directory.key(f.Name))
			if !p.schema.EitherKey {
				return
			}
		}
	}
}

// keyColumn returns the first column that means a key in rows of an action.
func (c *compiler) keyColumn(p *part, name string) *heading {
	for i := range c.columns {
		h := &c.columns[i]
		if h.use == undecided && !p.takes[i] && !c.unclear(h) && csvfile.Fold(c.meaning(p, h)) == csvfile.Fold(name) {
			return h
		}
	}
	return nil
}

func (c *compiler) setKey(p *part, h *heading, field *Field) {
	p.take(h)
	p.layout.keys = append(p.layout.keys, p.column(h, target{field, field.Name}, c.file, c.rule(p, h)))
}

func (c *compiler) keyHint() string {
	names := keyNames(c.parts)
	hint := "a column headed " + either(names) + ", or key: in a mapping file"
	if near, ok := nearestPair(c.texts(), names); ok {
		hint += "; is it " + near + "?"
	}
	return hint
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
