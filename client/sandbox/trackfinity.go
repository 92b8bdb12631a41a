package sandbox

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// The Trackfinity customers are numbered without gaps; those from firstLocked on are locked.
const (
	firstAffiliate = 4001
	lastAffiliate  = 4200
	firstLocked    = 4190
)

// subscriptionPrefix and the customer's number are its one subscription.
const subscriptionPrefix = "S-"

// affiliateFields are those of docs.trackfinity.com/api/customer/set-customer-details, the two lookup keys aside.
func affiliateFields() []string {
	return []string{
		"firstname", "lastname", "email", "username", "password", "address1", "address2", "city", "state", "country", "zip",
		"custom1", "custom2", "custom3", "custom4", "custom5",
	}
}

// firstAffiliateBody is a Trackfinity customer before any write, made up from its number.
func firstAffiliateBody(id int64) ([]byte, bool) {
	if id < firstAffiliate || id > lastAffiliate {
		return nil, false
	}
	n := int(id - firstAffiliate)
	pick := func(list string, i int) string {
		words := strings.Split(list, " ")
		return words[i%len(words)]
	}
	first := pick("Ada Bea Cal Dora Emil Fern Gus Hanne Ines Jonas", n)
	last := pick("Reed Holm Moor Vale Frost Lind Marsh Thorn Quill Birch Wren Stone Ashby Croft Dell Field Grove Heath Knoll Lake", n/10)
	login := strings.ToLower(first) + strconv.Itoa(n+1)
	values := map[string]string{
		"firstname": first,
		"lastname":  last,
		"email":     login + "@" + pick("example.com example.org", n),
		"username":  login,
		"password":  "invented " + login,
		"address1":  fmt.Sprintf("%d %s Lane", n+1, pick("Mill Orchard Harbour", n)),
		"address2":  pick("   Flat-2 Floor-3", n),
		"city":      pick("Northam Eastley Southwick Westbury", n),
		"state":     pick("NY VT MA", n),
		"country":   pick("US CA GB", n/7),
		"zip":       fmt.Sprintf("%05d", 501+n),
		"custom1":   pick("gold silver bronze", n),
		"custom2":   pick(" mail phone", n),
		"custom3":   pick("  é<&>", n),
	}
	number := strconv.FormatInt(id, 10)
	o := object{}.
		set("customer_id", quote(number)).
		set("subscription_id", quote(subscriptionPrefix+number)).
		set("locked", strconv.FormatBool(id >= firstLocked))
	for _, name := range affiliateFields() {
		o = o.set(name, affiliateValue(name, values[name]))
	}
	return o.bytes(), true
}

// remove is the value that empties a field.
const remove = "REMOVE"

// affiliateValue is the field as it is kept: null for one that is emptied, and of a
// password no more than tells it from another.
func affiliateValue(field, text string) string {
	switch {
	case text == "", text == remove:
		return "null"
	case field == "password":
		sum := sha256.Sum256([]byte(text))
		return quote("sha256:" + hex.EncodeToString(sum[:])[:16])
	}
	return quote(text)
}

// setCustomerDetails is docs.trackfinity.com/api/customer/set-customer-details.
// Not documented are the replies to an unknown customer or field and to a locked
// customer; here they are taken from the table of codes and from the reply to a success.
// An empty value empties a field too, which the page leaves open.
func setCustomerDetails(c *call) *reply {
	form, out := readForm(c)
	if out != nil {
		return out
	}
	st := c.box.store
	return st.update(c, st.affiliates, func(stored object) (object, *reply) {
		switch {
		case stored == nil:
			return nil, invalidParameter(": " + lookupKey(form))
		case stored.raw("locked") == "true":
			return nil, answer([]byte("false"))
		}
		after := slices.Clone(stored)
		for _, name := range affiliateFields() {
			if form.Has(name) {
				after = after.set(name, affiliateValue(name, form.Get(name)))
			}
		}
		return after, answer([]byte("true"))
	})
}

// readForm takes a form only: whether JSON is accepted is not documented.
func readForm(c *call) (url.Values, *reply) {
	invalid := words(http.StatusBadRequest, "Invalid or unsupported HTTP request")
	media, _, err := mime.ParseMediaType(c.Header.Get("Content-Type"))
	if err != nil || media != "application/x-www-form-urlencoded" {
		return nil, invalid
	}
	form, err := url.ParseQuery(string(c.body))
	if err != nil {
		return nil, invalid
	}
	for name, values := range form {
		if len(values) > 1 || !utf8.ValidString(name+values[0]) {
			return nil, invalid
		}
	}
	key := lookupKey(form)
	switch {
	case form.Has("customer_id") && form.Has("subscription_id"), form.Get("password") == remove:
		return nil, invalid
	case key == "", len(form) == 1:
		return nil, invalidParameter("")
	}
	for _, name := range slices.Sorted(maps.Keys(form)) {
		if name != key && !slices.Contains(affiliateFields(), name) {
			return nil, invalidParameter(": " + name)
		}
	}
	return form, nil
}

func invalidParameter(which string) *reply {
	return words(http.StatusNotFound, "Invalid parameter"+which)
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
