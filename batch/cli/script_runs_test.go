package cli_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"rowbatch/batch/journal"
	"rowbatch/batch/runs"
)

func cmdRuns(ts *testscript.TestScript, neg bool, args []string) {
	want(ts, neg, args, 1, "runs N")
	entries, err := os.ReadDir(ts.MkAbs("reports"))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		ts.Fatalf("%v", err)
	}
	if strconv.Itoa(len(entries)) != args[0] {
		ts.Fatalf("the reports folder holds %v", entries)
	}
}

func cmdLatest(ts *testscript.TestScript, neg bool, args []string) {
	want(ts, neg, args, 1, "latest MODE")
	all, err := runs.List(runs.Disk(), ts.MkAbs("reports"))
	ts.Check(err)
	at := slices.IndexFunc(all, func(i runs.Info) bool { return i.Head.Mode == args[0] })
	if at < 0 {
		ts.Fatalf("no run has the mode %s", args[0])
	}
	ts.Setenv("RUN", all[at].Dir)
	ts.Setenv("ID", all[at].ID)
}

// readSheet reads a file of the newest run, or one given by its path.
func readSheet(ts *testscript.TestScript, name string) sheet {
	if !strings.ContainsAny(name, `/\`) {
		name = filepath.Join(ts.Getenv("RUN"), name)
	}
	if book, of, ok := strings.Cut(name, ".xlsx"); ok { // report.xlsx, or report.xlsx:Changes
		rows := sheetOf(ts, book+".xlsx", strings.TrimPrefix(of, ":"))
		return sheet{rows[0], rows[1:]}
	}
	s, err := parseSheet(ts.ReadFile(name))
	if err != nil {
		ts.Fatalf("%s: %v", name, err)
	}
	return s
}

func cmdHeading(ts *testscript.TestScript, neg bool, args []string) {
	want(ts, neg, args, 2, "heading FILE COLUMN…")
	if got := readSheet(ts, args[0]).heading; !slices.Equal(got, args[1:]) {
		ts.Fatalf("%s has the columns\n%q\nnot\n%q", args[0], got, args[1:])
	}
}

func cmdColumn(ts *testscript.TestScript, neg bool, args []string) {
	want(ts, neg, args, 2, "column FILE COLUMN CELL…")
	if got := readSheet(ts, args[0]).column(args[1]); !slices.Equal(got, args[2:]) {
		ts.Fatalf("%s of %s holds\n%q\nnot\n%q", args[1], args[0], got, args[2:])
	}
}

func cmdRow(ts *testscript.TestScript, neg bool, args []string) {
	want(ts, neg, args, 2, "row LINE COLUMN=CELL…")
	row, ok := readSheet(ts, "report.csv").row(args[0])
	if !ok {
		ts.Fatalf("the report has no row for line %s", args[0])
	}
	for _, a := range args[1:] {
		at := strings.IndexAny(a, "=~")
		if at < 0 {
			ts.Fatalf("%q is neither COLUMN=CELL nor COLUMN~PART", a)
		}
		column, text := a[:at], a[at+1:]
		got, known := row[column]
		if !known || a[at] == '=' && got != text || a[at] == '~' && !strings.Contains(got, text) {
			ts.Fatalf("line %s: %s is %q, want %q", args[0], column, got, a)
		}
	}
}

func cmdOutcomes(ts *testscript.TestScript, neg bool, args []string) {
	want(ts, neg, args, 1, "outcomes KIND=N…")
	var summary struct{ Outcomes map[string]int }
	ts.Check(json.Unmarshal([]byte(ts.ReadFile(ts.Getenv("RUN")+"/summary.json")), &summary))
	var got []string
	for _, kind := range slices.Sorted(maps.Keys(summary.Outcomes)) {
		got = append(got, fmt.Sprintf("%s=%d", kind, summary.Outcomes[kind]))
	}
	if !slices.Equal(got, slices.Sorted(slices.Values(args))) {
		ts.Fatalf("the summary counts %q", got)
	}
}

func cmdKeys(ts *testscript.TestScript, neg bool, args []string) {
	want(ts, neg, args, 2, "keys FILE KEY…")
	d := json.NewDecoder(strings.NewReader(ts.ReadFile(args[0])))
	got, err := objectKeys(d)
	ts.Check(err)
	if d.More() {
		ts.Fatalf("%s holds more than one JSON value", args[0])
	}
	if !slices.Equal(got, args[1:]) {
		ts.Fatalf("%s has the keys\n%q\nnot\n%q", args[0], got, args[1:])
	}
}

// objectKeys reads one JSON object and returns its keys in order.
func objectKeys(d *json.Decoder) (keys []string, err error) {
	switch t, err := d.Token(); {
	case err != nil:
		return nil, err
	case t != json.Delim('{'):
		return nil, fmt.Errorf("no JSON object, but %v", t)
	}
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return nil, err
		}
		keys = append(keys, key.(string))
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			return nil, err
		}
	}
	_, err = d.Token()
	return keys, err
}

// cmdAge keeps the first record's length: later ones hold offsets.
func cmdAge(ts *testscript.TestScript, neg bool, args []string) {
	want(ts, neg, args, 2, "age RUN HOURS")
	hours, err := strconv.Atoi(args[1])
	ts.Check(err)
	name := ts.MkAbs(args[0] + "/journal")
	first, rest, _ := strings.Cut(ts.ReadFile(name), "\n")
	record, _, _ := strings.Cut(first, "\t")
	var e journal.Entry
	ts.Check(json.Unmarshal([]byte(record), &e))
	stamp := func(t time.Time) string { return `"started":"` + t.Format(time.RFC3339Nano) + `"` }
	record = strings.Replace(record, stamp(e.Run.Started), stamp(e.Run.Started.Add(-time.Duration(hours)*time.Hour)), 1)
	sum := crc32.Checksum([]byte(record), crc32.MakeTable(crc32.Castagnoli))
	ts.Check(os.WriteFile(name, fmt.Appendf(nil, "%s\t%08x\n%s", record, sum, rest), 0o600))
}

// cmdSpoilt runs a program over a run whose rows are no longer those of its journal, in
// each way in which an editor, a disk or a mistake may change them. The file is put back
// after each.
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
