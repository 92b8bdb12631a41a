package job

import (
	"maps"
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

// inSeconds is a duration in seconds, to the millisecond.
func inSeconds(d time.Duration) float64 {
	return float64(d.Round(time.Millisecond).Milliseconds()) / 1000
}

// Demand is what is still to be asked of each system.
type Demand struct {
	Fusebill, Trackfinity int  // requests
	Together              int  // of Fusebill's, those of a visit
	AtMost                bool // fewer may do
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
// row's own reading does not show.
func sendingDemand(rows map[string]int, when map[string]*action.Condition) (d Demand) {
	for name, n := range rows {
		reads, writes := visitCost(name, when[name])
		switch {
		case n == 0:
		case reads == 0:
			d.Trackfinity += n * writes
		default:
			d.Fusebill += n*(reads+writes) + reads + 2
			d.Together = max(d.Together, reads+writes)
		}
	}
	d.AtMost = rows["unhold"] > 0
	return d
}

// forecastOf says what a demand takes that begins now. The systems are asked side by side.
func forecastOf(a *Accounts, d Demand) Forecast {
	f := Forecast{Begins: time.Now(), Requests: d.Fusebill + d.Trackfinity, AtMost: d.AtMost, DayEnd: StopsAtDayEnd}
	switch {
	case a.settings.Pace.Wait:
		f.DayEnd = WaitsAtDayEnd
	case a.actions.KeysOnly:
		f.DayEnd = EndsAtDayEnd
	}
	f.Today = -1
	if d.Fusebill > 0 {
		f.Forecast = a.Fusebill.Governor.Allowance().Forecast(
			governor.Demand{Requests: d.Fusebill, Together: d.Together, Rate: a.settings.rateOf(action.SystemFusebill, a.actions)},
			f.Begins)
	}
	if d.Trackfinity > 0 {
		t := a.Trackfinity.Governor.Allowance().Forecast(
			governor.Demand{Requests: d.Trackfinity, Rate: a.settings.rateOf(action.SystemTrackfinity, a.actions)}, f.Begins)
		if t.Takes > f.Takes {
			f.Takes, f.PerMinute = t.Takes, t.PerMinute
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
