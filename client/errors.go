package client

import (
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/tidwall/gjson"

	"rowbatch/client/governor"
)

// Detail is one entry of an error reply's Errors list.
type Detail struct{ Key, Value string }

// APIError is a reply by which the server refused a request
// (developer.staxbill.com/reference/errors; Trackfinity's pages show no body, and
// all of it stands in Raw). Its texts are safe to print.
type APIError struct {
	Status  int
	Details []Detail
	Message string // of a {"Message": …} reply, as unknown routes give
	Raw     string // the reply on one line, at most 300 characters
	Astray  bool   // a 404 that may be about the address: nothing has been answered there in the API's own words
}

func (e *APIError) Error() string {
	if text := e.text(); text != "" {
		return fmt.Sprintf("the server refused with %d: %s", e.Status, text)
	}
	return fmt.Sprintf("the server refused with %s", statusText(e.Status))
}

// text is what the server said, without the key that stands in every documented error.
func (e *APIError) text() string {
	var said []string
	for _, d := range e.Details {
		if d.Key != "" && d.Key != "Api Error" {
			d.Value = d.Key + ": " + d.Value
		}
		said = append(said, d.Value)
	}
	switch {
	case len(said) > 0:
		return strings.Join(said, "; ")
	case e.Message != "":
		return e.Message
	}
	return e.Raw
}

// parseError reads any body as an error reply; what it cannot read stands in Raw.
// shown makes its texts safe to print.
func parseError(status int, body []byte, shown func(string) string) *APIError {
	e := &APIError{Status: status, Raw: shown(string(body))}
	if !gjson.ValidBytes(body) {
		return e
	}
	root := gjson.ParseBytes(body)
	e.Message = shown(root.Get("Message").String())
	for _, d := range root.Get("Errors").Array() {
		if value := shown(d.Get("Value").String()); value != "" {
			e.Details = append(e.Details, Detail{shown(d.Get("Key").String()), value})
		}
	}
	return e
}

// NotTrueError is a success of Trackfinity's whose body is valid JSON, and yet not
// the word true (docs.trackfinity.com/api/customer/set-customer-details). Whether
// the change was made, no page says.
type NotTrueError struct {
	Status int    // 2xx
	Text   string // the body on one line, safe to print, at most 300 characters
}

func (e *NotTrueError) Error() string {
	return fmt.Sprintf("the server answered %d with %s instead of true; whether it made the change is not known "+
		"(try: look at this customer in Trackfinity)", e.Status, e.Text)
}

// LostError is an attempt without a usable answer. A write may have taken effect.
type LostError struct {
	Status int // 0: no answer at all
	Text   string
	Err    error // the network's, when it was that
}

func (e *LostError) Error() string { return e.Text }
func (e *LostError) Unwrap() error { return e.Err }

// UnsentError is an attempt that never reached the server.
type UnsentError struct{ Err error }

func (e *UnsentError) Error() string {
	return fmt.Sprintf("no connection: %s (try: check the network and the URL)", visible(e.Err.Error()))
}
func (e *UnsentError) Unwrap() error { return e.Err }

// AccessError ends a run: no other request will fare better.
type AccessError struct {
	Status    int // 0: no answer came
	Text, Try string
}

func (e *AccessError) Error() string { return fmt.Sprintf("%s (try: %s)", e.Text, e.Try) }

// ThrottledError is a 429 (developer.staxbill.com/reference/rate-limits;
// Trackfinity's pages know none).
type ThrottledError struct{ Text string }

func (e *ThrottledError) Error() string {
	return joined("the account's request limit is used up", e.Text)
}

// RecordError is a customer who cannot be addressed or edited safely.
type RecordError struct{ Text, Try string }

func (e *RecordError) Error() string { return fmt.Sprintf("%s (try: %s)", e.Text, e.Try) }

// EndsRun reports whether after this error no further request makes sense for now: a
// *governor.DayLimitError, a *governor.OutageError or an *AccessError.
func EndsRun(err error) bool {
	_, day := errors.AsType[*governor.DayLimitError](err)
	_, outage := errors.AsType[*governor.OutageError](err)
	_, access := errors.AsType[*AccessError](err)
	return day || outage || access
}

func statusText(status int) string {
	return strings.TrimSpace(fmt.Sprintf("%d %s", status, http.StatusText(status)))
}
