package cli

import (
	"context"
	"errors"
	"maps"
	"time"

	"rowbatch/batch"
	"rowbatch/batch/journal"
	"rowbatch/mapping/csvfile"
	"rowbatch/reports"
)

// finish ends the journal, writes the report and says what happened. failed is
// what kept the run from its end, beside what stopped it.
func (r *run) finish(failed error) error {
	cause, kinds := context.Cause(r.stop), r.kinds()
	if failed == nil {
		failed = cause
	}
	code := codeOfRun(failed, kinds)
	if refused := (*fault)(nil); errors.As(failed, &refused) {
		code = refused.code
	}
	options := reports.Options{Escape: csvfile.Escape}
	if err := r.journal.End(r.end(code, failed)); err != nil {
		if codeOf(failed) != exitFiles {
			failed, code = errors.Join(failed, err), exitFiles
		}
		options.End = new(r.end(code, failed))
	}
	summary, err := reports.Write(r.dir, options)
	if err != nil {
		if failed != nil {
			complain(r.console.err, failed)
		}
		r.sayWithoutReport(kinds)
		return &fault{code: exitFiles, text: "there is no report: " + err.Error()}
	}
	summary.ExitCode = code
	return r.say(summary, failed)
}

func (r *run) end(code int, cause error) journal.End {
	e := journal.End{
		Exit: code, Reads: r.services.requests() - r.tally.writes, Writes: r.tally.writes,
		Seconds: millis(time.Since(r.began)), WaitedFor: r.services.waited(),
	}
	if r.past != nil {
		before := r.past.Costs()
		e.Reads, e.Writes, e.Seconds = e.Reads+before.Reads, e.Writes+before.Writes, rounded(e.Seconds+before.Seconds)
		e.WaitedFor = together(e.WaitedFor, before.WaitedFor)
	}
	e.Waited = inAll(e.WaitedFor)
	if r.outlook != nil {
		e.Forecast = r.outlook.record()
	}
	if cause != nil {
		e.Cause = cause.Error()
	}
	return e
}

// kinds counts the outcomes of all rows. Rows that no pass came to are not_attempted.
func (r *run) kinds() map[batch.Kind]int {
	if !r.flags.dryRun {
		r.tally.startOver() // what was looked at, and then not sent
	}
	kinds := maps.Clone(r.tally.kinds)
	kinds[batch.NotAttempted] += r.head.Rows - r.tally.count()
	return kinds
}
