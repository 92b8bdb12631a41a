package job

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"time"

	"rowbatch/batch"
	"rowbatch/batch/action"
	"rowbatch/batch/intake"
	"rowbatch/batch/journal"
	"rowbatch/batch/runs"
	"rowbatch/client"
	"rowbatch/client/governor"
	"rowbatch/reports"
)

// execute carries out a plan, whoever made it. Once the journal is there, every row
// is accounted for, whatever stops the run.
func execute(r *Session, p *Plan) (*Result, error) {
	if err := p.mayHold(); err != nil {
		if p.Past == nil { // the folder of a run that is gone on with stays
			err = errors.Join(err, p.Dir.Discard())
		}
		return nil, err
	}
	w, err := p.open()
	if err != nil {
		return nil, err
	}
	r.watch = p.Dir.InPlace
	r.Show(Begun{p.identity(r.Began)})
	x := &execution{Session: r, Plan: p, journal: w, tally: newTally(p.Settings.Pace.MaxFailures)}
	return x.finish(x.process())
}

// execution is a plan being carried out.
type execution struct {
	*Session
	*Plan
	journal  *journal.Writer
	tally    *tally
	unknown  bool      // whether Trackfinity is a stand-in could not be found out
	surveyed bool      // it is known what would change
	agreed   bool      // a person has agreed to that, or it is nothing
	forecast *Forecast // of sending, as it was told
}

// process looks up, surveys and asks where that is needed, and sends.
func (x *execution) process() error {
	// A ping tells a wrong address from a wrong row, and a real server from a stand-in:
	// nothing else is asked of Trackfinity before it is written to.
	mustKnow := !x.isDry() && !x.Settings.Sending.Yes && x.Accounts.trial() == maybeTrial
	if x.Accounts.Trackfinity.Client != nil && x.Work.CountOf("patch") > 0 && (mustKnow || !x.Settings.Sending.SkipPing) {
		if err := x.Accounts.ping(x.Stop); err != nil && !x.Settings.Sending.SkipPing {
			x.Halt(err)
		}
		x.unknown = !x.Accounts.Trackfinity.Client.Replied()
	}
	if err := x.lookUp(); err != nil {
		return err
	}
	for {
		if x.isDry() || x.mustSurvey() {
			if err := x.mayAsk(x.Accounts); err != nil && x.mustAgree() {
				x.Halt(err) // no row is looked at any more, since nobody could agree
			}
			if err := x.survey(); err != nil {
				return err
			}
			err := x.consent()
			if x.isDry() {
				return err
			}
			if err == nil && !x.stopped() {
				err = x.Dir.RecheckRows() // the question may have waited for long
			}
			if err != nil {
				x.Halt(err) // what follows sends nothing, and accounts for every row
			}
			x.tally.forgetSurvey()
			x.Work.EndSurvey()
		}
		err := x.pass(sending, true)
		if !x.mustSurvey() {
			return err
		}
		x.tally.startOver() // the server turned out to be no stand-in before anything was sent: somebody must agree first
	}
}

// lookUp finds out what must be known before the first row is decided.
func (x *execution) lookUp() error {
	lister := intake.Lister{Stop: x.Stop, Fusebill: x.Accounts.Fusebill.Client, How: x.Settings.Sending.Lookup,
		Workers: x.Settings.WorkersOf(action.SystemFusebill), Progress: x}
	if x.Rows == nil && x.isDry() && x.Past == nil {
		if err := x.lookAtUndone(lister); err != nil {
			return err
		}
	}
	if x.Rows != nil {
		l := &intake.Lookup{
			Lister: lister, Rows: x.Rows, Halt: x.Halt,
			Actions: func() map[string]batch.Action {
				x.Names = x.Rows.Codes
				return x.actions(x.Notice)
			},
			DryRun: x.isDry(), Surveys: x.mustSurvey, Past: x.Past,
			NoProof:  slices.ContainsFunc(slices.Collect(maps.Values(x.When)), func(c *action.Condition) bool { return !c.InRecord() }),
			Conclude: x.engine(x.Stop, false).Conclude, Listed: x.tally.listed,
		}
		err := l.Do()
		x.Names = x.Rows.Codes
		if err != nil {
			return err
		}
	}
	if names := x.Names.Remembered(); names != nil {
		return x.journal.Names(names) // for whoever takes up or takes back this run
	}
	return nil
}

// lookAtUndone decides rows of an undo that is only shown by what searches for sets of
// their ids find. A customer with several rows is read before each of them.
func (x *execution) lookAtUndone(l intake.Lister) error {
	waiting := map[uint64]*batch.Item{}
	ids := func(yield func(uint64) bool) {
		for it, err := range x.Work.Source(x.Stop, x.actions(x.Notice)) {
			if err != nil {
				return // the survey meets it too, and tells
			}
			id, err := strconv.ParseUint(it.ID, 10, 64)
			if err == nil && it.Out == nil && !it.More && it.Action.Name() != "unhold" {
				waiting[id] = it
				if !yield(id) {
					return
				}
			}
		}
	}
	l.NoList = true
	rows := x.Work.CountOf("update") + x.Work.CountOf("latch")
	way, err := l.Way(intake.Need{Reads: rows})
	if err == nil && way == intake.LookupIDs {
		_, err = l.ByID(ids, rows, func(client.ListPage) (intake.Take, error) {
			conclude := x.engine(x.Stop, false).Conclude
			return func(c client.ListRow, _ time.Time) error {
				it := waiting[c.ID]
				delete(waiting, c.ID)
				out := action.DecideFromList(it, c.Raw, true)
				if out == nil {
					return nil
				}
				it.Out = out
				return conclude(it, *out)
			}, nil
		})
	}
	if client.EndsRun(err) {
		x.Halt(err)
		return nil
	}
	return err
}

// survey finds out what would change, before anything is sent: by reading, or of a
// plan by what its dry run has found.
func (x *execution) survey() (err error) {
	if x.Known != nil && x.Past == nil {
		err = x.rehearse()
	} else {
		err = x.pass(reading, false)
	}
	x.surveyed = true
	if x.isDry() {
		x.forecast = new(forecastOf(x.Accounts, x.toSend()))
	}
	return err
}

// rehearse shows the tally what the dry run has found: what the preview counted is
// what the question asks about, and what is sent. So that the server has told its
// limits before a question about many rows, the first customer is read.
func (x *execution) rehearse() error {
	actions, first := x.actions(x.Notice), ""
	for n := range x.Work.Len() {
		if x.Work.Settled(n) { // before the server turned out to be no stand-in
			continue
		}
		o, err := x.Known(n)
		if err != nil {
			return err
		}
		o.Requests = 0
		x.Work.Count(n, o.Kind == batch.WouldChange)
		if err := x.tally.add(&batch.Item{N: n, Action: actions[o.Action]}, o, false); err != nil {
			return err
		}
		if o.Kind == batch.WouldChange && first == "" && action.KeyField(o.Key) == "" {
			first = o.ID
		}
	}
	if first == "" || !x.mustAgree() || x.toSend().Requests[action.SystemFusebill] <= 2*intake.FewRows {
		return nil
	}
	if _, err := x.Accounts.customer(x.Stop, first); client.EndsRun(err) {
		x.Halt(err)
	}
	return nil
}

// mustAgree reports whether a person must agree before the first write, and has not yet.
func (x *execution) mustAgree() bool {
	if x.agreed || x.isDry() || x.Settings.Sending.Yes {
		return false
	}
	is := x.Accounts.trial()
	return is == isReal || is == maybeTrial && x.unknown // it is written to without having been read
}

// mustSurvey reports whether it must be known what would change before anything is
// sent, for a question or for --expect.
func (x *execution) mustSurvey() bool {
	return !x.stopped() && (!x.surveyed && x.Settings.Sending.Expect >= 0 || x.mustAgree() && x.Work.CountOf("") > 0)
}

// consent compares what a survey found with --expect, and asks. A run that was
// stopped meanwhile needs none: nothing will be sent.
func (x *execution) consent() error {
	counts, expect := x.tally.counts(), x.Settings.Sending.Expect
	would := counts[batch.WouldChange]
	switch {
	case x.stopped():
		return nil
	case expect >= 0 && expect != would:
		return batch.Usage("--dry-run shows which", "%s would be sent, and --expect says %s; nothing was sent", batch.Plural(would, "row"),
			batch.Thousands(expect))
	case !x.mustAgree():
		return nil
	case would == 0:
		x.agreed = true
		return nil
	}
	x.forecast = new(forecastOf(x.Accounts, x.toSend()))
	q := Question{Text: "Send these changes?", Agrees: "yes", Run: x.identity(x.Began), Proposal: &Proposal{
		Counts: counts, Preview: x.tally.preview, Forecast: *x.forecast,
	}}
	if x.Rows != nil {
		q.Proposal.Keys = x.Rows.File.Mapper.Keys()
	}
	switch p := x.tally.preview; { // whoever takes customers out of service, or brings them back, must have seen how many
	case p.Holds > 0:
		q.Text, q.Agrees = "This puts "+batch.Plural(p.Holds, "customer")+" on hold.", fmt.Sprint(p.Holds)
	case p.Unholds > 0:
		q.Agrees = fmt.Sprint(p.Unholds)
		q.Text = "This takes " + batch.Plural(p.Unholds, "customer") + " off hold, with " + x.Settings.Sending.Unhold + "."
	}
	if x.agreed = x.Front.Ask(x.Stop, q); !x.agreed && !x.stopped() {
		return batch.Usage("", "not confirmed; nothing was sent")
	}
	return nil
}

// pass runs the engine over all rows that are not settled. A send whose server turns
// out to be no stand-in, so that somebody must agree first, ends before the first write.
func (x *execution) pass(name string, send bool) error {
	x.tally.forgetPast()
	before := x.tally.count()
	done := func() (all, earlier int) { return x.tally.count() - before, x.tally.earlier() }
	defer x.PhaseOf(name, x.Head.Rows-before, done, x.demandOf(send))()
	if send && x.Work.Len() <= fewRows {
		debug.SetGCPercent(400)
		defer debug.SetGCPercent(100)
	}
	source := x.Work.Source(x.Ctx, x.actions(x.Notice))
	if x.Past != nil {
		o := journal.ResumeOptions{Again: x.Again, Attempt: freshness + x.Settings.Pace.Timeout, Settle: x.settleTime()}
		source = x.tally.watchPast(journal.Resumed(source, x.Past, o))
	}
	stop, halt := context.WithCancelCause(x.Stop)
	defer halt(nil)
	e := x.engine(stop, send)
	if send && x.Accounts.trial() == maybeTrial {
		e.MayWrite = func() bool {
			if x.mustAgree() {
				halt(errMustAsk)
			}
			return stop.Err() == nil
		}
		e.Halt = func(cause error) { // what the end of the pass makes fail is no reason to end the run
			if !errors.Is(context.Cause(stop), errMustAsk) {
				x.Halt(cause)
			}
		}
	}
	return e.Run(source)
}

// fewRows are so many that a pass which sends keeps a few megabytes. To collect garbage
// each time that it has come to as much again takes a tenth of the processor's time.
const fewRows = 100_000

// errMustAsk ends a pass that must not send before somebody has agreed.
var errMustAsk = errors.New("somebody must agree first")

// freshness is how old a read may be when the write that rests on it leaves.
const freshness = 5 * time.Second

// engine makes the engine of a pass that ends with stop.
func (x *execution) engine(stop context.Context, send bool) *batch.Engine {
	final := func(it *batch.Item, o batch.Outcome) bool {
		switch {
		case !send && !x.isDry():
			return x.Work.Final(it, o)
		case errors.Is(context.Cause(stop), errMustAsk):
			return o.Kind != batch.NotAttempted
		}
		return true
	}
	workers := map[string]int{}
	for _, system := range x.Accounts.Systems() {
		workers[system] = x.Settings.WorkersOf(system)
	}
	p := client.PatienceFor(x.Accounts.farthest())
	return &batch.Engine{
		Options: batch.Options{
			Workers: workers, Send: send, Fresh: freshness, Settle: x.settleTime(),
			Tries: governor.Tries, Waits: p.Waits, Strict: x.Settings.Pace.MaxFailures == FailureLimit{},
		},
		Stops:   batch.Stops{Stop: stop, Abort: x.Ctx, Halt: x.Halt},
		Journal: x.journal, Final: final,
		Emit: func(it *batch.Item, o batch.Outcome) {
			done := final(it, o)
			x.Work.Note(it, o, done)
			x.Show(Settled{it.N, x.Work.Line(it.N), o, done})
			if err := x.tally.add(it, o, done); err != nil && !x.isDry() {
				x.Halt(err)
			}
		},
	}
}

// settleTime is from the end of an unanswered write to its read-back.
func (x *execution) settleTime() time.Duration {
	if client.Loopback(x.Accounts.farthest()) {
		return x.Settings.Pace.Timeout
	}
	return max(x.Settings.Pace.Timeout, 30*time.Second)
}

// toSend is what sending takes once a survey has found out what changes.
func (x *execution) toSend() Demand {
	would, twofold, again := x.tally.toSend()
	d := sendingDemand(would, twofold, x.When)
	d.Requests[action.SystemFusebill] += again
	if would["patch"] > 0 && x.Head.Mode == journal.ModeDryRun && !x.Settings.Sending.SkipPing {
		d.Requests[action.SystemTrackfinity]++ // whoever carries the plan out pings anew
	}
	return d
}

// demandOf is what a pass takes; nothing when it was told already.
func (x *execution) demandOf(send bool) Demand {
	switch {
	case !send:
		d := Demand{Requests: map[string]int{}, Together: 1}
		for name, n := range x.Work.Open() {
			reads, _ := visitCost(name, x.When[name])
			d.Requests[systemOf(name)] += n * reads
		}
		return d
	case x.forecast != nil:
		return Demand{}
	case x.surveyed:
		return x.toSend()
	}
	d := sendingDemand(x.Work.Open(), nil, x.When)
	d.AtMost = true // what is as it should be needs no write
	return d
}

// finish ends the journal, writes the report and makes the result. failed is what
// kept the run from its end, beside what stopped it.
func (x *execution) finish(failed error) (*Result, error) {
	cause, counts := context.Cause(x.Stop), x.counts()
	if failed == nil {
		failed = cause
	}
	if n := counts[batch.WouldChange]; failed == nil && x.Settings.Sending.NoChanges && n > 0 {
		failed = batch.Unfit("look into the report", "%s would change, and --expect-no-changes wants none", batch.Plural(n, "row"))
	}
	code := exitOfRun(failed, counts)
	options := x.reporting(x.Settings.Output)
	if err := x.journal.End(x.end(code, failed)); err != nil {
		if ExitCode(failed) != batch.ExitFiles {
			failed, code = errors.Join(failed, err), batch.ExitFiles
		}
		options.End = new(x.end(code, failed))
	}
	summary, err := reports.Write(x.Dir, options)
	if err != nil {
		if edited := (*runs.RowsError)(nil); errors.As(err, &edited) {
			edited.Sent = x.tally.writes > 0
		}
		if failed != nil && failed.Error() != err.Error() {
			x.Show(Trouble{failed})
		}
		lost := &NoReportError{Run: x.identity(x.Began), Counts: counts, Rows: x.Head.Rows, Journal: x.Dir.Path("journal"), Err: err}
		if x.Dir.InPlace() != nil {
			lost.Journal, lost.Sent = "", x.sentLines()
		}
		return nil, lost
	}
	summary.ExitCode = code
	res := &Result{Run: x.identity(x.Began), Summary: summary, Stopped: failed, Forecast: x.forecast, Line: x.Work.Line, Held: x.Held,
		Next: x.next(summary), TakeBack: x.takeBack(summary), Unhold: x.unhold(summary)}
	if x.isDry() {
		res.Preview = x.tally.preview
	}
	return res, nil
}

// sentLines are the lines of the input for whose rows this process has sent a write, as
// in 2-91, 95: when the journal is gone, nobody else knows.
func (x *execution) sentLines() string {
	var spans [][2]int // from row … to row
	slices.Sort(x.tally.sent)
	for _, n := range x.tally.sent {
		if last := len(spans) - 1; last >= 0 && spans[last][1] == n-1 {
			spans[last][1] = n
		} else {
			spans = append(spans, [2]int{n, n})
		}
	}
	var text []string
	for _, s := range spans {
		part := fmt.Sprint(x.Work.Line(s[0]))
		if s[1] > s[0] {
			part += "-" + fmt.Sprint(x.Work.Line(s[1]))
		}
		text = append(text, part)
	}
	return strings.Join(text, ", ")
}

// end is what the journal keeps of the run as a whole.
func (x *execution) end(code int, cause error) journal.End {
	e := x.End(code, x.tally.writes)
	if x.Past != nil {
		before := x.Past.Costs()
		e.Reads, e.Writes, e.Seconds = e.Reads+before.Reads, e.Writes+before.Writes, rounded(e.Seconds+before.Seconds)
		for why, seconds := range before.WaitedFor {
			e.WaitedFor[why] = rounded(e.WaitedFor[why] + seconds)
		}
	}
	e.Waited = inAll(e.WaitedFor)
	if x.forecast != nil {
		e.Forecast = x.forecast.record()
	}
	e.Respelled = x.tally.respelt
	if cause != nil {
		e.Cause = cause.Error()
	}
	return e
}

// counts tells how all rows ended. Those that no pass came to are not_attempted.
func (x *execution) counts() map[batch.Kind]int {
	if !x.isDry() {
		x.tally.forgetSurvey() // what was looked at, and then not sent
	}
	counts := x.tally.counts()
	counts[batch.NotAttempted] += x.Head.Rows - x.tally.count()
	return counts
}
