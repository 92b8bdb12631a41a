package sandbox

import (
	"fmt"
	"net/http"
)

// rewrite changes the customer that the call is about and answers with the whole
// record, as every write of one customer does. change returns the record it wants,
// modifiedTimestamp aside, or the reply that says why nothing is to be written.
func (s *Sandbox) rewrite(c *call, e Effect, change func(stored object) (object, *reply)) *reply {
	return s.store.update(s.store.customers, c.id, e, func(stored object) (object, *reply) {
		if stored == nil {
			return nil, failure(http.StatusNotFound, fmt.Sprintf("Customer with id %d not found.", c.id))
		}
		wanted, out := change(stored)
		if out != nil {
			return nil, out
		}
		after := c.fault.spoilRecord(s.store.touch(wanted))
		return after, answer(after.bytes())
	})
}

// holdCustomer is developer.staxbill.com/reference/hold-customer. Which statuses
// may be held is not documented; a suspended customer may be here, so that a
// caller who means to hold one can be tried.
func (s *Sandbox) holdCustomer(c *call) *reply {
	return s.rewrite(c, Effect{Kind: "hold"}, func(stored object) (object, *reply) {
		status := stored.text("status")
		if status != "Active" && status != "Suspended" {
			return nil, failure(http.StatusConflict, fmt.Sprintf("Customer %d cannot be put on hold: its status is %s.", c.id, status))
		}
		if c.fault.ignores("status") {
			return nil, answer(stored.bytes())
		}
		return stored.set("status", quote("Hold")), nil
	})
}

// unholdCustomer is developer.staxbill.com/reference/un-hold-customer. That page
// does not show the reply; here it is the customer, as for a hold.
func (s *Sandbox) unholdCustomer(c *call) *reply {
	body, err := parseObject(c.body)
	if err != nil {
		return failure(http.StatusBadRequest, "The request is invalid: "+err.Error()+".")
	}
	if problems := refuseUnhold(body); problems != nil {
		return failure(http.StatusBadRequest, problems...)
	}
	option := body.text("serviceStartOption")
	return s.rewrite(c, Effect{Kind: "unhold", Option: option}, func(stored object) (object, *reply) {
		if status := stored.text("status"); status != "Hold" {
			return nil, failure(http.StatusConflict, fmt.Sprintf("Customer %d is not on hold: its status is %s.", c.id, status))
		}
		if body.raw("preview") == "true" {
			return nil, answer(mockInvoice(stored, option).bytes())
		}
		return stored.set("status", quote("Active")), nil
	})
}

func serviceStartOptions() []string {
	return []string{"ChargeForAllMissedPeriods", "ChargeForLastMissedPeriods", "NoChargesForMissedPeriods", "ChargeForCurrentFullPeriod"}
}

func refuseUnhold(body object) (problems []string) {
	if problem := integer(body.raw("customerId")); problem != "" {
		problems = append(problems, "customerId is required and "+problem)
	}
	if problem := oneOf(serviceStartOptions()...)(body.raw("serviceStartOption")); problem != "" {
		problems = append(problems, "serviceStartOption is required and "+problem)
	}
	for _, name := range []string{"preview", "showZeroDollarCharges", "temporarilyDisableAutoPost", "prorate"} {
		if raw := body.raw(name); !isNull(raw) && raw != "true" && raw != "false" {
			problems = append(problems, name+" must be true or false.")
		}
	}
	return problems
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
		set("currency", orNullRaw(customer.raw("currency"))).
		set("subtotal", total).
		set("totalTaxes", "0.00").
		set("total", total)
}
