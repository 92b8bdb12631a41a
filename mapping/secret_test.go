package mapping

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"rowbatch/mapping/csvfile"
)

const secret = "h3r-own Secret"

// tells demands that a problem has a code and that nothing of it holds the cell.
func tells(t *testing.T, got Mapped, code, cell string) {
	t.Helper()
	if len(got.Problems) != 1 || got.Problems[0].Code != code {
		t.Errorf("%q: got %v, want %s", cell, got.Problems, code)
	}
	for _, p := range got.Problems {
		if strings.Contains(p.Text, strings.TrimSpace(cell)) && strings.TrimSpace(cell) != mask {
			t.Errorf("%q stands in %q", cell, p.Text)
		}
	}
}

func TestSecretCells(t *testing.T) {
	m := mapper(t, "patch", "customer_id,Password", "")
	for cell, code := range map[string]string{
		mask: "masked_value", " *** ": "masked_value", "REMOVE": "not_clearable", "remove": "clear_word_case",
		`\remove`: "bad_value", `\ REMOVE`: "bad_value", "#N/A": "spreadsheet_damage", "a\x07b": "bad_value", "M\uFFFDller": "bad_value",
		" hunter ": "bad_value", "hunter\u200b": "bad_value", "null": "no_value_word",
	} {
		tells(t, m.Row([]string{"1", cell}), code, cell)
	}
	for cell, want := range map[string]string{secret: secret, `\***`: mask, "****": "****", `\x`: `\x`, "'=1": "=1", `\ x`: `\ x`, "007": "007"} {
		if got := m.Row([]string{"1", cell}); show(got) != "password="+want {
			t.Errorf("%q: got %s", cell, show(got))
		}
	}
	if got := mapper(t, "patch", "customer_id,password,zip", "blank: clear").Row([]string{"1", " ", ""}); show(got) != "zip!" {
		t.Errorf("got %s", show(got))
	}
}

// A secret field may be of any kind, and its column have any use.
func TestSecretsAreNotQuoted(t *testing.T) {
	s := patchSchema()
	s.Unreadable = false
	s.Keys = append(s.Keys, Field{Name: "id", Kind: Digits})
	s.Fields = []Field{
		{Name: "pin", Kind: Digits, Secret: true, Max: 4}, {Name: "code", Kind: Enum, Enum: []string{"A", "B"}, Secret: true},
		{Name: "mail", Kind: Email, Secret: true}, {Name: "token", Kind: Reference, Secret: true, Max: 4}, {Name: "zip"},
	}
	for _, c := range []struct{ heading, file, cell, code string }{
		{"customer_id,pin", "", "12a4", "bad_value"},
		{"customer_id,pin", "", "1.23E+11", "spreadsheet_damage"},
		{"customer_id,pin", "", "99999", "too_long"},
		{"customer_id,code", "", "Cc", "not_allowed_value"},
		{"customer_id,mail", "", "@nowhere", "bad_value"},
		{"customer_id,token", "", " abc", "bad_value"},
		{"zip,Password", "key: {column: Password, field: id}", "hunter", "bad_id"},
	} {
		m, err := Compile([]Schema{s}, strings.Split(c.heading, ","), CompileOptions{File: optional(t, c.file)})
		if err != nil {
			t.Error(err)
			continue
		}
		row := []string{"1", c.cell, "2"}
		tells(t, m.Row(row[:strings.Count(c.heading, ",")+1]), c.code, c.cell)
	}
	m := mapper(t, "run", "password,id,custom1", "action_column: password")
	tells(t, m.Row([]string{"hunter", "1", ""}), "unknown_action", "hunter")
}

func TestMask(t *testing.T) {
	for _, c := range []struct {
		name, command, heading, file string
		cells                        []string
		ragged                       bool
		want, hidden                 []string
	}{
		{"set", "patch", "customer_id,Pass Word,zip", "", []string{"1", secret, "2"}, false, []string{"1", mask, "2"}, []string{secret}},
		{"by the mapping file", "patch", "customer_id,PW", "columns: {PW: password}", []string{"1", secret}, false, []string{"1", mask}, []string{secret}},
		{"blank", "patch", "customer_id,password", "", []string{"1", " "}, false, []string{"1", " "}, nil},
		{"ignored", "update", "id,title,password", "ignore: [password]", []string{"1", "Mr", secret}, false, []string{"1", "Mr", mask}, []string{secret}},
		{"of another action", "run", "action,id,password", "", []string{"hold", "1", secret}, false, []string{"hold", "1", mask}, []string{secret}},
		{"of an unknown action", "run", "action,id,password", "", []string{"x", "1", secret}, false, []string{"x", "1", mask}, []string{secret}},
		{"two of them", "patch", "password,customer_id,PW", "columns: {PW: password}\nignore: [password]", []string{"", "1", secret}, false, []string{"", "1", mask}, []string{"", secret}},
		{"ragged", "patch", "customer_id,password,zip", "", []string{"1", secret}, true, []string{mask, mask}, nil},
		{"ragged, with blanks", "patch", "customer_id,password", "", []string{"1", " ", "", secret}, true, []string{mask, " ", "", mask}, nil},
		{"none", "patch", "customer_id,zip", "", []string{"1", "2"}, false, []string{"1", "2"}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := mapper(t, c.command, c.heading, c.file)
			before := slices.Clone(c.cells)
			cells, hidden := m.Mask(csvfile.Row{Cells: c.cells, Ragged: c.ragged})
			if diff := cmp.Diff(c.want, cells) + cmp.Diff(c.hidden, hidden) + cmp.Diff(before, c.cells); diff != "" {
				t.Error(diff)
			}
			if got := m.Unmask(cells, hidden); !c.ragged && !slices.Equal(got, before) {
				t.Errorf("unmasked to %q", got)
			}
			if !slices.Equal(cells, c.want) {
				t.Errorf("unmasking changed the row to %q", cells)
			}
			if m.HasSecrets() != (c.name != "none") {
				t.Errorf("has secrets: %v", m.HasSecrets())
			}
		})
	}
}

func TestMaskWithoutSecretsCostsNothing(t *testing.T) {
	m := mapper(t, "update", "id,firstName", "")
	row := csvfile.Row{Cells: []string{"1", "Ada"}}
	if n := testing.AllocsPerRun(100, func() { m.Mask(row) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestMappingFileHoldsNoSecrets(t *testing.T) {
	const heading = "customer_id,PW,zip,Old"
	for _, c := range []struct {
		name, text string
		says       []string
	}{
		{"a constant", "constants: {password: hunter2}", []string{"map.yaml:1:13: constants: a mapping file must not hold passwords"}},
		{"misspelt", "constants: {pasword: hunter2}", []string{"did you mean password?"}},
		{"a block", "constants:\n  password: |\n    x\n    hunter2\n  colour: red", []string{"must not hold", `5:3: constants: "colour" is not a field`}},
		{"a misspelt section", "constnts: {password: hunter2}", []string{"did you mean constants?"}},
		{"no section", "password: hunter2", []string{`unknown key "password"`}},
		{"beside other mistakes", "constants: {password: hunter2, colour: red}", []string{"4 problems", `"colour" is not a field`}},
		{"over two lines", "constants: {password: \"hun\n  ter2\", colour: red}", []string{`2:10: constants: "colour" is not a field`}},
		{"after other letters", "constants: {zip: ééé, password: hunter2}", []string{"map.yaml:1:23: constants: a mapping file must not hold"}},
		{"an alias", "match: {Old: &x hunter2}\nconstants: {password: *x}", []string{"must not hold"}},
		{"a list", "constants: {password: [hunter2]}", []string{"map.yaml:1:23: a text is expected"}},
		{"values", "columns: {PW: {field: password, values: {a: hunter2}}}", []string{"map.yaml:1:23: password is sent as it stands in the input"}},
		{"values, twice the same", "columns: {PW: {field: password, values: {hunter2: a, hunter2: b}}}", []string{"map.yaml:1:54: this name stands here and in line 1"}},
		{"expr", "columns: {PW: {field: password, expr: '\"hunter2\"'}}", []string{"values, expr and lower are not for it"}},
		{"a bad expr", "columns: {PW: {field: password, expr: hunter2}}", []string{"map.yaml:1:39: expr: this is no expression"}},
		{"lower", "columns: {PW: {field: password, lower: true}}", []string{"values, expr and lower are not for it"}},
		{"an unknown key", "columns: {PW: {field: password, default: hunter2}}", []string{`unknown key "default"`}},
		{"a column that is not there", "columns: {Pass: {field: password, values: {a: hunter2}}}", []string{`no column "Pass"`, "sent as it stands"}},
		{"escaped", "constants: {zip: x, \"p\\u0061ssword\": hunter2}", []string{"must not hold"}},
		{"a form error", "constants: {password: hunter2, zip: ~}", []string{"map.yaml:1:37: nothing"}},
		{"no YAML", "constants: {password: *hunter2}", []string{"map.yaml:1:23: this is not YAML"}},
		{"no YAML after it", "constants: {password: hunter2, a: b: c}", []string{"map.yaml:1:", "this is not YAML"}},
		{"allow_clear", "allow_clear: [password]", []string{"password can never be cleared"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			file, parsing := ParseFile("map.yaml", []byte(c.text))
			err := parsing
			if file != nil {
				_, err = Compile([]Schema{patchSchema()}, strings.Split(heading, ","), CompileOptions{File: file})
			}
			refused(t, err, 0, c.says...)
			for _, e := range []error{parsing, err} {
				if e != nil && strings.Contains(e.Error(), " | ") {
					t.Errorf("it shows a line: %v", e)
				}
				if e != nil && (strings.Contains(e.Error(), "unter2") || strings.Contains(e.Error(), "ter2\"") || strings.Contains(e.Error(), "\"hun")) {
					t.Errorf("it tells the secret: %v", e)
				}
			}
		})
	}
	mapper(t, "patch", "customer_id,PW", "columns: {PW: {field: password, trim: true}}")
}

// A field that is secret under another name is hidden once its action is known.
func TestMappingFileOfOtherSecrets(t *testing.T) {
	s := patchSchema()
	s.Unreadable = false
	s.Fields = append(s.Fields, Field{Name: "pin", Secret: true})
	_, err := Compile([]Schema{s}, []string{"customer_id", "zip", "X"}, CompileOptions{File: parsed(t, "constants: {pin: hunter2}\nmatch: {X: pin}\nallow_clear: [pin]")})
	refused(t, err, 0, "constants: a mapping file must not hold", "match: pin is secret", "pin can never be cleared")
	if strings.Contains(err.Error(), "hunter2") || strings.Contains(err.Error(), " | ") {
		t.Error(err)
	}
}

func TestInputDoesNotShowSecrets(t *testing.T) {
	in := input(t, "customer_id,PW\n1,hun\"ter\n")
	m, err := Compile([]Schema{patchSchema()}, in.Heading(), CompileOptions{File: parsed(t, "columns: {PW: password}")})
	if err != nil {
		t.Fatal(err)
	}
	_, err = Check(in, m, nil, CheckOptions{})
	refused(t, err, 2, "not shown")
	if strings.Contains(err.Error(), "ter") {
		t.Error(err)
	}
}

// A column headed password is masked in every file, so nothing that is shown may come from it.
func TestAPasswordColumnServesNothingThatIsShown(t *testing.T) {
	shown := Schema{Action: "edit", Keys: []Field{{Name: "id", Kind: Digits}}, Fields: []Field{{Name: "note"}}}
	heading := []string{"id", "note", "Pass-Word"}
	tests := map[string]struct {
		file  string
		match map[string]string
	}{
		"a guard": {match: map[string]string{"Pass-Word": "note"}},
		"a field": {file: "key: {column: id, field: id}\ncolumns: {Pass-Word: note}\nignore: [note]\n"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			o := CompileOptions{Name: "x.csv", Match: test.match}
			if test.file != "" {
				var err error
				if o.File, err = ParseFile("x.yaml", []byte(test.file)); err != nil {
					t.Fatal(err)
				}
			}
			_, err := Compile([]Schema{shown}, heading, o)
			if err == nil || !strings.Contains(err.Error(), "holds passwords by its heading") {
				t.Errorf("%v", err)
			}
		})
	}
}
