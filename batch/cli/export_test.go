package cli

import (
	"bytes"
	"encoding/json"
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"rowbatch/batch/action"
	"rowbatch/batch/runs"
	"rowbatch/batch/sheet"
	"rowbatch/mapping"
	"rowbatch/mapping/csvfile"
)

// strangeText draws values that files, spreadsheets and cell rules trip over.
func strangeText() *rapid.Generator[string] {
	part := rapid.OneOf(
		rapid.SampledFrom([]string{"REMOVE", "remove", `\REMOVE`, "#N/A", "#REF!", "1.23E+11", "***", "=1+1", "'=x", "''-", "+49", "@a", "-5", "\t", "\r", "\n", "\r\n", `"`, ",", ";",
			" ", "\u00a0", "\ufeff", "\u202e", "\x00", "\x1b", "\xff", "\ufffd", "007", "Err:502", "rb_export", "\u2028", "é", "💶"}),
		rapid.String())
	return rapid.Custom(func(t *rapid.T) string {
		text := ""
		for _, p := range rapid.SliceOfN(part, 0, 4).Draw(t, "parts") {
			text += p
		}
		return text
	})
}

// strangeRecord is a customer with any JSON in the fields of an update.
func strangeRecord(t *rapid.T, id string) []byte {
	value := func(name string) any {
		switch rapid.IntRange(0, 5).Draw(t, name+" kind") {
		case 0:
			return nil
		case 1:
			return rapid.Int64().Draw(t, name)
		default:
			return strangeText().Draw(t, name)
		}
	}
	record := map[string]any{"id": json.Number(id)}
	nested := map[string]map[string]any{"customerReference": {}, "customerAcquisition": {}}
	for _, c := range action.DefaultColumns()[1:] {
		parent, child := filepath.Ext(c.Name), ""
		if parent != "" {
			child, parent = parent[1:], c.Name[:len(c.Name)-len(parent)]
		}
		switch {
		case child != "":
			nested[parent][child] = value(c.Name)
		case rapid.IntRange(0, 9).Draw(t, "absent") > 0:
			record[c.Name] = value(c.Name)
		}
	}
	for name, o := range nested {
		record[name] = o
	}
	text, err := json.Marshal(record)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// Whatever customers hold: exported, read back and compared, no row was edited,
// rejected or warned of.
func TestAnExportComesBackUnedited(t *testing.T) {
	reports := t.TempDir()
	rapid.Check(t, func(t *rapid.T) {
		dir, err := runs.Create(reports, time.Now(), exportName, "x")
		must(t, err)
		var file bytes.Buffer
		out, err := sheet.Open("-", false, &file)
		must(t, err)
		columns := action.DefaultColumns()
		var names []string
		for _, c := range columns {
			names = append(names, c.Name)
		}
		baseline, err := dir.Rows(runs.ExportedName, names)
		must(t, err)
		must(t, out.Write(append(names[:len(names):len(names)], "rb_export")))
		rows := rapid.IntRange(1, 4).Draw(t, "rows")
		for n := range rows {
			var cells, shown []string
			record := strangeRecord(t, "98700"+string(rune('1'+n)))
			for _, c := range columns {
				cells = append(cells, c.Cell(record, nil))
				shown = append(shown, out.Escape(c.Cell(record, nil)))
			}
			must(t, baseline.Append(runs.Row{Cells: cells}))
			must(t, out.Write(append(shown, dir.ID())))
		}
		must(t, baseline.Close())
		must(t, out.Finish())
		checked := readBack(t, dir, file.Bytes())
		if checked.Rows != rows || checked.Exported != rows || checked.Edited != 0 || checked.Rejected != 0 || checked.WarningCount != 0 {
			t.Fatalf("%d rows, %d exported, %d edited, %d rejected, warnings %v", checked.Rows, checked.Exported, checked.Edited, checked.Rejected, checked.Warnings)
		}
	})
}

func must(t interface{ Fatal(...any) }, err error) {
	if err != nil {
		t.Fatal(err)
	}
}

// fromFolder finds every row in one baseline.
type fromFolder struct{ *bases }

func (f fromFolder) Was(_, keyField, key string) (func(string) (string, bool), *mapping.Problem, error) {
	return f.bases.Was("", keyField, key)
}

func readBack(t *rapid.T, dir *runs.Dir, file []byte) *mapping.Checked {
	in, err := csvfile.NewReader(bytes.NewReader(file), "export.csv", csvfile.Options{})
	must(t, err)
	m, err := mapping.Compile(action.UpdateSchema(), in.Heading(), mapping.CompileOptions{})
	must(t, err)
	rows, err := dir.OpenBaseline("id")
	must(t, err)
	defer rows.Close()
	all := &bases{file: "x", opened: map[string]*base{"\nid": {rows: rows, column: map[string]int{}}}}
	checked, err := mapping.Check(in, m, nil, mapping.CheckOptions{Exports: fromFolder{all}})
	must(t, err)
	return checked
}

// full is a disk without room.
type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("no space left") }

func TestAFullOutputIsToldOnce(t *testing.T) {
	out, err := sheet.Open("-", false, full{})
	must(t, err)
	must(t, out.Write([]string{"id"}))
	if err := out.Finish(); err == nil || strings.Count(err.Error(), "no space left") != 1 || codeOf(err) != exitFiles {
		t.Errorf("%v", err)
	}
}
