package batch

import (
	"context"
	"encoding/json"
	"iter"
	"time"

	"github.com/cenkalti/backoff/v5"
)

// Item is one row on its way: what it wants of which customer.
type Item struct {
	N      int    // ordinal in rows.jsonl, from 0: joins rows, journal and report
	Lane   string // the customer, or several that cannot be told apart; rows of one lane never overlap and keep their order
	Shared bool   // the lane is several customers': one who fails closes it to rows with the same key only
	More   bool   // another item of this lane follows
	Action Action
	Key    string  // id=… or reference=…, as the row says it
	ID     string  // the customer's id
	Edits  []Edit  // the fields that the row sets
	Guards []Guard // what the live record must show, else conflict
	Out    *Outcome
	// Out, when set, settles the row without a request.

	Sent       []Change  // of an earlier send whose answer was lost
	Sends      int       // sends so far, earlier processes' included
	Unanswered bool      // the answer to one of them was lost, whatever a read-back showed since
	Settle     time.Time // when an earlier process's write may be read back at the earliest
	Earlier    int       // of these sends, those of earlier processes
	Spent      int       // requests made for this row before the engine, such as looking its reference up
	Verdict    *Outcome  // of an earlier process; it stands unless this one sends something
	Uncounted  bool      // it must not be sent: when the rows were counted, nothing was to be
	Past       *Outcome  // settled by an earlier process: it says only what later rows of the lane must know

	// Found, when set, is the record as the write found it that this row takes back.
	Found *Record
}

// Edit sets one field.
type Edit struct {
	Field  string
	Want   Value  // Null clears
	Expect *Value // what must stand there now, unless Want does already; nil: anything
	Stale  string // rb_error_code of a row that does not find Expect
	Yields bool   // when Expect does not stand there, the field is left as it is
	Secret bool   // Want is kept out of changes, and so of the journal
}

// Guard is a field that must hold a value before the row is sent.
type Guard struct {
	Field string
	Value Value
	Exact bool   // byte for byte, not merely the same to the API
	Stale string // rb_error_code of a row that finds something else; "": match_failed
}

// Change is one field's move. A Hidden Before could not be read; a Hidden After is secret.
type Change struct {
	Field  string `json:"f"`
	Before Value  `json:"b"`
	After  Value  `json:"a"`
}

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

	Standing *Standing `json:"-"` // where it was read
}

// Standing is what a customer owes and pays. Amounts are spelled as the API spells them.
type Standing struct {
	Balance     string `json:"bal,omitempty"`
	NextBilling string `json:"next,omitempty"` // a date; "" when there is none
	Recurring   string `json:"mrr,omitempty"`  // net monthly recurring revenue
	Currency    string `json:"cur,omitempty"`
	Parent      bool   `json:"parent,omitempty"` // other customers belong to this one
}

// Step is a write ready to be sent: a value, journalled before it leaves.
type Step struct {
	Changes []Change
	Before  Record
	Body    []byte
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

// MayHaveTaken reports whether the write may have had an effect.
func (s *Sent) MayHaveTaken() bool { return s.Outcome.Kind.WasSent() && !s.Outcome.Refused() }

// Class says what a reply means for the row that asked.
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
	Later    bool   // a Refused write may fare better once the run's other rows are done
	Text     string // the server's or the network's words, for people
	Record   Record // of an Answered reply
	Err      error  // of a Fatal reply: what the run ends with
}

// Verdict is what a read-back says about a write whose answer was lost.
type Verdict int

const (
	TookEffect Verdict = iota // the record is as intended
	NoEffect                  // the record is as before
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
	// Check compares the record after a write with what was asked for; nil means all is as it should be.
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

// Canary is a Visit that can read what Read does not show of its customer, in
// another resource of the API. Around the first write of an action that must stay
// as it is, too: a link that only the one shows could be cut, and the other be fine.
type Canary interface {
	ReadBeside(ctx context.Context, id string) Reply
	// CheckBeside compares two such readings; nil means that nothing moved that the step accounts for.
	CheckBeside(s Step, before, after Record) *Outcome
}

// Blind is a Visit whose Read makes no request: its API shows no records.
type Blind interface{ Blind() }

// Source yields the rows of a run: of a file, a plan, a stopped run or its undoing.
type Source = iter.Seq2[*Item, error]

// Options are the engine's settings. The zero Send is the whole of a dry run.
type Options struct {
	Workers map[string]int // requests in flight, by Action.System; at least 1
	Send    bool           // false: decide, and send nothing
	Settle  time.Duration  // from the end of an unanswered write to its read-back
	Fresh   time.Duration  // a write leaves at most this long after its read was asked for, else the record is read again
	Clock   Clock          // by which that is told; nil: the machine's

	// A server that does not answer is asked so often for one row, with such waits
	// between: random ones, so that rows parked by one outage do not return all at once.
	Tries int
	Waits func() *backoff.ExponentialBackOff
}
