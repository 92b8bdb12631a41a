package mapping

import (
	"fmt"
	"slices"

	"rowbatch/mapping/csvfile"
)

// part is one action on its way to a layout.
type part struct {
	schema    Schema
	directory *directory
	setBy     map[string]string // folded field → what sets it
	takes     []bool            // by column: it is the key, a guard, or sets a field
	layout    *layout
}

func (p *part) take(h *heading) { p.takes[h.index], h.taken = true, true }

// claim notes who sets a field and objects to a second.
func (p *part) claim(t target, by string) string {
	name := csvfile.Fold(t.name)
	if other := p.setBy[name]; other != "" {
		return fmt.Sprintf("two sources for %s: %s and %s", t.name, other, by)
	}
	p.setBy[name] = by
	return ""
}

func (p *part) setsSecret(h *heading) bool {
	return slices.ContainsFunc(p.layout.columns, func(c column) bool { return c.index == h.index && c.field.Secret })
}

// saysSomething says that rows of the action can be told from no row at all.
func (p *part) saysSomething() bool {
	return len(p.layout.keys) > 0 && (len(p.schema.Fields) == 0 || p.schema.OnlyKeys || p.layout.most() > 0)
}

// column is a heading with the rules by which this action reads it.
func (p *part) column(h *heading, t target, file *File, rule *ColumnRule) column {
	col := newColumn(h, t)
	col.words.clear = file.Clear
	col.reserved = p.schema.Reserved
	if rule != nil {
		col.rule = *rule
		col.mapped = rule.Values != nil || rule.expression != nil
	}
	allowed := slices.ContainsFunc(file.AllowClear, func(s Scalar) bool { return csvfile.Fold(s.Text) == csvfile.Fold(t.name) })
	col.clearable = !t.field.neverCleared() && (t.field.Clear == Clearable || allowed)
	col.blankClears = file.BlankClears && col.clearable
	return col
}

// taker is an action that has a field of some name.
type taker struct {
	*part
	target target
}

func takers(parts []*part, name string) (all []taker) {
	for _, p := range parts {
		if t, ok := p.directory.field(name); ok {
			all = append(all, taker{p, t})
		}
	}
	return all
}

// settable finds the actions that can set a field, or says why none of them can.
func settable(parts []*part, name string) ([]taker, string) {
	if all := takers(parts, name); len(all) > 0 {
		return all, ""
	}
	var names []string
	for _, p := range parts {
		if where, ok := p.directory.belongs[csvfile.Fold(name)]; ok {
			return nil, fmt.Sprintf("%s cannot be set by %s: %s", name, p.schema.Action, where)
		}
		names = append(names, p.directory.names...)
	}
	for _, p := range parts {
		if f := p.directory.key(name); f != nil {
			return nil, fmt.Sprintf("%s names the customer and cannot be set", f.Name)
		}
	}
	return nil, fmt.Sprintf("%q is not a field of %s%s", name, either(actionsOf(parts)), didYouMean(name, names))
}

func actionsOf(parts []*part) []string {
	var names []string
	for _, p := range parts {
		names = append(names, p.schema.Action)
	}
	return names
}

// keyNames are the fields that name the customers of some of the actions.
func keyNames(parts []*part) []string {
	var names []string
	for _, p := range parts {
		for _, name := range p.schema.keyNames() {
			if !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	return names
}

// secretNames are the fields that a mapping file must not give a value.
func secretNames(all []Schema) []string {
	names := []string{passwordName}
	for _, s := range all {
		for _, f := range s.Fields {
			if f.Secret {
				names = append(names, f.Name)
			}
		}
	}
	return names
}
