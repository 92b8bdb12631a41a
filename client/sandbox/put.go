package sandbox

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/tidwall/gjson"
)

// putCustomer replaces the whole customer (developer.staxbill.com/reference/customers-2):
// a field left out is null afterwards. A write without a difference moves modifiedTimestamp too.
func (s *Sandbox) putCustomer(c *call) *reply {
	body, err := parseObject(c.body)
	if err != nil {
		return failure(http.StatusBadRequest, "The request is invalid: "+err.Error()+".")
	}
	if problem := integer(body.raw("id")); problem != "" {
		return failure(http.StatusBadRequest, "id is required and "+problem)
	}
	return s.rewrite(c, Effect{Kind: "put"}, func(stored object) (object, *reply) {
		taken := c.fault.spoilBody(body, stored)
		if out := s.refusePut(stored, taken); out != nil {
			return nil, out
		}
		return s.merge(stored, taken), nil
	})
}

// refusePut returns what the API would say no to, nil if it would accept. A
// value echoed as it is stored is never refused. The texts are not documented.
func (s *Sandbox) refusePut(stored, body object) *reply {
	var problems []string
	for _, f := range s.editable {
		raw := body.raw(f.name)
		if isNull(raw) {
			if f.name == "status" {
				problems = append(problems, "status is required.")
			}
			continue
		}
		if problem := f.check(raw); problem != "" && !same(raw, stored.raw(f.name)) {
			problems = append(problems, f.name+" "+problem)
		}
	}
	problems = append(problems, s.checkParent(stored, body)...)
	problems = append(problems, s.checkReference(stored, body)...)
	problems = append(problems, checkNested(body, "customerAcquisition", acquisitionKeys())...)
	if given := orDefault(body.text("currency")); stored.has("currency") && given != stored.text("currency") {
		problems = append(problems, fmt.Sprintf("currency cannot be changed from %s to %s.", stored.text("currency"), given))
	}
	if problems != nil {
		return failure(http.StatusBadRequest, problems...)
	}
	return refuseStatus(stored.text("status"), body.text("status"))
}

// orDefault is the account's own currency, which a PUT without one is taken to mean.
func orDefault(currency string) string {
	if currency == "" {
		return "USD"
	}
	return currency
}

// refuseStatus: that a cancelled customer cannot be modified, and that an activated one is no draft again, is documented; the 409 is not.
func refuseStatus(from, to string) *reply {
	switch {
	case from == "Cancelled":
		return failure(http.StatusConflict, "A cancelled customer cannot be modified.")
	case to == "Draft" && from != "Draft":
		return failure(http.StatusConflict, "A customer that has been activated cannot become a draft.")
	}
	return nil
}

func (s *Sandbox) checkParent(stored, body object) []string {
	raw := body.raw("parentId")
	if isNull(raw) || same(raw, stored.raw("parentId")) {
		return nil
	}
	if raw == stored.raw("id") {
		return []string{"parentId must not be the customer's own id."}
	}
	parent, ok := s.store.customers.body(gjson.Parse(raw).Int())
	switch {
	case !ok:
		return []string{fmt.Sprintf("parentId: customer with id %s not found.", raw)}
	case gjson.GetBytes(parent, "status").Str != "Active":
		return []string{"parentId: the parent must be Active."}
	case gjson.GetBytes(parent, "currency").Str != stored.text("currency"):
		return []string{"parentId: the parent must have the customer's currency."}
	}
	return nil
}

// checkNested looks at free texts, whose length no page limits.
func checkNested(body object, name string, keys []string) (problems []string) {
	raw := body.raw(name)
	if isNull(raw) {
		return nil
	}
	inner, err := parseObject([]byte(raw))
	if err != nil {
		return []string{name + ": " + err.Error() + "."}
	}
	for _, k := range keys {
		if v := inner.raw(k); !isNull(v) && strings.ContainsAny(v[:1], "{[tf") {
			problems = append(problems, name+"."+k+" must be text.")
		}
	}
	return problems
}

// merge is the record that the body leaves: every field in its stored place, and
// in its stored bytes unless its value is another. modifiedTimestamp is not its concern.
func (s *Sandbox) merge(stored, body object) object {
	out := slices.Clone(stored)
	for i, m := range out {
		switch {
		case m.name == "customerReference":
			out[i].value = s.mergeReference(stored, m.value, body.raw(m.name))
		case m.name == "customerAcquisition":
			out[i].value = mergeNested(stored, m.value, body.raw(m.name), acquisitionKeys())
		case !readOnly(m.name):
			out[i].value = take(m.value, body.raw(m.name))
		}
	}
	for _, f := range s.editable {
		if raw := body.raw(f.name); !out.has(f.name) && !isNull(raw) {
			out = out.set(f.name, raw)
		}
	}
	return out
}

// take is the sent value, null for one left out, in the stored bytes if it is the same.
func take(stored, sent string) string {
	switch {
	case sent == "":
		return "null"
	case same(stored, sent):
		return stored
	}
	return sent
}

// mergeNested merges key by key. null over an object wipes its keys and leaves its id and uri.
func mergeNested(customer object, stored, sent string, keys []string) string {
	to, err := parseObject([]byte(stored))
	if err != nil {
		if isNull(sent) {
			return stored
		}
		to = object{}.set("id", customer.raw("id")).set("uri", orNullRaw(customer.raw("uri")))
	}
	from, _ := parseObject([]byte(sent)) // null and left out: no keys
	for _, k := range keys {
		to = to.set(k, take(to.raw(k), from.raw(k)))
	}
	return string(to.bytes())
}

// restore gives a dotted field of the body its stored value.
func restore(body, stored object, path string) object {
	name, rest, nested := strings.Cut(path, ".")
	switch {
	case !stored.has(name):
		return slices.DeleteFunc(slices.Clone(body), func(m member) bool { return m.name == name })
	case !nested:
		return body.set(name, stored.raw(name))
	}
	inner, err := parseObject([]byte(body.raw(name)))
	was, errStored := parseObject([]byte(stored.raw(name)))
	if err != nil || errStored != nil {
		return body
	}
	return body.set(name, string(restore(inner, was, rest).bytes()))
}
