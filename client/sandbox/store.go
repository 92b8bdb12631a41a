package sandbox

import (
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/tidwall/gjson"
)

// store is the account's customers: as born, or as the last write left them.
type store struct {
	mu          sync.RWMutex
	herd        *herd
	edited      map[int64][]byte
	byReference map[string][]int64 // nil until the first search by reference
	ledger      ledger
	seq         int64
	clock       time.Time // of the last write
}

func (st *store) body(id int64) ([]byte, bool) {
	if b, ok := st.edited[id]; ok {
		return b, true
	}
	return st.herd.body(id)
}

// stamp returns a modifiedTimestamp: UTC, up to seven fraction digits, and later than any before.
func (st *store) stamp() string {
	now := time.Now().UTC().Truncate(100 * time.Nanosecond)
	if !now.After(st.clock) {
		now = st.clock.Add(100 * time.Nanosecond)
	}
	st.clock = now
	return now.Format("2006-01-02T15:04:05.9999999Z")
}

// replace writes the ledger first and believes it afterwards. The caller holds the lock.
func (st *store) replace(kind string, id int64, after []byte) error {
	before, _ := st.body(id)
	e := Effect{Seq: st.seq + 1, At: st.clock, Kind: kind, ID: strconv.FormatInt(id, 10), Before: before, After: after}
	if err := st.ledger.append(e); err != nil {
		return err
	}
	st.seq++
	st.adopt(id, before, after)
	return nil
}

func (st *store) adopt(id int64, before, after []byte) {
	st.edited[id] = after
	if st.byReference == nil {
		return
	}
	was, is := referenceOf(before), referenceOf(after)
	if was != is {
		st.byReference[was] = slices.DeleteFunc(st.byReference[was], func(n int64) bool { return n == id })
		st.byReference[is] = append(st.byReference[is], id)
	}
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

// index makes searches by reference cheap; it takes the lock itself.
func (st *store) index() {
	st.mu.Lock()
	defer st.mu.Unlock()
	if st.byReference != nil {
		return
	}
	st.byReference = make(map[string][]int64, st.herd.count)
	for id := range st.herd.ids() {
		body, _ := st.body(id)
		ref := referenceOf(body)
		st.byReference[ref] = append(st.byReference[ref], id)
	}
}

func referenceOf(body []byte) string { return plain(gjson.GetBytes(body, "reference").Raw) }
