package cli

import (
	_ "embed"
	"encoding/json"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/tidwall/sjson"

	"rowbatch/batch"
	"rowbatch/batch/action"
	"rowbatch/batch/job"
	"rowbatch/mapping"
)

func newTemplate() *cobra.Command {
	output := ""
	cmd := &cobra.Command{
		Use: "template ACTION", Short: "Write a starting file for an action: columns and their rules",
		ValidArgs: action.Names(),
		Args:      oneAction(),
		RunE: func(cmd *cobra.Command, args []string) error {
			spec, ok := action.Find(args[0])
			if !ok {
				return noAction(cmd, args[0])
			}
			t := mapping.TemplateOf(spec.Schema)
			var text []byte
			var err error
			switch ext := strings.ToLower(filepath.Ext(output)); {
			case output == "", output == "-", ext == ".csv":
				text, err = t.CSV()
			case ext == ".xlsx":
				text, err = t.Workbook()
			default:
				err = batch.Usage("-o "+args[0]+".xlsx", "-o %s: the name ends in .csv or .xlsx", output)
			}
			if err != nil {
				return err
			}
			err = deliver(cmd, output, text, map[string]any{"action": args[0], "columns": t.Heading, "takes": t.Note})
			if err == nil && isFile(output) {
				cmd.PrintErrf("rowbatch: %s is written; delete the columns that you do not need\n", output)
				cmd.PrintErrf("next, once filled: rowbatch %s %s --dry-run\n", args[0], job.QuoteWord(output))
			}
			return err
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
