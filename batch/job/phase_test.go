package job_test

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"rowbatch/batch"
	"rowbatch/batch/intake"
	"rowbatch/batch/job"
)

// tardy takes a second to show a customer.
type tardy struct{ http.RoundTripper }

func (t tardy) RoundTrip(q *http.Request) (*http.Response, error) {
	if q.Method == http.MethodGet {
		time.Sleep(time.Second)
	}
	return t.RoundTripper.RoundTrip(q)
}

// A pass that may send, and finds nothing to send for a while, is told as what it is.
func TestReadingIsNotToldAsSending(t *testing.T) {
	o := newOffice(t, "yes")
	o.set.Sending.Yes, o.set.Sending.Lookup, o.set.Pace.Workers = true, intake.LookupEach, 1
	o.transport = tardy{o.box.Transport()}
	var rows strings.Builder
	for n := range 12 {
		fmt.Fprintf(&rows, "%d,\n", 987004+n)
	}
	synctest.Test(t, func(t *testing.T) {
		o.t = t
		r, err := o.file("update", "id,title\n987001,Dr\n"+rows.String())
		o.want(r, err, "changed=1 unchanged=12", 1)
		var told []string
		for _, e := range o.front.events {
			if p, is := e.(job.Progress); is && (len(told) == 0 || told[len(told)-1] != p.Phase) {
				told = append(told, p.Phase)
			}
		}
		if got := fmt.Sprint(told); got != "[reading sending reading]" {
			t.Errorf("told %s", got)
		}
	})
}

// The pace of a resumed run is that of its own rows: what was settled before has taken it no time.
func TestThePaceIsThatOfThisProcess(t *testing.T) {
	o := newOffice(t, "yes")
	o.set.Sending.Yes, o.set.Sending.Lookup, o.set.Pace.Workers = true, intake.LookupEach, 1
	o.transport = tardy{o.box.Transport()}
	var rows strings.Builder
	for n := range 12 {
		fmt.Fprintf(&rows, "%d,Dr\n", 987001+n)
	}
	synctest.Test(t, func(t *testing.T) {
		o.t = t
		stopAfter := 5
		j, c := o.job()
		j.Front = &stopping{front: o.front, after: &stopAfter, halt: c.Halt}
		path := filepath.Join(t.TempDir(), "edits.csv")
		if err := os.WriteFile(path, []byte("id,title\n"+rows.String()), 0o600); err != nil {
			t.Fatal(err)
		}
		first, err := job.File(j, c, intake.ActionsOf("update"), path, nil)
		if err != nil || first.Summary.Outcomes[batch.NotAttempted] == 0 {
			t.Fatalf("%+v, %v", first, err)
		}
		before := 12 - first.Summary.Outcomes[batch.NotAttempted]
		o.front.events = nil
		r, err := o.again(func(j job.Job, c job.Control, name string) (*job.Result, error) { return job.Resume(j, c, name, false) }, job.Last)
		o.want(r, err, "changed=10 unchanged=2", 10)
		told := 0
		for _, e := range o.front.events {
			if p, is := e.(job.Progress); is && p.Done > before {
				told++
				if pace := p.Pace(time.Now()); p.Earlier != before || pace <= 0 || pace > 1 {
					t.Errorf("%.1f rows a second: %+v", pace, p)
				}
			}
		}
		if told == 0 {
			t.Error("nothing was told of the phase")
		}
	})
}
