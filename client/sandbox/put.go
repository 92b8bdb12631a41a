package sandbox

import (
	"cmp"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"unicode/utf16"

	"github.com/tidwall/gjson"
)

// putCustomer replaces the whole customer (developer.staxbill.com/reference/customers-2):
// a field left out is null afterwards. A write without a difference moves modifiedTimestamp too.
func putCustomer(c *call) *reply {
	body, err := parseObject(c.body)
	if err != nil {
		return failure(http.StatusBadRequest, "The request is invalid: "+err.Error()+".")
	}
	if problem := integer(body.raw("id")); problem != "" {
		return failure(http.StatusBadRequest, "id is required and "+problem)
	}
	return rewrite(c, func(stored object) (object, *reply) {
		taken := c.fault.spoilBody(body, stored)
		if out := refusePut(c.box, stored, taken); out != nil {
			return nil, out
		}
		return merge(c.box, stored, inForm(c.stores(), stored, taken)), nil
	})
}

// rewrite changes the customer that the call is about and answers with the whole
// record, as every write of one customer does. change returns the record it wants,
// modifiedTimestamp aside, or the reply that says why nothing is to be written.
func rewrite(c *call, change func(stored object) (object, *reply)) *reply {
	st := c.box.store
	return st.update(c, st.customers, func(stored object) (object, *reply) {
		if stored == nil {
			return nil, failure(http.StatusNotFound, fmt.Sprintf("Customer with id %d not found.", c.id))
		}
		after, out := change(stored)
		if out != nil {
			return nil, out
		}
		after = st.touch(after)
		if c.fault.How == "side-effect" {
			after = after.set("lastName", quote(gjson.Parse(after.raw("lastName")).String()+" (moved)"))
		}
		if field := c.habit("moves").Field; field != "" {
			after = after.set(field, quote(fmt.Sprint("moved by write ", st.seq+1)))
		}
		return after, answer(after.bytes())
	})
}

// refusePut returns what the API would say no to, nil if it would accept. A
// value echoed as it is stored is never refused. The texts are not documented. Nor
// is the 409, though that a cancelled customer cannot be modified, and that an
// activated one is no draft again, is.
func refusePut(box *Sandbox, stored, body object) *reply {
	var problems []string
	for _, f := range box.editable {
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
	problems = append(problems, checkParent(box.store, stored, body)...)
	problems = append(problems, box.account.checkReference(stored, body)...)
	problems = append(problems, checkNested(body, "customerAcquisition", acquisitionKeys())...)
	currency := body.text("currency")
	if currency == "" {
		currency = "USD" // the account's own, which a PUT without one is taken to mean
	}
	if stored.has("currency") && currency != stored.text("currency") {
		problems = append(problems, fmt.Sprintf("currency cannot be changed from %s to %s.", stored.text("currency"), currency))
	}
	switch {
	case problems != nil:
		return failure(http.StatusBadRequest, problems...)
	case stored.text("status") == "Cancelled":
		return failure(http.StatusConflict, "A cancelled customer cannot be modified.")
	case body.text("status") == "Draft" && stored.text("status") != "Draft":
		return failure(http.StatusConflict, "A customer that has been activated cannot become a draft.")
	}
	return nil
}

func checkParent(st *store, stored, body object) []string {
	raw := body.raw("parentId")
	if isNull(raw) || same(raw, stored.raw("parentId")) {
		return nil
	}
	if raw == stored.raw("id") {
		return []string{"parentId must not be the customer's own id."}
	}
	parent, ok := st.customers.body(gjson.Parse(raw).Int())
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
// in its stored bytes unless its value is another. modifiedTimestamp is not its
// concern. Which fields the API spares is not documented; here only those that
// cannot be meant, while unknown ones take what is sent.
func merge(box *Sandbox, stored, body object) object {
	readOnly := []string{
		"id", "uri", "createdTimestamp", "modifiedTimestamp", "monthlyRecurringRevenue", "netMonthlyRecurringRevenue",
		"isParent", "canChangeCurrency", "customerAccountStatus", "currency",
	}
	out := slices.Clone(stored)
	for i, m := range out {
		switch {
		case m.name == "customerReference":
			out[i].value = box.account.mergeReference(stored, m.value, body.raw(m.name))
		case m.name == "customerAcquisition":
			out[i].value = mergeNested(stored, m.value, body.raw(m.name), acquisitionKeys())
		case !slices.Contains(readOnly, m.name):
			out[i].value = take(m.value, body.raw(m.name))
		}
	}
	for _, f := range box.editable {
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
		to = object{}.set("id", customer.raw("id")).set("uri", cmp.Or(customer.raw("uri"), "null"))
	}
	from, _ := parseObject([]byte(sent)) // null and left out: no keys
	for _, k := range keys {
		to = to.set(k, take(to.raw(k), from.raw(k)))
	}
	return string(to.bytes())
}

// field is one that PUT /customers takes. check returns what is wrong with a
// value that is neither null nor the stored one, "" if nothing is.
type field struct {
	name  string
	check func(raw string) string
}

// editable are the fields of the vendor's PUT sample
// (developer.staxbill.com/docs/modifying-an-existing-customer), the nested ones aside.
func editable() []field {
	return []field{
		{"firstName", text(50)},
		{"middleName", text(50)},
		{"lastName", text(50)},
		{"companyName", text(255)}, // the vendor's pages say 50 and 255; the longer harms no customer that exists
		{"suffix", text(50)},
		{"title", func(raw string) string {
			if raw == `""` { // a real reply carried it where no title was set
				return ""
			}
			return oneOf("Mr", "Mrs", "Ms", "Miss", "Dr")(raw)
		}},
		{"primaryEmail", mails(255)},
		{"secondaryEmail", mails(255)},
		{"primaryPhone", text(50)},
		{"secondaryPhone", text(50)},
		{"reference", text(255)},
		{"status", oneOf(statuses()...)},
		{"parentId", integer},
		{"quickBooksLatchType", oneOf("CreateNew", "LatchExisting", "DoNothing", "Enabled")},
		{"quickBooksId", integer},
		{"hubSpotId", integer},
	}
}

func statuses() []string { return []string{"Draft", "Active", "Hold", "Suspended", "Cancelled"} }

func text(most int) func(string) string {
	return func(raw string) string {
		v := gjson.Parse(raw)
		if v.Type != gjson.String && v.Type != gjson.Number {
			return "must be text."
		}
		if n := len(utf16.Encode([]rune(plain(raw)))); n > most {
			return fmt.Sprintf("must not be longer than %d characters.", most)
		}
		return ""
	}
}

func oneOf(allowed ...string) func(string) string {
	return func(raw string) string {
		if v := gjson.Parse(raw); v.Type == gjson.String && slices.Contains(allowed, v.Str) {
			return ""
		}
		return "must be one of " + strings.Join(allowed, ", ") + "."
	}
}

func integer(raw string) string {
	if digits := strings.TrimPrefix(raw, "-"); digits != "" && strings.Trim(digits, "0123456789") == "" {
		return ""
	}
	return "must be a whole number."
}

func mails(most int) func(string) string {
	fits := text(most)
	shape := regexp.MustCompile(`^[^\s@;,]+@[^\s@;,]+\.[^\s@;,]+$`)
	return func(raw string) string {
		if problem := fits(raw); problem != "" || plain(raw) == "" {
			return problem
		}
		for part := range strings.SplitSeq(plain(raw), ";") {
			if !shape.MatchString(strings.TrimSpace(part)) {
				return fmt.Sprintf("holds %q, which is no e-mail address.", strings.TrimSpace(part))
			}
		}
		return ""
	}
}

func referenceKeys() []string { return []string{"reference1", "reference2", "reference3"} }

func acquisitionKeys() []string {
	return []string{"adContent", "campaign", "keyword", "landingPage", "medium", "source"}
}
