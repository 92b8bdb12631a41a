package export

import (
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"rowbatch/batch"
	"rowbatch/batch/action"
	"rowbatch/batch/intake"
	"rowbatch/batch/job"
)

// Options are what a user sets of an export alone. Each field is bound to one flag.
type Options struct {
	Columns  string `json:"columns"` // their names, separated by commas; "": the id and what update takes
	Query    string `json:"query,omitempty"`
	Overview bool   `json:"overview,omitempty"` // with balances and dates
	Output   string `json:"output"`             // the file; - is standard output
	Force    bool   `json:"-"`                  // replaces the file if it is there
}

// Defaults returns the options of a command without flags.
func Defaults() Options { return Options{Output: "-"} }

// Bind binds each field to its flag. The value that a field has is its flag's default.
func (o *Options) Bind(f *pflag.FlagSet) {
	f.SortFlags = false
	f.StringVar(&o.Columns, "columns", o.Columns, "`NAMES` of columns, separated by commas (default: id and what update takes)")
	f.StringVar(&o.Query, "query", o.Query, "only customers of the API's `QUERY`, such as status:Active")
	f.BoolVar(&o.Overview, "overview", o.Overview, "add balances and dates, for one request a customer")
	f.StringVarP(&o.Output, "output", "o", o.Output, "`FILE` to write: .csv, .tsv, .xlsx, or - for standard output")
	f.BoolVar(&o.Force, "force", o.Force, "replace the file if it is there")
}

// Check reports what is wrong with the options before anything is read. file is the
// one that names the customers, "" where none does; set tells which flags the user gave.
func (o *Options) Check(s job.Settings, file string, set func(flag string) bool) error {
	isBlank := func(name string) bool { return strings.TrimSpace(name) == "" }
	switch {
	case set("columns") && slices.ContainsFunc(strings.Split(o.Columns, ","), isBlank):
		return batch.Usage("--columns id,firstName,lastName", "--columns %q: a name is missing", o.Columns)
	case s.Output.JSON && o.Output == "-":
		return batch.Usage("-o customers.csv", "--json and the export itself cannot both go to standard output")
	case file != "" && o.Query != "":
		return batch.Usage("", "FILE and --query exclude each other")
	}
	for _, flag := range []string{"map", "delimiter", "encoding"} {
		if file == "" && set(flag) {
			return batch.Usage("", "--%s says how FILE is read, and there is none", flag)
		}
	}
	_, err := o.columns()
	return err
}

// columns are those of the file, without rb_export.
func (o *Options) columns() (columns []action.ExportColumn, err error) {
	columns = action.DefaultColumns()
	if o.Columns != "" {
		columns = nil
		for name := range strings.SplitSeq(o.Columns, ",") {
			c, err := action.FindColumn(name)
			switch {
			case err != nil:
				return nil, batch.Usage("rowbatch fields update", "--columns: %v", err)
			case slices.Contains(columns, c):
				return nil, batch.Usage("", "--columns names %s twice", c.Name)
			}
			columns = append(columns, c)
		}
	}
	for _, c := range action.OverviewColumns() {
		if o.Overview && !slices.Contains(columns, c) {
			columns = append(columns, c)
		}
	}
	return columns, nil
}

// Actions is how an export reads a file: as an update would, for its customers alone.
func Actions() intake.Actions {
	return intake.Actions{Name: "export", Specs: []action.Spec{action.ExportSpec()}, KeysOnly: true}
}
