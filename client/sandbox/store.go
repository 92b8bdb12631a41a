package sandbox

import (
	"bytes"
	"iter"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/tidwall/gjson"
)

// store is what both systems know, and the ledger of what was done to it.
type store struct {
	mu          sync.RWMutex
	seed        *seed
	customers   *records
	affiliates  *records
	byReference *index // of the customers
	byLink      *index // of the customers, by contact and by company
	sorted      sorted
	ledger      *ledger
	seq         int64
	clock       time.Time // of the last write
}

func newStore(s *seed) *store {
	reference := &index{keys: func(body []byte) []string { return []string{plain(gjson.GetBytes(body, "reference").Raw)} }}
	link := &index{keys: func(body []byte) (keys []string) {
		for _, l := range links() {
			if id := plain(gjson.GetBytes(body, l.field).Raw); id != "" {
				keys = append(keys, l.key(id))
			}
		}
		return keys
	}}
	return &store{
		seed:        s,
		customers:   &records{idField: "id", first: s.body, edited: map[int64][]byte{}, indexes: []*index{reference, link}},
		affiliates:  &records{prefix: "tf:", idField: "customer_id", first: firstAffiliateBody, edited: map[int64][]byte{}},
		byReference: reference,
		byLink:      link,
		ledger:      &ledger{},
	}
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

// update puts in the place of the call's record what change makes of it, and returns
// change's reply. change gets nil if there is no such record; when it returns no
// object, nothing is written.
func (st *store) update(c *call, all *records, change func(stored object) (after object, out *reply)) *reply {
	st.mu.Lock()
	defer st.mu.Unlock()
	var stored object
	if raw, ok := all.body(c.id); ok {
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
	c.before = stored.bytes()
	if err := st.replace(all, c.id, Effect{Kind: c.kind, Option: c.option, After: after.bytes()}); err != nil {
		return failure(http.StatusInternalServerError, err.Error())
	}
	return out
}

// replace is the one way to write: the effect, of which the caller gives what it
// did and the record after, goes to the ledger first and is believed afterwards.
// The caller holds the lock and has moved the clock.
func (st *store) replace(all *records, id int64, e Effect) error {
	before, _ := all.body(id)
	e.Seq, e.At, e.ID, e.Before = st.seq+1, st.clock, all.prefix+strconv.FormatInt(id, 10), before
	if err := st.ledger.append(e); err != nil {
		return err
	}
	st.seq++
	all.keep(id, version{before, time.Now(), 0})
	all.edited[id] = e.After
	for _, ix := range all.indexes {
		ix.move(id, before, e.After)
	}
	return nil
}

// redo takes an effect of the ledger up, unless the snapshot holds it already.
func (st *store) redo(e Effect) {
	if e.Seq <= st.seq {
		return
	}
	st.seq, st.clock = e.Seq, e.At
	all, digits := st.customers, e.ID
	if rest, is := strings.CutPrefix(e.ID, st.affiliates.prefix); is {
		all, digits = st.affiliates, rest
	}
	if id := wholeID(digits); id > 0 {
		all.edited[id] = bytes.Clone(e.After)
	}
}

// search returns the ids of the customers for which all terms hold, ascending.
func (st *store) search(terms []term) []int64 {
	if len(terms) == 0 {
		return slices.Collect(st.seed.ids())
	}
	var found []int64
	for id := range st.candidates(terms) {
		body, ok := st.customers.body(id)
		if ok && !slices.ContainsFunc(terms, func(t term) bool { return !t.match(plain(t.field.value(body))) }) {
			found = append(found, id)
		}
	}
	return found
}

// candidates spares a search by id or by reference the walk through all customers.
func (st *store) candidates(terms []term) iter.Seq[int64] {
	for _, t := range terms {
		if ref := t.whole("Reference"); ref != nil {
			return slices.Values(slices.Sorted(slices.Values(st.byReference.ids[*ref])))
		}
		if ids := t.ids(); ids != nil {
			return slices.Values(ids)
		}
	}
	return st.seed.ids()
}

func (st *store) order(ids []int64, p page) {
	keys := make(map[int64]string, len(ids))
	for _, id := range ids {
		body, _ := st.customers.body(id)
		keys[id] = plain(p.sort.value(body))
	}
	slices.SortStableFunc(ids, func(a, b int64) int {
		n := strings.Compare(keys[a], keys[b])
		if p.sort.form == numberRange || p.sort.form == integerList {
			n = decimal(keys[a]).Cmp(decimal(keys[b]))
		}
		if p.descending {
			return -n
		}
		return n
	})
}

// holder returns the first customer but this one that has the link, 0 if there is none. The caller holds the lock.
func (st *store) holder(link string, but int64) int64 {
	st.byLink.build(st.seed.ids(), st.customers.body)
	var first int64
	for _, id := range st.byLink.ids[link] {
		if id != but && (first == 0 || id < first) {
			first = id
		}
	}
	return first
}

// wholeID reads an id as it is written: digits, no sign, no idle zeros. Anything else is 0, an id that nobody has.
func wholeID(text string) int64 {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 0 || strconv.FormatInt(n, 10) != text {
		return 0
	}
	return n
}

// records are one system's customers: as they are at first, or as the last write left them.
type records struct {
	prefix  string // of an id in the ledger
	idField string // the record's own id
	first   func(id int64) (body []byte, ok bool)
	edited  map[int64][]byte
	indexes []*index
	past    map[int64][]version // of the records, where reads lag; nil where none does
}

// version is a record as it was before a write.
type version struct {
	body  []byte
	until time.Time
	shown int // to reads that lag
}

// keep remembers a version for as long as reads may show it.
func (r *records) keep(id int64, v version) {
	const most = 16
	if r.past != nil {
		r.past[id] = append(r.past[id][max(0, len(r.past[id])-most):], v)
	}
}

// lagging is the record as a read shows it that lags behind the writes.
func (r *records) lagging(id int64, lag time.Duration, reads int) (body []byte, ok bool) {
	for i := range r.past[id] {
		v := &r.past[id][i]
		if v.until.Add(lag).After(time.Now()) || v.shown < reads {
			v.shown++
			return v.body, true
		}
	}
	return r.body(id)
}

func (r *records) body(id int64) ([]byte, bool) {
	if body, ok := r.edited[id]; ok {
		return body, true
	}
	return r.first(id)
}

// index finds the customers that a key belongs to. It is empty until it is built,
// and follows every write from then on.
type index struct {
	keys func(body []byte) []string
	ids  map[string][]int64
}

func (ix *index) build(all iter.Seq[int64], body func(int64) ([]byte, bool)) {
	if ix.ids != nil {
		return
	}
	ix.ids = map[string][]int64{}
	for id := range all {
		b, _ := body(id)
		ix.add(id, ix.keys(b))
	}
}

func (ix *index) add(id int64, keys []string) {
	for _, k := range keys {
		ix.ids[k] = append(ix.ids[k], id)
	}
}

func (ix *index) move(id int64, before, after []byte) {
	if ix.ids == nil {
		return
	}
	was, is := ix.keys(before), ix.keys(after)
	if slices.Equal(was, is) {
		return
	}
	for _, k := range was {
		ix.ids[k] = slices.DeleteFunc(ix.ids[k], func(n int64) bool { return n == id })
		if len(ix.ids[k]) == 0 {
			delete(ix.ids, k)
		}
	}
	ix.add(id, is)
}

// sorted keeps the order of the whole list from one page to the next: without it
// each page of a million customers would sort them all again.
type sorted struct {
	mu         sync.Mutex
	by         string
	descending bool
	seq        int64 // of the last write that it knows
	ids        []int64
}

// all returns every customer in the order that a page asks for. The caller holds
// the store's lock, and does not change the ids.
func (o *sorted) all(st *store, p page) []int64 {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.ids == nil || o.by != p.sort.name || o.descending != p.descending || o.seq != st.seq {
		o.ids = st.search(nil)
		st.order(o.ids, p)
		o.by, o.descending, o.seq = p.sort.name, p.descending, st.seq
	}
	return o.ids
}
