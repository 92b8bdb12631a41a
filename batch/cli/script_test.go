package cli_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/htmlindex"
	"golang.org/x/text/encoding/unicode"
)

type command = func(ts *testscript.TestScript, neg bool, args []string)

// commands are what scripts can say besides testscript's own words:
//
//	exits CODE PROGRAM ARG…      run a program, which must end with this status; $RUN is the newest run's folder afterwards
//	sandbox FLAG…                serve the stand-in in a process of its own, and point the settings at it; ends the one before
//	writes N                     the sandbox has taken N writes
//	customer ID FIELD WANT       a customer of the sandbox has this value
//	affiliate ID FIELD WANT      a Trackfinity customer of the sandbox has this value
//	untouched ID FIELD…          a customer is byte for byte as at first, but for the fields
//	heading FILE COLUMN…         a CSV file of the newest run has these columns
//	column FILE COLUMN CELL…     and these cells in a column, in file order
//	row LINE COLUMN=CELL…        the newest report says so of the row in that line; COLUMN~PART: somewhere in the cell
//	outcomes KIND=N…             the newest summary counts so, and nothing else
//	keys FILE KEY…               a file, or stdout, is one JSON object with these keys in this order
//	runs N                       there are N run folders in reports
//	recode ENCODING FILE         rewrite a UTF-8 file in another encoding; utf-8-bom and utf-16 get a byte order mark
//	spoilt RUN OTHER CODE PROGRAM ARG…  see cmdSpoilt
func commands() map[string]command {
	all := map[string]command{
		"exits": cmdExits, "sandbox": cmdSandbox, "writes": cmdWrites, "customer": cmdCustomer, "affiliate": cmdAffiliate, "untouched": cmdUntouched,
		"heading": cmdHeading, "column": cmdColumn, "row": cmdRow, "outcomes": cmdOutcomes, "keys": cmdKeys, "runs": cmdRuns,
		"recode": cmdRecode,
		"latest": cmdLatest, "restart": cmdRestart, "edit": cmdEdit, "age": cmdAge, "start": cmdStart, "replace": cmdReplace, "spoilt": cmdSpoilt,
	}
	maps.Copy(all, spreadsheetCommands())
	return all
}

// want ends a script that does not say enough, or negates what cannot be negated.
func want(ts *testscript.TestScript, neg bool, args []string, least int, usage string) {
	if neg || len(args) < least {
		ts.Fatalf("usage: %s", usage)
	}
}

func cmdExits(ts *testscript.TestScript, neg bool, args []string) {
	want(ts, neg, args, 2, "exits CODE PROGRAM ARG…")
	got := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		var ended *exec.ExitError
		if !errors.As(err, &ended) {
			ts.Fatalf("%s: %v", args[1], err)
		}
		got = ended.ExitCode()
	}
	if strconv.Itoa(got) != args[0] {
		ts.Fatalf("exit status %d, not %s", got, args[0])
	}
	if run, err := newestRun(ts.MkAbs("reports")); err == nil {
		ts.Setenv("RUN", run)
	}
}

func cmdSandbox(ts *testscript.TestScript, neg bool, args []string) {
	want(ts, neg, args, 0, "sandbox FLAG…")
	here := standOf(ts)
	ts.Check(here.clear())
	box, err := startSandbox(ts.Getenv("ROWBATCH_SANDBOX_DIR"), args...)
	ts.Check(err)
	here.box = box
	for name, value := range box.settings {
		ts.Setenv(name, value)
	}
}

func cmdWrites(ts *testscript.TestScript, neg bool, args []string) {
	want(ts, neg, args, 1, "writes N")
	effects, err := readEffects(ts.Getenv("ROWBATCH_SANDBOX_DIR"))
	ts.Check(err)
	if strconv.Itoa(len(effects)) != args[0] {
		ts.Fatalf("the sandbox has taken %d writes, not %s", len(effects), args[0])
	}
}

func cmdCustomer(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 3 {
		ts.Fatalf("usage: customer ID FIELD WANT")
	}
	now, err := readCustomers(ts.Getenv("ROWBATCH_SANDBOX_DIR"))
	ts.Check(err)
	if got := now.field(args[0], args[1]); (got == args[2]) == neg {
		ts.Fatalf("%s of customer %s is %q", args[1], args[0], got)
	}
}

func cmdAffiliate(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 3 {
		ts.Fatalf("usage: affiliate ID FIELD WANT")
	}
	cmdCustomer(ts, neg, append([]string{"tf:" + args[0]}, args[1:]...))
}

func cmdUntouched(ts *testscript.TestScript, neg bool, args []string) {
	want(ts, neg, args, 1, "untouched ID FIELD…")
	dir := ts.Getenv("ROWBATCH_SANDBOX_DIR")
	first, err := firstCustomers(dir)
	ts.Check(err)
	now, err := readCustomers(dir)
	ts.Check(err)
	if moved := movedFields(first[args[0]], now[args[0]], args[1:]); len(moved) > 0 {
		ts.Fatalf("customer %s: %s", args[0], strings.Join(moved, "; "))
	}
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

func cmdRecode(ts *testscript.TestScript, neg bool, args []string) {
	want(ts, neg, args, 2, "recode ENCODING FILE")
	named := map[string]encoding.Encoding{"utf-8-bom": unicode.UTF8BOM, "utf-16": unicode.UTF16(unicode.LittleEndian, unicode.UseBOM)}
	to := named[args[0]]
	if to == nil {
		var err error
		to, err = htmlindex.Get(args[0])
		ts.Check(err)
	}
	text, err := to.NewEncoder().String(ts.ReadFile(args[1]))
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), []byte(text), 0o644))
}
