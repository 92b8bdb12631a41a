package cli_test

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"
)

// TestTemplateWorkbook: every cell of a template is text, and what a field takes can be chosen.
func TestTemplateWorkbook(t *testing.T) {
	t.Parallel()
	name := filepath.Join(t.TempDir(), "edits.xlsx")
	cmd := exec.Command("rowbatch", "template", "update", "-o", name)
	cmd.Env = environment()
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	book, err := excelize.OpenFile(name)
	if err != nil {
		t.Fatal(err)
	}
	defer book.Close()
	for _, cell := range []string{"A1", "A2", "G7", "J500"} { // those of the columns, too
		style, err := book.GetCellStyle("update", cell)
		if err != nil {
			t.Fatal(err)
		}
		if s, err := book.GetStyle(style); err != nil || s.NumFmt != 49 {
			t.Errorf("%s is no text: %+v, %v", cell, s, err)
		}
	}
	choices, err := book.GetDataValidations("update")
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, v := range choices {
		at, _, _ := strings.Cut(v.Sqref, ":")
		heading, err := book.GetCellValue("update", strings.TrimRight(at, "0123456789")+"1")
		if err != nil {
			t.Fatal(err)
		}
		got[heading] = strings.Trim(v.Formula1, `"`)
	}
	if got["title"] != "Mr,Mrs,Ms,Miss,Dr,REMOVE" || len(got) != 2 || !strings.HasPrefix(got["quickBooksLatchType"], "CreateNew,") {
		t.Errorf("choices: %q", got)
	}
}
