package mapping

import (
	"fmt"
	"slices"
	"strings"
)

// layout is what the columns of a file mean to the rows of one action.
type layout struct {
	schema    Schema
	keys      []column // several: a row fills exactly one of them
	columns   []column
	guards    []column
	constants []Cell
	foreign   []column // for rows of other actions only
}

func (l *layout) most() int { return len(l.columns) + len(l.constants) }

func (l *layout) fields() []string {
	var names []string
	for i := range l.columns {
		names = append(names, l.columns[i].name)
	}
	for _, c := range l.constants {
		names = append(names, c.Name)
	}
	return names
}

// setsParent says that rows name both customer and parent by id.
func (l *layout) setsParent() bool {
	return slices.ContainsFunc(l.keys, func(k column) bool { return k.field.Kind == Digits }) &&
		(slices.ContainsFunc(l.columns, func(c column) bool { return c.field.Parent }) ||
			slices.ContainsFunc(l.constants, func(c Cell) bool { return c.Field.Parent }))
}

func (l *layout) into(cells []string, base *Base, out *Mapped) {
	l.identify(cells, out)
	if base != nil && base.Problem != nil {
		out.Problems = append(out.Problems, *base.Problem)
		return
	}
	for i := range l.columns {
		if was, edited := base.edited(l.columns[i].name); edited {
			l.columns[i].setSince(cells[l.columns[i].index], was, out)
		}
	}
	for i := range l.guards {
		l.guards[i].guard(cells[l.guards[i].index], out)
	}
	for i := range l.foreign {
		c := &l.foreign[i]
		if _, edited := base.edited(c.heading); edited && strings.TrimSpace(cells[c.index]) != "" {
			c.reject(out, "bad_value", "is not a column that "+l.schema.Action+" takes: leave the cell blank")
		}
	}
	l.setConstants(base, out)
}

// identify finds the cell that names the customer, and reads it.
func (l *layout) identify(cells []string, out *Mapped) {
	switch len(l.keys) {
	case 0:
		out.Problems = append(out.Problems, Problem{Code: "missing_key",
			Text: fmt.Sprintf("no column says which customer a row of %s is about: add one headed %s", l.schema.Action, either(l.schema.keyNames()))})
	case 1:
		out.KeyField = l.keys[0].name
		l.keys[0].identify(cells[l.keys[0].index], out)
	default:
		l.identifyOne(cells, out)
	}
}

// identifyOne reads the one key cell of several that is filled.
func (l *layout) identifyOne(cells []string, out *Mapped) {
	var key *column
	for i := range l.keys {
		switch c := &l.keys[i]; {
		case strings.TrimSpace(cells[c.index]) == "":
		case key == nil:
			key = c
		default:
			key.reject(out, "bad_value", fmt.Sprintf("names the customer twice, here and in %q: fill one of them", c.heading))
			return
		}
	}
	if key == nil {
		out.Problems = append(out.Problems, Problem{Code: "missing_key", Text: "the key is blank: fill " + either(l.keyHeadings())})
		return
	}
	out.KeyField = key.name
	key.identify(cells[key.index], out)
}

func (l *layout) keyHeadings() []string {
	var names []string
	for i := range l.keys {
		names = append(names, l.keys[i].heading)
	}
	return names
}

// either lists names that do equally well.
func either(names []string) string { return strings.Join(names, " or ") }
