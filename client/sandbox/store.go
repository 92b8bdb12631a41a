package sandbox

import (
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/tidwall/gjson"
)

// store is what both systems know, and the ledger of what was done to it.
type store struct {
	mu          sync.RWMutex
	herd        *herd
	customers   *book
	affiliates  *book
	byReference *index // of the customers
	byLink      *index // of the customers, by contact and by company
	sorted      sorted
	ledger      ledger
	seq         int64
	clock       time.Time // of the last write
}

func newStore(h *herd) *store {
	reference, link := &index{keys: referenceOf}, &index{keys: linksOf}
	return &store{
		herd:        h,
		customers:   &book{idField: "id", born: h, edited: map[int64][]byte{}, indexes: []*index{reference, link}},
		affiliates:  &book{prefix: "tf:", idField: "customer_id", born: roster{}, edited: map[int64][]byte{}},
		byReference: reference,
		byLink:      link,
	}
}

// locate finds the record that the ledger calls by this id.
func (st *store) locate(ledgerID string) (b *book, id int64, ok bool) {
	b, digits := st.customers, ledgerID
	if rest, is := strings.CutPrefix(ledgerID, st.affiliates.prefix); is {
		b, digits = st.affiliates, rest
	}
	id = wholeID(digits)
	return b, id, id > 0
}

// wholeID reads an id as it is written: digits, no sign, no idle zeros. Anything else is 0, an id that nobody has.
func wholeID(text string) int64 {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 0 || strconv.FormatInt(n, 10) != text {
		return 0
	}
	return n
}

// tick moves the clock of the writes: to now, and always on.
func (st *store) tick() {
	now := time.Now().UTC().Truncate(100 * time.Nanosecond)
	if !now.After(st.clock) {
		now = st.clock.Add(100 * time.Nanosecond)
	}
	st.clock = now
}

// touch sets modifiedTimestamp, where there is one: UTC, up to seven fraction digits, and later than any before.
func (st *store) touch(o object) object {
	if !o.has("modifiedTimestamp") {
		return o
	}
	return o.set("modifiedTimestamp", quote(st.clock.Format("2006-01-02T15:04:05.9999999Z")))
}

// update puts in a record's place what change makes of it, and gives change's
// reply to the caller. change gets nil if there is no such record; when it returns
// no object, nothing is written.
func (st *store) update(b *book, id int64, e Effect, change func(stored object) (after object, out *reply)) *reply {
	st.mu.Lock()
	defer st.mu.Unlock()
	var stored object
	if raw, ok := b.body(id); ok {
		var err error
		if stored, err = parseObject(raw); err != nil {
			return failure(http.StatusInternalServerError, err.Error())
		}
	}
	st.tick()
	after, out := change(stored)
	if after == nil {
		return out
	}
	e.After = after.bytes()
	if err := st.replace(b, id, e); err != nil {
		return failure(http.StatusInternalServerError, err.Error())
	}
	return out
}

// replace is the one way to write: the effect, of which the caller gives what it
// did and the record after, goes to the ledger first and is believed afterwards.
// The caller holds the lock and has moved the clock.
func (st *store) replace(b *book, id int64, e Effect) error {
	before, _ := b.body(id)
	e.Seq, e.At, e.ID, e.Before = st.seq+1, st.clock, b.ledgerID(id), before
	if err := st.ledger.append(e); err != nil {
		return err
	}
	st.seq++
	b.adopt(id, before, e.After)
	return nil
}

func (st *store) effects() []Effect {
	st.mu.RLock()
	defer st.mu.RUnlock()
	return st.ledger.all()
}

func (st *store) close() error {
	st.mu.Lock()
	defer st.mu.Unlock()
	return st.ledger.close()
}

// indexReferences makes searches by reference cheap; it takes the lock itself.
func (st *store) indexReferences() {
	st.mu.Lock()
	defer st.mu.Unlock()
	st.byReference.build(st.herd.ids(), st.customers.body)
}

func referenceOf(body []byte) []string {
	return []string{plain(gjson.GetBytes(body, "reference").Raw)}
}
