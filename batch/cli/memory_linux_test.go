package cli_test

import (
	"bufio"
	"flag"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
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
	page, _ := strconv.Atoi(r.URL.Query().Get("pageNumber"))
	next := page + 1
	if next*1000 >= int(c) {
		next = -1
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("X-Count", strconv.Itoa(int(c)))
	w.Header().Set("X-NextPage", strconv.Itoa(next))
	for window, ends := range map[string]time.Duration{"Minute": time.Minute, "Day": time.Hour} { // nothing is to be waited for
		w.Header().Set("X-Rate-Limit-Limit-"+window, "1000000")
		w.Header().Set("X-Rate-Limit-Remaining-"+window, "999000")
		w.Header().Set("X-Rate-Limit-Reset-"+window, time.Now().UTC().Truncate(ends).Add(ends).Format(time.RFC3339))
	}
	out := bufio.NewWriter(w)
	defer out.Flush()
	sign := '['
	for n := page * 1000; n < min((page+1)*1000, int(c)); n++ {
		fmt.Fprintf(out, `%c{"id":%d,"reference":"AC-%d","firstName":"Ada","lastName":"Reed","companyName":"Northlight %d","primaryEmail":"a%d@example.com",`+
			`"status":"Active","currency":"USD","createdTimestamp":"2020-01-01T00:00:00.%07d"}`, sign, 1_000_000+n, n, n, n, n)
		sign = ','
	}
	fmt.Fprint(out, "]")
}

// file writes a row for each customer, in another order than the list's.
func (c crowd) file(t *testing.T, key, name string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "rows.csv")
	f, err := os.Create(path)
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
	return path
}

// TestMemoryOfTheList measures the peak of a run whose every customer the list
// settles: go test ./batch/cli -run MemoryOfTheList -many 1000000 -v
func TestMemoryOfTheList(t *testing.T) {
	if *many == 0 {
		t.Skip("it takes minutes; -many says of how many rows")
	}
	server := httptest.NewServer(crowd(*many))
	defer server.Close()
	for _, c := range []struct {
		key, name, flag, outcome string
	}{
		{"id", "Ada", "--quiet", "unchanged"}, {"reference", "Ada", "--quiet", "unchanged"},
		{"id", "Eve", "--dry-run", "would_change"}, {"reference", "Eve", "--dry-run", "would_change"},
	} {
		run := exec.Command("rowbatch", "update", crowd(*many).file(t, c.key, c.name), "--json", c.flag, "--reports", filepath.Join(t.TempDir(), "reports"))
		run.Env = append(environment(), "FUSEBILL_URL="+server.URL+"/v1", "FUSEBILL_API_KEY=MDpzYW5kYm94")
		began := time.Now()
		out, err := run.Output()
		if err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		if n := gjson.GetBytes(out, "outcomes."+c.outcome).Int(); int(n) != *many {
			t.Errorf("%d rows are %s\n%s", n, c.outcome, out)
		}
		peak := run.ProcessState.SysUsage().(*syscall.Rusage).Maxrss >> 10
		t.Logf("by %s, %s: %d requests, %s, peak %d MB", c.key, c.outcome, gjson.GetBytes(out, "requests.total").Int(), time.Since(began).Round(time.Second/10), peak)
		if peak >= 100 {
			t.Errorf("by %s, %s: peak %d MB", c.key, c.outcome, peak)
		}
	}
}
