package sandbox

import (
	"maps"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/tidwall/gjson"
)

// pingTrackfinity: the body of the reply is not documented.
func (s *Sandbox) pingTrackfinity(*call) *reply { return answer([]byte(`"pong"`)) }

// setCustomerDetails is docs.trackfinity.com/api/customer/set-customer-details.
// Not documented are the replies to an unknown customer or field and to a locked
// customer; here they are taken from the table of codes and from the reply to a success.
func (s *Sandbox) setCustomerDetails(c *call) *reply {
	form, out := readForm(c)
	if out == nil {
		out = refuseForm(form)
	}
	if out != nil {
		return out
	}
	return s.store.update(s.store.affiliates, c.id, Effect{Kind: "patch"}, func(stored object) (object, *reply) {
		switch {
		case stored == nil:
			return nil, invalidParameter(lookupKey(form))
		case stored.raw("locked") == "true":
			return nil, answer([]byte("false"))
		}
		return patched(stored, form), answer([]byte("true"))
	})
}

// readForm takes a form only: whether JSON is accepted is not documented.
func readForm(c *call) (url.Values, *reply) {
	media, _, err := mime.ParseMediaType(c.header.Get("Content-Type"))
	if err != nil || media != "application/x-www-form-urlencoded" {
		return nil, invalidRequest()
	}
	form, err := url.ParseQuery(string(c.body))
	if err != nil {
		return nil, invalidRequest()
	}
	for name, values := range form {
		if len(values) > 1 || !utf8.ValidString(name+values[0]) {
			return nil, invalidRequest()
		}
	}
	return form, nil
}

func refuseForm(form url.Values) *reply {
	switch {
	case form.Has("customer_id") && form.Has("subscription_id"), form.Get("password") == remove:
		return invalidRequest()
	case lookupKey(form) == "", len(form) == 1:
		return invalidParameter("")
	}
	for _, name := range slices.Sorted(maps.Keys(form)) {
		if name != lookupKey(form) && !slices.Contains(affiliateFields(), name) {
			return invalidParameter(name)
		}
	}
	return nil
}

// remove is the value that empties a field.
const remove = "REMOVE"

// patched empties a field for an empty value too, which the page leaves open.
func patched(stored object, form url.Values) object {
	after := slices.Clone(stored)
	for _, name := range affiliateFields() {
		switch {
		case !form.Has(name):
		case form.Get(name) == remove:
			after = after.set(name, "null")
		default:
			after = after.set(name, affiliateValue(name, form.Get(name)))
		}
	}
	return after
}

func lookupKey(form url.Values) string {
	for _, name := range []string{"customer_id", "subscription_id"} {
		if form.Has(name) {
			return name
		}
	}
	return ""
}

// affiliateOf returns the number of the customer that a form names, 0 for one that nobody has.
func affiliateOf(body []byte) int64 {
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return 0
	}
	if form.Has("customer_id") {
		return wholeID(form.Get("customer_id"))
	}
	digits, ok := strings.CutPrefix(form.Get("subscription_id"), subscriptionPrefix)
	if !ok {
		return 0
	}
	return wholeID(digits)
}

// jsonID returns a function that reads the customer's id off a JSON body, 0 if it holds none.
func jsonID(name string) func(body []byte) int64 {
	return func(body []byte) int64 { return wholeID(gjson.GetBytes(body, name).Raw) }
}

func invalidRequest() *reply {
	return words(http.StatusBadRequest, "Invalid or unsupported HTTP request")
}

func invalidParameter(name string) *reply {
	if name == "" {
		return words(http.StatusNotFound, "Invalid parameter")
	}
	return words(http.StatusNotFound, "Invalid parameter: "+name)
}
