package cli_test

import (
	"os"
	"slices"
	"strings"
	"testing"
)

// aPassword stands in files that are refused. Nothing in it needs an escape, so that a message would show it as it is.
const aPassword = "Hunter-9.zebra"

// refused is a command line that ends before anything is sent.
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
		"a NUL byte":                      {input: "customer_id,password\n4001," + aPassword + "\x00\n", says: "NUL"},
		"another encoding":                {input: "customer_id,password\n4001," + aPassword + "\xe9\n", says: "UTF-8"},
		"old line ends":                   {input: "customer_id,password\r4001," + aPassword + "\r", says: "carriage return"},
		"one column":                      {input: "password\n" + aPassword + "\n", says: "no column says which customer"},
		"another delimiter":               {input: "customer_id,password\n" + row, args: []string{"--delimiter", ";"}, says: "customer_id"},
		"two such columns":                {input: "customer_id,password,PassWord\n4001," + aPassword + "," + aPassword + "\n", says: "assWord"},
		"an unknown column":               {input: "customer_id,password,nonsense\n4001," + aPassword + "," + aPassword + "\n", says: "nonsense"},
		"most rows damaged":               {input: damaged, says: "damaged"},
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
	s := newSafe(t, false)
	s.secrets = append(s.secrets, aPassword)
	args, input, stdin := []string{command, "edits.csv"}, r.input, ""
	if command == "run" {
		input = withAction(input)
	}
	if text, piped := strings.CutPrefix(input, "-"); piped {
		args[1], stdin = "-", text
	} else {
		s.give(t, "edits.csv", input)
	}
	if r.mapping != "" {
		s.give(t, "edits.yaml", r.mapping)
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

// withAction puts a column of actions before the others. The heading that a mapping
// file may name is found there as well.
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
