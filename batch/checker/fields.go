package checker

import (
	"slices"
	"strings"

	"github.com/tidwall/gjson"

	"rowbatch/batch"
)

const (
	trackingPrefix = "salesTrackingCode."
	trackingHolder = "customerReference"
	trackingList   = "salesTrackingCodes"
)

// valueOf is a field of a record as it is spelled there.
func valueOf(body []byte, field string) batch.Value {
	typ, tracking := strings.CutPrefix(field, trackingPrefix)
	if !tracking {
		return batch.Value(gjson.GetBytes(body, field).Raw)
	}
	for _, e := range gjson.GetBytes(body, trackingHolder+"."+trackingList).Array() {
		if strings.EqualFold(e.Get("type").String(), typ) {
			return batch.Value(e.Get("code").Raw)
		}
	}
	return batch.Absent
}

// shows says that a record has all the values that the changes set. Secret ones
// cannot be told.
func shows(body []byte, changes []batch.Change) bool {
	for _, c := range changes {
		if c.After != batch.Hidden && !valueOf(body, c.Field).Same(c.After) {
			return false
		}
	}
	return true
}

// moved names the values that differ between two records, though no change names
// them. Where a change makes an object of null, or null of an object with nothing
// left in it, the object's empty values and its own id are not told apart from none.
func moved(before, after []byte, changes []batch.Change) []string {
	was, is := members(gjson.ParseBytes(before)), members(gjson.ParseBytes(after))
	var names []string
	for _, name := range union(was, is) {
		within := namedWithin(name, changes)
		switch {
		case was[name] == is[name], name == "modifiedTimestamp", slices.ContainsFunc(changes, func(c batch.Change) bool { return c.Field == name }):
		case within == nil:
			names = append(names, name)
		default:
			names = append(names, movedWithin(name, gjson.Parse(was[name]), gjson.Parse(is[name]), within)...)
		}
	}
	return names
}

func members(object gjson.Result) map[string]string {
	raw := map[string]string{}
	if object.IsObject() {
		object.ForEach(func(key, value gjson.Result) bool { raw[key.Str] = value.Raw; return true })
	}
	return raw
}

func union(a, b map[string]string) (names []string) {
	for name := range a {
		names = append(names, name)
	}
	for name := range b {
		if _, both := a[name]; !both {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// namedWithin are the fields of an object that the changes name.
func namedWithin(object string, changes []batch.Change) (fields []string) {
	for _, c := range changes {
		parent, child, nested := strings.Cut(c.Field, ".")
		if parent+"." == trackingPrefix {
			parent, child = trackingHolder, c.Field
		}
		if nested && parent == object {
			fields = append(fields, child)
		}
	}
	return fields
}

func movedWithin(object string, before, after gjson.Result, named []string) (names []string) {
	remade := before.IsObject() != after.IsObject()
	was, is := members(before), members(after)
	for _, name := range union(was, is) {
		a, b := was[name], is[name]
		if name == trackingList && slices.ContainsFunc(named, func(n string) bool { return strings.HasPrefix(n, trackingPrefix) }) {
			a, b = otherCodes(before, named), otherCodes(after, named)
		}
		hollow := remade && (name == "id" || name == "uri" || empty(a) && empty(b))
		if a != b && !hollow && !slices.Contains(named, name) {
			names = append(names, object+"."+name)
		}
	}
	return names
}

func empty(raw string) bool { return batch.Value(raw).Empty() || raw == "[]" }

// otherCodes are the bytes of the tracking codes of types that are not named.
func otherCodes(object gjson.Result, named []string) (raw string) {
	for _, e := range object.Get(trackingList).Array() {
		typ := e.Get("type").String()
		if !slices.ContainsFunc(named, func(n string) bool { return strings.EqualFold(n, trackingPrefix+typ) }) {
			raw += e.Raw
		}
	}
	return raw
}
