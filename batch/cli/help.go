package cli

import (
	"bytes"
	"embed"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"rowbatch/batch"
	"rowbatch/batch/ui"
)

// pages are the topics that are texts.
//
//go:embed help/*.txt
var pages embed.FS

// topic is a page of help about no command.
type topic struct {
	name, short string
	table       any             // what the page is made of; nil: it is help/NAME.txt
	print       func(ui.Screen) // of a table
}

func topics() []topic {
	return []topic{
		{name: "actions", short: "what a row becomes: update, hold, latch, patch; --when, guards"},
		{name: "api-unknowns", short: "what is not known about the API, and what is done about it"},
		{name: "cells", short: "what may stand in a cell"},
		{"codes", "the error codes of the report, and what to do about each", batch.Codes(), printCodes},
		{name: "develop", short: "working on rowbatch: rooms, laws, figures"},
		{"exit-codes", "what the exit status says", batch.ExitCodes(), printExitCodes},
		{name: "export", short: "customers out to a file, and the edited file back"},
		{name: "files", short: "what is read, text and workbooks, and what a spreadsheet can do"},
		{name: "limits", short: "requests: the account's limits, forecast, --lookup"},
		{name: "mapping", short: "the mapping file"},
		{name: "page", short: "the page in the browser, step by step; report.html"},
		{name: "runs", short: "a run's files and outcomes; apply, review, resume, undo"},
		{name: "sandbox", short: "the stand-in that needs no account"},
		{name: "settings", short: "accounts, profiles, keys, and what goes before what"},
		{name: "shards", short: "how several processes share one file"},
		{name: "terminal", short: "what is shown: colours, widths, progress, Ctrl-C"},
		{name: "unattended", short: "logs, metrics, cron; completion, man pages"},
	}
}

func (t topic) show(cmd *cobra.Command) error {
	if t.table != nil {
		return showTable(cmd, t.table, t.print)
	}
	text, err := pages.ReadFile("help/" + t.name + ".txt")
	if err != nil {
		return err
	}
	return deliver(cmd, "", text, map[string]string{"topic": t.name, "text": string(text)})
}

// newHelp returns the help command: of any command, and of the topics.
func newHelp(root *cobra.Command) *cobra.Command {
	help := &cobra.Command{
		Use: "help [COMMAND | TOPIC]", Short: "Help about a command or a topic",
		RunE: func(cmd *cobra.Command, args []string) error {
			found, rest, err := root.Find(args)
			if err != nil || len(rest) > 0 {
				near := nearest(strings.Join(args, " "), slices.Concat(below(root), below(cmd)))
				return batch.Usage(strings.TrimSpace("rowbatch help "+near), "there is no command or topic %q", strings.Join(args, " "))
			}
			found.InitDefaultHelpFlag()
			var text bytes.Buffer
			out := found.OutOrStdout()
			found.SetOut(&text)
			err = found.Help()
			found.SetOut(out)
			if err != nil {
				return err
			}
			return deliver(cmd, "", text.Bytes(), map[string]string{"command": words(found), "text": text.String()})
		},
	}
	topicList := "TOPICS, each with rowbatch help TOPIC\n"
	for _, t := range topics() {
		topicList += fmt.Sprintf("  %-12s  %s\n", t.name, t.short)
		help.AddCommand(&cobra.Command{
			Use: t.name, Short: t.short, Args: noArgument,
			RunE: func(cmd *cobra.Command, _ []string) error { return t.show(cmd) },
		})
	}
	help.AddCommand(newMan(root))
	help.Long = "help shows the help of a command, or a page on a topic."
	help.Example = "  rowbatch help update\n  rowbatch help cells"
	var exits strings.Builder
	page := ui.Page(&exits)
	for _, c := range batch.ExitCodes() {
		page.Table(2, []any{fmt.Sprintf("%-3d", c.Code), c.Means})
	}
	var carriers string // the commands that carry rows out, and the root
	for _, name := range []string{"rowbatch", "update", "hold", "latch", "patch", "run", "plan",
		"apply", "resume", "undo", "export", "check"} {
		carriers += fmt.Sprintf(" (eq .Name %q)", name)
	}
	usage := strings.ReplaceAll(root.UsageTemplate(), ".FlagUsages ", fmt.Sprintf(".FlagUsagesWrapped %d ", ui.PageWidth))
	root.SetUsageTemplate(usage + "{{if not .HasParent}}\n" + topicList + "{{end}}\n" +
		"{{if or" + carriers + "}}EXIT STATUS\n" + exits.String() + "{{else}}Exit status: rowbatch help exit-codes\n{{end}}")
	return help
}

// fill breaks the paragraphs of the helps of a command and of those below it for a page. What
// is indented stays as it is.
func fill(c *cobra.Command) {
	var page strings.Builder
	for paragraph := range strings.SplitSeq(c.Long, "\n\n") {
		if strings.Contains("\n"+paragraph, "\n ") || strings.Contains(paragraph, "\t") {
			fmt.Fprintln(&page, paragraph)
		} else {
			ui.Page(&page).Table(0, []any{strings.ReplaceAll(paragraph, "\n", " ")})
		}
		fmt.Fprintln(&page)
	}
	c.Long = strings.TrimSpace(page.String())
	for _, below := range c.Commands() {
		fill(below)
	}
}

func printExitCodes(w ui.Screen) {
	table := [][]any{w.Heading("CODE", "MEANING")}
	for _, c := range batch.ExitCodes() {
		table = append(table, []any{c.Code, c.Means})
	}
	w.Table(0, table...)
}

func printCodes(w ui.Screen) {
	table := [][]any{w.Heading("CODE", "OUTCOME", "MEANING", "WHAT TO DO")}
	for _, c := range batch.Codes() {
		kinds := make([]string, len(c.Kinds))
		for i, k := range c.Kinds {
			kinds[i] = string(k)
		}
		table = append(table, []any{c.Name, strings.Join(kinds, ", "), c.Means, c.Fix})
	}
	w.Table(0, table...)
}
