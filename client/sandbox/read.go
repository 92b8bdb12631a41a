package sandbox

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/tidwall/gjson"
)

// shown is the customer as the call is to show it.
func shown(c *call) (body []byte, ok bool) {
	st := c.box.store
	if st.customers.past == nil {
		return c.box.record(st.customers, c.id)
	}
	st.mu.Lock()
	defer st.mu.Unlock()
	body, ok = st.customers.lagging(c.id, c.habit("lag").Delay, c.habit("behind").Reads)
	return slices.Clone(body), ok
}

func getCustomer(c *call) *reply {
	body, ok := shown(c)
	if !ok {
		return failure(http.StatusNotFound, fmt.Sprintf("Customer with id %d not found.", c.id))
	}
	return answer(body)
}

// getOverview is developer.staxbill.com/reference/read-customer-overview-1: the
// customer's own fields, and money and dates that the sandbox makes up from the id.
func getOverview(c *call) *reply {
	st := c.box.store
	body, ok := shown(c)
	if !ok {
		return failure(http.StatusNotFound, fmt.Sprintf("CustomerOverview with id %d not found.", c.id))
	}
	customer, err := parseObject(body)
	if err != nil {
		return failure(http.StatusInternalServerError, err.Error())
	}
	st.mu.RLock()
	defer st.mu.RUnlock()
	return answer(overview(st, customer).bytes())
}

func overview(st *store, customer object) object {
	var o object
	for _, name := range []string{
		"title", "firstName", "middleName", "lastName", "suffix", "primaryEmail", "primaryPhone", "companyName", "reference",
		"status", "customerAccountStatus", "currency", "salesforceSynchStatus", "monthlyRecurringRevenue", "netMonthlyRecurringRevenue",
		"parentId", "hubSpotId", "hubSpotCompanyId", "salesforceId", "netsuiteId", "geotabId", "isParent", "id",
	} {
		o = o.set(name, cmp.Or(customer.raw(name), "null"))
	}
	quickBooks := "null" // text here, though a number in the record
	if id := customer.text("quickBooksId"); id != "" {
		quickBooks = quote(id)
	}
	created := cmp.Or(strings.TrimSuffix(customer.text("createdTimestamp"), "Z"), "2018-01-01T00:00:00")
	id := gjson.Parse(customer.raw("id")).Int()
	billing := "null"
	if customer.text("status") == "Active" {
		billing = fmt.Sprintf(`"2030-%02d-%02dT00:00:00"`, id%12+1, id%28+1)
	}
	for _, field := range [][2]string{
		{"quickbooksId", quickBooks}, // sic: a lower-case b here only
		{"parentName", parentName(st, customer.raw("parentId"))},
		{"arBalance", balance(id)},
		{"pendingCharges", "0.00"},
		{"unallocatedPayments", "0.00"},
		{"unallocatedCredits", "0.00"},
		{"unallocatedOpeningBalance", "0.00"},
		{"lifetimeValue", strconv.FormatInt(id%97*25, 10) + ".50"},
		{"daysUntilSuspension", "null"},
		{"daysUntilCancellation", "null"},
		{"unknownPaymentActivityId", "null"},
		{"nextBillingDate", billing},
		{"createdTimestamp", quote(created)},
		{"statusTimestamp", quote(created)},
		{"customerAccountStatusTimestamp", quote(created)},
		{"uri", quote(fmt.Sprintf("https://secure.fusebill.com/v1/CustomerOverview/%d", id))},
	} {
		o = o.set(field[0], field[1])
	}
	return o
}

// balance makes up what a customer owes: two customers of three owe nothing.
func balance(id int64) string {
	if id%3 != 0 {
		return "0.00"
	}
	return strconv.FormatInt(id%41*5, 10) + ".7500"
}

func parentName(st *store, id string) string {
	parent, ok := st.customers.body(gjson.Parse(id).Int())
	if !ok {
		return "null"
	}
	f := gjson.GetManyBytes(parent, "companyName", "firstName", "lastName")
	return quote(strings.TrimSpace(cmp.Or(f[0].String(), f[1].String()+" "+f[2].String())))
}
