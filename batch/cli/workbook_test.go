package cli_test

import (
	"encoding/csv"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/xuri/excelize/v2"
)

// cases are the workbooks of many writers.
const cases = moduleRoot + "/mapping/xlsxfile/testdata"

// cmdWorkbook makes a workbook whose sheets are written as CSV. A cell such as n:5 is a
// number, n:5:00000 one in a format, f:5:A1+1 a formula that gave 5, h: in front of a
// row's first cell hides the row. Without sheets it is one of the cases, by its name.
func cmdWorkbook(ts *testscript.TestScript, neg bool, args []string) {
	want(ts, neg, args, 1, "workbook FILE SHEET=CSV…")
	if len(args) == 1 {
		content, err := os.ReadFile(filepath.Join(ts.Value(casesKey{}).(string), args[0]))
		ts.Check(err)
		ts.Check(os.WriteFile(ts.MkAbs(args[0]), content, 0o600))
		return
	}
	book := excelize.NewFile()
	for i, arg := range args[1:] {
		sheet, file, _ := strings.Cut(arg, "=")
		if i == 0 {
			ts.Check(book.SetSheetName("Sheet1", sheet))
		} else {
			_, err := book.NewSheet(sheet)
			ts.Check(err)
		}
		parser := csv.NewReader(strings.NewReader(ts.ReadFile(file)))
		parser.FieldsPerRecord = -1
		rows, err := parser.ReadAll()
		ts.Check(err)
		for n, row := range rows {
			for c, text := range row {
				ts.Check(putCell(book, sheet, c+1, n+1, text))
			}
		}
	}
	ts.Check(book.SaveAs(ts.MkAbs(args[0])))
}

// putCell writes a cell as [cmdWorkbook] reads it.
func putCell(book *excelize.File, sheet string, column, row int, text string) error {
	at, err := excelize.CoordinatesToCellName(column, row)
	if err != nil {
		return err
	}
	if rest, hidden := strings.CutPrefix(text, "h:"); hidden {
		text = rest
		if err := book.SetRowVisible(sheet, row, false); err != nil {
			return err
		}
	}
	parts := strings.SplitN(text, ":", 3)
	number, err := strconv.ParseFloat(parts[min(1, len(parts)-1)], 64)
	switch {
	case len(parts) > 1 && parts[0] == "n" && err == nil:
		if err := book.SetCellValue(sheet, at, number); err != nil || len(parts) == 2 {
			return err
		}
		style, err := book.NewStyle(&excelize.Style{CustomNumFmt: &parts[2]})
		if err != nil {
			return err
		}
		return book.SetCellStyle(sheet, at, at, style)
	case len(parts) == 3 && parts[0] == "f":
		if err := book.SetCellValue(sheet, at, number); err != nil {
			return err
		}
		return book.SetCellFormula(sheet, at, parts[2])
	case text == "":
		return nil
	}
	return book.SetCellStr(sheet, at, text)
}

type casesKey struct{}

// setCases tells the script where the cases are, since it runs in a folder of its own.
func setCases(e *testscript.Env) error {
	folder, err := filepath.Abs(cases)
	if err != nil {
		return fmt.Errorf("cases: %w", err)
	}
	e.Values[casesKey{}] = folder
	return nil
}
