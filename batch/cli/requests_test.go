package cli_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/tidwall/gjson"
	"github.com/tidwall/sjson"

	"rowbatch/client/sandbox"
	"rowbatch/samples"
)

// account is a sandbox behind HTTP, with nothing to wait for.
type account struct {
	*sandbox.Sandbox
	url, dir string
}

// openAccount opens one of 10,000 customers, unless o says otherwise. All of them
// are Active, and each has a reference of its own.
func openAccount(t *testing.T, o sandbox.Options) *account {
	t.Helper()
	o.Seed, o.Minute, o.Day = activeSeed(), 10_000_000, 10_000_000
	if o.Customers == 0 {
		o.Customers = 10_000
	}
	box, err := sandbox.Open(o)
	if err != nil {
		t.Fatal(err)
	}
	a := &account{Sandbox: box, dir: t.TempDir()}
	a.serve(t, box)
	return a
}

// serve puts a handler before the sandbox.
func (a *account) serve(t *testing.T, h http.Handler) {
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	a.url = server.URL
}

// activeSeed leaves out of the samples' customers whom not every row could be about.
func activeSeed() []byte {
	var kept []string
	bearers := map[string]int{}
	all := gjson.ParseBytes(samples.Seed()).Array()
	for _, c := range all {
		bearers[c.Get("reference").String()]++
	}
	for _, c := range all {
		if ref := c.Get("reference").String(); c.Get("status").Str == "Active" && strings.HasPrefix(ref, "AC-1") && bearers[ref] == 1 && c.Get("hubSpotId").Exists() && c.Get("hubSpotCompanyId").Exists() {
			kept = append(kept, c.Raw)
		}
	}
	return []byte("[" + strings.Join(kept, ",") + "]")
}

// customer is how a row may name one.
type customer struct{ id, reference string }

// some returns the first n customers.
func (a *account) some(n int) (all []customer) {
	for _, id := range a.IDs()[:n] {
		all = append(all, customer{id, a.field(id, "reference")})
	}
	return all
}

// field returns what a customer has.
func (a *account) field(id, name string) string {
	body, _ := a.Customer(id)
	return gjson.GetBytes(body, name).String()
}

// file writes rows under a heading.
func (a *account) file(t *testing.T, heading []string, rows [][]string) string {
	t.Helper()
	var b bytes.Buffer
	if err := csv.NewWriter(&b).WriteAll(append([][]string{heading}, rows...)); err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(a.dir, "rows.csv")
	if err := os.WriteFile(name, b.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	return name
}

// bill is what a run cost and brought.
type bill struct {
	code          int
	reads, writes int
	kinds         map[string]int // requests
	outcomes      map[string]int
	summary       []byte
	said          string
}

func (b bill) total() int { return b.reads + b.writes }

// run carries a command out that does not stop early.
func (a *account) run(t *testing.T, args ...string) bill {
	t.Helper()
	b := a.runTo(t, args...)
	if b.code != 0 && b.code != 3 {
		t.Fatalf("exit %d\n%s%s", b.code, b.summary, b.said)
	}
	return b
}

// runTo carries a command out, and counts the requests that arrived at the server.
func (a *account) runTo(t *testing.T, args ...string) bill {
	t.Helper()
	return a.runLoud(t, append(args, "--quiet")...)
}

// runLoud is runTo with what a run says of itself.
func (a *account) runLoud(t *testing.T, args ...string) bill {
	t.Helper()
	before := a.Requests()
	c := exec.Command("rowbatch", append(args, "--json", "--reports", filepath.Join(a.dir, "reports"))...)
	c.Env = append(environment(), "FUSEBILL_URL="+a.url+"/v1", "FUSEBILL_API_KEY=MDpzYW5kYm94", "ROWBATCH_SANDBOX_DIR="+a.dir)
	var out, said bytes.Buffer
	c.Stdout, c.Stderr = &out, &said
	err := c.Run()
	code := exitCode(t, c, err)
	after := a.Requests()
	b := bill{code: code, reads: after.Reads - before.Reads, writes: after.Writes - before.Writes, kinds: map[string]int{}, summary: out.Bytes(), said: said.String()}
	for kind, n := range after.Kinds {
		if n -= before.Kinds[kind]; n > 0 {
			b.kinds[kind] = n
		}
	}
	if out.Len() == 0 { // nothing was begun
		return b
	}
	if err := json.Unmarshal([]byte(gjson.GetBytes(b.summary, "outcomes").Raw), &b.outcomes); err != nil {
		t.Fatal(err)
	}
	return b
}

// want compares a bill with exact counts: "list=10 get=401 put=200", "changed=200 unchanged=9800".
func (b bill) want(t *testing.T, requests, outcomes string) {
	t.Helper()
	if n := gjson.GetBytes(b.summary, "requests.total").Int(); int(n) != b.total() {
		t.Errorf("the summary counts %d requests, the server %d", n, b.total())
	}
	for what, c := range map[string]struct {
		want string
		got  map[string]int
	}{"requests": {requests, b.kinds}, "outcomes": {outcomes, b.outcomes}} {
		want := map[string]int{}
		for _, word := range strings.Fields(c.want) {
			name, n, _ := strings.Cut(word, "=")
			want[name], _ = strconv.Atoi(n)
		}
		for name, n := range c.got {
			if n == 0 {
				delete(c.got, name)
			}
		}
		if fmt.Sprint(want) != fmt.Sprint(c.got) {
			t.Errorf("%s: %v, want %v\n%s%s", what, c.got, want, b.summary, b.said)
		}
	}
}

// edits writes a file that gives each customer a first name: to one in every a new
// one, to the others the one that they have.
func (a *account) edits(t *testing.T, key string, to []customer, every int) string {
	t.Helper()
	var rows [][]string
	for n, c := range to {
		name := a.field(c.id, "firstName")
		if every > 0 && n%every == 0 {
			name += "ne"
		}
		rows = append(rows, []string{map[string]string{"id": c.id, "reference": c.reference}[key], name})
	}
	return a.file(t, []string{key, "firstName"}, rows)
}

// What an update of so many rows costs, in an account of 10,000 customers: the
// README has the figures. A run's first write is checked by
// one read more, and by the overview before and after it.
func TestRequestsOfAnUpdate(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, key          string
		rows, every, most  int
		requests, outcomes string
		again              string // the same run a second time
	}{
		{"few rows", "id", 10, 1, 24, "get=11 overview=2 put=10", "changed=10", "get=10"},
		{"all change", "id", 10_000, 1, 20_015, "list=10 get=10001 overview=2 put=10000", "changed=10000", "list=10"},
		{"two in a hundred change", "id", 10_000, 50, 415, "list=10 get=201 overview=2 put=200", "changed=200 unchanged=9800", "list=10"},
		{"none changes", "id", 10_000, 0, 11, "list=10", "unchanged=10000", "list=10"},
		{"all change, by reference", "reference", 10_000, 1, 20_015, "list=10 get=10001 overview=2 put=10000", "changed=10000", "list=10"},
		{"none changes, by reference", "reference", 10_000, 0, 11, "list=10", "unchanged=10000", "list=10"},
		// A list of 10 pages spares at most 90 reads, of which a tenth must be hoped for.
		{"too few rows for the list", "id", 90, 0, 91, "list=1 get=90", "unchanged=90", "list=1 get=90"},
		{"enough rows for the list", "id", 100, 0, 10, "list=10", "unchanged=100", "list=10"},
		{"searches are spared sooner", "reference", 51, 0, 10, "list=10", "unchanged=51", "list=10"},
		{"few searches", "reference", 50, 0, 100, "list=50 get=50", "unchanged=50", "list=50 get=50"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if underRace && c.most > 20_000 {
				t.Skip("requests are counted without -race; what may race does so in the cases of fewer")
			}
			a := openAccount(t, sandbox.Options{})
			name := a.edits(t, c.key, a.some(c.rows), c.every)
			b := a.run(t, "update", name)
			b.want(t, c.requests, c.outcomes)
			if b.total() > c.most {
				t.Errorf("%d requests, and at most %d may be made", b.total(), c.most)
			}
			a.run(t, "update", name).want(t, c.again, fmt.Sprintf("unchanged=%d", c.rows))
		})
	}
}

func TestRequestsOfAHold(t *testing.T) {
	t.Parallel()
	a := openAccount(t, sandbox.Options{})
	var rows [][]string
	for n, c := range a.some(1000) {
		rows = append(rows, []string{c.id})
		if n%10 < 3 {
			a.Edit(c.id, setting("status", `"Hold"`))
		}
	}
	name := a.file(t, []string{"id"}, rows)
	b := a.run(t, "hold", name)
	b.want(t, "list=10 get=2 overview=701 hold=700", "changed=700 unchanged=300")
	if b.total() > 1704 {
		t.Errorf("%d requests", b.total())
	}
	a.run(t, "hold", name).want(t, "list=10", "unchanged=1000")
}

func TestRequestsOfALatch(t *testing.T) {
	t.Parallel()
	a := openAccount(t, sandbox.Options{Customers: 1000})
	var rows [][]string
	for n, c := range a.some(200) {
		contact := strconv.Itoa(51_000_500_000 + n)
		rows = append(rows, []string{c.id, contact})
		if n%2 == 0 {
			a.Edit(c.id, setting("hubSpotId", contact))
		}
	}
	a.run(t, "latch", a.file(t, []string{"id", "hubSpotId"}, rows)).want(t, "list=1 get=101 overview=2 latch=100", "changed=100 unchanged=100")
}

// setting returns an edit of somebody else's.
func setting(field, raw string) func([]byte) []byte {
	return func(body []byte) []byte {
		after, err := sjson.SetRawBytes(body, field, []byte(raw))
		if err != nil {
			panic(err)
		}
		return after
	}
}
