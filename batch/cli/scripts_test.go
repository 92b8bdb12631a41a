package cli_test

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"go.yaml.in/yaml/v4"
	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/htmlindex"
	"golang.org/x/text/encoding/unicode"

	"rowbatch/batch"
	"rowbatch/batch/cli"
)

// TestScripts runs the scripts in testdata, which read as a manual of the command line.
// Each has a sandbox, samples and a reports folder of its own, and no setting from
// outside.
func TestScripts(t *testing.T) {
	t.Parallel()
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata",
		Setup:               setUpScript,
		Cmds:                commands(),
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
	})
}

func setUpScript(e *testscript.Env) error {
	here := &sandboxOfScript{}
	e.Values[sandboxKey{}], e.Values[officeKey{}] = here, &office{}
	e.Defer(func() { _ = here.clear() })
	if err := setCases(e); err != nil {
		return err
	}
	e.Setenv(raceSetting())
	e.Setenv("GOGC", "400") // whoever lives for a blink has nothing to collect
	e.Setenv("HOME", filepath.Join(e.WorkDir, "home"))
	e.Setenv("ROWBATCH_SANDBOX_DIR", filepath.Join(e.WorkDir, "sandbox"))
	return copySamples(e.WorkDir)
}

type command = func(ts *testscript.TestScript, neg bool, args []string)

// commands are what scripts can say besides testscript's own words. Of programs and files:
//
//	exits CODE PROGRAM ARG…       run a program, which must end with this status; $RUN is the newest run's folder afterwards
//	printed N                     the last program has printed N commands: each is run as it stands, by a shell, and must be a command that does something
//	advised FLAGS PROGRAM ARG…    the last program has advised these flags: with them, as a shell reads them, the program is run
//	start N PATTERN PROGRAM ARG…  run a program beside the script, with --verbose, and go on when N lines of its messages match
//	signal NAME                   send that program INT, TERM or KILL
//	ends CODE                     wait for its end with this status, or killed; stdout and stderr are what it printed
//	replace FILE OLD NEW          replace a text in a file, wherever it stands
//	recode ENCODING FILE          rewrite a UTF-8 file in another encoding; utf-8-bom and utf-16 get a byte order mark
//	listed FILE KEY               print the texts that stand under a key of a YAML file, one a line
//	workbook FILE SHEET=CSV…      make a workbook, see cmdWorkbook
//
// Of the sandbox and its customers:
//
//	sandbox FLAG…                 serve the sandbox in a process of its own, and point the settings at it; ends the one before
//	restart FLAG…                 serve it anew at the same address: a run is bound to it
//	writes N ID…                  the sandbox has taken N writes, the last ones on these customers
//	customer ID FIELD WANT        a customer of the sandbox has this value
//	affiliate ID FIELD WANT       a Trackfinity customer of the sandbox has this value
//	untouched ID FIELD…           a customer is byte for byte as at first, but for the fields
//	edit ID FIELD VALUE           somebody else changes a customer through the API, to a text, null or an {object}
//
// Of runs and their reports:
//
//	runs N                        there are N run folders in reports
//	latest MODE                   $RUN and $ID are the newest run of this mode: run, dry-run, apply or undo
//	heading FILE COLUMN…          a CSV file of the newest run has these columns
//	column FILE COLUMN CELL…      and these cells in a column, in file order
//	row LINE COLUMN=CELL…         the newest report has these cells in the row of that line; COLUMN~PART: somewhere in the cell
//	outcomes KIND=N…              the newest summary counts so, and nothing else
//	keys FILE KEY…                a file, or stdout, is one JSON object with these keys in this order
//	age RUN HOURS                 make a run as if it had begun so many hours earlier
//	spoilt RUN OTHER CODE PROGRAM ARG…  run a program over spoilt copies of the run's rows, see cmdSpoilt
//
// Of an exported file or a report, what a person does to it in a spreadsheet program:
//
//	cell FILE ID COLUMN CELL      put a cell into the row of a customer; ID * is every row
//	turn FILE                     sort the rows the other way round
//	drop FILE ID                  delete a row
//	add FILE COLUMN=CELL…         add a row in between
//	paste FILE OTHER              put the rows of another file below
//	rename FILE COLUMN NEW        write another heading
//	sort FILE COLUMN              sort a workbook's rows by a column, from the last text to the first
//	filter FILE COLUMN CELL       leave only those rows of a workbook in sight that have this cell
//	rmexport                      delete the folders of all exports in reports
//	libreoffice                   from here on, such things are done to workbooks in LibreOffice
//	opened FILE                   a workbook opened in LibreOffice shows all that was written into it
func commands() map[string]command {
	return map[string]command{
		"exits": cmdExits, "printed": cmdPrinted, "advised": cmdAdvised, "start": cmdStart, "replace": cmdReplace, "recode": cmdRecode, "listed": cmdListed, "workbook": cmdWorkbook, // signal and ends: see cmdStart
		"sandbox": cmdSandbox, "restart": cmdRestart, "writes": cmdWrites, "customer": cmdCustomer, "affiliate": cmdAffiliate,
		"untouched": cmdUntouched, "edit": cmdEdit,
		"runs": cmdRuns, "latest": cmdLatest, "heading": cmdHeading, "column": cmdColumn, "row": cmdRow, "outcomes": cmdOutcomes,
		"keys": cmdKeys, "age": cmdAge, "spoilt": cmdSpoilt,
		"cell": cmdCell, "turn": cmdTurn, "drop": cmdDrop, "add": cmdAdd, "paste": cmdPaste, "rename": cmdRename, "rmexport": cmdRemoveExports,
		"sort": cmdSort, "filter": cmdFilter, "libreoffice": cmdLibreOffice, "opened": cmdOpened,
	}
}

// want ends a script that gives a command too few arguments, or negates one that cannot be negated.
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
	if args[1] == "rowbatch" {
		mustBeCommands(ts, ts.ReadFile("stdout")+ts.ReadFile("stderr"))
	}
}

func cmdPrinted(ts *testscript.TestScript, neg bool, args []string) {
	want(ts, neg, args, 1, "printed N")
	found := printedCommands(ts.ReadFile("stdout") + ts.ReadFile("stderr"))
	if strconv.Itoa(len(found)) != args[0] {
		ts.Fatalf("%d commands were printed, not %s: %q", len(found), args[0], found)
	}
	for _, command := range found {
		runPrinted(ts, command)
	}
}

// cmdAdvised runs the last program once more, with the flags that it has advised.
func cmdAdvised(ts *testscript.TestScript, neg bool, args []string) {
	want(ts, neg, args, 2, "advised TEXT PROGRAM ARG…")
	if said := ts.ReadFile("stderr"); !regexp.MustCompile(`(?m)try: (.*[ ;])?` + regexp.QuoteMeta(args[0]) + `(;|,|$)`).MatchString(said) {
		ts.Fatalf("it does not advise %s:\n%s", args[0], said)
	}
	runPrinted(ts, strings.Join(args[1:], " ")+" "+args[0])
}

// runPrinted runs a command line in a shell, as a person pastes it. What is wrong with it
// ends the script, not what becomes of its rows.
func runPrinted(ts *testscript.TestScript, command string) {
	if err := ts.Exec("sh", "-c", command); err == nil {
		return
	} else if ended := (*exec.ExitError)(nil); !errors.As(err, &ended) || ended.ExitCode() == batch.ExitUsage || ended.ExitCode() > batch.ExitFiles {
		ts.Fatalf("%s: %v", command, err)
	}
}

// printedCommands are what stands alone behind next:, try: or to …:, or in a line of a list.
func printedCommands(said string) (all []string) {
	pattern := regexp.MustCompile(`(?m)(?:^ *next[a-z, ]*: |try: |^to [a-z, ]+: |^  )(rowbatch .*)$`)
	for _, found := range pattern.FindAllStringSubmatch(said, -1) {
		all = append(all, found[1])
	}
	return all
}

// mustBeCommands wants each command that a program has printed to be one of this program,
// with flags that it has. Advice in words names at least commands and flags that there are.
func mustBeCommands(ts *testscript.TestScript, said string) {
	if strings.Contains(said, "\nUsage:\n") { // of help, which shows forms
		return
	}
	for _, line := range printedCommands(said) {
		words, err := exec.Command("sh", "-c", `printf '%s\n' `+line).Output()
		if err == nil {
			err = cli.Parses(strings.Split(strings.TrimSpace(string(words)), "\n")[1:])
		}
		if err != nil && !strings.Contains(said, "try: "+line) { // which may be a sentence
			ts.Fatalf("it printed %q: %v", line, err)
		}
	}
	for _, advice := range regexp.MustCompile(`try: .*`).FindAllString(said, -1) {
		for _, named := range regexp.MustCompile(`rowbatch ([a-z]+)|(--[a-z-]+)`).FindAllStringSubmatch(advice, -1) {
			if !cli.Knows(named[1] + named[2]) {
				ts.Fatalf("it advised %q: there is no %s", advice, named[0])
			}
		}
	}
}

// backgroundProgram is a program that runs beside its script.
type backgroundProgram struct {
	process *exec.Cmd
	out     bytes.Buffer
	said    []byte        // on standard error
	silent  chan struct{} // closed when it has closed its standard error
}

// cmdStart gives the script the commands signal and ends, for this program.
func cmdStart(ts *testscript.TestScript, neg bool, args []string) {
	want(ts, neg, args, 3, "start N PATTERN PROGRAM ARG…")
	n, err := strconv.Atoi(args[0])
	ts.Check(err)
	pattern, err := regexp.Compile(args[1])
	ts.Check(err)
	c := &backgroundProgram{process: exec.Command(args[2], append(args[3:], "--verbose")...), silent: make(chan struct{})}
	c.process.Dir, c.process.Env, c.process.Stdout = ts.MkAbs("."), scriptEnvironment(ts), &c.out
	messages, err := c.process.StderrPipe()
	ts.Check(err)
	ts.Check(c.process.Start())
	ts.Defer(func() {
		_ = c.process.Process.Kill() // unless the script has waited for its end
		<-c.silent
		_ = c.process.Wait()
	})
	ts.SetCmd("signal", c.signal)
	ts.SetCmd("ends", c.ends)
	seen := make(chan struct{})
	go c.listen(messages, pattern, n, seen)
	select {
	case <-seen:
	case <-c.silent:
		ts.Fatalf("%s ended before %d lines matched %s:\n%s", args[2], n, pattern, c.said)
	}
}

// scriptEnvironment is what the script's other programs see of settings and folders.
func scriptEnvironment(ts *testscript.TestScript) (all []string) {
	for _, name := range []string{"PATH", "HOME", "TMPDIR", "GORACE", "ROWBATCH_SANDBOX_DIR",
		"FUSEBILL_URL", "FUSEBILL_API_KEY", "TRACKFINITY_URL", "TRACKFINITY_API_KEY", "TRACKFINITY_API_USERNAME"} {
		if value := ts.Getenv(name); value != "" {
			all = append(all, name+"="+value)
		}
	}
	return all
}

func (c *backgroundProgram) listen(messages io.Reader, pattern *regexp.Regexp, n int, seen chan<- struct{}) {
	defer close(c.silent)
	for lines := bufio.NewScanner(messages); lines.Scan(); {
		c.said = append(append(c.said, lines.Bytes()...), '\n')
		if !pattern.Match(lines.Bytes()) {
			continue
		}
		if n--; n == 0 {
			close(seen)
		}
	}
}

func (c *backgroundProgram) signal(ts *testscript.TestScript, neg bool, args []string) {
	want(ts, neg, args, 1, "signal NAME")
	signals := map[string]os.Signal{"INT": os.Interrupt, "TERM": syscall.SIGTERM, "KILL": os.Kill}
	if signals[args[0]] == nil {
		ts.Fatalf("%s is none of INT, TERM and KILL", args[0])
	}
	if err := c.process.Process.Signal(signals[args[0]]); !errors.Is(err, os.ErrProcessDone) {
		ts.Check(err)
	}
}

func (c *backgroundProgram) ends(ts *testscript.TestScript, neg bool, args []string) {
	want(ts, neg, args, 1, "ends CODE")
	<-c.silent
	_ = c.process.Wait() // its state holds more than the error
	_, err := ts.Stdout().Write(c.out.Bytes())
	ts.Check(err)
	_, err = ts.Stderr().Write(c.said)
	ts.Check(err)
	got := "killed"
	if c.process.ProcessState.Exited() {
		got = strconv.Itoa(c.process.ProcessState.ExitCode())
	}
	if got != args[0] {
		ts.Fatalf("exit status %s, not %s; it said\n%s", got, args[0], c.said)
	}
	mustBeCommands(ts, c.out.String()+string(c.said))
}

func cmdReplace(ts *testscript.TestScript, neg bool, args []string) {
	want(ts, neg, args, 3, "replace FILE OLD NEW")
	text := ts.ReadFile(args[0])
	if !strings.Contains(text, args[1]) {
		ts.Fatalf("%s does not hold %q", args[0], args[1])
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(strings.ReplaceAll(text, args[1], args[2])), 0o600))
}

func cmdListed(ts *testscript.TestScript, neg bool, args []string) {
	want(ts, neg, args, 2, "listed FILE KEY")
	var whole yaml.Node
	ts.Check(yaml.Unmarshal([]byte(ts.ReadFile(args[0])), &whole))
	var find func(n *yaml.Node)
	find = func(n *yaml.Node) {
		for i, below := range n.Content {
			if n.Kind == yaml.MappingNode && i%2 == 1 && n.Content[i-1].Value == args[1] {
				for _, line := range below.Content {
					fmt.Fprintln(ts.Stdout(), line.Value)
				}
			}
			find(below)
		}
	}
	find(&whole)
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
