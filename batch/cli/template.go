package cli

import (
	"bytes"
	_ "embed"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/tidwall/sjson"
	"github.com/xuri/excelize/v2"

	"rowbatch/batch"
	"rowbatch/batch/action"
	"rowbatch/mapping"
)

func newTemplate() *cobra.Command {
	output := ""
	cmd := &cobra.Command{
		Use: "template ACTION", Short: "Write a starting file for an action: columns and their rules",
		ValidArgs: actionNames(),
		Args:      oneAction,
		RunE: func(cmd *cobra.Command, args []string) error {
			spec, ok := action.Find(args[0])
			if !ok {
				return noAction(cmd, args[0])
			}
			columns := templateColumns(spec.Schema)
			var text []byte
			var err error
			switch ext := strings.ToLower(filepath.Ext(output)); {
			case output == "", output == "-", ext == ".csv":
				text, err = csvTemplate(columns)
			case ext == ".xlsx":
				text, err = sheetTemplate(spec.Schema.Action, columns)
			default:
				err = batch.Usage("-o "+args[0]+".xlsx", "-o %s: the name ends in .csv or .xlsx", output)
			}
			if err != nil {
				return err
			}
			heading, note := templateRows(columns)
			return deliver(cmd, output, text, map[string]any{"action": args[0], "columns": heading, "takes": note})
		},
	}
	cmd.Long = `template writes a file to begin with: a heading with the columns of ACTION, and one
row that tells what may stand in each. That row's key begins with #: such rows
are skipped, and may stay. Delete the columns that you do not need.

An .xlsx has all cells as text, so that ids and phones keep their zeros, and lists to
choose from where a field takes only some values. A file that is there already is
not replaced.`
	cmd.Example = `  rowbatch template update
  rowbatch template update -o edits.xlsx`
	cmd.Flags().StringVarP(&output, "output", "o", output,
		"write to `FILE` (.csv or .xlsx), which must not be there yet (default: CSV to standard output)")
	return cmd
}

// templateColumns are the fields of an action's columns: one key, or all where any may be
// filled. Of a family nobody knows the members.
func templateColumns(s mapping.Schema) []mapping.Field {
	keys := s.Keys
	if !s.EitherKey {
		keys = keys[:1]
	}
	return slices.DeleteFunc(slices.Concat(keys, s.Fields), func(f mapping.Field) bool { return f.Family })
}

// templateRows are the heading and the note below it.
func templateRows(columns []mapping.Field) (heading, note []string) {
	for i, f := range columns {
		text := takes(f)
		if f.Secret {
			text = "text, never shown"
		}
		if i == 0 {
			text = "# " + text + " (this row is skipped)"
		}
		heading, note = append(heading, f.Name), append(note, text)
	}
	return heading, note
}

func csvTemplate(columns []mapping.Field) ([]byte, error) {
	var text bytes.Buffer
	heading, note := templateRows(columns)
	err := csv.NewWriter(&text).WriteAll([][]string{heading, note})
	return text.Bytes(), err
}

// sheetTemplate is a workbook of one sheet, all of whose cells are text.
func sheetTemplate(name string, columns []mapping.Field) ([]byte, error) {
	book := excelize.NewFile()
	defer book.Close()
	if err := book.SetSheetName("Sheet1", name); err != nil {
		return nil, err
	}
	const textFormat = 49
	plain, err := book.NewStyle(&excelize.Style{NumFmt: textFormat})
	if err != nil {
		return nil, err
	}
	bold, err := book.NewStyle(&excelize.Style{NumFmt: textFormat, Font: &excelize.Font{Bold: true}})
	if err != nil {
		return nil, err
	}
	pale, err := book.NewStyle(&excelize.Style{NumFmt: textFormat, Font: &excelize.Font{Italic: true, Color: "666666"},
		Alignment: &excelize.Alignment{WrapText: true, Vertical: "top"}})
	if err != nil {
		return nil, err
	}
	heading, note := templateRows(columns)
	for i, f := range columns {
		letter, err := excelize.ColumnNumberToName(i + 1)
		if err != nil {
			return nil, err
		}
		for _, err := range []error{
			book.SetColStyle(name, letter, plain), book.SetColWidth(name, letter, letter, float64(max(16, len(heading[i])+2))),
			book.SetCellStr(name, letter+"1", heading[i]), book.SetCellStyle(name, letter+"1", letter+"1", bold),
			book.SetCellStr(name, letter+"2", note[i]), book.SetCellStyle(name, letter+"2", letter+"2", pale),
			addChoices(book, name, letter, f),
		} {
			if err != nil {
				return nil, err
			}
		}
	}
	if err := book.SetPanes(name, &excelize.Panes{Freeze: true, YSplit: 1, TopLeftCell: "A2", ActivePane: "bottomLeft"}); err != nil {
		return nil, err
	}
	var text bytes.Buffer
	err = book.Write(&text)
	return text.Bytes(), err
}

// addChoices lets a column's cells be chosen from what its field takes.
func addChoices(book *excelize.File, sheet, letter string, f mapping.Field) error {
	if f.Kind != mapping.Enum {
		return nil
	}
	choices := slices.Clone(f.Enum)
	if f.Clear == mapping.Clearable {
		choices = append(choices, mapping.DefaultClear)
	}
	v := excelize.NewDataValidation(true)
	v.Sqref = fmt.Sprintf("%s3:%s%d", letter, letter, excelize.TotalRows)
	if err := v.SetDropList(choices); err != nil {
		return err
	}
	v.SetError(excelize.DataValidationErrorStyleWarning, f.Name, "one of "+strings.Join(choices, ", "))
	return book.AddDataValidation(sheet, v)
}

//go:embed help/mapping.schema.json
var mappingSchema string

func newSchema() *cobra.Command {
	return &cobra.Command{
		Use: "schema", Short: "Print the JSON schema of mapping files, for editors",
		Long: `schema prints the JSON schema of mapping files. An editor that knows it completes
names and marks mistakes as you type. Write it to a file, and name that in the first
line of a mapping file:

  # yaml-language-server: $schema=rowbatch.schema.json`,
		Example: "  rowbatch schema > rowbatch.schema.json",
		Args:    noArgument,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var fields []string
			for _, spec := range action.Specs() {
				for _, f := range slices.Concat(spec.Schema.Keys, spec.Schema.Fields) {
					if !f.Family && !slices.Contains(fields, f.Name) {
						fields = append(fields, f.Name)
					}
				}
			}
			text, err := sjson.Set(mappingSchema, "$defs.field.anyOf.0.enum", fields)
			if err != nil {
				return err
			}
			return deliver(cmd, "", []byte(text), json.RawMessage(text))
		},
	}
}
