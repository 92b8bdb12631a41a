package cli_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"

	"rowbatch/batch/runs"
)

// cmdSpoilt runs a program over a run whose rows are not those of its journal any
// more, in each way that an editor, a disk or a mistake brings that about. The file
// is put back after each.
//
//	spoilt RUN OTHER CODE PROGRAM ARG…   each time the program must end with this status and name the file; OTHER is another run
func cmdSpoilt(ts *testscript.TestScript, neg bool, args []string) {
	want(ts, neg, args, 4, "spoilt RUN OTHER CODE PROGRAM ARG…")
	path := ts.MkAbs(filepath.Join(args[0], runs.RowsName))
	text, theirs := []byte(ts.ReadFile(path)), []byte(ts.ReadFile(filepath.Join(args[1], runs.RowsName)))
	heading, rest, _ := bytes.Cut(text, []byte("\n"))
	first, rest, found := bytes.Cut(rest, []byte("\n"))
	if !found || len(rest) < 4 {
		ts.Fatalf("%s has too few rows", path)
	}
	lines := func(all ...[]byte) []byte { return append(bytes.Join(all, []byte("\n")), '\n') }
	rest = bytes.TrimSuffix(rest, []byte("\n"))
	for _, c := range []struct {
		name string
		text []byte // nil: the file is gone
	}{
		{"re-sorted", lines(heading, rest, first)},
		{"a value edited", append(bytes.Clone(text[:len(text)-4]), 'X', text[len(text)-3], text[len(text)-2], '\n')},
		{"a row less", lines(heading, rest)},
		{"a row more", lines(heading, first, rest, first)},
		{"cut short", text[:len(text)-5]},
		{"empty", []byte{}},
		{"another run's", theirs},
		{"gone", nil},
	} {
		ts.Check(os.Remove(path))
		if c.text != nil {
			ts.Check(os.WriteFile(path, c.text, 0o600))
		}
		cmdExits(ts, false, args[2:])
		if said := ts.ReadFile("stderr"); !strings.Contains(said, filepath.Join(filepath.Base(filepath.Dir(path)), runs.RowsName)) || !strings.Contains(said, "try:") {
			ts.Fatalf("%s: it does not name %s, and what to do:\n%s", c.name, path, said)
		}
		if c.text == nil {
			ts.Check(os.WriteFile(path, text, 0o600))
		}
	}
	ts.Check(os.WriteFile(path, text, 0o600))
}
