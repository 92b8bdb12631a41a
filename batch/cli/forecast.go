package cli

import (
	"fmt"
	"time"

	"rowbatch/batch/action"
	"rowbatch/batch/journal"
	"rowbatch/client"
	"rowbatch/client/governor"
)

// forecast is what requests take at the account's limits, from now on.
type forecast struct {
	governor.Forecast
	begins   time.Time
	requests int
	atMost   bool
	ending   string // what becomes of it at the end of a day's allowance
}

// foresee says what a demand takes that begins now. The systems are asked side by side.
func (r *run) foresee(d demand) forecast {
	f := forecast{begins: time.Now(), requests: d.requests(), atMost: d.atMost, ending: r.dayEnding()}
	f.Today = -1
	if d.fusebill > 0 {
		f.Forecast = r.services.Fusebill.Governor.Allowance().Forecast(
			governor.Demand{Requests: d.fusebill, Together: d.together, Rate: r.flags.rates[action.SystemFusebill]}, f.begins)
	}
	if d.trackfinity > 0 {
		t := r.services.Trackfinity.Governor.Allowance().Forecast(
			governor.Demand{Requests: d.trackfinity, Rate: r.trackfinityRate()}, f.begins)
		if t.Takes > f.Takes {
			f.Takes, f.PerMinute = t.Takes, t.PerMinute
		}
	}
	return f
}

// meet has the server tell its limits before a question: of a plan with many rows,
// which nothing was read for, its first customer is read. A server that does not
// answer tells nothing; the run meets it again.
func (r *run) meet(customer string) {
	if customer == "" || !r.asks() || r.surveyed().fusebill <= 2*fewRows {
		return
	}
	if _, err := r.customer(customer); client.EndsRun(err) {
		r.halt(err)
	}
}

// dayEnding says what a run does when a day's allowance is used up.
func (r *run) dayEnding() string {
	switch {
	case r.flags.wait:
		return "it waits from %s until %s"
	case r.job.name == exportName:
		return "it ends at %s without a file, unless --wait lets it wait until %s"
	}
	return "it stops at %s, and goes on by rowbatch resume from %s, or by itself with --wait"
}

// worthSaying says that somebody who waits for it may want to know.
func (f forecast) worthSaying() bool { return f.Takes > time.Minute || !f.Stops.IsZero() }

func (f forecast) finish() time.Time { return f.begins.Add(f.Takes) }

func (f forecast) String() string {
	text := plural(f.requests, "request")
	if f.atMost {
		text = "at most " + text
	}
	switch {
	case f.requests == 0:
		return text
	case f.Stops.IsZero() && f.Takes < time.Minute:
		text += ", less than a minute"
	case f.Stops.IsZero():
		text += fmt.Sprintf(", about %s at %s", seconds(f.Takes), f.pace())
	}
	if f.Takes >= governor.Farthest {
		return text + ": not done within a year"
	}
	if f.Stops.IsZero() {
		return text + ": done by " + f.clock(f.finish())
	}
	return fmt.Sprintf("%s, done by %s: today's allowance (%s) does not suffice; "+f.ending,
		text, f.clock(f.finish()), thousands(f.Today), f.clock(f.Stops), f.clock(f.Renewed))
}

// pace is how many requests a minute lets through; of less than one, an hour.
func (f forecast) pace() string {
	if f.PerMinute < 1 {
		return fmt.Sprintf("%.3g an hour", 60*f.PerMinute)
	}
	return thousands(int(f.PerMinute)) + " a minute"
}

// clock tells a time to the minute, rounded up but for less than a second, with its day when that is not today.
func (f forecast) clock(at time.Time) string {
	at = at.Add(time.Minute - time.Second).Truncate(time.Minute).Local()
	if at.Format(time.DateOnly) == f.begins.Local().Format(time.DateOnly) {
		return at.Format("15:04")
	}
	return at.Format("Mon 2 Jan 15:04")
}

// record is the forecast as the summary keeps it.
func (f forecast) record() *journal.Forecast {
	whole := func(t time.Time) time.Time { return t.UTC().Round(time.Second) }
	r := &journal.Forecast{Requests: f.requests, AtMost: f.atMost, Seconds: millis(f.Takes), Finish: whole(f.finish()), PerMinute: f.PerMinute, EnoughToday: f.Stops.IsZero()}
	if f.Today >= 0 {
		r.LeftToday = &f.Today
	}
	if !f.Stops.IsZero() {
		r.Stops, r.Renewed = whole(f.Stops), whole(f.Renewed)
	}
	return r
}
