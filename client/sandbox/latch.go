package sandbox

import (
	"fmt"
	"net/http"
	"slices"
)

// link is one of the two HubSpot ids of a customer.
type link struct {
	field, noun string
	first       int64 // of the long ids that HubSpot knows
}

func links() []link {
	return []link{
		{"hubSpotId", "contact", 51_000_000_000},
		{"hubSpotCompanyId", "company", 7_300_000_000},
	}
}

// exists is true of a million long ids, and of the small ones, which are easy to type.
func (l link) exists(id int64) bool {
	return id >= 1 && id <= 9999 || id >= l.first && id < l.first+1_000_000
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
