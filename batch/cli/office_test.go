package cli_test

import (
	"context"
	"encoding/csv"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/xuri/excelize/v2"
)

// office is a folder for the settings of LibreOffice, which edits a script's workbooks
// from then on. Where it is absent, a library does.
type office struct{ folder string }

type officeKey struct{}

func officeOf(ts *testscript.TestScript) *office { return ts.Value(officeKey{}).(*office) }

func cmdLibreOffice(ts *testscript.TestScript, neg bool, args []string) {
	want(ts, neg, args, 0, "libreoffice")
	o := officeOf(ts)
	o.folder = ts.MkAbs("office")
	o.start(ts, "--terminate_after_init") // which would overwrite what edit writes
}

// start runs it without a screen.
func (o *office) start(ts *testscript.TestScript, args ...string) {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	settings := url.URL{Scheme: "file", Path: filepath.ToSlash(o.folder)}
	run := exec.CommandContext(ctx, "soffice", append([]string{"-env:UserInstallation=" + settings.String(), "--headless", "--norestore"}, args...)...)
	run.Env = append(scriptEnvironment(ts), "LC_ALL=C.UTF-8")
	if said, err := run.CombinedOutput(); err != nil {
		ts.Fatalf("soffice: %v: %s", err, said)
	}
}

// edit opens a workbook in it, does to the last sheet what statements of its Basic say, as
// if typed there, and saves it in its own way.
func (o *office) edit(ts *testscript.TestScript, name string, statements []string) {
	module := `Sub Edit(name As String)
Dim none()
book = StarDesktop.loadComponentFromURL(ConvertToURL(name), "_blank", 0, none())
sheet = book.Sheets.getByIndex(book.Sheets.Count - 1)
` + strings.Join(statements, "\n") + `
book.store()
book.close(True)
End Sub`
	const head = `<?xml version="1.0" encoding="UTF-8"?>` + "\n<!DOCTYPE "
	for file, text := range map[string]string{
		"script.xlc": `library:libraries PUBLIC "-//OpenOffice.org//DTD OfficeDocument 1.0//EN" "libraries.dtd">
<library:libraries xmlns:library="http://openoffice.org/2000/library" xmlns:xlink="http://www.w3.org/1999/xlink">
<library:library library:name="Standard" xlink:href="$(USER)/basic/Standard/script.xlb/" xlink:type="simple" library:link="false"/>
</library:libraries>`,
		"Standard/script.xlb": `library:library PUBLIC "-//OpenOffice.org//DTD OfficeDocument 1.0//EN" "library.dtd">
<library:library xmlns:library="http://openoffice.org/2000/library" library:name="Standard" library:readonly="false"
 library:passwordprotected="false"><library:element library:name="Edits"/></library:library>`,
		"Standard/Edits.xba": `script:module PUBLIC "-//OpenOffice.org//DTD OfficeDocument 1.0//EN" "module.dtd">
<script:module xmlns:script="http://openoffice.org/2000/script" script:name="Edits" script:language="StarBasic">` +
			strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(module) + `</script:module>`,
	} {
		path := filepath.Join(o.folder, "user", "basic", filepath.FromSlash(file))
		ts.Check(os.MkdirAll(filepath.Dir(path), 0o700))
		ts.Check(os.WriteFile(path, []byte(head+text), 0o600))
	}
	before, err := os.ReadFile(ts.MkAbs(name))
	ts.Check(err)
	o.start(ts, fmt.Sprintf(`macro:///Standard.Edits.Edit("%s")`, ts.MkAbs(name)))
	if after, err := os.ReadFile(ts.MkAbs(name)); err != nil || string(after) == string(before) {
		ts.Fatalf("LibreOffice has not saved %s: %v", name, err)
	}
}

// typed are the statements by which cells become others.
func typed(before, after [][]string) (statements []string) {
	for n, row := range after {
		for i, cell := range row {
			if n < len(before) && i < len(before[n]) && before[n][i] == cell {
				continue
			}
			statements = append(statements, fmt.Sprintf(`sheet.getCellByPosition(%d, %d).FormulaLocal = "%s"`, i, n, strings.ReplaceAll(cell, `"`, `""`)))
		}
	}
	return statements
}

// inOffice does to the cells of a workbook's last sheet what statements say, in LibreOffice.
// It reports false, having done nothing, where the library is to do it.
func inOffice(ts *testscript.TestScript, name string, rows [][]string, statements ...string) bool {
	o := officeOf(ts)
	if o.folder != "" {
		area := fmt.Sprintf("area = sheet.getCellRangeByPosition(0, 0, %d, %d)", len(rows[0])-1, len(rows)-1)
		o.edit(ts, name, append([]string{area}, statements...))
	}
	return o.folder != ""
}

func cmdSort(ts *testscript.TestScript, neg bool, args []string) {
	want(ts, neg, args, 2, "sort FILE COLUMN")
	all := sheetOf(ts, ts.MkAbs(args[0]), "")
	at := columnOf(ts, all[0], args[1])
	if inOffice(ts, args[0], all, "Dim by(0) As New com.sun.star.table.TableSortField", "Dim how(1) As New com.sun.star.beans.PropertyValue",
		fmt.Sprintf("by(0).Field = %d : by(0).IsAscending = False", at),
		`how(0).Name = "SortFields" : how(0).Value = by() : how(1).Name = "ContainsHeader" : how(1).Value = True`, "area.sort(how())") {
		return
	}
	spreadsheet(ts, args[0], func(_ []string, rows [][]string) [][]string {
		slices.SortStableFunc(rows, func(a, b []string) int { return strings.Compare(b[at], a[at]) })
		return rows
	})
}

func cmdFilter(ts *testscript.TestScript, neg bool, args []string) {
	want(ts, neg, args, 3, "filter FILE COLUMN CELL")
	rows := sheetOf(ts, ts.MkAbs(args[0]), "")
	at := columnOf(ts, rows[0], args[1])
	if inOffice(ts, args[0], rows, "Dim f(0) As New com.sun.star.sheet.TableFilterField",
		fmt.Sprintf("f(0).Field = %d : f(0).Operator = com.sun.star.sheet.FilterOperator.EQUAL : f(0).StringValue = \"%s\"", at, args[2]),
		"how = area.createFilterDescriptor(True) : how.ContainsHeader = True : how.setFilterFields(f())", "area.filter(how)") {
		return
	}
	book, err := excelize.OpenFile(ts.MkAbs(args[0]))
	ts.Check(err)
	for n, row := range rows {
		ts.Check(book.SetRowVisible(book.GetSheetName(book.SheetCount-1), n+1, n == 0 || row[at] == args[2]))
	}
	ts.Check(book.SaveAs(ts.MkAbs(args[0])))
}

// cmdOpened wants LibreOffice to show every cell of every sheet as it was written.
func cmdOpened(ts *testscript.TestScript, neg bool, args []string) {
	want(ts, neg, args, 1, "opened FILE")
	path, shown := ts.MkAbs(args[0]), ts.MkAbs("opened")
	const text = "csv:Text - txt - csv (StarCalc):44,34,76,1,,0,false,true,false,false,false,-1" // of all sheets, as they are seen
	officeOf(ts).start(ts, "--convert-to", text, "--outdir", shown, path)
	book, err := excelize.OpenFile(path)
	ts.Check(err)
	defer book.Close()
	for _, name := range book.GetSheetList() {
		file := strings.TrimSuffix(filepath.Base(path), ".xlsx") + "-" + name + ".csv"
		parser := csv.NewReader(strings.NewReader(ts.ReadFile(filepath.Join(shown, file))))
		parser.FieldsPerRecord = -1
		got, err := parser.ReadAll()
		ts.Check(err)
		for n, row := range sheetOf(ts, path, name) {
			for i, cell := range row {
				if n >= len(got) || i >= len(got[n]) && cell != "" || i < len(got[n]) && got[n][i] != cell {
					ts.Fatalf("%s, sheet %s, row %d: LibreOffice shows %q, and not %q", args[0], name, n+1, got[min(n, len(got)-1)], row)
				}
			}
		}
	}
}
