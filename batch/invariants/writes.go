package invariants

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/tidwall/gjson"

	"rowbatch/batch"
)

// contents looks at what each effect of a write moved.
func contents(run *Run, i *record, b *breaches) {
	changes := i.Changes
	if i.isIntent() && (i.Found.Act == "hold" || i.Found.Act == "unhold") {
		changes = []batch.Change{{Field: "status"}}
	}
	for _, e := range i.effects {
		if run.Outcomes[i.Row].Code == "side_effect" {
			continue
		}
		for _, name := range moved(e.Before, e.After, changes) {
			was, is := valueOf(e.Before, name), valueOf(e.After, name)
			invariant := 5
			switch link := i.Found.Act == "latch" && (name == "hubSpotId" || name == "hubSpotCompanyId"); {
			case link && was.Empty() && is.Empty():
				continue // a record that had no place for it
			case link, i.Found.Act == "update" && name == "status":
				invariant = 6
			}
			b.add(invariant, "%s: effect %d moved %s, which the row does not name, from %s to %s", run.line(i.Row), e.Seq, name, was, is)
		}
		if left, read := valueOf(e.After, "status"), valueOf(i.Found.Body, "status"); i.Found.Act == "update" && left != read {
			b.add(6, "%s: the PUT of effect %d left the status %s, and the read before it showed %s", run.line(i.Row), e.Seq, left, read)
		}
	}
}

// planned wants a write to be what the plan said, over what the plan found: in the
// customer list that may have been spelled otherwise.
func planned(c Case, i *record, b *breaches) {
	o := c.Of.Outcomes[i.Row]
	if o.Kind != batch.WouldChange {
		b.add(14, "%s was sent, and its plan says %s", c.Run.line(i.Row), o.Kind)
		return
	}
	plan := byField(o.Changes)
	for _, is := range i.Changes {
		p, named := plan[is.Field]
		if !named || is.After != p.After || p.Before != batch.Hidden && !o.Listed && !is.Before.Same(p.Before) {
			b.add(14, "%s: %s went from %s to %s, and the plan was from %s to %s",
				c.Run.line(i.Row), is.Field, is.Before, is.After, p.Before, p.After)
		}
	}
}

// undone wants a write to put back, byte for byte, what the run found, where the
// run's own values stood.
func undone(c Case, i *record, b *breaches) {
	was := c.Of.lastIntent(i.Row)
	if was == nil {
		b.add(14, "%s was undone, and no write had left for it", c.Run.line(i.Row))
		return
	}
	ours, kept := byField(was.Changes), byField(c.Of.Outcomes[i.Row].Changes)
	for _, e := range i.effects {
		for _, change := range i.Changes {
			field := change.Field
			mine, touched := ours[field]
			stored := kept[field].Stored // in the place of what was sent
			before, after, first := valueOf(e.Before, field), valueOf(e.After, field), valueOf(was.Found.Body, field)
			why := ""
			switch {
			case !touched:
				why = field + " was undone, and the run had not touched it"
			case i.Found.Act == "unhold": // coming back sets the status itself
			case !before.Same(mine.After) && (stored == batch.Absent || !before.Same(stored)):
				why = fmt.Sprintf("%s had come to be %s, which is not the run's %s", field, before, mine.After)
			case first == batch.Absent && after.Empty(): // a key cannot be taken out of a record, only emptied
			case after != first && e.taken:
				why = fmt.Sprintf("%s is %s, and was %s before the run", field, after, first)
			}
			if why != "" {
				b.add(14, "%s: effect %d: %s", c.Run.line(i.Row), e.Seq, why)
			}
		}
	}
}

func byField(changes []batch.Change) map[string]batch.Change {
	all := map[string]batch.Change{}
	for _, c := range changes {
		all[c.Field] = c
	}
	return all
}

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

// shows reports whether a record has all the values that the changes set. Secret
// ones cannot be told.
func shows(body []byte, changes []batch.Change) bool {
	return !slices.ContainsFunc(changes, func(c batch.Change) bool {
		return c.After != batch.Hidden && !valueOf(body, c.Field).Same(c.After)
	})
}

// moved names the values that differ between two records, though no change names
// them. Where a change makes an object of null, or null of an object with nothing
// left in it, the object's empty values and its own id are not told apart from none.
func moved(before, after []byte, changes []batch.Change) []string {
	was, is := members(gjson.ParseBytes(before)), members(gjson.ParseBytes(after))
	var names []string
	for _, name := range union(was, is) {
		var within []string // fields of this object that the changes name
		for _, c := range changes {
			parent, child, nested := strings.Cut(c.Field, ".")
			if parent+"." == trackingPrefix {
				parent, child = trackingHolder, c.Field
			}
			if nested && parent == name {
				within = append(within, child)
			}
		}
		asked := slices.ContainsFunc(changes, func(c batch.Change) bool { return c.Field == name })
		switch {
		case asked, was[name] == is[name], name == "modifiedTimestamp":
		case within == nil:
			names = append(names, name)
		default:
			names = append(names, movedWithin(name, gjson.Parse(was[name]), gjson.Parse(is[name]), within)...)
		}
	}
	return names
}

func movedWithin(object string, before, after gjson.Result, named []string) (names []string) {
	remade := before.IsObject() != after.IsObject()
	empty := func(raw string) bool { return batch.Value(raw).Empty() || raw == "[]" }
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

func members(object gjson.Result) map[string]string {
	raw := map[string]string{}
	if object.IsObject() {
		object.ForEach(func(key, value gjson.Result) bool { raw[key.Str] = value.Raw; return true })
	}
	return raw
}

// union are the names of either, sorted.
func union(a, b map[string]string) []string {
	names := slices.AppendSeq(slices.Collect(maps.Keys(a)), maps.Keys(b))
	slices.Sort(names)
	return slices.Compact(names)
}
