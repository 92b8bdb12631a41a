package action

import (
	"errors"
	"fmt"
	"strings"

	"github.com/tidwall/gjson"
	"github.com/tidwall/sjson"

	"rowbatch/batch"
)

// customer reads and edits a Fusebill customer as bytes. Nothing is decoded and
// encoded again: what a row does not name must go back as it came, down to the
// spelling of its numbers (developer.staxbill.com/docs/modifying-an-existing-customer).
type customer struct {
	body  []byte
	codes *TrackingCodes
}

// value returns a field's raw value.
func (c customer) value(field string) batch.Value {
	if typ, ok := trackingType(field); ok {
		return c.trackingCode(typ)
	}
	return batch.Value(gjson.GetBytes(c.body, field).Raw)
}

// set returns the customer with one field changed.
func (c customer) set(field string, want batch.Value) (customer, error) {
	if typ, ok := trackingType(field); ok {
		return c.setTrackingCode(typ, want)
	}
	return c.setRaw(field, string(want))
}

// setRaw puts a raw value at a field, which may be one level deep.
func (c customer) setRaw(field, raw string) (customer, error) {
	parent, child, nested := strings.Cut(field, ".")
	if nested {
		holder := gjson.GetBytes(c.body, parent)
		switch {
		case holder.IsObject():
			if twice, ok := doubled(holder); ok {
				return c, fmt.Errorf("%s holds %s twice", parent, twice)
			}
		case holder.Type == gjson.Null: // null or absent
			field, raw = parent, fmt.Sprintf("{%q:%s}", child, raw)
		default:
			return c, fmt.Errorf("%s is no object", parent)
		}
	}
	body, err := sjson.SetRawBytes(c.body, field, []byte(raw))
	return customer{body, c.codes}, err
}

// doubled names a key that an object holds twice: editing one of the two would leave it to chance which one counts.
func doubled(object gjson.Result) (string, bool) {
	seen := map[string]bool{}
	twice := ""
	object.ForEach(func(key, _ gjson.Result) bool {
		if seen[key.Str] {
			twice = key.Str
		}
		seen[key.Str] = true
		return twice == ""
	})
	return twice, twice != ""
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
