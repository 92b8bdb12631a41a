package sandbox

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Fault is one misbehaviour and when it happens. Its text form is
//
//	WHAT:HOW[:every=N][:at=N][:after=N][:times=N][:rate=P][:seed=N]
//
// Without every, at and rate it happens to every matching request. Calls are
// counted by the fault; those that another fault took count too.
type Fault struct {
	What  string        // get, list, put, overview, codes, hold, unhold, latch, unlatch, patch, ping, any
	How   string        // see ParseFaults
	Delay time.Duration // of slow and late
	Field string        // of ignore: of a put a key, or one within customerReference or customerAcquisition after a dot; of a hold status; of a latch either id

	Every int     // each N-th matching call
	At    int     // only the N-th
	After int     // none of the first N
	Times int     // at most N times
	Rate  float64 // share of calls, drawn from Seed, the customer and which of its calls this is: no other call changes the draw
	Seed  uint64
}

// FaultHelp says how a fault spec is written.
const FaultHelp = `a fault is WHAT:HOW[:every=N][:at=N][:after=N][:times=N][:rate=P%][:seed=N]
  WHAT  get list put overview codes hold unhold latch unlatch (Fusebill), patch ping (Trackfinity), any
  HOW   400 401 403 404 409 429 500 502 503 (no effect), 500-after 502-after 503-after (the effect, then the error),
        lost-before lost-after (the connection breaks before or after the effect), lost (either, by the seed),
        html (a web page, no effect) html-after, truncated null empty (a spoilt reply after the effect),
        redirect (no effect), wrong-id (another customer's id in the reply; all kinds but list codes patch ping),
        slow=2s (waits; a caller who leaves takes the request along), late=2s (waits, and acts even so),
        side-effect (put hold latch: lastName changes too),
        ignore=FIELD (put: accepted, and the field not taken; hold: status, latch: hubSpotId or hubSpotCompanyId),
        false (patch: 200 with false, no effect), object (patch: the effect, then an object in place of true),
        echo (patch: 404 that repeats the form, no effect),
        hidden-links (replies leave out the ids in HubSpot, Geotab, NetSuite, Salesforce and QuickBooks; any: all
        replies but the overview; overview: there; other faults happen besides)
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
	if !slices.Contains(kinds(), f.What) {
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

func (f *Fault) parseHow(text string) (err error) {
	how, value, given := strings.Cut(text, "=")
	f.How = how
	m, known := misbehaviours()[how]
	switch {
	case !known:
		return fmt.Errorf("%q is no misbehaviour", how)
	case given != m.takesValue || given && value == "":
		return fmt.Errorf("%q wants a value after = just when it is slow, late or ignore", text)
	case m.only != nil && !slices.Contains(m.only, f.What):
		return fmt.Errorf("%s happens to %s only", how, strings.Join(m.only, ", "))
	case how == "ignore":
		f.Field = value
		return f.checkField()
	case given:
		if f.Delay, err = time.ParseDuration(value); err != nil || f.Delay <= 0 {
			return fmt.Errorf("%q is no duration such as 500ms or 2s", value)
		}
	}
	return nil
}

// checkField: only a PUT has fields of all names to ignore.
func (f *Fault) checkField() error {
	fields := map[string][]string{"hold": {"status"}, "latch": {"hubSpotId", "hubSpotCompanyId"}}[f.What]
	if fields != nil && !slices.Contains(fields, f.Field) {
		return fmt.Errorf("a %s can ignore %s only", f.What, strings.Join(fields, " or "))
	}
	return nil
}

// kinds are the requests that a fault may happen to.
func kinds() []string {
	list := []string{"any"}
	for _, rt := range routes() {
		list = append(list, rt.kind)
	}
	return list
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
