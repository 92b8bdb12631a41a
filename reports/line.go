package reports

import (
	"strconv"

	"rowbatch/batch"
)

// Line is what a report says about one row, in the order of its columns. All are
// text: numbers stand as digits, and what is not known is blank.
type Line struct {
	Line        string `csv:"rb_line"` // of the input file, where the row starts
	Action      string `csv:"rb_action"`
	Key         string `csv:"rb_key"` // id=1234 or reference=AC-100
	Outcome     string `csv:"rb_outcome"`
	Changes     string `csv:"rb_changes"` // JSON: [{"field":"title","before":"Ms","after":"Dr"}]
	HTTPStatus  string `csv:"rb_http_status"`
	ErrorCode   string `csv:"rb_error_code"`
	Error       string `csv:"rb_error"`
	Fix         string `csv:"rb_fix"`
	Attempts    string `csv:"rb_attempts"` // writes sent, repeats included
	Requests    string `csv:"rb_requests"`
	Millis      string `csv:"rb_ms"`
	At          string `csv:"rb_at"` // RFC 3339, UTC, milliseconds
	ID          string `csv:"rb_id"`
	Customer    string `csv:"rb_customer"`
	Status      string `csv:"rb_status"`
	Balance     string `csv:"rb_balance"`
	NextBilling string `csv:"rb_next_billing"`
}

const timeFormat = "2006-01-02T15:04:05.000Z"

func lineOf(line int, action, fix string, o batch.Outcome) Line {
	l := Line{
		Line: strconv.Itoa(line), Action: action, Key: Visible(keyOf(o)), Outcome: string(o.Kind), Changes: changesOf(o.Changes),
		ErrorCode: o.Code, Error: Visible(o.Error), Fix: fix,
		Attempts: strconv.Itoa(o.Sends), Requests: strconv.Itoa(o.Requests), Millis: strconv.FormatInt(o.Millis, 10),
		ID: o.ID, Customer: Visible(o.Customer), Status: Visible(o.Status), Balance: Visible(o.Balance), NextBilling: Visible(o.Billing),
	}
	if o.HTTP != 0 {
		l.HTTPStatus = strconv.Itoa(o.HTTP)
	}
	if !o.At.IsZero() {
		l.At = o.At.UTC().Format(timeFormat)
	}
	return l
}

// keyOf falls back on the id, which is all that an intent without an outcome tells.
func keyOf(o batch.Outcome) string {
	if o.Key == "" && o.ID != "" {
		return "id=" + o.ID
	}
	return o.Key
}
