package action

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/tidwall/gjson"

	"rowbatch/batch"
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

// Known records what the account calls a type and one of its codes.
func (t *TrackingCodes) Known(typ, code, accountType, accountCode string) {
	t.types[strings.ToLower(typ)] = accountType
	t.codes[trackingUse{typ, code}] = accountCode
}

// Unknown records that the account has no such code, with the server's words.
func (t *TrackingCodes) Unknown(typ, code, why string) { t.why[trackingUse{typ, code}] = why }

// UnknownType records that the account has no such type, with the server's words.
func (t *TrackingCodes) UnknownType(typ, why string) { t.Unknown(typ, "", why) }

// code returns the account's spelling of a code, or why there is none.
func (t *TrackingCodes) code(typ, code string) (string, *batch.Outcome) {
	use := trackingUse{typ, code}
	if why, unknown := t.why[use]; unknown {
		return "", batch.Reject("unknown_tracking_code", fmt.Sprintf("the account has no code %q of type %q: %s", code, typ, why))
	}
	if spelled, ok := t.codes[use]; ok {
		return spelled, nil
	}
	return code, nil
}

// clearable says why the codes of a type cannot be removed.
func (t *TrackingCodes) clearable(typ string) *batch.Outcome {
	if why, unknown := t.why[trackingUse{typ: typ}]; unknown {
		return batch.Reject("unknown_tracking_code", fmt.Sprintf("the account has no type %q: %s", typ, why))
	}
	return nil
}

// matches says that an entry's type is the one that a field names.
func (t *TrackingCodes) matches(entry gjson.Result, typ string) bool {
	if own, ok := t.types[strings.ToLower(typ)]; ok {
		typ = own
	}
	return strings.EqualFold(entry.Get("type").String(), typ)
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
	for _, e := range gjson.GetBytes(c.body, trackingList).Array() {
		name := e.Get("type").String()
		if !defaultType.MatchString(name) && !t.claimed(name) {
			return name, true
		}
	}
	return "", false
}

// claimed says that a name is known to be the account's for some default name.
func (t *TrackingCodes) claimed(name string) bool {
	for given, own := range t.types {
		if strings.EqualFold(own, name) && defaultType.MatchString(given) {
			return true
		}
	}
	return false
}

func (c customer) trackingCode(typ string) batch.Value {
	for _, entry := range gjson.GetBytes(c.body, trackingList).Array() {
		if c.codes.matches(entry, typ) {
			return batch.Value(entry.Get("code").Raw)
		}
	}
	return batch.Absent
}

// setTrackingCode sets, replaces or (null) removes the entry of one type. The
// others keep their bytes; the vendor sends only type and code of a new one.
func (c customer) setTrackingCode(typ string, want batch.Value) (customer, error) {
	list := gjson.GetBytes(c.body, trackingList)
	if list.Type != gjson.Null && !list.IsArray() {
		return c, errors.New(trackingList + " is no list")
	}
	var entries []string
	found := false
	for _, entry := range list.Array() {
		if !c.codes.matches(entry, typ) {
			entries = append(entries, entry.Raw)
			continue
		}
		if found {
			return c, fmt.Errorf("%s holds the type %q twice", trackingList, typ)
		}
		found = true
		if want != batch.Null {
			entries = append(entries, c.codes.entry(typ, want))
		}
	}
	if !found && want != batch.Null {
		entries = append(entries, c.codes.entry(typ, want))
	}
	return c.setRaw(trackingList, "["+strings.Join(entries, ",")+"]")
}

func (t *TrackingCodes) entry(typ string, code batch.Value) string {
	if own, ok := t.types[strings.ToLower(typ)]; ok {
		typ = own
	}
	name, err := json.Marshal(typ)
	if err != nil {
		panic(err) // a string always encodes
	}
	return fmt.Sprintf(`{"type":%s,"code":%s}`, name, code)
}
