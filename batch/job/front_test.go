package job_test

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"rowbatch/batch"
	"rowbatch/batch/action"
	"rowbatch/batch/intake"
	"rowbatch/batch/job"
	"rowbatch/batch/runs"
	"rowbatch/client/sandbox"
	"rowbatch/samples"
)

// front is a front without a screen: it keeps what it is shown, and gives the
// answers that it was told to.
type front struct {
	answer  string // "": nobody is there
	onAsk   func() // called before an answer is given
	events  []job.Event
	asked   []job.Question
	settled map[int]batch.Kind // each row's last word
}

func (f *front) Show(e job.Event) {
	f.events = append(f.events, e)
	if s, is := e.(job.Settled); is && s.Final {
		if f.settled == nil {
			f.settled = map[int]batch.Kind{}
		}
		f.settled[s.Row] = s.Outcome.Kind
	}
}

func (f *front) Attended() bool { return f.answer != "" }

func (f *front) Ask(ctx context.Context, q job.Question) bool {
	f.asked = append(f.asked, q)
	if f.onAsk != nil {
		f.onAsk()
	}
	return ctx.Err() == nil && f.answer == q.Agrees
}

// phases are the names of those that began, in order.
func (f *front) phases() (names []string) {
	for _, e := range f.events {
		if p, is := e.(job.PhaseBegan); is {
			names = append(names, p.Name)
		}
	}
	return names
}

// office is a person at a front who works with one account. The stand-in answers,
// at an address that is not on this machine.
type office struct {
	t         *testing.T
	box       *sandbox.Sandbox
	front     *front
	control   job.Control
	set       job.Settings
	url       string
	transport http.RoundTripper // nil: the stand-in's
}

func newOffice(t *testing.T, answer string) *office {
	t.Helper()
	t.Setenv("XDG_CACHE_HOME", t.TempDir()) // where the account's lock is: another process may be running these tests
	box, err := sandbox.Open(sandbox.Options{Seed: samples.Seed()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = box.Close() })
	o := &office{t: t, box: box, front: &front{answer: answer}, set: job.Defaults(), url: "https://billing.example.com/v1"}
	o.set.Output.Reports = t.TempDir()
	return o
}

// job is the next one; what the front saw before is forgotten.
func (o *office) job() (job.Job, job.Control) {
	o.front.events, o.front.asked, o.front.settled = nil, nil, nil
	o.control = job.NewControl(o.t.Context())
	open := func(system string, _ job.Settings, _ int, _ func(string) error) (job.Endpoint, error) {
		url, transport := o.url, o.transport
		if transport == nil {
			transport = o.box.Transport()
		}
		if system == action.SystemTrackfinity {
			url = strings.Replace(strings.Replace(url, "billing", "tracking", 1), "/v1", "/api", 1)
		}
		return job.Endpoint{System: system, URL: url, Key: "MDpzYW5kYm94", Username: "admin", Name: url + "#1", Transport: transport}, nil
	}
	return job.Job{Settings: o.set, Front: o.front, Open: open, Program: "test"}, o.control
}

func (o *office) file(name, rows string) (*job.Result, error) {
	o.t.Helper()
	path := filepath.Join(o.t.TempDir(), "edits.csv")
	if err := os.WriteFile(path, []byte(rows), 0o600); err != nil {
		o.t.Fatal(err)
	}
	j, c := o.job()
	return job.File(j, c, intake.ActionsOf(name), path, nil)
}

// again takes up an earlier run.
func (o *office) again(do func(job.Job, job.Control, string) (*job.Result, error), name string) (*job.Result, error) {
	j, c := o.job()
	return do(j, c, name)
}

// want ends the test unless a run ended as it should have.
func (o *office) want(r *job.Result, err error, outcomes string, effects int) {
	o.t.Helper()
	if err != nil {
		o.t.Fatal(err)
	}
	var parts []string
	for _, k := range batch.Kinds() {
		if n := r.Summary.Outcomes[k]; n > 0 {
			parts = append(parts, fmt.Sprintf("%s=%d", k, n))
		}
	}
	if got := strings.Join(parts, " "); got != outcomes || len(o.box.Effects()) != effects {
		o.t.Fatalf("%s, want %s; %d effects, want %d; stopped by %v", got, outcomes, len(o.box.Effects()), effects, r.Stopped)
	}
}

const edits = "id,title,primaryEmail\n987001,Dr,new@example.com\n987002,REMOVE,\n987003,Miss,\nx,Dr,\n"

// The whole life of edits, without a command line: looked at, carried out, taken back.
func TestAFrontDrivesEveryKindOfRun(t *testing.T) {
	o := newOffice(t, "yes")
	o.set.Sending.DryRun = true
	r, err := o.file("update", edits)
	o.want(r, err, "unchanged=1 would_change=2 rejected=1", 0)
	if r.Preview == nil || r.Preview.Field("title").Changed != 2 || r.Line(r.Preview.Rows[0].N) != 2 || len(o.front.asked) > 0 {
		t.Errorf("preview %+v, asked %+v", r.Preview, o.front.asked)
	}
	if got := fmt.Sprint(o.front.phases()); got != "[reading]" || len(o.front.settled) != 4 {
		t.Errorf("phases %s, rows %v", got, o.front.settled)
	}
	if _, read := o.front.events[0].(job.FileRead); !read {
		t.Errorf("first came %T", o.front.events[0])
	}
	o.set.Sending.DryRun = false
	r, err = o.again(job.Apply, job.Last)
	o.want(r, err, "changed=2 unchanged=1 rejected=1", 2)
	if len(r.TakeBack) != 1 || !strings.HasPrefix(r.TakeBack[0], "rowbatch undo "+r.Run.ID) || r.Run.Mode != "apply" {
		t.Errorf("%+v", r)
	}
	r, err = o.again(job.Apply, job.Last)
	if err != nil || !strings.Contains(r.Nothing, "is applied already") {
		t.Errorf("%+v, %v", r, err)
	}
	r, err = o.again(job.Undo, job.Last)
	o.want(r, err, "changed=2 skipped=2", 4)
	r, err = o.file("hold", "id\n987021\n987022\n987063\n")
	if job.ExitCode(err) != 0 || r.Summary.ExitCode != batch.ExitUsage || len(o.box.Effects()) != 4 {
		t.Errorf("a yes was taken for a number: %+v, %v", r, err)
	}
	o.front.answer = "2"
	r, err = o.file("hold", "id\n987021\n987022\n987063\n")
	o.want(r, err, "changed=2 unchanged=1", 6)
	if r, err = o.again(job.Undo, job.Last); job.ExitCode(err) != batch.ExitUsage || len(r.Held) != 2 || len(r.Unhold) != 4 {
		t.Errorf("%+v, %v", r, err)
	}
	o.set.Sending.Unhold = "NoChargesForMissedPeriods"
	r, err = o.again(job.Undo, job.Last)
	o.want(r, err, "changed=2 skipped=1", 8)
}

// A run that is stopped midway goes on where it stopped, in its own folder.
func TestAFrontStopsARunAndGoesOn(t *testing.T) {
	o := newOffice(t, "yes")
	rows := "id,firstName\n"
	for n := range 20 {
		rows += fmt.Sprintf("%d,Name%d\n", 987001+n, n)
	}
	o.set.Sending.Yes, o.set.Pace.Workers, o.set.Sending.Lookup = true, 1, intake.LookupEach
	stopAfter := 3
	o.front.answer = ""
	j, c := o.job()
	j.Front = &stopping{front: o.front, after: &stopAfter, halt: c.Halt}
	path := filepath.Join(t.TempDir(), "edits.csv")
	if err := os.WriteFile(path, []byte(rows), 0o600); err != nil {
		t.Fatal(err)
	}
	r, err := job.File(j, c, intake.ActionsOf("update"), path, nil)
	if err != nil || r.Summary.ExitCode != batch.ExitInterrupt || r.Summary.Outcomes[batch.NotAttempted] == 0 {
		t.Fatalf("%+v, %v", r, err)
	}
	sent := len(o.box.Effects())
	if sent == 0 || r.Next != job.Command("resume", r.Run.ID, o.set.Output.Reports) {
		t.Errorf("%d effects, next %s", sent, r.Next)
	}
	r, err = o.again(func(j job.Job, c job.Control, name string) (*job.Result, error) { return job.Resume(j, c, name, false) }, job.Last)
	o.want(r, err, "changed=20", 20)
	if len(o.front.settled) != 20-sent {
		t.Errorf("%d rows were looked at again", len(o.front.settled))
	}
}

// Whoever resumes what is complete is told what the run itself told him, with its settings.
func TestACompleteRunSaysWhatIsNext(t *testing.T) {
	o := newOffice(t, "yes")
	o.set.Input.Ignore = []string{"Note"}
	first, err := o.file("update", "id,title,Note\n987001,Dr,a\n111,Dr,b\n")
	o.want(first, err, "changed=1 rejected=1", 1)
	o.set.Input.Ignore = nil
	r, err := o.again(func(j job.Job, c job.Control, name string) (*job.Result, error) { return job.Resume(j, c, name, false) }, job.Last)
	if err != nil || r.Next != first.Next || !strings.Contains(r.Next, " --ignore Note ") || !slices.Equal(r.TakeBack, first.TakeBack) {
		t.Errorf("%+v, %v; want %s and %s", r, err, first.Next, first.TakeBack)
	}
}

// stopping is a person who presses Ctrl-C after so many rows.
type stopping struct {
	*front
	after *int
	halt  context.CancelCauseFunc
}

func (s *stopping) Show(e job.Event) {
	s.front.Show(e)
	if _, is := e.(job.Settled); is {
		if *s.after--; *s.after == 0 {
			s.halt(job.Signalled{Signal: syscall.SIGINT})
		}
	}
}

func TestTheQuestionSaysWhatWillBeSent(t *testing.T) {
	o := newOffice(t, "yes")
	r, err := o.file("update", edits)
	o.want(r, err, "changed=2 unchanged=1 rejected=1", 2)
	if len(o.front.asked) != 1 {
		t.Fatalf("asked %d times", len(o.front.asked))
	}
	p, run := o.front.asked[0].Proposal, o.front.asked[0].Run
	if run.Hosts != "billing.example.com" || run.KeyEnds != "Ym94" || run.ID != r.Run.ID || run.Dry || p.Keys[0].Column != "id" || p.Counts[batch.WouldChange] != 2 ||
		p.Preview.Rows[0].Customer != "Copperleaf Works" || p.Preview.Field("title").Cleared != 1 || p.Forecast.Requests == 0 {
		t.Errorf("%+v", p)
	}
	if got := fmt.Sprint(o.front.phases()); got != "[reading sending]" {
		t.Errorf("%s", got)
	}
}

// The forecast in a question counts the overviews without which records are not whole.
func TestTheQuestionForetellsHiddenLinks(t *testing.T) {
	o := newOffice(t, "yes")
	faults, err := sandbox.ParseFaults([]string{"any:hidden-links"})
	if err != nil {
		t.Fatal(err)
	}
	if o.box, err = sandbox.Open(sandbox.Options{Seed: samples.Seed(), Faults: faults}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = o.box.Close() })
	requests := func() int { n := o.box.Requests(); return n.Reads + n.Writes }
	before := 0
	o.front.onAsk = func() { before = requests() }
	foretold := func(r *job.Result, err error, effects int) {
		t.Helper()
		o.want(r, err, "changed=2", effects)
		if got, want := o.front.asked[0].Proposal.Forecast.Requests, requests()-before; got != want {
			t.Errorf("%d requests were foretold, and %d sent", got, want)
		}
	}
	r, err := o.file("update", "id,title\n987001,Dr\n987002,REMOVE\n")
	foretold(r, err, 2)
	o.set.Sending.DryRun = true
	r, err = o.file("update", "id,title\n987003,Mrs\n987004,REMOVE\n")
	o.want(r, err, "would_change=2", 2)
	o.set.Sending.DryRun = false
	r, err = o.again(job.Apply, r.Run.ID)
	foretold(r, err, 4)
}

func TestNothingIsSentWithoutConsent(t *testing.T) {
	tests := map[string]struct {
		answer string
		change func(*office)
		want   int
	}{
		"no":                 {"no", nil, batch.ExitUsage},
		"another word":       {"ok", nil, batch.ExitUsage},
		"nobody to ask":      {"", nil, batch.ExitUsage},
		"--expect of others": {"yes", func(o *office) { o.set.Sending.Expect = 3 }, batch.ExitUsage},
		"Ctrl-C": {"yes", func(o *office) {
			o.front.onAsk = func() { o.control.Halt(job.Signalled{Signal: syscall.SIGINT}) }
		}, batch.ExitInterrupt},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			o := newOffice(t, test.answer)
			if test.change != nil {
				test.change(o)
			}
			r, err := o.file("update", edits)
			code := job.ExitCode(err)
			if r != nil {
				code = r.Summary.ExitCode
			}
			if code != test.want || o.box.Requests().Kinds["put"] > 0 {
				t.Errorf("exit %d, requests %v, %v", code, o.box.Requests(), err)
			}
			if r != nil && test.want == batch.ExitUsage {
				left := r.Summary.Outcomes[batch.NotAttempted]
				for _, e := range r.Summary.Errors {
					if e.Code == "stopped" || e.Code == "not_confirmed" && e.Count != left || strings.Contains(e.Fix, "resume") {
						t.Errorf("of a run that nobody agreed to: %+v", e)
					}
				}
				if left == 0 || r.Next != "" {
					t.Errorf("%d rows were not sent, and next comes %q", left, r.Next)
				}
			}
			if name == "nobody to ask" && o.box.Requests().Reads > 0 {
				t.Errorf("%d requests before it was refused", o.box.Requests().Reads)
			}
		})
	}
}

func TestYesAsksNobody(t *testing.T) {
	o := newOffice(t, "")
	o.set.Sending.Yes = true
	r, err := o.file("update", edits)
	o.want(r, err, "changed=2 unchanged=1 rejected=1", 2)
	if len(o.front.asked) > 0 || slices.Contains(o.front.phases(), "reading") {
		t.Errorf("asked %v, phases %v", o.front.asked, o.front.phases())
	}
}

// A plan is old after a day, and then somebody must say that it is meant.
func TestAnOldPlanIsConfirmed(t *testing.T) {
	o := newOffice(t, "yes")
	o.set.Sending.DryRun = true
	r, err := o.file("update", edits)
	o.want(r, err, "unchanged=1 would_change=2 rejected=1", 0)
	o.set.Sending.DryRun = false
	start := time.Now()
	r, err = o.again(job.Apply, r.Run.ID)
	o.want(r, err, "changed=2 unchanged=1 rejected=1", 2)
	if q := o.front.asked[0]; q.Proposal == nil || q.Run.Age <= 0 || q.Run.Age > time.Since(start)+time.Hour || q.Run.Of == "" {
		t.Errorf("%+v", o.front.asked)
	}
}

// tunnel leads to a real account: no reply says that it is a stand-in's.
type tunnel struct{ http.RoundTripper }

func (t tunnel) RoundTrip(q *http.Request) (*http.Response, error) {
	r, err := t.RoundTripper.RoundTrip(q)
	if err == nil {
		r.Header.Del(sandbox.Header)
	}
	return r, err
}

// Neither does a number of rows that was expected, nor a plan: a stand-in must have said that it is one.
func TestNoWayAroundTheQuestion(t *testing.T) {
	for _, answer := range []string{"", "no", "yes"} {
		for _, name := range []string{"a plan", "a plan, and --expect", "a patch without a ping", "a patch without a ping, and --expect"} {
			o := newOffice(t, answer)
			o.url, o.transport = "http://127.0.0.1:8080/v1", tunnel{o.box.Transport()}
			carryOut := func() (*job.Result, error) {
				o.set.Sending.SkipPing = true
				return o.file("patch", "customer_id,city\n4001,Aville\n4002,Aville\n")
			}
			if strings.HasPrefix(name, "a plan") {
				o.set.Sending.DryRun = true
				r, err := o.file("update", edits)
				o.want(r, err, "unchanged=1 would_change=2 rejected=1", 0)
				o.set.Sending.DryRun = false
				carryOut = func() (*job.Result, error) { return o.again(job.Apply, r.Run.ID) }
			}
			if strings.HasSuffix(name, "--expect") {
				o.set.Sending.Expect = 2
			}
			r, err := carryOut()
			effects := map[string]int{"yes": 2}[answer]
			if err != nil || len(o.box.Effects()) != effects || len(o.front.asked) != len(answer)/len(cmp.Or(answer, "-")) {
				t.Errorf("%s, %q: %d effects, asked %d times; %+v, %v", name, answer, len(o.box.Effects()), len(o.front.asked), r, err)
			}
			for _, q := range o.front.asked {
				if n := q.Proposal.Counts; n[batch.WouldChange] != 2 || n[batch.Unchanged] > 1 || n[batch.Rejected] > 1 {
					t.Errorf("%s: the question counts %v", name, n)
				}
			}
		}
	}
}

// An address on this machine exempts nobody: a tunnel to a real account ends there,
// too. A stand-in says that it is one, and is found out without a request more.
func TestALoopbackAddressAloneExemptsNobody(t *testing.T) {
	for _, c := range []struct {
		name, answer string
		standIn      bool
		action, rows string
		asked        bool
		outcomes     string
		effects      int
		reads        int
	}{
		{"a stand-in", "", true, "update", edits, false, "changed=2 unchanged=1 rejected=1", 2, 6},
		{"a tunnel, and a yes", "yes", false, "update", edits, true, "changed=2 unchanged=1 rejected=1", 2, -1},
		{"a tunnel, and a no", "no", false, "update", edits, true, "unchanged=1 rejected=1 not_attempted=2", 0, -1},
		{"a tunnel, and nobody", "", false, "update", "id,title\n987001,Dr\n987002,REMOVE\n", false, "not_attempted=2", 0, -1},
		{"a tunnel to patches, and nobody", "", false, "patch", "customer_id,city\n4001,Aville\n", false, "not_attempted=1", 0, -1},
		{"nothing to send through a tunnel", "", false, "update", "id,firstName\n987003,Vera\n", false, "unchanged=1", 0, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := newOffice(t, c.answer)
			o.url = "http://127.0.0.1:8080/v1"
			if !c.standIn {
				o.transport = tunnel{o.box.Transport()}
			}
			r, err := o.file(c.action, c.rows)
			o.want(r, err, c.outcomes, c.effects)
			if asked := len(o.front.asked) > 0; asked != c.asked || c.reads >= 0 && o.box.Requests().Reads != c.reads {
				t.Errorf("asked: %v; %d reads", asked, o.box.Requests().Reads)
			}
			if c.effects == 0 && o.box.Requests().Writes > 0 {
				t.Errorf("%d writes", o.box.Requests().Writes)
			}
		})
	}
}

// Patches are written without a read before them: whom they go to is found out first,
// even by one who skips the ping.
func TestNobodyIsPatchedUnasked(t *testing.T) {
	for _, standIn := range []bool{true, false} {
		o := newOffice(t, "")
		o.url, o.set.Sending.SkipPing = "http://127.0.0.1:8080/v1", true
		want, effects := "changed=2", 2
		if !standIn {
			o.transport, want, effects = tunnel{o.box.Transport()}, "not_attempted=2", 0
		}
		r, err := o.file("patch", "customer_id,city\n4001,Aville\n4002,Beeton\n")
		o.want(r, err, want, effects)
	}
}

// A file that nobody can agree to send is not read through first.
func TestAnUnattendedRunThroughATunnelEndsSoon(t *testing.T) {
	o := newOffice(t, "")
	o.url, o.transport = "http://127.0.0.1:8080/v1", tunnel{o.box.Transport()}
	rows := "id,firstName\n"
	for _, id := range o.box.IDs() {
		rows += id + ",Zed\n"
	}
	o.set.Sending.Lookup = intake.LookupEach
	r, err := o.file("update", rows)
	if err != nil || r.Summary.ExitCode != batch.ExitUsage || len(o.box.Effects()) > 0 || o.box.Requests().Reads > 50 {
		t.Errorf("%+v, %v; %d reads, %d effects", r, err, o.box.Requests().Reads, len(o.box.Effects()))
	}
}

// What somebody has agreed to is what is sent.
func TestRowsEditedWhileTheQuestionWaits(t *testing.T) {
	o := newOffice(t, "yes")
	o.front.onAsk = func() {
		rows, err := filepath.Glob(filepath.Join(o.set.Output.Reports, "*", runs.RowsName))
		if err != nil || len(rows) != 1 {
			t.Fatal(rows, err)
		}
		text, err := os.ReadFile(rows[0])
		if err == nil {
			err = os.WriteFile(rows[0], []byte(strings.Replace(string(text), "new@example.com", "bad@example.com", 1)), 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	_, err := o.file("update", edits)
	if job.ExitCode(err) != batch.ExitFiles || len(o.box.Effects()) > 0 {
		t.Errorf("exit %d, %d effects: %v", job.ExitCode(err), len(o.box.Effects()), err)
	}
}

// An undo is undone after a question, however it is come by.
func TestAnUndoIsUndoneAfterAQuestion(t *testing.T) {
	o := newOffice(t, "yes")
	o.set.Sending.Yes = true
	r, err := o.file("update", edits)
	o.want(r, err, "changed=2 unchanged=1 rejected=1", 2)
	undo, err := o.again(job.Undo, job.Last)
	o.want(undo, err, "changed=2 skipped=2", 4)
	o.set.Sending.DryRun = true
	r, err = o.again(job.Undo, undo.Run.ID)
	o.want(r, err, "would_change=2 skipped=2", 4)
	o.set.Sending.Yes, o.set.Sending.DryRun, o.front.answer = false, false, "no"
	if _, err := o.again(job.Apply, job.Last); job.ExitCode(err) != batch.ExitUsage || !strings.Contains(fmt.Sprint(err), undo.Run.ID+" is an undo") {
		t.Errorf("%v", err)
	}
	o.front.answer = "yes"
	r, err = o.again(job.Apply, job.Last)
	o.want(r, err, "changed=2 skipped=2", 6)
	if len(o.front.asked) != 2 {
		t.Errorf("asked %d times", len(o.front.asked))
	}
}

func TestNoOtherFrontMakesUpAnOption(t *testing.T) {
	o := newOffice(t, "1")
	r, err := o.file("hold", "id\n987021\n")
	o.want(r, err, "changed=1", 1)
	o.set.Sending.Unhold = "Free"
	if _, err := o.again(job.Undo, r.Run.ID); err == nil || !strings.Contains(err.Error(), "--unhold Free is not an option of the API") {
		t.Errorf("an undo with a made-up option ended with %v", err)
	}
	if n := o.box.Requests(); len(o.box.Effects()) != 1 {
		t.Errorf("it wrote: %+v", n)
	}
}
