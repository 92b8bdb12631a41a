package job

import (
	"errors"
	"os"
	"syscall"

	"rowbatch/batch"
	"rowbatch/batch/journal"
	"rowbatch/batch/runs"
	"rowbatch/client"
	"rowbatch/mapping/csvfile"
)

// Signalled is the cause of a stop that a signal asked for.
type Signalled struct{ os.Signal }

func (s Signalled) Error() string {
	switch s.Signal {
	case os.Interrupt:
		return "stopped by Ctrl-C"
	case syscall.SIGHUP:
		return "stopped, since the terminal was closed"
	}
	return "stopped by SIGTERM"
}

// ExitCode is that of a run which the signal ended.
func (s Signalled) ExitCode() int {
	if s.Signal == os.Interrupt {
		return batch.ExitInterrupt
	}
	return batch.ExitTerminate
}

// NoReportError is the error of a run that has ended without a report, since that
// could not be written. What became of its rows stands in the journal, if that is there.
type NoReportError struct {
	Run     Identity
	Counts  map[batch.Kind]int
	Rows    int
	Journal string // path; "": it is gone
	Sent    string // then: the lines of the rows for which a write was sent
	Err     error
}

func (e *NoReportError) Error() string { return "there is no report: " + e.Err.Error() }
func (e *NoReportError) Unwrap() error { return e.Err }
func (e *NoReportError) ExitCode() int { return batch.ExitFiles }

// ExitCode gives the exit code of an error that ended a command.
func ExitCode(err error) int {
	var fault *batch.Fault
	var own interface{ ExitCode() int }
	var setting *client.SettingError
	switch {
	case err == nil:
		return batch.ExitDone
	case errors.As(err, &fault):
		return fault.Code
	case is[*journal.FormatError](err):
		return batch.ExitUnfit
	case isOfFiles(err):
		return batch.ExitFiles
	case errors.As(err, &own):
		return own.ExitCode()
	case is[*runs.BusyError](err):
		return batch.ExitLocked
	case is[*csvfile.Refusal](err):
		return batch.ExitInput
	case is[*client.AccessError](err), errors.As(err, &setting) && setting.Credential:
		return batch.ExitAccess
	}
	return batch.ExitUsage
}

// is reports whether an error is of a type, or wraps one that is.
func is[E error](err error) bool {
	_, found := errors.AsType[E](err)
	return found
}

// isOfFiles reports whether an error is about the run's own files.
func isOfFiles(err error) bool {
	return is[*runs.RowsError](err) || is[*runs.WriteError](err) || is[*journal.WriteError](err) || is[*journal.DamageError](err)
}

// exitOfRun gives the exit code of a run from why it stopped (nil: it did not)
// and what became of its rows. The order is the contract's: 15, 13, 130/143, 5, 4, 3, 0.
func exitOfRun(cause error, rows map[batch.Kind]int) int {
	var refused *batch.Fault
	var signal Signalled
	open := rows[batch.NotAttempted]+rows[batch.InDoubt] > 0
	switch {
	case errors.As(cause, &refused):
		return refused.Code
	case isOfFiles(cause):
		return batch.ExitFiles
	case is[*client.AccessError](cause):
		return batch.ExitAccess
	case errors.As(cause, &signal) && open:
		return signal.ExitCode()
	case is[*batch.SideEffectError](cause), cause != nil && open:
		return batch.ExitStopped
	}
	return batch.ExitOf(rows)
}
