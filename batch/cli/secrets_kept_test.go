package cli_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// TestNoSecretIsKeptOrShown takes files with passwords through all commands, at their
// most talkative.
func TestNoSecretIsKeptOrShown(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ target, format string }{{"embedded", "text"}, {"served", "json"}, {"echoing", "text"}, {"echoing", "json"}} {
		t.Run(c.target+", "+c.format, func(t *testing.T) {
			t.Parallel()
			var faults []string
			if c.target == "echoing" {
				faults = []string{"patch:echo"}
			}
			s := newSecretsTrial(t, c.target != "embedded", faults...)
			s.flags = []string{"--verbose", "--log-format", c.format}
			s.files(t)
			s.passwords(t, c.target)
			s.ignored(t, c.target)
			s.mixed(t, c.target)
			s.search(t, s.dir)
		})
	}
}

func (s *secretsTrial) files(t *testing.T) {
	t.Helper()
	s.writeRows(t, "passwords.csv", passwordFile()...)
	mixed := [][]string{{"action", "id", "customer_id", "firstName", "hubSpotId", "Password"}}
	ignored := [][]string{{"id", "firstName", "hubSpotId", "PASS_WORD"}}
	for n, p := range hardPasswords() {
		id := strconv.Itoa(987001 + n)
		mixed = append(mixed, []string{"patch", "", strconv.Itoa(4041 + n), "First", "", p}, []string{"update", id, "", "Mixed", "", ""})
		if n < 3 {
			mixed = append(mixed, []string{[]string{"update", "hold", "latch"}[n], id, "", "", "", p}) // not theirs
		}
		ignored = append(ignored, []string{id, "Ignored", strconv.Itoa(301 + n), p})
	}
	mixed = append(mixed, []string{"delete", "987001", "", "", "", hardPasswords()[1]})
	s.writeRows(t, "mixed.csv", mixed...)
	s.writeRows(t, "ignored.csv", ignored...)
}

// at adds the flags that a command needs for its target, the embedded sandbox or a server.
func (s *secretsTrial) at(target string, args ...string) []string {
	if target == "embedded" {
		args = append(args, "--sandbox")
	}
	if args[0] == "patch" || args[0] == "run" {
		args = append(args, "--rate", map[string]string{"patch": "1000/s", "run": "trackfinity=1000/s"}[args[0]])
	}
	return append(args, "--max-failures", "1000")
}

// passwords makes a plan, applies it, sends the file again, and then what failed of it.
func (s *secretsTrial) passwords(t *testing.T, target string) {
	t.Helper()
	s.run(t, 3, s.at(target, "patch", "passwords.csv", "--dry-run")...)
	s.masked(t, "Pass Word")
	s.run(t, 3, "apply", "last", "--rate", "trackfinity=1000/s", "--max-failures", "1000")
	s.masked(t, "Pass Word")
	want := len(hardPasswords())
	if target == "echoing" { // a refusal
		want = 0
	}
	if got := s.arrived(t); got != want {
		t.Errorf("%d passwords have arrived, not %d", got, want)
	}
	s.run(t, 3, s.at(target, "patch", "passwords.csv")...)
	s.masked(t, "Pass Word")
	texts := strings.Join(s.reported(t, "rb_error"), "\n")
	if target == "echoing" && strings.Count(texts, "refused with 404: (left out: it may repeat a secret)") < 10 {
		t.Errorf("the server's words are not in the report:\n%s", texts)
	}
	codes := s.reported(t, "rb_error_code")
	for _, code := range []string{"masked_value", "not_clearable", "clear_word_case", "spreadsheet_damage", "ragged_row"} {
		if !slices.Contains(codes, code) {
			t.Errorf("no %s among %q", code, codes)
		}
	}
	s.run(t, 3, s.at(target, "patch", s.newest(t)+"/failed.csv")...)
	if !slices.Contains(s.reported(t, "rb_error_code"), "masked_value") {
		t.Error("masked passwords were sent")
	}
	s.run(t, 3, s.at(target, "patch", "passwords.csv", "--json")...)
	s.run(t, 0, "report", "last")
	s.run(t, 0, "runs")
	s.run(t, 0, "runs", "--json")
}

// ignored carries out files whose column of passwords is left out by --ignore.
func (s *secretsTrial) ignored(t *testing.T, target string) {
	t.Helper()
	for action, other := range map[string][]string{"update": {"hubSpotId"}, "hold": {"firstName", "hubSpotId"}, "latch": {"firstName"}} {
		args := s.at(target, action, "ignored.csv", "--ignore", "PASS_WORD", "--dry-run")
		for _, column := range other {
			args = append(args, "--ignore", column)
		}
		s.run(t, 0, args...)
		s.masked(t, "PASS_WORD")
		s.run(t, 11, s.at(target, action, "ignored.csv")...)
	}
	s.run(t, 0, s.at(target, "update", "ignored.csv", "--ignore", "PASS_WORD", "--ignore", "hubSpotId")...)
	s.masked(t, "PASS_WORD")
}

func (s *secretsTrial) mixed(t *testing.T, target string) {
	t.Helper()
	s.run(t, 3, s.at(target, "run", "mixed.csv")...)
	s.masked(t, "Password")
	codes := s.reported(t, "rb_error_code")
	if !slices.Contains(codes, "bad_value") || !slices.Contains(codes, "unknown_action") {
		t.Errorf("codes %q", codes)
	}
}

// stopped starts the program and sends it a signal as the n-th write arrives; it searches
// what the program has printed, and the command line that other users of the machine see.
func (s *secretsTrial) stopped(t *testing.T, signal os.Signal, writes, code int, args ...string) {
	t.Helper()
	c := s.program(args...)
	var out, messages bytes.Buffer
	c.Stdout, c.Stderr = &out, &messages
	c.Env = append(c.Env, "GOTRACEBACK=all")
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	line := make(chan string, 1)
	s.server.at(writes, func() {
		text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", c.Process.Pid)) // which only Linux has
		line <- strings.ReplaceAll(string(text), "\x00", " ")
		_ = c.Process.Signal(signal) // if it fails, the exit status shows it
	})
	err := c.Wait()
	if got := exitCode(t, c, err); got != code {
		t.Errorf("exit status %d, not %d\n%s", got, code, messages.String())
	}
	if seen := <-line; runtime.GOOS == "linux" && !strings.HasPrefix(seen, "rowbatch "+args[0]) {
		t.Errorf("the command line is %q", seen)
	} else if found := s.findIn("the command line", seen); found != nil {
		t.Error(found)
	}
	s.searchPrinted(t, strings.Join(args, " "), out.String(), messages.String())
	if signal == syscall.SIGQUIT && !strings.Contains(messages.String(), "goroutine") {
		t.Errorf("it printed no trace of a crash: %s", messages.String())
	}
}

// TestStoppedRunsKeepNoSecret stops runs with passwords in every way, and resumes them.
func TestStoppedRunsKeepNoSecret(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("Windows cannot send these signals")
	}
	commands := map[string][]string{
		"patch": {"patch", "edits.csv", "--rate", "1000/s"},
		"run":   {"run", "edits.csv", "--rate", "trackfinity=1000/s"},
		"apply": {"apply", "last", "--rate", "trackfinity=1000/s"},
	}
	for name, args := range commands {
		for signal, code := range map[syscall.Signal]int{syscall.SIGINT: 130, syscall.SIGKILL: -1, syscall.SIGQUIT: 2} {
			t.Run(name+", "+signal.String(), func(t *testing.T) {
				t.Parallel()
				s := newSecretsTrial(t, true, "patch:lost:rate=20%:seed=7", "patch:500-after:at=5")
				heading, start := []string{"customer_id", "password"}, []string{}
				if name == "run" {
					heading, start = append([]string{"action"}, heading...), []string{"patch"}
				}
				rows := [][]string{heading}
				for n, p := range hardPasswords() {
					rows = append(rows, append(append([]string{}, start...), strconv.Itoa(4001+n), p))
				}
				s.writeRows(t, "edits.csv", rows...)
				s.flags = []string{"--verbose", "--timeout", "100ms"}
				if name == "apply" {
					s.run(t, 0, "patch", "edits.csv", "--dry-run")
				}
				s.stopped(t, signal, 8, code, args...)
				s.search(t, s.dir)
				s.server.setFaults(t)
				s.run(t, 0, "resume", "last", "--rate", "trackfinity=1000/s")
				s.masked(t, "password")
				s.search(t, s.dir)
				if got := s.arrived(t); got < len(hardPasswords()) {
					t.Errorf("%d passwords have arrived: %q", got, s.reported(t, "rb_outcome"))
				}
			})
		}
	}
}

// TestLostInputKeepsItsSecrets: without the file nobody knows the passwords, and nothing else is sent in their place.
func TestLostInputKeepsItsSecrets(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("Windows cannot send these signals")
	}
	s := newSecretsTrial(t, true)
	s.secrets = append(s.secrets, aPassword)
	s.writeRows(t, "edits.csv", []string{"customer_id", "password"}, []string{"4001", aPassword + "1"}, []string{"4002", aPassword + "2"}, []string{"4003", aPassword + "3"})
	s.flags = []string{"--verbose"}
	s.run(t, 0, "patch", "edits.csv", "--dry-run")
	s.stopped(t, syscall.SIGINT, 2, 130, "patch", "edits.csv")
	if err := os.Rename(s.path("edits.csv"), s.path("elsewhere.csv")); err != nil {
		t.Fatal(err)
	}
	s.own = append(s.own, "elsewhere.csv")
	s.run(t, 14, "resume", "last")
	s.run(t, 14, "apply", "last")
	s.write(t, "edits.csv", "customer_id,password\n4001,***\n4002,***\n4003,***\n")
	s.run(t, 14, "resume", "last")
	s.run(t, 14, "apply", "last")
	if effects, writes, _ := s.server.seen(); len(effects) != 2 || writes != 2 {
		t.Errorf("%d writes to %d customers", writes, len(effects))
	}
	s.search(t, s.dir)
}

// TestBadSettingsAreNotQuoted: keys and addresses that cannot be used are not shown either.
func TestBadSettingsAreNotQuoted(t *testing.T) {
	t.Parallel()
	fusebill, trackfinity := []string{"update", "edits.csv"}, []string{"patch", "patches.csv"}
	for name, c := range map[string]struct {
		setting string
		args    []string
		code    int
	}{
		"a key with its scheme":     {"FUSEBILL_API_KEY=Basic " + aPassword, fusebill, 13},
		"a key in quotes":           {`FUSEBILL_API_KEY=" ` + aPassword + ` "`, fusebill, 13},
		"a key with an accent":      {"FUSEBILL_API_KEY=" + aPassword + "é", fusebill, 13},
		"a key of two lines":        {"FUSEBILL_API_KEY=x\n" + aPassword, fusebill, 13},
		"a key of another form":     {"FUSEBILL_API_KEY=" + aPassword, fusebill, 13},
		"a user in the address":     {"FUSEBILL_URL=http://admin:" + aPassword + "@127.0.0.1:1/v1", fusebill, 10},
		"a query in the address":    {"FUSEBILL_URL=http://127.0.0.1:1/v1?key=" + aPassword, fusebill, 10},
		"no address":                {"FUSEBILL_URL=http://admin:" + aPassword + "%zz@[::1", fusebill, 10},
		"another scheme":            {"FUSEBILL_URL=ftp://admin:" + aPassword + "@127.0.0.1/", fusebill, 10},
		"no scheme":                 {"FUSEBILL_URL=admin:" + aPassword + "@127.0.0.1/v1", fusebill, 10},
		"a Trackfinity key":         {"TRACKFINITY_API_KEY=x " + aPassword, trackfinity, 13},
		"a Trackfinity key, line":   {"TRACKFINITY_API_KEY=x\r\nx: " + aPassword, trackfinity, 13},
		"a user name of two lines":  {"TRACKFINITY_API_USERNAME=x\n" + aPassword, trackfinity, 13},
		"a user in the other":       {"TRACKFINITY_URL=https://admin:" + aPassword + "@127.0.0.1:1/api", trackfinity, 10},
		"a fragment in the address": {"TRACKFINITY_URL=https://127.0.0.1:1/api#" + aPassword, trackfinity, 10},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSecretsTrial(t, true)
			s.secrets = append(s.secrets, aPassword)
			s.writeRows(t, "edits.csv", []string{"id", "firstName"}, []string{"987001", "Edna"})
			s.writeRows(t, "patches.csv", []string{"customer_id", "city"}, []string{"4001", "Elmby"})
			p := s.program(append(c.args, "--verbose", "--dry-run")...)
			s.tryWith(t, p, c.setting, c.code)
			p = s.program(append(c.args, "--verbose", "--yes")...)
			s.tryWith(t, p, c.setting, c.code)
			s.search(t, s.dir)
		})
	}
}

// tryWith runs a program with one more setting.
func (s *secretsTrial) tryWith(t *testing.T, p *exec.Cmd, setting string, code int) {
	t.Helper()
	p.Env = append(p.Env, setting)
	out, err := p.CombinedOutput()
	if got := exitCode(t, p, err); got != code {
		t.Errorf("exit status %d, not %d: %s", got, code, out)
	}
	s.searchPrinted(t, strings.Join(p.Args, " "), string(out), "")
}

// aPassword is in files that are refused. Nothing in it needs an escape, so that a message would show it as it is.
const aPassword = "Hunter-9.zebra"

// refused is a file, perhaps with a mapping file, that is refused before anything is sent.
type refused struct {
	input, mapping string
	args           []string
	says           string
}

func refusedFiles() map[string]refused {
	row := "4001," + aPassword + "\n"
	damaged := "customer_id,password\n4001,#REF!\n4002,#N/A\n4003," + aPassword + ",x\n4004,\x07" + aPassword + "\n4005," + aPassword + "\n"
	return map[string]refused{
		"a quote inside the password":     {input: "customer_id,password\n4001," + aPassword + `"x` + "\n", says: "may hold a password"},
		"a quote beside the password":     {input: "customer_id,city,Pass-Word\n4001,a\"b," + aPassword + "\n", says: "may hold a password"},
		"a quote within quotes":           {input: "customer_id,password\n4001,\"" + aPassword + "\" x\n", says: "may hold a password"},
		"a quote that is never closed":    {input: "customer_id,password\n4001,\"" + aPassword + "\n4002,x\n", says: "never closed"},
		"a quote in another column":       {input: "customer_id,Old Password,city\n4001," + aPassword + ",a\"b\n", args: []string{"--ignore", "Old Password"}, says: "may hold a password"},
		"a stray quote":                   {input: "customer_id,password\n4001,\"" + aPassword + "\n4002," + aPassword + "\"\n4003,\"" + aPassword + "\n4004," + aPassword + "\"\n", says: "line 2 runs on over line 3"},
		"a NUL byte":                      {input: "customer_id,password\n4001," + aPassword + "\x00\n", says: "NUL"},
		"another encoding":                {input: "customer_id,password\n4001," + aPassword + "\xe9\n", says: "UTF-8"},
		"old line ends":                   {input: "customer_id,password\r4001," + aPassword + "\r", says: "carriage return"},
		"one column":                      {input: "password\n" + aPassword + "\n", says: "no column says which customer"},
		"another delimiter":               {input: "customer_id,password\n" + row, args: []string{"--delimiter", ";"}, says: "customer_id"},
		"two such columns":                {input: "customer_id,password,PassWord\n4001," + aPassword + "," + aPassword + "\n", says: "assWord"},
		"an unknown column":               {input: "customer_id,password,nonsense\n4001," + aPassword + "," + aPassword + "\n", says: "nonsense"},
		"most rows damaged":               {input: damaged + strings.Repeat("4006,#REF!\n", 45), says: "damaged"},
		"strict":                          {input: damaged + strings.Repeat("4010,"+aPassword+"\n", 20), args: []string{"--strict"}, says: "--strict"},
		"a guard":                         {input: "customer_id,password,city\n4001," + aPassword + ",x\n", args: []string{"--match", "password=city"}, says: "password"},
		"standard input":                  {input: "-customer_id,password\n" + row, says: "standard input has a password column"},
		"standard input, ignored":         {input: "-customer_id,password,city\n4001," + aPassword + ",x\n", args: []string{"--ignore", "password"}, says: "standard input has a password column"},
		"standard input, another heading": {input: "-customer_id,Secret word\n" + row, mapping: "columns: {Secret word: password}", says: "standard input has a password column"},
		"standard input, a quote":         {input: "-customer_id,password\n4001," + aPassword + `"x` + "\n", says: "standard input has a password column"},
	}
}

// refusedMappings try to give a password by themselves.
func refusedMappings() map[string]refused {
	all := map[string]refused{}
	for name, text := range map[string]string{
		"a constant":            "constants: {password: " + aPassword + "}",
		"another case":          "constants: {Pass_Word: " + aPassword + "}",
		"misspelt":              "constants: {pasword: " + aPassword + "}",
		"the section misspelt":  "constant: {password: " + aPassword + "}",
		"quoted":                `constants: {"password": '` + aPassword + `'}`,
		"a block":               "constants:\n  password: |\n    " + aPassword + "\n    " + aPassword + "\n  city: Elmby",
		"folded":                "constants:\n  password: >-\n\n    x\n    " + aPassword,
		"over two lines":        "constants:\n  password: \"x\n    " + aPassword + "\"\n  cty: y",
		"a list":                "constants:\n  password:\n    - " + aPassword,
		"a list of constants":   "constants:\n  - password: " + aPassword,
		"a mapping":             "constants: {password: {a: " + aPassword + "}}",
		"an anchor":             "constants: {cty: &p " + aPassword + ", password: *p}",
		"a merged mapping":      "base: &b {password: " + aPassword + "}\nconstants: {<<: *b}",
		"a binary":              "constants: {password: !!binary " + aPassword + "}",
		"a complex key":         "constants:\n  ? password\n  : " + aPassword,
		"twice":                 "constants: {password: x, password: " + aPassword + "}",
		"at the root":           "password: " + aPassword,
		"all in one line":       "{constants: {password: " + aPassword + "}, columns: {City: nosuchfield}, clear: ''}",
		"no YAML":               "constants: {password: " + aPassword,
		"tabs":                  "constants:\n\tpassword: " + aPassword,
		"two documents":         "---\nconstants: {password: " + aPassword + "}\n---\nx: y",
		"values":                "columns: {Code: {field: password, values: {a: " + aPassword + "}}}",
		"values, by their keys": "columns: {Code: {field: password, values: {" + aPassword + ": a}}}",
		"an expression":         "columns: {Code: {field: password, expr: '\"" + aPassword + "\" + cell'}}",
		"a bad expression":      "columns: {Code: {field: password, expr: '\"" + aPassword + "\" +'}}",
		"the field misspelt":    "columns: {Code: {feild: password, expr: '\"" + aPassword + "\"'}}",
		"the rule misspelt":     "columns: {Code: {field: password, value: {a: " + aPassword + "}}}",
		"of one action":         "columns: {Code: {patch: {field: password, values: {a: " + aPassword + "}}}}",
		"of the heading":        "columns: {password: {field: city, values: {a: " + aPassword + "}}}",
	} {
		all[name] = refused{input: "customer_id,City,Code\n4001,x,a\n", mapping: text, says: ".yaml"}
	}
	return all
}

func TestRefusalsDoNotQuotePasswords(t *testing.T) {
	t.Parallel()
	for _, table := range []map[string]refused{refusedFiles(), refusedMappings()} {
		for name, r := range table {
			for _, command := range []string{"patch", "run"} {
				t.Run(name+", "+command, func(t *testing.T) {
					t.Parallel()
					r.try(t, command)
				})
			}
		}
	}
}

func (r refused) try(t *testing.T, command string) {
	t.Helper()
	s := newSecretsTrial(t, false)
	s.secrets = append(s.secrets, aPassword)
	args, input, stdin := []string{command, "edits.csv"}, r.input, ""
	if command == "run" {
		input = withAction(input)
	}
	if text, piped := strings.CutPrefix(input, "-"); piped {
		args[1], stdin = "-", text
	} else {
		s.write(t, "edits.csv", input)
	}
	if r.mapping != "" {
		s.write(t, "edits.yaml", r.mapping)
		args = append(args, "--map", "edits.yaml")
	}
	_, stderr := s.runWith(t, 11, stdin, append(append(args, r.args...), "--verbose")...)
	if !strings.Contains(stderr, r.says) {
		t.Errorf("it does not say %q: %s", r.says, stderr)
	}
	if left, err := os.ReadDir(s.path("reports")); err == nil && slices.ContainsFunc(left, os.DirEntry.IsDir) {
		t.Errorf("a refused file has left %v", left)
	}
	s.searched(t, s.dir)
}

// withAction puts a column of actions before the others.
func withAction(input string) string {
	dash := ""
	if strings.HasPrefix(input, "-") {
		dash, input = "-", input[1:]
	}
	lines := strings.SplitAfter(input, "\n")
	for i, line := range lines {
		if line != "" {
			lines[i] = map[bool]string{true: "action,", false: "patch,"}[i == 0] + line
		}
	}
	return dash + strings.Join(lines, "")
}
