package runs

import (
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// A row that is picked is the one that is met on the way through all of them.
func TestPickedRows(t *testing.T) {
	d := newDir(t)
	rapid.Check(t, func(rt *rapid.T) {
		exported := rapid.Bool().Draw(rt, "exported")
		width := rapid.IntRange(1, 3).Draw(rt, "width")
		cell := rapid.OneOf(rapid.StringMatching(`[a,"\r\n ']{0,6}`), rapid.String())
		var rows []Row
		for n := range rapid.IntRange(0, 2*pickBlock).Draw(rt, "rows") {
			row := Row{N: n, Line: n + 2, Ragged: n%7 == 3}
			row.Cells = rapid.SliceOfN(cell, width, width).Draw(rt, "cells")
			if exported {
				row.Base = cell.Draw(rt, "base")
			}
			rows = append(rows, row)
		}
		if err := os.RemoveAll(d.Path(rowsName)); err != nil {
			rt.Fatal(err)
		}
		writeExported(t, d, make([]string, width), exported, rows)
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

// A rows.csv that was cut short has lost rows, and none is picked from it.
func TestPickedRowsAreAllThere(t *testing.T) {
	d := newDir(t)
	writeRows(t, d, []string{"id"}, []Row{{Line: 2, Cells: []string{"1"}}, {Line: 3, Cells: []string{"2"}}})
	name := d.Path(rowsName)
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

func writeExported(t *testing.T, d *Dir, heading []string, exported bool, rows []Row) {
	t.Helper()
	if !exported {
		writeRows(t, d, heading, rows)
		return
	}
	w, err := d.ExportedRows(heading)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range rows {
		if err := w.AppendExported(r.Line, r.Cells, r.Ragged, r.Base); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
}
