package action

import (
	"slices"
	"strings"

	"github.com/tidwall/gjson"
	"github.com/tidwall/sjson"

	"rowbatch/batch"
)

// restored gives a record that goes back to old values the form that it had
// then, where values alone do not tell it: a tracking code at its old place with
// its old bytes, and null in place of an object that has nothing left in it.
func restored(c customer, was []byte, changes []batch.Change) (customer, error) {
	c, err := restoredCodes(c, was, changes)
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

// hollow says that an object has no value but what the server gives it itself.
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
func restoredCodes(c customer, was []byte, changes []batch.Change) (customer, error) {
	list := gjson.GetBytes(was, trackingList).Array()
	for place, old := range list {
		back := slices.ContainsFunc(changes, func(ch batch.Change) bool {
			typ, tracking := trackingType(ch.Field)
			return tracking && ch.After != batch.Null && c.codes.matches(old, typ)
		})
		if !back {
			continue
		}
		var err error
		if c, err = c.placed(old, place); err != nil {
			return c, err
		}
	}
	return c, nil
}

// placed puts a tracking code in place of that of its type.
func (c customer) placed(old gjson.Result, place int) (customer, error) {
	var entries []string
	for _, e := range gjson.GetBytes(c.body, trackingList).Array() {
		if !strings.EqualFold(e.Get("type").String(), old.Get("type").String()) {
			entries = append(entries, e.Raw)
		}
	}
	entries = slices.Insert(entries, min(place, len(entries)), old.Raw)
	return c.setRaw(trackingList, "["+strings.Join(entries, ",")+"]")
}
