package runs

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

var start = time.Date(2026, 11, 20, 21, 52, 0, 0, time.UTC)

func newDir(t testing.TB) *Dir {
	t.Helper()
	d, err := Create(Disk(), t.TempDir(), start, "update", "customers.csv")
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func writeRows(t testing.TB, d *Dir, heading []string, rows []Row) {
	t.Helper()
	w, err := d.Rows(RowsName, heading)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range rows {
		if err := w.Append(r); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
}

func readRows(t testing.TB, d *Dir) (heading []string, rows []Row) {
	t.Helper()
	r, err := d.ReadRows()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	for {
		row, err := r.Next()
		if errors.Is(err, io.EOF) {
			return r.Heading(), rows
		}
		if err != nil {
			t.Fatal(err)
		}
		rows = append(rows, row)
	}
}

func TestRowsComeBackByteForByte(t *testing.T) {
	cells := []string{
		"", " ", "  leading", "trailing ", "\t", ",", ";", `"`, `""`, `say "hello"`, `\.`, "\\", "'", "'=1+1", "=1+1",
		"\r", "\n", "\r\n", "\r\r\n", "\n\r", "a\r\nb", "a\nb", "a\rb", "a\r", "\r\n\r\n", "\"\r\n\"",
		"007", "1.23E+11", "null", "rb_line", "\x00", "\u202e", "\ufeff", "\uFFFD", "é", "名前", "😀", `["a"]`,
	}
	var rows []Row
	for i, c := range cells {
		rows = append(rows, Row{N: i, Line: i + 2, Cells: []string{c}})
	}
	d := newDir(t)
	writeRows(t, d, []string{"Name"}, rows)
	_, got := readRows(t, d)
	if diff := cmp.Diff(rows, got); diff != "" {
		t.Error(diff)
	}
}

// A line end is not lost where a buffer ends in the middle of it.
func TestLongCells(t *testing.T) {
	var rows []Row
	for n := range 12 {
		cell := strings.Repeat("x", bufferSize-9+n) + "\r\nend"
		rows = append(rows, Row{N: n, Line: 2 * n, Cells: []string{cell, cell}})
	}
	d := newDir(t)
	writeRows(t, d, []string{"A", "B"}, rows)
	_, got := readRows(t, d)
	if diff := cmp.Diff(rows, got); diff != "" {
		t.Errorf("%.300s", diff)
	}
}

func TestAnyCellsComeBack(t *testing.T) {
	d := newDir(t)
	rapid.Check(t, func(rt *rapid.T) {
		width := rapid.IntRange(0, 4).Draw(rt, "width")
		heading := rapid.SliceOfN(rapid.StringMatching(`[A-Za-z ,"\r\n]{0,5}`), width, width).Draw(rt, "heading")
		cell := rapid.OneOf(rapid.StringMatching(`[a,"\r\n ']{0,6}`), rapid.String())
		var rows []Row
		for n := range rapid.IntRange(0, 5).Draw(rt, "rows") {
			row := Row{N: n, Line: rapid.IntRange(2, 1_000_000).Draw(rt, "line"), Ragged: rapid.Bool().Draw(rt, "ragged")}
			if row.Ragged {
				row.Cells = rapid.SliceOfN(cell, 0, 6).Draw(rt, "ragged cells")
			} else {
				row.Cells = rapid.SliceOfN(cell, width, width).Draw(rt, "cells")
			}
			rows = append(rows, row)
		}
		if err := os.RemoveAll(d.Path(RowsName)); err != nil {
			rt.Fatal(err)
		}
		writeRows(t, d, heading, rows)
		gotHeading, got := readRows(t, d)
		if diff := cmp.Diff(append([]string{}, heading...), append([]string{}, gotHeading...)); diff != "" {
			rt.Fatal(diff)
		}
		if diff := cmp.Diff(rows, got); diff != "" {
			rt.Fatal(diff)
		}
	})
}

func TestRowsLeaveOurColumnsOut(t *testing.T) {
	d := newDir(t)
	writeRows(t, d, []string{"rb_line", "id", " RB_Error", "rb", "Name", "rb_ragged"}, []Row{
		{Line: 2, Cells: []string{"9", "17", "no", "x", "Ada", "[]"}},
		{Line: 5, Cells: []string{"9", "18", "a", "ragged", "row", "with", "more"}, Ragged: true},
		{Line: 6, Cells: []string{"9"}, Ragged: true},
	})
	heading, rows := readRows(t, d)
	if diff := cmp.Diff([]string{"id", "rb", "Name"}, heading); diff != "" {
		t.Error(diff)
	}
	want := []Row{
		{N: 0, Line: 2, Cells: []string{"17", "x", "Ada"}},
		{N: 1, Line: 5, Cells: []string{"9", "18", "a", "ragged", "row", "with", "more"}, Ragged: true},
		{N: 2, Line: 6, Cells: []string{"9"}, Ragged: true},
	}
	if diff := cmp.Diff(want, rows); diff != "" {
		t.Error(diff)
	}
}

func TestHeadingsOfOneName(t *testing.T) {
	d := newDir(t)
	rows := []Row{{Line: 2, Cells: []string{"a", "b", "c", "d"}}}
	writeRows(t, d, []string{"", "Name", "Name", ""}, rows)
	_, got := readRows(t, d)
	if diff := cmp.Diff(rows, got); diff != "" {
		t.Error(diff)
	}
}

// A cell that JSON could not give back is refused, not changed.
func TestRowsAreText(t *testing.T) {
	d := newDir(t)
	w, err := d.Rows(RowsName, []string{"Name"})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Append(Row{Line: 2, Cells: []string{"Zo\xeb"}}); err == nil || !strings.Contains(err.Error(), "not UTF-8") {
		t.Error(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestDamagedRows(t *testing.T) {
	const heading = `{"c":["id","name"]}` + "\n"
	for _, text := range []string{
		"", "id,name\n", heading[:9], heading + `{"l":2,"c":["17"]}` + "\n", heading + `{"l":2,"c":["17","Ada","x"]}` + "\n", heading + `{"l":2,"c":["17",3]}` + "\n",
		heading + `{"l":"2","c":["17","Ada"]}` + "\n", heading + `{"l":2,"c":["17","Ada"]`, heading + `{"l":2,"c":["17","Ada"]}`, heading + "\n", heading + "17,Ada\n",
	} {
		d := newDir(t)
		if err := os.WriteFile(d.Path(RowsName), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		r, err := d.ReadRows()
		if err == nil {
			_, err = r.Next()
			err = errors.Join(err, r.Close())
		}
		if err == nil || !strings.Contains(err.Error(), "rows.jsonl is damaged after row 0") {
			t.Errorf("%q: %v", text, err)
		}
		p, err := d.PickRows(1)
		if err == nil {
			_, err = p.Row(0)
			err = errors.Join(err, p.Close())
		}
		if err == nil || !strings.Contains(err.Error(), "rows.jsonl") {
			t.Errorf("%q picked: %v", text, err)
		}
	}
}

// A row that is picked is the one that is met on the way through all of them.
func TestPickedRows(t *testing.T) {
	d := newDir(t)
	rapid.Check(t, func(rt *rapid.T) {
		exported := rapid.Bool().Draw(rt, "exported")
		width := rapid.IntRange(1, 3).Draw(rt, "width")
		cell := rapid.OneOf(rapid.StringMatching(`[a,"\r\n ']{0,6}`), rapid.String())
		var rows []Row
		for n := range rapid.IntRange(0, 60).Draw(rt, "rows") {
			row := Row{N: n, Line: n + 2, Ragged: n%7 == 3}
			row.Cells = rapid.SliceOfN(cell, width, width).Draw(rt, "cells")
			if exported {
				row.Base = cell.Draw(rt, "base")
			}
			rows = append(rows, row)
		}
		if err := os.RemoveAll(d.Path(RowsName)); err != nil {
			rt.Fatal(err)
		}
		writeRows(t, d, make([]string, width), rows)
		picker, err := d.PickRows(len(rows))
		if err != nil {
			rt.Fatal(err)
		}
		defer picker.Close()
		for n := len(rows) - 1; n >= 0; n-- {
			got, err := picker.Row(n)
			if err != nil {
				rt.Fatal(err)
			}
			if diff := cmp.Diff(rows[n], got); diff != "" {
				rt.Fatal(diff)
			}
		}
	})
}

// A file of rows that was cut short has lost rows, and none is picked from it.
func TestPickedRowsAreAllThere(t *testing.T) {
	d := newDir(t)
	writeRows(t, d, []string{"id"}, []Row{{Line: 2, Cells: []string{"1"}}, {Line: 3, Cells: []string{"2"}}})
	name := d.Path(RowsName)
	for _, lost := range []int64{1, 6, 15} {
		info, err := os.Stat(name)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.Truncate(name, max(0, info.Size()-lost)); err != nil {
			t.Fatal(err)
		}
		if p, err := d.PickRows(2); err == nil {
			_ = p.Close()
			t.Errorf("%d bytes shorter, it is taken for whole", lost)
		}
	}
}

// A row longer than any buffer is picked like any other.
func TestPickedLongRows(t *testing.T) {
	d := newDir(t)
	want := []Row{
		{N: 0, Line: 2, Cells: []string{strings.Repeat("long ", bufferSize)}},
		{N: 1, Line: 3, Cells: []string{"short"}},
	}
	writeRows(t, d, []string{"note"}, want)
	picker, err := d.PickRows(len(want))
	if err != nil {
		t.Fatal(err)
	}
	defer picker.Close()
	for n := range want {
		got, err := picker.Row(n)
		if diff := cmp.Diff(want[n], got); diff != "" || err != nil {
			t.Errorf("row %d: %v %.300s", n, err, diff)
		}
	}
}

func BenchmarkRows(b *testing.B) {
	const rows = 200_000
	heading := make([]string, 12)
	cells := make([]string, 12)
	for i := range heading {
		heading[i], cells[i] = fmt.Sprintf("Column %d", i), fmt.Sprintf("value of %d", i)
	}
	copied := make([]Row, rows)
	for n := range copied {
		copied[n] = Row{Line: n + 2, Cells: cells}
	}
	d := newDir(b)
	b.Run("write", func(b *testing.B) {
		for b.Loop() {
			if err := os.RemoveAll(d.Path(RowsName)); err != nil {
				b.Fatal(err)
			}
			writeRows(b, d, heading, copied)
		}
		b.ReportMetric(rows*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
	})
	b.Run("read", func(b *testing.B) {
		for b.Loop() {
			r, err := d.ReadRows()
			if err != nil {
				b.Fatal(err)
			}
			for err == nil {
				_, err = r.Next()
			}
			if !errors.Is(err, io.EOF) || r.Close() != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(rows*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
	})
}
