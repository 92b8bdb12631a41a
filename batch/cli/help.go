package cli

import (
	"embed"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"rowbatch/batch"
)

// pages are the topics that are texts.
//
//go:embed help/*.txt
var pages embed.FS

// topic is a page of help about no command.
type topic struct {
	name, short string
	print       func(io.Writer) error // nil: the page is help/NAME.txt
}

func topics() []topic {
	return []topic{
		{"actions", "what a row becomes: update, hold, latch, patch; --when and guards", nil},
		{"api-unknowns", "what is not known about the API, and what is done about it", nil},
		{"cells", "what may stand in a cell", nil},
		{"codes", "the error codes of the report, and what to do about each", printCodes},
		{"develop", "working on rowbatch: rooms, laws, figures", nil},
		{"exit-codes", "what the exit status says", printExitCodes},
		{"export", "customers out to a file, and the edited file back", nil},
		{"limits", "requests: the account's limits, forecast, --lookup", nil},
		{"mapping", "the mapping file", nil},
		{"runs", "a run's files and outcomes; apply, review, resume, undo", nil},
		{"sandbox", "the stand-in that needs no account", nil},
		{"shards", "how several processes share one file", nil},
	}
}

func (t topic) write(w io.Writer) error {
	if t.print != nil {
		return t.print(w)
	}
	text, err := pages.ReadFile("help/" + t.name + ".txt")
	if err == nil {
		_, err = w.Write(text)
	}
	return err
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
	topicList := "TOPICS, each with rowbatch help TOPIC\n"
	for _, t := range topics() {
		topicList += fmt.Sprintf("  %-12s  %s\n", t.name, t.short)
		help.AddCommand(&cobra.Command{
			Use: t.name, Short: t.short, Args: noArgument,
			RunE: func(cmd *cobra.Command, _ []string) error { return t.write(cmd.OutOrStdout()) },
		})
	}
	help.Long = "help shows the help of a command, or a page on a topic."
	usage := root.UsageTemplate() + "{{if not .HasParent}}\n" + topicList + "{{end}}\nEXIT STATUS\n"
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
