package cli_test

import (
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

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
		_ = run.Process.Kill() // it has shown what it was to show
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
