package sandbox

import (
	"regexp"
	"slices"
	"strings"

	"github.com/tidwall/gjson"
)

// writesOfOne are the kinds of calls that write a Fusebill customer.
func writesOfOne() []string { return []string{"put", "hold", "unhold", "latch", "unlatch"} }

// habits are how a server may always be, whatever else goes wrong.
func habits() map[string]misbehaviour {
	writes, reads := writesOfOne(), []string{"any", "get", "overview"}
	respelled := func(c *call, r *reply) *reply {
		if slices.Contains(writes, c.kind) {
			return shape(respellReply)(c, r)
		}
		return shape(respell)(c, r)
	}
	return map[string]misbehaviour{
		"hidden-links": {after: shape(hideLinks), only: append(writesOfOne(), "any", "get", "list", "overview"), habit: true},
		"short":        {after: shape(shorten), only: writes, habit: true},
		"longer":       {after: shape(lengthen), only: writes, habit: true},
		"respelled":    {after: respelled, only: append(writesOfOne(), "list", "overview"), habit: true},
		"other-ids":    {after: shape(otherIDs), only: []string{"overview"}, habit: true},
		"stores":       {only: []string{"put"}, takesValue: true, habit: true},
		"former":       {after: showBefore, only: writes, habit: true},
		"moves":        {only: writes, takesValue: true, habit: true},
		"lag":          {only: reads, takesValue: true, habit: true},
		"behind":       {only: reads, takesValue: true, habit: true},
	}
}

// hideLinks leaves the ids in other systems out of a customer. The record itself keeps
// them, until a PUT that leaves them out too.
func hideLinks(o object) object {
	keys := []string{"hubSpotId", "hubSpotCompanyId", "geotabId", "netsuiteId", "salesforceId",
		"quickBooksId", "quickbooksId"} // the last is the overview's
	return slices.DeleteFunc(o, func(m member) bool { return slices.Contains(keys, m.name) })
}

// shape makes a spoiler of replies that show a customer, or a list of them. What is no
// customer stays as it is.
func shape(form func(object) object) func(*call, *reply) *reply {
	one := func(raw string) string {
		o, err := parseObject([]byte(raw))
		if err != nil || !o.has("id") {
			return raw
		}
		return string(form(o).bytes())
	}
	return func(_ *call, r *reply) *reply {
		whole := gjson.ParseBytes(r.body)
		if !whole.IsArray() {
			r.body = []byte(one(string(r.body)))
			return r
		}
		var rows []string
		for _, row := range whole.Array() {
			rows = append(rows, one(row.Raw))
		}
		r.body = []byte("[" + strings.Join(rows, ",") + "]")
		return r
	}
}

// shorten is the form of an older version: who it is, and the status.
func shorten(o object) object {
	return object{}.set("id", o.raw("id")).set("status", o.raw("status"))
}

// lengthen adds what the record itself does not have.
func lengthen(o object) object { return o.set("warnings", "[]") }

// respellReply writes the same values otherwise: times with or without their zone, numbers with an
// exponent, words in other letter case, an object as null.
func respellReply(o object) object {
	fraction := regexp.MustCompile(`^-?[0-9]+\.[0-9]+$`)
	for _, m := range slices.Clone(o) {
		switch {
		case strings.HasSuffix(m.name, "Timestamp") && strings.HasSuffix(m.value, `Z"`):
			o = o.set(m.name, strings.TrimSuffix(m.value, `Z"`)+`"`)
		case strings.HasSuffix(m.name, "Timestamp") && m.value != "null":
			o = o.set(m.name, strings.TrimSuffix(m.value, `"`)+`Z"`)
		case fraction.MatchString(m.value):
			o = o.set(m.name, m.value+"e0")
		case m.name == "status", m.name == "customerAccountStatus":
			o = o.set(m.name, strings.ToLower(m.value))
		case m.name == "customerAcquisition":
			o = o.set(m.name, "null")
		}
	}
	return o
}

// otherIDs writes in the overview two ids otherwise than the record has them, as the vendor's own samples do.
func otherIDs(o object) object {
	for _, name := range []string{"salesforceId", "geotabId"} {
		if raw := o.raw(name); !isNull(raw) {
			o = o.set(name, quote("sf-"+plain(raw)))
		}
	}
	return o
}

// showBefore answers a write with the customer as it was before.
func showBefore(c *call, r *reply) *reply {
	if c.before != nil && gjson.GetBytes(r.body, "id").Exists() {
		r.body = c.before
	}
	return r
}
