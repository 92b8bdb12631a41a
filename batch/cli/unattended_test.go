package cli

import (
	"testing"

	"github.com/spf13/cobra"
)

// Whoever asks for help sees what to type.
func TestEveryCommandHasExamples(t *testing.T) {
	var look func(c *cobra.Command)
	look = func(c *cobra.Command) {
		if c.HasParent() && c.Name() != "help" && c.Example == "" {
			t.Errorf("%s has no examples", c.CommandPath())
		}
		if c.Name() != "help" { // its topics are pages
			for _, below := range c.Commands() {
				look(below)
			}
		}
	}
	look(newRoot())
}
