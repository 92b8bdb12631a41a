package cli

import (
	"fmt"
	"io"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"rowbatch/batch"
	"rowbatch/batch/action"
	"rowbatch/reports"
)

func (x *export) exitCode() int {
	if len(x.errors) > 0 {
		return exitRows
	}
	return exitDone
}

// sayExport prints the summary, and keeps it in the run's folder.
func (x *export) sayExport() error {
	requests, waited := x.services.requests(), x.services.waited()
	s := reports.Summary{
		RunID: x.dir.ID(), Action: exportName, File: x.head.File, Account: x.head.Account, Rows: x.head.Rows, Outcomes: map[batch.Kind]int{},
		Requests: reports.Requests{Read: requests, Total: requests}, Seconds: millis(time.Since(x.began)), WaitedSeconds: inAll(waited), Waited: waited,
		Errors: append([]reports.ErrorCount{}, x.errors...), ExitCode: x.exitCode(),
	}
	if err := x.keepSummary(s); err != nil {
		return err
	}
	x.remarkTypes()
	w := x.console.out
	if x.flags.output == "-" {
		w = x.console.err
	}
	var err error
	switch {
	case x.flags.json:
		_, err = w.Write(s.JSON())
	case x.flags.output != "-" || !x.console.quiet:
		err = x.sayRows(w, s)
	}
	if err != nil {
		return &fault{code: exitFiles, text: "the summary could not be printed: " + err.Error(), try: "look into " + x.dir.Path()}
	}
	if s.ExitCode != exitDone {
		return &rowsError{s.ExitCode}
	}
	return nil
}

func (x *export) keepSummary(s reports.Summary) error {
	draft, err := x.dir.Draft("summary.json")
	if err != nil {
		return err
	}
	if _, err := draft.Write(s.JSON()); err != nil {
		draft.Drop()
		return err
	}
	_, err = draft.Keep()
	return err
}

func (x *export) sayRows(w io.Writer, s reports.Summary) error {
	to := x.flags.output
	if to == "-" {
		to = "standard output"
	}
	fmt.Fprintf(w, "export: %s to %s\n", plural(s.Rows, "customer"), to)
	fmt.Fprintf(w, "%s in %s%s\n", plural(s.Requests.Total, "request"), seconds(duration(s.Seconds)), waitedText(s))
	sayErrors(w, s)
	_, err := fmt.Fprintf(w, "as exported: %s (keep it, and the column rb_export: update compares with it)\n", x.dir.Path())
	if next := x.sendBack(s); err == nil && next != "" {
		_, err = fmt.Fprintf(w, "next, once edited: %s\n", next)
	}
	return err
}

// sendBack says how the file comes back. A file on standard output is somewhere else,
// and one that names no customers cannot.
func (x *export) sendBack(s reports.Summary) string {
	named := slices.ContainsFunc(x.columns, func(c action.ExportColumn) bool { return c.Name == "id" || c.Name == "reference" })
	switch {
	case x.flags.output == "-" || s.Rows == 0 || !named:
		return ""
	case strings.EqualFold(filepath.Ext(x.flags.output), ".xlsx"):
		return "save it from the spreadsheet as CSV (UTF-8), for rowbatch update"
	}
	return x.updateCommand()
}

func (x *export) updateCommand() string {
	words := []string{"rowbatch update", quoteWord(x.flags.output)}
	if x.flags.sandbox {
		words = append(words, "--sandbox")
	}
	if x.flags.reports != defaultReports {
		words = append(words, "--reports", quoteWord(x.flags.reports))
	}
	return strings.Join(append(words, "--dry-run"), " ")
}

// remarkTypes names the types of sales tracking codes that no column shows.
func (x *export) remarkTypes() {
	var missing []string
	for _, typ := range slices.Sorted(maps.Keys(x.types)) {
		name := action.TrackingColumn(typ)
		shown := func(c action.ExportColumn) bool { return strings.EqualFold(c.Name, name) }
		if !slices.ContainsFunc(x.columns, shown) {
			missing = append(missing, name)
		}
	}
	if len(missing) > 0 && x.flags.names == "" && !x.console.quiet {
		fmt.Fprintf(x.console.err, "rowbatch: not exported: %s (name them in --columns)\n", strings.Join(missing, ", "))
	}
}
