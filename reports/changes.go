package reports

import (
	"bytes"
	"encoding/json"
	"strings"

	"rowbatch/batch"
)

type change struct {
	Field  string          `json:"field"`
	Before json.RawMessage `json:"before,omitempty"` // left out: it cannot be read
	After  json.RawMessage `json:"after"`
}

// changesOf returns rb_changes: a JSON array with the values spelled as the API
// spells them, so that 25.9800 and ids of 19 digits stay what they are.
func changesOf(changes []batch.Change) string {
	if len(changes) == 0 {
		return ""
	}
	list := make([]change, len(changes))
	for i, c := range changes {
		list[i] = change{Field: c.Field, After: rawJSON(c.After)}
		if c.Before != batch.Hidden {
			list[i].Before = rawJSON(c.Before)
		}
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(list); err != nil {
		panic(err) // rawJSON gives nothing but JSON
	}
	return Visible(strings.TrimSuffix(b.String(), "\n"))
}

func rawJSON(v batch.Value) json.RawMessage {
	switch {
	case v == batch.Absent:
		v = batch.Null
	case v == batch.Hidden:
		v = `"***"`
	case !json.Valid([]byte(v)):
		v = batch.Text(string(v))
	}
	return json.RawMessage(v)
}
