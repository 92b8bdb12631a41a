package cli_test

import (
	"encoding/csv"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"rowbatch/client/sandbox"
)

// exported exports all customers, and returns the ids in the file; nil when there is no file.
func (a *account) exported(t *testing.T, want int, flags ...string) (b runResult, ids []string) {
	t.Helper()
	name := filepath.Join(a.dir, "out.csv")
	if err := os.RemoveAll(name); err != nil {
		t.Fatal(err)
	}
	b = a.runWithMessages(t, append([]string{"export", "--columns", "id,firstName", "-o", name}, flags...)...)
	if b.code != want {
		t.Fatalf("exit %d, not %d\n%s", b.code, want, b.said)
	}
	text, err := os.ReadFile(name)
	if os.IsNotExist(err) {
		return b, nil
	}
	if err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(strings.NewReader(string(text))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range rows[1:] {
		ids = append(ids, row[0])
	}
	return b, ids
}

func capped(o *sandbox.Options) { o.PageCap = 100 }

func TestExportOfACappedList(t *testing.T) {
	t.Parallel()
	a := smallAccount(t, capped)
	b, ids := a.exported(t, 0)
	slices.Sort(ids)
	if !slices.Equal(ids, slices.Sorted(slices.Values(a.IDs()))) || strings.Contains(b.said, "list changed") {
		t.Errorf("%d ids\n%s", len(ids), b.said)
	}
}

// A customer leaves the list while it is read, and the first of the next page moves to a
// page that was read already: the counts agree, and still the message comes.
func TestExportOfAListThatShifts(t *testing.T) {
	t.Parallel()
	for workers, want := range map[string]string{"1": "the list changed while it was read: it speaks of 999 customers, and showed 999", "8": "the list changed while it was read"} {
		a := smallAccount(t, capped)
		first := a.IDs()[0]
		a.between(t, func(page string, r *http.Request, _ http.Header) {
			q := r.URL.Query()
			q.Set("query", "status:Active")
			r.URL.RawQuery = q.Encode()
			if page == "5" {
				a.Edit(first, setting("status", `"Hold"`))
			}
		})
		b, ids := a.exported(t, 0, "--workers", workers)
		if workers == "1" && len(ids) != 999 || !strings.Contains(b.said, want) {
			t.Errorf("%s workers: %d ids\n%s", workers, len(ids), b.said)
		}
	}
}

// With a server that sends the same page again, a part of the list would pass for the whole.
func TestExportOfAListThatDoesNotTurn(t *testing.T) {
	t.Parallel()
	a := smallAccount(t, capped)
	a.between(t, func(page string, r *http.Request, _ http.Header) {
		if page == "3" {
			q := r.URL.Query()
			q.Set("pageNumber", "2")
			r.URL.RawQuery = q.Encode()
		}
	})
	b, ids := a.exported(t, 5)
	if ids != nil || !strings.Contains(b.said, "does not come to an end") {
		t.Errorf("%d ids\n%s", len(ids), b.said)
	}
	if left, _ := os.ReadDir(filepath.Join(a.dir, "reports")); len(left) > 0 {
		t.Errorf("it left %v", left)
	}
}

// A file in which customers are missing must not pass for the whole list.
func TestExportOfCustomersWithoutIDs(t *testing.T) {
	a := smallAccount(t, capped)
	a.rewrite(t, func(page string) string { return strings.ReplaceAll(page, `"id":`, `"Id":`) })
	b, ids := a.exported(t, 5)
	if ids != nil || !strings.Contains(b.said, "customers without an id") {
		t.Errorf("%d ids\n%s", len(ids), b.said)
	}
}

func TestExportOfARefusedPage(t *testing.T) {
	a := smallAccount(t, capped)
	a.serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("pageNumber") == "4" {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		a.ServeHTTP(w, r)
	}))
	b, ids := a.exported(t, 5)
	if ids != nil || !strings.Contains(b.said, "404") || strings.Contains(b.said, "--query") {
		t.Errorf("%d ids\n%s", len(ids), b.said)
	}
}

// exportOf exports the customers that the keys name, and returns the ids in the file.
func (a *account) exportOf(t *testing.T, key string, keys []string, flags ...string) (b runResult, ids []string) {
	t.Helper()
	var rows [][]string
	for _, k := range keys {
		rows = append(rows, []string{k})
	}
	out := filepath.Join(t.TempDir(), "out.csv")
	b = a.runWithMessages(t, append([]string{"export", a.file(t, []string{key}, rows), "--columns", "id,firstName,reference", "-o", out}, flags...)...)
	text, err := os.ReadFile(out)
	if err != nil {
		t.Fatalf("%v\n%s", err, b.said)
	}
	all, err := csv.NewReader(strings.NewReader(strings.TrimPrefix(string(text), "\ufeff"))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range all[1:] {
		ids = append(ids, row[0])
		if row[1] != a.field(row[0], "firstName") || row[2] != a.field(row[0], "reference") {
			t.Errorf("%q", row)
		}
	}
	return b, ids
}

// named are the keys of customers from the last to the first, which is not the list's order.
func named(all []customer, key func(customer) string) (keys []string) {
	for _, c := range slices.Backward(all) {
		keys = append(keys, key(c))
	}
	return keys
}

// Many customers that a FILE names are read from the list, and are written in FILE's order.
func TestExportOfManyNamedCustomers(t *testing.T) {
	for _, c := range []struct {
		name     string
		rows     int
		key      string
		pageCap  int
		requests string
	}{
		{"few", 20, "id", 0, "list=1"},
		{"many", 60, "id", 0, "list=1"},
		{"as many pages as rows", 60, "id", 10, "list=2 get=60"},
		{"fewer pages than rows", 60, "id", 20, "list=51"},
		{"by reference", 60, "reference", 0, "list=1"},
		{"few by reference", 20, "reference", 0, "list=21"},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := smallAccount(t, func(o *sandbox.Options) { o.PageCap = c.pageCap })
			some := a.first(c.rows)
			keys := named(some, func(c customer) string { return c.id })
			b, ids := a.exportOf(t, c.key, map[bool][]string{true: keys, false: named(some, func(c customer) string { return c.reference })}[c.key == "id"])
			b.want(t, c.requests, "")
			if b.code != 0 || !slices.Equal(ids, keys) {
				t.Errorf("exit %d, %q\n%s", b.code, ids, b.said)
			}
		})
	}
}

// What the list does not show is asked for: customers that are not in it, references that
// several have, and all customers where it lacks a column that is wanted.
func TestExportOfNamedCustomersBeyondTheList(t *testing.T) {
	a := smallAccount(t)
	some := a.first(62)
	a.Edit(some[60].id, setting("reference", `"SAME"`))
	a.Edit(some[61].id, setting("reference", `"SAME"`))
	keys := append(named(some[:58], func(c customer) string { return c.reference }), "SAME", "NOBODY")
	b, ids := a.exportOf(t, "reference", keys)
	b.want(t, "list=3", "")
	if b.code != 3 || len(ids) != 58 || !strings.Contains(b.said, "ambiguous_reference") || !strings.Contains(b.said, "not_found") {
		t.Errorf("exit %d, %d ids\n%s", b.code, len(ids), b.said)
	}

	b, ids = a.exportOf(t, "id", append(named(some, func(c customer) string { return c.id }), "1", some[0].id))
	b.want(t, "list=1 get=2", "") // he whom the set does not show is asked for: is he gone?
	if b.code != 3 || len(ids) != 62 || !strings.Contains(b.said, "not_found") || !strings.Contains(b.said, "1 row names a customer again") {
		t.Errorf("exit %d, %d ids\n%s", b.code, len(ids), b.said)
	}
	b, _ = a.exportOf(t, "id", named(some, func(c customer) string { return c.id }), "--overview")
	b.want(t, "list=1 overview=62", "")

	short := smallAccount(t, func(o *sandbox.Options) { o.ShortRows = true })
	b, _ = short.exportOf(t, "id", named(short.first(60), func(c customer) string { return c.id }), "--columns", "id,firstName,reference,primaryPhone")
	b.want(t, "list=1 get=60", "")
}

// A list that changes tells nothing of references, and what it has shown of ids holds.
func TestExportOfNamedCustomersInAListThatMoves(t *testing.T) {
	a := smallAccount(t, func(o *sandbox.Options) { o.PageCap = 100 })
	a.between(t, func(page string, r *http.Request, _ http.Header) {
		if page == "3" {
			q := r.URL.Query()
			q.Set("pageNumber", "2")
			r.URL.RawQuery = q.Encode()
		}
	})
	some := a.first(60)
	b, ids := a.exportOf(t, "reference", named(some, func(c customer) string { return c.reference }))
	b.want(t, "list=70 get=60", "")
	if b.code != 0 || len(ids) != 60 {
		t.Errorf("exit %d, %d ids\n%s", b.code, len(ids), b.said)
	}
}
