package intake_test

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/xuri/excelize/v2"

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

// workbookOf has what sheetOf has, as a workbook.
func workbookOf(b *testing.B, rows int) string {
	b.Helper()
	text, err := os.Open(sheetOf(b, rows))
	if err != nil {
		b.Fatal(err)
	}
	defer text.Close()
	name := filepath.Join(b.TempDir(), "customers.xlsx")
	book := excelize.NewFile()
	w, err := book.NewStreamWriter("Sheet1")
	if err != nil {
		b.Fatal(err)
	}
	lines := bufio.NewScanner(text)
	for n := 1; lines.Scan(); n++ {
		var cells []any
		for _, cell := range strings.Split(lines.Text(), ",") {
			cells = append(cells, cell)
		}
		if err := w.SetRow(fmt.Sprintf("A%d", n), cells); err != nil {
			b.Fatal(err)
		}
	}
	if err := errors.Join(lines.Err(), w.Flush(), book.SaveAs(name), book.Close()); err != nil {
		b.Fatal(err)
	}
	return name
}

// BenchmarkReadWorkbook is the same of 100,000 rows of a workbook, beside what a library
// takes to walk over them: the processor time of both, since it does less when the machine
// is busy with something else.
func BenchmarkReadWorkbook(b *testing.B) {
	const rows = 100_000
	name, reports := workbookOf(b, rows), b.TempDir()
	var ours, library time.Duration
	for n := 0; b.Loop(); n++ {
		before := processorTime(b)
		dir, err := runs.Create(runs.Disk(), reports, time.Now().Add(time.Duration(n)*time.Second), "update", name)
		if err != nil {
			b.Fatal(err)
		}
		in, err := intake.Read(b.Context(), intake.Source{Name: name, Actions: intake.ActionsOf("update")}, dir)
		if err != nil || in.Checked.Rows != rows || in.Checked.Rejected > 0 {
			b.Fatalf("%+v, %v", in, err)
		}
		if err := dir.Discard(); err != nil {
			b.Fatal(err)
		}
		between := processorTime(b)
		book, err := excelize.OpenFile(name)
		if err != nil {
			b.Fatal(err)
		}
		list, err := book.Rows("Sheet1")
		if err != nil {
			b.Fatal(err)
		}
		for list.Next() {
			if _, err := list.Columns(); err != nil {
				b.Fatal(err)
			}
		}
		if err := errors.Join(list.Close(), book.Close()); err != nil {
			b.Fatal(err)
		}
		ours, library = ours+between-before, library+processorTime(b)-between
	}
	b.ReportMetric(float64(ours)/float64(library), "of-library")
	b.ReportMetric(ours.Seconds()/float64(b.N), "cpu-s/op")
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
