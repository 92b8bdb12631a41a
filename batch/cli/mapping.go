package cli

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"go.yaml.in/yaml/v4"

	"rowbatch/batch"
	"rowbatch/batch/action"
	"rowbatch/batch/intake"
	"rowbatch/batch/job"
	"rowbatch/batch/ui"
)

// actionsNamed are those of --action.
func actionsNamed(name string) (intake.Actions, error) {
	if _, ok := action.Find(name); !ok && name != intake.Mixed {
		all := append(action.Names(), intake.Mixed)
		try := "--action " + cmp.Or(nearest(name, all), "update")
		return intake.Actions{}, batch.Usage(try, "there is no action %q; the actions are %s", name, strings.Join(all, ", "))
	}
	return intake.ActionsOf(name), nil
}

func newMap() *cobra.Command {
	s, name, output := job.Defaults(), "update", ""
	cmd := &cobra.Command{
		Use: "map FILE", Short: "Propose a mapping file for a file with headings of its own",
		Args: oneFile,
		RunE: func(cmd *cobra.Command, args []string) error {
			actions, err := actionsNamed(name)
			if err != nil {
				return err
			}
			if err := s.Check(actions, cmd.Flags().Changed); err != nil {
				return err
			}
			source := intake.Source{Name: args[0], Stdin: cmd.InOrStdin(), Actions: actions, Input: s.Input}
			look, err := intake.LookAt(cmd.Context(), source)
			if err != nil {
				return err
			}
			text, keyed, err := look.Draft(source)
			if err != nil {
				return err
			}
			if !keyed {
				cmd.PrintErrln("rowbatch: no column looks like what names the customers: add key: {column: …, field: …}")
			}
			var proposed map[string]any
			if err := yaml.Unmarshal(text, &proposed); err != nil {
				return err
			}
			err = deliver(cmd, output, text, map[string]any{"file": args[0], "mapping": proposed})
			if err == nil && isFile(output) {
				left, _ := proposed["ignore"].([]any)
				cmd.PrintErrf("rowbatch: %s is written, and is a proposal: look at each line\n%s", output, unplaced(left))
				next := append([]string{"rowbatch check", job.QuoteWord(args[0]), "--map", job.QuoteWord(output)}, s.Words()...)
				cmd.PrintErrf("next: %s\n", strings.Join(next, " "))
			}
			return err
		},
	}
	cmd.Long = `map reads FILE and proposes a mapping file for it: what each heading may mean, by
names in English, German, French and Spanish, and by the look of the cells. Where cells
are other words than those that a field takes (Herr for Mr), values translates them. A
heading that is like no field stands under ignore. It is a proposal: look at
each line before you use it. Nothing is sent, and no key is needed.

Without -o it goes to standard output. A file that is there already is not replaced.`
	cmd.Example = `  rowbatch map samples/crm.csv
  rowbatch map samples/crm.csv -o crm.yaml
  rowbatch update samples/crm.csv --map crm.yaml --sandbox --dry-run`
	cmd.Flags().SortFlags = false
	cmd.Flags().StringVar(&name, "action", name, "what the rows are to become: "+strings.Join(action.Names(), ", ")+" or "+intake.Mixed)
	cmd.Flags().StringVarP(&output, "output", "o", output, "write to `FILE`, which must not be there yet")
	s.Bind(cmd.Flags(), intake.ActionsOf(intake.Mixed), job.LookFlags)
	return cmd
}

// unplaced tells of headings for which a proposal has no field.
func unplaced(headings []any) string {
	if len(headings) == 0 {
		return ""
	}
	names := make([]string, len(headings))
	for n, name := range headings {
		names[n] = batch.Visible(fmt.Sprint(name))
	}
	return "like no field, and left out under ignore: " + strings.Join(names, ", ") + "\n"
}

func newCheck() *cobra.Command {
	s, name := job.Defaults(), ""
	cmd := &cobra.Command{
		Use: "check FILE", Short: "Make all offline checks of a file and its mapping; sends nothing",
		Args: oneFile,
		RunE: func(cmd *cobra.Command, args []string) error {
			var actions intake.Actions
			if name != "" {
				var err error
				if actions, err = actionsNamed(name); err != nil {
					return err
				}
			}
			if err := s.Check(actions, cmd.Flags().Changed); err != nil {
				return err
			}
			if _, err := settled(cmd, &s); err != nil {
				return err
			}
			return onTerminal(cmd, s, nil, args[0] == "-", func(t *ui.Terminal, j job.Job, c job.Control) error {
				result, err := job.Check(j, c, actions, args[0], t.In)
				if err != nil {
					return err
				}
				if err := ui.PrintCheck(t, result, s.Output.JSON); err != nil {
					return err
				}
				return ended(result.ExitCode)
			})
		},
	}
	cmd.Long = `check reads FILE to its end as a run of it would, and tells what would be rejected and
why, before there is any run, account or key. It also looks at whole columns, for
what no single cell shows: dates where ids belong, ids that have lost their zeros,
spaces that are none, quotation marks around ids, words that look like REMOVE, one
e-mail address for many customers, a column sorted apart from its key. These are
warnings: only you know whether they are meant.

What the rows are to become comes from --action, else from the mapping file; else it
is update. It ends with 0, with 3 if rows would be rejected, with 11 if the file
would be refused. It leaves no folder.`
	cmd.Example = `  rowbatch check samples/trouble.csv
  rowbatch check samples/crm.csv --map samples/crm.yaml
  rowbatch check samples/holds.csv --action hold --json`
	cmd.Flags().SortFlags = false
	cmd.Flags().StringVar(&name, "action", name, "what the rows are to become: "+strings.Join(action.Names(), ", ")+" or "+intake.Mixed)
	s.Bind(cmd.Flags(), intake.ActionsOf(intake.Mixed), job.CheckFlags)
	return cmd
}

// deliver puts a text where --output says, into a file that must not be there yet or to
// standard output. With --json that gets a value which says the same.
func deliver(cmd *cobra.Command, output string, text []byte, value any) error {
	if isFile(output) {
		if err := writeNew(output, text); err != nil {
			return err
		}
	}
	return show(cmd, value, func(w io.Writer) (err error) {
		if !isFile(output) {
			_, err = w.Write(text)
		}
		return err
	})
}

// isFile reports whether --output names a file.
func isFile(output string) bool { return output != "" && output != "-" }

// writeNew writes a file that must not be there yet.
func writeNew(name string, text []byte) error {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if errors.Is(err, fs.ErrExist) {
		return batch.Usage("another name", "%s is there already", name)
	}
	if err == nil {
		_, err = f.Write(text)
		err = errors.Join(err, f.Close())
	}
	if err != nil {
		return &batch.Fault{Code: batch.ExitFiles, Text: name + " could not be written: " + err.Error(), Try: "another name"}
	}
	return nil
}
