package client

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode"

	"golang.org/x/time/rate"

	"rowbatch/client/governor"
)

// TrackfinityRate is asked of an install, in requests a second: no limit is
// documented, and each install is a server of its own.
const TrackfinityRate = rate.Limit(5)

// Trackfinity is a client of one install. It may be used by many goroutines.
//
// The vendor's pages: docs.trackfinity.com/api. They show no reply that is not a
// success, and no call that reads a customer.
type Trackfinity struct{ *Account }

// NewTrackfinity checks the settings and returns a client. The error is a *SettingError.
func NewTrackfinity(o Options) (*Trackfinity, error) {
	base, err := CheckURL(o.BaseURL, "the Trackfinity URL", "TRACKFINITY_URL as https://<domain>/api, with the domain of your install")
	if err != nil {
		return nil, err
	}
	const whereKey = `TRACKFINITY_API_KEY, with the key of "Change API Key" in the Affiliates Admin`
	if err := checkKey(o.Key, "the Trackfinity key", whereKey); err != nil {
		return nil, err
	}
	const name = "the Trackfinity user name"
	switch text := o.Username.Reveal(); {
	case text == "":
		return nil, &SettingError{name, "it is not set", "TRACKFINITY_API_USERNAME, with the admin login that the key belongs to", true}
	case strings.TrimSpace(text) != text || strings.ContainsFunc(text, unicode.IsControl): // a header cannot carry it unchanged
		return nil, &SettingError{name, "it holds line breaks, or blanks at its ends", "copy the name again, without them", true}
	}
	// What is answered to a wrong key or address is not documented; a login page is likely.
	const credentials = "the key, the user name, " +
		"and that ADMIN_API_ALLOWED_IPS in the install's settings (Security) lists this machine's address"
	v := vendor{
		bareHTML:  true,
		vague404:  true,
		tryDenied: "check " + credentials,
		tryMoved:  "check the URL, " + credentials,
		tryPage:   "check the URL, which ends in /api, " + credentials,
	}
	hidden := newSecrets(o.Key.Reveal(), o.Username.Reveal())
	return &Trackfinity{newAccount(o, base, v, hidden, func(h http.Header) { // docs.trackfinity.com/api/api-overview
		h.Set("api-key", o.Key.Reveal())
		h.Set("api-username", o.Username.Reveal())
	})}, nil
}

// Ping asks whether this is the API and lets the caller in
// (docs.trackfinity.com/api/api-overview). Answered is any reply with status 200
// that is no web page; its body's form is not documented, and it may be empty. A
// reply that says no in any way is NoAccess.
func (t *Trackfinity) Ping(ctx context.Context, l *governor.Lease) Reply {
	return t.do(ctx, l, call{method: http.MethodGet, path: "/service/ping", want: echo})
}

// SetCustomerDetails changes the fields of a customer that the form holds, and no
// others (docs.trackfinity.com/api/customer/set-customer-details). The form names
// the customer by customer_id or subscription_id; the value REMOVE empties a field.
//
// Answered is status 200 with the word true. Another JSON value at 2xx is Refused
// with a *NotTrueError. A 404 may be about the row or about the address: it is
// NoAccess when a web page comes from an address that has not answered properly yet,
// so Ping first. A form that could change what nobody meant is Refused with a
// *RecordError, and does not leave.
func (t *Trackfinity) SetCustomerDetails(ctx context.Context, l *governor.Lease, form url.Values) Reply {
	if fault := formFault(form); fault != "" {
		return refusal(fault, "correct the row")
	}
	return t.do(ctx, l, call{method: http.MethodPatch, path: "/customer/set_customer_details",
		form: true, body: []byte(form.Encode()), want: assent, hidden: form["password"]})
}

// formFault says why a form must not be sent; "": it may. It quotes no value.
func formFault(form url.Values) string {
	for _, field := range slices.Sorted(maps.Keys(form)) {
		switch values := form[field]; {
		case len(values) != 1:
			return fmt.Sprintf("the form holds %d values for %s", len(values), field)
		case strings.TrimSpace(values[0]) == "": // the API may take it for a wish to clear the field
			return fmt.Sprintf("the form holds an empty value for %s", field)
		}
	}
	// Whether letter case counts in REMOVE is not documented.
	if strings.EqualFold(strings.TrimSpace(form.Get("password")), "REMOVE") {
		return "a password cannot be removed"
	}
	switch {
	case form.Has("customer_id") == form.Has("subscription_id"):
		return "the form must hold either customer_id or subscription_id"
	case len(form) < 2:
		return "the form changes nothing"
	}
	return ""
}
