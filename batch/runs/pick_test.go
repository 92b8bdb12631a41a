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
		width := rapid.IntRange(1, 3).Draw(rt, "width")
		cell := rapid.OneOf(rapid.StringMatching(`[a,"\r\n ']{0,6}`), rapid.String())
		var rows []Row
		for n := range rapid.IntRange(0, 2*pickBlock).Draw(rt, "rows") {
			row := Row{N: n, Line: n + 2, Ragged: n%7 == 3}
			row.Cells = rapid.SliceOfN(cell, width, width).Draw(rt, "cells")
			rows = append(rows, row)
		}
		if err := os.RemoveAll(d.Path(rowsName)); err != nil {
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
