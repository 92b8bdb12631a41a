package cli

import (
	"cmp"
	"strings"

	"github.com/spf13/cobra"

	"rowbatch/batch"
	"rowbatch/batch/action"
	"rowbatch/batch/ui"
	"rowbatch/mapping"
)

func newFields() *cobra.Command {
	return &cobra.Command{
		Use: "fields ACTION", Short: "List the columns that an action takes",
		Long: "fields lists the columns that an action takes, and what may stand in them.\nActions: " +
			strings.Join(action.Names(), ", ") + ".",
		Example:   "  rowbatch fields update",
		ValidArgs: action.Names(),
		Args:      oneAction(),
		RunE: func(cmd *cobra.Command, args []string) error {
			spec, ok := action.Find(args[0])
			if !ok {
				return noAction(cmd, args[0])
			}
			all := columnsOf(spec.Schema)
			return showTable(cmd, all, func(w ui.Screen) { printFields(w, all) })
		},
	}
}

func oneAction() cobra.PositionalArgs {
	return one("ACTION ("+strings.Join(action.Names(), ", ")+")", "update")
}

func noAction(cmd *cobra.Command, name string) error {
	all := action.Names()
	try := cmd.CommandPath() + " " + cmp.Or(nearest(name, all), all[0])
	return batch.Usage(try, "there is no action %q; the actions are %s", name, strings.Join(all, ", "))
}

// column is a column of an action as `fields` shows it.
type column struct {
	Name    string   `json:"field"`
	Key     bool     `json:"key"`
	Takes   string   `json:"takes"`
	Choices []string `json:"choices,omitempty"`
	Clear   string   `json:"clear"`
}

func columnsOf(s mapping.Schema) (all []column) {
	for _, f := range s.Keys {
		all = append(all, column{f.Name, true, mapping.Takes(f), f.Enum, "no"})
	}
	for _, f := range s.Fields {
		all = append(all, column{fieldName(f), false, mapping.Takes(f), f.Enum, f.Clear.String()})
	}
	return all
}

func printFields(w ui.Screen, all []column) {
	table := [][]any{w.Heading("FIELD", "TAKES", "CLEAR WITH REMOVE")}
	for _, c := range all {
		table = append(table, []any{c.Name, map[bool]string{true: "key: "}[c.Key] + c.Takes, c.Clear})
	}
	w.Table(0, table...)
}

func fieldName(f mapping.Field) string {
	if f.Family {
		return f.Name + "<type>"
	}
	if f.Name == "reference" {
		return f.Name + " (beside an id column)"
	}
	return f.Name
}
