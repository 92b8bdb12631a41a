package mapping

import (
	"fmt"
	"strings"
	"testing"
)

// together compiles a mapping file of the right form and returns the whole refusal.
func together(t *testing.T, heading, text string) error {
	t.Helper()
	_, err := Compile([]Schema{schema()}, strings.Split(heading, ","), CompileOptions{Name: "in.csv", File: parsed(t, text)})
	refused(t, err, 0, "in.csv")
	return err
}

// allOf demands a refusal of just these problems.
func allOf(t *testing.T, err error, places []string) {
	t.Helper()
	refused(t, err, 0, append(places, fmt.Sprintf("%d problems", len(places)))...)
}

func TestAllMistakesOfFormAtOnce(t *testing.T) {
	file, err := ParseFile("map.yaml", []byte(`action: hold
key: {column: Cst No, feld: custmer}
columns:
  Cust No: {trm: true}
  First: {field: fristName, trim: yes}
  Last: {field: lastName, expr: 'cel'}
  Mail: [primaryEmail]
  Last: title
match: {Compny: [compnyName]}
constants:
  companyNam: Northlight
  firstName:
ignore: [Notes, ~]
clear: \X
blank: perhaps
allow_clear: primaryEmail
colour: red
`))
	if file != nil {
		t.Error("a file of a wrong form is handed on")
	}
	allOf(t, err, []string{
		`2:23: unknown key "feld"; did you mean field?`, "4:12: field is missing", `4:13: unknown key "trm"; did you mean trim?`, "5:35: true or false",
		"6:33: expr: unknown name cel", "7:9: a text is expected", `8:3: "Last" stands here and in line 6`, "9:17: a text is expected", "12:13: nothing (a YAML null)",
		"13:17: nothing (a YAML null)", "14:8: the clear word must not begin", "15:8: blank is keep or clear", "16:14: a list such as", `17:1: unknown key "colour"`,
	})
	last := -1
	for _, line := range []string{"map.yaml:2:", "map.yaml:4:12", "map.yaml:4:13", "map.yaml:9:", "map.yaml:12:", "map.yaml:17:"} {
		at := strings.Index(err.Error(), line)
		if at < last {
			t.Errorf("%s is out of order", line)
		}
		last = at
	}
}

func TestAllMistakesOfMeaningAtOnce(t *testing.T) {
	got := together(t, "Cust No,First,Last,Mail,Stray,Old", `action: hold
key: {column: Cst No, field: custmer}
columns:
  Cust No: reference
  First: {field: fristName, trim: true}
  Last: lastName
  Surname: lastName
  Absent: absnt
  Mail: primaryEmail
  Notes: notes
match: {Compny: compnyName}
constants:
  companyNam: Northlight
  last_name: Reed
  title: Prof
ignore: [Notes]
allow_clear: [emial, quickBooksId]
`)
	allOf(t, got, []string{
		`"Old" is not listed`, `"Stray" is not listed`, "1:9: the mapping file is for hold", `2:15: key names the column "Cst No"`, "2:30: key: the field is one of id, reference",
		`5:18: "fristName" is not a field of update; did you mean firstName?`,
		`7:3: the input has no column "Surname"`, "7:12: two sources for lastName", `8:3: the input has no column "Absent"`, `8:11: "absnt" is not a field`,
		`10:10: "notes" is not a field`, `10:3: the input has no column "Notes"`,
		`11:9: match names the column "Compny"`, `11:17: match: "compnyName" cannot be read`,
		`13:3: constants: "companyNam" is not a field`, "14:3: constants: two sources for lastName", "15:10: constants: title:",
		`16:10: the column "Notes" stands in columns and in ignore`,
		`17:15: allow_clear: "emial" is not a field`, "17:22: allow_clear: quickBooksId can never be cleared",
	})
	last := -1
	for _, line := range []string{"map.yaml:1:", "map.yaml:5:18", "map.yaml:8:3", "map.yaml:11:9", "map.yaml:11:17", "map.yaml:17:"} {
		at := strings.Index(got.Error(), line)
		if at < last {
			t.Errorf("%s is out of order", line)
		}
		last = at
	}
}

// What only follows from a mistake is not told beside it.
func TestOneMistakeIsOneProblem(t *testing.T) {
	for _, c := range []struct{ name, heading, file, says string }{
		{"misspelt columns", "Cust,A,B", "colums: {Cust: id, A: firstName, B: lastName}", "did you mean columns?"},
		{"no columns", "Cust,A,B", "columns:\n#  Cust: id\n", "YAML null"},
		{"columns as a list", "Cust,A,B", "columns: [Cust, A, B]", "name: value pairs"},
		{"columns as text", "Cust,A", "columns: Cust=id", "name: value pairs"},
		{"columns of no known name", "Cust,A", "spalten: {Cust: id, A: firstName}", `unknown key "spalten"`},
		{"columns twice", "id,A,B", "columns: {A: firstName}\ncolumns: {B: lastName}", "in line 1"},
		{"a column without a field", "id,A,B", "columns: {A: firstName, B: {trim: true}}", "field is missing"},
		{"a column of nothing", "id,A,B", "columns: {A: firstName, B: ~}", "YAML null"},
		{"a column of a blank", "id,A,B", `columns: {A: firstName, B: ""}`, "not a blank text"},
		{"the key's column of nothing", "Cust,A", "columns: {A: firstName, Cust: }", "YAML null"},
		{"a misspelt field key", "id,A,B", "columns: {A: firstName, B: {feild: lastName}}", "did you mean field?"},
		{"a bad expr", "id,A,B", "columns: {A: firstName, B: {field: lastName, expr: '('}}", "expr"},
		{"a nameless column", "id,A,B", "columns: {A: firstName, [B]: lastName}", "a text is expected"},
		{"misspelt key", "Cust,A", "kee: {column: Cust, field: id}\ncolumns: {A: firstName}", "unknown key"},
		{"key as text", "Cust,A", "key: Cust\ncolumns: {A: firstName}", "name: value pairs"},
		{"key that names a field", "reference,A", "key: reference\ncolumns: {A: firstName, reference: reference}", "name: value pairs"},
		{"key without a field", "Cust,A", "key: {column: Cust}\ncolumns: {A: firstName}", "both column and field"},
		{"key without a column", "Cust,A", "key: {field: id}\ncolumns: {A: firstName, Cust: reference}", "both column and field"},
		{"key with a misspelt column", "Cust,A", "key: {colum: Cust, field: id}\ncolumns: {A: firstName}", "did you mean column?"},
		{"key with a blank column", "id,A", "key: {column: ' ', field: id}\ncolumns: {A: firstName}", "not a blank text"},
		{"key of an unknown field", "Cust,A", "key: {column: Cust, field: email}\ncolumns: {A: firstName}", "one of id, reference"},
		{"key that is a column too", "Cust,A", "key: {column: Cust, field: id}\ncolumns: {Cust: ~, A: firstName}", "YAML null"},
		{"match as text", "id,A,Old", "columns: {A: firstName}\nmatch: Old", "name: value pairs"},
		{"match of a list", "id,A,Old", "columns: {A: firstName}\nmatch: {Old: [firstName]}", "a text is expected"},
		{"misspelt match", "id,A,Old", "columns: {A: firstName}\nmach: {Old: firstName}", "did you mean match?"},
		{"match of an unknown field", "id,A,Old", "columns: {A: firstName}\nmatch: {Old: fristName}", "cannot be read"},
		{"ignore as text", "id,A,Notes,Balance", "columns: {A: firstName}\nignore: Notes, Balance", "a list such as"},
		{"misspelt ignore", "id,firstName,Notes,Notes", "ignor: [Notes]", "did you mean ignore?"},
		{"ignore with a null", "id,firstName,Notes", "ignore: [Notes, ~]", "YAML null"},
		{"allow_clear as text", "id", "constants: {primaryEmail: REMOVE}\nallow_clear: primaryEmail", "a list such as"},
		{"misspelt allow_clear", "id", "constants: {primaryEmail: REMOVE}\nallow_cleer: [primary email]", "did you mean allow_clear?"},
		{"a clear word that cannot be", "id", `constants: {title: \X}` + "\n" + `clear: \X`, "backslash"},
		{"misspelt clear", "id", "constants: {title: WIPE}\ncleer: WIPE", "did you mean clear?"},
		{"a constant of nothing", "id", "constants: {title: }", "YAML null"},
		{"wrong action", "id,A", "action: hold\ncolumns: {A: firstName}", "is for hold"},
	} {
		t.Run(c.name, func(t *testing.T) {
			file, err := ParseFile("map.yaml", []byte(c.file))
			if err == nil {
				_, err = Compile([]Schema{schema()}, strings.Split(c.heading, ","), CompileOptions{Name: "in.csv", File: file})
			}
			refused(t, err, 0, c.says)
			if strings.Contains(err.Error(), "problems:") {
				t.Errorf("more than one problem: %v", err)
			}
		})
	}
}

// A mistake elsewhere in the file does not hide what is wrong with a heading.
func TestMistakesDoNotHideHeadings(t *testing.T) {
	for _, c := range []struct{ heading, file, says string }{
		{"id,A,Stray", "columns: {A: fristName}", `"Stray" is not listed`},
		{"id,firstName,Stray", "ignore: [Notes]\nallow_clear: [emial]", `"Stray" is not a field`},
		{"Cust,A", "columns: {A: fristName, Cust: lastName}", "no column says"},
		{"id,A,N", "columns: {A: firstName, N: notes}\nignore: [N]", `"notes" is not a field`},
		{"id,A,N", "columns: {A: firstName, N: notes}\nmatch: {N: lastName}", `"notes" is not a field`},
		{"id,A,,A", "columns: {A: fristName}", `"A" stands over columns 2 and 4`},
	} {
		if got := together(t, c.heading, c.file).Error(); !strings.Contains(got, c.says) {
			t.Errorf("%q is missing in: %s", c.says, got)
		}
	}
}

func TestAllMistakesOfFormOfAMixedFileAtOnce(t *testing.T) {
	_, err := ParseFile("map.yaml", []byte(`action_column: Wat
key: {update: {column: Cst, field: reference}, latch: {colum: TF, field: id}}
columns:
  Mail: {update: primaryEmial, patch: {field: email, trm: true}}
  First: {field: firstname, trim: perhaps}
`))
	allOf(t, err, []string{`2:56: unknown key "colum"`, `4:54: unknown key "trm"`, "5:35: true or false"})
}

func TestAllMistakesOfMeaningOfAMixedFileAtOnce(t *testing.T) {
	file := parsed(t, `action: hold
action_column: Wat
key: {update: {column: Cst, field: reference}, pach: {column: TF, field: customer_id}}
columns:
  Mail: {update: primaryEmial, patch: {field: email, trim: true}, hold: firstName}
  First: {field: firstname, trim: true}
  Old: {update: lastName, updte: title}
  PW: {patch: {field: password, lower: true}}
match: {Was: hubSpotI}
constants: {zip: "00501", password: hunter2, firstName: Ada}
allow_clear: [password, id]
`)
	_, err := Compile(allSchemas(), strings.Split("What,Cust,TF,Mail,First,Old,PW,Was,Stray", ","), CompileOptions{Name: "in.csv", File: file})
	allOf(t, err, []string{
		"1:9: the mapping file is for hold, the command is run", `2:16: action_column names the column "Wat", which the input lacks; did you mean What?`,
		`3:24: key names the column "Cst"`, `3:48: "pach" is none of the actions update, hold, latch, patch; did you mean patch?`,
		`5:18: "primaryEmial" is not a field of update; did you mean primaryEmail?`, `5:73: "firstName" is not a field of hold`,
		`7:27: "updte" is none of the actions`, "8:23: password is sent as it stands",
		`9:14: match: "hubSpotI" cannot be read; did you mean hubSpotId?`,
		"10:27: constants: a mapping file must not hold passwords", "10:46: constants: two sources for firstName", "10:46: constants: two sources for firstname",
		"11:15: allow_clear: password can never be cleared", "11:25: allow_clear: id names the customer",
		`the column "What" is not listed`, `the column "Cust" is not listed`, `the column "Stray" is not listed`,
	})
	if strings.Contains(err.Error(), "hunter2") || strings.Contains(err.Error(), " | ") {
		t.Error(err)
	}
}

func TestOneMistakeInAMixedFileIsOneProblem(t *testing.T) {
	for _, c := range []struct{ name, heading, file, says string }{
		{"no action column", "id,title", "", "no column says what each row becomes"},
		{"an action column of nothing", "id,title", "action_column: ~", "YAML null"},
		{"a misspelt action_column", "What,id,title", "action_colum: What", "did you mean action_column?"},
		{"an unknown action for a column", "action,id,A,title", "columns: {A: {updte: firstName}, title: title}", "did you mean update?"},
		{"an unknown action for a key", "action,id,title", "key: {updte: {column: id, field: id}}", "did you mean update?"},
		{"a nameless action", "action,id,A,title", "columns: {A: {[x]: firstName}, title: title}", "a text is expected"},
		{"an action of a blank", "action,id,A,title", `columns: {A: {"": firstName}, title: title}`, "not a blank text"},
		{"a column of nothing for an action", "action,id,A,title", "columns: {A: {update: }, title: title}", "YAML null"},
		{"a key without a field for an action", "action,id,title", "key: {update: {column: id}}", "both column and field"},
		{"a field that no action has", "action,id,A,title", "columns: {A: colour, title: title}", `"colour" is not a field`},
		{"a constant that several actions refuse", "action,id,title", `constants: {firstName: " "}`, "blank sets nothing"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var file *File
			var err error
			if c.file != "" {
				file, err = ParseFile("map.yaml", []byte(c.file))
			}
			if err == nil {
				_, err = Compile(allSchemas(), strings.Split(c.heading, ","), CompileOptions{Name: "in.csv", File: file})
			}
			refused(t, err, 0, c.says)
			if strings.Contains(err.Error(), "problems:") {
				t.Errorf("more than one problem: %v", err)
			}
		})
	}
}
