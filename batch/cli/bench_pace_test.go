package cli_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/tidwall/gjson"
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
	}{
		{"hold", "id", "", 5000, []string{"--lookup", "each"}},
		{"update", "id,firstName", ",Ada", 5000, []string{"--lookup", "each"}},
		{"patch", "customer_id,firstname", ",Ada", 10_000, []string{"--rate", "1000000/s", "--skip-ping"}},
	} {
		b.Run(c.action, func(b *testing.B) {
			file := benchFile(b, c.heading, c.value, c.rows)
			var ours, bare []float64 // requests a second, by turn
			var busy time.Duration
			requests, peak, barePeak := 0, 0, 0
			for b.Loop() {
				for range 5 {
					server.tell(b, "reset")
					rate, high := bareRate(b, server, c.action, c.rows)
					bare, barePeak = append(bare, rate), max(barePeak, high)
					server.tell(b, "reset")
					t := takeTurn(b, server, program, append([]string{c.action, file}, c.flags...))
					ours, busy, requests, peak = append(ours, float64(t.requests)/t.took.Seconds()), busy+t.cpu, requests+t.requests, max(peak, t.peak)
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
			b.ReportMetric(float64(peak)/(1<<20), "MB")
			b.ReportMetric(float64(barePeak)/(1<<20), "bare-MB")
		})
	}
}

func median(all []float64) float64 {
	slices.Sort(all)
	return all[len(all)/2]
}

// turn is what one run of the program took.
type turn struct {
	requests  int
	took, cpu time.Duration
	peak      int // resident bytes
}

// takeTurn runs the program on a file whose every row changes.
func takeTurn(b *testing.B, server benchProcess, program string, args []string) turn {
	b.Helper()
	run := exec.Command(program, append(args, "--json", "--quiet", "--workers", strconv.Itoa(benchWorkers), "--reports", filepath.Join(b.TempDir(), "reports"))...)
	var out bytes.Buffer
	run.Env, run.Stdout, run.Stderr = server.environment(), &out, os.Stderr
	began := time.Now()
	peak, err := carriedOut(run)
	took := time.Since(began)
	if err != nil {
		b.Fatalf("%v\n%s", err, out.Bytes())
	}
	if changed, rows := gjson.GetBytes(out.Bytes(), "outcomes.changed").Int(), gjson.GetBytes(out.Bytes(), "rows").Int(); changed != rows {
		b.Fatalf("%d of %d rows changed\n%s", changed, rows, out.Bytes())
	}
	return turn{server.tell(b, "counts").Requests, took, run.ProcessState.UserTime() + run.ProcessState.SystemTime(), peak}
}

// bareRate runs the load generator, a process of its own too, which tells how long it took.
func bareRate(b *testing.B, server benchProcess, action string, rows int) (rate float64, peak int) {
	b.Helper()
	run := exec.Command("benchload", server.url, action, strconv.Itoa(rows))
	var out bytes.Buffer
	run.Stdout, run.Stderr = &out, os.Stderr
	peak, err := carriedOut(run)
	if err != nil {
		b.Fatal(err)
	}
	took, err := time.ParseDuration(out.String())
	if err != nil {
		b.Fatal(err)
	}
	return float64(server.tell(b, "counts").Requests) / took.Seconds(), peak
}
