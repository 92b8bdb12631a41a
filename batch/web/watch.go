package web

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"rowbatch/batch"
	"rowbatch/batch/job"
	"rowbatch/batch/ui"
	"rowbatch/reports/page"
)

// watch is the front of one run of this process: it keeps what there is to see for
// whichever pages ask, and answers what was agreed to when the run was begun.
type watch struct {
	begun   chan struct{} // closed once the run has an id
	done    chan struct{} // closed once the job has returned
	control job.Control
	agreed  agreement

	mu       sync.Mutex
	run      job.Identity
	live     live
	first    []page.Row // the rows that were settled first: a preview shows them before it is complete
	failures []page.Row // the last, newest first
	pending  *job.Question
	answer   chan bool // of the pending question
	result   *job.Result
	err      error
}

// agreement is what somebody has agreed to before a run began: so many rows, with the
// answer that its question wants. The zero agreement is to nothing.
type agreement struct {
	rows   int
	answer string // yes, or the number of customers
	old    bool   // though the plan is old
	view   string // of the page on which it was asked for
}

// live is how far a run has come, as its page asks for it.
type live struct {
	Phase   string             `json:"phase,omitempty"`
	Done    int                `json:"done"`
	Total   int                `json:"total"`
	Counts  map[batch.Kind]int `json:"counts"`
	Wait    string             `json:"wait,omitempty"` // why it waits, and until when
	Until   int64              `json:"until,omitempty"`
	Finish  string             `json:"finish,omitempty"` // the forecast in words
	Rate    float64            `json:"rate"`             // rows a second of this phase
	Minutes [][3]int64         `json:"minutes"`          // when each began, in ms, its requests, and those of the account's other users
	allowance
	Requests int      `json:"requests"`
	Notes    []string `json:"notes,omitempty"` // notices and troubles
	Stopping bool     `json:"stopping,omitempty"`
	Ended    bool     `json:"ended,omitempty"`
	Seldom   bool     `json:"seldom,omitempty"` // its journal is read anew each time

	Failures []page.Row `json:"failures,omitempty"`
	Rows     []page.Row `json:"rows,omitempty"` // of the first, those that came since
	Question *question  `json:"question,omitempty"`
}

// allowance is what the account lets through, and how much of that is left.
type allowance struct {
	Limit  int `json:"limit,omitempty"` // a minute
	Usable int `json:"usable,omitempty"`
	Today  int `json:"today"` // left for use; -1: not known
}

// question is one that a page puts.
type question struct {
	Text   string `json:"text"`
	Agrees string `json:"agrees"`
	Rows   int    `json:"rows"`
}

const (
	failuresShown = 10
	rowsShown     = 1000
	notesShown    = 50
)

func newWatch(ctx context.Context, a agreement) *watch {
	return &watch{begun: make(chan struct{}), done: make(chan struct{}), control: job.NewControl(ctx), agreed: a,
		live: live{Counts: map[batch.Kind]int{}, Minutes: [][3]int64{}, allowance: allowance{Today: -1}}}
}

// Show keeps an event.
func (w *watch) Show(e job.Event) {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch e := e.(type) {
	case job.Begun:
		w.run = e.Run
		close(w.begun)
	case job.FileRead:
		for _, warning := range e.Rows.File.Checked.Warnings {
			w.note("line " + batch.Thousands(warning.Line) + ": " + warning.Text)
		}
	case job.Notice:
		w.note(e.Text)
	case job.Trouble:
		w.note(e.Err.Error())
	case job.PhaseBegan:
		w.live.Phase, w.live.Done, w.live.Total, w.live.Rate = e.Name, 0, e.Total, 0
	case job.Foretold:
		w.live.Finish = ui.ForecastText(e.Forecast)
	case job.Progress:
		w.progress(e)
	case job.PhaseEnded:
		w.live.Wait, w.live.Until = "", 0
	case job.Settled:
		w.settled(e)
	}
}

func (w *watch) progress(p job.Progress) {
	l := &w.live
	l.Done, l.Total = p.Done, p.Total
	l.Rate = p.Pace(time.Now())
	l.Wait, l.Until = "", 0
	if time.Until(p.Waiting.Until) >= time.Second {
		what, why := ui.WaitingText(p.Waiting, time.Now())
		l.Wait, l.Until = what+", "+why, p.Waiting.Until.UnixMilli()
	}
	minute, others := time.Now().Truncate(time.Minute), int64(0)
	if q := p.Allowance.Minute; q.Known && q.Reset.After(time.Now()) {
		minute, others = q.Reset.Add(-time.Minute), int64(q.Others)
	}
	if n := len(l.Minutes); n == 0 || minute.UnixMilli()-l.Minutes[n-1][0] > time.Minute.Milliseconds()/2 {
		l.Minutes = append(l.Minutes, [3]int64{minute.UnixMilli()})
	}
	bar := &l.Minutes[len(l.Minutes)-1]
	bar[1], bar[2] = bar[1]+int64(p.Requests-l.Requests), max(bar[2], others)
	l.Requests = p.Requests
	if q := p.Allowance.Minute; q.Known {
		l.Limit, l.Usable = q.Limit, q.Usable
	}
	if q := p.Allowance.Day; q.Known {
		l.Today = max(0, q.Left-(q.Limit-q.Usable))
	}
}

func (w *watch) settled(e job.Settled) {
	if !e.Final {
		return
	}
	w.live.Counts[e.Outcome.Kind]++
	if len(w.first) < rowsShown && !e.Outcome.Cut {
		w.first = append(w.first, page.RowOf(e.Line, e.Outcome))
	}
	if !e.Outcome.Kind.NeedsWork() || e.Outcome.Cut {
		return
	}
	w.failures = slices.Insert(w.failures, 0, page.RowOf(e.Line, e.Outcome))
	w.failures = w.failures[:min(len(w.failures), failuresShown)]
}

func (w *watch) note(text string) {
	if text = strings.TrimSpace(text); len(w.live.Notes) < notesShown && !slices.Contains(w.live.Notes, text) {
		w.live.Notes = append(w.live.Notes, text)
	}
}

// Attended reports whether there is somebody to ask: whoever looks at the page.
func (w *watch) Attended() bool { return true }

// Ask answers by what was agreed to, or else has the run's page put the question.
func (w *watch) Ask(ctx context.Context, q job.Question) bool {
	switch {
	case q.Proposal == nil && w.agreed.old:
		return true
	case q.Proposal != nil && w.agreed.rows == q.Proposal.Counts[batch.WouldChange] && w.agreed.answer == q.Agrees:
		return true
	}
	answer := make(chan bool, 1)
	w.mu.Lock()
	w.pending, w.answer = &q, answer
	w.mu.Unlock()
	defer func() {
		w.mu.Lock()
		w.pending, w.answer = nil, nil
		w.mu.Unlock()
	}()
	select {
	case yes := <-answer:
		return yes && ctx.Err() == nil
	case <-ctx.Done():
		return false
	}
}

// reply answers the pending question; it reports whether there is one.
func (w *watch) reply(text string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.pending == nil {
		return false
	}
	select {
	case w.answer <- strings.ReplaceAll(strings.TrimSpace(text), ",", "") == w.pending.Agrees:
	default: // somebody else was quicker
	}
	return true
}

// now is what the run's page shows at this moment; it has the first rows already, so many of them.
func (w *watch) now(has int) live {
	w.mu.Lock()
	defer w.mu.Unlock()
	l := w.live
	l.Counts = map[batch.Kind]int{}
	for kind, n := range w.live.Counts {
		l.Counts[kind] = n
	}
	l.Minutes, l.Notes, l.Failures = slices.Clone(l.Minutes), slices.Clone(l.Notes), slices.Clone(w.failures)
	l.Rows = slices.Clone(w.first[min(max(has, 0), len(w.first)):])
	l.Stopping, l.Ended = w.control.Stop.Err() != nil, w.ended()
	if q := w.pending; q != nil {
		l.Question = &question{Text: q.Text, Agrees: q.Agrees}
		if q.Proposal != nil {
			l.Question.Rows = q.Proposal.Counts[batch.WouldChange]
		}
	}
	return l
}

func (w *watch) ended() bool {
	select {
	case <-w.done:
		return true
	default:
		return false
	}
}

// id is the run's, once it has begun.
func (w *watch) id() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.run.ID
}

// carryOut does a job, and keeps how it ended.
func (w *watch) carryOut(do doing) {
	defer close(w.done)
	defer w.control.Halt(nil)
	result, err := do(w, w.control)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.result, w.err = result, err
	if result != nil && result.Stopped != nil {
		w.note(result.Stopped.Error())
	}
	if err != nil {
		w.note(err.Error())
	}
}

// outcome is how the job ended, once it has.
func (w *watch) outcome() (*job.Result, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.result, w.err
}
