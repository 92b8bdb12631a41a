package runs_test

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"rowbatch/batch/runs"
)

func TestBaselineFindsRows(t *testing.T) {
	root := t.TempDir()
	rapid.Check(t, func(t *rapid.T) {
		d, err := runs.Create(root, time.Now(), "export", "x")
		if err != nil {
			t.Fatal(err)
		}
		rows := map[string][][]string{}
		w, err := d.WriteBaseline([]string{"name", "id"})
		for range rapid.IntRange(0, 30).Draw(t, "rows") {
			key := rapid.SampledFrom([]string{"1", "2", "3", "40", "", "é\n"}).Draw(t, "key")
			cells := []string{strings.Repeat(rapid.SampledFrom([]string{"a", "\r\n", "\"", "<&>", "\u2028"}).Draw(t, "cell"), rapid.SampledFrom([]int{0, 1, 20_000}).Draw(t, "times")), key}
			rows[key] = append(rows[key], cells)
			if err == nil {
				err = w.Append(cells)
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
	d, err := runs.Create(t.TempDir(), time.Now(), "export", "x")
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{"", "[\"id\"]\n[\"1\"", "[\"id\"]\n[\"1\"]\n[\"2", "nonsense\n"} {
		if err := os.WriteFile(d.Path("baseline.jsonl"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := d.OpenBaseline("id"); err == nil {
			t.Errorf("%q passes for a baseline", text)
		}
	}
}
