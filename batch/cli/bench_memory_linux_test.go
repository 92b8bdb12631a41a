package cli_test

import (
	"bufio"
	"bytes"
	"cmp"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/tidwall/gjson"
)

// BenchmarkMemory measures the peak of runs of 10,000 and of 1,000,000 rows (or
// -many), against as many customers, and the bytes that a further row takes:
//
//	go test ./batch/cli -run '^$' -bench Memory -benchtime 1x -timeout 1h
func BenchmarkMemory(b *testing.B) {
	program, large := buildProgram(b), cmp.Or(*many, 1_000_000)
	const small = 10_000
	for _, c := range []struct {
		name string
		run  func(crowdRun, *testing.B) int
	}{
		{"by-id", func(r crowdRun, b *testing.B) int { return r.update(b, "id", "Ada") }},
		{"by-reference", func(r crowdRun, b *testing.B) int { return r.update(b, "reference", "Ada") }},
		{"plan-by-id", func(r crowdRun, b *testing.B) int { return r.update(b, "id", "Eve", "--dry-run") }},
		{"each", func(r crowdRun, b *testing.B) int { return r.update(b, "id", "Ada", "--lookup", "each") }},
		{"export", crowdRun.export},
		{"export-update", crowdRun.editExported},
	} {
		b.Run(c.name, func(b *testing.B) {
			for b.Loop() {
				few := c.run(newCrowdRun(b, program, small), b)
				lot := c.run(newCrowdRun(b, program, large), b)
				b.ReportMetric(0, "ns/op")
				b.ReportMetric(float64(few)/(1<<20), "MB-at-10000")
				b.ReportMetric(float64(lot)/(1<<20), "MB-at-"+strconv.Itoa(large))
				b.ReportMetric(float64(lot-few)/float64(large-small), "bytes/row")
			}
		})
	}
}

// crowdRun is a program before a server of so many customers.
type crowdRun struct {
	program, url, dir string
	customers         crowd
}

// memoryCrowd answers for one customer, too, as its crowd does in the list.
type memoryCrowd struct{ crowd }

func (c memoryCrowd) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	id, err := strconv.Atoi(path.Base(strings.TrimSuffix(r.URL.Path, "/overview")))
	if err != nil {
		c.crowd.ServeHTTP(w, r)
		return
	}
	head := httptest.NewRecorder()
	crowd(0).ServeHTTP(head, r) // the limits
	maps.Copy(w.Header(), head.Header())
	n := id - firstBenchID
	fmt.Fprintf(w, `{"id":%d,"reference":"AC-%d","firstName":"Ada","lastName":"Reed","companyName":"Northlight %d","primaryEmail":"a%d@example.com",`+
		`"status":"Active","currency":"USD","createdTimestamp":"2020-01-01T00:00:00.%07d"}`, id, n, n, n, n)
}

func newCrowdRun(b *testing.B, program string, customers int) crowdRun {
	server := httptest.NewServer(memoryCrowd{crowd(customers)})
	b.Cleanup(server.Close)
	return crowdRun{program, server.URL, b.TempDir(), crowd(customers)}
}

func (r crowdRun) update(b *testing.B, key, name string, flags ...string) (peak int) {
	_, peak = r.run(b, append([]string{"update", r.file(b, key, name)}, flags...)...)
	return peak
}

// file writes a row for each customer, in another order than the list's.
func (r crowdRun) file(b *testing.B, key, name string) string {
	b.Helper()
	file := filepath.Join(r.dir, "rows.csv")
	f, err := os.Create(file)
	if err != nil {
		b.Fatal(err)
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
		b.Fatal(err)
	}
	return file
}

func (r crowdRun) sheet() string { return filepath.Join(r.dir, "customers.csv") }

func (r crowdRun) export(b *testing.B) (peak int) {
	_, peak = r.run(b, "export", "-o", r.sheet(), "--columns", "id,reference,firstName,lastName,companyName,primaryEmail,status,currency") // what the list shows
	return peak
}

// editExported sends an export back with three cells edited, as a dry run.
func (r crowdRun) editExported(b *testing.B) (peak int) {
	r.export(b)
	sheet, err := os.ReadFile(r.sheet())
	if err != nil {
		b.Fatal(err)
	}
	if err := os.WriteFile(r.sheet(), bytes.Replace(sheet, []byte("Ada"), []byte("Eve"), 3), 0o644); err != nil {
		b.Fatal(err)
	}
	summary, peak := r.run(b, "update", r.sheet(), "--dry-run")
	if n := gjson.GetBytes(summary, "outcomes.would_change").Int(); n != 3 {
		b.Fatalf("%d rows would change\n%s", n, summary)
	}
	return peak
}

// run returns the summary and the peak of resident bytes.
func (r crowdRun) run(b *testing.B, args ...string) (summary []byte, peak int) {
	b.Helper()
	run := exec.Command(r.program, append(args, "--json", "--quiet", "--reports", filepath.Join(r.dir, "reports"))...)
	run.Env = append(environment(), "FUSEBILL_URL="+r.url+"/v1", "FUSEBILL_API_KEY=MDpzYW5kYm94")
	var out, said bytes.Buffer
	run.Stdout, run.Stderr = &out, &said
	peak, err := carriedOut(run)
	if err != nil {
		b.Fatalf("%v\n%s", err, said.String())
	}
	return out.Bytes(), peak
}
