package cli_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/tidwall/gjson"

	"rowbatch/client"
)

const benchWorkers = 16

// BenchmarkPace compares the whole program, from its start to its report, with a
// bare load generator that makes the same requests of the same server and looks at
// no answer. They take turns, since a machine's speed changes by the minute:
//
//	go test ./batch/cli -run '^$' -bench Pace
func BenchmarkPace(b *testing.B) {
	program, server := buildProgram(b), startBenchServer(b)
	for _, c := range []struct {
		action, heading, value string
		rows                   int
		flags                  []string
		row                    func(l *load, id string) error
	}{
		{"hold", "id", "", 5000, []string{"--lookup", "each"}, (*load).hold},
		{"update", "id,firstName", ",Ada", 5000, []string{"--lookup", "each"}, (*load).update},
		{"patch", "customer_id,firstname", ",Ada", 10_000, []string{"--rate", "1000000/s", "--skip-ping"}, (*load).patch},
	} {
		b.Run(c.action, func(b *testing.B) {
			file := benchFile(b, c.heading, c.value, c.rows)
			var ours, bare []float64 // requests a second, by turn
			var busy time.Duration
			requests := 0
			for b.Loop() {
				for range 5 {
					server.tell(b, "reset")
					bare = append(bare, bareRate(b, server, c.rows, c.row))
					server.tell(b, "reset")
					n, took, cpu := programRate(b, server, program, append([]string{c.action, file}, c.flags...))
					ours, busy, requests = append(ours, float64(n)/took.Seconds()), busy+cpu, requests+n
				}
			}
			ratios := make([]float64, len(ours))
			for i := range ours {
				ratios[i] = ours[i] / bare[i]
			}
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(median(ratios), "of-bare")
			b.ReportMetric(median(ours), "requests/s")
			b.ReportMetric(median(bare), "bare-requests/s")
			b.ReportMetric(float64(busy.Microseconds())/float64(requests), "cpu-µs/request")
		})
	}
}

func median(all []float64) float64 {
	slices.Sort(all)
	return all[len(all)/2]
}

// programRate runs the program on a file whose every row changes.
func programRate(b *testing.B, server benchProcess, program string, args []string) (requests int, took, cpu time.Duration) {
	b.Helper()
	run := exec.Command(program, append(args, "--json", "--quiet", "--workers", strconv.Itoa(benchWorkers), "--reports", filepath.Join(b.TempDir(), "reports"))...)
	run.Env, run.Stderr = server.environment(), os.Stderr
	began := time.Now()
	out, err := run.Output()
	took = time.Since(began)
	if err != nil {
		b.Fatalf("%v\n%s", err, out)
	}
	if changed, rows := gjson.GetBytes(out, "outcomes.changed").Int(), gjson.GetBytes(out, "rows").Int(); changed != rows {
		b.Fatalf("%d of %d rows changed\n%s", changed, rows, out)
	}
	return server.tell(b, "counts").Requests, took, run.ProcessState.UserTime() + run.ProcessState.SystemTime()
}

// load is a bare load generator: the program's own transport, and nothing else.
type load struct {
	url       string
	transport *http.Transport
}

func bareRate(b *testing.B, server benchProcess, rows int, row func(*load, string) error) float64 {
	b.Helper()
	l := &load{server.url, client.NewTransport(benchWorkers)}
	defer l.transport.CloseIdleConnections()
	ids := make(chan string)
	var workers sync.WaitGroup
	began := time.Now()
	for range benchWorkers {
		workers.Go(func() {
			for id := range ids {
				if err := row(l, id); err != nil {
					b.Error(err)
				}
			}
		})
	}
	for n := range rows {
		ids <- strconv.Itoa(firstBenchID + n)
	}
	close(ids)
	workers.Wait()
	took := time.Since(began)
	return float64(server.tell(b, "counts").Requests) / took.Seconds()
}

func (l *load) hold(id string) error {
	if _, err := l.request(http.MethodGet, "/v1/customers/"+id+"/overview", nil); err != nil {
		return err
	}
	_, err := l.request(http.MethodPost, "/v1/CustomerHold/"+id, nil)
	return err
}

func (l *load) update(id string) error {
	customer, err := l.request(http.MethodGet, "/v1/customers/"+id, nil)
	if err == nil {
		_, err = l.request(http.MethodPut, "/v1/customers", customer)
	}
	return err
}

func (l *load) patch(id string) error {
	_, err := l.request(http.MethodPatch, "/api/customer/set_customer_details", []byte("customer_id="+id+"&firstname=Ada"))
	return err
}

func (l *load) request(method, path string, body []byte) ([]byte, error) {
	r, err := http.NewRequest(method, l.url+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	res, err := l.transport.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s %s: %s", method, path, res.Status)
	}
	return io.ReadAll(res.Body)
}
