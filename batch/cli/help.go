package cli

import (
	_ "embed"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"rowbatch/batch"
)

//go:embed help/cells.txt
var cellsHelp string

//go:embed help/mapping.txt
var mappingHelp string

//go:embed help/shards.txt
var shardsHelp string

// topic is a page of help about no command.
type topic struct {
	name, short string
	print       func(io.Writer) error
}

func topics() []topic {
	text := func(s string) func(io.Writer) error {
		return func(w io.Writer) error {
			_, err := io.WriteString(w, s)
			return err
		}
	}
	return []topic{
		{"exit-codes", "what the exit status says", printExitCodes},
		{"cells", "what may stand in a cell", text(cellsHelp)},
		{"mapping", "the mapping file", text(mappingHelp)},
		{"shards", "how several processes share one file", text(shardsHelp)},
		{"codes", "the error codes of the report, and what to do about each", printCodes},
	}
}

// newHelp returns the help command: of any command, and of the topics.
func newHelp(root *cobra.Command) *cobra.Command {
	help := &cobra.Command{
		Use: "help [COMMAND | TOPIC]", Short: "Help about a command or a topic",
		RunE: func(_ *cobra.Command, args []string) error {
			found, rest, err := root.Find(args)
			if err != nil || len(rest) > 0 {
				return batch.Usage("rowbatch help", "there is no command or topic %q", strings.Join(args, " "))
			}
			found.InitDefaultHelpFlag()
			return found.Help()
		},
	}
	var names []string
	for _, t := range topics() {
		names = append(names, fmt.Sprintf("  %-12s %s", t.name, t.short))
		help.AddCommand(&cobra.Command{
			Use: t.name, Short: t.short, Args: noArgument,
			RunE: func(cmd *cobra.Command, _ []string) error { return t.print(cmd.OutOrStdout()) },
		})
	}
	help.Long = "help shows the help of a command, or a page on one of these topics:\n\n" + strings.Join(names, "\n")
	usage := root.UsageTemplate() + "\nEXIT STATUS\n"
	for _, c := range batch.ExitCodes() {
		usage += fmt.Sprintf("  %-4d %s\n", c.Code, c.Means)
	}
	root.SetUsageTemplate(usage)
	return help
}

func printExitCodes(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "CODE\tMEANING")
	for _, c := range batch.ExitCodes() {
		fmt.Fprintf(t, "%d\t%s\n", c.Code, c.Means)
	}
	return t.Flush()
}

func printCodes(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "CODE\tOUTCOME\tMEANING\tWHAT TO DO")
	for _, c := range batch.Codes() {
		kinds := make([]string, len(c.Kinds))
		for i, k := range c.Kinds {
			kinds[i] = string(k)
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\n", c.Name, strings.Join(kinds, ", "), c.Means, c.Fix)
	}
	return t.Flush()
}
