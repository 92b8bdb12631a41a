package mapping

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"rowbatch/mapping/csvfile"
)

// Whatever stands in a cell: a rejected row has a reason, and a text that is to
// be sent is one that the field takes.
func FuzzRow(f *testing.F) {
	for _, s := range []string{"", "REMOVE", `\REMOVE`, `\\\remove `, "'=x", "#N/A", "1.23E+11", "a@example.com;b@example.com", "007", "\x00", "\xff", " \u0085", "Err:502"} {
		f.Add(s, s)
	}
	m := compiled(f, "id,firstName,title,primaryEmail,primaryPhone,reference,parentId,salesTrackingCode.A", CompileOptions{File: parsed(f, "blank: clear\nallow_clear: [primaryEmail]")})
	f.Fuzz(func(t *testing.T, key, cell string) {
		got := m.Row([]string{key, cell, cell, cell, cell, cell, cell, cell})
		if got.Key == "" && len(got.Problems) == 0 {
			t.Errorf("no key and no reason for %q", key)
		}
		if len(got.Cells)+len(got.Problems) < 7 {
			t.Errorf("a cell got lost: %s", show(got))
		}
		for _, c := range got.Cells {
			if again, bad := c.Field.check(c.Text); !c.Clear && (bad != nil || again != c.Text) {
				t.Errorf("%s takes %q, then not: %v", c.Name, c.Text, bad)
			}
		}
		literal := m.Row([]string{"1", `\REMOVE`, "", "", "", "", "", ""})
		if literal.Cells[0].Text != "REMOVE" || literal.Cells[0].Clear {
			t.Errorf("got %s", show(literal))
		}
	})
}

// Whatever stands in a password's cell: no message quotes it, and the row can be
// kept without it and made whole again.
func FuzzSecrets(f *testing.F) {
	for _, s := range []string{"", "hunter2", "***", "REMOVE", `\remove`, "#N/A", "\x00", "\xff", "M\uFFFD", "1.23E+11"} {
		f.Add("patch", s, s)
	}
	m := mapper(f, "run", "action,customer_id,id,password,zip,PW", "columns: {PW: {patch: {field: password, trim: true}}, zip: zip}\nignore: [password]")
	f.Fuzz(func(t *testing.T, action, cell, other string) {
		cells := []string{action, "1", "", cell, "2", other}
		for _, p := range m.Row(cells).Problems {
			if p.Column == "PW" && p.Text != secretProblem(p.Code) && !strings.HasPrefix(p.Text, "is not a column that ") {
				t.Errorf("%q: %s", other, p.Text)
			}
		}
		kept, hidden := m.Mask(csvfile.Row{Cells: cells})
		for i, cell := range kept {
			if i != 3 && i != 5 && cell != cells[i] || (i == 3 || i == 5) && cell != mask && strings.TrimSpace(cell) != "" {
				t.Errorf("%q is kept as %q", cells, kept)
			}
		}
		if got := m.Unmask(kept, hidden); !slices.Equal(got, cells) {
			t.Errorf("%q came back as %q", cells, got)
		}
	})
}

// However a mapping file goes on, no message shows a password that stands in it.
func FuzzMappingFileSecrets(f *testing.F) {
	for _, s := range []string{"}", ", zip: ~}", "\n  zip: 1", "\r  colour: ~", "\u2028x", ": b", "\n  more\n  zip:", " # x\ncolumns: [", "\ncolumns: {password: {values: {a: b}}}"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, rest string) {
		for _, start := range []string{"constants: {zip: é, password: hunter2xyz", "constants:\n  password: hunter2xyz", "columns: {A: {field: password, values: {a: hunter2xyz"} {
			file, err := ParseFile("map.yaml", []byte(start+rest))
			if file != nil {
				_, compiling := Compile([]Schema{patchSchema()}, []string{"customer_id", "zip", "A"}, CompileOptions{File: file})
				err = errors.Join(err, compiling)
			}
			if err == nil || strings.Contains(err.Error(), "hunter2xyz") {
				t.Errorf("%q: %v", start+rest, err)
			}
		}
	})
}
