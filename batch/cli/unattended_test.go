package cli

import (
	"bytes"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"
)

// A command that takes too long is ended, also where what it has begun keeps its streams open.
func TestNotifyIsEndedInTime(t *testing.T) {
	if _, err := exec.LookPath("sh"); err != nil {
		t.Skip("there is no shell to run it")
	}
	var out bytes.Buffer
	err := notify("sleep 3 & wait", []byte("{}"), &out, 50*time.Millisecond)
	if err == nil || !strings.Contains(err.Error(), "the command of --notify was ended after 0.1 s") {
		t.Error(err)
	}
}

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
