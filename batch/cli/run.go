package cli

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"strconv"
	"strings"
	"time"

	"rowbatch/batch"
	"rowbatch/batch/action"
	"rowbatch/batch/runs"
	"rowbatch/client"
	"rowbatch/mapping"
	"rowbatch/reports"
)

// run is one command on its way from the file to the exit code.
type run struct {
	spec    action.Spec
	flags   *actionFlags
	file    string
	console console
	began   time.Time

	ctx  context.Context // ends at the second signal: requests are cut off
	stop context.Context // ends at the first, or when the run stops itself
	halt context.CancelCauseFunc

	account account
	dir     *runs.Dir
	in      *intake
	rows    *rows
	api     action.Fusebill
	journal *batch.Journal
	tally   *tally
	lookups int // requests that belong to no pass of the engine
}

// newRun prepares a run. Requests are cut off when ctx ends.
func newRun(ctx context.Context, spec action.Spec, flags *actionFlags, file string, c console, a account) (r *run, release func()) {
	r = &run{spec: spec, flags: flags, file: file, console: c, began: time.Now(), ctx: ctx, account: a}
	r.stop, r.halt = context.WithCancelCause(ctx)
	return r, func() { r.halt(nil) }
}

// carryOut takes the run through all its stages. Whatever stops it, every row
// is accounted for.
func (r *run) carryOut() (err error) {
	if err := r.connect(); err != nil {
		return err
	}
	if err := r.mayAsk(); err != nil {
		return err
	}
	if err := r.readInput(); err != nil {
		return err
	}
	if r.journal, err = r.dir.CreateJournal(r.head()); err != nil {
		return errors.Join(err, r.dir.Discard())
	}
	return r.finish(r.process())
}

// readInput checks the file and copies it into a new run folder. A file that is refused leaves no folder.
func (r *run) readInput() (err error) {
	if r.dir, err = runs.Create(r.flags.reports, r.began, r.spec.Schema.Action, r.file); err != nil {
		return err
	}
	r.in, err = takeIn(r.stop, r.file, r.console.in, r.flags, r.spec.Schema, r.dir)
	if err == nil && r.flags.strict && r.in.checked.Rejected > 0 {
		err = r.strictRefusal()
	}
	if err != nil {
		return errors.Join(err, r.dir.Discard())
	}
	r.rows = newRows(r.dir, r.in, r.flags)
	r.noteInput()
	return nil
}

// strictRefusal refuses the file and names its first bad rows.
func (r *run) strictRefusal() error {
	refusal := &mapping.Refusal{File: r.file, Text: fmt.Sprintf("%s rejected, and --strict refuses the whole file", plural(r.in.checked.Rejected, "row")),
		Try: "correct the rows, or leave --strict out"}
	rows := newRows(r.dir, r.in, r.flags)
	rows.limit = 0 // the whole file is checked, whatever part of it is to be sent
	shown := 0
	for row, err := range rows.read() {
		if err != nil || shown == 10 {
			break
		}
		if !r.in.checked.OK(row.N) {
			shown++
			out := rows.item(row).Out
			refusal.Text += fmt.Sprintf("\nline %d: %s: %s", row.Line, out.Code, out.Error)
		}
	}
	return refusal
}

// connect makes the client. In a dry run the transport itself refuses to write.
func (r *run) connect() error {
	f := r.flags
	governor := client.NewGovernor(client.Limits{Reserve: f.reserveShare, Rate: f.ratePerSecond, WaitDay: f.wait, Outage: client.PatienceFor(r.account.url).Outage})
	var log *slog.Logger
	if f.verbose {
		log = slog.New(r.console.logHandler(f.logFormat))
	}
	fb, err := client.NewFusebill(client.Options{
		BaseURL: r.account.url, Key: r.account.key, Timeout: f.timeout, Transport: r.account.transport,
		Governor: governor, ReadOnly: f.dryRun, UserAgent: "rowbatch/" + Version, Log: log,
	})
	r.api = action.Fusebill{Client: fb, Governor: governor}
	return err
}

func (r *run) head() batch.Head {
	mode := batch.ModeRun
	if r.flags.dryRun {
		mode = batch.ModeDryRun
	}
	return batch.Head{
		ID: r.dir.ID(), Mode: mode, Action: r.spec.Schema.Action, File: r.file, Path: r.in.path, Input: r.in.sum,
		Delimiter: string(r.in.dialect.Delimiter), Mapping: r.in.mapText, MapFile: r.flags.mapFile,
		Account: r.account.name, Options: r.options(), Rows: r.in.checked.Rows, Started: r.began.UTC(), Program: Version,
	}
}

// options are the flags that decide what the run is; a resumed run takes them from the journal.
func (r *run) options() map[string]string {
	o := map[string]string{}
	set := func(name, value string) {
		if value != "" {
			o[name] = value
		}
	}
	set("match", strings.Join(r.flags.match, "\n"))
	set("ignore", strings.Join(r.flags.ignore, "\n"))
	set("encoding", r.flags.encoding)
	if r.flags.limit > 0 {
		set("limit", strconv.Itoa(r.flags.limit))
	}
	if r.flags.allowDuplicates {
		set("allow-duplicates", "true")
	}
	return o
}

// process looks up, surveys and asks where that is needed, and sends.
func (r *run) process() error {
	r.tally = newTally(r.flags.failures)
	if err := r.lookUp(); err != nil {
		return err
	}
	if r.flags.dryRun || r.mustSurvey() {
		if err := r.pass("reading", false); err != nil {
			return err
		}
		err := r.consent()
		if r.flags.dryRun {
			return err
		}
		if err != nil {
			r.halt(err) // what follows sends nothing, and accounts for every row
		}
		r.tally.startOver()
	}
	return r.pass("sending", true)
}

// pass runs the engine over all rows that are not settled.
func (r *run) pass(what string, send bool) error {
	r.rows.action = r.spec.New(r.api, r.rows.codes)
	before := r.tally.count()
	defer r.startProgress(what, r.in.checked.Rows-before, func() int { return r.tally.count() - before })()
	return r.engine(send).Run(r.ctx, r.stop, r.rows.source(r.ctx))
}

func (r *run) engine(send bool) *batch.Engine {
	final := func(*batch.Item, batch.Outcome) bool { return true }
	if !send && !r.flags.dryRun {
		final = r.rows.final
	}
	return &batch.Engine{
		Options: r.engineOptions(send), Journal: r.journal, Halt: r.halt, Final: final,
		Emit: func(it *batch.Item, o batch.Outcome) {
			settled := final(it, o)
			r.rows.note(it, o, settled)
			if err := r.tally.add(it, o, settled); err != nil && !r.flags.dryRun {
				r.halt(err)
			}
		},
	}
}

func (r *run) engineOptions(send bool) batch.Options {
	p := client.PatienceFor(r.account.url)
	o := batch.Options{
		Workers: r.flags.workers, Send: send, Fresh: 5 * time.Second, Settle: max(r.flags.timeout, 30*time.Second),
		Patience: batch.Patience{Tries: p.Tries, First: p.First, Most: p.Most},
	}
	if r.account.loopback() {
		o.Settle = r.flags.timeout
	}
	return o
}

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
	if err := r.journal.End(r.end(code, failed)); err != nil && codeOf(failed) != exitFiles {
		failed, code = errors.Join(failed, err), exitFiles
	}
	summary, err := reports.Write(r.dir, reports.Options{Escape: mapping.Escape})
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

func (r *run) end(code int, cause error) batch.End {
	e := batch.End{
		Exit: code, Reads: r.tally.reads + r.lookups, Writes: r.tally.writes,
		Seconds: millis(time.Since(r.began)), Waited: millis(r.api.Governor.Waited()),
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
	kinds[batch.NotAttempted] += r.in.checked.Rows - r.tally.count()
	return kinds
}
