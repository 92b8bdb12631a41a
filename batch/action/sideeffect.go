package action

import (
	"fmt"
	"slices"
	"strings"

	"github.com/tidwall/gjson"

	"rowbatch/batch"
)

// moving are the fields that the billing system may move by itself at any
// write, and links that it only renders.
func moving() []string {
	return []string{"modifiedTimestamp", "customerAccountStatus", "customerAccountStatusTimestamp", "monthlyRecurringRevenue",
		"netMonthlyRecurringRevenue", "quickBooksSyncToken", "uri"}
}

// sideEffects tells which fields differ between the body that was sent and the
// record after it, though no change names them.
func sideEffects(sent, got customer, changes []batch.Change) []string {
	var moved []string
	for _, field := range fields(sent.body, got.body) {
		if slices.ContainsFunc(changes, func(c batch.Change) bool { return explains(c.Field, field) }) {
			continue
		}
		before, after := gjson.GetBytes(sent.body, field), gjson.GetBytes(got.body, field)
		if field == trackingList {
			moved = append(moved, movedCodes(sent, got, changes)...)
			continue
		}
		if was, is := batch.Value(before.Raw), batch.Value(after.Raw); !same(field, was, is) {
			moved = append(moved, fmt.Sprintf("%s went from %q to %q", field, was.Plain(), is.Plain()))
		}
	}
	return moved
}

// explains says that a change of one field accounts for a move of another.
func explains(changed, field string) bool {
	switch changed {
	case "quickBooksLatchType": // it may be carried out at once, and then shows the id it got
		return field == changed || strings.EqualFold(field, "quickBooksId")
	case "quickBooksId": // which the overview spells otherwise
		return strings.EqualFold(field, changed)
	case "parentId":
		return field == changed || field == "parentName"
	case "status": // what is due, and when, depends on it
		return slices.Contains([]string{changed, "statusTimestamp", "nextBillingDate", "daysUntilSuspension", "daysUntilCancellation"}, field)
	}
	return changed == field
}

// fields lists the paths to compare, one level deep where one side is an object
// and the other an object or null: a server may show an object without values as null.
// What is the same byte for byte is left out.
func fields(sent, got []byte) []string {
	var paths []string
	before, after := membersOf(sent), membersOf(got)
	for _, side := range [][2][]member{{before, after}, {after, before}} {
		for at, m := range side[0] {
			other := find(side[1], m.key, at)
			switch {
			case m.value.Raw == other.Raw, slices.Contains(moving(), m.key), m.value.Type == gjson.Null && other.IsObject():
			case m.value.IsObject() && (other.IsObject() || other.Type == gjson.Null):
				paths = append(paths, children(m.key, m.value)...)
			default:
				paths = append(paths, escaped(m.key))
			}
		}
	}
	slices.Sort(paths)
	return slices.Compact(paths)
}

// member is one of an object.
type member struct {
	key   string
	value gjson.Result
}

func membersOf(object []byte) []member {
	all := make([]member, 0, 64)
	gjson.ParseBytes(object).ForEach(func(key, value gjson.Result) bool {
		all = append(all, member{key.Str, value})
		return true
	})
	return all
}

// find returns a member's value. A server mostly keeps the order: at is where to look first.
func find(all []member, key string, at int) gjson.Result {
	if at < len(all) && all[at].key == key {
		return all[at].value
	}
	if at = slices.IndexFunc(all, func(m member) bool { return m.key == key }); at >= 0 {
		return all[at].value
	}
	return gjson.Result{}
}

// children lists the paths inside an object. Its id is the server's, which fills it in when the object is new.
func children(parent string, object gjson.Result) []string {
	var paths []string
	object.ForEach(func(key, _ gjson.Result) bool {
		if key.Str != "id" && !slices.Contains(moving(), key.Str) {
			paths = append(paths, escaped(parent)+"."+escaped(key.Str))
		}
		return true
	})
	return paths
}

// escaped makes a key that a server sent safe as a path: a dot or star in it is no step.
func escaped(key string) string { return gjson.Escape(key) }

// movedCodes compares the tracking codes entry by entry, without their links.
func movedCodes(sent, got customer, changes []batch.Change) []string {
	named := func(entry gjson.Result) bool {
		return slices.ContainsFunc(changes, func(c batch.Change) bool {
			typ, ok := trackingType(c.Field)
			return ok && sent.codes.matches(entry, typ)
		})
	}
	before, after := trackingEntries(sent, named), trackingEntries(got, named)
	if slices.Equal(before, after) {
		return nil
	}
	return []string{fmt.Sprintf("%s went from %v to %v", trackingList, before, after)}
}

func trackingEntries(c customer, named func(gjson.Result) bool) []string {
	var entries []string
	for _, entry := range gjson.GetBytes(c.body, trackingList).Array() {
		if !named(entry) {
			entries = append(entries, entry.Get("type").String()+"="+entry.Get("code").String())
		}
	}
	slices.Sort(entries)
	return entries
}
