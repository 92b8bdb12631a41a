package cli_test

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/tidwall/gjson"

	"rowbatch/client/sandbox"
)

const benchWorkers = 16

// BenchmarkPace compares the whole program, from its start to its report, with a bare
// load generator that makes the same requests of the same server and looks at no answer.
// They take turns, since a machine's speed changes from minute to minute:
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
		{"patch", "customer_id,firstname", ",Ada", 10_000, []string{"--rate", "1000000/s", "--skip-ping", "--yes"}},
	} {
		b.Run(c.action, func(b *testing.B) {
			file := benchFile(b, c.heading, c.value, c.rows)
			var ours, bare turns
			for b.Loop() {
				for range 5 {
					bare.add(bareTurn(b, server, c.action, c.rows))
					ours.add(takeTurn(b, server, program, append([]string{c.action, file}, c.flags...)))
				}
			}
			ratios := make([]float64, len(ours.rates))
			for i := range ratios {
				ratios[i] = ours.rates[i] / bare.rates[i]
			}
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(median(ratios), "of-bare")
			for prefix, t := range map[string]turns{"": ours, "bare-": bare} {
				b.ReportMetric(median(t.rates), prefix+"requests/s")
				b.ReportMetric(slices.Min(t.cpu), prefix+"cpu-µs/request") // other work on the machine only adds to it
				b.ReportMetric(float64(t.peak)/(1<<20), prefix+"MB")
			}
		})
	}
}

func median(all []float64) float64 {
	slices.Sort(all)
	return all[len(all)/2]
}

// turn is what one process took for its requests: processor time in the process and in the system for it.
type turn struct {
	requests  int
	took, cpu time.Duration
	peak      int // resident bytes
}

// turns are those of one program.
type turns struct {
	rates []float64 // requests a second
	cpu   []float64 // microseconds a request
	peak  int
}

func (all *turns) add(t turn) {
	all.rates = append(all.rates, float64(t.requests)/t.took.Seconds())
	all.cpu = append(all.cpu, float64(t.cpu.Microseconds())/float64(t.requests))
	all.peak = max(all.peak, t.peak)
}

func cpuTime(c *exec.Cmd) time.Duration {
	return c.ProcessState.UserTime() + c.ProcessState.SystemTime()
}

// takeTurn runs the program on a file whose every row changes.
func takeTurn(b *testing.B, server benchProcess, program string, args []string) turn {
	b.Helper()
	server.tell(b, "reset")
	run := exec.Command(program, append(args, "--json", "--quiet", "--workers", strconv.Itoa(benchWorkers), "--reports", filepath.Join(b.TempDir(), "reports"))...)
	var out bytes.Buffer
	run.Env, run.Stdout, run.Stderr = server.environment(), &out, os.Stderr
	began := time.Now()
	peak, err := runMeasured(run)
	took := time.Since(began)
	if err != nil {
		b.Fatalf("%v\n%s", err, out.Bytes())
	}
	if changed, rows := gjson.GetBytes(out.Bytes(), "outcomes.changed").Int(), gjson.GetBytes(out.Bytes(), "rows").Int(); changed != rows {
		b.Fatalf("%d of %d rows changed\n%s", changed, rows, out.Bytes())
	}
	return turn{server.tell(b, "counts").Requests, took, cpuTime(run), peak}
}

// bareTurn runs the load generator, a process of its own too, which prints how long it took.
func bareTurn(b *testing.B, server benchProcess, action string, rows int) turn {
	b.Helper()
	server.tell(b, "reset")
	run := exec.Command("benchload", server.url, action, strconv.Itoa(rows))
	var out bytes.Buffer
	run.Stdout, run.Stderr = &out, os.Stderr
	peak, err := runMeasured(run)
	if err != nil {
		b.Fatal(err)
	}
	took, err := time.ParseDuration(out.String())
	if err != nil {
		b.Fatal(err)
	}
	return turn{server.tell(b, "counts").Requests, took, cpuTime(run), peak}
}

// BenchmarkAllowance compares the time of an update with the least that the
// account's limit allows for its requests, in real time and against the sandbox.
// TestUseOfTheAllowance of client/governor tries more cases, in virtual time:
//
//	go test ./batch/cli -run '^$' -bench Allowance
func BenchmarkAllowance(b *testing.B) {
	program := buildProgram(b)
	for _, c := range []struct {
		name  string
		limit int
		per   time.Duration
		rows  int
	}{
		{"within-one-window", 1000, 5 * time.Second, 400},
		{"250-per-5s", 250, 5 * time.Second, 700},
		{"1000-per-minute", 1000, time.Minute, 1000},
	} {
		b.Run(c.name, func(b *testing.B) {
			box, err := sandbox.Open(sandbox.Options{Seed: activeSeed(), Customers: c.rows, Minute: c.limit, Day: 1_000_000, MinuteLength: c.per})
			if err != nil {
				b.Fatal(err)
			}
			server := httptest.NewServer(box)
			defer server.Close()
			for n := 0; b.Loop(); n++ {
				file := renaming(b, box, n)
				before := box.Requests()
				time.Sleep(time.Until(time.Now().Truncate(c.per).Add(c.per))) // so that the first window is whole
				took := allowanceRun(b, program, server.URL, file)
				after := box.Requests()
				requests := after.Reads + after.Writes - before.Reads - before.Writes
				perWindow := c.limit * 9 / 10 &^ 1 // a tenth is kept for others, and pairs stay together
				full := time.Duration((requests-1)/perWindow) * c.per
				b.ReportMetric(0, "ns/op")
				b.ReportMetric(took.Seconds(), "s")
				b.ReportMetric(float64(requests), "requests")
				b.ReportMetric(float64(after.Throttled-before.Throttled), "429s")
				if full > 0 { // counts the last window's work against the program
					b.ReportMetric(took.Seconds()/full.Seconds(), "of-ideal")
				}
			}
		})
	}
}

// renaming writes a file that changes each customer, and so does the n-th file of it.
func renaming(b *testing.B, box *sandbox.Sandbox, n int) string {
	b.Helper()
	name := filepath.Join(b.TempDir(), "rows.csv")
	f, err := os.Create(name)
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	rows := [][]string{{"id", "firstName"}}
	for _, id := range box.IDs() {
		rows = append(rows, []string{id, "Ada " + strconv.Itoa(n)})
	}
	if err := csv.NewWriter(f).WriteAll(rows); err != nil {
		b.Fatal(err)
	}
	return name
}

func allowanceRun(b *testing.B, program, url, file string) time.Duration {
	b.Helper()
	run := exec.Command(program, "update", file, "--json", "--quiet", "--lookup", "each", "--workers", "16", "--reports", filepath.Join(b.TempDir(), "reports"))
	run.Env = append(environment(), settingsFor(url)...)
	run.Stderr = os.Stderr
	began := time.Now()
	out, err := run.Output()
	took := time.Since(began)
	if err != nil || gjson.GetBytes(out, "outcomes.changed").Int() != gjson.GetBytes(out, "rows").Int() {
		b.Fatalf("%v\n%s", err, out)
	}
	return took
}

// BenchmarkStart measures from the program's start until its first request arrives,
// with files of 12 columns, which are checked and copied before:
//
//	go test ./batch/cli -run '^$' -bench Start
func BenchmarkStart(b *testing.B) {
	program, server := buildProgram(b), startBenchServer(b)
	heading, cells := "id", ""
	for _, field := range []string{"firstName", "middleName", "lastName", "companyName", "suffix", "primaryEmail", "secondaryEmail",
		"primaryPhone", "secondaryPhone", "customerReference.reference1", "customerReference.reference2"} {
		heading += "," + field
		cells += "," + map[bool]string{true: "ada@example.com", false: "Northlight"}[strings.HasSuffix(field, "Email")]
	}
	for _, rows := range []int{10, 1000, 10_000} {
		b.Run(strconv.Itoa(rows)+"-rows", func(b *testing.B) {
			file := benchFile(b, heading, cells, rows)
			var took []float64 // milliseconds
			for b.Loop() {
				server.tell(b, "reset")
				took = append(took, float64(untilFirstRequest(b, server, program, file).Microseconds())/1000)
			}
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(median(took), "ms-to-first-request")
		})
	}
}

func untilFirstRequest(b *testing.B, server benchProcess, program, file string) time.Duration {
	b.Helper()
	run := exec.Command(program, "update", file, "--quiet", "--lookup", "each", "--reports", filepath.Join(b.TempDir(), "reports"))
	run.Env = server.environment()
	began := time.Now()
	if err := run.Start(); err != nil {
		b.Fatal(err)
	}
	defer func() {
		_ = run.Process.Kill() // its first request is all that counts
		_ = run.Wait()
	}()
	for time.Since(began) < 30*time.Second {
		if c := server.tell(b, "counts"); c.Requests > 0 {
			return time.Unix(0, c.First).Sub(began)
		}
		time.Sleep(10 * time.Millisecond)
	}
	b.Fatal("no request has come")
	return 0
}

// runMeasured runs a command to its end, and returns the peak of its resident bytes; 0
// where there is no /proc. What the operating system counts for a child is no use: it
// starts with the memory of the parent.
func runMeasured(c *exec.Cmd) (peak int, err error) {
	if err := c.Start(); err != nil {
		return 0, err
	}
	ended := make(chan error, 1)
	go func() { ended <- c.Wait() }()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			peak = max(peak, highWater(c.Process.Pid))
		case err := <-ended:
			return peak, err
		}
	}
}

// highWater is the most that a process has had resident so far, in bytes; 0 when it is gone.
func highWater(pid int) int {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0
	}
	found := regexp.MustCompile(`VmHWM:\s*(\d+) kB`).FindSubmatch(status)
	if found == nil {
		return 0
	}
	kB, err := strconv.Atoi(string(found[1]))
	if err != nil {
		return 0
	}
	return kB << 10
}
