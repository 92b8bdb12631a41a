package cli

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"
	"github.com/spf13/pflag"

	"rowbatch/batch"
	"rowbatch/batch/action"
	"rowbatch/batch/intake"
	"rowbatch/batch/job"
	"rowbatch/batch/profile"
	"rowbatch/client"
)

func newCompletion() *cobra.Command {
	scripts := func(root *cobra.Command) map[string]func(io.Writer) error {
		return map[string]func(io.Writer) error{
			"bash":       func(w io.Writer) error { return root.GenBashCompletionV2(w, true) },
			"zsh":        root.GenZshCompletion,
			"fish":       func(w io.Writer) error { return root.GenFishCompletion(w, true) },
			"powershell": root.GenPowerShellCompletionWithDesc,
		}
	}
	shells := []string{"bash", "zsh", "fish", "powershell"}
	return &cobra.Command{
		Use: "completion SHELL", Short: "Print the script by which a shell completes command lines",
		Long: `completion prints the script by which bash, zsh, fish or powershell completes what you
type after rowbatch: commands and flags, fields of --match and --columns, sheets of a
workbook, and the ids of those runs that can be applied, resumed, undone or reported on.
bash needs its package bash-completion.`,
		Example: `  rowbatch completion bash >~/.local/share/bash-completion/completions/rowbatch
  rowbatch completion zsh >"${fpath[1]}/_rowbatch"
  rowbatch completion fish >~/.config/fish/completions/rowbatch.fish
  rowbatch completion powershell | Out-String | Invoke-Expression`,
		ValidArgs: shells,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 1 && slices.Contains(shells, args[0]) {
				return nil
			}
			return batch.Usage("rowbatch completion bash", "completion takes one SHELL: %s", strings.Join(shells, ", "))
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			var text bytes.Buffer
			if err := scripts(cmd.Root())[args[0]](&text); err != nil {
				return err
			}
			return deliver(cmd, "", text.Bytes(), map[string]string{"shell": args[0], "script": text.String()})
		},
	}
}

// complete lets the arguments and flags of all commands be completed.
func complete(root *cobra.Command) error {
	files := func(kinds ...string) cobra.CompletionFunc {
		return func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return kinds, cobra.ShellCompDirectiveFilterFileExt
		}
	}
	words := func(all ...string) cobra.CompletionFunc {
		return cobra.FixedCompletions(all, cobra.ShellCompDirectiveNoFileComp)
	}
	flags := map[string]cobra.CompletionFunc{
		"lookup": words(intake.Lookups()...), "hidden": words("take", "skip"), "log-format": words("text", "json"),
		"color": words("auto", "always", "never"), "unhold": words(client.ServiceStartOptions()...),
		"action":   words(append(action.Names(), intake.Mixed)...),
		"encoding": words("utf-8", "utf-16le", "windows-1252", "iso-8859-15", "windows-1251", "shift_jis"),
		"match":    completeGuard, "columns": completeColumns, "may-move": words(columnNames()...), "sheet": completeSheet,
		"map": files("yaml", "yml"), "base": files("csv", "xlsx"), "review": files("csv", "xlsx"), "output": files("csv", "xlsx", "yaml"),
		"metrics": files("prom"), "profile": completeProfile, "colour": words(profile.Colours()...),
		"api": words(action.SystemFusebill, action.SystemTrackfinity),
		"reports": func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return nil, cobra.ShellCompDirectiveFilterDirs
		},
	}
	takesFile, again := files("csv", "tsv", "xlsx"), func(fits func(job.Listed, bool) bool) cobra.CompletionFunc {
		return func(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
			return completeRun(cmd, args, fits)
		}
	}
	arguments := map[string]cobra.CompletionFunc{
		"update": takesFile, "hold": takesFile, "latch": takesFile, "patch": takesFile, intake.Mixed: takesFile,
		"export": takesFile, "map": takesFile, "check": takesFile,
		"apply": again(func(l job.Listed, _ bool) bool { return l.State == job.Planned }),
		"undo":  again(func(l job.Listed, _ bool) bool { return l.CanUndo() }),
		"resume": again(func(l job.Listed, failed bool) bool {
			return l.State == job.Stopped || failed && l.Counts[batch.Failed]+l.Counts[batch.Conflict]+l.Counts[batch.InDoubt] > 0
		}),
		"report": again(func(l job.Listed, _ bool) bool { return job.IsEdit(l.Info) }),
		"show":   completeProfile, "use": completeProfile, "remove": completeProfile,
	}
	var of func(cmd *cobra.Command) error
	of = func(cmd *cobra.Command) (err error) {
		cmd.ValidArgsFunction = arguments[cmd.Name()]
		cmd.LocalFlags().VisitAll(func(f *pflag.Flag) {
			if how := flags[f.Name]; how != nil && err == nil {
				err = cmd.RegisterFlagCompletionFunc(f.Name, how)
			}
		})
		for _, below := range cmd.Commands() {
			if err == nil {
				err = of(below)
			}
		}
		return err
	}
	return of(root)
}

// completeRun offers the runs of the reports folder that fit, with what they are.
func completeRun(cmd *cobra.Command, args []string, fits func(l job.Listed, failed bool) bool) ([]string, cobra.ShellCompDirective) {
	dir, err := cmd.Flags().GetString("reports")
	err = cmp.Or(err, reportsOf(cmd, &dir))
	if err != nil || len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	failed, _ := cmd.Flags().GetBool("failed") // which only resume has
	all, err := job.List(dir)
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	var ids []string
	for _, l := range all {
		if fits(l, failed) {
			what := fmt.Sprintf("%s: %s %s, %s", l.State, l.Head.Action, batch.Visible(l.Head.File), batch.Plural(l.Head.Rows, "row"))
			ids = append(ids, cobra.CompletionWithDesc(l.ID, what))
		}
	}
	return ids, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveKeepOrder
}

// completeProfile offers the profiles, with what they are.
func completeProfile(_ *cobra.Command, args []string, _ string) (names []string, _ cobra.ShellCompDirective) {
	f, err := profiles()
	if err != nil || len(args) > 1 {
		return nil, cobra.ShellCompDirectiveError
	}
	for _, name := range f.Names() {
		p := f.Profiles[name]
		names = append(names, cobra.CompletionWithDesc(name, p.Label()+", "+p.Host()))
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}

// completeGuard offers the fields of COL=field.
func completeGuard(cmd *cobra.Command, _ []string, typed string) (all []string, _ cobra.ShellCompDirective) {
	column, _, is := strings.Cut(typed, "=")
	if !is {
		return nil, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
	}
	for _, spec := range intake.ActionsOf(cmd.Name()).Specs {
		for _, f := range slices.Concat(spec.Schema.Keys, spec.Schema.Fields) {
			all = append(all, column+"="+f.Name)
		}
		for _, name := range spec.Schema.Guards {
			all = append(all, column+"="+name)
		}
	}
	slices.Sort(all)
	return slices.Compact(all), cobra.ShellCompDirectiveNoFileComp
}

// completeColumns offers the columns of an export, behind those that are typed already.
func completeColumns(_ *cobra.Command, _ []string, typed string) (all []string, _ cobra.ShellCompDirective) {
	before := typed[:strings.LastIndex(typed, ",")+1]
	for _, name := range columnNames() {
		if !slices.Contains(strings.Split(before, ","), name) {
			all = append(all, before+name)
		}
	}
	return all, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
}

func columnNames() (names []string) {
	for _, c := range action.Columns() {
		names = append(names, c.Name)
	}
	return names
}

// completeSheet offers the sheets of the workbook that is named already.
func completeSheet(cmd *cobra.Command, args []string, _ string) (names []string, _ cobra.ShellCompDirective) {
	if len(args) == 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	sheets, err := intake.Sheets(cmd.Context(), intake.Source{Name: args[len(args)-1], Actions: intake.ActionsOf(cmd.Name())})
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	for _, s := range sheets {
		names = append(names, s.Name)
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}

// newMan returns the command that writes the help of all commands for man.
func newMan(root *cobra.Command) *cobra.Command {
	return &cobra.Command{
		Use: "man DIR", Short: "Write a man page of each command into a folder",
		Long: `man writes a man page of each command into DIR, which must be there: rowbatch.1,
rowbatch-update.1 and so on. Those of an earlier version are replaced.`,
		Example: "  rowbatch help man ~/.local/share/man/man1\n  man rowbatch-update",
		Args:    one("DIR", "~/.local/share/man/man1"),
		RunE: func(cmd *cobra.Command, args []string) error {
			made := time.Now()
			if at, err := time.Parse(time.RFC3339, buildOf().Time); err == nil {
				made = at
			}
			root.Long += "\n\n# EXIT STATUS\n\n"
			for _, c := range batch.ExitCodes() {
				root.Long += fmt.Sprintf("**%d**\n: %s\n\n", c.Code, c.Means)
			}
			root.DisableAutoGenTag = true
			root.RemoveCommand(cmd.Parent()) // the topics are read by rowbatch help
			header := &doc.GenManHeader{Title: "ROWBATCH", Section: "1", Date: &made, Source: "rowbatch " + Version, Manual: "rowbatch"}
			if err := doc.GenManTree(root, header, args[0]); err != nil {
				return batch.Usage("a folder that is there", "the man pages cannot be written: %v", err)
			}
			pages, err := filepath.Glob(filepath.Join(args[0], "rowbatch*.1"))
			if err != nil {
				return err
			}
			return show(cmd, map[string][]string{"files": pages}, func(w io.Writer) error {
				_, err := fmt.Fprintf(w, "%s in %s\n", batch.Plural(len(pages), "man page"), args[0])
				return err
			})
		},
	}
}
