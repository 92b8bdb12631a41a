package export

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"

	"rowbatch/mapping/csvfile"
)

// A workbook's cells are all text, and give back what was exported.
func TestWorkbookCellsAreText(t *testing.T) {
	name := filepath.Join(t.TempDir(), "out.xlsx")
	out, err := openSheet(name, false, nil)
	must(t, err)
	_, err = out.Begin(t.TempDir())
	must(t, err)
	cells := []string{"9007199254740993", "007", "=1+1", "'=x", "two\nlines", "1.50"}
	var shown []string
	for _, c := range cells {
		shown = append(shown, out.Escape(c))
	}
	for _, step := range []error{out.Write(shown), out.Finish(), out.Keep()} {
		must(t, step)
	}
	book, err := excelize.OpenFile(name)
	must(t, err)
	defer book.Close()
	rows, err := book.GetRows(sheetName)
	must(t, err)
	for i, want := range cells {
		if got := csvfile.Unescape(rows[0][i]); got != want {
			t.Errorf("cell %d is %q, not %q", i, got, want)
		}
		at, err := excelize.CoordinatesToCellName(i+1, 1)
		must(t, err)
		if kind, err := book.GetCellType(sheetName, at); err != nil || kind != excelize.CellTypeInlineString && kind != excelize.CellTypeSharedString {
			t.Errorf("cell %s is of type %v (%v)", at, kind, err)
		}
	}
}

// A file that came to be meanwhile is not replaced, and the rows are not lost.
func TestPlaceKeepsWhatIsThere(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "out.csv")
	first, err := openSheet(name, false, nil)
	must(t, err)
	second, err := openSheet(name, false, nil)
	must(t, err)
	must(t, first.Finish())
	must(t, first.Keep())
	must(t, second.Finish())
	err = second.Keep()
	if err == nil {
		t.Fatal("a file that came to be meanwhile was replaced")
	}
	second.Drop()
	left, _ := filepath.Glob(filepath.Join(dir, ".*.tmp"))
	if len(left) != 1 || !strings.Contains(err.Error(), left[0]) {
		t.Errorf("the rows are in %v, and the error says %v", left, err)
	}
	third, err := openSheet(filepath.Join(dir, "other.csv"), false, nil)
	must(t, err)
	third.Drop()
	if after, _ := filepath.Glob(filepath.Join(dir, ".*.tmp")); len(after) != 1 {
		t.Errorf("an export that was dropped left %v", after)
	}
}
