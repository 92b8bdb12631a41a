package sandbox

import (
	"encoding/binary"
	"hash/fnv"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/tidwall/gjson"
)

// misbehaviour is what a fault does. before answers in the route's place; after
// spoils the route's answer; with neither, the delay or the route itself does it.
type misbehaviour struct {
	before     func(*call) *reply
	after      func(*call, *reply) *reply
	only       []string // kinds of requests; nil: all
	takesValue bool
	habit      bool // how the server is: it spoils what other faults leave of the route's answer, and leaves them their turn
}

func misbehaviours() map[string]misbehaviour {
	table := map[string]misbehaviour{
		"lost-before": {before: lose},
		"lost-after":  {after: instead(lose)},
		"lost":        {}, // becomes one of the two when it fires
		"html":        {before: webPage},
		"html-after":  {after: instead(webPage)},
		"truncated":   {after: truncate},
		"null":        {after: instead(saying("null"))},
		"empty":       {after: instead(saying(""))},
		"redirect":    {before: redirect},
		"wrong-id":    {after: wrongID, only: []string{"hold", "unhold", "latch", "unlatch", "get", "put", "overview"}},
		"slow":        {takesValue: true},
		"late":        {takesValue: true},
		"side-effect": {only: []string{"hold", "latch", "put"}},
		"ignore":      {only: []string{"hold", "latch", "put"}, takesValue: true},
		"false":       {before: saying("false"), only: []string{"patch"}},
		"object":      {after: instead(saying(`{"result":"Success","message":"Customer details set"}`)), only: []string{"patch"}},
		"echo":        {before: echo, only: []string{"patch"}},
		"hidden-links": {after: hideLinks, habit: true,
			only: []string{"any", "get", "list", "put", "overview", "hold", "unhold", "latch", "unlatch"}},
	}
	for name, status := range map[string]int{"400": 400, "401": 401, "403": 403, "404": 404, "409": 409, "429": 429, "500": 500, "502": 502, "503": 503} {
		fail := func(c *call) *reply { return c.system.failure(status, http.StatusText(status)+".") }
		table[name] = misbehaviour{before: fail}
		if status >= 500 {
			table[name+"-after"] = misbehaviour{after: instead(fail)}
		}
	}
	return table
}

// instead forgets the route's answer.
func instead(other func(*call) *reply) func(*call, *reply) *reply {
	return func(c *call, _ *reply) *reply { return other(c) }
}

func saying(body string) func(*call) *reply {
	return func(*call) *reply { return answer([]byte(body)) }
}

func lose(*call) *reply { return &reply{cut: true} }

func webPage(*call) *reply { return htmlPage(http.StatusOK, "Maintenance", "We will be back soon.") }

// echo repeats the caller's own words, the secret ones too.
func echo(c *call) *reply { return words(http.StatusNotFound, "Invalid parameter in "+string(c.body)) }

func redirect(*call) *reply {
	return (&reply{status: http.StatusFound}).with("Location", "https://login.example.com/signin")
}

// truncate breaks the connection in the middle of the body, whose length has been announced whole.
func truncate(_ *call, r *reply) *reply {
	r.cut, r.sent = true, len(r.body)/2
	return r
}

func wrongID(_ *call, r *reply) *reply {
	o, err := parseObject(r.body)
	if err != nil || !o.has("id") {
		return r
	}
	return answer(o.set("id", "1"+o.raw("id")).bytes())
}

// hideLinks leaves the ids in other systems out of a customer, or of all in a list.
// The record itself keeps them, until a PUT that leaves them out too.
func hideLinks(_ *call, r *reply) *reply {
	if r.status != http.StatusOK {
		return r
	}
	strip := func(raw string) string {
		o, err := parseObject([]byte(raw))
		if err != nil {
			return raw
		}
		return string(slices.DeleteFunc(o, func(m member) bool { return slices.Contains(linkKeys(), m.name) }).bytes())
	}
	if whole := gjson.ParseBytes(r.body); whole.IsArray() {
		var rows []string
		for _, row := range whole.Array() {
			rows = append(rows, strip(row.Raw))
		}
		r.body = []byte("[" + strings.Join(rows, ",") + "]")
	} else {
		r.body = []byte(strip(string(r.body)))
	}
	return r
}

// linkKeys are the ids of customers in other systems. The overview spells the last one so.
func linkKeys() []string {
	return []string{"hubSpotId", "hubSpotCompanyId", "geotabId", "netsuiteId", "salesforceId", "quickBooksId", "quickbooksId"}
}

// faults decide which calls go wrong.
type faults struct {
	mu    sync.Mutex
	table map[string]misbehaviour
	armed []armed
}

type armed struct {
	Fault
	calls int           // that matched
	fired int           // of them
	draws map[int64]int // calls of each customer, for the draws
}

func newFaults(list []Fault) *faults {
	f := &faults{table: misbehaviours()}
	for i, one := range list {
		one.Seed += uint64(i) << 32 // each fault draws for itself: with one draw for all, only the first would ever fire
		f.armed = append(f.armed, armed{Fault: one, draws: map[int64]int{}})
	}
	return f
}

// serve answers the call, with whatever goes wrong. Waits and habits add up and let
// other faults happen besides; of those the first that fires wins.
func (f *faults) serve(s *Sandbox, c *call) *reply {
	waits, habits := f.pick(c)
	for _, one := range waits {
		if !pause(c, one) {
			return &reply{cut: true}
		}
	}
	var m misbehaviour
	if c.fault != nil {
		m = f.table[c.fault.How]
	}
	if m.before != nil {
		return m.before(c)
	}
	out := c.serve(s, c)
	for _, one := range habits {
		out = one.after(c, out)
	}
	if m.after != nil {
		out = m.after(c, out)
	}
	return out
}

// pick returns the waits and the habits that fired and sets the call's fault to the first other one.
func (f *faults) pick(c *call) (waits []Fault, habits []misbehaviour) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for i := range f.armed {
		one := &f.armed[i]
		matches := one.What == c.kind || one.What == "any" && (one.How != "hidden-links" || c.kind != "overview")
		if !matches || !one.fires(c) {
			continue
		}
		happens := one.Fault
		switch {
		case happens.How == "lost" && draw(one.Seed+1, c.id, one.draws[c.id]) < 0.5:
			happens.How = "lost-before"
		case happens.How == "lost":
			happens.How = "lost-after"
		}
		switch m := f.table[happens.How]; {
		case happens.Delay > 0:
			waits = append(waits, happens)
		case m.habit:
			habits = append(habits, m)
		case c.fault == nil:
			c.fault = &happens
		}
	}
	return waits, habits
}

func (a *armed) fires(c *call) bool {
	a.calls++
	a.draws[c.id]++
	switch {
	case a.calls <= a.After,
		a.Times > 0 && a.fired >= a.Times,
		a.At > 0 && a.calls != a.At,
		a.Every > 0 && a.calls%a.Every != 0,
		a.Rate > 0 && draw(a.Seed, c.id, a.draws[c.id]) >= a.Rate:
		return false
	}
	a.fired++
	return true
}

// draw returns a number in [0, 1) that depends on nothing but its arguments, so
// that a run with many workers meets the same faults each time.
func draw(seed uint64, id int64, nth int) float64 {
	var b [24]byte
	binary.LittleEndian.PutUint64(b[0:], seed)
	binary.LittleEndian.PutUint64(b[8:], uint64(id))
	binary.LittleEndian.PutUint64(b[16:], uint64(nth))
	h := fnv.New64a()
	_, _ = h.Write(b[:]) // a hash never fails
	x := h.Sum64()
	x ^= x >> 33
	x *= 0xff51afd7ed558ccd // FNV's high bits alone hardly move with its last bytes
	x ^= x >> 33
	return float64(x>>11) / (1 << 53)
}

// pause waits; false means that a slow call's caller has gone.
func pause(c *call, f Fault) bool {
	t := time.NewTimer(f.Delay)
	defer t.Stop()
	gone := c.ctx.Done()
	if f.How == "late" {
		gone = nil
	}
	select {
	case <-t.C:
		return true
	case <-gone:
		return false
	}
}

// ignores says that the field is not to be taken.
func (f *Fault) ignores(field string) bool { return f != nil && f.How == "ignore" && f.Field == field }

// spoilBody is what an ignore fault makes of the body of a PUT or a latch: the field as stored.
func (f *Fault) spoilBody(body, stored object) object {
	if f == nil || f.How != "ignore" {
		return body
	}
	return restore(body, stored, f.Field)
}

// spoilRecord is what a side-effect fault makes of the record that a write leaves.
func (f *Fault) spoilRecord(record object) object {
	if f == nil || f.How != "side-effect" {
		return record
	}
	return record.set("lastName", quote(gjson.Parse(record.raw("lastName")).String()+" (moved)"))
}
