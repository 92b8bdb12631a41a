package batch

import (
	"context"
	"encoding/json"
	"strings"
	"time"
)

// Record is a customer as read.
type Record struct {
	ID       string `json:"id"`
	Status   string `json:"st,omitempty"`
	Modified string `json:"mt,omitempty"`
	Created  string `json:"ct,omitempty"`
	Currency string `json:"cur,omitempty"`
	Body     []byte `json:"-"` // the reply's bytes; numbers keep their spelling
	Name     string `json:"-"` // company or person

	Elsewhere []string `json:"-"` // keys of Body that another resource than the record itself has shown
	Twofold   bool     `json:"-"` // it took that resource to know the record whole

	Standing Standing `json:"-"` // where it was read
}

// asBefore reports whether a reading shows the customer as a write found him. Where it
// carries a later stamp, it is no reading that lags.
func (r Record) asBefore(w Step, a Action) bool {
	later := w.Before.Modified != "" && r.Modified > w.Before.Modified
	return !later && len(w.Changes) > 0 && a.Settle(w.Changes, r) == NoEffect
}

// SameVersion reports whether two resources show one state of a customer, by the stamp
// that moves at each write.
func (r Record) SameVersion(as Record) bool {
	return r.Modified != "" && SameTime(r.Modified, as.Modified)
}

// SameTime compares two stamps, of which one may leave out the letter of the zone.
func SameTime(a, b string) bool { return strings.TrimSuffix(a, "Z") == strings.TrimSuffix(b, "Z") }

// Step is a write ready to be sent: a value, journalled before it leaves.
type Step struct {
	Changes []Change
	Before  Record
	Body    []byte

	Warnings []string // of the row, if it is sent
}

// Found is the record as an intent found it: the vendor keeps no trail of
// edits, so this copy is the only memory of the old values.
type Found struct {
	Record
	Key  string          `json:"key,omitempty"` // as the row addressed the customer
	Act  string          `json:"act,omitempty"` // the row's action
	Body json.RawMessage `json:"body,omitempty"`
}

// Sent is the last write of a row, as its journal tells it.
type Sent struct {
	N       int
	Found   Found // the record before it, and how the row named the customer
	Changes []Change
	Outcome Outcome   // what became of it
	At      time.Time // when it was about to leave
}

// Class is what a reply means for the row that asked.
type Class int

const (
	Answered  Class = iota // a readable success
	Refused                // the server understood and said no: no effect
	Throttled              // 429: no effect, again later
	Unsent                 // no connection: no effect, again later
	Lost                   // no usable answer: a write may have taken effect
	Fatal                  // credentials or access: the run stops
)

// Reply is the answer to exactly one attempt.
type Reply struct {
	Class    Class
	Status   int    // HTTP status; 0: none came
	Requests int    // what the attempt cost of the allowance: 0 when nothing left, 2 when a read on a stale connection was repeated
	Code     string // rb_error_code of a Refused reply
	Later    bool   // a Refused request may fare better once the run's other rows are done
	Text     string // the server's or the network's words, for people
	Record   Record // of an Answered reply
	Err      error  // of a Fatal reply: what the run ends with
}

// Verdict is what a read-back tells about a write whose answer was lost.
type Verdict int

const (
	TookEffect Verdict = iota // the record is as intended
	NoEffect                  // the record is as before
	Respelled                 // it is as intended, but for how the server spells it
	Other                     // neither: somebody else wrote
	Unreadable                // the API gives nothing to judge by; sending the same again does no harm
)

// Action is what a row becomes. Decide, Apply, Check and Settle are pure.
type Action interface {
	Name() string
	// System names the API. The rows of each have workers of their own.
	System() string
	// Open leases the requests of one visit together, so that a write follows its read at once.
	// A visit that reads back what was sent may draw on the share of the allowance
	// that is kept free for others.
	Open(ctx context.Context, requests int, sent []Change) (Visit, error)
	// Decide compares the row with the live record; an outcome means there is nothing to send.
	Decide(it *Item, now Record) (Step, *Outcome)
	// Apply lays changes over a record: the body of the write, and for a dry run what the lane's next row finds.
	Apply(now Record, changes []Change) (Record, error)
	// Hint tells what the reply to a write seems to show amiss; nil means that it shows what was
	// asked for. What it leaves out is no evidence: of a reply without the values that were set the
	// outcome is in_doubt.
	Hint(s Step, reply Record) *Outcome
	// Check compares the record as read after a write with what was asked for; nil means all is as it should be.
	Check(s Step, after Record) *Outcome
	// Settle judges by a read-back whether the changes were made.
	Settle(sent []Change, now Record) Verdict
	// MaxSends is how often one row's write may leave.
	MaxSends() int
}

// Visit is one worker's turn with one customer. Each call makes exactly one attempt.
type Visit interface {
	Read(ctx context.Context, id string) Reply
	Send(ctx context.Context, s Step) Reply
	Close() // gives back what was leased and not used
}

// Beside is a Visit that can read what Read does not show of its customer, in
// another resource of the API. Around the first write of an action that must stay
// as it is, too: a link that only the one shows could be cut, and the other be fine.
type Beside interface {
	ReadBeside(ctx context.Context, id string) Reply
	// CheckBeside compares two such readings; nil means that nothing moved that the step accounts for.
	CheckBeside(s Step, before, after Record) *Outcome
}

// Lister is a Visit that can also read its customer as the list of customers shows it.
type Lister interface {
	ReadListed(ctx context.Context, id string) Reply
}

// Blind is a Visit whose Read makes no request: its API shows no records.
type Blind interface{ Blind() }
