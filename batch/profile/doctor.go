package profile

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/tidwall/gjson"

	"rowbatch/batch"
	"rowbatch/batch/action"
	"rowbatch/batch/intake"
	"rowbatch/batch/job"
	"rowbatch/batch/runs"
	"rowbatch/client"
	"rowbatch/client/governor"
)

// Finding is one thing that a doctor has looked at.
type Finding struct {
	Name  string `json:"name"`
	State State  `json:"state"`
	Text  string `json:"text"`
	From  string `json:"from,omitempty"` // what has set it
	Try   string `json:"try,omitempty"`
	code  int    // with which a run would end
}

// State is how a finding bears on a run.
type State string

const (
	Fine    State = "ok"
	Warning State = "warning" // a run can begin all the same
	Wrong   State = "wrong"
)

// Health is all that a doctor has found.
type Health struct {
	Profile  string    `json:"profile,omitempty"`
	Findings []Finding `json:"checks"`
	ExitCode int       `json:"exit_code"`
}

// Doctor looks at what is set and from where, and whether a run could begin: with one
// request to each system at most.
type Doctor struct {
	Accounts *Accounts
	Settings job.Settings
	Set      func(flag string) bool
	Program  string

	Health
	systems []patient
}

// patient is a system that answers to somebody.
type patient struct {
	system  string
	session *job.Session
	to      *job.Accounts
	cut     context.CancelFunc
	ctx     context.Context
}

func (d *Doctor) fine(name, from, format string, args ...any) {
	d.Findings = append(d.Findings, Finding{Name: name, State: Fine, Text: fmt.Sprintf(format, args...), From: from})
}

func (d *Doctor) wrong(name string, err error, code int) {
	text, try, _ := strings.Cut(err.Error(), "\ntry: ")
	if try == "" {
		text, try, _ = strings.Cut(strings.TrimSuffix(text, ")"), " (try: ")
	}
	d.Findings = append(d.Findings, Finding{Name: name, State: Wrong, Text: text, Try: try, code: code})
}

// Examine looks at everything, in the order in which a run would come upon it.
func (d *Doctor) Examine(c job.Control) {
	defer func() {
		for _, p := range d.systems {
			p.session.Release()
			p.cut()
		}
		first := slices.IndexFunc(d.Findings, func(f Finding) bool { return f.code != 0 })
		if first >= 0 {
			d.ExitCode = d.Findings[first].code
		}
	}()
	if err := d.Accounts.Settle(&d.Settings, d.Set, action.SystemFusebill); err != nil {
		d.wrong("account", err, job.ExitCode(err))
		d.folder(c)
		return
	}
	d.account()
	for _, system := range d.asked() {
		d.connect(c, system)
	}
	d.folder(c)
	for _, p := range d.systems {
		d.ask(p)
	}
}

// account tells where requests go, and why there.
func (d *Doctor) account() {
	a, path := d.Accounts, ""
	if at, err := Path(); err == nil {
		path = at
	}
	if _, err := os.Stat(path); err != nil {
		path = "there is none"
	}
	d.fine("profiles", "", "%s", path)
	switch p := a.profile; {
	case p != nil:
		d.Profile = p.Name
		d.fine("account", a.from, "%s: %s, %s", p.Name, p.Label(), p.Host())
		if p.ReadOnly {
			d.fine("read_only", p.Name, "nothing may be written to it: dry runs and exports go")
		}
	case d.Settings.Sending.Sandbox:
		d.fine("account", "--sandbox", "the embedded stand-in")
	case a.named(d.asked()...):
		d.fine("account", "the environment", "what the variables below name")
	}
}

// asked are the systems that somebody has set up; Fusebill, where nobody has.
func (d *Doctor) asked() (names []string) {
	switch {
	case d.Accounts.profile != nil:
		return d.Accounts.profile.Systems()
	case d.Settings.Sending.Sandbox:
		return []string{action.SystemFusebill, action.SystemTrackfinity}
	}
	for _, system := range []string{action.SystemFusebill, action.SystemTrackfinity} {
		prefix := strings.ToUpper(system)
		if a := d.Accounts; a.value(prefix+"_API_KEY")+a.value(prefix+"_URL")+a.value(prefix+"_API_USERNAME") != "" {
			names = append(names, system)
		}
	}
	if len(names) == 0 {
		names = []string{action.SystemFusebill}
	}
	return names
}

// connect opens a system as a live run does, and keeps other runs away meanwhile.
func (d *Doctor) connect(c job.Control, system string) {
	s := d.Settings
	s.Sending.Yes, s.Sending.DryRun = true, d.Accounts.profile != nil && d.Accounts.profile.ReadOnly
	p, e, err := connect(c, s, d.Accounts.Open, d.Program, system)
	if busy := (*runs.BusyError)(nil); errors.As(err, &busy) {
		d.wrong(system+" lock", err, batch.ExitLocked)
		s.Sending.DryRun = true
		p, e, err = connect(c, s, d.Accounts.Open, d.Program, system)
	}
	if err != nil {
		d.wrong(system+" account", err, job.ExitCode(err))
		return
	}
	from := d.Accounts.found
	if e.Name != job.StandIn {
		d.fine(system+" address", cmp.Or(from.address, "its default"), "%s", e.URL)
		text := "set"
		if key := e.Key.Reveal(); len(key) >= 12 {
			text = "ends in " + key[len(key)-4:]
		}
		d.fine(system+" key", from.key, "%s", text)
	}
	d.systems = append(d.systems, p)
}

// connect opens one system, which is then asked once: what is not answered is not
// tried again.
func connect(c job.Control, s job.Settings, open job.Opener, program, system string) (patient, job.Endpoint, error) {
	ctx, cut := context.WithCancel(c.Ctx)
	var found job.Endpoint
	j := job.Job{Settings: s, Front: once{cut}, Program: program,
		Open: func(system string, s job.Settings, n int, lock func(string) error) (job.Endpoint, error) {
			e, err := open(system, s, n, lock)
			found = e
			return e, err
		}}
	acts := intake.ActionsOf(intake.Mixed)
	acts.Name = "doctor"
	p := patient{system: system, session: j.Start(c), cut: cut, ctx: ctx}
	var err error
	if p.to, err = p.session.Connect(s, acts, "", []string{system}); err != nil {
		p.session.Release()
		cut()
	}
	return p, found, err
}

// once is a front that nobody sees. It cuts off what a client would try again.
type once struct{ cut context.CancelFunc }

func (o once) Show(e job.Event) {
	if _, is := e.(job.Trouble); is {
		o.cut()
	}
}
func (once) Attended() bool                         { return false }
func (once) Ask(context.Context, job.Question) bool { return false }

// answer is what one request has shown of a system.
type answer struct {
	client.Reply
	limits governor.Allowance
	text   string // whom the key has opened
}

// ask makes one cheap request that only who has access is answered.
func (p patient) ask() (answer, error) {
	var a answer
	if p.system == action.SystemTrackfinity {
		a.Reply = p.to.Trackfinity.Client.Ping(p.ctx, nil)
		a.limits, a.text = p.to.Trackfinity.Governor.Allowance(), "its ping is answered; it shows no customers"
	} else {
		a.Reply = p.to.Fusebill.Client.Customers(p.ctx, nil, client.Query{Size: 3})
		a.limits, a.text = p.to.Fusebill.Governor.Allowance(), customers(a.Reply)
	}
	return a, a.failure()
}

// failure is why the answer is none, with the code that a run would end with.
func (a answer) failure() error {
	unsent, isUnsent := errors.AsType[*client.UnsentError](a.Err)
	switch {
	case a.Class == client.Answered:
		return nil
	case client.EndsRun(a.Err):
		return a.Err
	case isUnsent:
		return &client.AccessError{Text: "it cannot be reached: " + unsent.Err.Error(), Try: "check the address and the network"}
	case a.Status == 0:
		return &client.AccessError{Text: "it does not answer: " + a.Err.Error(), Try: "check the address and the network"}
	}
	return &batch.Fault{Code: batch.ExitStopped, Text: fmt.Sprintf("it answers with status %d: %v", a.Status, a.Err), Try: "again later"}
}

// customers names some of an account's customers, by whom people know it.
func customers(rep client.Reply) string {
	var names []string
	for _, row := range gjson.ParseBytes(rep.Body).Array() {
		names = append(names, cmp.Or(batch.Visible(action.Record([]byte(row.Raw)).Name), "one without a name"))
	}
	count := ""
	if n := rep.Header.Get("X-Count"); gjson.Valid(n) {
		count = batch.Plural(int(gjson.Parse(n).Int()), "customer") + ", "
	}
	if len(names) == 0 {
		return "it has no customers"
	}
	return count + "such as " + strings.Join(names, ", ")
}

// ask tells whether a system answers, and what its answer says besides.
func (d *Doctor) ask(p patient) {
	a, err := p.ask()
	if err != nil {
		d.wrong(p.system+" host", err, job.ExitCode(err))
		if a.Status == 0 {
			return
		}
	} else {
		d.fine(p.system+" host", "", "answers in %d ms: %s", a.Received.Sub(a.Sent).Milliseconds(), a.text)
	}
	if p.system == action.SystemFusebill {
		limits := "the reply tells none"
		if a.limits.Minute.Known || a.limits.Day.Known {
			limits = quota(a.limits.Minute, "a minute") + ", " + quota(a.limits.Day, "a day")
		}
		d.fine(p.system+" limits", "the reply", "%s", limits)
	}
	d.clock(p.system, a.Reply)
}

func quota(q governor.Quota, per string) string {
	if !q.Known {
		return "none known " + per
	}
	return fmt.Sprintf("%s %s (%s left)", batch.Thousands(q.Limit), per, batch.Thousands(q.Left))
}

// mostSkew is by how much a clock may be wrong: a limit's windows are this long in doubt.
const mostSkew = 5 * time.Second

// clock compares this machine's clock with the server's, which tells whole seconds.
func (d *Doctor) clock(system string, rep client.Reply) {
	name := system + " clock"
	at, err := http.ParseTime(rep.Header.Get("Date"))
	if err != nil {
		d.fine(name, "", "the reply does not tell the time")
		return
	}
	skew := rep.Received.Sub(at).Truncate(time.Second)
	if skew.Abs() <= mostSkew {
		d.fine(name, "", "agrees with the server's")
		return
	}
	text := "this machine's is " + batch.Span(skew.Abs()) + " ahead of the server's"
	if skew < 0 {
		text = "this machine's is " + batch.Span(skew.Abs()) + " behind the server's"
	}
	d.Findings = append(d.Findings, Finding{Name: name, State: Warning, Text: text, Try: "let the system set its clock by the network"})
}

// folder makes a run's folder, locks it and takes it away again.
func (d *Doctor) folder(c job.Control) {
	session := job.Job{Settings: d.Settings, Front: once{func() {}}}.Start(c)
	defer session.Release()
	at, err := filepath.Abs(d.Settings.Output.Reports)
	if err == nil {
		var dir *runs.Dir
		if dir, err = session.MakeDir("doctor", ""); err == nil {
			err = dir.Discard()
		}
	}
	if err != nil {
		d.wrong("reports", err, job.ExitCode(err))
		return
	}
	from := ""
	switch {
	case d.Set("reports"):
		from = "--reports"
	case d.Profile != "" && d.Settings.Output.Reports != job.DefaultReports:
		from = d.Profile
	}
	d.fine("reports", from, "%s can be written and locked", at)
}
