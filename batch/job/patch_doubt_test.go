package job_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"

	"rowbatch/batch/job"
)

// deaf lets patches go on to the server, and their answers never come.
type deaf struct {
	http.RoundTripper
	is bool
}

func (d *deaf) RoundTrip(r *http.Request) (*http.Response, error) {
	reply, err := d.RoundTripper.RoundTrip(r)
	if err == nil && d.is && r.Method == http.MethodPatch {
		return nil, errors.Join(errors.New("connection reset"), reply.Body.Close())
	}
	return reply, err
}

// A patch without an answer cannot be read back. What goes on with it says so, and sends
// the same values again when it is told to.
func TestAPatchInDoubt(t *testing.T) {
	o := newOffice(t, "yes")
	o.set.Sending.Yes = true
	transport := &deaf{o.box.Transport(), true}
	o.transport = transport
	resume := func(failed bool) func(job.Job, job.Control, string) (*job.Result, error) {
		return func(j job.Job, c job.Control, name string) (*job.Result, error) {
			return job.Resume(j, c, name, failed)
		}
	}
	synctest.Test(t, func(t *testing.T) {
		o.t = t
		r, err := o.file("patch", "customer_id,city\n4021,Harwick\n")
		says := func(effects int) {
			t.Helper()
			o.want(r, err, "in_doubt=1", effects)
			e := r.Summary.Errors[0]
			if e.Code != "cannot_read_back" || !strings.Contains(e.Fix, "resume --failed sends the same values again") ||
				!strings.HasPrefix(r.Next, "rowbatch resume "+r.Run.ID) || !strings.HasSuffix(r.Next, " --failed") {
				t.Errorf("%+v, next: %s", e, r.Next)
			}
		}
		says(8)
		r, err = o.again(resume(false), r.Run.ID) // it was sent as often as it may
		says(8)
		r, err = o.again(resume(true), r.Run.ID)
		says(16)
		transport.is = false
		r, err = o.again(resume(true), r.Run.ID)
		o.want(r, err, "changed=1", 17)
	})
}
