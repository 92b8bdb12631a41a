package sandbox

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
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

// roster is the Trackfinity customers as they were born, made up from their numbers.
type roster struct{}

func (roster) body(id int64) ([]byte, bool) {
	if id < firstAffiliate || id > lastAffiliate {
		return nil, false
	}
	number := strconv.FormatInt(id, 10)
	o := object{}.
		set("customer_id", quote(number)).
		set("subscription_id", quote(subscriptionPrefix+number)).
		set("locked", strconv.FormatBool(id >= firstLocked))
	born := bornAffiliate(int(id - firstAffiliate))
	for _, name := range affiliateFields() {
		o = o.set(name, affiliateValue(name, born[name]))
	}
	return o.bytes(), true
}

func bornAffiliate(n int) map[string]string {
	pick := func(list string, i int) string {
		words := strings.Split(list, " ")
		return words[i%len(words)]
	}
	first := pick("Ada Bea Cal Dora Emil Fern Gus Hanne Ines Jonas", n)
	last := pick("Reed Holm Moor Vale Frost Lind Marsh Thorn Quill Birch Wren Stone Ashby Croft Dell Field Grove Heath Knoll Lake", n/10)
	login := strings.ToLower(first) + strconv.Itoa(n+1)
	return map[string]string{
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
}

// affiliateValue is the field as it is kept: null for an empty one, and of a
// password no more than tells it from another.
func affiliateValue(field, text string) string {
	switch {
	case text == "":
		return "null"
	case field == "password":
		return quote(passwordMark(text))
	}
	return quote(text)
}

func passwordMark(password string) string {
	sum := sha256.Sum256([]byte(password))
	return "sha256:" + hex.EncodeToString(sum[:])[:16]
}
