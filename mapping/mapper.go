package mapping

import (
	"fmt"
	"slices"
	"strings"
)

// Mapper says what a row sets. It does not change, and any number of goroutines may use it.
type Mapper struct {
	layouts []*layout // of each action that rows may be of
	action  *column   // says which of them a row is of; nil: there is one
	secrets []int     // columns that may hold passwords, ascending

	export   *column  // rb_export; nil: there is none
	exported bool     // rows may be compared with an export
	readOnly []column // that an export shows and no row sets
}

// Mapped is a row understood.
type Mapped struct {
	Action   string // empty when the row's is unknown
	KeyField string // the field that names the customer; empty when no cell or several do
	Key      string // the key cell as it names the customer; empty when the problem is with it
	Cells    []Cell // what the row sets, in column order, then the constants; what stays as it is is left out
	Guards   []Cell
	Problems []Problem // none: the row may be sent
	Warnings []string
	Exported bool // the row was compared with what it was when it was exported
}

// Cell is one field that a row sets, or guards. An empty Text in a guard means
// that the field must be empty.
type Cell struct {
	Field  *Field
	Name   string // of the field, with the member of a family
	Column string // the heading; "constants" for a constant
	Text   string
	Clear  bool
	Was    *string // what the field held when the row was exported; nil: not known
}

// Problem is why a row is rejected, by an rb_error_code. Its text never holds
// what stands in a column of passwords.
type Problem struct{ Code, Column, Text string }

// KeyUse is a column that names the customers of an action's rows.
type KeyUse struct{ Action, Field, Column string }

// Keys returns the columns that name customers, by action. An action that no
// column serves has none.
func (m *Mapper) Keys() []KeyUse {
	var all []KeyUse
	for _, l := range m.layouts {
		for i := range l.keys {
			all = append(all, KeyUse{l.schema.Action, l.keys[i].name, l.keys[i].heading})
		}
	}
	return all
}

// ActionColumn returns the heading of the column that says what a row becomes;
// "" for a file of one action.
func (m *Mapper) ActionColumn() string {
	if m.action == nil {
		return ""
	}
	return m.action.heading
}

// Fields returns the names of the fields that the file sets in rows of an
// action, in column order, then the constants.
func (m *Mapper) Fields(action string) []string {
	var names []string
	for _, l := range m.layouts {
		if l.schema.Action == action {
			names = l.fields()
		}
	}
	return names
}

// Row says what the cells of a row set. They stand as an [Input] gives them, as
// many as there were headings. No cell is given a type by guess.
func (m *Mapper) Row(cells []string) Mapped { return m.RowSince(cells, nil) }

// RowSince is Row for a row that may have been exported: its cells set only what
// is not as it was.
func (m *Mapper) RowSince(cells []string, base *Base) Mapped {
	out := Mapped{Cells: make([]Cell, 0, m.layouts[0].most())}
	m.into(cells, base, &out)
	return out
}

// into is Row into memory that can be used again.
func (m *Mapper) into(cells []string, base *Base, out *Mapped) {
	*out = Mapped{Cells: out.Cells[:0], Guards: out.Guards[:0], Problems: out.Problems[:0], Warnings: out.Warnings[:0]}
	if l := m.layoutOf(cells, out); l != nil {
		out.Action = l.schema.Action
		l.into(cells, base, out)
		if base != nil {
			out.Exported = true
			m.remarkReadOnly(base, out)
		}
	}
}

// layoutOf returns what the columns mean to a row's action; nil when that is unknown.
func (m *Mapper) layoutOf(cells []string, out *Mapped) *layout {
	if m.action == nil {
		return m.layouts[0]
	}
	name := strings.TrimSpace(cells[m.action.index])
	i := slices.IndexFunc(m.layouts, func(l *layout) bool { return strings.EqualFold(l.schema.Action, name) })
	if i >= 0 {
		return m.layouts[i]
	}
	m.action.reject(out, "unknown_action", m.unknownAction(name))
	return nil
}

func (m *Mapper) unknownAction(name string) string {
	var names []string
	for _, l := range m.layouts {
		names = append(names, l.schema.Action)
	}
	if name == "" {
		return "the action is blank; it is one of " + strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s is none of %s%s", quoted(name), strings.Join(names, ", "), didYouMean(name, names))
}
