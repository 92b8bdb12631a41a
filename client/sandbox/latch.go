package sandbox

import (
	"fmt"
	"net/http"
	"slices"

	"github.com/tidwall/gjson"
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

// linksOf are the keys of the index by link.
func linksOf(body []byte) (keys []string) {
	for _, l := range links() {
		if id := plain(gjson.GetBytes(body, l.field).Raw); id != "" {
			keys = append(keys, l.key(id))
		}
	}
	return keys
}

// latchCustomer is developer.staxbill.com/reference/latch-customer-1. Both ids are
// null by default there, so that one left out is cleared. The reply to an id that
// another customer has is not documented; nor is whether a cancelled customer can be linked.
func (s *Sandbox) latchCustomer(c *call) *reply {
	body, err := parseObject(c.body)
	if err != nil {
		return failure(http.StatusBadRequest, "The request is invalid: "+err.Error()+".")
	}
	if problems := refuseLatch(body); problems != nil {
		return failure(http.StatusBadRequest, problems...)
	}
	return s.rewrite(c, Effect{Kind: "latch"}, func(stored object) (object, *reply) {
		if out := refuseLink(stored); out != nil {
			return nil, out
		}
		if out := s.refuseIDs(c.id, stored, body); out != nil {
			return nil, out
		}
		return linked(stored, c.fault.spoilBody(body, stored)), nil
	})
}

// unlatchCustomer is developer.staxbill.com/reference/unlatch-customer-1.
func (s *Sandbox) unlatchCustomer(c *call) *reply {
	return s.rewrite(c, Effect{Kind: "unlatch"}, func(stored object) (object, *reply) {
		if out := refuseLink(stored); out != nil {
			return nil, out
		}
		return linked(stored, nil), nil
	})
}

func refuseLatch(body object) (problems []string) {
	if problem := integer(body.raw("fusebillId")); problem != "" {
		problems = append(problems, "fusebillId is required and "+problem)
	}
	for _, l := range links() {
		if raw := body.raw(l.field); !isNull(raw) && integer(raw) != "" {
			problems = append(problems, l.field+" "+integer(raw))
		}
	}
	return problems
}

func refuseLink(stored object) *reply {
	if stored.text("status") == "Cancelled" {
		return failure(http.StatusConflict, "A cancelled customer cannot be modified.")
	}
	return nil
}

// refuseIDs asks HubSpot first, as the call does, and the other customers after. An
// id that the customer has already is not taken from it, though a PUT, an edit or a
// repeated seed may have given it to others too.
func (s *Sandbox) refuseIDs(customer int64, stored, body object) *reply {
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
		if holder := s.store.holder(l.key(raw), customer); holder != 0 {
			return failure(http.StatusConflict, fmt.Sprintf("HubSpot %s %s is already linked to customer %d.", l.noun, raw, holder))
		}
	}
	return nil
}

// holder returns the first customer but this one that has the link, 0 if there is none. The caller holds the lock.
func (st *store) holder(link string, but int64) int64 {
	st.byLink.build(st.herd.ids(), st.customers.body)
	var first int64
	for _, id := range st.byLink.ids[link] {
		if id != but && (first == 0 || id < first) {
			first = id
		}
	}
	return first
}

// linked is the record with both ids as the body has them: null for one that it leaves out.
func linked(stored, body object) object {
	out := slices.Clone(stored)
	for _, l := range links() {
		out = out.set(l.field, take(out.raw(l.field), body.raw(l.field)))
	}
	return out
}
