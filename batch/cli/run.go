package cli

import (
	"context"
	"errors"
	"fmt"
	"time"

	"rowbatch/batch"
	"rowbatch/batch/action"
	"rowbatch/batch/journal"
	"rowbatch/batch/runs"
	"rowbatch/mapping/csvfile"
)

// run is one command on its way from the file to the exit code.
type run struct {
	job     job
	flags   *actionFlags
	file    string
	console console
	began   time.Time

	ctx  context.Context // ends at the second signal: requests are cut off
	stop context.Context // ends at the first, or when the run stops itself
	halt context.CancelCauseFunc

	open     func(system string, connections int) (endpoint, error)
	services services
	dir      *runs.Dir
	head     journal.Head // what the run is
	in       *intake      // of a run whose rows come from its file
	rows     *rows        // likewise: the work
	work     work
	past     *journal.Index               // of a run that is resumed: what it has settled
	when     map[string]*action.Condition // by action
	codes    *action.TrackingCodes
	journal  *journal.Writer
	tally    *tally
	counted  bool      // a pass without sending has found out what changes
	outlook  *forecast // of sending, as it was told before
	closers  []func() error

	unlockDir func() error

	again      func(batch.Outcome) bool // of a run that is resumed: what else is tried once more
	keepTheirs bool                     // of an undo: fields that somebody else has changed are left
	unhold     string                   // of an undo: with which option customers come off hold
}

// prepareRun makes a run. Requests are cut off when ctx ends.
func prepareRun(ctx context.Context, j job, flags *actionFlags, file string, c console, open func(string, int) (endpoint, error)) (r *run, release func()) {
	r = &run{job: j, flags: flags, file: file, console: c, began: time.Now(), ctx: ctx, open: open, codes: action.NewTrackingCodes(), tally: newTally(flags.failures)}
	r.stop, r.halt = context.WithCancelCause(ctx)
	return r, r.release
}

// release lets go of what the run holds.
func (r *run) release() {
	r.halt(nil)
	for _, release := range r.closers {
		if err := release(); err != nil {
			complain(r.console.err, err)
		}
	}
}

// carryOut takes the run through all its stages. Whatever stops it, every row
// is accounted for.
func (r *run) carryOut() (err error) {
	if !r.connectsLate() {
		if err := r.connect(r.systems()); err != nil {
			return err
		}
	}
	if err := r.readInput(); err != nil {
		return err
	}
	if err := r.settle(); err != nil {
		return errors.Join(err, r.dir.Discard())
	}
	if err := r.start(r.newHead()); err != nil {
		return err
	}
	return r.finish(r.process())
}

// start makes the folder a run, or removes it.
func (r *run) start(h journal.Head) (err error) {
	r.head = h
	if r.journal, err = r.dir.CreateJournal(h); err != nil {
		return errors.Join(err, r.dir.Discard())
	}
	r.closers = append(r.closers, r.unlockDir)
	return nil
}

// makeDir makes the run's folder. It is locked from the first, by which others
// see that it has not been left; what was left by killed processes goes.
func (r *run) makeDir(name, file string) (err error) {
	runs.Tidy(r.flags.reports, r.began)
	if r.dir, err = runs.Create(r.flags.reports, r.began, name, file); err != nil {
		return err
	}
	if r.unlockDir, err = r.dir.Lock(); err != nil {
		return errors.Join(err, r.dir.Discard())
	}
	return nil
}

// settle does what had to wait until the rows were known.
func (r *run) settle() (err error) {
	defer func() {
		if err == nil && r.in.bases != nil {
			err = r.in.bases.sameAccount(r.services.account())
		}
	}()
	if r.when, err = r.conditions(); err != nil {
		return err
	}
	if r.connectsLate() {
		if err := r.connect(r.systems()); err != nil {
			return err
		}
	}
	return r.mayHold()
}

// connectsLate says that only the rows tell what the run connects to, or whom it
// may share the account with.
func (r *run) connectsLate() bool { return r.job.mixed() || r.flags.shard.some() }

func (r *run) systems() []string {
	if r.job.mixed() {
		return r.rows.systems()
	}
	return []string{r.job.specs[0].Schema.System}
}

// readInput checks the file and copies it into a new run folder. A file that is refused leaves no folder.
func (r *run) readInput() (err error) {
	if err := r.makeDir(r.job.name, r.file); err != nil {
		return err
	}
	r.in, err = takeIn(r.stop, r.file, r.console.in, r.flags, r.job, r.dir)
	if err == nil && r.flags.strict && r.in.checked.Rejected > 0 {
		err = r.strictRefusal()
	}
	if err == nil && r.flags.shard.some() {
		r.flags.shard.Split = r.in.split(r.flags, r.job)
		err = r.in.mayShard(r.job, r.file)
	}
	if err != nil {
		return errors.Join(err, r.dir.Discard())
	}
	r.rows = newRows(r.dir, r.in, r.flags, r.job)
	r.work = r.rows
	r.noteInput()
	return nil
}

// strictRefusal refuses the file and names its first bad rows.
func (r *run) strictRefusal() error {
	refusal := &csvfile.Refusal{File: r.file, Text: fmt.Sprintf("%s rejected, and --strict refuses the whole file", plural(r.in.checked.Rejected, "row")),
		Try: "correct the rows, or leave --strict out"}
	rows := newRows(r.dir, r.in, r.flags, r.job)
	rows.limit, rows.shard = 0, shard{} // the whole file is checked, whatever part of it is to be sent
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

// process looks up, surveys and asks where that is needed, and sends.
func (r *run) process() error {
	r.ping()
	if r.rows != nil {
		if err := r.lookUp(); err != nil {
			return err
		}
	}
	if err := r.journalNames(); err != nil {
		return err
	}
	if r.flags.dryRun || r.mustSurvey() {
		if err := r.survey(); err != nil {
			return err
		}
		r.counted = true
		if r.flags.dryRun {
			r.outlook = new(r.foresee(r.surveyed()))
		}
		err := r.consent()
		if r.flags.dryRun {
			return err
		}
		if err != nil {
			r.halt(err) // what follows sends nothing, and accounts for every row
		}
		r.tally.startOver()
		r.work.firstLook()
	}
	return r.pass("sending", true)
}

// survey finds out what would change: by reading, or of a plan by what it has found.
func (r *run) survey() error {
	if plan, planned := r.work.(*redone); planned && r.head.Mode == journal.ModeApply && r.past == nil {
		return r.rehearse(plan)
	}
	return r.pass("reading", false)
}

// pass runs the engine over all rows that are not settled.
func (r *run) pass(what string, send bool) error {
	r.tally.forgetPast()
	before := r.tally.count()
	defer r.startPhase(what, r.head.Rows-before, func() int { return r.tally.count() - before }, r.demandOf(send))()
	source := r.work.source(r.ctx, r.actions())
	if r.past != nil {
		source = r.tally.watchPast(journal.Resumed(source, r.past, r.resumeOptions()))
	}
	return r.engine(send).Run(source)
}

// actions makes a pass's actions, by name.
func (r *run) actions() map[string]batch.Action {
	all := map[string]batch.Action{}
	if r.unhold != "" {
		all["unhold"] = action.NewUnhold(r.services.Services, r.unhold)
	}
	for _, s := range r.job.specs {
		name, with := s.Schema.Action, r.services.Services
		with.Codes, with.Condition, with.HoldSuspended = r.codes, r.when[name], r.flags.holdSuspended
		with.Planned = r.head.Mode == journal.ModeApply
		with.Warn = func(text string) { r.notice("%s", text) }
		all[name] = s.New(with)
	}
	return all
}

func (r *run) engine(send bool) *batch.Engine {
	final := func(*batch.Item, batch.Outcome) bool { return true }
	if !send && !r.flags.dryRun {
		final = r.work.final
	}
	return &batch.Engine{
		Options: r.engineOptions(send), Stops: batch.Stops{Stop: r.stop, Abort: r.ctx, Halt: r.halt}, Journal: r.journal, Final: final,
		Emit: func(it *batch.Item, o batch.Outcome) {
			settled := final(it, o)
			r.work.note(it, o, settled)
			if err := r.tally.add(it, o, settled); err != nil && !r.flags.dryRun {
				r.halt(err)
			}
		},
	}
}

// settleTime is from the end of an unanswered write to its read-back.
func (r *run) settleTime() time.Duration {
	if r.services.loopback() {
		return r.flags.timeout
	}
	return max(r.flags.timeout, 30*time.Second)
}

func (r *run) engineOptions(send bool) batch.Options {
	p := r.services.patience()
	o := batch.Options{
		Workers: map[string]int{}, Send: send, Fresh: freshness, Settle: r.settleTime(),
		Tries: p.Tries, Waits: p.Waits,
	}
	for _, e := range r.services.endpoints {
		o.Workers[e.system] = r.flags.workersOf(e.system)
	}
	return o
}
