package intake

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"rowbatch/batch"
	"rowbatch/batch/action"
	"rowbatch/batch/runs"
	"rowbatch/client"
)

// taken are the rows of a file as a run reads them.
func taken(t *testing.T, command, text string) *Rows {
	t.Helper()
	name := filepath.Join(t.TempDir(), "x.csv")
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	dir, err := runs.Create(runs.Disk(), t.TempDir(), time.Now(), command, name)
	if err != nil {
		t.Fatal(err)
	}
	s := Source{Name: name, Actions: ActionsOf(command), Input: Input{AllowDuplicates: true}}
	in, err := Read(t.Context(), s, dir)
	if err != nil {
		t.Fatal(err)
	}
	return NewRows(dir, in, s)
}

// A customer's rows are those that name him, by the file's key, whatever else hashes alike.
func TestRowsOfACustomer(t *testing.T) {
	for _, c := range []struct {
		file     string
		customer client.ListRow
		want     []int
	}{
		{"action,id,firstName,customer_id,city\nupdate,5,A,,\nupdate,6,B,,\nhold,5,,,\npatch,,,5,Aville\nupdate,x,D,,\nupdate,5\n",
			client.ListRow{ID: 5, Reference: "6"}, []int{0, 2}},
		{"action,reference,firstName\nupdate,AC-1,A\nupdate,5,B\nupdate,ac-1,C\nupdate,AC-1,D\n", client.ListRow{ID: 5, Reference: "AC-1"}, []int{0, 3}},
		{"action,reference,firstName\nupdate,AC-1,A\nupdate,5,B\n", client.ListRow{ID: 5}, nil},
		{"action,reference,firstName\nupdate,AC-1,A\nupdate,5,B\n", client.ListRow{ID: 7, Reference: "5"}, []int{1}},
	} {
		r := taken(t, "run", c.file)
		for _, key := range []string{"fusebill/id=5", "fusebill/reference=AC-1"} {
			r.File.keys.Add(key, 1) // as if two keys had one hash
		}
		f, err := NewFinder(r)
		if err != nil {
			t.Fatal(err)
		}
		var got []int
		for m, err := range f.Find(c.customer) {
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, m.N)
		}
		slices.Sort(got)
		if err := f.Close(); err != nil || !slices.Equal(got, c.want) {
			t.Errorf("%+v: rows %v, want %v; %v", c.customer, got, c.want, err)
		}
	}
}

// Rows that cannot be read end a look-up with that error.
func TestALookUpWithoutItsRows(t *testing.T) {
	r := taken(t, "update", "id,firstName\n5,A\n")
	if err := os.Remove(r.dir.Path(runs.RowsName)); err != nil {
		t.Fatal(err)
	}
	if f, err := NewFinder(r); f != nil || !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%v, %v", f, err)
	}
	c := &comparison{Lookup: &Lookup{Rows: r, Actions: func() map[string]batch.Action { return nil }}}
	if err := c.begin(false); c.finder != nil || err == nil {
		t.Errorf("%v, %v", c.finder, err)
	}
}

// What one pass found out of a row, the next one knows.
func TestRowsAreRemembered(t *testing.T) {
	r := taken(t, "update", "id,firstName\n1,A\n2,B\n3,\nx,D\n")
	r.Selection.Limit = 2
	if n := r.CountOf(""); n != 2 {
		t.Errorf("%d rows may be sent", n)
	}
	var items int
	for it, err := range r.Source(t.Context(), nil) {
		if err != nil {
			t.Fatal(err)
		}
		items++
		switch {
		case it.N == 0:
			r.Note(it, *action.NoneWith("gone"), true)
		case it.N >= 2 && it.Out == nil:
			t.Errorf("row %d may be sent", it.N)
		}
	}
	r.EndSurvey()
	var left []int
	for it := range r.Source(t.Context(), nil) {
		left = append(left, it.N)
		if !it.Uncounted {
			t.Errorf("row %d may be sent, and the survey did not count it", it.N)
		}
	}
	if items != 4 || !slices.Equal(left, []int{1, 2, 3}) || r.CountOf("update") != 1 || r.Open()["update"] != 1 {
		t.Errorf("%d items, then %v; %d may be sent", items, left, r.CountOf("update"))
	}
}
