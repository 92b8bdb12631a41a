package sandbox

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/tidwall/gjson"
)

// getOverview is developer.staxbill.com/reference/read-customer-overview-1: the
// customer's own fields, and money and dates that the sandbox makes up from the id.
func (s *Sandbox) getOverview(c *call) *reply {
	s.store.mu.RLock()
	defer s.store.mu.RUnlock()
	body, ok := s.store.customers.body(c.id)
	if !ok {
		return failure(http.StatusNotFound, fmt.Sprintf("CustomerOverview with id %d not found.", c.id))
	}
	customer, err := parseObject(body)
	if err != nil {
		return failure(http.StatusInternalServerError, err.Error())
	}
	return answer(s.overview(customer).bytes())
}

func (s *Sandbox) overview(customer object) object {
	var o object
	for _, name := range []string{
		"title", "firstName", "middleName", "lastName", "suffix", "primaryEmail", "primaryPhone", "companyName", "reference",
		"status", "customerAccountStatus", "currency", "salesforceSynchStatus", "monthlyRecurringRevenue", "netMonthlyRecurringRevenue",
		"parentId", "hubSpotId", "hubSpotCompanyId", "salesforceId", "netsuiteId", "geotabId", "isParent", "id",
	} {
		o = o.set(name, orNullRaw(customer.raw(name)))
	}
	books := "null" // text there, though a number in the record
	if id := customer.text("quickBooksId"); id != "" {
		books = quote(id)
	}
	id := gjson.Parse(customer.raw("id")).Int()
	born := quote(withoutZone(customer.text("createdTimestamp")))
	return o.set("quickbooksId", books). // sic: a lower-case b here only
						set("parentName", s.parentName(customer.raw("parentId"))).
						set("arBalance", balance(id)).
						set("pendingCharges", "0.00").
						set("unallocatedPayments", "0.00").
						set("unallocatedCredits", "0.00").
						set("unallocatedOpeningBalance", "0.00").
						set("lifetimeValue", strconv.FormatInt(id%97*25, 10)+".50").
						set("daysUntilSuspension", "null").
						set("daysUntilCancellation", "null").
						set("unknownPaymentActivityId", "null").
						set("nextBillingDate", nextBilling(customer.text("status"), id)).
						set("createdTimestamp", born).
						set("statusTimestamp", born).
						set("customerAccountStatusTimestamp", born).
						set("uri", quote(fmt.Sprintf("https://secure.fusebill.com/v1/CustomerOverview/%d", id)))
}

func orNullRaw(raw string) string {
	if raw == "" {
		return "null"
	}
	return raw
}

// balance: two customers of three owe nothing.
func balance(id int64) string {
	if id%3 != 0 {
		return "0.00"
	}
	return strconv.FormatInt(id%41*5, 10) + ".7500"
}

func nextBilling(status string, id int64) string {
	if status != "Active" {
		return "null"
	}
	return fmt.Sprintf(`"2030-%02d-%02dT00:00:00"`, id%12+1, id%28+1)
}

func withoutZone(stamp string) string {
	if stamp == "" {
		return "2018-01-01T00:00:00"
	}
	return strings.TrimSuffix(stamp, "Z")
}

func (s *Sandbox) parentName(id string) string {
	if isNull(id) {
		return "null"
	}
	parent, ok := s.store.customers.body(gjson.Parse(id).Int())
	if !ok {
		return "null"
	}
	name := gjson.GetBytes(parent, "companyName").String()
	if name == "" {
		name = gjson.GetBytes(parent, "firstName").String() + " " + gjson.GetBytes(parent, "lastName").String()
	}
	return quote(strings.TrimSpace(name))
}
