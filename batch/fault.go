package batch

import (
	"fmt"
	"strconv"
	"time"
)

// Fault ends a command before or beside its rows: what happened, and what to do next.
type Fault struct {
	Code int    // the command's exit code, one of ExitCodes
	Text string // for people
	Try  string // what helps, without the word "try"; "": nothing is known to
}

// ExitCode is the command's.
func (f *Fault) ExitCode() int { return f.Code }

func (f *Fault) Error() string {
	if f.Try == "" {
		return f.Text
	}
	return f.Text + "\ntry: " + f.Try
}

// Usage refuses what was asked for: a wrong flag, file name or setting.
func Usage(try, format string, args ...any) *Fault {
	return &Fault{ExitUsage, fmt.Sprintf(format, args...), try}
}

// Unfit refuses a plan or a run that is not, or no longer, what it would have to be.
func Unfit(try, format string, args ...any) *Fault {
	return &Fault{ExitUnfit, fmt.Sprintf(format, args...), try}
}

// Plural counts things for people: 1 row, 1,200 rows.
func Plural(n int, thing string) string {
	if n != 1 {
		thing += "s"
	}
	return Thousands(n) + " " + thing
}

// Thousands writes a number with commas.
func Thousands(n int) string {
	s := strconv.Itoa(n)
	for at := len(s) - 3; at > 0 && s[at-1] != '-'; at -= 3 {
		s = s[:at] + "," + s[at:]
	}
	return s
}

// Span writes a duration as a person says it: 0.4 s, 12 s, 3 min, 2 h 5 min.
func Span(d time.Duration) string {
	switch {
	case d < 10*time.Second:
		return fmt.Sprintf("%.1f s", d.Seconds())
	case d < 2*time.Minute:
		return fmt.Sprintf("%.0f s", d.Seconds())
	case d < 2*time.Hour:
		return fmt.Sprintf("%.0f min", d.Minutes())
	}
	return fmt.Sprintf("%d h %d min", int(d.Hours()), int(d.Minutes())%60)
}
