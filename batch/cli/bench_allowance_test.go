package cli_test

import (
	"encoding/csv"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/tidwall/gjson"

	"rowbatch/client/sandbox"
)

// BenchmarkAllowance compares the time of an update with the least that the
// account's limit allows for its requests, in real time and against the sandbox.
// TestUseOfTheAllowance has more weathers, in virtual time:
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
				if full > 0 { // what the last window's work takes is held against us
					b.ReportMetric(took.Seconds()/full.Seconds(), "of-ideal")
				}
			}
		})
	}
}

// renaming writes a file that changes each customer, the n-th time too.
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
	run.Env = append(environment(), "FUSEBILL_URL="+url+"/v1", "FUSEBILL_API_KEY=MDpzYW5kYm94")
	run.Stderr = os.Stderr
	began := time.Now()
	out, err := run.Output()
	took := time.Since(began)
	if err != nil || gjson.GetBytes(out, "outcomes.changed").Int() != gjson.GetBytes(out, "rows").Int() {
		b.Fatalf("%v\n%s", err, out)
	}
	return took
}
