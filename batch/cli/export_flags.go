package cli

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"rowbatch/batch/action"
)

// exportFlags are what a user sets of an export.
type exportFlags struct {
	actionFlags
	names    string
	query    string
	overview bool
	output   string
	force    bool
}

func newExport() *cobra.Command {
	j := job{exportName, []action.Spec{action.ExportSpec()}}
	f := &exportFlags{}
	cmd := &cobra.Command{
		Use: "export [FILE]", Short: "Write Fusebill customers to a CSV or XLSX file, to be edited and sent back",
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := f.parse(cmd, j); err != nil {
				return err
			}
			file := strings.Join(args, "")
			return runCommand(cmd, j, file, &f.actionFlags, func(r *run) error { return (&export{run: r, flags: f}).carryOut() })
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

Without -o the CSV goes to standard output, and the summary to standard error.`
	cmd.Example = `  rowbatch export --sandbox -o customers.csv
  rowbatch export --query 'status:Active' --overview -o active.xlsx
  rowbatch export overdue.csv --columns id,companyName,primaryEmail -o mails.csv`
	f.register(cmd, j)
	return cmd
}

func (f *exportFlags) register(cmd *cobra.Command, j job) {
	s := cmd.Flags()
	s.SortFlags = false
	s.StringVar(&f.names, "columns", "", "`NAMES` of columns, separated by commas (default: id and what update takes)")
	s.StringVar(&f.query, "query", "", "only customers of the API's `QUERY`, such as status:Active")
	s.BoolVar(&f.overview, "overview", false, "add balances and dates, for one request a customer")
	s.StringVarP(&f.output, "output", "o", "-", "`FILE` to write: .csv, .tsv, .xlsx, or - for standard output")
	s.BoolVar(&f.force, "force", false, "replace the file if it is there")
	all := &cobra.Command{}
	f.actionFlags.register(all, j)
	f.dryRun = true          // an export has nothing to write with
	f.allowDuplicates = true // and exports a customer once
	for _, name := range []string{"map", "sandbox", "delimiter", "encoding", "rate", "reserve", "workers", "timeout", "reports", "wait", "json", "quiet", "verbose", "log-format"} {
		s.AddFlag(all.Flags().Lookup(name))
	}
}

func (f *exportFlags) parse(cmd *cobra.Command, j job) error {
	if err := f.actionFlags.parse(cmd, j); err != nil {
		return err
	}
	isBlank := func(name string) bool { return strings.TrimSpace(name) == "" }
	switch {
	case cmd.Flags().Changed("columns") && slices.ContainsFunc(strings.Split(f.names, ","), isBlank):
		return usage("--columns id,firstName,lastName", "--columns %q: a name is missing", f.names)
	case f.json && f.output == "-":
		return usage("-o customers.csv", "--json and the export itself cannot both go to standard output")
	case cmd.Flags().NArg() == 1 && f.query != "":
		return usage("", "FILE and --query exclude each other")
	case cmd.Flags().NArg() == 0:
		return onlyWithFile(cmd.Flags(), "map", "delimiter", "encoding")
	}
	return nil
}

func onlyWithFile(set *pflag.FlagSet, names ...string) error {
	for _, name := range names {
		if set.Changed(name) {
			return usage("", "--%s says how FILE is read, and there is none", name)
		}
	}
	return nil
}
