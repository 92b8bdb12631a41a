package cli_test

import (
	"encoding/csv"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/xuri/excelize/v2"
)

// spreadsheet opens a CSV file, and puts it back as rows says.
func spreadsheet(ts *testscript.TestScript, name string, change func(heading []string, rows [][]string) [][]string) {
	if filepath.Ext(name) == ".xlsx" {
		all := sheetOf(ts, ts.MkAbs(name), "")
		if o := officeOf(ts); o.folder != "" {
			rows := make([][]string, len(all))
			for n := range all {
				rows[n] = slices.Clone(all[n])
			}
			o.edit(ts, name, typed(all, append(rows[:1:1], change(rows[0], rows[1:])...)))
			return
		}
		book, err := excelize.OpenFile(ts.MkAbs(name))
		ts.Check(err)
		sheets := book.GetSheetList()
		last := sheets[len(sheets)-1]
		ts.Check(book.SetPanes(last, &excelize.Panes{}))
		for n, row := range append(all[:1:1], change(all[0], all[1:])...) {
			ts.Check(book.SetSheetRow(last, fmt.Sprintf("A%d", n+1), &row))
		}
		ts.Check(book.SaveAs(ts.MkAbs(name)))
		return
	}
	text, marked := strings.CutPrefix(ts.ReadFile(name), byteOrderMark)
	if !marked {
		ts.Fatalf("%s has no byte order mark", name)
	}
	all, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	ts.Check(err)
	rows := change(all[0], all[1:])
	out := &strings.Builder{}
	out.WriteString(byteOrderMark)
	w := csv.NewWriter(out)
	ts.Check(w.WriteAll(append(all[:1:1], rows...)))
	ts.Check(os.WriteFile(ts.MkAbs(name), []byte(out.String()), 0o644))
}

// sheetOf reads a sheet of a workbook; "" is its last.
func sheetOf(ts *testscript.TestScript, path, sheet string) [][]string {
	book, err := excelize.OpenFile(path)
	ts.Check(err)
	defer book.Close()
	if sheets := book.GetSheetList(); sheet == "" {
		sheet = sheets[len(sheets)-1]
	}
	rows, err := book.GetRows(sheet)
	ts.Check(err)
	for i, row := range rows {
		rows[i] = append(row, make([]string, max(0, len(rows[0])-len(row)))...)
	}
	return rows
}

func columnOf(ts *testscript.TestScript, heading []string, name string) int {
	at := slices.Index(heading, name)
	if at < 0 {
		ts.Fatalf("there is no column %s in %q", name, heading)
	}
	return at
}

func cmdCell(ts *testscript.TestScript, neg bool, args []string) {
	want(ts, neg, args, 4, "cell FILE ID COLUMN CELL")
	spreadsheet(ts, args[0], func(heading []string, rows [][]string) [][]string {
		id, at, found := columnOf(ts, heading, "id"), columnOf(ts, heading, args[2]), false
		for _, row := range rows {
			if row[id] == args[1] || args[1] == "*" {
				row[at], found = args[3], true
			}
		}
		if !found {
			ts.Fatalf("there is no row of %s", args[1])
		}
		return rows
	})
}

func cmdTurn(ts *testscript.TestScript, neg bool, args []string) {
	want(ts, neg, args, 1, "turn FILE")
	spreadsheet(ts, args[0], func(_ []string, rows [][]string) [][]string {
		slices.Reverse(rows)
		return rows
	})
}

func cmdDrop(ts *testscript.TestScript, neg bool, args []string) {
	want(ts, neg, args, 2, "drop FILE ID")
	spreadsheet(ts, args[0], func(heading []string, rows [][]string) [][]string {
		id := columnOf(ts, heading, "id")
		return slices.DeleteFunc(rows, func(row []string) bool { return row[id] == args[1] })
	})
}

func cmdAdd(ts *testscript.TestScript, neg bool, args []string) {
	want(ts, neg, args, 2, "add FILE COLUMN=CELL…")
	spreadsheet(ts, args[0], func(heading []string, rows [][]string) [][]string {
		row := make([]string, len(heading))
		for _, a := range args[1:] {
			name, cell, _ := strings.Cut(a, "=")
			row[columnOf(ts, heading, name)] = cell
		}
		return slices.Insert(rows, len(rows)/2, row)
	})
}

func cmdPaste(ts *testscript.TestScript, neg bool, args []string) {
	want(ts, neg, args, 2, "paste FILE OTHER")
	spreadsheet(ts, args[0], func(_ []string, rows [][]string) [][]string {
		spreadsheet(ts, args[1], func(_ []string, more [][]string) [][]string {
			rows = append(rows, more...)
			return more
		})
		return rows
	})
}

func cmdRename(ts *testscript.TestScript, neg bool, args []string) {
	want(ts, neg, args, 3, "rename FILE COLUMN NEW")
	spreadsheet(ts, args[0], func(heading []string, rows [][]string) [][]string {
		heading[columnOf(ts, heading, args[1])] = args[2]
		return rows
	})
}

func cmdRemoveExports(ts *testscript.TestScript, neg bool, args []string) {
	want(ts, neg, args, 0, "rmexport")
	found, err := filepath.Glob(filepath.Join(ts.MkAbs("reports"), "*-export-*"))
	ts.Check(err)
	if len(found) == 0 {
		ts.Fatalf("there is no export")
	}
	for _, dir := range found {
		ts.Check(os.RemoveAll(dir))
	}
}
