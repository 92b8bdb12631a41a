package client

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/tidwall/gjson"
)

// Update replaces a customer by the whole record in body, which holds its id and
// status (developer.staxbill.com/reference/customers-2). A reply that shows
// another customer, or none that can be read, is Lost.
func (f *Fusebill) Update(ctx context.Context, l *Lease, body []byte) Reply {
	id := identifier(gjson.GetBytes(body, "id"))
	if !gjson.ValidBytes(body) || !wholeNumber(id) {
		return refusal("the record to be sent is not a JSON object with an id", "edit this customer by hand")
	}
	return f.api.do(ctx, l, call{method: http.MethodPut, path: "/customers", body: body, want: record, id: id})
}

// Hold puts a customer on hold (developer.staxbill.com/reference/hold-customer).
// The reply shows the whole record, as Update's does.
func (f *Fusebill) Hold(ctx context.Context, l *Lease, id string) Reply {
	return f.byID(ctx, l, call{method: http.MethodPost, path: "/CustomerHold/" + id, want: record, id: id})
}

// ServiceStartOptions are the ways to charge a customer who comes off hold for the
// time on it, as the API spells them (developer.staxbill.com/reference/un-hold-customer).
func ServiceStartOptions() []string {
	return []string{"ChargeForAllMissedPeriods", "ChargeForLastMissedPeriods", "NoChargesForMissedPeriods", "ChargeForCurrentFullPeriod"}
}

// Unhold takes a customer off hold, which may charge them: the option, one of
// ServiceStartOptions, says for what. The form of the reply is not known to us. Any
// object is Answered that shows no other id, and what it says of the customer is
// to be read back.
func (f *Fusebill) Unhold(ctx context.Context, l *Lease, id, serviceStartOption string) Reply {
	if !slices.Contains(ServiceStartOptions(), serviceStartOption) {
		return refusal(fmt.Sprintf("%q is no way to charge for the time on hold", visible(serviceStartOption)), "one of "+strings.Join(ServiceStartOptions(), ", "))
	}
	body := fmt.Appendf(nil, `{"customerId":%s,"serviceStartOption":%q,"preview":false}`, id, serviceStartOption)
	return f.byID(ctx, l, call{method: http.MethodPost, path: "/customers/unHold", body: body, want: object, id: id, idOptional: true})
}

// Latch links a customer to a HubSpot contact and company
// (developer.staxbill.com/reference/latch-customer-1). The body is an object with
// fusebillId, hubSpotId and hubSpotCompanyId, the last two a number or null each,
// which removes the link. None may be missing: the API clears an id left out.
func (f *Fusebill) Latch(ctx context.Context, l *Lease, body []byte) Reply {
	if fault := latchFault(body); fault != "" {
		return refusal("the link to be sent "+fault, "link this customer by hand")
	}
	id := gjson.GetBytes(body, "fusebillId").Raw
	return f.byID(ctx, l, call{method: http.MethodPost, path: "/HubSpot/latchCustomer", body: body, want: record, id: id})
}

// latchFault says what is wrong with a latch; "": nothing.
func latchFault(body []byte) string {
	root := gjson.ParseBytes(body)
	if !gjson.ValidBytes(body) || !root.IsObject() {
		return "is not a JSON object"
	}
	if key, twice := repeatedKey(root); twice {
		return fmt.Sprintf("holds %q twice", visible(key))
	}
	for _, key := range []string{"fusebillId", "hubSpotId", "hubSpotCompanyId"} {
		switch value := root.Get(key); {
		case !value.Exists():
			return fmt.Sprintf("lacks %s, which would be cleared", key)
		case value.Type == gjson.Null && key != "fusebillId":
		case value.Type != gjson.Number || !wholeNumber(value.Raw):
			return fmt.Sprintf("holds no proper number as %s", key)
		}
	}
	return ""
}

// Unlatch removes a customer's links to a HubSpot contact and company
// (developer.staxbill.com/reference/unlatch-customer-1).
func (f *Fusebill) Unlatch(ctx context.Context, l *Lease, id string) Reply {
	return f.byID(ctx, l, call{method: http.MethodPost, path: "/HubSpot/UnlatchCustomer/" + id, want: record, id: id})
}
