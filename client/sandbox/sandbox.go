// Package sandbox is a stand-in for the Fusebill API (under /v1) and the
// Trackfinity API (under /api): one http.Handler with customers, rate limits and
// faults on demand. It answers as the vendors' pages say
// (developer.staxbill.com/reference, docs.trackfinity.com/api), and where they are
// silent it takes the harsher reading, so that a tool that works against it harms
// nobody elsewhere: a PUT nulls every field that it leaves out, a latch clears the
// id that it leaves out, an empty value of a form empties the field, string
// matches are exact to the letter case, a cancelled customer cannot be written.
//
// Customers are kept as raw JSON. A field whose value a write does not change
// keeps its bytes: the spelling of its number, its place in the object.
package sandbox

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"
)

// ErrInUse is what opening a state gives that another process has open.
var ErrInUse = errors.New("the sandbox's state is in use by another process")

// Header stands, with the value 1, in every reply of a sandbox and in nobody else's:
// by it a server on loopback is told from a tunnel to the real one.
const Header = "Rowbatch-Sandbox"

// Options set up a Sandbox. The zero value is an account without customers, kept in memory.
type Options struct {
	Dir       string // where the state lives; "" keeps it in memory only
	Seed      []byte // JSON array of customers
	Customers int    // 0: as many as the seed has; more: the seed again and again with fresh ids, references, names and mails
	Reset     bool   // start anew from the seed; without it a state found in Dir is kept, whatever Seed and Customers say
	Faults    []Fault

	// Requests allowed; 0: 1,000 and 180,000, a live account's (developer.staxbill.com/reference/rate-limits).
	Minute, Day int
	// MinuteLength is that of the minute window, for who cannot wait; 0: a minute.
	MinuteLength time.Duration
	// ResetForm is how X-Rate-Limit-Reset-* is written: rfc3339 (the default), rfc3339-nozone,
	// unix, http-date; none leaves all six headers out.
	ResetForm string
	// OtherUsers tells how many requests others of the account make at the start of the minute window; nil: none.
	OtherUsers func(window time.Time) int

	PageCap   int  // most rows of a list page; 0: 1,000
	ShortRows bool // list rows carry a summary only, which the vendor's pages leave possible

	foldAbove int // bytes: a longer ledger is folded into the snapshot by Open; 0: 64 MiB
}

// Effect is one write that changed the state: a call, by its kind (put, hold,
// unhold, latch, unlatch, patch), or somebody else's edit made through Sandbox.Edit ("edit").
type Effect struct {
	Seq    int64           `json:"seq"` // from 1, without gaps
	At     time.Time       `json:"at"`
	Kind   string          `json:"kind"`
	Option string          `json:"option,omitempty"` // serviceStartOption of an unhold
	ID     string          `json:"id"`               // of a Trackfinity customer: tf: and its number, such as tf:4102
	Before json.RawMessage `json:"before"`
	After  json.RawMessage `json:"after"`
}

// Counts are the requests that arrived. A throttled or unauthorized one is in no other number.
type Counts struct {
	Reads, Writes           int
	Throttled, Unauthorized int
	Kinds                   map[string]int // by the kinds of fault specs; other: an unknown route
}

// Sandbox is the stand-in. It is safe for concurrent use.
type Sandbox struct {
	store     *store
	account   account
	editable  []field
	limits    *limits
	faults    *faults
	pageCap   int
	shortRows bool

	counting sync.Mutex
	counts   Counts
}

// Open starts a sandbox: from the state in Dir if there is one, else from the seed.
// A Dir that is open elsewhere gives an error that wraps ErrInUse.
func Open(o Options) (*Sandbox, error) {
	lim, err := newLimits(o)
	if err != nil {
		return nil, err
	}
	st, err := openStore(o)
	if err != nil {
		return nil, fmt.Errorf("sandbox: %w", err)
	}
	if slices.ContainsFunc(o.Faults, func(f Fault) bool { return f.How == "lag" || f.How == "behind" }) {
		st.customers.past = map[int64][]version{}
	}
	return &Sandbox{
		store:     st,
		account:   newAccount(),
		editable:  editable(),
		limits:    lim,
		faults:    newFaults(o.Faults),
		pageCap:   cmp.Or(o.PageCap, 1000),
		shortRows: o.ShortRows,
		counts:    Counts{Kinds: map[string]int{}},
	}, nil
}

// Close releases the state's folder. The state itself is on disk already.
func (s *Sandbox) Close() error {
	s.store.mu.Lock()
	defer s.store.mu.Unlock()
	return s.store.ledger.close()
}

// Customer returns the bytes that GET /customers/{id} would answer with, faults and limits aside.
func (s *Sandbox) Customer(id string) (json.RawMessage, bool) {
	return s.record(s.store.customers, wholeID(id))
}

// Affiliate returns a Trackfinity customer as the sandbox holds it, by its number
// such as "4102": an object of customer_id, subscription_id, locked and the
// sixteen fields, null where empty. A password shows as sha256: and the first 16
// hexadecimal digits of its SHA-256.
func (s *Sandbox) Affiliate(id string) (json.RawMessage, bool) {
	return s.record(s.store.affiliates, wholeID(id))
}

func (s *Sandbox) record(all *records, id int64) (json.RawMessage, bool) {
	s.store.mu.RLock()
	defer s.store.mu.RUnlock()
	body, ok := all.body(id)
	return slices.Clone(body), ok
}

// IDs returns the ids of all Fusebill customers, ascending.
func (s *Sandbox) IDs() []string {
	ids := make([]string, 0, s.store.seed.count)
	for id := range s.store.seed.ids() {
		ids = append(ids, strconv.FormatInt(id, 10))
	}
	return ids
}

// Effects returns the writes that took effect, in order: since the start when
// the state is in memory, else those of the ledger file, which Open folds into
// the snapshot once it has grown long.
func (s *Sandbox) Effects() []Effect {
	s.store.mu.RLock()
	defer s.store.mu.RUnlock()
	return s.store.ledger.all()
}

// Requests returns what has arrived since Open.
func (s *Sandbox) Requests() Counts {
	s.counting.Lock()
	defer s.counting.Unlock()
	c := s.counts
	c.Kinds = maps.Clone(c.Kinds)
	return c
}

// Edit is somebody else's write to a Fusebill customer: change gets its bytes and returns
// the new ones. modifiedTimestamp moves as it does for a PUT. It panics when
// there is no such customer or the result is no customer of that id, since only a
// mistake of the caller can bring that about.
func (s *Sandbox) Edit(id string, change func(body []byte) []byte) {
	n := wholeID(id)
	s.store.mu.Lock()
	defer s.store.mu.Unlock()
	body, ok := s.store.customers.body(n)
	if !ok {
		panic("sandbox: no customer " + id)
	}
	o, err := parseObject(change(slices.Clone(body)))
	if err != nil || o.raw("id") != id {
		panic(fmt.Sprintf("sandbox: edit of %s returned no such customer: %v", id, err))
	}
	s.store.tick()
	if err := s.store.replace(s.store.customers, n, Effect{Kind: "edit", After: s.store.touch(o).bytes()}); err != nil {
		panic(err)
	}
}

// Transport calls the sandbox in this process, without a socket. It may be used
// inside a testing/synctest bubble. A connection that a fault cuts shows as
// io.ErrUnexpectedEOF, from RoundTrip or from reading the body, as it falls.
// As on a network, a caller whose context ends does not undo what the sandbox does.
func (s *Sandbox) Transport() http.RoundTripper { return transport{s} }

// ServeHTTP answers one request: credentials, then limits, then faults, then the route.
func (s *Sandbox) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set(Header, "1")
	w.Header().Set("Date", time.Now().UTC().Format(http.TimeFormat))
	c := newCall(s, r)
	out := s.admit(c)
	if c.system.metered {
		s.limits.head(w.Header(), time.Now())
		s.faults.spoilHead(c, w.Header(), out != nil && out.status == http.StatusTooManyRequests)
	}
	if out == nil {
		out = s.faults.serve(c)
	}
	out.send(w)
}

// admit counts a call, and returns the answer to one that no route gets to see.
func (s *Sandbox) admit(c *call) (refusal *reply) {
	refusal = c.system.refuse(c)
	exhausted := ""
	if refusal == nil && c.system.metered {
		exhausted = s.limits.take(time.Now())
	}
	s.counting.Lock()
	defer s.counting.Unlock()
	switch {
	case refusal != nil:
		s.counts.Unauthorized++
		return refusal
	case exhausted != "":
		s.counts.Throttled++
		return failure(http.StatusTooManyRequests, "Rate limit of "+exhausted+" exceeded.")
	case c.Method != http.MethodGet && c.Method != http.MethodHead:
		s.counts.Writes++
	default:
		s.counts.Reads++
	}
	s.counts.Kinds[c.kind]++
	return nil
}
