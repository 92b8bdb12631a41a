package runs

import (
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestBaselineFindsRows(t *testing.T) {
	root := t.TempDir()
	rapid.Check(t, func(t *rapid.T) {
		d, err := Create(Disk(), root, time.Now(), "export", "x")
		if err != nil {
			t.Fatal(err)
		}
		rows := map[string][][]string{}
		w, err := d.Rows(ExportedName, []string{"name", "id"})
		for range rapid.IntRange(0, 30).Draw(t, "rows") {
			key := rapid.SampledFrom([]string{"1", "2", "3", "40", "", "é\n"}).Draw(t, "key")
			cells := []string{strings.Repeat(rapid.SampledFrom([]string{"a", "\r\n", "\"", "<&>", "\u2028"}).Draw(t, "cell"), rapid.SampledFrom([]int{0, 1, 20_000}).Draw(t, "times")), key}
			rows[key] = append(rows[key], cells)
			if err == nil {
				err = w.Append(Row{Cells: cells})
			}
		}
		if err == nil {
			err = w.Close()
		}
		if err != nil {
			t.Fatal(err)
		}
		b, err := d.OpenBaseline("id")
		if err != nil {
			t.Fatal(err)
		}
		defer b.Close()
		for _, key := range []string{"40", "1", "none", "é\n", "2", "1"} {
			found, err := b.Find(key)
			if diff := cmp.Diff(rows[key], found); err != nil || diff != "" {
				t.Fatalf("%q: %v %s", key, err, diff)
			}
		}
	})
}

func TestBaselineThatIsCutShort(t *testing.T) {
	d, err := Create(Disk(), t.TempDir(), time.Now(), "export", "x")
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{"", `{"c":["id"]}` + "\n" + `{"c":["1"]`, `{"c":["id"]}` + "\n" + `{"c":["1"]}` + "\n" + `{"c":["2"]`, "nonsense\n"} {
		if err := os.WriteFile(d.Path(ExportedName), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := d.OpenBaseline("id"); err == nil {
			t.Errorf("%q passes for a baseline", text)
		}
	}
}

// Every row of a key is found, in order, and hardly any of another's.
func TestKeyIndex(t *testing.T) {
	const keys = 10_000
	x := NewKeyIndex()
	for n := range 2 * keys {
		x.Add("id="+strconv.Itoa(n%keys), n)
	}
	x.Finish()
	others := 0
	for n := range keys {
		found := slices.Collect(x.Find("id=" + strconv.Itoa(n)))
		if !slices.IsSorted(found) || !slices.Contains(found, n) || !slices.Contains(found, n+keys) {
			t.Fatalf("key %d: %v", n, found)
		}
		others += len(found) - 2
	}
	if others > 20 { // about one in 20 runs has 4
		t.Errorf("%d rows of other keys are found", others)
	}
	if all := slices.Collect(NewKeyIndex().Find("id=1")); len(all) > 0 {
		t.Errorf("an empty index finds %d", all)
	}
}
