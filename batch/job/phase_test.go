package job_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

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
