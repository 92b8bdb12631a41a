package cli

import (
	"errors"
	"fmt"
	"os"
	"syscall"

	"rowbatch/batch"
	"rowbatch/batch/journal"
	"rowbatch/batch/runs"
	"rowbatch/batch/sheet"
	"rowbatch/client"
	"rowbatch/mapping/csvfile"
)

const (
	exitDone      = batch.ExitDone
	exitRows      = batch.ExitRows
	exitStopped   = batch.ExitStopped
	exitUsage     = batch.ExitUsage
	exitInput     = batch.ExitInput
	exitLocked    = batch.ExitLocked
	exitAccess    = batch.ExitAccess
	exitUnfit     = batch.ExitUnfit
	exitFiles     = batch.ExitFiles
	exitInterrupt = batch.ExitInterrupt
	exitTerminate = batch.ExitTerminate
)

// fault ends a command before or beside its rows.
type fault struct {
	code      int
	text, try string
}

func (f *fault) Error() string {
	if f.try == "" {
		return f.text
	}
	return f.text + "\ntry: " + f.try
}

func usage(try, format string, args ...any) *fault {
	return &fault{code: exitUsage, text: fmt.Sprintf(format, args...), try: try}
}

// signalled is the cause of a stop that a signal asked for.
type signalled struct{ os.Signal }

func (s signalled) Error() string {
	switch s.Signal {
	case os.Interrupt:
		return "stopped by Ctrl-C"
	case syscall.SIGHUP:
		return "stopped, since the terminal was closed"
	}
	return "stopped by SIGTERM"
}

func (s signalled) code() int {
	if s.Signal == os.Interrupt {
		return exitInterrupt
	}
	return exitTerminate
}

// codeOf gives the exit code of an error that ended a command.
func codeOf(err error) int {
	var (
		f       *fault
		refusal *csvfile.Refusal
		access  *client.AccessError
		setting *client.SettingError
		busy    *runs.BusyError
		damage  *journal.DamageError
		format  *journal.FormatError
		journal *journal.WriteError
		files   *runs.WriteError
		unfit   *sheet.UnfitError
		signal  signalled
	)
	switch {
	case errors.As(err, &f):
		return f.code
	case errors.As(err, &format):
		return exitUnfit
	case errors.As(err, &journal), errors.As(err, &files), errors.As(err, &damage), errors.As(err, &unfit):
		return exitFiles
	case errors.As(err, &busy):
		return exitLocked
	case errors.As(err, &signal):
		return signal.code()
	case errors.As(err, &refusal):
		return exitInput
	case errors.As(err, &access), errors.As(err, &setting) && setting.Credential:
		return exitAccess
	}
	return exitUsage
}

// codeOfRun gives the exit code of a run from why it stopped (nil: it did not)
// and what became of its rows. The order is the contract's: 15, 13, 130/143, 5, 4, 3, 0.
func codeOfRun(cause error, rows map[batch.Kind]int) int {
	var (
		journal *journal.WriteError
		files   *runs.WriteError
		access  *client.AccessError
		moved   *batch.SideEffectError
		signal  signalled
	)
	open := rows[batch.NotAttempted]+rows[batch.InDoubt] > 0
	switch {
	case errors.As(cause, &journal), errors.As(cause, &files):
		return exitFiles
	case errors.As(cause, &access):
		return exitAccess
	case errors.As(cause, &signal) && open:
		return signal.code()
	case errors.As(cause, &moved), cause != nil && open:
		return exitStopped
	}
	return batch.ExitOf(rows)
}
