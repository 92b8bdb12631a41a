package action

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/tidwall/gjson"
	"github.com/tidwall/sjson"
	"golang.org/x/text/unicode/norm"

	"rowbatch/batch"
	"rowbatch/client"
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
			if key, twice := client.RepeatedKey(holder); twice {
				return c, fmt.Errorf("%s holds %s twice", parent, key)
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
	place, found := len(list.Array()), false
	for i, entry := range list.Array() {
		switch {
		case !c.codes.matches(entry, typ):
			entries = append(entries, entry.Raw)
		case found:
			return c, fmt.Errorf("%s holds the type %q twice", trackingList, typ)
		default:
			place, found = i, true
		}
	}
	if want != batch.Null {
		entries = slices.Insert(entries, place, c.codes.entry(typ, want))
	}
	return c.setRaw(trackingList, "["+strings.Join(entries, ",")+"]")
}

// valueOf reads the top-level fields of an object.
func valueOf(body []byte) func(string) batch.Value {
	return func(field string) batch.Value { return batch.Value(gjson.GetBytes(body, field).Raw) }
}

// same compares one field's values: lists of addresses are equal if only spaces differ,
// and words of a fixed list if only letter case does.
func same(field string, a, b batch.Value) bool {
	if a.Same(b) || strings.EqualFold(a.Plain(), b.Plain()) && customerFields().of(field).values != nil {
		return true
	}
	unspaced := func(v batch.Value) string { return strings.ReplaceAll(v.Plain(), " ", "") }
	return (field == "primaryEmail" || field == "secondaryEmail") && unspaced(a) == unspaced(b)
}

// alike is same before a write: that one value spells é as one character and the other
// as e with an accent is no reason to send it, nor for a guard to fail. Of what a server
// makes of a value that was sent, same judges.
func alike(field string, a, b batch.Value) bool {
	text := func(v batch.Value) bool { return strings.HasPrefix(string(v), `"`) }
	return same(field, a, b) || text(a) && text(b) && norm.NFC.String(a.Plain()) == norm.NFC.String(b.Plain())
}

// shows reports whether the customer, as the reply to a write has it, shows a field at all.
func (c customer) shows(field string) bool {
	if _, tracking := trackingType(field); tracking {
		field = trackingList
	}
	return gjson.GetBytes(c.body, field).Exists()
}

// movedPaths lists the paths that are not the same byte for byte, one level deep where
// one side is an object and the other an object or null: a server may show an object
// without values as null. An object's id is the server's, which fills it in when it is new.
// A key that a server sent is escaped: a dot or star in it is no step.
func movedPaths(all fieldTable, sent, got []byte) (paths []string) {
	before, after := differing(sent, got)
	for _, sides := range [][2]map[string]string{{before, after}, {after, before}} {
		for key, raw := range sides[0] {
			if raw == sides[1][key] {
				continue
			}
			value, other := gjson.Parse(raw), gjson.Parse(sides[1][key])
			switch {
			case all.of(key).has(restless), value.Type == gjson.Null && other.IsObject():
			case value.IsObject() && (other.IsObject() || other.Type == gjson.Null):
				for child := range value.Map() {
					if child != "id" && !all.of(child).has(restless) {
						paths = append(paths, gjson.Escape(key)+"."+gjson.Escape(child))
					}
				}
			default:
				paths = append(paths, gjson.Escape(key))
			}
		}
	}
	slices.Sort(paths)
	return slices.Compact(paths)
}

// differing are the raw values of two objects by their keys, but for those that stand in
// both at one place: most of a record stays as it was, and where it was. A key stands once
// in each, as the client sees to.
func differing(one, other []byte) (a, b map[string]string) {
	a, b = map[string]string{}, map[string]string{}
	left, right := members(one), members(other)
	for n := range max(len(left), len(right)) {
		if n < len(left) && n < len(right) && left[n] == right[n] {
			continue
		}
		if n < len(left) {
			a[left[n].key] = left[n].raw
		}
		if n < len(right) {
			b[right[n].key] = right[n].raw
		}
	}
	return a, b
}

// member is a key of an object and its value, as they were sent.
type member struct{ key, raw string }

func members(object []byte) []member {
	all := make([]member, 0, 56) // a customer has some fifty
	gjson.ParseBytes(object).ForEach(func(key, value gjson.Result) bool {
		all = append(all, member{key.Str, value.Raw})
		return true
	})
	return all
}

// codesBeside are the tracking codes that no change names, without their links.
func (c customer) codesBeside(changes []batch.Change) (entries []string) {
	for _, entry := range gjson.GetBytes(c.body, trackingList).Array() {
		named := func(ch batch.Change) bool {
			typ, tracking := trackingType(ch.Field)
			return tracking && c.codes.matches(entry, typ)
		}
		if !slices.ContainsFunc(changes, named) {
			entries = append(entries, entry.Get("type").String()+"="+entry.Get("code").String())
		}
	}
	slices.Sort(entries)
	return entries
}

// restored gives a record that goes back to old values the form that it had
// then, where values alone do not tell it: a tracking code at its old place with
// its old bytes, and null in place of an object that has nothing left in it.
func (c customer) restored(was []byte, changes []batch.Change) (customer, error) {
	c, err := c.restoredCodes(was, changes)
	for _, parent := range []string{trackingHolder, "customerAcquisition"} {
		old := gjson.GetBytes(was, parent)
		named := slices.ContainsFunc(changes, func(ch batch.Change) bool { return holder(ch.Field) == parent })
		if err != nil || !named || old.Type != gjson.Null || !hollow(gjson.GetBytes(c.body, parent)) {
			continue
		}
		c.body, err = sjson.SetRawBytes(c.body, parent, []byte("null"))
	}
	return c, err
}

// holder is the object in which a field stands, "" for one of the record's own.
func holder(field string) string {
	if _, tracking := trackingType(field); tracking {
		return trackingHolder
	}
	parent, _, nested := strings.Cut(field, ".")
	if !nested {
		return ""
	}
	return parent
}

// hollow reports whether an object has no value but what the server gives it itself.
func hollow(object gjson.Result) bool {
	empty := object.IsObject()
	object.ForEach(func(key, value gjson.Result) bool {
		own := key.Str == "id" || key.Str == "uri"
		empty = empty && (own || batch.Value(value.Raw).Empty() || value.Raw == "[]")
		return empty
	})
	return empty
}

// restoredCodes puts the entries that go back to old codes at their old places,
// from the first on. The others keep their bytes and their order.
func (c customer) restoredCodes(was []byte, changes []batch.Change) (customer, error) {
	list := gjson.GetBytes(was, trackingList).Array()
	for place, old := range list {
		back := slices.ContainsFunc(changes, func(ch batch.Change) bool {
			typ, tracking := trackingType(ch.Field)
			return tracking && ch.After != batch.Null && c.codes.matches(old, typ)
		})
		if !back {
			continue
		}
		var entries []string
		for _, e := range gjson.GetBytes(c.body, trackingList).Array() {
			if !strings.EqualFold(e.Get("type").String(), old.Get("type").String()) {
				entries = append(entries, e.Raw)
			}
		}
		entries = slices.Insert(entries, min(place, len(entries)), old.Raw)
		var err error
		if c, err = c.setRaw(trackingList, "["+strings.Join(entries, ",")+"]"); err != nil {
			return c, err
		}
	}
	return c, nil
}
