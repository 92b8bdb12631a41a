package web_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/xuri/excelize/v2"
)

// workbook writes one with some sheets, of which each is rows of cells.
func (o *office) workbook(name string, change func(*excelize.File), sheets map[string][][]any) string {
	o.Helper()
	f := excelize.NewFile()
	for sheet, rows := range sheets {
		if _, err := f.NewSheet(sheet); err != nil {
			o.Fatal(err)
		}
		for n, row := range rows {
			at, err := excelize.CoordinatesToCellName(1, n+1)
			if err == nil {
				err = f.SetSheetRow(sheet, at, &row)
			}
			if err != nil {
				o.Fatal(err)
			}
		}
	}
	if err := f.DeleteSheet("Sheet1"); err != nil {
		o.Fatal(err)
	}
	change(f)
	path := filepath.Join(o.TempDir(), name)
	if err := f.SaveAs(path); err != nil {
		o.Fatal(err)
	}
	return path
}

// A workbook: the sheet that fits is proposed, its titles are told of, what is hidden is asked about.
func TestASheetIsChosenAndReadAnotherWay(t *testing.T) {
	o := newOffice(t)
	people := [][]any{{"Contacts for the autumn clean-up"}, {}, {"Cust No", "Vorname"}, {"AC-1021", "Ada"}, {"AC-1022", "Bo"}}
	path := o.workbook("crm.xlsx", func(f *excelize.File) {
		if err := f.SetRowVisible("Contacts", 5, false); err != nil {
			t.Fatal(err)
		}
	}, map[string][][]any{"Contacts": people, "Budget": {{"Month", "Amount"}, {"May", 4}}})
	o.drop("update", path)
	o.text("//main", "the row is hidden")
	o.text("//main", "Nothing was sent")
	o.picture("sheet-hidden")
	o.do(chromedp.Click(chromedp.CSS(`button[name=hidden][value=skip]`)))
	o.text("//aside", "row 3; what stands above it are titles")
	o.text("//*[@data-check]", "1 of 1 row may be sent")
	o.text("//label[.//input[@name='sheet' and @checked]]", "Contacts")
	o.picture("sheet")
	o.do(chromedp.Click(chromedp.Search(`//label[contains(., "Budget")]`)))
	o.text("//main", "This heading is no field")
	o.text("//*[contains(@class,'act')]", "2 columns without a field")
	o.do(chromedp.Click(chromedp.Search(`//label[contains(., "Contacts")]`)))
	o.text("//*[contains(@class,'act')]//button", "Read the live records")
}

// Text that is no UTF-8 is refused until somebody says what it is; a file with passwords is not kept.
func TestEncodingsAndPasswords(t *testing.T) {
	o := newOffice(t)
	o.drop("update", o.file("alt.csv", "id;firstName\n987001;Zo\xeb\n"))
	o.text("//main", "Nothing was sent")
	o.picture("encoding")
	o.do(chromedp.SetValue(chromedp.CSS(`select[name=encoding]`), "windows-1252"), chromedp.Click(chromedp.CSS(`form[data-reading] button[type=submit]`)))
	o.text("//table//td", "Zoë")
	base, err := os.ReadDir(filepath.Join(o.reports, ".drafts"))
	if err != nil || len(base) != 1 {
		t.Fatalf("%d drafts: %v", len(base), err)
	}
	o.visit("/new")
	o.do(chromedp.SetUploadFiles(chromedp.CSS(`input[name=file]`), []string{o.file("logins.csv", "id,password\n987001,hunter2\n")}),
		chromedp.Click(chromedp.CSS(`form[data-new] button[type=submit]`)))
	o.text("//main", "this file has passwords")
	o.expected("422")
	o.picture("passwords")
	if left, err := os.ReadDir(filepath.Join(o.reports, ".drafts")); err != nil || len(left) != 1 {
		t.Errorf("%d drafts are left: %v", len(left), err)
	}
}

// A mapping file is taken, told what is wrong with it, and given back.
func TestAMappingFileOfOnesOwn(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.drop("update", o.file("own.csv", "Cust No,Vorname,Region\nAC-1021,Ada,N\n"))
	o.text("//*[contains(@class,'act')]", "1 column without a field")
	use := func(text string) {
		o.Helper()
		o.do(chromedp.SetUploadFiles(chromedp.CSS(`#mapfile`), []string{o.file("mine.yaml", text)}))
		o.click(`form[enctype][action$="/mapping"] button`)
	}
	use("action: update\nkey: {column: Cust No, field: reference}\ncolumns:\n  Vorname: firstNam\nignore: [Region]\n")
	o.text("//*[contains(@class,'act')]", "firstNam")
	o.picture("mapping-wrong")
	use("action: update\nkey: {column: Cust No, field: reference}\ncolumns:\n  Vorname: {field: firstName, trim: false}\nignore: [Region]\n")
	o.text("//*[contains(@class,'act')]//button", "Read the live records")
	text, err := os.ReadFile(o.downloaded(eval[string](o, `location.pathname`) + "/mapping.yaml"))
	if err != nil || !strings.Contains(string(text), "trim: false") {
		t.Errorf("the mapping file reads %q: %v", text, err)
	}
	o.click(`form[action$="/mapping"]:not([enctype]) button`)
	o.text("//*[contains(@class,'act')]", "1 column without a field")
	o.await(`document.readyState === 'complete'`) // its script is there
	eval[bool](o, `(() => {
		const field = document.querySelector('select[name=field2]');
		field.value = 'guard:companyName';
		return field.dispatchEvent(new Event('change', { bubbles: true }));
	})()`)
	o.text("//table//td", "a guard")
	o.text("//*[contains(@class,'act')]//button", "Read the live records")
}

// A file that no reading helps leads back to another, with what was chosen kept. One that a reading may help has its form, too.
func TestAFileThatCannotBeReadLeadsToAnother(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	const another = `//main//*[contains(@class,"stopper")]//button[.="Choose another file"]`
	for name, why := range map[string]string{"empty.csv": "the file is empty", "old.xls": "as Excel workbook (.xlsx), or as CSV (UTF-8)"} {
		o.drop("hold", o.file(name, map[string]string{"old.xls": "\xD0\xCF\x11\xE0"}[name]))
		o.text("//main", why)
		o.text(another, "Choose another file")
		if eval[int](o, `document.querySelectorAll('form[data-reading]').length`) != 0 {
			t.Errorf("%s: the page offers to read it another way", name)
		}
		o.picture("unreadable-" + name)
		o.do(chromedp.Click(chromedp.Search(another)), chromedp.WaitVisible(chromedp.CSS("form[data-new]")))
		if got := eval[string](o, `document.querySelector('input[name=action]:checked').value`); got != "hold" {
			t.Errorf("%s: the action is now %s", name, got)
		}
	}
	o.drop("update", o.file("alt.csv", "id;firstName\n987001;Zo\xeb\n"))
	o.text(another, "Choose another file")
	o.text("//form[@data-reading]", "Encoding")
}
