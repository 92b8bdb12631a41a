//go:build !windows

package profile

import (
	"context"
	"os/exec"
)

// shellOf is the shell of this system, with a command line to run.
func shellOf(ctx context.Context, line string) *exec.Cmd {
	return exec.CommandContext(ctx, "sh", "-c", line) //nolint:gosec // the user's own command
}
