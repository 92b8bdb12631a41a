package job_test

import (
	"errors"
	"net"
	"net/http"
	"net/http/httptrace"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"rowbatch/batch"
	"rowbatch/batch/export"
	"rowbatch/batch/job"
	"rowbatch/client/sandbox"
	"rowbatch/samples"
)

// nobody listens.
type nobody struct{}

func (nobody) RoundTrip(q *http.Request) (*http.Response, error) {
	httptrace.ContextClientTrace(q.Context()).GetConn("")
	return nil, &net.OpError{Op: "dial", Net: "tcp", Err: errors.New("connection refused")}
}

// At an address where nobody ever answers, whatever was begun says so at once, and ends
// within 15 seconds with nothing attempted.
func TestAWrongAddressEndsSoon(t *testing.T) {
	o := newOffice(t, "yes")
	o.set.Sending.DryRun = true
	plan, err := o.file("update", edits)
	o.want(plan, err, "unchanged=1 would_change=2 rejected=1", 0)
	o.set.Sending.DryRun = false
	live, err := o.again(job.Apply, plan.Run.ID)
	o.want(live, err, "changed=2 unchanged=1 rejected=1", 2)
	o.set.Sending.DryRun = true
	plan, err = o.file("update", "id,firstName\n987004,Zed\n987005,Zed\n")
	o.want(plan, err, "would_change=2", 2)
	o.set.Sending.DryRun, o.transport = false, nobody{}

	stopped := "" // the run that resume takes up
	for _, c := range []struct {
		name, outcomes string
		do             func() (*job.Result, error)
	}{
		{"an update", "rejected=1 not_attempted=3", func() (*job.Result, error) { return o.file("update", edits) }},
		{"a hold", "not_attempted=1", func() (*job.Result, error) { return o.file("hold", "id\n987021\n") }},
		{"a look-up by reference", "not_attempted=1", func() (*job.Result, error) { return o.file("latch", "reference,hubSpotId\nAC-1,77\n") }},
		{"a patch", "not_attempted=1", func() (*job.Result, error) { return o.file("patch", "customer_id,city\n4001,Aville\n") }},
		{"apply", "not_attempted=2", func() (*job.Result, error) { return o.again(job.Apply, plan.Run.ID) }},
		{"undo", "skipped=2 not_attempted=2", func() (*job.Result, error) { return o.again(job.Undo, live.Run.ID) }},
		{"resume", "rejected=1 not_attempted=3", func() (*job.Result, error) {
			j, control := o.job()
			return job.Resume(j, control, stopped, false)
		}},
		{"export", "", func() (*job.Result, error) {
			j, control := o.job()
			_, err := export.Export(j, control, export.Options{Output: filepath.Join(t.TempDir(), "all.csv")}, "", nil, nil)
			return nil, err
		}},
	} {
		synctest.Test(t, func(t *testing.T) {
			o.t = t
			began, code := time.Now(), 0
			r, err := c.do()
			if code = job.ExitCode(err); err == nil {
				o.want(r, nil, c.outcomes, 2)
				code, err = r.Summary.ExitCode, r.Stopped
			}
			if c.name == "an update" {
				stopped = r.Run.ID
			}
			if took := time.Since(began); took > 15*time.Second || code != batch.ExitAccess {
				t.Errorf("%s ended with %d after %s: %v", c.name, code, took, err)
			}
			if said := err.Error(); !strings.Contains(said, ".example.com/") || !strings.Contains(said, "try: ") {
				t.Errorf("%s: %s names no address, or no way on", c.name, said)
			}
			told := 0
			for _, e := range o.front.events {
				if is, trouble := e.(job.Trouble); trouble && strings.Contains(is.Err.Error(), "does not answer: dial tcp: connection refused") {
					told++
				}
			}
			if told != 1 {
				t.Errorf("%s: the first failure was told %d times", c.name, told)
			}
		})
	}
}

// A path that the server does not know: nothing is attempted, and no row is to blame.
func TestAWrongPathEndsTheRun(t *testing.T) {
	o := newOffice(t, "yes")
	o.url = "https://billing.example.com/v9"
	r, err := o.file("update", "id,title\n987001,Dr\n987002,Dr\n987003,Dr\n")
	o.want(r, err, "not_attempted=3", 0)
	if r.Summary.ExitCode != batch.ExitAccess || !strings.Contains(r.Stopped.Error(), "https://billing.example.com/v9: the server answers 404") {
		t.Errorf("%d, %v", r.Summary.ExitCode, r.Stopped)
	}
	// Of one row alone nobody can tell, and the way from a stray 404 to the customer is not barred.
	r, err = o.file("update", "id,title\n987001,Dr\n")
	o.want(r, err, "rejected=1", 0)
	for _, c := range []struct {
		fault, outcomes string
		effects         int
	}{
		{"get:no-route:at=1", "changed=3 unchanged=1", 3},
		{"get:404:at=1", "changed=2 unchanged=1 rejected=1", 2},
	} {
		o = newOffice(t, "yes")
		o.misbehave(c.fault)
		o.set.Sending.Yes, o.set.Pace.Workers = true, 1
		r, err = o.file("update", "id,firstName\n987001,Zed\n987002,Zed\n987003,Vera\n987004,Zed\n")
		o.want(r, err, c.outcomes, c.effects)
	}
}

// misbehave has the office's stand-in make mistakes from now on.
func (o *office) misbehave(faults ...string) {
	list, err := sandbox.ParseFaults(faults)
	if err != nil {
		o.t.Fatal(err)
	}
	box, err := sandbox.Open(sandbox.Options{Seed: samples.Seed(), Faults: list})
	if err != nil {
		o.t.Fatal(err)
	}
	o.t.Cleanup(func() { _ = box.Close() })
	o.box = box
}

// A stand-in on this machine is one, though its first replies were lost; but nobody is
// patched unasked of whom no reply at all has told whose he is.
func TestTheFirstReplyIsLost(t *testing.T) {
	for _, c := range []struct {
		action, rows, fault string
		outcomes            string
		effects             int
	}{
		{"update", "id,title\n987001,Dr\n987002,REMOVE\n", "any:lost-before:times=3", "changed=2", 2},
		{"patch", "customer_id,city\n4001,Aville\n", "ping:lost-before:times=3", "changed=1", 1},
		{"patch", "customer_id,city\n4001,Aville\n", "ping:lost-before", "not_attempted=1", 0},
	} {
		o := newOffice(t, "")
		o.misbehave(c.fault)
		o.url, o.set.Sending.SkipPing = "http://127.0.0.1:8080/v1", true
		synctest.Test(t, func(t *testing.T) {
			o.t = t
			r, err := o.file(c.action, c.rows)
			o.want(r, err, c.outcomes, c.effects)
		})
	}
}
