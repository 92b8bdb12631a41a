package mapping

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestCompileRefuses(t *testing.T) {
	for _, c := range []struct {
		name, heading, file string
		options             CompileOptions
		says                []string
	}{
		{"unknown heading", "id,Frist Name", "", CompileOptions{}, []string{`"Frist Name"`, "did you mean firstName?", `--ignore "Frist Name"`}},
		{"elsewhere", "id,Status,firstName", "", CompileOptions{}, []string{"Status cannot be set by update: use hold"}},
		{"doubled", "id,firstName,firstName", "", CompileOptions{}, []string{`"firstName" stands over columns 2 and 3`}},
		{"doubled field", "id,firstName,First Name", "", CompileOptions{}, []string{"two sources for firstName"}},
		{"doubled member", "id,salesTrackingCode.A,salesTrackingCode.a", "", CompileOptions{}, []string{"two sources for salesTrackingCode.a"}},
		{"no key", "firstName,refrence", "", CompileOptions{}, []string{"no column says", "id or reference", `is it "refrence"?`}},
		{"key ignored", "id,firstName", "", CompileOptions{Ignore: []string{"id"}}, []string{"no column says"}},
		{"only a key", "id", "", CompileOptions{}, []string{"nothing to set"}},
		{"key and guard only", "id,companyName", "", CompileOptions{Match: map[string]string{"companyName": "companyName"}}, []string{"nothing to set"}},
		{"other delimiter", "id:firstName", "", CompileOptions{}, []string{"--delimiter"}},
		{"match without column", "id,firstName", "", CompileOptions{Match: map[string]string{"Compny": "companyName"}}, []string{`"Compny"`, "lacks"}},
		{"match of nothing", "id,firstName,X", "", CompileOptions{Match: map[string]string{"X": "currncy"}}, []string{"did you mean currency?"}},
		{"several at once", "id,Frist Name,,zzzzzz", "", CompileOptions{}, []string{"2 problems", "firstName", "column 4", "zzzzzz", "rowbatch fields update lists the fields"}},
		{"not listed", "Cust,First,Notes", "columns: {Cust: reference, First: firstName}", CompileOptions{}, []string{`"Notes" is not listed`, "--ignore"}},
		{"listed and lacking", "Cust,First", "columns: {Cust: reference, First: firstName, Lst: lastName}", CompileOptions{}, []string{`no column "Lst"`, "map.yaml:1:46", "^"}},
		{"listed otherwise", "Cust,Frist", "columns: {Cust: reference, First: firstName}", CompileOptions{}, []string{`"Frist" is not listed in the mapping file; did you mean First?`, `no column "First"; did you mean Frist?`}},
		{"listed twice", "Cust,A,B", "columns: {Cust: id, A: firstName, B: firstName}", CompileOptions{}, []string{"two sources for firstName", "map.yaml:1:38"}},
		{"unknown field", "Cust,A", "columns: {Cust: id, A: fristName}", CompileOptions{}, []string{"did you mean firstName?"}},
		{"second key", "Cust,No,A", "key: {column: Cust, field: reference}\ncolumns: {No: id, A: firstName}", CompileOptions{}, []string{"id names the customer"}},
		{"key field", "Cust,firstName", "key: {column: Cust, field: email}", CompileOptions{}, []string{"one of id, reference"}},
		{"key column", "Cust,firstName", "key: {column: Cst, field: id}", CompileOptions{}, []string{"did you mean Cust?"}},
		{"key that is set", "Cust,firstName", "key: {column: Cust, field: id}\ncolumns: {Cust: lastName, firstName: firstName}", CompileOptions{}, []string{"is the key"}},
		{"other action", "id,firstName", "action: hold", CompileOptions{}, []string{"is for hold, the command is update"}},
		{"listed and guarded", "id,A,B", "columns: {A: firstName, B: lastName}\nmatch: {A: firstName}", CompileOptions{}, []string{"columns and in match"}},
		{"listed and ignored", "id,A", "columns: {A: firstName}\nignore: [A]", CompileOptions{}, []string{"columns and in ignore"}},
		{"constant twice", "id,firstName", "constants: {first_name: Ada}", CompileOptions{}, []string{"two sources for firstName"}},
		{"bad constant", "id", "constants: {title: Prof}", CompileOptions{}, []string{"constants: title", "none of Mr", "map.yaml:1:20"}},
		{"blank constant", "id", `constants: {title: " "}`, CompileOptions{}, []string{"blank sets nothing"}},
		{"constant key", "id,firstName", "constants: {id: 1}", CompileOptions{}, []string{"names the customer"}},
		{"allow_clear of never", "id,firstName", "allow_clear: [quickBooksId]", CompileOptions{}, []string{"can never be cleared"}},
		{"allow_clear of nothing", "id,firstName", "allow_clear: [emial]", CompileOptions{}, []string{"not a field"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.options.Name = "in.csv"
			if c.file != "" {
				c.options.File = parsed(t, c.file)
			}
			_, err := Compile([]Schema{schema()}, strings.Split(c.heading, ","), c.options)
			refused(t, err, 0, append(c.says, "in.csv")...)
		})
	}
}

func TestCompileMaps(t *testing.T) {
	for _, c := range []struct {
		name, heading, file string
		options             CompileOptions
		cells               []string
		key, want           string
	}{
		{"loose headings", " ID ,FIRST_name,customer-reference.reference 2", "", CompileOptions{}, []string{"1", "Ada", "x"}, "id 1", "firstName=Ada | customerReference.reference2=x"},
		{"reference beside id", "reference,id", "", CompileOptions{}, []string{"AC-1", "7"}, "id 7", "reference=AC-1"},
		{"reference as key", "reference,firstName", "", CompileOptions{}, []string{"AC-1", "Ada"}, "reference AC-1", "firstName=Ada"},
		{"ignored", "id,firstName,Notes, status ", "", CompileOptions{Ignore: []string{"Notes", "status"}}, []string{"1", "Ada", "n", "s"}, "id 1", "firstName=Ada"},
		{"ours", "id,firstName,rb_error", "", CompileOptions{}, []string{"1", "Ada", "x"}, "id 1", "firstName=Ada"},
		{"a guard", "id,firstName,Company", "", CompileOptions{Match: map[string]string{"Company": "companyName"}}, []string{"1", "Ada", "REMOVE"}, "id 1", "firstName=Ada | companyName?REMOVE"},
		{"a blank guard", "id,firstName,status", "", CompileOptions{Match: map[string]string{"status": "status"}}, []string{"1", "Ada", " "}, "id 1", "firstName=Ada | status?"},
		{"a damaged guard", "id,firstName,status", "", CompileOptions{Match: map[string]string{"status": "status"}}, []string{"1", "Ada", "#N/A"}, "id 1", "firstName=Ada | #spreadsheet_damage"},
		{"a guard of the field set", "id,New,Old", "columns: {New: firstName}\nmatch: {Old: firstName}", CompileOptions{}, []string{"1", "Ada", "Bo"}, "id 1", "firstName=Ada | firstName?Bo"},
		{"the flag's match wins", "id,New,Old", "columns: {New: firstName}\nmatch: {Old: firstName}", CompileOptions{Match: map[string]string{"Old": "lastName"}}, []string{"1", "Ada", "Bo"}, "id 1", "firstName=Ada | lastName?Bo"},
		{"key of the file", "Cust No,firstName", "key: {column: Cust No, field: reference}", CompileOptions{}, []string{"007", "Ada"}, "reference 007", "firstName=Ada"},
		{"key by columns", "No,A", "columns: {No: {field: reference, trim: true}, A: firstName}", CompileOptions{}, []string{" AC ", "Ada"}, "reference AC", "firstName=Ada"},
		{"key by heading", "id,A", "columns: {A: firstName}", CompileOptions{}, []string{"1", "Ada"}, "id 1", "firstName=Ada"},
		{"new reference", "Old,New", "key: {column: Old, field: reference}\ncolumns: {New: reference}", CompileOptions{}, []string{"A", "B"}, "reference A", "reference=B"},
		{"stages", "id,E", "columns: {E: {field: primaryEmail, trim: true, lower: true}}", CompileOptions{}, []string{"1", " Ada@Example.COM "}, "id 1", "primaryEmail=ada@example.com"},
		{"values", "id,R", "columns: {R: {field: firstName, values: {N: North, 01: South}}}", CompileOptions{}, []string{"1", "01"}, "id 1", "firstName=South"},
		{"values lack it", "id,R", "columns: {R: {field: firstName, values: {N: North}}}", CompileOptions{}, []string{"1", "n"}, "id 1", "#not_allowed_value"},
		{"values skip blanks", "id,R", "columns: {R: {field: firstName, values: {N: North}}}", CompileOptions{}, []string{"1", " "}, "id 1", ""},
		{"values to blank", "id,R", `columns: {R: {field: firstName, values: {N: ""}}}`, CompileOptions{}, []string{"1", "N"}, "id 1", ""},
		{"values cannot clear", "id,R", "columns: {R: {field: firstName, values: {N: REMOVE}}}", CompileOptions{}, []string{"1", "N"}, "id 1", "#bad_value"},
		{"expr", "id,P", `columns: {P: {field: primaryPhone, expr: 'replace(cell, " ", "")'}}`, CompileOptions{}, []string{"1", "1 2 3"}, "id 1", "primaryPhone=123"},
		{"expr to blank", "id,P", `columns: {P: {field: primaryPhone, expr: 'cell == "none" ? "" : cell'}}`, CompileOptions{}, []string{"1", "none"}, "id 1", ""},
		{"damage comes before expr", "id,P", `columns: {P: {field: primaryPhone, expr: 'cell == "-" ? "" : cell'}}`, CompileOptions{}, []string{"1", "-"}, "id 1", "#no_value_word"},
		{"blanks", "id,P,Q", "blanks: [N/A, '-']\ncolumns: {P: primaryPhone, Q: firstName}", CompileOptions{Blanks: []string{"none"}}, []string{"1", " - ", "none"}, "id 1", ""},
		{"blanks meant", "id,P,Q", "blanks: [N/A]\ncolumns: {P: lastName, Q: firstName}", CompileOptions{}, []string{"1", `\N/A`, "n/a"}, "id 1", "lastName=N/A | #no_value_word"},
		{"blanks leave the key blank", "id,Q", "blanks: [X]\ncolumns: {Q: firstName}", CompileOptions{}, []string{"X", "a"}, "id ", "firstName=a | #missing_key"},
		{"untrimmed", "id,Q", "columns: {Q: {field: firstName, trim: false}}", CompileOptions{}, []string{"1", " Ann\u200b"}, "id 1", "firstName= Ann\u200b"},
		{"untrimmed blank", "id,Q", "columns: {Q: {field: firstName, trim: false}}", CompileOptions{}, []string{"1", " \u200b"}, "id 1", ""},
		{"expr fails", "id,P", `columns: {P: {field: primaryPhone, expr: 'split(cell, "/")[1]'}}`, CompileOptions{}, []string{"1", "1"}, "id 1", "#bad_value"},
		{"expr after values", "id,P", `columns: {P: {field: firstName, values: {a: b}, expr: 'cell + cell'}}`, CompileOptions{}, []string{"1", "a"}, "id 1", "firstName=bb"},
		{"constants", "id", "constants: {title: mr, salesTrackingCode.Region: REMOVE}", CompileOptions{}, []string{"1"}, "id 1", "title=Mr | salesTrackingCode.Region!"},
		{"clear word", "id,firstName,lastName", "clear: '-'", CompileOptions{}, []string{"1", "-", "REMOVE"}, "id 1", "firstName! | lastName=REMOVE"},
		{"allow_clear", "id,primaryEmail", "allow_clear: [primary email]", CompileOptions{}, []string{"1", "REMOVE"}, "id 1", "primaryEmail!"},
		{"blank clears", "id,firstName,primaryEmail,quickBooksId", "blank: clear", CompileOptions{}, []string{"1", " ", "", ""}, "id 1", "firstName!"},
		{"blank clears what is allowed", "id,primaryEmail", "blank: clear\nallow_clear: [primaryEmail]", CompileOptions{}, []string{"1", ""}, "id 1", "primaryEmail!"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.file != "" {
				c.options.File = parsed(t, c.file)
			}
			m, err := Compile([]Schema{schema()}, strings.Split(c.heading, ","), c.options)
			if err != nil {
				t.Fatal(err)
			}
			row := m.Row(c.cells)
			if got := row.KeyField + " " + row.Key; got != c.key {
				t.Errorf("key %q, want %q", got, c.key)
			}
			if got := show(row); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestMapperTellsItsColumns(t *testing.T) {
	file := parsed(t, "key: {column: Cust No, field: reference}\ncolumns: {Rep: salesTrackingCode.Region, A: firstName}\nconstants: {title: Mr}")
	m, err := Compile([]Schema{schema()}, []string{"A", "Cust No ", "Rep"}, CompileOptions{File: file})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"firstName", "salesTrackingCode.Region", "title"}, m.Fields("update")); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]KeyUse{{"update", "reference", "Cust No"}}, m.Keys()); diff != "" {
		t.Error(diff)
	}
	if m.ActionColumn() != "" || m.Fields("hold") != nil || m.HasSecrets() {
		t.Errorf("action column %q, fields of hold %q", m.ActionColumn(), m.Fields("hold"))
	}
}

func TestRowIsSafeForManyGoroutines(t *testing.T) {
	m := compiled(t, "id,P", CompileOptions{File: parsed(t, `columns: {P: {field: primaryPhone, expr: 'replace(cell, " ", "")'}}`+"\nconstants: {title: Mr}")})
	var all sync.WaitGroup
	for n := range 8 {
		all.Go(func() {
			for range 100 {
				want := fmt.Sprintf("primaryPhone=1%d | title=Mr", n)
				if got := show(m.Row([]string{"1", fmt.Sprintf("1 %d", n)})); got != want {
					t.Errorf("got %q, want %q", got, want)
				}
			}
		})
	}
	all.Wait()
}
