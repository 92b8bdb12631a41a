package cli

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"rowbatch/batch"
	"rowbatch/batch/job"
	"rowbatch/batch/ui"
)

// Version is the program's version.
const Version = "0.1.0"

// Main carries out one command line and returns the exit code.
func Main(args []string) int {
	root := newRoot()
	root.SetArgs(args)
	root.SetIn(os.Stdin)
	root.SetOut(os.Stdout)
	root.SetErr(os.Stderr)
	cmd, err := root.ExecuteC()
	if ended := (*endedError)(nil); errors.As(err, &ended) {
		return ended.code
	}
	code := job.ExitCode(err)
	if err != nil {
		t := &ui.Terminal{Err: os.Stderr, Words: args, Look: look(cmd)}
		if strings.Contains(strings.Join(args, "="), "--log-format=json") {
			t.Err = ui.NewLog(os.Stderr, slog.LevelInfo)
		}
		t.Complain(err)
		if slices.Contains(args, "--json") { // even where the command line could not be read to its end
			to := os.Stdout
			if o := cmd.Flags().Lookup("output"); o != nil && o.Value.String() == "-" { // an export goes there
				to = os.Stderr
			}
			ui.PrintRefusal(ui.NewScreen(to, nil, ui.Look{}), err, code)
		}
	}
	return code
}

// endedError carries the exit code of a run whose summary has said it all.
type endedError struct{ code int }

func (e *endedError) Error() string { return fmt.Sprintf("exit code %d", e.code) }

// ended returns nil for code 0.
func ended(code int) error {
	if code == batch.ExitDone {
		return nil
	}
	return &endedError{code}
}

func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:   "rowbatch",
		Short: "Carry out the rows of a spreadsheet as edits of billing customers",
		Long: `rowbatch carries out the rows of a CSV file or an Excel sheet as edits of
billing customers: updates, holds and HubSpot links in Fusebill, patches in Trackfinity. Each row is
checked, compared with the live record, sent only where something changes, and
accounted for in a report.`,
		Example: `  rowbatch update samples/customers.csv --sandbox   try it without an account
  rowbatch update customers.csv --dry-run           see what would change
  rowbatch ui --sandbox                             the same in the browser`,
		Version:       Version,
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          noCommand,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		if words := cmd.Flags().Args(); cmd == root && len(words) > 0 {
			return noCommand(root, words) // the flag is one of a command that does not exist
		}
		return badFlag(cmd, err)
	})
	root.PersistentFlags().Bool("json", false, "print one JSON object or array")
	color := ui.Auto
	root.PersistentFlags().TextVar(&color, "color", color, "colours `WHEN`: auto (on a terminal, unless NO_COLOR is set), always or never")
	root.SetVersionTemplate("rowbatch {{.Version}}\n")
	group := func(title string, all ...*cobra.Command) {
		root.AddGroup(&cobra.Group{ID: title, Title: title + ":"})
		for _, cmd := range all {
			cmd.GroupID = title
		}
		root.AddCommand(all...)
	}
	group("Edit", newUpdate(), newHold(), newLatch(), newPatch(), newRun(), newPlan(), newUI())
	group("Take up and take back", newApply(), newResume(), newUndo(), newRuns(), newReport())
	group("Files", newExport(), newCheck(), newMap(), newFields(), newTemplate(), newSchema())
	group("Accounts", newProfile(), newLogin(), newDoctor(), newSandbox())
	group("More", newCompletion(), newVersion())
	root.SetHelpCommand(newHelp(root))
	root.SetHelpCommandGroupID("More")
	if err := complete(root); err != nil {
		panic(err) // a flag is completed twice
	}
	fill(root)
	return root
}

// look is what the command line and the environment say about terminals.
func look(cmd *cobra.Command) ui.Look {
	l := ui.Look{Color: ui.Auto, Dumb: os.Getenv("TERM") == "dumb"}
	switch f := cmd.Flag("color"); {
	case f != nil && f.Changed:
		l.Color = ui.Color(f.Value.String())
	case os.Getenv("NO_COLOR") != "":
		l.Color = ui.Never
	}
	return l
}

// noCommand refuses what is no command, and names the nearest.
func noCommand(root *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	near := nearest(args[0], below(root))
	switch args[0] {
	case "unhold":
		return batch.Usage("rowbatch undo RUN --unhold OPTION; rowbatch runs lists the runs, and rowbatch undo --help the options",
			"there is no command %q: customers come off hold by an undo of the run that put them there", args[0])
	case "unlatch", "cancel", "delete", "revert": // no likeness in spelling makes up for doing otherwise
		near = ""
	}
	try := "rowbatch " + cmp.Or(near, "help")
	_, err := os.Stat(args[0])
	switch {
	case args[0] == "preview":
		try = "rowbatch plan update " + job.QuoteWord(strings.Join(append(args[1:], "FILE")[:1], ""))
	case err == nil, isTable(args[0]):
		try = "rowbatch update " + job.QuoteWord(args[0]) + " --dry-run"
	}
	return batch.Usage(try, "unknown command %q", args[0])
}

func newVersion() *cobra.Command {
	return &cobra.Command{
		Use: "version", Short: "Print version, commit and Go version", Args: noArgument,
		Example: "  rowbatch version --json",
		RunE: func(cmd *cobra.Command, _ []string) error {
			b := buildOf()
			return show(cmd, b, func(w io.Writer) error {
				_, err := fmt.Fprintf(w, "rowbatch %s\ncommit %s\n%s %s\n", b.Version, b.commit(), b.Go, b.Platform)
				return err
			})
		},
	}
}

// build is what this program was made of.
type build struct {
	Version  string `json:"version"`
	Commit   string `json:"commit,omitempty"` // "": nobody knows
	Time     string `json:"commit_time,omitempty"`
	Modified bool   `json:"modified"` // there were changes beside the commit
	Go       string `json:"go"`
	Platform string `json:"platform"`
}

func buildOf() build {
	b := build{Version: Version, Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return b
	}
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			b.Commit = s.Value
		case "vcs.time":
			b.Time = s.Value
		case "vcs.modified":
			b.Modified = s.Value == "true"
		}
	}
	return b
}

func (b build) commit() string {
	switch {
	case b.Commit == "":
		return "unknown"
	case b.Modified:
		return b.Commit + " of " + b.Time + ", with changes"
	}
	return b.Commit + " of " + b.Time
}
