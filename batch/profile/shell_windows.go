package profile

import (
	"context"
	"os/exec"
	"syscall"
)

// shellOf is the shell of this system, with a command line to run. It takes the line as
// it stands between two quotation marks, and knows nothing of others' rules of quoting.
func shellOf(ctx context.Context, line string) *exec.Cmd {
	c := exec.CommandContext(ctx, "cmd")
	c.SysProcAttr = &syscall.SysProcAttr{CmdLine: `cmd /s /c "` + line + `"`}
	return c
}
