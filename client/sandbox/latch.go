package sandbox

import (
	"fmt"
	"net/http"
	"slices"
)

// link is one of the two HubSpot ids of a customer.
type link struct {
	field  string
	noun   string
	exists func(id int64) bool // whether HubSpot knows it
}

func links() []link {
	return []link{
		{"hubSpotId", "contact", numbered(51_000_000_000, 51_000_999_999)},
		{"hubSpotCompanyId", "company", numbered(7_300_000_000, 7_300_999_999)},
	}
}

// numbered is true of the small ids, which are easy to type, and of those from first to last.
func numbered(first, last int64) func(int64) bool {
	return func(id int64) bool { return id >= 1 && id <= 9999 || id >= first && id <= last }
}

func (l link) key(id string) string { return l.noun + " " + id }

// latchCustomer is developer.staxbill.com/reference/latch-customer-1. Both ids are
// null by default there, so that one left out is cleared. The reply to an id that
// another customer has is not documented; nor is whether a cancelled customer can be linked.
func latchCustomer(c *call) *reply {
	body, err := parseObject(c.body)
	if err != nil {
		return failure(http.StatusBadRequest, "The request is invalid: "+err.Error()+".")
	}
	var problems []string
	if problem := integer(body.raw("fusebillId")); problem != "" {
		problems = append(problems, "fusebillId is required and "+problem)
	}
	for _, l := range links() {
		if raw := body.raw(l.field); !isNull(raw) && integer(raw) != "" {
			problems = append(problems, l.field+" "+integer(raw))
		}
	}
	if problems != nil {
		return failure(http.StatusBadRequest, problems...)
	}
	return relink(c, body)
}

// unlatchCustomer is developer.staxbill.com/reference/unlatch-customer-1.
func unlatchCustomer(c *call) *reply { return relink(c, nil) }

// relink gives the record both ids as the body has them: null for one that it leaves out.
func relink(c *call, body object) *reply {
	return rewrite(c, func(stored object) (object, *reply) {
		if stored.text("status") == "Cancelled" {
			return nil, failure(http.StatusConflict, "A cancelled customer cannot be modified.")
		}
		if out := refuseLinks(c.box.store, c.id, stored, body); out != nil {
			return nil, out
		}
		wanted := c.fault.spoilBody(body, stored)
		out := slices.Clone(stored)
		for _, l := range links() {
			out = out.set(l.field, take(out.raw(l.field), wanted.raw(l.field)))
		}
		return out, nil
	})
}

// refuseLinks asks HubSpot first, as the call does, and the other customers after. An
// id that the customer has already is not taken from it, though a PUT, an edit or a
// repeated seed may have given it to others too.
func refuseLinks(st *store, customer int64, stored, body object) *reply {
	for _, l := range links() {
		if raw := body.raw(l.field); !isNull(raw) && !l.exists(wholeID(raw)) {
			return failure(http.StatusBadRequest, "The was an error getting the "+l.noun+" from HubSpot: resource not found") // sic
		}
	}
	for _, l := range links() {
		raw := body.raw(l.field)
		if isNull(raw) || same(raw, stored.raw(l.field)) {
			continue
		}
		if holder := st.holder(l.key(raw), customer); holder != 0 {
			return failure(http.StatusConflict, fmt.Sprintf("HubSpot %s %s is already linked to customer %d.", l.noun, raw, holder))
		}
	}
	return nil
}
