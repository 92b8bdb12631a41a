package action

import (
	"strings"

	"rowbatch/batch"
	"rowbatch/mapping"
)

// Item turns the cells of one row into what the engine carries out. found is the
// customer's id where the row is keyed by a reference; "" when none is known.
func Item(row mapping.Mapped, keyField, found string, codes *TrackingCodes) *batch.Item {
	id := found
	if keyField == "id" {
		id = row.Key
	}
	it := &batch.Item{Key: Key(keyField, row.Key), ID: id, Lane: "fb:" + id}
	if len(row.Problems) > 0 {
		it.Out = problems(row.Problems)
		return it
	}
	if keyField == "reference" {
		// The list was asked some time ago; the record that is edited must still bear the reference.
		it.Guards = append(it.Guards, batch.Guard{Field: keyField, Value: batch.Text(row.Key), Exact: true})
	}
	for _, c := range row.Guards {
		it.Guards = append(it.Guards, batch.Guard{Field: c.Name, Value: batch.Text(c.Text)})
	}
	for _, c := range row.Cells {
		want, out := value(c, codes)
		if out != nil {
			it.Out = out
			return it
		}
		it.Edits = append(it.Edits, batch.Edit{Field: c.Name, Want: want})
	}
	return it
}

// Key is a row's customer as the report names it; "" when the row names none.
func Key(field, value string) string {
	if value == "" {
		return ""
	}
	return field + "=" + value
}

// problems makes one outcome of all that is wrong with a row's cells.
func problems(all []mapping.Problem) *batch.Outcome {
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
