package cli

import (
	"io"
	"log/slog"
	"os"
	"runtime"

	"golang.org/x/term"
)

// console is where a run talks: data on out, people's things on err.
type console struct {
	in       io.Reader
	out, err io.Writer
	quiet    bool
	keyboard func() io.ReadCloser // what a person answers questions on; nil when there is nobody
}

// watched says that a person sees err.
func (c console) watched() bool { return isTerminal(c.err) }

func isTerminal(stream any) bool {
	f, ok := stream.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// keyboardOf opens the terminal behind the streams. Standard input may be the file.
func keyboardOf(in io.Reader, out io.Writer, inputIsFile bool) io.ReadCloser {
	switch {
	case !isTerminal(out):
		return nil
	case !inputIsFile && isTerminal(in):
		return io.NopCloser(in)
	case !inputIsFile:
		return nil
	}
	device := "/dev/tty"
	if runtime.GOOS == "windows" {
		device = "CONIN$"
	}
	f, err := os.Open(device)
	if err != nil {
		return nil
	}
	return f
}

func (c console) logHandler(format string) slog.Handler {
	o := &slog.HandlerOptions{Level: slog.LevelDebug}
	if format == "json" {
		return slog.NewJSONHandler(c.err, o)
	}
	return slog.NewTextHandler(c.err, o)
}
