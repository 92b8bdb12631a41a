package cli

import (
	"strings"

	"github.com/spf13/cobra"

	"rowbatch/batch"
)

// Parses reports what is wrong with a command line, without carrying it out: the command,
// a flag, or how many arguments there are.
func Parses(args []string) error {
	cmd, rest, err := whole().Find(args)
	if err != nil {
		return err
	}
	if !cmd.Runnable() || !cmd.HasParent() {
		return batch.Usage("", "%q is no command", strings.Join(args, " "))
	}
	if err := cmd.ParseFlags(rest); err != nil {
		return err
	}
	return cmd.ValidateArgs(cmd.Flags().Args())
}

// Knows reports whether a word is a command of the program, or a flag of one.
func Knows(word string) bool {
	name, isFlag := strings.CutPrefix(word, "--")
	var has func(*cobra.Command) bool
	has = func(c *cobra.Command) bool {
		c.InitDefaultHelpFlag()
		if isFlag && (c.Flags().Lookup(name) != nil || c.PersistentFlags().Lookup(name) != nil) || !isFlag && c.Name() == name {
			return true
		}
		for _, below := range c.Commands() {
			if has(below) {
				return true
			}
		}
		return false
	}
	return has(whole())
}

func whole() *cobra.Command {
	root := newRoot()
	root.InitDefaultHelpCmd()
	return root
}

// Helps returns the help of each command by its words.
func Helps() map[string]string {
	helps := map[string]string{}
	var read func(*cobra.Command)
	read = func(c *cobra.Command) {
		var text strings.Builder
		c.InitDefaultHelpFlag()
		c.SetOut(&text)
		if c.Help() == nil {
			helps[c.CommandPath()] = text.String()
		}
		for _, below := range c.Commands() {
			read(below)
		}
	}
	read(whole())
	return helps
}
