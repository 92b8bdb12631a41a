package ui

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"rowbatch/batch/job"
)

// A name may hold what moves the cursor, turns the text round, or begins a line of its own.
func TestNamesAreShownSafely(t *testing.T) {
	const name = "a\x1b[2J\u202evsc.x\nrowbatch: all is well\r\tb.csv"
	const safe = `a\u001b[2J\u202evsc.x\u000arowbatch: all is well\u000d\u0009b.csv`
	for what, show := range map[string]func(t *Terminal){
		"an error":   func(t *Terminal) { t.Complain(fmt.Errorf("%s does not exist\ncheck it", name)) },
		"a part":     func(t *Terminal) { t.Complain(errors.New("/tmp/" + name + ": no")) },
		"a notice":   func(t *Terminal) { t.Show(job.Notice{File: name, Text: "3 rows"}) },
		"no report":  func(t *Terminal) { PrintNoReport(t, &job.NoReportError{Journal: "/tmp/" + name + "/journal"}) },
		"a question": func(t *Terminal) { fmt.Fprint(t.shown(), "Send "+name+"? ") },
	} {
		for _, words := range [][]string{{"update", name}, {"update", "--map=" + name}} {
			var out bytes.Buffer
			show(&Terminal{Err: &out, Words: words})
			text := out.String()
			if !strings.Contains(text, safe) || strings.ContainsAny(text, "\x1b\r\u202e") || strings.Contains(text, "\nrowbatch") {
				t.Errorf("%s: %q", what, text)
			}
		}
	}
	var out bytes.Buffer
	n, err := NewScreen(&out, nil, Look{}).Write([]byte("one\ttwo\nthr\u2067ee\x9b31m\n"))
	if want := "one\ttwo\nthr\\u2067ee\ufffd31m\n"; out.String() != want || n != 21 || err != nil {
		t.Errorf("%q, %d %v", out.String(), n, err)
	}
}
