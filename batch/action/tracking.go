package action

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"strings"

	"github.com/tidwall/gjson"

	"rowbatch/batch"
	"rowbatch/mapping"
)

const (
	trackingPrefix = "salesTrackingCode."
	trackingHolder = "customerReference"
	trackingList   = "customerReference.salesTrackingCodes"
)

// trackingType returns the sales tracking code type that a field names.
func trackingType(field string) (string, bool) { return strings.CutPrefix(field, trackingPrefix) }

// TrackingCodes knows the account's own names of the types and codes that a
// file uses: a type may be called by its default name or by the name the
// account gave it, and records show only the latter
// (developer.staxbill.com/reference/sales-tracking-code-object).
type TrackingCodes struct {
	types map[string]string      // as given, folded → as the account calls it
	codes map[trackingUse]string // → as the account spells it
	why   map[trackingUse]string // unknown ones, with the server's words; a type of its own has no code
}

type trackingUse struct{ typ, code string }

// NewTrackingCodes returns an empty table: names are taken as given.
func NewTrackingCodes() *TrackingCodes {
	return &TrackingCodes{types: map[string]string{}, codes: map[trackingUse]string{}, why: map[trackingUse]string{}}
}

// Remembered is what must be known of the account's names to read and write the
// codes of a run's rows again; nil when there is nothing to know.
func (t *TrackingCodes) Remembered() json.RawMessage {
	if len(t.types) == 0 {
		return nil
	}
	text, err := json.Marshal(map[string]any{"types": t.types})
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
	var kept struct{ Types map[string]string }
	if err := json.Unmarshal(text, &kept); err != nil {
		return nil, fmt.Errorf("the journal's names of tracking codes cannot be read: %w", err)
	}
	maps.Copy(t.types, kept.Types)
	return t, nil
}

// Known records what the account calls a type and one of its codes.
func (t *TrackingCodes) Known(typ, code, accountType, accountCode string) {
	t.types[strings.ToLower(typ)] = accountType
	t.codes[trackingUse{typ, code}] = accountCode
}

// Unknown records that the account has no such code, with the server's words; a code "" stands for the type.
func (t *TrackingCodes) Unknown(typ, code, why string) { t.why[trackingUse{typ, code}] = why }

// want is the value that a cell of a type asks for, in the account's spelling, or why there is none.
func (t *TrackingCodes) want(typ string, c mapping.Cell) (batch.Value, *batch.Outcome) {
	use := trackingUse{typ, c.Text}
	if c.Clear {
		use.code = ""
	}
	why, unknown := t.why[use]
	switch {
	case unknown && c.Clear:
		return batch.Null, batch.Reject("unknown_tracking_code", fmt.Sprintf("the account has no type %q: %s", typ, why))
	case unknown:
		return batch.Null, batch.Reject("unknown_tracking_code", fmt.Sprintf("the account has no code %q of type %q: %s", c.Text, typ, why))
	case c.Clear:
		return batch.Null, nil
	}
	return batch.Text(cmp.Or(t.codes[use], c.Text)), nil
}

// own is what the account calls a type.
func (t *TrackingCodes) own(typ string) string { return cmp.Or(t.types[strings.ToLower(typ)], typ) }

// matches reports whether an entry's type is the one that a field names.
func (t *TrackingCodes) matches(entry gjson.Result, typ string) bool {
	return strings.EqualFold(entry.Get("type").String(), t.own(typ))
}

// defaultType is a type's name in an account that has not renamed it.
var defaultType = regexp.MustCompile(`(?i)^Sales Tracking Code [1-5]$`)

// ambiguous names an entry of the record that may be of the type that a field
// names by its default name: no code of that type was looked up, so the account's
// own name for it is not known, and the entry bears a name that the account gave.
func (t *TrackingCodes) ambiguous(c customer, typ string) (entry string, is bool) {
	if _, known := t.types[strings.ToLower(typ)]; known || !defaultType.MatchString(typ) {
		return "", false
	}
	claimed := map[string]bool{} // names that are known to be the account's for some default name
	for given, own := range t.types {
		claimed[strings.ToLower(own)] = claimed[strings.ToLower(own)] || defaultType.MatchString(given)
	}
	for _, e := range gjson.GetBytes(c.body, trackingList).Array() {
		if name := e.Get("type").String(); !defaultType.MatchString(name) && !claimed[strings.ToLower(name)] {
			return name, true
		}
	}
	return "", false
}

func (t *TrackingCodes) entry(typ string, code batch.Value) string {
	name, err := json.Marshal(t.own(typ))
	if err != nil {
		panic(err) // a string always encodes
	}
	return fmt.Sprintf(`{"type":%s,"code":%s}`, name, code)
}
