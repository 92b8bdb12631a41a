package sandbox

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/tidwall/gjson"
)

// FaultHelp says how a fault spec is written.
const FaultHelp = `a fault is WHAT:HOW[:every=N][:at=N][:after=N][:times=N][:rate=P%][:seed=N]
  WHAT  get list put overview codes hold unhold latch unlatch (Fusebill), patch
        ping (Trackfinity), any
  HOW   400 401 403 404 409 429 500 502 503 (no effect), 500-after 502-after
        503-after (the effect, then the error), 400-after 404-after 409-after
        (put hold unhold latch unlatch: the effect, then the refusal),
        lost-before lost-after (the connection breaks before or after the
        effect), lost (either, by the seed), html (a web page, no effect)
        html-after, truncated null empty (a spoilt reply after the effect),
        redirect (no effect), wrong-id (another customer's id in the reply; all
        kinds but list codes patch ping), slow=2s (waits; a caller who leaves
        takes the request along), late=2s (waits, and acts even so), side-effect
        (put hold latch: lastName changes too), ignore=FIELD (put: accepted, and
        the field not taken; hold: status, latch: hubSpotId or
        hubSpotCompanyId), false (patch: 200 with false, no effect), object
        (patch: the effect, then an object in place of true), echo (patch: 404
        that repeats the form, no effect), no-route (404 as of a path that the
        server does not know),
     and these, beside which other faults happen:
        stores=trim stores=lower stores=phone stores=cut stores=nfc
        stores=escape, or several as stores=trim+lower (put: what is stored is
        trimmed, e-mails in lower case, phones as (415) 555-0123, names cut to
        12 characters, letters and accents as one, & as &amp;), ids-400 ids-all
        ids-first ids-capped ids-twice ids-some (list: a search for a set of ids
        is refused, ignored, made for the first id only, answered in pages of 5,
        shows one twice, leaves every third out), respelled (list overview:
        phones as (415) 555-0123, statuses in capitals, numbers as texts; put
        hold unhold latch unlatch: times with or without zone, numbers with an
        exponent, words in lower case, an object as null), other-ids (overview:
        salesforceId and geotabId are others than in the record), hidden-links
        (replies leave out the ids in HubSpot, Geotab, NetSuite, Salesforce and
        QuickBooks; any: all replies but the overview; overview: there), short
        longer former (put hold unhold latch unlatch: the reply shows id and
        status only, has warnings too, shows the customer as before),
        moves=FIELD (put hold unhold latch unlatch: the server moves that field
        by itself at each write), lag=20ms behind=N (get overview, any: both:
        what stood so long ago, or before the last write for N reads), of the
        limits' headers: no-minute and no-limits (the minute's are missing, or
        all), bare-429 (they are missing where a limit refuses), negative (what
        remains is below nothing)
such as put:500:every=50, any:lost:rate=25%:seed=7, get:slow=2s:at=3`

// ParseFaults reads fault specs. Its error names the first bad one and lists what is possible.
func ParseFaults(specs []string) ([]Fault, error) {
	var faults []Fault
	for _, spec := range specs {
		f, err := parseFault(spec)
		if err != nil {
			return nil, fmt.Errorf("fault %q: %w; try: %s", spec, err, FaultHelp)
		}
		faults = append(faults, f)
	}
	return faults, nil
}

func parseFault(spec string) (Fault, error) {
	parts := strings.Split(spec, ":")
	if len(parts) < 2 {
		return Fault{}, errors.New("WHAT and HOW are needed")
	}
	f := Fault{What: parts[0]}
	if f.What != "any" && !slices.ContainsFunc(routes(), func(rt route) bool { return rt.kind == f.What }) {
		return f, fmt.Errorf("%q is no kind of request", f.What)
	}
	if err := f.parseHow(parts[1]); err != nil {
		return f, err
	}
	for _, p := range parts[2:] {
		if err := f.parseWhen(p); err != nil {
			return f, err
		}
	}
	return f, nil
}

// Fault is one misbehaviour and when it happens. Its text form is
//
//	WHAT:HOW[:every=N][:at=N][:after=N][:times=N][:rate=P][:seed=N]
//
// Without every, at and rate it happens to every matching request. Calls are
// counted by the fault; those that another fault took count too.
type Fault struct {
	What  string        // get, list, put, overview, codes, hold, unhold, latch, unlatch, patch, ping, any
	How   string        // see ParseFaults
	Delay time.Duration // of slow, late and lag
	Reads int           // of behind
	// Of moves, stores (how) and ignore: of a put a key or, after a dot, one within; of a hold status; of a latch either id.
	Field string

	Every int     // each N-th matching call
	At    int     // only the N-th
	After int     // none of the first N
	Times int     // at most N times
	Rate  float64 // share of calls, drawn from Seed, the customer and which of its calls this is: others change nothing
	Seed  uint64
}

func (f *Fault) parseHow(text string) (err error) {
	how, value, given := strings.Cut(text, "=")
	f.How = how
	m, known := misbehaviours()[how]
	switch {
	case !known:
		return fmt.Errorf("%q is no misbehaviour", how)
	case given != m.takesValue || given && value == "":
		return fmt.Errorf("%q wants a value after = just when it is slow, late, ignore, stores, moves, lag or behind", text)
	case m.only != nil && !slices.Contains(m.only, f.What):
		return fmt.Errorf("%s happens to %s only", how, strings.Join(m.only, ", "))
	case how == "stores":
		f.Field = value
		for one := range strings.SplitSeq(value, "+") {
			if storedForms()[one] == nil {
				return fmt.Errorf("%q is none of %s", one, strings.Join(slices.Sorted(maps.Keys(storedForms())), ", "))
			}
		}
	case how == "ignore":
		f.Field = value
		fields := map[string][]string{"hold": {"status"}, "latch": {"hubSpotId", "hubSpotCompanyId"}}[f.What]
		if fields != nil && !slices.Contains(fields, f.Field) { // only a PUT has fields of all names
			return fmt.Errorf("a %s can ignore %s only", f.What, strings.Join(fields, " or "))
		}
	case how == "moves":
		f.Field = value
	case how == "behind":
		if f.Reads, err = strconv.Atoi(value); err != nil || f.Reads < 1 {
			return fmt.Errorf("%q wants a whole number of reads, from 1", text)
		}
	case given:
		if f.Delay, err = time.ParseDuration(value); err != nil || f.Delay <= 0 {
			return fmt.Errorf("%q is no duration such as 500ms or 2s", value)
		}
	}
	return nil
}

func (f *Fault) parseWhen(text string) error {
	name, value, _ := strings.Cut(text, "=")
	whole := map[string]*int{"every": &f.Every, "at": &f.At, "after": &f.After, "times": &f.Times}
	if n := whole[name]; n != nil {
		v, err := strconv.Atoi(value)
		if err != nil || v < 1 {
			return fmt.Errorf("%q wants a whole number from 1", text)
		}
		*n = v
		return nil
	}
	switch name {
	case "rate":
		share, err := strconv.ParseFloat(strings.TrimSuffix(value, "%"), 64)
		if err != nil || !strings.HasSuffix(value, "%") || !(share > 0 && share <= 100) {
			return fmt.Errorf("%q wants a share such as 25%%", text)
		}
		f.Rate = share / 100
	case "seed":
		v, err := strconv.ParseUint(value, 10, 64)
		if err != nil {
			return fmt.Errorf("%q wants a whole number", text)
		}
		f.Seed = v
	default:
		return fmt.Errorf("%q is no condition", text)
	}
	return nil
}

// spoilBody is what faults make of the body of a PUT or a latch: of an ignore fault, the field as stored.
func (f Fault) spoilBody(body, stored object) object {
	if f.How != "ignore" {
		return body
	}
	return restore(body, stored, f.Field)
}

// restore gives a dotted field of the body its stored value.
func restore(body, stored object, path string) object {
	name, rest, nested := strings.Cut(path, ".")
	switch {
	case !stored.has(name):
		return slices.DeleteFunc(slices.Clone(body), func(m member) bool { return m.name == name })
	case !nested:
		return body.set(name, stored.raw(name))
	}
	inner, err := parseObject([]byte(body.raw(name)))
	was, errStored := parseObject([]byte(stored.raw(name)))
	if err != nil || errStored != nil {
		return body
	}
	return body.set(name, string(restore(inner, was, rest).bytes()))
}

// misbehaviour is what a fault does. before answers in the route's place; after
// spoils the route's answer; with neither, the delay or the route itself does it.
type misbehaviour struct {
	before     func(*call) *reply
	after      func(*call, *reply) *reply
	only       []string                          // kinds of requests; nil: all
	head       func(h http.Header, refused bool) // spoils the headers of the limits
	takesValue bool
	habit      bool // how the server is: it leaves other faults their turn
}

func misbehaviours() map[string]misbehaviour {
	instead := func(other func(*call) *reply) func(*call, *reply) *reply { // of the route's answer
		return func(c *call, _ *reply) *reply { return other(c) }
	}
	saying := func(body string) func(*call) *reply {
		return func(*call) *reply { return answer([]byte(body)) }
	}
	lose := func(*call) *reply { return &reply{cut: true} }
	webPage := func(*call) *reply { return htmlPage(http.StatusOK, "Maintenance", "We will be back soon.") }
	echo := func(c *call) *reply { // the caller's own words, the secret ones too
		return words(http.StatusNotFound, "Invalid parameter in "+string(c.body))
	}
	truncate := func(_ *call, r *reply) *reply { // in the middle of the body, whose length has been announced whole
		r.cut, r.sent = true, len(r.body)/2
		return r
	}
	wrongID := func(_ *call, r *reply) *reply {
		o, err := parseObject(r.body)
		if err != nil || !o.has("id") {
			return r
		}
		return answer(o.set("id", "1"+o.raw("id")).bytes())
	}
	table := map[string]misbehaviour{
		"lost-before": {before: lose},
		"lost-after":  {after: instead(lose)},
		"lost":        {}, // becomes one of the two when it fires
		"html":        {before: webPage},
		"html-after":  {after: instead(webPage)},
		"truncated":   {after: truncate},
		"null":        {after: instead(saying("null"))},
		"empty":       {after: instead(saying(""))},
		"redirect": {before: func(*call) *reply {
			return (&reply{status: http.StatusFound}).with("Location", "https://login.example.com/signin")
		}},
		"wrong-id":    {after: wrongID, only: []string{"hold", "unhold", "latch", "unlatch", "get", "put", "overview"}},
		"slow":        {takesValue: true},
		"late":        {takesValue: true},
		"side-effect": {only: []string{"hold", "latch", "put"}},
		"ignore":      {only: []string{"hold", "latch", "put"}, takesValue: true},
		"false":       {before: saying("false"), only: []string{"patch"}},
		"object":      {after: instead(saying(`{"result":"Success","message":"Customer details set"}`)), only: []string{"patch"}},
		"echo":        {before: echo, only: []string{"patch"}},
	}
	maps.Copy(table, habits())
	maps.Copy(table, otherServers())
	maps.Copy(table, setLies())
	for _, status := range []int{400, 401, 403, 404, 409, 429, 500, 502, 503} {
		name := strconv.Itoa(status)
		fail := func(c *call) *reply { return c.system.failure(status, http.StatusText(status)+".") }
		table[name] = misbehaviour{before: fail}
		switch {
		case status >= 500:
			table[name+"-after"] = misbehaviour{after: instead(fail)}
		case status == http.StatusBadRequest, status == http.StatusNotFound, status == http.StatusConflict:
			table[name+"-after"] = misbehaviour{after: instead(fail), only: writesOfOne()}
		}
	}
	return table
}

// setLies are the ways in which a search for a set of ids may go wrong and look as if it had not.
func setLies() map[string]misbehaviour {
	search := func(c *call, ids ...string) *reply {
		c.params.Set("query", "id:"+strings.Join(ids, ","))
		return c.serve(c)
	}
	table := map[string]misbehaviour{}
	for how, lie := range map[string]func(*call, []string) *reply{
		"ids-400": func(*call, []string) *reply { return failure(http.StatusBadRequest, "query: id is no field.") },
		"ids-all": func(c *call, _ []string) *reply {
			c.params.Del("query")
			return c.serve(c)
		},
		"ids-first": func(c *call, ids []string) *reply { return search(c, ids[0]) },
		"ids-capped": func(c *call, ids []string) *reply {
			c.params.Set("pageSize", "5")
			return search(c, ids...)
		},
		"ids-twice": func(c *call, ids []string) *reply {
			r := search(c, ids...)
			rows := gjson.ParseBytes(r.body).Array()
			texts := make([]string, len(rows))
			for i := range rows {
				texts[i] = rows[i].Raw
			}
			if len(rows) > 1 {
				texts[len(rows)-1] = texts[0]
			}
			r.body = []byte("[" + strings.Join(texts, ",") + "]")
			return r
		},
		"ids-some": func(c *call, ids []string) *reply {
			var some []string
			for i, id := range ids {
				if i%3 != 1 {
					some = append(some, id)
				}
			}
			return search(c, some...)
		},
	} {
		table[how] = misbehaviour{only: []string{"list"}, before: func(c *call) *reply {
			if text, is := strings.CutPrefix(c.params.Get("query"), "id:"); is {
				return lie(c, strings.Split(text, ","))
			}
			return c.serve(c)
		}}
	}
	return table
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
func (f *faults) serve(c *call) *reply {
	for _, one := range f.pick(c) {
		if !pause(c, one) {
			return &reply{cut: true}
		}
	}
	m := f.table[c.fault.How]
	if m.before != nil {
		return m.before(c)
	}
	out := c.serve(c)
	for _, one := range c.habits {
		if after := f.table[one.How].after; after != nil {
			out = after(c, out)
		}
	}
	if m.after != nil {
		out = m.after(c, out)
	}
	return out
}

// spoilHead does to the headers of the limits what the faults of a call say. refused
// reports that a limit is why it is refused.
func (f *faults) spoilHead(c *call, h http.Header, refused bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for i := range f.armed {
		one := &f.armed[i]
		if head := f.table[one.How].head; head != nil && (one.What == "any" || one.What == c.kind) && one.fires(c) {
			head(h, refused)
		}
	}
}

// pick returns the waits that fired and sets the call's habits, and its fault to the first other one.
func (f *faults) pick(c *call) (waits []Fault) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for i := range f.armed {
		one := &f.armed[i]
		matches := one.What == c.kind || one.What == "any" && (one.How != "hidden-links" || c.kind != "overview")
		if !matches || f.table[one.How].head != nil || !one.fires(c) {
			continue
		}
		happens := one.Fault
		switch {
		case happens.How == "lost" && draw(one.Seed+1, c.id, one.draws[c.id]) < 0.5:
			happens.How = "lost-before"
		case happens.How == "lost":
			happens.How = "lost-after"
		}
		switch {
		case f.table[happens.How].habit:
			c.habits = append(c.habits, happens)
		case happens.Delay > 0:
			waits = append(waits, happens)
		case c.fault.How == "":
			c.fault = happens
		}
	}
	return waits
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

// pause waits, and reports false when a slow call's caller has gone.
func pause(c *call, f Fault) bool {
	gone := c.Context().Done()
	if f.How == "late" {
		gone = nil
	}
	select {
	case <-time.After(f.Delay):
		return true
	case <-gone:
		return false
	}
}
