package mapping

import (
	"fmt"
	"slices"
	"strings"

	"rowbatch/mapping/csvfile"
)

// Exports finds what rows were when they were exported.
type Exports interface {
	// Was returns the cells of the customer whose keyField holds key, by field, as
	// an export showed them: valid until the next call. export is the row's own
	// rb_export cell. No function means that the row was not exported. The problem
	// is the row's; the error refuses the file.
	Was(export, keyField, key string) (func(field string) (cell string, exported bool), *Problem, error)
}

// Base is what an exported row was, as far as its cells are no longer so: it is
// all that must be kept of an export for a run that is taken up again. A nil Base
// is that of a row that was not exported.
type Base struct {
	// Was holds the exported cells, by field, of those that have been edited; nil
	// for a field that the export did not show. Cells as exported are not in it.
	Was     map[string]*string `json:"was,omitempty"`
	Problem *Problem           `json:"problem,omitempty"`
}

// edited says that a row's cell for a field has something to say, and what was
// exported there; nil when that is not known.
func (b *Base) edited(field string) (was *string, edited bool) {
	if b == nil {
		return nil, true
	}
	was, edited = b.Was[field]
	return was, edited
}

// base compares a row with what it was. Only rows of actions that edit what an
// export shows are compared.
func (m *Mapper) base(cells []string, from Exports) (*Base, error) {
	var read Mapped
	l := m.layoutOf(cells, &read)
	if from == nil || l == nil || !l.schema.Exported {
		return nil, nil
	}
	export := ""
	if m.export != nil {
		export = strings.TrimSpace(cells[m.export.index])
	}
	if l.identify(cells, &read); len(read.Problems) > 0 {
		return nil, nil // the row is rejected, whatever it was
	}
	was, problem, err := from.Was(export, read.KeyField, read.Key)
	if err != nil || problem != nil {
		return &Base{Problem: problem}, err
	}
	if was == nil {
		return nil, nil
	}
	return l.compare(cells, m.readOnly, was), nil
}

func (l *layout) compare(cells []string, readOnly []column, was func(string) (string, bool)) *Base {
	b := &Base{}
	note := func(name, cell string) {
		before, exported := was(name)
		switch {
		case !exported:
			b.put(name, nil)
		case !sameCell(before, cell):
			b.put(name, &before)
		}
	}
	for _, all := range [][]column{l.columns, l.foreign, readOnly} {
		for i := range all {
			note(all[i].nameAsExported(), cells[all[i].index])
		}
	}
	for _, c := range l.constants {
		note(c.Name, c.Text)
	}
	return b
}

func (b *Base) put(name string, was *string) {
	if b.Was == nil {
		b.Was = map[string]*string{}
	}
	b.Was[name] = was
}

// nameAsExported is the field's, or the heading of a column that sets none.
func (c *column) nameAsExported() string {
	if c.name == "" {
		return c.heading
	}
	return c.name
}

// sameCell says that a cell was not edited. Spreadsheets write line ends inside
// cells their own way.
func sameCell(a, b string) bool {
	if a == b {
		return true
	}
	if !strings.Contains(a, "\r") && !strings.Contains(b, "\r") {
		return false
	}
	lines := strings.NewReplacer("\r\n", "\n", "\r", "\n")
	return lines.Replace(a) == lines.Replace(b)
}

// setSince reads a cell of an exported row that is not as it was.
func (c *column) setSince(raw string, was *string, out *Mapped) {
	if was == nil {
		c.set(raw, out)
		return
	}
	text, kind := c.words.read(raw)
	if kind == blank && !c.blankClears {
		out.Warnings = append(out.Warnings, c.heading+" was emptied since the export, and a blank cell keeps the field; write "+c.words.clear+" to clear it")
		return
	}
	if (kind == plain || kind == literal) && c.ruledAlike(text, *was) {
		return
	}
	if kind == plain && respelt(*was, text) {
		c.reject(out, "spreadsheet_damage", fmt.Sprintf("%s is what a spreadsheet makes of %s, as it was exported; if it is meant, --no-base writes it", quoted(text), quoted(*was)))
		return
	}
	n := len(out.Cells)
	if c.set(raw, out); len(out.Cells) > n {
		out.Cells[n].Was = was
	}
}

// ruledAlike says that a mapping rule makes the same of a cell and of what was
// exported: what the rule would do to the exported cell is no edit of the row.
func (c *column) ruledAlike(text, was string) bool {
	now, bad := c.rule.transform(text)
	if bad != nil {
		return false
	}
	before, bad := c.rule.transform(was)
	return bad == nil && now == before
}

// setConstants gives an exported row the constants that differ from what it was.
func (l *layout) setConstants(b *Base, out *Mapped) {
	for _, c := range l.constants {
		if was, edited := b.edited(c.Name); edited {
			c.Was = was
			out.Cells = append(out.Cells, c)
		}
	}
}

// remarkReadOnly warns of edits in columns that an export shows and nothing sets.
func (m *Mapper) remarkReadOnly(b *Base, out *Mapped) {
	for i := range m.readOnly {
		if was, edited := b.edited(m.readOnly[i].heading); edited && was != nil {
			out.Warnings = append(out.Warnings, m.readOnly[i].heading+" was edited since the export, and is only for reading: it is ignored")
		}
	}
}

// ReadOnly returns the columns that are ignored because an export shows them only to be read.
func (m *Mapper) ReadOnly() (headings []string) {
	for i := range m.readOnly {
		headings = append(headings, m.readOnly[i].heading)
	}
	return headings
}

// ComparesExports says that rows may be compared with what they were when they were exported.
func (m *Mapper) ComparesExports() bool { return m.exported }

// onlyRead leaves a column out that an export shows only to be read.
func (c *compiler) onlyRead(h *heading) bool {
	if !c.exported || len(c.file.rules(h.text)) > 0 {
		return false
	}
	reads := func(p *part) bool {
		return slices.ContainsFunc(p.schema.ReadOnly, func(name string) bool { return csvfile.Fold(name) == csvfile.Fold(h.text) })
	}
	sets := func(p *part) bool { _, ok := p.directory.field(h.text); return ok }
	if !slices.ContainsFunc(c.parts, reads) || slices.ContainsFunc(c.parts, sets) {
		return false
	}
	h.use = leftOut
	c.mapper.readOnly = append(c.mapper.readOnly, column{index: h.index, heading: h.text})
	return true
}

// comparesRowsOf says that rows of an action are compared, if they were exported.
func (m *Mapper) comparesRowsOf(action string) bool {
	return slices.ContainsFunc(m.layouts, func(l *layout) bool { return l.schema.Action == action && l.schema.Exported })
}

// count notes whether an exported row was edited.
func (c *Checked) count(n int, row *Mapped) {
	if !row.Exported {
		return
	}
	c.Exported++
	if len(row.Cells)+len(row.Problems) > 0 {
		c.Edited++
		return
	}
	*c.marks.at(n) |= asExported
}
