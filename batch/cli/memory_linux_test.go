package cli_test

import (
	"bufio"
	"bytes"
	"cmp"
	"flag"
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
	"syscall"
	"testing"
	"time"

	"github.com/tidwall/gjson"
)

var many = flag.Int("many", 0, "rows, and customers, of TestMemoryOfTheList; 0: leave it out")

// crowd is a server of so many customers, who are made as they are asked for: the
// sandbox would take longer to sort them than the run takes.
type crowd int

func (c crowd) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	limits(w.Header())
	if id, err := strconv.Atoi(path.Base(strings.TrimSuffix(r.URL.Path, "/overview"))); err == nil {
		fmt.Fprint(w, member(id-1_000_000))
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
		fmt.Fprintf(out, "%c%s", sign, member(n))
		sign = ','
	}
	fmt.Fprint(out, "]")
}

// limits are such that nothing is to be waited for.
func limits(h http.Header) {
	h.Set("Content-Type", "application/json")
	for window, ends := range map[string]time.Duration{"Minute": time.Minute, "Day": time.Hour} {
		h.Set("X-Rate-Limit-Limit-"+window, "10000000")
		h.Set("X-Rate-Limit-Remaining-"+window, "9990000")
		h.Set("X-Rate-Limit-Reset-"+window, time.Now().UTC().Truncate(ends).Add(ends).Format(time.RFC3339))
	}
}

func member(n int) string {
	return fmt.Sprintf(`{"id":%d,"reference":"AC-%d","firstName":"Ada","lastName":"Reed","companyName":"Northlight %d","primaryEmail":"a%d@example.com",`+
		`"status":"Active","currency":"USD","createdTimestamp":"2020-01-01T00:00:00.%07d"}`, 1_000_000+n, n, n, n, n)
}

// file writes a row for each customer, in another order than the list's.
func (c crowd) file(t *testing.T, key, name string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "by-"+key+".csv")
	f, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	out := bufio.NewWriter(f)
	fmt.Fprintln(out, key+",firstName")
	for i := range int(c) {
		n := i * 7919 % int(c) // 7919 is a prime: each once
		who := map[string]string{"id": strconv.Itoa(1_000_000 + n), "reference": "AC-" + strconv.Itoa(n)}[key]
		fmt.Fprintln(out, who+","+name)
	}
	if err := out.Flush(); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	return file
}

// TestMemoryOfTheList measures the peak of a run whose every customer the list
// settles, of one that asks for each, and of an export sent back:
// go test ./batch/cli -run MemoryOfTheList -many 1000000 -v -timeout 30m
func TestMemoryOfTheList(t *testing.T) {
	if *many == 0 {
		t.Skip("it takes minutes; -many says of how many rows")
	}
	server := httptest.NewServer(crowd(*many))
	defer server.Close()
	for _, c := range []struct {
		key, name, flags, outcome string
	}{
		{"id", "Ada", "--quiet", "unchanged"}, {"reference", "Ada", "--quiet", "unchanged"},
		{"id", "Eve", "--dry-run", "would_change"}, {"reference", "Eve", "--dry-run", "would_change"},
		{"id", "Ada", "--quiet --lookup each", "unchanged"},
	} {
		measure(t, server.URL, crowd(*many).file(t, c.key, c.name), filepath.Join(t.TempDir(), "reports"), c.outcome, strings.Fields(c.flags)...)
	}
	reports, file := filepath.Join(t.TempDir(), "reports"), filepath.Join(t.TempDir(), "export.csv")
	export := exec.Command("rowbatch", "export", "-o", file, "--columns", "id,reference,firstName,lastName,companyName,primaryEmail,status,currency", "--quiet", "--reports", reports)
	export.Env = append(environment(), "FUSEBILL_URL="+server.URL+"/v1", "FUSEBILL_API_KEY=MDpzYW5kYm94")
	if out, err := export.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	measure(t, server.URL, file, reports, "unchanged", "--quiet")
}

// measure runs an update in a process of its own, and wants one outcome for all its rows.
func measure(t *testing.T, url, file, reports, outcome string, flags ...string) {
	t.Helper()
	run := exec.Command("rowbatch", append([]string{"update", file, "--json", "--reports", reports}, flags...)...)
	run.Env = append(environment(), "FUSEBILL_URL="+url+"/v1", "FUSEBILL_API_KEY=MDpzYW5kYm94")
	began := time.Now()
	out, err := run.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if n := gjson.GetBytes(out, "outcomes."+outcome).Int(); int(n) != *many {
		t.Errorf("%d rows are %s\n%s", n, outcome, out)
	}
	peak := run.ProcessState.SysUsage().(*syscall.Rusage).Maxrss >> 10
	t.Logf("%s %s, %s: %d requests, %s, peak %d MB", filepath.Base(file), strings.Join(flags, " "), outcome,
		gjson.GetBytes(out, "requests.total").Int(), time.Since(began).Round(time.Second/10), peak)
	if peak >= 150 {
		t.Errorf("%s, %s: peak %d MB", filepath.Base(file), outcome, peak)
	}
}

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
