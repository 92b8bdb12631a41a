package batch

import (
	"slices"
	"strings"
	"time"
)

// Kind is how a row ended: the column rb_outcome.
type Kind string

const (
	Changed      Kind = "changed"       // the write took effect: the reply shows the values asked for, or a reading does
	Unchanged    Kind = "unchanged"     // nothing to do: no write was sent
	WouldChange  Kind = "would_change"  // a dry run: this is what would be sent
	Skipped      Kind = "skipped"       // left out by a flag
	Rejected     Kind = "rejected"      // no write was sent, because of the row or the record
	Failed       Kind = "failed"        // a write was sent and refused, or accepted without taking the value
	Conflict     Kind = "conflict"      // the record is not as it should have been found; nothing was sent
	InDoubt      Kind = "in_doubt"      // a write went out, and whether it took effect is not known
	NotAttempted Kind = "not_attempted" // no write took effect, and a later run may try it
)

// Kinds returns every outcome in the order in which summaries list them.
func Kinds() []Kind {
	return []Kind{Changed, Unchanged, WouldChange, Skipped, Rejected, Failed, Conflict, InDoubt, NotAttempted}
}

// NeedsWork reports whether the row belongs in the file of rows to run again.
func (k Kind) NeedsWork() bool {
	return k == Rejected || k == Failed || k == Conflict || k == InDoubt || k == NotAttempted
}

// WasSent reports whether a write left for the row, and may have had an effect.
func (k Kind) WasSent() bool { return k == Changed || k == Failed || k == InDoubt }

// ClosesLane reports whether later rows of the same customer must not be sent: their
// author wrote them for a record that this row was to have changed.
func (k Kind) ClosesLane() bool { return k == Failed || k == Conflict || k == InDoubt }

// Settled reports whether rows that end so need no further visit.
func (k Kind) Settled() bool { return k != NotAttempted && k != InDoubt }

// Outcome is what became of one row. Short JSON names, because the journal
// holds one for every row of files with a million.
type Outcome struct {
	Kind     Kind      `json:"k"`
	Key      string    `json:"key,omitempty"`  // id=1234 or reference=AC-100, as the row addressed the customer
	ID       string    `json:"id,omitempty"`   // the customer's id, once known
	Changes  []Change  `json:"c,omitempty"`    // of a would_change row; a sent row's stand in its intent, unless one was stored otherwise
	HTTP     int       `json:"http,omitempty"` // status of the last reply; 0: none came
	Code     string    `json:"code,omitempty"` // rb_error_code
	Error    string    `json:"err,omitempty"`  // for people; Codes holds the fix
	Sends    int       `json:"n,omitempty"`    // writes sent, repeats included
	Requests int       `json:"q,omitempty"`    // all requests made for this row, writes included
	Millis   int64     `json:"ms,omitempty"`   // from the row's first request to its outcome
	At       time.Time `json:"t,omitzero"`     // when it was settled
	Customer string    `json:"who,omitempty"`  // company or person
	Status   string    `json:"st,omitempty"`   // the customer's status as read

	Warnings []string `json:"w,omitempty"` // what deserves a look though it hinders nothing: rb_warning

	Efforts
	Planned       // of a would_change row
	Standing      // where it was read
	Cut      bool `json:"-"` // the run was stopped before the row could end otherwise
}

// Efforts is what is known of the writes that were sent.
type Efforts struct {
	Lost   bool `json:"lost,omitempty"` // the answer to one of them was
	Futile bool `json:"fut,omitempty"`  // they were as many as may be, and none had an effect: a later process may send as many
}

// Planned is what a plan keeps of a row beside its changes, and what foretells its cost.
type Planned struct {
	Action   string `json:"act,omitempty"`
	Created  string `json:"ct,omitempty"`  // when the customer was, to know him again
	Currency string `json:"cur,omitempty"` // likewise
	Listed   bool   `json:"ls,omitempty"`  // Before is what the customer list showed
	Twofold  bool   `json:"two,omitempty"` // a reading of the customer takes a request more, see Record
}

// Standing is what a customer owes and pays, as the overview tells. Amounts are
// spelled as the API spells them.
type Standing struct {
	Balance     string `json:"bal,omitempty"`
	NextBilling string `json:"next,omitempty"`   // a date; "" when there is none
	Recurring   string `json:"mrr,omitempty"`    // net monthly recurring revenue
	Parent      bool   `json:"parent,omitempty"` // other customers belong to this one
}

// Refused reports whether the server took no write of the row.
func (o Outcome) Refused() bool {
	return !o.Lost && (strings.HasPrefix(o.Code, "http_") || o.Code == "already_linked" || !o.Kind.WasSent())
}

// noReadBack is the code of a row whose answer was lost, of an API that shows no customer.
const noReadBack = "cannot_read_back"

// Unanswered is the code of a row for which these changes were sent, and no answer came:
// whoever could not be read before cannot be read back either.
func Unanswered(sent []Change) string {
	if slices.ContainsFunc(sent, func(c Change) bool { return c.Before == Hidden }) {
		return noReadBack
	}
	return "no_answer"
}

// CanSendAgain reports whether the row is in doubt for good, unless the same values are sent again.
func (o Outcome) CanSendAgain() bool { return o.Kind == InDoubt && o.Code == noReadBack }

// Reject returns the outcome of a row that is not sent because of itself or of the record.
func Reject(code, text string) *Outcome { return &Outcome{Kind: Rejected, Code: code, Error: text} }

// Judge decides a row by a record that is at hand, and sends nothing: what a
// dry run makes of the row once it has read the customer.
func Judge(it *Item, now Record) Outcome {
	step, out := it.Action.Decide(it, now)
	if out == nil {
		out = wouldChange(it, step, now)
	}
	o := *out
	o.ID, o.Customer, o.Status, o.At = it.ID, now.Name, now.Status, time.Now().UTC()
	return o
}

// wouldChange keeps what a plan needs. The status is as earlier rows of the plan would leave it.
func wouldChange(it *Item, s Step, now Record) *Outcome {
	return &Outcome{Kind: WouldChange, Changes: s.Changes, Status: now.Status, Warnings: s.Warnings,
		Planned: Planned{Action: it.Action.Name(), Created: now.Created, Currency: now.Currency}}
}
