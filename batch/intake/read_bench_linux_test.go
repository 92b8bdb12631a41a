package intake_test

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"rowbatch/batch/intake"
	"rowbatch/batch/runs"
)

// sheetOf writes an update of so many customers, in 12 columns.
func sheetOf(b *testing.B, rows int) string {
	b.Helper()
	name := filepath.Join(b.TempDir(), "customers.csv")
	f, err := os.Create(name)
	if err != nil {
		b.Fatal(err)
	}
	out := bufio.NewWriter(f)
	fmt.Fprintln(out, "id,firstName,lastName,companyName,title,primaryEmail,primaryPhone,reference,"+
		"customerReference.reference1,customerReference.reference2,salesTrackingCode.Region,parentId")
	for n := range rows {
		fmt.Fprintf(out, "%d,Ada,Reed,Northlight %d Ltd,Ms,ada%d@example.com; books@example.com,555-0100,AC-%d,north,spring,EMB%d,%d\n",
			n+1000, n, n, n, n%50, n+1001)
	}
	if err := out.Flush(); err != nil {
		b.Fatal(err)
	}
	if err := f.Close(); err != nil {
		b.Fatal(err)
	}
	return name
}

// BenchmarkRead is what stands between a file and the first request: every row
// checked, the file hashed, and its rows copied into the run's folder. One core:
// go test ./batch/intake -run '^$' -bench Read -cpu 1
func BenchmarkRead(b *testing.B) {
	const rows = 300_000
	file, reports := sheetOf(b, rows), b.TempDir()
	before := processorTime(b)
	for n := 0; b.Loop(); n++ {
		dir, err := runs.Create(runs.Disk(), reports, time.Now().Add(time.Duration(n)*time.Second), "update", file)
		if err != nil {
			b.Fatal(err)
		}
		in, err := intake.Read(b.Context(), intake.Source{Name: file, Actions: intake.ActionsOf("update")}, dir)
		if err != nil {
			b.Fatal(err)
		}
		if in.Checked.Rows != rows || in.Checked.Rejected > 0 {
			b.Fatalf("%d rows, %d rejected", in.Checked.Rows, in.Checked.Rejected)
		}
		if err := dir.Discard(); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(rows*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
	b.ReportMetric(rows*float64(b.N)/(processorTime(b)-before).Seconds(), "rows/cpu-s")
}

// processorTime is what this process has used of its cores: beside it, the clock
// tells how busy the machine was with something else.
func processorTime(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
