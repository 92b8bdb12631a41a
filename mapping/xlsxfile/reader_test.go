package xlsxfile

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/xuri/excelize/v2"

	"rowbatch/mapping/csvfile"
)

const (
	relationships = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
	mainSpace     = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
)

// workbookOf has the parts of a workbook with one sheet, whose rows and what stands behind
// them are given as XML.
func workbookOf(rows, behind string) map[string]string {
	return map[string]string{
		"_rels/.rels": `<Relationships><Relationship Id="r" Type="` + relationships + `/officeDocument" Target="xl/workbook.xml"/></Relationships>`,
		"xl/workbook.xml": `<workbook xmlns="` + mainSpace + `" xmlns:r="` + relationships + `"><sheets>` +
			`<sheet name="One" sheetId="1" r:id="r1"/></sheets></workbook>`,
		"xl/_rels/workbook.xml.rels": `<Relationships>` +
			`<Relationship Id="r1" Type="` + relationships + `/worksheet" Target="worksheets/sheet1.xml"/>` +
			`<Relationship Id="r2" Type="` + relationships + `/worksheet" Target="/xl/worksheets/sheet2.xml"/>` +
			`<Relationship Id="r8" Type="` + relationships + `/styles" Target="styles.xml"/>` +
			`<Relationship Id="r9" Type="` + relationships + `/sharedStrings" Target="sharedStrings.xml"/></Relationships>`,
		"xl/styles.xml": `<styleSheet><numFmts><numFmt numFmtId="164" formatCode="00000"/></numFmts>` +
			`<cellXfs><xf numFmtId="0"/><xf numFmtId="164"/><xf numFmtId="14"/><xf numFmtId="27"/></cellXfs></styleSheet>`,
		"xl/worksheets/sheet1.xml": `<worksheet xmlns="` + mainSpace + `"><sheetData>` + rows + `</sheetData>` + behind + `</worksheet>`,
	}
}

func packed(t testing.TB, parts map[string]string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, name := range slices.Sorted(maps.Keys(parts)) {
		f, err := w.Create(name)
		if err == nil {
			_, err = io.WriteString(f, parts[name])
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func read(t testing.TB, file []byte, o Options) (*Reader, []csvfile.Row, error) {
	t.Helper()
	in, err := NewReader(bytes.NewReader(file), int64(len(file)), "in.xlsx", o)
	if err != nil {
		return nil, nil, err
	}
	defer in.Close()
	rows, err := all(in)
	return in, rows, err
}

// refused demands a refusal that says all of the texts.
func refused(t *testing.T, err error, texts ...string) {
	t.Helper()
	r, ok := errors.AsType[*csvfile.Refusal](err)
	if !ok {
		t.Fatalf("got %v, want a refusal", err)
	}
	if r.File == "" || r.Try == "" {
		t.Errorf("it lacks the file, or what to do: %#v", r)
	}
	for _, text := range texts {
		if !strings.Contains(err.Error(), text) {
			t.Errorf("%q is missing in: %v", text, err)
		}
	}
}

// text is a cell with its text in it.
func text(at, text string) string {
	return `<c r="` + at + `" t="inlineStr"><is><t xml:space="preserve">` + text + `</t></is></c>`
}

// heading is a first row with id and firstName.

func heading() string {
	return `<row r="1">` + text("A1", "id") + text("B1", "firstName") + `</row>`
}

func TestCellsOfEveryKind(t *testing.T) {
	for _, c := range []struct {
		cell, want string
		form       Form
	}{
		{`<c r="B2"><v>5</v></c>`, "5", Whole},
		{"<c r=\"B2\"><v>\n 5\n</v></c>", "5", Whole},
		{`<c r="B2" s="1"><v>5</v></c>`, "00005", Whole},
		{`<c r="B2" s="2"><v>46024</v></c>`, "2026-01-02", Date},
		{`<c r="B2" s="3"><v>46024</v></c>`, "46024", OddFormat},
		{`<c r="B2" t="n"><v>0.5</v></c>`, "0.5", Fraction},
		{`<c r="B2" t="b"><v>1</v></c>`, "TRUE", Truth},
		{`<c r="B2" t="b"><v>0</v></c>`, "FALSE", Truth},
		{`<c r="B2" t="e"><v>#SPILL!</v></c>`, "#SPILL!", Failed},
		{`<c r="B2" t="d"><v>2026-01-02</v></c>`, "2026-01-02", Date},
		{`<c r="B2"><f>1+1</f><v>2</v></c>`, "2", Whole},
		{`<c r="B2"><f>1+1</f></c>`, "", Uncounted},
		{`<c r="B2"><f>1+1</f><v/></c>`, "", Uncounted},
		{`<c r="B2" t="str"><f>""</f><v></v></c>`, "", Blank},
		{`<c r="B2" t="str"><f>A1&amp;"x"</f></c>`, "", Uncounted},
		{`<c r="B2" t="str"><v>a_x000D_b_x005F_x000D_</v></c>`, "a\rb_x000D_", Typed},
		{`<c r="B2" t="str"><v>_xD83D__xDE00_</v></c>`, "😀", Typed},
		{`<c r="B2" t="str"><v>_xD83D_</v></c>`, "\uFFFD", Typed},
		{`<c r="B2" t="str"><v><![CDATA[a&b]]><!-- no --> c</v></c>`, "a&b c", Typed},
		{`<c r="B2" t="inlineStr"><is><r><t>Ri</t></r><r><rPr><b/></rPr><t>ch</t></r><rPh sb="0" eb="1"><t>no</t></rPh></is></c>`, "Rich", Typed},
		{`<c r="B2" t="inlineStr"><is><r><t>_</t></r><r><t>xD800_</t></r></is></c>`, "_xD800_", Typed},
		{text("B2", "  a \n"), "  a \n", Typed},
		{text("B2", "'=1"), "'=1", Typed},
		{`<c r="B2"/>`, "", Blank},
		{`<c r="b2"><v>1</v></c>`, "1", Whole},
		{`<x:c xmlns:x="y" r="B2"><x:v>1</x:v><x:extLst><x:v>9</x:v></x:extLst></x:c>`, "1", Whole},
	} {
		_, rows, err := read(t, packed(t, workbookOf(heading()+`<row r="2"><c r="A2"><v>7</v></c>`+c.cell+`</row>`, "")), Options{})
		if err != nil {
			t.Errorf("%s: %v", c.cell, err)
			continue
		}
		if got := rows[0]; got.Cells[1] != c.want || Form(got.Forms[1]) != c.form || got.Line != 2 || got.Ragged {
			t.Errorf("%s: %q %q, want %q %c", c.cell, got.Cells, got.Forms, c.want, c.form)
		}
	}
}

func TestRowsStandWhereTheyStand(t *testing.T) {
	behind := `<mergeCells count="2"><mergeCell ref="B9:B10"/><mergeCell ref="A1:C1"/></mergeCells>`
	rows := `<row r="1">` + text("A1", "A title") + `</row>` +
		`<row r="3">` + text("B3", "id") + text("C3", "rb_line") + text("E3", "firstName") + `</row>` +
		`<row><c/><c><v>7</v></c></row>` + // row 4
		`<row><c r="E6" t="str"><f>1</f><v>x</v></c><c r="B6"><v>8</v></c></row>` +
		`<row r="7"><c r="C7"><v>1</v></c></row>` + // only a column of ours
		`<row r="8"><c r="E8" t="str"><f>1</f><v>y</v></c><c r="B8"><v>9</v></c></row>` +
		`<row r="9"><c r="B9"><v>10</v></c></row>` +
		`<row r="10">` + text("E10", "z") + `</row>`
	in, got, err := read(t, packed(t, workbookOf(rows, behind)), Options{HeaderRow: 3})
	if err != nil {
		t.Fatal(err)
	}
	remark := "formulas stand in column E, here for the first time: what they gave when the file was saved is taken"
	want := []csvfile.Row{
		{Line: 4, Cells: []string{"7", ""}, Forms: "n "},
		{Line: 6, Cells: []string{"8", "x"}, Forms: "nt", Remark: remark},
		{Line: 8, Cells: []string{"9", "y"}, Forms: "nt"},
		{Line: 9, Cells: []string{"10", ""}, Forms: "n "},
		{Line: 10, Cells: []string{"", "z"}, Forms: "mt"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	line, titles := in.HeadingLine()
	if diff := cmp.Diff([]string{"One!B", "One!E"}, in.Places()); diff != "" || line != 3 || !titles || in.Unnamed() != 2 || in.ColumnOf("firstName") != "E" {
		t.Error(diff, line, titles, in.Unnamed())
	}
}

func TestHiddenRowsAndColumns(t *testing.T) {
	file := packed(t, workbookOf(heading()+`<row r="2"><c r="A2"><v>1</v></c></row><row r="3" hidden="1"><c r="A3"><v>2</v></c></row>`+
		`<row r="4" hidden="1"/><row r="5" hidden="true"><c r="A5"><v>3</v></c></row>`, ""))
	_, _, err := read(t, file, Options{})
	refused(t, err, "in.xlsx", `sheet "One", row 3`, "2 rows are hidden", "--hidden take")
	for hidden, want := range map[Hidden]int{Take: 3, Skip: 1} {
		if _, rows, err := read(t, file, Options{Hidden: hidden}); err != nil || len(rows) != want {
			t.Errorf("%s: %d rows, %v", hidden, len(rows), err)
		}
	}
	all := workbookOf(heading()+`<row r="2"><c r="A2"><v>1</v></c>`+text("B2", "Ada")+text("C2", "x")+`</row>`, "")
	all["xl/worksheets/sheet1.xml"] = strings.Replace(all["xl/worksheets/sheet1.xml"], "<sheetData>",
		`<cols><col min="2" max="16384" width="9" hidden="1"/></cols><sheetData>`, 1)
	file = packed(t, all)
	heading := func(first []csvfile.Row) (int, error) {
		if len(first[0].Cells) != 1 {
			return 0, errors.New("no heading")
		}
		return 0, nil
	}
	_, _, err = read(t, file, Options{Heading: heading})
	refused(t, err, "the column B", `"firstName"`, "hidden", "--hidden skip")
	in, rows, err := read(t, file, Options{Heading: heading, Hidden: Skip})
	if err != nil || len(in.Heading()) != 1 || len(rows[0].Cells) != 1 {
		t.Error(in, rows, err)
	}
	_, _, err = read(t, file, Options{Hidden: Take})
	refused(t, err, "row 2", "column C", "no heading in row 1", "--ignore-others")
	if _, rows, err := read(t, file, Options{Hidden: Take, Unnamed: true}); err != nil || len(rows[0].Cells) != 2 {
		t.Error(rows, err)
	}
}

// Nothing is seen of a row or a column that has no height or no width, either.
func TestOtherWaysToHide(t *testing.T) {
	for before, row := range map[string]string{"": `ht="0" customHeight="1"`,
		`<cols><col min="1" max="1" width="0"/></cols>`: ""} {
		all := workbookOf(strings.Replace(heading(), "<row", `<row hidden="0"`, 1)+`<row r="2" `+row+`><c r="A2"><v>1</v></c></row>`, "")
		all["xl/worksheets/sheet1.xml"] = strings.Replace(all["xl/worksheets/sheet1.xml"], "<sheetData>", before+"<sheetData>", 1)
		_, _, err := read(t, packed(t, all), Options{})
		refused(t, err, "hidden")
	}
}

// Who hides all rows that are not in use hides none of those that are.
func TestUnusedRowsHidden(t *testing.T) {
	all := workbookOf(heading()+`<row r="2"><c r="A2"><v>1</v></c></row><row r="3" hidden="1"/>`, "")
	all["xl/worksheets/sheet1.xml"] = strings.Replace(all["xl/worksheets/sheet1.xml"], "<sheetData>",
		`<sheetFormatPr zeroHeight="1"/><sheetData>`, 1)
	if _, rows, err := read(t, packed(t, all), Options{}); err != nil || len(rows) != 1 {
		t.Error(rows, err)
	}
}

// A program that asks the spreadsheet to calculate when it opens the file wrote no results, but zeros.
func TestFormulasThatNobodyCalculated(t *testing.T) {
	for cell, want := range map[string]Form{`<f>1+1</f><v>0</v>`: Uncounted, `<v>0</v>`: Whole} {
		all := workbookOf(heading()+`<row r="2"><c r="A2"><v>1</v></c><c r="B2">`+cell+`</c></row>`, "")
		all["xl/workbook.xml"] = strings.Replace(all["xl/workbook.xml"], "</workbook>", `<calcPr fullCalcOnLoad="1"/></workbook>`, 1)
		if _, rows, err := read(t, packed(t, all), Options{}); err != nil || Form(rows[0].Forms[1]) != want || rows[0].Remark != "" {
			t.Error(cell, rows, err)
		}
	}
}

func TestWhichSheet(t *testing.T) {
	book := excelize.NewFile()
	for name, cells := range map[string][]any{"Sheet1": {"notes"}, "Customers": {"id", "firstName"}, "Spare": {}, "Old": {"id"}} {
		if _, err := book.NewSheet(name); err != nil {
			t.Fatal(err)
		}
		if err := book.SetSheetRow(name, "A1", &cells); err != nil {
			t.Fatal(err)
		}
		if err := book.SetSheetRow(name, "A2", &cells); err != nil {
			t.Fatal(err)
		}
	}
	if err := book.SetSheetVisible("Old", false); err != nil {
		t.Fatal(err)
	}
	saved := func() []byte {
		b, err := book.WriteToBuffer()
		if err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	in, _, err := read(t, saved(), Options{Heading: headed})
	if err != nil || in.Sheet() != "Customers" {
		t.Fatal(in, err)
	}
	if in, _, err := read(t, saved(), Options{Heading: headed, Sheet: "Old"}); err != nil || in.Sheet() != "Old" {
		t.Error(in, err)
	}
	_, _, err = read(t, saved(), Options{Heading: headed, Sheet: "customers"})
	refused(t, err, `no sheet "customers"`, `"Customers"`)
	if _, _, err = read(t, saved(), Options{Heading: headed, Sheet: "Sheet1"}); err == nil || err.Error() == "" {
		t.Error("what is wrong with a sheet's heading is not told")
	}
	if err := book.SetSheetVisible("Old", true); err != nil {
		t.Fatal(err)
	}
	_, _, err = read(t, saved(), Options{Heading: headed})
	refused(t, err, "2 sheets", `"Customers"`, `"Old"`, "--sheet")
	_, _, err = read(t, saved(), Options{Heading: func([]csvfile.Row) (int, error) { return 0, errors.New("no") }})
	refused(t, err, "none of the sheets", `"Sheet1"`, "--sheet")
}

func TestHostileAndDamagedWorkbooks(t *testing.T) {
	row := func(inner string) map[string]string { return workbookOf(heading()+`<row r="2">`+inner+`</row>`, "") }
	with := func(name, text string) map[string]string {
		all := row(`<c r="A2" t="s"><v>0</v></c>`)
		all[name] = text
		return all
	}
	before := func(rows string) map[string]string {
		return with("xl/worksheets/sheet1.xml", `<worksheet>`+rows+`<sheetData/></worksheet>`)
	}
	long := strings.Repeat("x", mostOfToken+1)
	for name, c := range map[string]struct {
		parts map[string]string
		says  string
	}{
		"a cell of megabytes":           {row(text("A2", long)), "1 MiB"},
		"a cell of many runs":           {row(`<c r="A2" t="inlineStr"><is>` + strings.Repeat(`<r><t>`+long[:1<<16]+`</t></r>`, 17) + `</is></c>`), "1 MiB"},
		"a row of megabytes":            {row(strings.Repeat(text("A2", long[:1<<19]), 17)), "8 MiB"},
		"an attribute of megabytes":     {row(`<c r="A2" x="` + long + `"/>`), "1 MiB"},
		"a shared string of megabytes":  {with("xl/sharedStrings.xml", `<sst><si><t>`+long+`</t></si></sst>`), "1 MiB"},
		"deep elements":                 {row(strings.Repeat("<c>", 100)), "nested"},
		"deep shared strings":           {with("xl/sharedStrings.xml", strings.Repeat("<si>", 100)), "nested"},
		"deep styles":                   {with("xl/styles.xml", strings.Repeat("<a>", 20_000)), "number formats"},
		"an entity":                     {row(`<c r="A2"><v>&lol;</v></c>`), "entity"},
		"a document type":               {with("xl/sharedStrings.xml", `<!DOCTYPE lolz [<!ENTITY lol "lol">]><sst/>`), "document type"},
		"a column too far":              {row(`<c r="XFE2"><v>1</v></c>`), "XFE2"},
		"columns without end":           {row(strings.Repeat(`<c><v>1</v></c>`, mostColumns+1)), "16384"},
		"a row too far":                 {workbookOf(heading()+`<row r="1048577"/>`, ""), "1048577"},
		"rows twice":                    {workbookOf(heading()+heading(), ""), "order"},
		"a cell twice":                  {row(text("B2", "x") + text("A2", "y") + text("B2", "z")), "order"},
		"a cell of another row":         {row(text("A3", "x")), "order"},
		"no such shared string":         {row(`<c r="A2" t="s"><v>0</v></c>`), "shared text"},
		"no such style":                 {row(`<c r="A2" s="9"><v>0</v></c>`), "style 9"},
		"a kind of cell from elsewhere": {row(`<c r="A2" t="z"><v>0</v></c>`), `"z"`},
		"rows that end in the middle":   {with("xl/worksheets/sheet1.xml", `<worksheet><sheetData>`+heading()+`<row r="2"><c r="A2"><v>1`), "cannot be read"},
		"rows that do not end":          {with("xl/worksheets/sheet1.xml", `<worksheet><sheetData>`+heading()), "middle"},
		"another root":                  {with("xl/worksheets/sheet1.xml", `<chartsheet/>`), "chartsheet"},
		"an empty sheet":                {with("xl/worksheets/sheet1.xml", `<worksheet><sheetData/></worksheet>`), "empty"},
		"no XML":                        {with("xl/worksheets/sheet1.xml", "\x00\x01"), "cannot be read"},
		"areas of nowhere":              {workbookOf(heading(), `<mergeCells><mergeCell ref="A0:B2"/></mergeCells>`), "A0:B2"},
		"much before the rows":          {before(strings.Repeat(`<x a="`+long[:mostOfToken-9]+`"/>`, 17)), "more than a spreadsheet"},
		"sheets without number":         {with("xl/workbook.xml", `<workbook><sheets>`+strings.Repeat(`<sheet/>`, 1001)+`</sheets></workbook>`), "1000 sheets"},
		"sheets that cannot be opened": {with("xl/workbook.xml", `<workbook xmlns:r="`+relationships+`"><sheets>`+
			strings.Repeat(`<sheet name="a" r:id="r2"/>`, 20)+`</sheets></workbook>`), "--sheet"},
		"no sheets":   {with("xl/workbook.xml", `<workbook/>`), "no sheet"},
		"no workbook": {map[string]string{"readme.txt": "x"}, "zip archive"},
		"Numbers":     {map[string]string{"Index/Document.iwa": "x"}, "Apple Numbers"},
	} {
		t.Run(name, func(t *testing.T) {
			_, _, err := read(t, packed(t, c.parts), Options{})
			refused(t, err, c.says)
		})
	}
	whole := packed(t, row(text("A2", "x")))
	for n := range whole {
		if _, _, err := read(t, whole[:n], Options{}); err == nil {
			t.Fatalf("cut off after %d of %d bytes it is read", n, len(whole))
		}
	}
}

func TestFilesUnderTheNameOfAWorkbook(t *testing.T) {
	for text, says := range map[string]string{
		"":                                      "empty",
		"%PDF-1.7":                              "PDF",
		"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1 rest": ".xls",
		"\xD0\xCF\x11\xE0" + strings.Repeat("\x00", 26) + "\x09" + strings.Repeat("\x00", 17) + "\x02" + strings.Repeat("\x00", 2000) + "E\x00n\x00c\x00r\x00y\x00p\x00t\x00e\x00d\x00P\x00a\x00c\x00k\x00a\x00g\x00e\x00": "password",
		"\uFEFF<?xml version=\"1.0\"?>\n<?mso-application progid=\"Excel.Sheet\"?><Workbook xmlns=\"urn:schemas-microsoft-com:office:spreadsheet\">":                                                                       "written as XML",
		"<?xml version=\"1.0\"?><a/>": "XML",
		"\n<!DOCTYPE html><TABLE>":    "HTML",
		"\xFF\xFEi\x00d\x00\n\x00":    "plain text",
		"id,firstName\n1,Zo\xEB\n":    "plain text",
		"\x00\x01\x02":                "no workbook",
		"PK\x03\x04":                  "cut off",
	} {
		_, _, err := read(t, []byte(text), Options{})
		refused(t, err, says)
	}
}

func TestPartsInOtherEncodings(t *testing.T) {
	all := workbookOf("", "")
	sheet := `<?xml version="1.0" encoding="UTF-16"?><worksheet><sheetData><row>` + text("A1", "id é") + `</row><row><c><v>1</v></c></row></sheetData>` +
		`<mergeCells><mergeCell ref="A1:A2"/></mergeCells></worksheet>`
	var wide strings.Builder
	wide.WriteString("\xFF\xFE")
	for _, r := range sheet {
		wide.WriteByte(byte(r))
		wide.WriteByte(byte(r >> 8))
	}
	all["xl/worksheets/sheet1.xml"] = wide.String()
	in, rows, err := read(t, packed(t, all), Options{})
	if err != nil || in.Heading()[0] != "id é" || rows[0].Forms != "m" {
		t.Fatal(in, rows, err)
	}
	all["xl/worksheets/sheet1.xml"] = strings.Replace(strings.Replace(sheet, "UTF-16", "ISO-8859-1", 1), "é", "\xE9", 1)
	_, _, err = read(t, packed(t, all), Options{})
	refused(t, err, "ISO-8859-1")
}

func TestReadErrorsPassThrough(t *testing.T) {
	broken := errors.New("the cable is out")
	if _, err := NewReader(failing{broken}, 100, "in.xlsx", Options{}); !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
}

type failing struct{ err error }

func (f failing) ReadAt([]byte, int64) (int, error) { return 0, f.err }

func TestManySharedStrings(t *testing.T) {
	s := &shared{}
	const n = 300_000
	for i := range n {
		if err := s.add(fmt.Appendf(nil, "text %d", i)); err != nil {
			t.Fatal(err)
		}
	}
	s.seal()
	for i := range n {
		if got, ok := s.text(fmt.Sprint(i)); !ok || got != fmt.Sprintf("text %d", i) {
			t.Fatalf("text %d is %q", i, got)
		}
	}
	if _, ok := s.text(fmt.Sprint(n)); ok {
		t.Error("there is one too many")
	}
}

func FuzzReader(f *testing.F) {
	for _, name := range []string{"exceljs_rich", "strict_ooxml", "encrypted_password_secret", "disguised_html", "merged_and_title_above"} {
		file, err := os.ReadFile("testdata/" + name + ".xlsx")
		if err != nil {
			f.Fatal(err)
		}
		f.Add(file)
	}
	f.Fuzz(func(t *testing.T, file []byte) { sound(t, file) })
}

func FuzzSheet(f *testing.F) {
	f.Add(heading()+`<row r="2"><c r="A2" s="1"><v>1</v></c></row>`, `<mergeCells><mergeCell ref="A1:C1"/></mergeCells>`)
	f.Add(`<row hidden="1"><c t="str"><f>1</f><v>_x000D_</v></c></row>`, ``)
	f.Fuzz(func(t *testing.T, rows, behind string) { sound(t, packed(t, workbookOf(rows, behind))) })
}

// sound demands rows or a refusal, and rows in order.
func sound(t *testing.T, file []byte) {
	for _, hidden := range []Hidden{Refuse, Take, Skip} {
		in, rows, err := read(t, file, Options{Hidden: hidden})
		if err != nil {
			refused(t, err)
			continue
		}
		last := 0
		for _, row := range rows {
			if n := len(in.Heading()); row.Line <= last || len(row.Forms) != n || len(row.Cells) != n {
				t.Fatalf("row %d after %d: %q %q", row.Line, last, row.Cells, row.Forms)
			}
			last = row.Line
		}
	}
}
