package cli_test

import (
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"rowbatch/client/sandbox"
)

// The requests of an update of so many rows, in an account of 10,000 customers:
// rowbatch help develop has the figures. A run's first write is checked by one more read, and by the
// overview before and after it.
func TestRequestsOfAnUpdate(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, key          string
		rows, every, most  int
		requests, outcomes string
		again              string // the same run a second time
	}{
		{"few rows", "id", 10, 1, 24, "list=1 get=11 overview=2 put=10", "changed=10", "list=1"},
		{"all change", "id", 10_000, 1, 20_015, "list=10 get=10001 overview=2 put=10000", "changed=10000", "list=10"},
		{"two in a hundred change", "id", 10_000, 50, 415, "list=10 get=201 overview=2 put=200", "changed=200 unchanged=9800", "list=10"},
		{"none changes", "id", 10_000, 0, 11, "list=10", "unchanged=10000", "list=10"},
		{"all change, by reference", "reference", 10_000, 1, 20_015, "list=10 get=10001 overview=2 put=10000", "changed=10000", "list=10"},
		{"none changes, by reference", "reference", 10_000, 0, 11, "list=10", "unchanged=10000", "list=10"},
		{"few rows, and none changes", "id", 10, 0, 2, "list=1", "unchanged=10", "list=1"},
		// Of so few rows none may be as it should be, and the set would be asked for in vain.
		{"too few rows for a set", "id", 9, 0, 9, "get=9", "unchanged=9", "get=9"},
		{"one set", "id", 200, 0, 1, "list=1", "unchanged=200", "list=1"},
		{"searches are spared sooner", "reference", 51, 0, 10, "list=10", "unchanged=51", "list=10"},
		{"few searches", "reference", 50, 0, 100, "list=51", "unchanged=50", "list=51"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if underRace && c.most > 20_000 {
				t.Skip("requests are counted without -race; what may race does so in the cases of fewer")
			}
			a := openAccount(t, sandbox.Options{})
			name := a.edits(t, c.key, a.first(c.rows), c.every)
			b := a.run(t, "update", name)
			b.want(t, c.requests, c.outcomes)
			if b.total() > c.most {
				t.Errorf("%d requests, and at most %d may be made", b.total(), c.most)
			}
			a.run(t, "update", name).want(t, c.again, fmt.Sprintf("unchanged=%d", c.rows))
		})
	}
}

// What would change is counted by the list or by sets, too; each row is read right before it is sent.
func TestRequestsOfASurvey(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, key, lookup  string
		rows, every        int
		requests, outcomes string
	}{
		{"few rows", "id", "auto", 10, 1, "list=1 get=11 overview=2 put=10", "changed=10"},
		{"by the list", "id", "auto", 1000, 2, "list=1 get=501 overview=2 put=500", "changed=500 unchanged=500"},
		{"by reference", "reference", "auto", 60, 2, "list=1 get=31 overview=2 put=30", "changed=30 unchanged=30"},
		{"one by one", "id", "each", 10, 1, "get=21 overview=2 put=10", "changed=10"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			a := openAccount(t, sandbox.Options{Customers: 1000})
			would := strconv.Itoa(c.rows / c.every)
			name := a.edits(t, c.key, a.first(c.rows), c.every)
			a.run(t, "update", name, "--lookup", c.lookup, "--expect", would).want(t, c.requests, c.outcomes)
		})
	}
}

func TestRequestsOfAHold(t *testing.T) {
	t.Parallel()
	a := openAccount(t, sandbox.Options{})
	var rows [][]string
	for n, c := range a.first(1000) {
		rows = append(rows, []string{c.id})
		if n%10 < 3 {
			a.Edit(c.id, setting("status", `"Hold"`))
		}
	}
	name := a.file(t, []string{"id"}, rows)
	b := a.run(t, "hold", name)
	b.want(t, "list=5 get=2 overview=701 hold=700", "changed=700 unchanged=300")
	if b.total() > 1414 {
		t.Errorf("%d requests", b.total())
	}
	a.run(t, "hold", name).want(t, "list=5", "unchanged=1000")
}

// claiming makes the account say that it has so many customers. Of a larger account the
// program sees no more than what it asks for.
func (a *account) claiming(t *testing.T, customers int) {
	t.Helper()
	a.serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answer := httptest.NewRecorder()
		a.ServeHTTP(answer, r)
		maps.Copy(w.Header(), answer.Header())
		if w.Header().Get("X-Count") == strconv.Itoa(len(a.IDs())) {
			w.Header().Set("X-Count", strconv.Itoa(customers))
		}
		w.WriteHeader(answer.Code)
		_, _ = w.Write(answer.Body.Bytes())
	}))
}

// In a large account sets of ids are asked for, once the first page of the list has
// shown how long that is.
func TestRequestsInALargeAccount(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name                       string
		account, rows, every, most int
		requests, outcomes         string
	}{
		{"ten rows", 1_000_000, 10, 0, 2, "list=1", "unchanged=10"},
		{"none changes", 40_000, 1100, 0, 12, "list=6", "unchanged=1100"},
		{"two in a hundred change", 1_000_000, 10_000, 50, 462, "list=40 get=201 overview=2 put=200", "changed=200 unchanged=9800"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			a := openAccount(t, sandbox.Options{Customers: 10_001})
			a.claiming(t, c.account)
			b := a.run(t, "update", a.edits(t, "id", a.first(c.rows), c.every))
			b.want(t, c.requests, c.outcomes)
			if b.total() > c.most {
				t.Errorf("%d requests, and at most %d may be made", b.total(), c.most)
			}
		})
	}
}

// A search for sets of ids that is not what it should be is noticed at the first set,
// and told once. It costs two requests at most, and nothing else is any different.
func TestASearchThatLies(t *testing.T) {
	t.Parallel()
	a := smallAccount(t)
	name := a.edits(t, "id", a.first(30), 3)
	for how, want := range map[string]struct{ requests, said string }{
		"ids-400":    {"list=1 get=30", "refused with 400: query: id is no field"},
		"ids-all":    {"list=1 get=30", ": the server showed customers who were not asked for; another way"},
		"ids-first":  {"list=1 get=31", "of 30 customers the server left out customer"},
		"ids-capped": {"list=1 get=30", ": the server showed 5 customers, and counts 30; another way"},
		"ids-twice":  {"list=1 get=30", ": the server showed a customer twice; another way"},
		"ids-some":   {"list=1 get=31", "of 30 customers the server left out customer"},
	} {
		t.Run(how, func(t *testing.T) {
			fault, err := sandbox.ParseFaults([]string{"list:" + how})
			if err != nil {
				t.Fatal(err)
			}
			b := smallAccount(t, func(o *sandbox.Options) { o.Faults = fault })
			for _, mode := range []string{"ids", "auto"} {
				r := b.runWithMessages(t, "update", name, "--dry-run", "--lookup", mode)
				r.want(t, want.requests, "would_change=10 unchanged=20")
				if strings.Count(r.said, "customers cannot be searched for by id: ") != 1 || !strings.Contains(r.said, want.said) {
					t.Errorf("%s", r.said)
				}
			}
		})
	}
}

// Customers who are gone are no lie: one of them is asked for, and the search is believed.
func TestASearchForCustomersWhoAreGone(t *testing.T) {
	t.Parallel()
	a := smallAccount(t)
	rows := append(a.first(30), customer{id: "5"}, customer{id: "6"}, customer{id: "7"})
	a.run(t, "update", a.edits(t, "id", rows, 0), "--lookup", "ids").want(t, "list=1 get=5", "unchanged=30 rejected=3")
}

func TestRequestsOfALatch(t *testing.T) {
	t.Parallel()
	a := openAccount(t, sandbox.Options{Customers: 1000})
	var rows [][]string
	for n, c := range a.first(200) {
		contact := strconv.Itoa(51_000_500_000 + n)
		rows = append(rows, []string{c.id, contact})
		if n%2 == 0 {
			a.Edit(c.id, setting("hubSpotId", contact))
		}
	}
	a.run(t, "latch", a.file(t, []string{"id", "hubSpotId"}, rows)).want(t, "list=1 get=101 overview=2 latch=100", "changed=100 unchanged=100")
}

func TestLookupIsChosen(t *testing.T) {
	t.Parallel()
	a := smallAccount(t)
	few, many := a.first(20), a.first(60)
	for _, c := range []struct {
		name, key string
		rows      []customer
		flags     []string
		requests  string
	}{
		{"few rows", "id", few, nil, "list=1"},
		{"few rows, and the list is wanted", "id", few, []string{"--lookup", "list"}, "list=1"},
		{"many rows", "id", many, nil, "list=1"},
		{"many rows, and the list is not wanted", "id", many, []string{"--lookup", "each"}, "get=60"},
		{"by reference, and the list is wanted", "reference", few, []string{"--lookup", "list"}, "list=1"},
		{"few rows, and sets are wanted", "id", few[:2], []string{"--lookup", "ids"}, "list=1"},
		{"sets of what references have shown", "reference", few, []string{"--lookup", "ids"}, "list=21"},
		{"a condition that list rows can tell", "id", many, []string{"--when", `status == "Active"`}, "list=1"},
		{"a condition that they cannot, since phones are spelled in many ways", "id", many, []string{"--when", `primaryPhone != "1"`}, "list=1 get=60"},
		{"beyond the limit nobody is looked up", "id", many, []string{"--limit", "50"}, "list=1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := a.run(t, append([]string{"update", a.edits(t, c.key, c.rows, 0)}, c.flags...)...)
			delete(b.outcomes, "skipped")
			left := map[bool]int{true: 50, false: len(c.rows)}[len(c.flags) > 0 && c.flags[0] == "--limit"]
			b.want(t, c.requests, fmt.Sprintf("unchanged=%d", left))
		})
	}
	if b := a.runAny(t, "update", a.edits(t, "id", few, 0), "--lookup", "both"); b.code != 10 || b.total() != 0 {
		t.Errorf("--lookup both: exit %d, %d requests", b.code, b.total())
	}
}

func TestPagesCappedByTheServer(t *testing.T) {
	t.Parallel()
	a := smallAccount(t, func(o *sandbox.Options) { o.PageCap = 90 })
	a.run(t, "update", a.edits(t, "reference", a.first(100), 0)).want(t, "list=12", "unchanged=100")
	a.run(t, "update", a.edits(t, "id", a.first(100), 0)).want(t, "list=2 get=100", "unchanged=100")
}

// A field that list rows lack is no evidence, and rows without a time of creation
// leave it open whether each customer was shown once.
func TestShortListRows(t *testing.T) {
	t.Parallel()
	a := smallAccount(t, func(o *sandbox.Options) { o.ShortRows = true })
	rows := a.first(60)
	a.run(t, "update", a.edits(t, "id", rows, 2)).want(t, "list=1 get=31 overview=2 put=30", "changed=30 unchanged=30")
	a.run(t, "update", a.edits(t, "id", rows, 2), "--dry-run").want(t, "list=1 get=30", "would_change=30 unchanged=30")
	a.run(t, "update", a.edits(t, "reference", rows, 0)).want(t, "list=61", "unchanged=60")
	var phones [][]string
	for _, c := range rows {
		phones = append(phones, []string{c.id, a.field(c.id, "primaryPhone"), a.field(c.id, "customerReference.reference2")})
	}
	name := a.file(t, []string{"id", "primaryPhone", "customerReference.reference2"}, phones)
	a.run(t, "update", name).want(t, "list=1 get=60", "unchanged=60")
}

// A dry run reads no customer that the list shows in full; before a write it is read.
func TestDryRunByTheList(t *testing.T) {
	t.Parallel()
	for _, key := range []string{"id", "reference"} {
		a := smallAccount(t)
		a.run(t, "update", a.edits(t, key, a.first(60), 2), "--dry-run").want(t, "list=1", "would_change=30 unchanged=30")
		if changes := a.columnOf(t, "rb_changes"); changes[0] != `[{"field":"firstName","before":"Hugo","after":"Hugone"}]` {
			t.Errorf("%s", changes[0])
		}
		if who := a.columnOf(t, "rb_customer"); who[0] != "Copperleaf Works" || who[1] == "" {
			t.Errorf("%q", who[:2])
		}
		b := a.run(t, "apply", "last")
		b.want(t, "get=31 overview=2 put=30", "changed=30 unchanged=30")
		a.run(t, "undo", "last", "--dry-run").want(t, "list=1", "would_change=30 skipped=30")
		a.run(t, "undo", "last").want(t, "get=31 overview=2 put=30", "changed=30 skipped=30")
	}
}

func TestDryRunOfHoldsReadsWhatIsOwed(t *testing.T) {
	t.Parallel()
	a := smallAccount(t)
	var rows [][]string
	for n, c := range a.first(60) {
		rows = append(rows, []string{c.reference})
		if n%2 == 0 {
			a.Edit(c.id, setting("status", `"Hold"`))
		}
	}
	a.run(t, "hold", a.file(t, []string{"reference"}, rows), "--dry-run").want(t, "list=1 overview=30", "would_change=30 unchanged=30")
	if owed := a.columnOf(t, "rb_balance"); owed[1] == "" {
		t.Errorf("%q", owed[:2])
	}
}

// references writes a file of 60 rows, of which the last three name a reference that no
// customer has, one that three have, and one that cannot be searched for.
func (a *account) references(t *testing.T) string {
	t.Helper()
	some := a.first(64)
	for _, c := range some[60:63] {
		a.Edit(c.id, setting("reference", `"SAME"`))
	}
	a.Edit(some[63].id, setting("reference", `"A;B"`))
	var rows [][]string
	for _, c := range some[:57] {
		rows = append(rows, []string{c.reference, a.field(c.id, "firstName")})
	}
	rows = append(rows, []string{"NOBODY", "Ada"}, []string{"SAME", "Ada"}, []string{"A;B", a.field(some[63].id, "firstName")})
	return a.file(t, []string{"reference", "firstName"}, rows)
}

func TestReferencesInTheList(t *testing.T) {
	t.Parallel()
	a := smallAccount(t)
	a.run(t, "update", a.references(t)).want(t, "list=1", "unchanged=58 rejected=2")
	if got := fmt.Sprint(a.columnOf(t, "rb_error_code")[57:]); got != "[not_found ambiguous_reference ]" {
		t.Errorf("%s", got)
	}
	ids := a.first(63)[60:]
	if got, want := a.columnOf(t, "rb_error")[58], fmt.Sprintf(`3 customers have the reference "SAME": ids %s, %s, %s`, ids[0].id, ids[1].id, ids[2].id); got != want {
		t.Errorf("%s", got)
	}
}

// A list that changed while it was read is no evidence of who is missing: each reference is searched for.
func TestReferencesInAListThatShifts(t *testing.T) {
	t.Parallel()
	a := smallAccount(t, func(o *sandbox.Options) { o.PageCap = 100 })
	box := http.Handler(a.Sandbox)
	a.serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if q := r.URL.Query(); q.Get("pageNumber") == "3" {
			q.Set("pageNumber", "2")
			r.URL.RawQuery = q.Encode()
		}
		box.ServeHTTP(w, r)
	}))
	name := a.references(t)
	// The page that comes twice ends the list: 10 pages, which were asked for side by side,
	// and 59 searches. The customers that it did not show are read.
	a.run(t, "update", name).want(t, "list=69 get=39", "unchanged=57 rejected=3")
	if got := fmt.Sprint(a.columnOf(t, "rb_error_code")[57:]); got != "[not_found ambiguous_reference bad_value]" {
		t.Errorf("%s", got)
	}
}

// A customer with several rows is read before each of them: the list does not show what
// the rows before will have left.
func TestSeveralRowsOfACustomer(t *testing.T) {
	t.Parallel()
	a := smallAccount(t)
	some := a.first(60)
	var rows [][]string
	for _, c := range some {
		rows = append(rows, []string{c.id, a.field(c.id, "firstName")})
	}
	rows = append(rows, []string{some[0].id, "Ada"}, []string{some[0].id, a.field(some[0].id, "firstName")})
	name := a.file(t, []string{"id", "firstName"}, rows)
	a.run(t, "update", name, "--allow-duplicates").want(t, "list=1 get=4 overview=2 put=2", "changed=2 unchanged=60")

	var mixed [][]string
	for n, c := range some {
		mixed = append(mixed, []string{"update", c.id, "", a.field(c.id, "firstName")})
		if n == 0 {
			mixed = append(mixed, []string{"hold", "", c.reference, ""})
		}
	}
	mapping := filepath.Join(a.dir, "mixed.yaml")
	text := "action_column: action\nkey: {update: {column: id, field: id}, hold: {column: reference, field: reference}}\n" +
		"columns:\n  first: firstName\n"
	if err := os.WriteFile(mapping, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	name = a.file(t, []string{"action", "id", "reference", "first"}, mixed)
	a.run(t, "run", name, "--map", mapping).want(t, "list=2 get=3 overview=2 hold=1", "changed=1 unchanged=60")
}

// stoppingServer loses the answer to one write, and then refuses the key until it is open.
type stoppingServer struct {
	http.Handler
	open   atomic.Bool
	writes atomic.Int32
}

func (g *stoppingServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !g.open.Load() && r.Method == http.MethodPut && g.writes.Add(1) == 5 {
		g.Handler.ServeHTTP(httptest.NewRecorder(), r)
		panic(http.ErrAbortHandler)
	}
	if !g.open.Load() && g.writes.Load() >= 5 {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	g.Handler.ServeHTTP(w, r)
}

// A resumed run looks the remaining rows up in the list again. For a row whose write was
// not answered the list is no evidence: its customer is read.
func TestResumedLookup(t *testing.T) {
	t.Parallel()
	a := smallAccount(t)
	g := &stoppingServer{Handler: a.Sandbox}
	a.serve(t, g)
	name := a.edits(t, "id", a.first(120), 1)
	if b := a.runAny(t, "update", name, "--workers", "1"); b.code != 13 || b.outcomes["changed"] != 4 || b.outcomes["in_doubt"] != 1 {
		t.Fatalf("exit %d, %v\n%s", b.code, b.outcomes, b.said)
	}
	g.open.Store(true)
	for _, c := range a.first(70)[10:] { // somebody else has made these edits meanwhile
		a.Edit(c.id, setting("firstName", fmt.Sprintf("%q", a.field(c.id, "firstName")+"ne")))
	}
	b := a.runAny(t, "resume", "last", "--timeout", "2s") // for so long the lost write may still show
	if b.code != 0 || b.kinds["list"] != 1 || b.kinds["put"] != 55 || b.kinds["get"] != 57 || b.outcomes["changed"] != 60 || b.outcomes["unchanged"] != 60 {
		t.Errorf("exit %d, %v, %v\n%s", b.code, b.kinds, b.outcomes, b.said)
	}
	if got := a.columnOf(t, "rb_outcome")[4]; got != "changed" {
		t.Errorf("the row without an answer is %s", got)
	}
}

// A list that does not show references is no evidence of whose they are, however complete
// it is.
func TestReferencesThatTheListDoesNotShow(t *testing.T) {
	a := smallAccount(t)
	reference := regexp.MustCompile(`"reference":("[^"]*"|null),`)
	a.rewrite(t, func(page string) string { return reference.ReplaceAllString(page, "") })
	a.run(t, "update", a.edits(t, "reference", a.first(60), 0)).want(t, "list=61 get=60", "unchanged=60")
}

// A server whose list alone does not work does not stop a run.
func TestAListThatDoesNotWork(t *testing.T) {
	a := smallAccount(t)
	a.rewrite(t, func(string) string { return `{"items":[]}` })
	a.run(t, "update", a.edits(t, "id", a.first(60), 2)).want(t, "list=6 get=61 overview=2 put=30", "changed=30 unchanged=30")
}

// Customers that cannot be edited are spread over a file whose other rows change nothing.
// Whether the run goes on does not depend on how those were looked up.
func TestFailuresAmongRowsOfTheList(t *testing.T) {
	a := smallAccount(t)
	some := a.first(130)
	name := a.edits(t, "id", some, 0)
	cancel := func(c customer) { // whom the row would give his old name back
		a.Edit(c.id, setting("firstName", `"Una"`))
		a.Edit(c.id, setting("status", `"Cancelled"`))
	}
	for n, c := range some {
		if n%10 == 3 {
			cancel(c)
		}
	}
	a.run(t, "update", name, "--lookup", "each").want(t, "get=130", "rejected=13 unchanged=117")
	a.run(t, "update", name).want(t, "list=1 get=13", "rejected=13 unchanged=117")

	for _, c := range some[40:65] {
		cancel(c)
	}
	for _, how := range []string{"each", "list"} { // by one worker, since of several some may end out of their order
		if b := a.runAny(t, "update", name, "--lookup", how, "--workers", "1"); b.code != 5 || b.outcomes["not_attempted"] == 0 {
			t.Errorf("--lookup %s: exit %d, %v, though 25 rows fail that follow each other", how, b.code, b.outcomes)
		}
	}
}
