package job

import (
	"context"
	"time"

	"rowbatch/batch"
	"rowbatch/batch/intake"
	"rowbatch/batch/journal"
	"rowbatch/client/governor"
	"rowbatch/mapping"
)

// Front shows a run to a person, and puts questions to him.
type Front interface {
	// Show takes what happens, one event at a time, in order. It must not wait for anybody.
	Show(Event)
	// Attended reports whether there is somebody to ask.
	Attended() bool
	// Ask puts a question, and reports whether it was agreed to. Nobody agrees once ctx has ended.
	Ask(ctx context.Context, q Question) bool
}

// Event is one of the types below.
type Event any

type (
	// Begun: the run has its journal, and every row is accounted for from now on.
	Begun struct{ Run Identity }
	// FileRead: the input is checked and copied.
	FileRead struct{ Rows *intake.Rows }
	// Notice tells something that is no trouble.
	Notice struct {
		Code string // what it is about, for programs
		Text string
		File string // that it is about; "": the run
	}
	// RowRefused: the customer whom a row of the file names is left out, and why.
	RowRefused struct {
		File    string
		Line    int
		Problem *mapping.Problem
	}
	// Trouble tells an error that ends nothing, or nothing more.
	Trouble struct{ Err error }
	// PhaseBegan: so many rows or customers are gone through from now on.
	PhaseBegan struct {
		Name  string // reading, sending, …
		Total int
	}
	// Foretold tells what a phase takes, once the account's limits are known.
	Foretold struct {
		Phase    string
		Forecast Forecast
	}
	// Progress tells several times a second how far a phase has come.
	Progress struct {
		Phase       string
		Done, Total int
		Earlier     int // of those done: settled by an earlier process of the run
		Began       time.Time
		Waiting     Waiting
		Requests    int // of the command so far
		Allowance   governor.Allowance
	}
	// PhaseEnded: the phase that began last is over.
	PhaseEnded struct{ Name string }
	// Settled: a row has an outcome, its last word or, before anything is sent, what was found.
	Settled struct {
		Row     int
		Line    int // of the input, where it starts
		Outcome batch.Outcome
		Final   bool
	}
)

// Pace is how many rows a second this process gets done; 0: not known yet.
func (p Progress) Pace(now time.Time) float64 {
	took := now.Sub(p.Began)
	if took < time.Second {
		return 0
	}
	return float64(p.Done-p.Earlier) / took.Seconds()
}

// Waiting is until when a limit or an outage holds the run up; the zero Waiting: nothing does.
type Waiting struct {
	Until  time.Time
	Reason governor.Reason
}

// Question is something that a person must agree to before the run goes on.
type Question struct {
	Text     string
	Agrees   string // the answer that agrees: yes, or a number of customers
	Run      Identity
	Proposal *Proposal // what is about to be sent; nil: the question is about the run as a whole
}

// Proposal is what is about to be sent, and where.
type Proposal struct {
	Keys     []mapping.KeyUse // columns that name the customers; none, where the rows are another run's
	Counts   map[batch.Kind]int
	Preview  *Preview
	Forecast Forecast
}

// Identity is what tells one run from another.
type Identity struct {
	ID      string
	Mode    string
	Dry     bool // it writes nothing to the API
	Action  string
	File    string
	Shard   string
	Of      string        // the run that it carries out or takes back
	Unhold  string        // of an undo: with which option it takes customers off hold
	Age     time.Duration // since that one began, or, where a run is gone on with, this one
	Hosts   string
	KeyEnds string // the last characters of the account's key; "": of the stand-in
	journal.Label
}

const (
	progressEvery = 100 * time.Millisecond

	// Phases of a run. In one that sends, reading is told where no write has left for a while.
	reading    = "reading"
	sending    = "sending"
	sendingFor = 3 * time.Second
)
