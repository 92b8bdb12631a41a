package cli

import (
	"bytes"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"rowbatch/batch"
	"rowbatch/batch/export"
	"rowbatch/batch/job"
	"rowbatch/batch/ui"
)

func newExport() *cobra.Command {
	o, s := export.Defaults(), job.Defaults()
	cmd := &cobra.Command{
		Use: "export [FILE]", Short: "Write Fusebill customers to a CSV or XLSX file, to be edited",
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) < 2 {
				return nil
			}
			return severalFiles(cmd, args, "one FILE at most")
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			file := strings.Join(args, "")
			if err := s.Check(export.Actions(), cmd.Flags().Changed); err != nil {
				return err
			}
			if err := o.Check(s, file, cmd.Flags().Changed); err != nil {
				return err
			}
			accounts, err := settled(cmd, &s, export.Actions().Systems()...)
			if err != nil {
				return err
			}
			return onTerminal(cmd, s, accounts.Open, file == "-", func(t *ui.Terminal, j job.Job, c job.Control) error {
				r, err := export.Export(j, c, o, file, t.In, t.Out)
				if err != nil {
					return err
				}
				return printExport(t, r, o, s.Output)
			})
		},
	}
	cmd.Long = `export writes customers to a file: all of them or those of a --query, oldest first,
or those that FILE names by id or reference, in its order. Nothing is written to the API. Edit
the file and send it back with update: cells that you did not touch stay as the
record has them by then, edited ones are written where the record still holds
the exported value, and a row that you did not touch costs no request at all.

Columns are the id, every field that update takes, and rb_export, which names the
run folder where the rows are kept as they were exported: keep the column, and the
folder. Types of sales tracking codes are not known before the last customer has
been read: name them, --columns id,"salesTrackingCode.Region". Columns
beyond the fields of an update (status, currency, hubSpotId, createdTimestamp, …)
can be named too, and are ignored by update.

Without -o the CSV goes to standard output, and the summary to standard error:
--json needs -o, and what is refused without it is told on standard error alone.`
	cmd.Example = `  rowbatch export --sandbox -o customers.csv
  rowbatch export --query 'status:Active' --overview -o active.xlsx
  rowbatch export overdue.csv --columns id,companyName,primaryEmail -o mails.csv`
	o.Bind(cmd.Flags())
	s.Bind(cmd.Flags(), export.Actions(), job.ExportFlags)
	return cmd
}

// printExport tells what an export has brought: on standard error where the file
// itself went to standard output.
func printExport(t *ui.Terminal, r *export.Result, o export.Options, out job.Output) error {
	var text bytes.Buffer
	to, shown := t.Out, o.Output
	if o.Output == "-" {
		to, shown = t.Err, "standard output"
	}
	switch {
	case out.JSON:
		text.Write(r.Summary.JSON())
	case o.Output != "-" || !out.Quiet:
		w := ui.NewScreen(to, t.Words, t.Look)
		w.Writer = &text
		printExported(w, r, shown)
	}
	if _, err := to.Write(text.Bytes()); err != nil {
		return &batch.Fault{Code: batch.ExitFiles, Text: "the summary could not be printed: " + err.Error(), Try: "look into " + r.Folder}
	}
	return ended(r.Summary.ExitCode)
}

func printExported(w ui.Screen, r *export.Result, to string) {
	s := r.Summary
	w.Printf("%s: %s to %s\n", w.Paint(ui.Strong, "export"), batch.Plural(s.Rows, "customer"), to)
	w.Printf("%s in %s\n", batch.Plural(s.Requests.Total, "request"), ui.TimeText(s))
	ui.PrintErrors(w, s)
	w.Printf("account: %s\n", w.Account(ui.Plain, job.Identity{Hosts: s.Host, Label: s.Label}))
	w.Printf("as exported: %s (keep it, and the column rb_export: update compares with it)\n", r.Folder)
	if strings.EqualFold(filepath.Ext(to), ".csv") {
		w.Table(0, []any{"a spreadsheet may damage ids and dates of a CSV: to edit it in one, -o with a name in .xlsx is safer"})
	}
	if r.Next != "" {
		w.Printf("%s %s\n", w.Paint(ui.Strong, "next, once edited:"), w.Paint(ui.Accent, r.Next))
	}
}
