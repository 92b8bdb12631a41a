package mapping

import "rowbatch/mapping/csvfile"

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

// edited reports whether a row's cell for a field has something to say, and what
// was exported there; nil when that is not known.
func (b *Base) edited(field string) (was *string, edited bool) {
	if b == nil {
		return nil, true
	}
	was, edited = b.Was[field]
	return was, edited
}

// baseOf compares a row with what it was. Only rows of actions that edit what an
// export shows are compared.
func baseOf(m *Mapper, row csvfile.Row, from Exports) (*Base, error) {
	if from == nil {
		return nil, nil
	}
	cells, read := row.Cells, Mapped{row: row}
	if m.isNote(cells) {
		return nil, nil
	}
	l := m.layoutOf(cells, &read)
	if l == nil || !l.schema.Exported {
		return nil, nil
	}
	export := ""
	if m.export != nil {
		export = trimEnds(cells[m.export.index])
	}
	if l.identify(&read); len(read.Problems) > 0 {
		return nil, nil // the row is rejected, whatever it was
	}
	was, problem, err := from.Was(export, read.KeyField, read.Key)
	if err != nil || problem != nil {
		return &Base{Problem: problem}, err
	}
	if was == nil {
		return nil, nil
	}
	b := &Base{}
	note := func(name, cell string) {
		before, exported := was(name)
		if exported && wasExported(before, cell) {
			return
		}
		if b.Was == nil {
			b.Was = map[string]*string{}
		}
		b.Was[name] = nil
		if exported {
			b.Was[name] = &before
		}
	}
	rejected := false // and that whatever it was
	m.compared(l, func(name string, c *column) {
		cell, ok := c.cell(cells, &read)
		rejected = rejected || !ok
		note(name, cell)
	})
	if rejected {
		return nil, nil
	}
	for _, c := range l.constants {
		note(c.Name, c.Text)
	}
	return b, nil
}
