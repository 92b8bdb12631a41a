package cli_test

import (
	"bufio"
	"bytes"
	"cmp"
	"flag"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/tidwall/gjson"
)

var many = flag.Int("many", 0, "rows, and customers, of TestMemoryOfTheList and BenchmarkMemory; 0: the test is left out, the benchmark takes 1,000,000")

// TestMemoryOfTheList measures the peak of runs whose every customer the list
// settles, of one that asks for each, and of an export sent back:
//
//	go test ./batch/cli -run MemoryOfTheList -many 1000000 -v -timeout 30m
func TestMemoryOfTheList(t *testing.T) {
	if *many == 0 {
		t.Skip("it takes minutes; -many says of how many rows")
	}
	for _, c := range []struct {
		key, name, flags, outcome string
	}{
		{"id", "Ada", "--quiet", "unchanged"}, {"reference", "Ada", "--quiet", "unchanged"},
		{"id", "Eve", "--dry-run", "would_change"}, {"reference", "Eve", "--dry-run", "would_change"},
		{"id", "Ada", "--quiet --lookup each", "unchanged"},
		{"", "", "--quiet", "unchanged"}, // the export
	} {
		r := newMemoryRun(t, "rowbatch", *many)
		what, file := "by "+c.key+" "+c.flags+", "+c.outcome, ""
		if c.key == "" {
			what = "an export sent back"
			r.export(t)
			file = r.sheet()
		} else {
			file = r.file(t, c.key, c.name)
		}
		began := time.Now()
		m := r.update(t, file, c.outcome, *many, strings.Fields(c.flags)...)
		t.Logf("%s: %d requests, %s, peak %d MB", what, m.requests, time.Since(began).Round(time.Second/10), m.maxrss>>20)
		if m.maxrss >= 150<<20 {
			t.Errorf("%s: peak %d MB", what, m.maxrss>>20)
		}
	}
}

// BenchmarkMemory measures the peak of runs of 10,000 and of 1,000,000 rows (or
// -many), against as many customers, and the bytes that a further row takes:
//
//	go test ./batch/cli -run '^$' -bench Memory -benchtime 1x -timeout 1h
func BenchmarkMemory(b *testing.B) {
	program, large := buildProgram(b), cmp.Or(*many, 1_000_000)
	const small = 10_000
	update := func(key, name, outcome string, flags ...string) func(memoryRun) int {
		return func(r memoryRun) int {
			return r.update(b, r.file(b, key, name), outcome, int(r.customers), append(flags, "--quiet")...).peak
		}
	}
	for _, c := range []struct {
		name string
		run  func(memoryRun) int
	}{
		{"by-id", update("id", "Ada", "unchanged")},
		{"by-reference", update("reference", "Ada", "unchanged")},
		{"plan-by-id", update("id", "Eve", "would_change", "--dry-run")},
		{"each", update("id", "Ada", "unchanged", "--lookup", "each")},
		{"export", func(r memoryRun) int { return r.export(b).peak }},
		{"export-update", func(r memoryRun) int { // three cells of an export edited, in a dry run
			r.export(b)
			sheet, err := os.ReadFile(r.sheet())
			if err == nil {
				err = os.WriteFile(r.sheet(), bytes.Replace(sheet, []byte("Ada"), []byte("Eve"), 3), 0o644)
			}
			if err != nil {
				b.Fatal(err)
			}
			return r.update(b, r.sheet(), "would_change", 3, "--dry-run", "--quiet").peak
		}},
	} {
		b.Run(c.name, func(b *testing.B) {
			for b.Loop() {
				few := c.run(newMemoryRun(b, program, small))
				lot := c.run(newMemoryRun(b, program, large))
				b.ReportMetric(0, "ns/op")
				b.ReportMetric(float64(few)/(1<<20), "MB-at-10000")
				b.ReportMetric(float64(lot)/(1<<20), "MB-at-"+strconv.Itoa(large))
				b.ReportMetric(float64(lot-few)/float64(large-small), "bytes/row")
			}
		})
	}
}

// memoryRun is a folder in which the program runs, against a server of many customers.
type memoryRun struct {
	program, url, dir string
	customers         manyCustomers
}

func newMemoryRun(tb testing.TB, program string, customers int) memoryRun {
	server := httptest.NewServer(manyCustomers(customers))
	tb.Cleanup(server.Close)
	return memoryRun{program, server.URL, tb.TempDir(), manyCustomers(customers)}
}

// file writes a row for each customer, in another order than the list's.
func (r memoryRun) file(tb testing.TB, key, name string) string {
	tb.Helper()
	file := filepath.Join(r.dir, "rows.csv")
	f, err := os.Create(file)
	if err != nil {
		tb.Fatal(err)
	}
	defer f.Close()
	out := bufio.NewWriter(f)
	fmt.Fprintln(out, key+",firstName")
	for i := range int(r.customers) {
		n := i * 7919 % int(r.customers) // 7919 is a prime: each once
		who := strconv.Itoa(firstBenchID + n)
		if key == "reference" {
			who = "AC-" + strconv.Itoa(n)
		}
		fmt.Fprintln(out, who+","+name)
	}
	if err := out.Flush(); err != nil {
		tb.Fatal(err)
	}
	return file
}

// sheet is the file of an export.
func (r memoryRun) sheet() string { return filepath.Join(r.dir, "customers.csv") }

// export exports what the list shows.
func (r memoryRun) export(tb testing.TB) measured {
	tb.Helper()
	return r.run(tb, "export", "-o", r.sheet(), "--columns", "id,reference,firstName,lastName,companyName,primaryEmail,status,currency", "--quiet")
}

// update wants one outcome for so many rows of a file.
func (r memoryRun) update(tb testing.TB, file, outcome string, rows int, flags ...string) measured {
	tb.Helper()
	m := r.run(tb, append([]string{"update", file}, flags...)...)
	if n := gjson.GetBytes(m.summary, "outcomes."+outcome).Int(); int(n) != rows {
		tb.Fatalf("%d rows are %s, not %d\n%s", n, outcome, rows, m.summary)
	}
	return m
}

// measured is a run's summary and its memory, in bytes.
type measured struct {
	summary  []byte
	requests int64
	peak     int // the most that was resident
	maxrss   int // the same as the operating system counts it, the test's own memory at the start included
}

func (r memoryRun) run(tb testing.TB, args ...string) measured {
	tb.Helper()
	run := exec.Command(r.program, append(args, "--json", "--reports", filepath.Join(r.dir, "reports"))...)
	run.Env = append(environment(), settingsFor(r.url)...)
	var out, said bytes.Buffer
	run.Stdout, run.Stderr = &out, &said
	peak, err := runMeasured(run)
	if err != nil {
		tb.Fatalf("%v\n%s", err, said.String())
	}
	maxrss := int(run.ProcessState.SysUsage().(*syscall.Rusage).Maxrss) << 10
	return measured{out.Bytes(), gjson.GetBytes(out.Bytes(), "requests.total").Int(), peak, maxrss}
}

// manyCustomers serves so many customers, which are made as they are asked for: the
// sandbox would take longer to sort them than the run takes.
type manyCustomers int

func (c manyCustomers) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	showLimits(w.Header())
	if id, err := strconv.Atoi(path.Base(strings.TrimSuffix(r.URL.Path, "/overview"))); err == nil {
		fmt.Fprint(w, c.customer(id-firstBenchID))
		return
	}
	page, _ := strconv.Atoi(r.URL.Query().Get("pageNumber"))
	next := page + 1
	if next*1000 >= int(c) {
		next = -1
	}
	w.Header().Set("X-Count", strconv.Itoa(int(c)))
	w.Header().Set("X-NextPage", strconv.Itoa(next))
	out := bufio.NewWriter(w)
	defer out.Flush()
	sign := '['
	for n := page * 1000; n < min((page+1)*1000, int(c)); n++ {
		fmt.Fprintf(out, "%c%s", sign, c.customer(n))
		sign = ','
	}
	fmt.Fprint(out, "]")
}

func (c manyCustomers) customer(n int) string {
	return fmt.Sprintf(`{"id":%d,"reference":"AC-%d","firstName":"Ada","lastName":"Reed","companyName":"Northlight %d","primaryEmail":"a%d@example.com",`+
		`"status":"Active","currency":"USD","createdTimestamp":"2020-01-01T00:00:00.%07d"}`, firstBenchID+n, n, n, n, n)
}
