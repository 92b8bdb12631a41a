package page

import (
	"bytes"
	"encoding/json"
	"errors"
	"iter"
	"strings"
	"testing"

	"rowbatch/batch"
)

// data is what the script of a page takes.
func data(t *testing.T, d Document, rows iter.Seq2[Row, error]) (lines []int, last Row) {
	t.Helper()
	var text bytes.Buffer
	if err := d.Write(&text, rows); err != nil {
		t.Fatal(err)
	}
	_, found, _ := strings.Cut(text.String(), `<script type="application/json" id="data">`)
	found, _, _ = strings.Cut(found, "</script>")
	var read struct {
		All  int   `json:"all"`
		Rows []Row `json:"rows"`
	}
	if err := json.Unmarshal([]byte(found), &read); err != nil || read.All != d.Rows {
		t.Fatalf("%v: %s", err, found)
	}
	for _, r := range read.Rows {
		lines, last = append(lines, r.Line), r
	}
	return lines, last
}

// some are thirty rows, of which the last eight need work.
func some() (Document, iter.Seq2[Row, error]) {
	return Document{Rows: 30, Counts: map[batch.Kind]int{batch.Changed: 22, batch.Failed: 8}}, func(yield func(Row, error) bool) {
		for n := range 30 {
			r := Row{Line: n + 2, Outcome: batch.Changed, Customer: strings.Repeat("ä", 40)}
			if n >= 22 {
				r.Outcome = batch.Failed
			}
			if !yield(r, nil) {
				return
			}
		}
	}
}

// A page holds as many rows as browsers open with ease: those that need work before the others.
func TestWhatAPageLeavesOut(t *testing.T) {
	for _, tt := range []struct {
		most        extents
		plain, work int
	}{
		{mostOfPage(), 22, 8}, {extents{10, 1 << 20, 1 << 20}, 2, 8}, {extents{8, 1 << 20, 1 << 20}, 0, 8}, {extents{5, 1 << 20, 1 << 20}, 0, 5},
		{extents{30, 500, 1 << 20}, 5, 8}, {extents{30, 500, 800}, 5, 3},
	} {
		d, rows := some()
		d.most = tt.most
		lines, _ := data(t, d, rows)
		plain := 0
		for _, line := range lines {
			if line < 24 {
				plain++
			}
		}
		if plain != tt.plain || len(lines)-plain != tt.work {
			t.Errorf("%+v: %d, of them %d that need no work", tt.most, len(lines), plain)
		}
	}
}

// A text that nobody reads to its end is cut, and says so; none of it breaks out of the data.
func TestATextThatIsTooLong(t *testing.T) {
	long := strings.Repeat("</script>\u2028", 100_000)
	_, r := data(t, Document{Rows: 1}, func(yield func(Row, error) bool) {
		yield(Row{Error: long, Changes: []Change{{new("lastName"), nil, &long}}}, nil)
	})
	if !strings.HasSuffix(r.Error, "… (the first of 1,000,000 characters)") || len(r.Error) > 2*longest || *r.Changes[0][2] != r.Error || r.Changes[0][1] != nil {
		t.Errorf("%d: %.40s", len(r.Error), r.Error)
	}
}

// A page that cannot be written whole is none.
func TestAPageThatFails(t *testing.T) {
	d, _ := some()
	broken := errors.New("broken")
	if err := d.Write(&bytes.Buffer{}, func(yield func(Row, error) bool) { yield(Row{}, broken) }); !errors.Is(err, broken) {
		t.Error(err)
	}
	_, rows := some()
	if err := d.Write(full{}, rows); err == nil {
		t.Error("a full disk is no error")
	}
}

// full is a disk without room.
type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("no room") }
