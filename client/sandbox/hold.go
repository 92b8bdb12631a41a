package sandbox

import (
	"cmp"
	"fmt"
	"net/http"
)

// holdCustomer is developer.staxbill.com/reference/hold-customer. Which statuses
// may be held is not documented; a suspended customer may be here, so that a
// caller who means to hold one can be tried.
func holdCustomer(c *call) *reply {
	return rewrite(c, func(stored object) (object, *reply) {
		status := stored.text("status")
		if status != "Active" && status != "Suspended" {
			return nil, failure(http.StatusConflict, fmt.Sprintf("Customer %d cannot be put on hold: its status is %s.", c.id, status))
		}
		if c.fault.How == "ignore" { // the status, which is all that a hold sets
			return nil, answer(stored.bytes())
		}
		return stored.set("status", quote("Hold")), nil
	})
}

// unholdCustomer is developer.staxbill.com/reference/un-hold-customer. That page
// does not show the reply; here it is the customer, as for a hold.
func unholdCustomer(c *call) *reply {
	body, err := parseObject(c.body)
	if err != nil {
		return failure(http.StatusBadRequest, "The request is invalid: "+err.Error()+".")
	}
	var problems []string
	if problem := integer(body.raw("customerId")); problem != "" {
		problems = append(problems, "customerId is required and "+problem)
	}
	option := oneOf("ChargeForAllMissedPeriods", "ChargeForLastMissedPeriods", "NoChargesForMissedPeriods", "ChargeForCurrentFullPeriod")
	if problem := option(body.raw("serviceStartOption")); problem != "" {
		problems = append(problems, "serviceStartOption is required and "+problem)
	}
	for _, name := range []string{"preview", "showZeroDollarCharges", "temporarilyDisableAutoPost", "prorate"} {
		if raw := body.raw(name); !isNull(raw) && raw != "true" && raw != "false" {
			problems = append(problems, name+" must be true or false.")
		}
	}
	if problems != nil {
		return failure(http.StatusBadRequest, problems...)
	}
	c.option = body.text("serviceStartOption")
	return rewrite(c, func(stored object) (object, *reply) {
		if status := stored.text("status"); status != "Hold" {
			return nil, failure(http.StatusConflict, fmt.Sprintf("Customer %d is not on hold: its status is %s.", c.id, status))
		}
		if body.raw("preview") == "true" {
			return nil, answer(mockInvoice(stored, c.option).bytes())
		}
		return stored.set("status", quote("Active")), nil
	})
}

// mockInvoice is what a preview computes. Its real shape was not seen; this one
// carries the fields that any invoice must have.
func mockInvoice(customer object, option string) object {
	total := customer.raw("netMonthlyRecurringRevenue")
	if isNull(total) || option == "NoChargesForMissedPeriods" {
		total = "0.00"
	}
	return object{}.
		set("customerId", customer.raw("id")).
		set("currency", cmp.Or(customer.raw("currency"), "null")).
		set("subtotal", total).
		set("totalTaxes", "0.00").
		set("total", total)
}
