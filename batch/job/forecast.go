package job

import (
	"maps"
	"math"
	"slices"
	"time"

	"rowbatch/batch/action"
	"rowbatch/batch/journal"
	"rowbatch/client/governor"
)

// Forecast is what requests take at the account's limits, from now on.
type Forecast struct {
	governor.Forecast
	Begins   time.Time
	Requests int
	AtMost   bool
	DayEnd   DayEnd
}

// DayEnd is what becomes of a run when a day's allowance is used up.
type DayEnd int

const (
	StopsAtDayEnd DayEnd = iota // resume goes on with it
	WaitsAtDayEnd
	EndsAtDayEnd // without having kept anything
)

// Finish is when the last request leaves.
func (f Forecast) Finish() time.Time { return f.Begins.Add(f.Takes) }

// record is the forecast as the journal keeps it.
func (f Forecast) record() *journal.Forecast {
	whole := func(t time.Time) time.Time { return t.UTC().Round(time.Second) }
	r := &journal.Forecast{Requests: f.Requests, AtMost: f.AtMost, Seconds: inSeconds(f.Takes), Finish: whole(f.Finish()),
		PerMinute: f.PerMinute, EnoughToday: f.Stops.IsZero()}
	if f.Today >= 0 {
		r.LeftToday = &f.Today
	}
	if !f.Stops.IsZero() {
		r.Stops, r.Renewed = whole(f.Stops), whole(f.Renewed)
	}
	return r
}

// ForecastAgain is a forecast that a journal keeps, for a share of its rows that are sent from now on.
func ForecastAgain(r journal.Forecast, share float64, now time.Time) Forecast {
	f := Forecast{Begins: now, Requests: int(math.Ceil(share * float64(r.Requests))), AtMost: r.AtMost}
	f.Takes, f.PerMinute, f.Today = time.Duration(share*r.Seconds*float64(time.Second)), r.PerMinute, -1
	if r.LeftToday != nil {
		f.Today = *r.LeftToday
	}
	if r.Stops.After(now) && f.Requests > f.Today {
		f.Stops, f.Renewed = r.Stops, r.Renewed
	} else if !r.Stops.IsZero() && r.PerMinute > 0 {
		f.Takes = time.Duration(float64(f.Requests) / r.PerMinute * float64(time.Minute))
	}
	return f
}

// inSeconds is a duration in seconds, to the millisecond.
func inSeconds(d time.Duration) float64 {
	return float64(d.Round(time.Millisecond).Milliseconds()) / 1000
}

// Demand is what is still to be asked of the systems.
type Demand struct {
	Requests map[string]int // by system
	Together int            // those of a visit
	AtMost   bool           // fewer may do
}

// systemOf is the system that an action writes to.
func systemOf(name string) string {
	if spec, ok := action.Find(name); ok {
		return spec.Schema.System
	}
	return action.SystemFusebill // of an un-hold, which is no command
}

// visitCost is what a row of an action costs: its reads, and its writes if it changes.
func visitCost(name string, when *action.Condition) (reads, writes int) {
	switch {
	case name == "patch":
		return 0, 1
	case name == "unhold":
		return 1, 2 // its reply may not show the customer, who is read again then
	case name == "hold" && when != nil && when.BeyondOverview():
		return 2, 1
	}
	return 1, 1
}

// sendingDemand is what it takes to send rows, which are counted by action. After the
// first write of each its customer is read once more, and before and after it what a
// row's own reading does not show. A reading of the rows that are twofold takes a request more.
func sendingDemand(rows, twofold map[string]int, when map[string]*action.Condition) Demand {
	d := Demand{Requests: map[string]int{}, AtMost: rows["unhold"] > 0}
	for name, n := range rows {
		reads, writes := visitCost(name, when[name])
		if n == 0 {
			continue
		}
		more := twofold[name]
		if name == "latch" { // whose reply is read like a record
			more *= 2
		}
		d.Requests[systemOf(name)] += n*(reads+writes) + more
		if twofold[name] == n { // the first one, too
			reads++
		}
		if reads > 0 {
			d.Requests[systemOf(name)] += reads + 2
		}
		d.Together = max(d.Together, reads+writes)
	}
	return d
}

// forecastOf says what a demand takes that begins now. The systems are asked side by side.
func forecastOf(a *Accounts, d Demand) Forecast {
	f := Forecast{Begins: time.Now(), AtMost: d.AtMost, DayEnd: StopsAtDayEnd}
	switch {
	case a.settings.Pace.Wait:
		f.DayEnd = WaitsAtDayEnd
	case a.actions.KeysOnly:
		f.DayEnd = EndsAtDayEnd
	}
	f.Today = -1
	for _, to := range a.all {
		n := d.Requests[to.System]
		if n == 0 {
			continue
		}
		f.Requests += n
		one := to.governor.Allowance().Forecast(
			governor.Demand{Requests: n, Together: d.Together, Rate: a.rateOf(to.Endpoint)}, f.Begins)
		if one.Takes > f.Takes || f.Takes == 0 && f.PerMinute == 0 {
			f.Takes, f.PerMinute = one.Takes, one.PerMinute
		}
		if one.Today >= 0 {
			f.Today, f.Stops, f.Renewed = one.Today, one.Stops, one.Renewed
		}
	}
	return f
}

// inAll adds up what was waited for.
func inAll(waited map[string]float64) (all float64) {
	for _, why := range slices.Sorted(maps.Keys(waited)) {
		all += waited[why]
	}
	return rounded(all)
}

func rounded(seconds float64) float64 {
	return inSeconds(time.Duration(seconds * float64(time.Second)))
}
