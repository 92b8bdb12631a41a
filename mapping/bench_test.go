package mapping

import (
	"fmt"
	"io"
	"runtime"
	"testing"

	"rowbatch/mapping/csvfile"
)

const benchHeading = "id,firstName,lastName,companyName,title,primaryEmail,primaryPhone,reference," +
	"customerReference.reference1,customerReference.reference2,salesTrackingCode.Region,parentId\n"

// lineSource is a file of n rows that is nowhere in memory.
type lineSource struct {
	n, next int
	rest    []byte
	line    func(n int) string
}

func (s *lineSource) Read(p []byte) (int, error) {
	if len(s.rest) == 0 {
		if s.next > s.n {
			return 0, io.EOF
		}
		s.rest = []byte(s.line(s.next))
		s.next++
	}
	k := copy(p, s.rest)
	s.rest = s.rest[k:]
	return k, nil
}

func customerLine(n int) string {
	if n == 0 {
		return benchHeading
	}
	return fmt.Sprintf("%d,Ada,Reed,Northlight %d Ltd,Ms,ada%d@example.com; books@example.com,555-0100,AC-%d,north,spring,EMB%d,%d\n",
		n+1000, n, n, n, n%50, n+1001)
}

// sameLines repeats lines made beforehand, so that making them is not measured.
func sameLines() func(int) string {
	lines := make([]string, 10_000)
	for n := range lines {
		lines[n] = customerLine(n)
	}
	return func(n int) string {
		if n == 0 {
			return lines[0]
		}
		return lines[1+n%(len(lines)-1)]
	}
}

func BenchmarkCheck(b *testing.B) {
	const n = 300_000
	line := sameLines()
	b.ReportAllocs()
	for b.Loop() {
		if got := checkSource(b, &lineSource{n: n, line: line}); got.Rows != n {
			b.Fatal(got.Rows)
		}
	}
	b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
}

func BenchmarkRow(b *testing.B) {
	m := compiled(b, benchHeading[:len(benchHeading)-1], CompileOptions{})
	cells := []string{"1001", "Ada", "Reed", "Northlight Ltd", "Ms", "ada@example.com", "555-0100", "AC-1", "north", "spring", "EMB", "77"}
	b.ReportAllocs()
	for b.Loop() {
		if len(m.Row(cells).Cells) != 11 {
			b.Fatal("a cell got lost")
		}
	}
}

func checkSource(t testing.TB, s *lineSource) *Checked {
	t.Helper()
	in, err := csvfile.NewReader(s, "in.csv", csvfile.Options{})
	if err != nil {
		t.Fatal(err)
	}
	m, err := Compile([]Schema{schema()}, in.Heading(), CompileOptions{})
	if err != nil {
		t.Fatal(err)
	}
	got, err := Check(in, m, nil, CheckOptions{AllowDuplicates: true})
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// Engine and report hold a Checked for as long as they run.
func TestCheckedIsSmall(t *testing.T) {
	const n = 100_000
	held := func(rows int) (*Checked, int64) {
		got := checkSource(t, &lineSource{n: rows, line: customerLine})
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return got, int64(m.HeapAlloc)
	}
	few, before := held(10)
	many, after := held(n)
	if perRow := (after - before) / n; perRow > 10 {
		t.Errorf("%d bytes a row stay in memory", perRow)
	}
	if few.Rows != 10 || many.Rows != n || many.Rejected != 0 {
		t.Errorf("%d and %d rows, %d rejected", few.Rows, many.Rows, many.Rejected)
	}
}
