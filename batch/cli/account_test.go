package cli_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"maps"
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

// account is a sandbox behind HTTP, with limits so high that no run waits.
type account struct {
	*sandbox.Sandbox
	url, dir string
}

// openAccount opens an account of 10,000 customers, unless o says otherwise. All of them
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

func smallAccount(t *testing.T, change ...func(*sandbox.Options)) *account {
	t.Helper()
	o := sandbox.Options{Customers: 1000}
	for _, f := range change {
		f(&o)
	}
	return openAccount(t, o)
}

// activeSeed are the sample customers that every action may edit, and that a reference finds.
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

// serve puts a handler before the sandbox.
func (a *account) serve(t *testing.T, h http.Handler) {
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	a.url = server.URL
}

// between may spoil requests for pages of the list, and the headers of their answers.
func (a *account) between(t *testing.T, spoil func(page string, r *http.Request, h http.Header)) {
	t.Helper()
	a.serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if q := r.URL.Query(); strings.HasSuffix(r.URL.Path, "/customers") && q.Has("pageNumber") {
			spoil(q.Get("pageNumber"), r, w.Header())
		}
		a.ServeHTTP(w, r)
	}))
}

// rewrite changes the text of the list's pages.
func (a *account) rewrite(t *testing.T, change func(page string) string) {
	t.Helper()
	a.serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		if !strings.HasSuffix(r.URL.Path, "/customers") || !q.Has("pageNumber") || strings.HasPrefix(q.Get("query"), "reference:") {
			a.ServeHTTP(w, r)
			return
		}
		answer := httptest.NewRecorder()
		a.ServeHTTP(answer, r)
		maps.Copy(w.Header(), answer.Header())
		w.Header().Del("Content-Length")
		w.WriteHeader(answer.Code)
		_, _ = w.Write([]byte(change(answer.Body.String())))
	}))
}

// customer is what a row may name a customer by.
type customer struct{ id, reference string }

// first returns the first n customers.
func (a *account) first(n int) (all []customer) {
	for _, id := range a.IDs()[:n] {
		all = append(all, customer{id, a.field(id, "reference")})
	}
	return all
}

// field returns a customer's value.
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

// edits writes a file that gives each customer a first name: one in every gets a new one,
// the others the one that they have. With every 0 all keep theirs.
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

// setting returns an edit that somebody else makes.
func setting(field, raw string) func([]byte) []byte {
	return func(body []byte) []byte {
		after, err := sjson.SetRawBytes(body, field, []byte(raw))
		if err != nil {
			panic(err)
		}
		return after
	}
}

// runResult is what a run came to, and the requests that it made.
type runResult struct {
	code          int
	reads, writes int
	kinds         map[string]int // requests
	outcomes      map[string]int
	summary       []byte
	said          string
}

func (b runResult) total() int { return b.reads + b.writes }

// run carries out a command that is not to stop early.
func (a *account) run(t *testing.T, args ...string) runResult {
	t.Helper()
	b := a.runAny(t, args...)
	if b.code != 0 && b.code != 3 {
		t.Fatalf("exit %d\n%s%s", b.code, b.summary, b.said)
	}
	return b
}

// runAny carries out a command, however it ends, and counts the requests that arrived.
func (a *account) runAny(t *testing.T, args ...string) runResult {
	t.Helper()
	return a.runWithMessages(t, append(args, "--quiet")...)
}

// runWithMessages is runAny without --quiet.
func (a *account) runWithMessages(t *testing.T, args ...string) runResult {
	t.Helper()
	before := a.Requests()
	c := exec.Command("rowbatch", append(args, "--json", "--reports", filepath.Join(a.dir, "reports"))...)
	c.Env = append(append(environment(), settingsFor(a.url)...), "ROWBATCH_SANDBOX_DIR="+a.dir)
	var out, said bytes.Buffer
	c.Stdout, c.Stderr = &out, &said
	err := c.Run()
	code := exitCode(t, c, err)
	after := a.Requests()
	b := runResult{code: code, reads: after.Reads - before.Reads, writes: after.Writes - before.Writes, kinds: map[string]int{}, summary: out.Bytes(), said: said.String()}
	for kind, n := range after.Kinds {
		if n -= before.Kinds[kind]; n > 0 {
			b.kinds[kind] = n
		}
	}
	outcomes := gjson.GetBytes(b.summary, "outcomes")
	if !outcomes.Exists() { // no run began
		return b
	}
	if err := json.Unmarshal([]byte(outcomes.Raw), &b.outcomes); err != nil {
		t.Fatal(err)
	}
	return b
}

// want compares a result with exact counts: "list=10 get=401 put=200", "changed=200 unchanged=9800".
func (b runResult) want(t *testing.T, requests, outcomes string) {
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

// columnOf reads a column of the account's newest report.
func (a *account) columnOf(t *testing.T, name string) []string {
	t.Helper()
	run, err := newestRun(filepath.Join(a.dir, "reports"))
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(run, "report.csv"))
	if err != nil {
		t.Fatal(err)
	}
	s, err := parseSheet(string(text))
	if err != nil {
		t.Fatal(err)
	}
	return s.column(name)
}
