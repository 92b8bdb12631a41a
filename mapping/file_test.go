package mapping

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseFile(t *testing.T) {
	f := parsed(t, `# comment
action: update
key: {column: 0123, field: reference}
columns:
  No: firstName
  E-mail: {field: primaryEmail, trim: true, lower: false}
  Region: &r {field: lastName, values: {N: 010, yes: on, 2024-01-01: 1e3}}
match: {Company: companyName}
constants: {customerReference.reference1: 0x1F}
ignore: [Notes, 1.50]
clear: WIPE
blank: clear
allow_clear: [primaryEmail]
`)
	texts := []string{f.Action.Text, f.Keys[0].Column.Text, f.Keys[0].Field.Text, f.Match[0].Name.Text, f.Match[0].Value.Text,
		f.Constants[0].Value.Text, f.Ignore[1].Text, f.Clear, f.AllowClear[0].Text, f.Columns[0].Column.Text}
	want := []string{"update", "0123", "reference", "Company", "companyName", "0x1F", "1.50", "WIPE", "primaryEmail", "No"}
	if diff := cmp.Diff(want, texts); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(map[string]string{"N": "010", "yes": "on", "2024-01-01": "1e3"}, f.Columns[2].Values); diff != "" {
		t.Error(diff)
	}
	if !f.BlankClears || !f.Columns[1].Trim || f.Columns[1].Lower {
		t.Errorf("got %+v", f)
	}
}

func TestParseFileRefuses(t *testing.T) {
	for _, c := range []struct {
		name, text string
		says       []string
	}{
		{"empty", "", []string{"map.yaml", "no documents"}},
		{"two documents", "action: a\n---\naction: b\n", []string{"single document"}},
		{"a list", "- a\n", []string{"map.yaml:1:1", "name: value pairs"}},
		{"syntax", "columns: [a\nmatch: b", []string{"map.yaml:2:", "    2 | match: b", "starts in line 1"}},
		{"tab", "columns:\n\ta: b\n", []string{"map.yaml:2:1", "tab"}},
		{"unknown key", "action: update\ncolums: {A: b}\n", []string{"map.yaml:2:1", `unknown key "colums"; did you mean columns?`, "    2 | colums: {A: b}\n      | ^"}},
		{"unknown key of a column", "columns: {A: {field: f, trm: true}}", []string{"map.yaml:1:25", "did you mean trim?"}},
		{"null", "columns:\n  A:\n", []string{"map.yaml:2:5", "null"}},
		{"tilde", "constants: {a: ~}\n", []string{"map.yaml:1:16", "null"}},
		{"null in a list", "ignore: [a, null]\n", []string{"map.yaml:1:13", "null"}},
		{"null section", "match:\n", []string{"map.yaml:1:", "null"}},
		{"null name", "constants: {~: a}\n", []string{"map.yaml:1:13", "null"}},
		{"null value", "columns: {A: {field: f, values: {a: }}}", []string{"null"}},
		{"doubled", "columns:\n  A: b\n  A: c\n", []string{"map.yaml:3:3", "in line 2"}},
		{"no field", "columns: {A: {trim: true}}", []string{"field is missing"}},
		{"truth", "columns: {A: {field: f, trim: yes}}", []string{"true or false"}},
		{"no date", "columns: {A: {field: f, dates: dd/mm/yyyy}}", []string{"map.yaml:1:32", `"dd/mm/yyyy" does not show the day 2 January 2006`}},
		{"no year", "columns: {A: {field: f, dates: 02/01}}", []string{"does not show the day"}},
		{"join of nothing", "columns: {A: {field: f, join: []}}", []string{"map.yaml:1:31", "a list of headings"}},
		{"join of a blank", "columns: {A: {field: f, join: [B, ' ']}}", []string{"a list of headings"}},
		{"join of one text", "columns: {A: {field: f, join: B}}", []string{"a list such as"}},
		{"list", "ignore: Notes", []string{"a list such as"}},
		{"nested", "constants: {a: [b]}", []string{"a text is expected"}},
		{"half a key", "key: {column: A}", []string{"both column and field"}},
		{"expr name", "columns: {A: {field: f, expr: 'cel + \"x\"'}}", []string{"map.yaml:1:31", "unknown name cel"}},
		{"expr type", "columns: {A: {field: f, expr: 'len(cell)'}}", []string{"expected string, but got int"}},
		{"expr clock", "columns: {A: {field: f, expr: 'string(now())'}}", []string{"now"}},
		{"clear blank", "clear: ' '", []string{"blank: clear"}},
		{"clear backslash", `clear: \X`, []string{"backslash"}},
		{"blank word", "blank: ignore", []string{"keep or clear"}},
		{"all at once", "colums: {}\nblank: no\nignore: [~]\ncolumns: {A: {field: f, expr: '('}}", []string{"4 problems", ":1:1", ":2:8", ":3:10", ":4:31"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := ParseFile("map.yaml", []byte(c.text))
			refused(t, err, 0, c.says...)
		})
	}
}

func TestParseFileFollowsAnchors(t *testing.T) {
	f := parsed(t, "columns:\n  A: &mail {field: primaryEmail, lower: true}\n  B: *mail\n")
	if len(f.Columns) != 2 || !f.Columns[1].Lower || f.Columns[1].Field.Text != "primaryEmail" {
		t.Errorf("got %+v", f.Columns)
	}
}

func FuzzParseFile(f *testing.F) {
	for _, s := range []string{"columns: {A: {field: firstName, values: {N: x}, expr: 'cell'}}", "a: &x [*x]", "columns: &c {A: *c}", "key: {column: a, field: id}\nclear: ~", "? [a]\n: b", "\xff", "<<: {a: b}", "match: {a: \t}", "colums: {A: id}\nkey: A\nignore: A, id", "columns: {A: {feild: id}, [b]: c}\nkey: {column: id}",
		"action_column: A\nkey: {update: {column: id, field: id}, x: y}\ncolumns: {id: {update: id, patch: {field: zip, values: {a: b}}}, [b]: {[c]: d}}"} {
		f.Add(s, "id,A")
	}
	f.Fuzz(func(t *testing.T, text, heading string) {
		file, parsing := ParseFile("map.yaml", []byte(text))
		if parsing != nil {
			refused(t, parsing, 0)
		}
		if file == nil {
			return
		}
		for _, command := range []string{"update", "patch", "run"} {
			m, err := mapperOf(command, heading, CompileOptions{File: file})
			if err != nil {
				refused(t, err, 0)
				continue
			}
			if parsing != nil {
				t.Fatalf("compiled in spite of: %v", parsing)
			}
			m.Row(strings.Split(heading, ","))
		}
	})
}
