package job

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"rowbatch/batch"
	"rowbatch/batch/action"
	"rowbatch/batch/intake"
	"rowbatch/batch/journal"
	"rowbatch/batch/runs"
	"rowbatch/client"
)

// Job is what a front brings along for a run: what the user has set, itself, and the
// way to the accounts.
type Job struct {
	Settings Settings
	Front    Front
	Open     Opener
	Program  string       // the program's version
	Log      *slog.Logger // of requests, and of what they are made for; nil: they are not shown
}

// Control is how a run is stopped.
type Control struct {
	Ctx  context.Context         // its end cuts off requests on their way
	Stop context.Context         // its end lets nothing new begin; its cause is why the run stopped
	Halt context.CancelCauseFunc // ends Stop
}

// NewControl returns the control of a run whose requests are cut off when ctx ends.
func NewControl(ctx context.Context) Control {
	stop, halt := context.WithCancelCause(ctx)
	return Control{ctx, stop, halt}
}

func (c Control) stopped() bool { return c.Stop.Err() != nil }

// Last stands in the place of a run's name for the newest run of the command's kind.
const Last = "last"

// Session is one command under way: what it holds, and how others learn of it. What
// carries out no plan, such as an export, begins one itself.
type Session struct {
	Job
	Control
	Began    time.Time
	showing  sync.Mutex
	accounts *Accounts // that it has connected to
	locks    []func() error
	folder   func() error // releases the run's own folder
	quiet    func()       // tells of signals no more
	watch    func() error // wants the run's own files to be in their place; nil: there are none yet
}

// Start begins a command. Release it.
func (j Job) Start(c Control) *Session {
	r := &Session{Job: j, Control: c, Began: time.Now()}
	tell := func(when context.Context, code, text string) (no func() bool) {
		return context.AfterFunc(when, func() {
			if is[Signalled](context.Cause(c.Stop)) {
				r.Notice(code, text)
			}
		})
	}
	first := tell(c.Stop, "stopping", "stopping when the requests in flight are answered; a second Ctrl-C cuts them off")
	second := tell(c.Ctx, "cut_off",
		"requests in flight are cut off: a row whose answer is missing is in_doubt, until rowbatch resume reads it back")
	r.quiet = func() { first(); second() }
	return r
}

// Show hands what happens to the front, one event after the other.
func (r *Session) Show(what Event) {
	r.showing.Lock()
	defer r.showing.Unlock()
	r.Front.Show(what)
}

// Release lets go of what the command holds.
func (r *Session) Release() {
	r.quiet()
	for _, release := range slices.Backward(r.locks) { // what a lock guards is let go of before it
		if err := release(); err != nil {
			r.Show(Trouble{err})
		}
	}
}

// MakeDir makes the run's folder. It is locked from the first, by which others
// see that it has not been left; what was left by killed processes goes.
func (r *Session) MakeDir(name, file string) (*runs.Dir, error) {
	runs.RemoveLeftovers(runs.Disk(), r.Settings.Output.Reports, r.Began)
	dir, err := runs.Create(runs.Disk(), r.Settings.Output.Reports, r.Began, name, file)
	if err != nil {
		return nil, err
	}
	if r.folder, err = dir.Lock(); err != nil {
		return nil, errors.Join(err, dir.Discard())
	}
	return dir, nil
}

// Begin makes the folder a run, or removes it.
func (r *Session) Begin(dir *runs.Dir, h journal.Head) (*journal.Writer, error) {
	w, err := dir.CreateJournal(h)
	if err != nil {
		return nil, errors.Join(err, dir.Discard())
	}
	r.locks = append(r.locks, r.folder)
	return w, nil
}

// Connect opens the accounts of the systems. A run that would have to ask, and has
// nobody to ask, is refused before any request.
func (r *Session) Connect(s Settings, a intake.Actions, file string, systems []string) (*Accounts, error) {
	all := &Accounts{settings: s, actions: a}
	locked := map[string]bool{} // both systems may be one server, reached with one key
	lock := func(account string) error {
		name := lockName(account)
		if locked[name] {
			return nil
		}
		locked[name] = true
		return r.lockAccount(name, s, a, file)
	}
	for _, system := range systems {
		e, err := r.Open(system, s, s.WorkersOf(system), lock)
		if e.Close != nil {
			r.locks = append(r.locks, e.Close)
		}
		if err == nil && e.ReadOnly != "" && !s.Sending.DryRun {
			err = batch.Usage("--dry-run, or an export", "the profile %s is read_only: nothing may be written to it, and nothing was sent",
				e.ReadOnly)
		}
		if err == nil && e.Name != StandIn {
			err = lock(e.Name)
		}
		if err == nil {
			err = all.connect(e, client.Options{UserAgent: "rowbatch/" + r.Program, Log: r.Log, Stop: r.Stop.Done(),
				Silent: func(err error) { r.Show(Trouble{err}) }})
		}
		if err != nil {
			return nil, err
		}
	}
	r.accounts = all
	return all, nil
}

// Notice tells something that is no trouble. Its code is for programs, and stays as it is.
func (r *Session) Notice(code, text string) { r.Show(Notice{Code: code, Text: text}) }

// Detail tells something that is shown with each request only.
func (r *Session) Detail(text string) {
	if r.Log != nil {
		r.Log.Debug(text)
	}
}

// Phase is PhaseOf for requests to Fusebill, one by one.
func (r *Session) Phase(name string, total int, done func() int, requests int) (end func()) {
	all := func() (int, int) { return done(), 0 }
	return r.PhaseOf(name, total, all, Demand{Requests: map[string]int{action.SystemFusebill: requests}, Together: 1})
}

// PhaseOf shows a phase that makes requests, until end is called. What they take is
// told first, if that is long, once the account's limits are known: nobody knows
// them before the first answer. done returns how many are done, and how many of those
// an earlier process has settled.
func (r *Session) PhaseOf(name string, total int, done func() (all, earlier int), d Demand) (end func()) {
	if total == 0 {
		return func() {}
	}
	r.Show(PhaseBegan{name, total})
	began := time.Now()
	ctx, cancel := context.WithCancel(r.Stop)
	var shown sync.WaitGroup
	if asked := slices.IndexFunc(r.accounts.all, func(a account) bool { return d.Requests[a.System] > 0 }); asked >= 0 {
		shown.Go(func() {
			if r.accounts.all[asked].governor.Met(ctx) != nil {
				return
			}
			if f := forecastOf(r.accounts, d); (f.Takes > time.Minute || !f.Stops.IsZero()) && ctx.Err() == nil {
				r.Show(Foretold{name, f})
			}
		})
	}
	over := make(chan struct{})
	shown.Go(func() {
		tick := time.NewTicker(progressEvery)
		defer tick.Stop()
		writes, wrote := r.accounts.writes(), time.Time{} // when one was last seen to leave
		for {
			select {
			case <-tick.C:
				if r.watch != nil {
					if err := r.watch(); err != nil {
						r.Halt(err)
					}
				}
				if n := r.accounts.writes(); n != writes {
					writes, wrote = n, time.Now()
				}
				phase := name
				if name == sending && time.Since(wrote) > sendingFor {
					phase = reading
				}
				all, earlier := done()
				r.Show(Progress{phase, all, total, earlier, began, r.accounts.waiting(), r.accounts.Requests(), r.accounts.allowance()})
			case <-over:
				return
			}
		}
	})
	return func() {
		cancel()
		close(over)
		shown.Wait()
		r.Show(PhaseEnded{name})
	}
}

// End is what the journal keeps of a command that ends now.
func (r *Session) End(code, writes int) journal.End {
	waited, minute := r.accounts.Waited(), r.accounts.allowance().Minute
	return journal.End{
		At: time.Now().UTC(), Exit: code, Reads: r.accounts.Requests() - writes, Writes: writes, Seconds: inSeconds(time.Since(r.Began)),
		Waited: inAll(waited), WaitedFor: waited, Limit: minute.Limit, Usable: minute.Usable,
		Trial: r.accounts.trial() == isTrial,
	}
}

// mayAsk refuses a run to which nobody could agree.
func (r *Session) mayAsk(a *Accounts) error {
	if a.settings.Sending.DryRun || a.settings.Sending.Yes || r.Front.Attended() {
		return nil
	}
	return batch.Usage("--dry-run to look first, then --yes", "this would write to %s, and there is no terminal to ask on", a.Hosts())
}

// lockAccount keeps other live runs of an account, by its [lockName], away until the run ends. The
// kernel releases the lock should this process die.
func (r *Session) lockAccount(name string, s Settings, a intake.Actions, file string) error {
	if s.Sending.DryRun {
		return nil
	}
	lock := func(dir string, wait time.Duration) (func() error, error) {
		what := "rowbatch " + a.Name + " " + file
		process := fmt.Sprintf(", process %d, since %s", os.Getpid(), time.Now().Format("2006-01-02 15:04:05"))
		// Shards of one file, whatever they are, share the account: what one changes,
		// resumes or takes back is no customer of another.
		if part := s.Selection.Shard; part.Some() {
			part.Split = s.Selection.Split
			return runs.LockShard(r.Stop, runs.Disk(), dir, name, part.Shard, fmt.Sprintf("%s in %d shards", what, part.Of),
				what+" --shard "+part.String()+process, wait)
		}
		return runs.LockAccount(r.Stop, runs.Disk(), dir, name, what+process, wait)
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return batch.Usage("set HOME, or XDG_CACHE_HOME to a folder of yours", "there is no folder for the account's lock: %v", err)
	}
	dir := filepath.Join(cache, "rowbatch", "locks")
	release, err := lock(dir, 0)
	if busy := (*runs.BusyError)(nil); errors.As(err, &busy) && s.Pace.LockWait > 0 {
		r.Show(Trouble{fmt.Errorf("waiting up to %s for %s to end", s.Pace.LockWait, busy.Holder)})
		release, err = lock(dir, s.Pace.LockWait)
	}
	switch {
	case err == nil:
		r.locks = append(r.locks, release)
	case r.stopped():
		return context.Cause(r.Stop)
	}
	return err
}

// lockName is the server and the key, for the path tells nothing: one account may be
// reached by several. All names of this machine are one.
func lockName(account string) string {
	base, key, _ := strings.Cut(account, "#")
	base = client.OneSpelling(base)
	u, err := url.Parse(base)
	switch {
	case err != nil || u.Host == "":
		return account
	case client.Loopback(base):
		u.Host = net.JoinHostPort("localhost", u.Port())
	}
	return u.Host + "#" + key
}

// lockRun makes this process the only one that has to do with a run.
func (r *Session) lockRun(dir *runs.Dir) error {
	until := time.Now().Add(r.Settings.Pace.LockWait)
	for {
		release, err := dir.Lock()
		if err == nil {
			r.locks = append(r.locks, release)
		}
		busy := (*runs.BusyError)(nil)
		if !errors.As(err, &busy) || !time.Now().Before(until) {
			return err
		}
		if r.stopped() {
			return context.Cause(r.Stop)
		}
	}
}

// plan is what a command looks for that carries one out.
const plan = "plan"

// Find returns the run of a name in a reports folder; of last, the newest of a kind.
// That never reaches past a newer one which is not fit to be taken up: whoever means
// an older one has to name it.
func Find(reports, name, what string, is func(runs.Info) bool) (*runs.Dir, error) {
	if name == Last {
		all, err := runs.List(runs.Disk(), reports)
		if err != nil {
			return nil, err
		}
		i := slices.IndexFunc(all, func(i runs.Info) bool { return i.Head.Mode == "" || is(i) }) // what a damaged run was, nobody knows
		if i < 0 {
			first := "rowbatch runs"
			if what == plan {
				first = "rowbatch update FILE --dry-run, which makes one"
			}
			return nil, batch.Usage(first+", or --reports with the folder that holds it",
				"there is no %s in %s that last could mean", what, reports)
		}
		return runs.Find(reports, all[i].ID, is)
	}
	dir, err := runs.Find(reports, name, is)
	if err != nil {
		return nil, err
	}
	switch h, err := dir.Head(); {
	case err != nil:
		return nil, err
	case h.Mode == journal.ModeExport:
		return nil, batch.Usage("rowbatch runs", "%s is an export, and no %s: its rows were read, and nothing was sent", dir.ID(), what)
	}
	return dir, nil
}

// IsEdit reports whether a run carries out rows or shows what that would do: an export does neither.
func IsEdit(i runs.Info) bool { return i.Head.Mode != journal.ModeExport }

// isLive reports whether a run may have sent what an undo could take back.
func isLive(i runs.Info) bool {
	return i.Head.Mode == journal.ModeRun || i.Head.Mode == journal.ModeApply
}

// relative finds a run that another belongs to: beside it, where its folder may have
// been moved together with it, or where its parent was.
func relative(h journal.Head, id, beside string) (*runs.Dir, error) {
	for _, folder := range []string{filepath.Dir(absolute(beside)), filepath.Dir(h.OfPath)} {
		path := filepath.Join(folder, id)
		dir, err := runs.Find(folder, path, IsEdit)
		if err == nil && path != absolute(beside) {
			return dir, nil
		}
	}
	return nil, batch.Unfit("put the folder of that run beside this one's",
		"%s belongs to the run %s, which is not there any more; nothing was sent", h.ID, id)
}

// absolute is a path that another folder's commands can follow.
func absolute(path string) string {
	if abs, err := filepath.Abs(path); err == nil {
		return abs
	}
	return path
}

// adopt takes from a journal what its run was, and from this command how it goes on.
func (r *Session) adopt(h journal.Head) (Settings, error) {
	s, err := SettingsOf(h)
	if err != nil {
		return s, err
	}
	mine, flag := r.Settings, "--sandbox"
	if mine.Sending.Profile != "" {
		flag = "--profile " + mine.Sending.Profile
	}
	switch {
	case mine.Sending.Sandbox && h.Account != StandIn:
		return s, batch.Unfit("leave "+flag+" out, if that account is meant",
			"%s was about %s, and %s names the embedded stand-in; nothing was sent", h.ID, intake.AddressesOf(h.Account), flag)
	case mine.Sending.Profile != "" && !mine.Sending.Sandbox && h.Account == StandIn:
		return s, batch.Unfit("leave "+flag+" out, if the stand-in is meant",
			"%s was about the embedded stand-in, and %s names another account; nothing was sent", h.ID, flag)
	case mine.Sending.Profile != "":
		s.Sending.Profile = mine.Sending.Profile
	}
	s.Pace = mine.Pace.over(s.Pace, intake.ActionsOf(h.Action))
	s.Output, s.Sending.Yes, s.Sending.Sandbox = mine.Output, mine.Sending.Yes, h.Account == StandIn
	s.Sending.MayMove = alsoMoving(s.Sending.MayMove, mine.Sending.MayMove)
	return s, nil
}

// confirm asks a question about a run as a whole. refusal is the error of a no.
func (r *Session) confirm(about Identity, question string, refusal error) error {
	if r.Front.Attended() && r.Front.Ask(r.Stop, Question{Text: question, Agrees: "yes", Run: about}) {
		return nil
	}
	if r.stopped() {
		return context.Cause(r.Stop)
	}
	return refusal
}
