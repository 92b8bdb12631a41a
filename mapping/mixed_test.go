package mapping

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestMixedRows(t *testing.T) {
	const wide = "Action,id,reference,customer_id,first name,primaryEmail,email,hubSpotId"
	const perAction = `action: run
action_column: What
key: {update: {column: Cust No, field: reference}, hold: {column: Cust No, field: reference}, patch: {column: TF, field: customer_id}}
columns:
  E-mail: {update: primaryEmail, patch: {field: email, trim: true, lower: true}}
  First: {field: firstName, trim: true}
constants: {zip: "00501", title: Mr}
clear: WIPE
`
	for _, c := range []struct{ name, heading, file, row, want string }{
		{"update", wide, "", "update,1,R,,Ada,ada@example.com,,", "update id=1: firstName=Ada | primaryEmail=ada@example.com | reference=R"},
		{"patch", wide, "", " Patch ,,,c 1,Ada,,ada@example.com,", "patch customer_id=c 1: firstname=Ada | email=ada@example.com"},
		{"hold", wide, "", "HOLD,1,,,,,,", "hold id=1"},
		{"latch", wide, "", "latch,1,,,,,,77", "latch id=1: hubSpotId=77"},
		{"nothing to latch", wide, "", "latch,1,, ,,,,", "latch id=1"},
		{"another action's fields", wide, "", "hold,1,R,c,Ada,,x,7", "hold id=1: #bad_value | #bad_value | #bad_value | #bad_value | #bad_value"},
		{"another action's key", wide, "", "patch,1,,c,,,,", "patch customer_id=c: #bad_value"},
		{"blank action", wide, "", " ,x,,,REMOVE,,#N/A,", "=: #unknown_action"},
		{"unknown action", wide, "", "updte,x,,,REMOVE,,#N/A,", "=: #unknown_action"},
		{"key of another action only", "action,id,email", "", "patch,,ada@example.com", "patch =: email=ada@example.com | #missing_key"},
		{"that key left blank", "action,id,email", "", "update,,", "update id=: #missing_key"},
		{"no id: reference is the key", "action,reference,title", "", "update,AC-1,mr", "update reference=AC-1: title=Mr"},
		{"holds only", "action,id", "", "hold,1", "hold id=1"},
		{"per action", "What,Cust No,TF,E-mail,First", perAction, "update,007,,Ada@example.com, Ada ", "update reference=007: primaryEmail=Ada@example.com | firstName=Ada | title=Mr"},
		{"per action, other", "What,Cust No,TF,E-mail,First", perAction, "patch,,5, Ada@Example.com ,WIPE", "patch customer_id=5: email=ada@example.com | firstname! | zip=00501"},
		{"per action, none", "What,Cust No,TF,E-mail,First", perAction, "hold,007,,x,", "hold reference=007: #bad_value"},
		{"per action, its key", "What,Cust No,TF,E-mail,First", perAction, "latch,007,,,", "latch =: #missing_key | #bad_value"},
		{"one key for all that have it", "action,Cust,custom1", "key: {column: Cust, field: reference}", "latch,A,", "latch reference=A"},
		{"and none for the rest", "action,Cust,custom1", "key: {column: Cust, field: reference}", "patch,A,x", "patch =: custom1=x | #missing_key | #bad_value"},
		{"a guard", "action,id,firstName,Was", "match: {Was: firstName}", "update,1,Bo,Ada", "update id=1: firstName=Bo | firstName?Ada"},
		{"a guard that the action cannot read", "action,id,firstName,Was", "match: {Was: firstName}", "hold,1,,Ada", "hold id=1: #bad_value"},
		{"left blank", "action,id,firstName,Was", "match: {Was: firstName}", "hold,1,,", "hold id=1"},
		{"a guard where none is read", "action,customer_id,zip,Was", "match: {Was: companyName}", "patch,1,2,x", "patch customer_id=1: zip=2 | #bad_value"},
		{"a heading that one action takes twice", "action,customer_id,id,email,e mail", "ignore: [e mail]", "patch,1,,a@example.com,b", "patch customer_id=1: email=a@example.com"},
		{"our own and ignored columns", "action,id,rb_error,Notes,title", "ignore: [Notes]", "hold,1,x,y,", "hold id=1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := reading(mapper(t, "run", c.heading, c.file), c.row)
			if !sameProblems(got, c.want) {
				t.Errorf("got  %q\nwant %q", got, c.want)
			}
		})
	}
}

// sameProblems compares readings whatever the order of their parts.
func sameProblems(a, b string) bool {
	sorted := func(s string) string {
		head, parts, _ := strings.Cut(s, ": ")
		all := strings.Split(parts, " | ")
		return head + strings.Join(slices.Sorted(slices.Values(all)), "|")
	}
	return sorted(a) == sorted(b)
}

func TestMixedProblemsTellWhatToDo(t *testing.T) {
	m := mapper(t, "run", "action,id,email,customer_id", "")
	for row, want := range map[string]string{
		"updte,1,,":  `"updte" is none of update, hold, latch, patch; did you mean update?`,
		",1,,":       "the action is blank; it is one of update, hold, latch, patch",
		"hold,1,x,":  "is not a column that hold takes: leave the cell blank",
		"patch,,a,1": `"a" is not an e-mail address`,
	} {
		problems := m.Row(strings.Split(row, ",")).Problems
		if len(problems) != 1 || !strings.Contains(problems[0].Text, want) {
			t.Errorf("%q: got %v, want %q", row, problems, want)
		}
	}
	lacking := mapper(t, "run", "action,id,email", "").Row([]string{"patch", "", ""}).Problems
	if len(lacking) != 1 || !strings.Contains(lacking[0].Text, "customer_id or subscription_id") {
		t.Errorf("got %v", lacking)
	}
}

func TestMixedMapperTellsItsColumns(t *testing.T) {
	m := mapper(t, "run", "What,No,firstName,customer_id,Sub", "action_column: What\nkey: {hold: {column: No, field: reference}, update: {column: No, field: id}}\n"+
		"columns: {Sub: {patch: subscription_id}, firstName: firstName}\nconstants: {title: Mr}")
	want := []KeyUse{{"update", "id", "No"}, {"hold", "reference", "No"}, {"patch", "customer_id", "customer_id"}, {"patch", "subscription_id", "Sub"}}
	if diff := cmp.Diff(want, m.Keys()); diff != "" {
		t.Error(diff)
	}
	if m.ActionColumn() != "What" {
		t.Errorf("action column %q", m.ActionColumn())
	}
	for action, want := range map[string]string{"update": "firstName title", "patch": "firstname", "hold": "", "sing": ""} {
		if got := strings.Join(m.Fields(action), " "); got != want {
			t.Errorf("%s: got %q, want %q", action, got, want)
		}
	}
}

func TestMixedRefuses(t *testing.T) {
	for _, c := range []struct {
		name, command, heading, file string
		says                         []string
	}{
		{"no action column", "run", "Acton,id,firstName", "ignore: [Acton]", []string{"no column says what each row becomes", "action_column: in a mapping file"}},
		{"a misspelt action column", "run", "id,firstName,Acton", "", []string{`is it "Acton"?`, `"Acton" is not a field of update or hold or latch or patch`}},
		{"an action column that is not there", "run", "id,Act", "action_column: Act.\nignore: [Act]", []string{"map.yaml:1:16", `action_column names the column "Act."`}},
		{"an action column that is set", "run", "action,id", "columns: {action: firstName}", []string{"cannot also set firstName"}},
		{"an action column that guards", "run", "action,id", "match: {action: firstName}", []string{"cannot also be a guard"}},
		{"an action column that is the key", "run", "action,title", "key: {column: action, field: id}", []string{"cannot also be the key"}},
		{"two action columns", "run", "action,ACTION,id", "", []string{`"ACTION" is not a field`}},
		{"a mapping file of one action", "run", "action,id", "action: hold", []string{"is for hold, the command is run"}},
		{"a heading of no action", "run", "action,id,Emial", "", []string{`"Emial" is not a field`, "did you mean email?"}},
		{"a heading that belongs elsewhere", "run", "action,id,status", "", []string{"status cannot be set by update: use hold"}},
		{"no key for any action", "run", "action,firstName", "", []string{"no column says which customer", "id or reference or customer_id or subscription_id"}},
		{"a key and nothing to set", "run", "action,customer_id", "", []string{"nothing to set"}},
		{"two sources in one action only", "run", "action,id,firstName,First", "columns: {firstName: firstName, First: {patch: firstname, update: firstName}}", []string{"two sources for firstName", "two sources for firstname"}},
		{"a rule for no action's field", "run", "action,id,A", "columns: {A: colour}", []string{`"colour" is not a field of update or hold or latch or patch`}},
		{"a rule for another action's field", "run", "action,id,A", "columns: {A: {latch: firstName}}", []string{`"firstName" is not a field of latch`}},
		{"a rule for an unknown action", "run", "action,id,A", "columns: {A: {updte: firstName}}", []string{"map.yaml:1:15", "did you mean update?"}},
		{"an action in capitals", "run", "action,id,A", "columns: {A: {Update: firstName}}", []string{"did you mean update?"}},
		{"a key for an unknown action", "run", "action,id,title", "key: {hodl: {column: id, field: id}}", []string{`"hodl" is none of the actions`, "did you mean hold?"}},
		{"a key that the action has not", "run", "action,id,title", "key: {patch: {column: id, field: id}}", []string{"key: the field is one of customer_id, subscription_id, not id"}},
		{"a constant of no action", "run", "action,id", "constants: {colour: red}", []string{"constants:", `"colour" is not a field`}},
		{"a guard that nothing reads", "run", "action,id,X", "match: {X: email}", []string{`"email" cannot be read`}},
		{"a second source by a constant", "run", "action,customer_id,email", "constants: {email: a@example.com}", []string{"two sources for email"}},
		{"action_column for one action", "update", "id,firstName", "action_column: firstName", []string{"action_column is for run, the command is update"}},
		{"a mixed file's mapping for one action", "update", "id,A", "action: run\naction_column: A\ncolumns: {A: {update: firstName}}", []string{"is for run, the command is update"}},
		{"a field for each action, for one", "update", "id,A", "columns: {A: {update: firstName, patch: email}}", []string{`"update" is no part of a column's rule`, "for run only"}},
		{"a key for each action, for one", "update", "id,title", "key: {update: {column: id, field: id}, hold: {column: id, field: id}}", []string{`"update" is no part of key`, "for run only"}},
		{"match where nothing is read back", "patch", "customer_id,zip,X", "match: {X: zip}", []string{"patch has nothing to compare zip with: the API gives no record back"}},
		{"a second key column", "patch", "customer_id,subscription_id,zip", "key: {column: customer_id, field: customer_id}", []string{"subscription_id names the customer"}},
		{"one key twice", "patch", "customer_id,Customer ID,zip", "", []string{"names the customer and cannot be set"}},
		{"only keys", "patch", "customer_id,subscription_id", "", []string{"nothing to set"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := mapperOf(c.command, c.heading, CompileOptions{Name: "in.csv", File: optional(t, c.file)})
			refused(t, err, 0, append(c.says, "in.csv")...)
			if len(c.says) == 1 && strings.Contains(err.Error(), "problems:") {
				t.Errorf("more than one problem: %v", err)
			}
		})
	}
}

func TestEitherKey(t *testing.T) {
	const heading = "customer_id,Subscription ID,zip"
	for _, c := range []struct{ heading, file, row, want string }{
		{heading, "", "1,,2", "patch customer_id=1: zip=2"},
		{heading, "", " ,s,2", "patch subscription_id=s: zip=2"},
		{heading, "", "1,s,2", "patch =: zip=2 | #bad_value"},
		{heading, "", ",,2", "patch =: zip=2 | #missing_key"},
		{heading, "", "1.5E+11,,2", "patch customer_id=: zip=2 | #spreadsheet_damage"},
		{"A,subscription_id,zip", "key: {column: A, field: customer_id}\nignore: [subscription_id]", "1,s,2", "patch customer_id=1: zip=2"},
		{"A,B,zip", "columns: {B: customer_id, A: {field: subscription_id, trim: true}, zip: zip}", " s ,,2", "patch subscription_id=s: zip=2"},
	} {
		if got := reading(mapper(t, "patch", c.heading, c.file), c.row); !sameProblems(got, c.want) {
			t.Errorf("%s %q: got %q, want %q", c.heading, c.row, got, c.want)
		}
	}
}

func TestReservedWord(t *testing.T) {
	const free = "clear: WIPE"
	for _, c := range []struct{ file, key, cell, want string }{
		{"", "1", "REMOVE", "patch customer_id=1: zip!"},
		{"", "1", "remove", "patch customer_id=1: #clear_word_case"},
		{"", "1", `\REMOVE`, "patch customer_id=1: #bad_value"},
		{"", "1", `\ remove `, "patch customer_id=1: #bad_value"},
		{"", "1", `\\REMOVE`, `patch customer_id=1: zip=\REMOVE`},
		{"", `\remove`, "2", "patch customer_id=: zip=2 | #bad_value"},
		{free, "1", "WIPE", "patch customer_id=1: zip!"},
		{free, "1", `\WIPE`, "patch customer_id=1: zip=WIPE"},
		{free, "1", " Remove ", "patch customer_id=1: #bad_value"},
		{free, "REMOVE", "2", "patch customer_id=: zip=2 | #bad_value"},
		{free + "\ncolumns: {zip: {field: zip, values: {N: remove}}, customer_id: customer_id}", "1", "N", "patch customer_id=1: #bad_value"},
	} {
		if got := reading(mapper(t, "patch", "customer_id,zip", c.file), c.key+","+c.cell); !sameProblems(got, c.want) {
			t.Errorf("%q %q: got %q, want %q", c.key, c.cell, got, c.want)
		}
	}
	m := mapper(t, "patch", "customer_id,zip", "")
	for cell, want := range map[string]string{`\REMOVE`: "a backslash does not help", "remove": "did you mean REMOVE?"} {
		p := m.Row([]string{"1", cell}).Problems[0]
		if !strings.Contains(p.Text, want) || strings.Contains(p.Text, `\remove`) {
			t.Errorf("%q: %s", cell, p.Text)
		}
	}
	_, err := mapperOf("patch", "customer_id", CompileOptions{File: parsed(t, `constants: {zip: '\REMOVE'}`)})
	refused(t, err, 0, "constants: zip", "a backslash does not help")
}
