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

// exported runs an export to a file, and returns the ids in it; nil: there is no file.
func (a *account) exported(t *testing.T, want int) (b bill, ids []string) {
	t.Helper()
	name := filepath.Join(a.dir, "out.csv")
	if err := os.RemoveAll(name); err != nil {
		t.Fatal(err)
	}
	b = a.runLoud(t, "export", "--columns", "id,firstName", "-o", name)
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

// between puts a server between that may spoil the pages of the list.
func (a *account) between(t *testing.T, spoil func(page string, r *http.Request, h http.Header)) {
	t.Helper()
	a.serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if q := r.URL.Query(); strings.HasSuffix(r.URL.Path, "/customers") && q.Has("pageNumber") {
			spoil(q.Get("pageNumber"), r, w.Header())
		}
		a.ServeHTTP(w, r)
	}))
}

func TestExportOfACappedList(t *testing.T) {
	t.Parallel()
	a := smallAccount(t, capped)
	b, ids := a.exported(t, 0)
	slices.Sort(ids)
	if !slices.Equal(ids, slices.Sorted(slices.Values(a.IDs()))) || strings.Contains(b.said, "list changed") {
		t.Errorf("%d ids\n%s", len(ids), b.said)
	}
}

// Somebody leaves the list while it is read, and whoever came after him moves to
// a page that was read already: the counts agree, and all the same it is said.
func TestExportOfAListThatShifts(t *testing.T) {
	t.Parallel()
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
	b, ids := a.exported(t, 0)
	if len(ids) != 999 || !strings.Contains(b.said, "the list changed while it was read: it speaks of 999 customers, and showed 999") {
		t.Errorf("%d ids\n%s", len(ids), b.said)
	}
}

// A server that does not turn its pages would make a part pass for the whole.
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
