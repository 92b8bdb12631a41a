package action

import (
	"strings"

	"rowbatch/batch"
	"rowbatch/mapping"
)

// Context is what must be known beside a row's own cells.
type Context struct {
	Found    string // the customer's id where the row is keyed by a reference; "" when none is known
	Codes    *TrackingCodes
	BothKeys bool // Trackfinity: the file's rows name their customers in two ways
}

// fusebillItem turns the cells of a row that is about a Fusebill customer into what the engine carries out.
func fusebillItem(row mapping.Mapped, c Context) *batch.Item {
	id := c.Found
	if row.KeyField == "id" {
		id = row.Key
	}
	it := &batch.Item{Key: Key(row.KeyField, row.Key), ID: id, Lane: "fb:" + id}
	if len(row.Problems) > 0 {
		it.Out = Problems(row.Problems)
		return it
	}
	if row.KeyField == "reference" {
		// The list was asked some time ago; the record that is edited must still bear the reference.
		it.Guards = append(it.Guards, batch.Guard{Field: row.KeyField, Value: batch.Text(row.Key), Exact: true})
	}
	for _, cell := range row.Guards {
		it.Guards = append(it.Guards, batch.Guard{Field: cell.Name, Value: batch.Text(cell.Text)})
	}
	for _, cell := range row.Cells {
		want, out := value(cell, c.Codes)
		if out != nil {
			it.Out = out
			return it
		}
		it.Edits = append(it.Edits, edit(cell, want))
	}
	if row.Exported && len(it.Edits) == 0 {
		it.Out = &batch.Outcome{Kind: batch.Unchanged} // whatever the record holds now
	}
	return it
}

// edit sets a cell's field. Of a cell that was edited since its export the record
// must still hold what was exported.
func edit(cell mapping.Cell, want batch.Value) batch.Edit {
	e := batch.Edit{Field: cell.Name, Want: want}
	if cell.Was != nil {
		was := batch.Text(*cell.Was)
		e.Expect, e.Stale = &was, "changed_since_export"
	}
	return e
}

// Key is a row's customer as the report names it; "" when the row names none.
func Key(field, value string) string {
	if value == "" {
		return ""
	}
	return field + "=" + value
}

// Problems makes one outcome of all that is wrong with a row's cells.
func Problems(all []mapping.Problem) *batch.Outcome {
	out := batch.Reject(all[0].Code, "")
	for i, p := range all {
		if i > 0 {
			out.Error += "; "
		}
		if p.Column != "" && !strings.HasPrefix(p.Text, p.Column+" ") {
			out.Error += p.Column + ": "
		}
		out.Error += p.Text
	}
	return out
}

// value is the JSON that a cell asks for.
func value(c mapping.Cell, codes *TrackingCodes) (batch.Value, *batch.Outcome) {
	typ, tracking := trackingType(c.Name)
	if c.Clear && tracking {
		return batch.Null, codes.clearable(typ)
	}
	if c.Clear {
		return batch.Null, nil
	}
	if tracking {
		code, out := codes.code(typ, c.Text)
		return batch.Text(code), out
	}
	if c.Field.Kind == mapping.Digits {
		return batch.Value(c.Text), nil
	}
	return batch.Text(c.Text), nil
}
