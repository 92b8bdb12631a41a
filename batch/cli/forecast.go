package cli

import (
	"cmp"
	"math"
	"time"

	"golang.org/x/time/rate"

	"rowbatch/batch"
	"rowbatch/batch/action"
	"rowbatch/client"
)

// forecast is what sending will cost of the account's allowance.
type forecast struct {
	requests int
	takes    time.Duration
	beyond   bool // more than is left today
}

// firstWriteCheck is the read after a run's first write.
const firstWriteCheck = 1

// forecast is what sending the rows that a pass without sending has found will take.
func (r *run) forecast() forecast {
	var f forecast
	patches := r.tally.preview.patches
	if changes := r.tally.kinds[batch.WouldChange] - patches; changes > 0 {
		f = newForecast(changes, r.services.Fusebill.Governor.Allowance(), r.flags.rates[action.SystemFusebill])
	}
	if patches > 0 {
		pace := cmp.Or(r.flags.rates[action.SystemTrackfinity], client.TrackfinityRate)
		f.requests += patches
		f.takes = max(f.takes, time.Duration(float64(patches)/float64(pace)*float64(time.Second)))
	}
	return f
}

// newForecast counts a read and a write for each row that changes, and how many
// of the minute's windows they fill. Look-ups are not to come any more: they are made
// before the first row is decided, and a plan names its customers by id.
func newForecast(changes int, known client.Allowance, wanted rate.Limit) forecast {
	f := forecast{}
	if changes == 0 {
		return f
	}
	f.requests = 2*changes + firstWriteCheck
	if m := known.Minute; m.Known && m.Usable > 0 {
		windows := math.Ceil(float64(f.requests)/float64(m.Usable)) - 1
		f.takes = time.Duration(windows) * time.Minute
	}
	if wanted == 0 && !known.Minute.Known {
		wanted = client.BlindRate
	}
	if wanted > 0 {
		f.takes = max(f.takes, time.Duration(float64(f.requests)/float64(wanted)*float64(time.Second)))
	}
	f.beyond = known.Day.Known && f.requests > known.Day.Left-(known.Day.Limit-known.Day.Usable)
	return f
}

func (f forecast) String() string {
	text := plural(f.requests, "request")
	switch {
	case f.requests == 0:
		return text
	case f.takes < time.Minute:
		text += ", less than a minute"
	default:
		text += ", about " + seconds(f.takes)
	}
	if f.beyond {
		text += "; more than is left of today's allowance"
	}
	return text
}
