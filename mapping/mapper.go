package mapping

import (
	"fmt"
	"strings"
)

// Mapper says what a row sets. It does not change, and any number of goroutines may use it.
type Mapper struct {
	key       column
	columns   []column
	guards    []column
	constants []Cell
}

// Mapped is a row understood.
type Mapped struct {
	Key      string // the key cell as it names the customer; empty when the problem is with it
	Cells    []Cell // what the row sets, in column order, then the constants; what stays as it is is left out
	Guards   []Cell
	Problems []Problem // none: the row may be sent
	Warnings []string
}

// Cell is one field that a row sets, or guards. An empty Text in a guard means
// that the field must be empty.
type Cell struct {
	Field  *Field
	Name   string // of the field, with the member of a family
	Column string // the heading; "constants" for a constant
	Text   string
	Clear  bool
}

// Problem is why a row is rejected, by an rb_error_code.
type Problem struct{ Code, Column, Text string }

// KeyField returns the name of the field that names the customer.
func (m *Mapper) KeyField() string { return m.key.name }

// KeyColumn returns the heading of the key column.
func (m *Mapper) KeyColumn() string { return m.key.heading }

// Fields returns the names of the fields that the file sets, in column order, then the constants.
func (m *Mapper) Fields() []string {
	var names []string
	for i := range m.columns {
		names = append(names, m.columns[i].name)
	}
	for _, c := range m.constants {
		names = append(names, c.Name)
	}
	return names
}

// Row says what the cells of a row set. They stand as an [Input] gives them, as
// many as there were headings. No cell is given a type by guess.
func (m *Mapper) Row(cells []string) Mapped {
	out := Mapped{Cells: make([]Cell, 0, len(m.columns)+len(m.constants))}
	m.into(cells, &out)
	return out
}

// into is Row into memory that can be used again.
func (m *Mapper) into(cells []string, out *Mapped) {
	*out = Mapped{Cells: out.Cells[:0], Guards: out.Guards[:0], Problems: out.Problems[:0], Warnings: out.Warnings[:0]}
	m.key.identify(cells[m.key.index], out)
	for i := range m.columns {
		m.columns[i].set(cells[m.columns[i].index], out)
	}
	for i := range m.guards {
		m.guards[i].guard(cells[m.guards[i].index], out)
	}
	out.Cells = append(out.Cells, m.constants...)
}

// column is a heading with all that its cells go through.
type column struct {
	index       int
	heading     string
	field       *Field
	name        string
	words       words
	rule        ColumnRule
	mapped      bool // values or expr make the text
	clearable   bool
	blankClears bool
}

func newColumn(h *heading, t target) column {
	k := t.field.Kind
	return column{index: h.index, heading: h.text, field: t.field, name: t.name,
		words: words{number: k == Digits || k == Reference || k == Phone}}
}

func (c *column) reject(out *Mapped, code, text string) {
	out.Problems = append(out.Problems, Problem{code, c.heading, text})
}

func (c *column) cell(text string, clears bool) Cell {
	return Cell{c.field, c.name, c.heading, text, clears}
}

// set reads a cell that sets a field.
func (c *column) set(raw string, out *Mapped) {
	text, kind := c.words.read(raw)
	switch kind {
	case blank:
		c.leaveBlank(out)
	case clears:
		c.clear(out)
	case clearCase, broken:
		c.rejectSpecial(kind, text, out)
	default:
		c.setText(text, kind, out)
	}
}

func (c *column) setText(text string, kind meaning, out *Mapped) {
	text, bad := c.value(text, kind)
	switch {
	case bad != nil:
		c.reject(out, bad.code, bad.text)
	case text == "":
		c.leaveBlank(out)
	default:
		if w := c.field.warning(text); w != "" {
			out.Warnings = append(out.Warnings, w)
		}
		out.Cells = append(out.Cells, c.cell(text, false))
	}
}

// leaveBlank keeps the field, or clears it under blank: clear. A blank cell of a
// field that cannot be cleared keeps it all the same: nobody wrote a word there.
func (c *column) leaveBlank(out *Mapped) {
	if c.blankClears {
		out.Cells = append(out.Cells, c.cell("", true))
	}
}

func (c *column) clear(out *Mapped) {
	switch {
	case c.clearable:
		out.Cells = append(out.Cells, c.cell("", true))
	case c.field.Clear == IfAllowed:
		c.reject(out, "not_clearable", "is cleared only when the mapping file's allow_clear names "+c.name)
	default:
		c.reject(out, "not_clearable", "cannot be cleared")
	}
}

func (c *column) rejectSpecial(kind meaning, text string, out *Mapped) {
	if kind == clearCase {
		c.reject(out, "clear_word_case", fmt.Sprintf(`%s: did you mean %s, or \%s for the word itself?`, quoted(text), c.words.clear, strings.TrimSpace(text)))
		return
	}
	c.reject(out, "spreadsheet_damage", quoted(text)+" is what a spreadsheet writes in place of a value it has lost")
}

// value takes a text through the mapping and the field's own checks; an empty one is blank.
func (c *column) value(text string, kind meaning) (string, *fault) {
	text, bad := c.rule.transform(text)
	if bad != nil || strings.TrimSpace(text) == "" {
		return "", bad
	}
	if c.mapped && kind != literal && c.words.nearlyClear(strings.TrimSpace(text)) {
		return "", badValue("values and expr cannot clear: they gave %s; only a cell of the file clears", quoted(text))
	}
	return c.field.check(text)
}

// identify reads the cell that names the customer.
func (c *column) identify(raw string, out *Mapped) {
	text, kind := c.words.read(raw)
	switch kind {
	case blank:
		c.reject(out, "missing_key", "the key is blank")
		return
	case clears:
		c.reject(out, "not_clearable", "the key cannot be cleared")
		return
	case clearCase, broken:
		c.rejectSpecial(kind, text, out)
		return
	}
	text, bad := c.value(text, kind)
	switch {
	case bad == nil && text == "":
		c.reject(out, "missing_key", "the mapping file makes the key blank")
	case bad != nil && bad.code == "bad_value" && c.field.Kind == Digits:
		c.reject(out, "bad_id", bad.text)
	case bad != nil:
		c.reject(out, bad.code, bad.text)
	}
	if bad == nil {
		out.Key = text
	}
}

// guard reads a cell that the live record must match: text, in which only damage is special.
func (c *column) guard(raw string, out *Mapped) {
	text, kind := c.words.read(raw)
	if kind == broken {
		c.rejectSpecial(kind, text, out)
		return
	}
	out.Guards = append(out.Guards, c.cell(text, false))
}
