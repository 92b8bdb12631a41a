package cli

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"rowbatch/batch"
	"rowbatch/batch/job"
	"rowbatch/batch/ui"
	"rowbatch/mapping"
)

// badFlag says what is wrong with a flag, in words and with the flag that may be meant.
func badFlag(cmd *cobra.Command, err error) error {
	help := cmd.CommandPath() + " --help"
	if own := (*batch.Fault)(nil); errors.As(err, &own) {
		return own // it says better what is wrong with the flag's value
	}
	if unknown, ok := errors.AsType[*pflag.NotExistError](err); ok {
		return unknownFlag(cmd, unknown)
	}
	if bare, ok := errors.AsType[*pflag.ValueRequiredError](err); ok {
		return batch.Usage(help, "--%s needs a value: %s", bare.GetFlag().Name, example(bare.GetFlag()))
	}
	if bad, ok := errors.AsType[*pflag.InvalidValueError](err); ok {
		wants, ok := map[string]struct{ what, such string }{
			"int":      {"a whole number", " 10"},
			"duration": {"a time such as 30s, 5m or 1h30m", " 30s"},
			"bool":     {"true or false, or stands alone", ""},
		}[bad.GetFlag().Value.Type()]
		if name := "--" + bad.GetFlag().Name; ok {
			return batch.Usage(name+wants.such, "%s takes %s, not %q", name, wants.what, bad.GetValue())
		}
	}
	if bad, ok := errors.AsType[*pflag.InvalidSyntaxError](err); ok {
		return batch.Usage(help, "%q is no flag", bad.GetSpecifiedFlag())
	}
	return batch.Usage(help, "%v", err)
}

// example is a flag with what it takes.
func example(f *pflag.Flag) string {
	value, _ := pflag.UnquoteUsage(f)
	return strings.TrimSpace("--" + f.Name + " " + value)
}

// unknownFlag names the nearest flag of the command, or the commands that do have it.
func unknownFlag(cmd *cobra.Command, unknown *pflag.NotExistError) error {
	name := unknown.GetSpecifiedName()
	if unknown.GetSpecifiedShortnames() != "" {
		return batch.Usage(cmd.CommandPath()+" --help", "%s has no flag -%s", words(cmd), name)
	}
	var names, elsewhere []string
	cmd.Flags().VisitAll(func(f *pflag.Flag) { names = append(names, f.Name) })
	for _, other := range cmd.Root().Commands() {
		if other.Flags().Lookup(name) != nil {
			elsewhere = append(elsewhere, other.Name())
		}
	}
	near := nearest(name, names)
	text := fmt.Sprintf("%s has no flag --%s", words(cmd), name)
	switch {
	case len(elsewhere) > 0:
		return batch.Usage(cmd.CommandPath()+" --help", "%s: it is one of %s", text, strings.Join(elsewhere, ", "))
	case near != "":
		return batch.Usage(example(cmd.Flags().Lookup(near)), "%s", text)
	}
	return batch.Usage(cmd.CommandPath()+" --help", "%s", text)
}

// show prints what a command has to show: as text, or with --json as one value.
func show(cmd *cobra.Command, value any, text func(io.Writer) error) error {
	if asJSON, err := cmd.Flags().GetBool("json"); err != nil || !asJSON {
		return errors.Join(err, text(cmd.OutOrStdout()))
	}
	_, err := cmd.OutOrStdout().Write(batch.JSON(value, "  "))
	return err
}

// showTable is show of what stands on a screen.
func showTable(cmd *cobra.Command, value any, draw func(ui.Screen)) error {
	return show(cmd, value, func(w io.Writer) error {
		var text bytes.Buffer
		s := ui.NewScreen(w, os.Args[1:], look(cmd))
		s.Writer = &text
		draw(s)
		_, err := w.Write(text.Bytes())
		return err
	})
}

// nearest returns the name that was most likely meant: the only one that begins so, or the
// one that is spelled nearly so; "": there is none.
func nearest(word string, of []string) string {
	begins := func(name string) bool { return strings.HasPrefix(name, word) }
	if i := slices.IndexFunc(of, begins); i >= 0 && !slices.ContainsFunc(of[i+1:], begins) {
		return of[i]
	}
	near, _ := mapping.Nearest(word, of)
	return near
}

// below are the names of the commands of a command.
func below(cmd *cobra.Command) (names []string) {
	for _, c := range cmd.Commands() {
		names = append(names, c.Name())
	}
	return names
}

// words are those of a command, without the program's name.
func words(cmd *cobra.Command) string { return strings.TrimPrefix(cmd.CommandPath(), "rowbatch ") }

// one lets exactly one argument stand behind a command, such as that.
func one(what, such string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) == 1 {
			return nil
		}
		return batch.Usage(cmd.CommandPath()+" "+such, "%s takes one %s, not %d", words(cmd), what, len(args))
	}
}

// oneFile lets exactly one file stand behind a command.
func oneFile(cmd *cobra.Command, args []string) error {
	if len(args) > 1 {
		return severalFiles(cmd, args, "one FILE")
	}
	return one("FILE", "customers.csv")(cmd, args)
}

// severalFiles refuses more than one file, which may be one path with spaces.
func severalFiles(cmd *cobra.Command, args []string, takes string) error {
	try := "one file after the other"
	if !slices.ContainsFunc(args[:len(args)-1], isTable) {
		try = "quotation marks, where a path has spaces: " + cmd.CommandPath() + " " + job.QuoteWord(strings.Join(args, " "))
	}
	return batch.Usage(try, "%s takes %s, not %d", words(cmd), takes, len(args))
}

// isTable reports whether a name is one of a file with rows.
func isTable(name string) bool {
	return slices.Contains([]string{".csv", ".tsv", ".xlsx"}, strings.ToLower(filepath.Ext(name)))
}

// noArgument refuses whatever stands behind a command that takes nothing.
func noArgument(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	try := strings.TrimSpace(cmd.CommandPath() + " " + nearest(args[0], below(cmd)))
	return batch.Usage(try, "%s takes nothing but flags, and %q is none", words(cmd), args[0])
}
