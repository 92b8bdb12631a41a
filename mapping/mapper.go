package mapping

import (
	"fmt"
	"slices"
	"strings"

	"rowbatch/mapping/csvfile"
	"rowbatch/mapping/xlsxfile"
)

// Mapper knows what a row sets. It does not change, and any number of goroutines may use it.
type Mapper struct {
	layouts []*layout // of each action that rows may be of
	action  *column   // tells which of them a row is of; nil: there is one
	secrets []int     // columns that may hold passwords, ascending
	width   int       // columns
	name    string    // of the input

	export   *column  // rb_export; nil: there is none
	exported bool     // rows may be compared with an export
	readOnly []column // that an export shows and no row sets
	others   []string // headings that are no fields, and are left out

	places []string // of cells, by column: a sheet and a column's letters; nil: the input is text
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
	Note     bool // its key begins with #: the row is for people, and says nothing

	row    csvfile.Row // what was understood
	places []string    // of its cells, by column; nil: it is text
	spoilt []int       // columns whose cells a sheet does not hold as it shows them
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

	OnlyIfBlank bool // a field that the record has filled is left alone
}

// Problem is why a row is rejected, by an rb_error_code. Its text never holds
// what stands in a column of passwords.
type Problem struct {
	Code, Column, Text string
	Cell               string `json:",omitempty"` // of a sheet, such as Customers!B17
	// Held is what the row would set: no problem, where the record holds just that. nil: one in any case.
	Held *Cell `json:"-"`
}

// Doubtful reports whether all that speaks against a row may be what its record holds already.
func (m *Mapped) Doubtful() bool {
	return len(m.Problems) > 0 && !slices.ContainsFunc(m.Problems, func(p Problem) bool { return p.Held == nil })
}

// form is how a sheet holds the cell of a column; 0 where the input is text.
func (m *Mapped) form(c *column) xlsxfile.Form {
	if m.row.Forms == "" {
		return 0
	}
	return xlsxfile.Form(m.row.Forms[c.index])
}

func (m *Mapped) warn(text string) { m.Warnings = append(m.Warnings, text) }

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
		if l.schema.Action != action {
			continue
		}
		for i := range l.columns {
			names = append(names, l.columns[i].name)
		}
		for _, c := range l.constants {
			names = append(names, c.Name)
		}
	}
	return names
}

// ReadOnly returns the columns that are ignored because an export shows them only to be read.
func (m *Mapper) ReadOnly() (headings []string) {
	for i := range m.readOnly {
		headings = append(headings, m.readOnly[i].heading)
	}
	return headings
}

// Line is where a row of the input starts, for people.
func (m *Mapper) Line(n int) string { return fmt.Sprintf("%s %d", Unit(m.name), n) }

// Unit is what people count in a file of a name: lines, or the rows of a sheet.
func Unit(file string) string {
	if xlsxfile.Named(file) {
		return "row"
	}
	return "line"
}

// Others returns the headings that are left out because they are no fields.
func (m *Mapper) Others() []string { return m.others }

// ComparesExports reports whether rows may be compared with what they were when they were exported.
func (m *Mapper) ComparesExports() bool { return m.exported }

// Row returns what the cells of a row set. They stand as a [csvfile.Reader] gives
// them, as many as there were headings. No cell is given a type by guess.
func (m *Mapper) Row(cells []string) Mapped { return m.RowSince(csvfile.Row{Cells: cells}, nil) }

// RowSince is Row for a row that may have been exported: its cells set only what
// is not as it was.
func (m *Mapper) RowSince(row csvfile.Row, base *Base) Mapped {
	out := Mapped{Cells: make([]Cell, 0, len(m.layouts[0].columns)+len(m.layouts[0].constants))}
	m.into(row, base, &out)
	return out
}

// into is RowSince into memory that can be used again.
func (m *Mapper) into(row csvfile.Row, base *Base, out *Mapped) {
	*out = Mapped{Cells: out.Cells[:0], Guards: out.Guards[:0], Problems: out.Problems[:0], Warnings: out.Warnings[:0],
		row: row, places: m.places, spoilt: out.spoilt[:0]}
	if out.Note = m.isNote(row.Cells); out.Note {
		return
	}
	if row.Remark != "" {
		out.Warnings = append(out.Warnings, row.Remark)
	}
	l := m.layoutOf(row.Cells, out)
	if l == nil {
		return
	}
	out.Action = l.schema.Action
	l.into(base, out)
	if base == nil {
		return
	}
	out.Exported = true
	for i := range m.readOnly {
		if was, edited := base.edited(m.readOnly[i].heading); edited && was != nil {
			out.warn(m.readOnly[i].heading + " was edited since the export, and is only for reading: it is ignored")
		}
	}
}

// isNote reports whether a row is for people: its key begins with #, and is no error of a
// spreadsheet's. A backslash before it means a key.
func (m *Mapper) isNote(cells []string) bool {
	return slices.ContainsFunc(m.layouts, func(l *layout) bool {
		return slices.ContainsFunc(l.keys, func(k column) bool {
			key := trimEnds(cells[k.index])
			return strings.HasPrefix(key, "#") && !isError(key)
		})
	})
}

// compared are the columns of an action's rows that an export may show.
func (m *Mapper) compared(l *layout, each func(name string, c *column)) {
	for i := range l.columns {
		each(l.columns[i].name, &l.columns[i])
	}
	for _, shown := range [][]column{l.foreign, m.readOnly} { // they set nothing, and go by their headings
		for i := range shown {
			each(shown[i].heading, &shown[i])
		}
	}
}

// layoutOf returns what the columns mean to a row's action; nil when that is unknown.
func (m *Mapper) layoutOf(cells []string, out *Mapped) *layout {
	if m.action == nil {
		return m.layouts[0]
	}
	name := trimEnds(cells[m.action.index])
	var names []string
	for _, l := range m.layouts {
		if strings.EqualFold(l.schema.Action, name) {
			return l
		}
		names = append(names, l.schema.Action)
	}
	text := fmt.Sprintf("%s is none of %s%s", quoted(name), strings.Join(names, ", "), didYouMean(name, names))
	if name == "" {
		text = "the action is blank; it is one of " + strings.Join(names, ", ")
	}
	m.action.reject(out, "unknown_action", text)
	return nil
}

// HasSecrets reports whether the file has columns that may hold passwords: those
// that set a secret field in rows of some action, and those headed password.
func (m *Mapper) HasSecrets() bool { return len(m.secrets) > 0 }

// Mask returns the cells of a row as they may be kept and shown, and the texts of
// the columns that may hold passwords, for Unmask; nil when all of them are
// blank. In a ragged row every cell is masked for good, since nobody knows which
// one is the password. Without such columns the cells are the row's own.
func (m *Mapper) Mask(row csvfile.Row) (cells []string, hidden []string) {
	if !m.HasSecrets() {
		return row.Cells, nil
	}
	cells = slices.Clone(row.Cells)
	isBlank := func(cell string) bool { return strings.TrimSpace(cell) == "" }
	if row.Ragged {
		for i := range cells {
			if !isBlank(cells[i]) {
				cells[i] = mask
			}
		}
		return cells, nil
	}
	filled := false
	for _, i := range m.secrets {
		hidden = append(hidden, strings.Clone(cells[i]))
		if !isBlank(cells[i]) {
			cells[i], filled = mask, true
		}
	}
	if !filled {
		return cells, nil
	}
	return cells, hidden
}

// Unmask returns a masked row's cells as they were. Cells from which nothing was
// hidden are returned as they are.
func (m *Mapper) Unmask(cells, hidden []string) []string {
	if len(hidden) == 0 {
		return cells
	}
	cells = slices.Clone(cells)
	for i, text := range hidden {
		cells[m.secrets[i]] = text
	}
	return cells
}

// edited returns the cells of a row, with nothing but line ends in those that are as
// they were exported: what stands there is nobody's mistake.
func (m *Mapper) edited(cells []string, base *Base) []string {
	if base == nil || !slices.ContainsFunc(cells, func(cell string) bool { return strings.Contains(cell, "\n") }) {
		return cells
	}
	l := m.layoutOf(cells, &Mapped{})
	cells = slices.Clone(cells)
	m.compared(l, func(name string, c *column) {
		if _, edited := base.edited(name); !edited {
			cells[c.index] = strings.Repeat("\n", strings.Count(cells[c.index], "\n"))
		}
	})
	return cells
}

// layout is what the columns of a file mean to the rows of one action.
type layout struct {
	schema    Schema
	keys      []column // several: a row fills exactly one of them
	columns   []column
	guards    []column
	constants []Cell
	foreign   []column // for rows of other actions only
}

func (l *layout) into(base *Base, out *Mapped) {
	cells := out.row.Cells
	l.identify(out)
	if base != nil && base.Problem != nil {
		out.Problems = append(out.Problems, *base.Problem)
		return
	}
	for i := range l.columns {
		if was, edited := base.edited(l.columns[i].name); edited {
			if cell, ok := l.columns[i].cell(cells, out); ok {
				l.columns[i].set(cell, was, out)
			}
		}
	}
	for i := range l.guards {
		l.guards[i].guard(cells[l.guards[i].index], out)
	}
	for i := range l.foreign {
		c := &l.foreign[i]
		if _, edited := base.edited(c.heading); edited && trimEnds(cells[c.index]) != "" {
			c.reject(out, "bad_value", "is not a column that "+l.schema.Action+" takes: leave the cell blank")
		}
	}
	for _, c := range l.constants {
		if was, edited := base.edited(c.Name); edited {
			c.Was = was
			out.Cells = append(out.Cells, c)
		}
	}
}

// identify finds the cell that names the customer, the only one filled of
// several, and reads it.
func (l *layout) identify(out *Mapped) {
	cells := out.row.Cells
	var key *column
	var headings []string
	for i := range l.keys {
		c := &l.keys[i]
		headings = append(headings, c.heading)
		switch {
		case len(l.keys) > 1 && trimEnds(cells[c.index]) == "" && c.damage(out.form(c)) == "":
		case key == nil:
			key = c
		default:
			key.reject(out, "bad_value", fmt.Sprintf("names the customer twice, here and in %q: fill one of them", c.heading))
			return
		}
	}
	switch {
	case key != nil:
		out.KeyField = key.name
		if cell, ok := key.cell(cells, out); ok {
			key.identify(cell, out)
		}
	case len(l.keys) > 0:
		out.Problems = append(out.Problems, Problem{Code: "missing_key", Text: "the key is blank: fill " + either(headings)})
	default:
		out.Problems = append(out.Problems, Problem{Code: "missing_key", Text: fmt.Sprintf(
			"no column says which customer a row of %s is about: add one headed %s", l.schema.Action, either(namesOf(l.schema.Keys)))})
	}
}
