package action

import (
	"encoding/json"
	"fmt"
)

// names are tracking codes as a journal keeps them.
type names struct {
	Types map[string]string `json:"types"` // as given, folded → as the account calls it
}

// Remembered is what must be known of the account's names to read and write the
// codes of a run's rows again; nil when there is nothing to know.
func (t *TrackingCodes) Remembered() json.RawMessage {
	if len(t.types) == 0 {
		return nil
	}
	text, err := json.Marshal(names{t.types})
	if err != nil {
		panic(err) // texts always encode
	}
	return text
}

// RecalledCodes reads what Remembered gave; nil gives an empty table.
func RecalledCodes(text json.RawMessage) (*TrackingCodes, error) {
	t := NewTrackingCodes()
	if text == nil {
		return t, nil
	}
	var kept names
	if err := json.Unmarshal(text, &kept); err != nil {
		return nil, fmt.Errorf("the journal's names of tracking codes cannot be read: %w", err)
	}
	for given, own := range kept.Types {
		t.types[given] = own
	}
	return t, nil
}
