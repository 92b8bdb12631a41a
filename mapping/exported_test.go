package mapping

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// oneExport shows one customer, 1, as it was.
type oneExport map[string]string

func (e oneExport) Was(export, _, key string) (func(string) (string, bool), *Problem, error) {
	switch {
	case export == "":
		return nil, nil, nil
	case key != "1":
		return nil, &Problem{Code: "not_in_export", Column: "rb_export"}, nil
	}
	return func(field string) (string, bool) { cell, ok := e[field]; return cell, ok }, nil, nil
}

func TestRowsSinceTheirExport(t *testing.T) {
	was := oneExport{"id": "1", "firstName": "Ada", "title": "Dr.", "primaryEmail": "a@example.com", "customerReference.reference1": "N", "status": "Active", "lastName": "007"}
	rule := "action: update\nblank: clear\ncolumns:\n  firstName: {field: firstName, trim: true}\n  Region: {field: customerReference.reference1, values: {N: North, S: South}}\n"
	for _, c := range []struct{ name, heading, row, file, want string }{
		{"as exported", "id,firstName,title,rb_export", "1,Ada,Dr.,x", "", ""},
		{"edited", "id,firstName,rb_export", "1,Eva,x", "", "firstName=Eva was Ada"},
		{"cleared", "id,firstName,rb_export", "1,REMOVE,x", "", "firstName clear was Ada"},
		{"emptied", "id,firstName,rb_export", "1,,x", "", "warning"},
		{"a field that was not exported", "id,secondName,rb_export", "1,Reed,x", "", "secondName=Reed"},
		{"leading zeros lost", "id,lastName,rb_export", "1,7,x", "", "spreadsheet_damage"},
		{"another number", "id,lastName,rb_export", "1,8,x", "", "lastName=8 was 007"},
		{"added", "id,firstName,rb_export", "2,Ada,", "", "firstName=Ada"},
		{"of another customer", "id,firstName,rb_export", "2,Ada,x", "", "not_in_export"},
		{"only read, edited", "id,firstName,status,rb_export", "1,Ada,Hold,x", "", "warning"},
		{"what a rule makes of the exported cell", "id,firstName,Region,rb_export", "1, Ada ,N,x", rule, ""},
		{"edited under a rule", "id,firstName,Region,rb_export", "1,Ada,S,x", rule, "customerReference.reference1=South was N"},
		{"emptied where blank clears", "id,firstName,Region,rb_export", "1,,N,x", rule, "firstName clear was Ada"},
	} {
		t.Run(c.name, func(t *testing.T) {
			in := input(t, c.heading+"\n"+c.row+"\n")
			o := CompileOptions{}
			if c.file != "" {
				file, err := ParseFile("m.yaml", []byte(c.file))
				if err != nil {
					t.Fatal(err)
				}
				o.File = file
			}
			m, err := Compile(exportedSchema(), in.Heading(), o)
			if err != nil {
				t.Fatal(err)
			}
			row, err := in.Next()
			if err != nil {
				t.Fatal(err)
			}
			base, err := baseOf(m, row, was)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, said(m.RowSince(row, base))); diff != "" {
				t.Error(diff)
			}
			if base == nil {
				return
			}
			kept, err := json.Marshal(base) // as a run that is taken up again finds it
			if err != nil {
				t.Fatal(err)
			}
			again := &Base{}
			if err := json.Unmarshal(kept, again); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, said(m.RowSince(row, again))); diff != "" {
				t.Errorf("taken up again: %s", diff)
			}
		})
	}
}

func exportedSchema() Schema {
	s := Schema{Action: "update", Keys: []Field{{Name: "id", Kind: Digits}}, Exported: true, ReadOnly: []string{"status"}, Belongs: map[string]string{"status": "elsewhere"}}
	for _, name := range []string{"firstName", "lastName", "secondName", "primaryEmail", "customerReference.reference1"} {
		s.Fields = append(s.Fields, Field{Name: name})
	}
	s.Fields = append(s.Fields, Field{Name: "title", Kind: Enum, Enum: []string{"Mr", "Dr"}})
	return s
}

// said is what a row says, in short.
func said(row Mapped) string {
	var all []string
	for _, c := range row.Cells {
		text := c.Name + "=" + c.Text
		if c.Clear {
			text = c.Name + " clear"
		}
		if c.Was != nil {
			text += " was " + *c.Was
		}
		all = append(all, text)
	}
	for _, p := range row.Problems {
		all = append(all, p.Code)
	}
	if len(row.Warnings) > 0 {
		all = append(all, "warning")
	}
	return strings.Join(all, ", ")
}

func TestTextsThatASpreadsheetTookForSomethingElse(t *testing.T) {
	for _, c := range []struct {
		was, cell string
		want      bool
	}{
		{"007", "7", true},
		{"00", "0", true},
		{"1.50", "1.5", true},
		{"1,50", "1.5", true},
		{"+49555", "49555", true},
		{"-07", "-7", true},
		{"12345678901234567", "12345678901234500", true},
		{"7", "7", false},
		{"007", "8", false},
		{"007", "-7", false},
		{"AC-007", "AC-7", false},
		{"", "0", false},
		{"1.", "1", false},
		{"12345678901234567", "12345678901234568", false},
		{"1234567", "1234560", false},
		{"1.2.3", "1.2", false},
		{"2026-01-02", "1/2/2026", true},
		{"2026-01-02", "02.01.2026", true},
		{"2026-01-02", "2/1/26", true},
		{"2026-01-02", "2026/1/2", true},
		{"2026-01-02", "2026-01-03", false},
		{"2026-01-02", "2026-01-02", false},
		{"2026-01-02", "1/2/2027", false},
		{"555-01-02", "555-1-2", false},
		{"10.0.0.1", "10.0.1", false},
		{"1-2-3", "1-02-3", false},
	} {
		if got := respelt(c.was, c.cell); got != c.want {
			t.Errorf("%s of %s: %v", c.cell, c.was, got)
		}
	}
}

// A row as it was exported contradicts no other row of its customer.
func TestDuplicatesOfExportedRows(t *testing.T) {
	was := oneExport{"firstName": "Ada"}
	for _, c := range []struct {
		rows               string
		rejected, exported int
	}{
		{"1,Eva,x\n1,Ada,x\n", 0, 2},
		{"1,Ada,x\n1,Eva,x\n1,Ada,x\n", 0, 3},
		{"1,Eva,x\n1,Ada,x\n1,Ina,x\n", 2, 3},
		{"1,Ada,\n1,Eva,x\n", 2, 1},
	} {
		in := input(t, "id,firstName,rb_export\n"+c.rows)
		m, err := Compile(exportedSchema(), in.Heading(), CompileOptions{})
		if err != nil {
			t.Fatal(err)
		}
		got, err := Check(in, m, nil, CheckOptions{Exports: was})
		if err != nil {
			t.Fatal(err)
		}
		if got.Rejected != c.rejected || got.Exported != c.exported || got.Exported+got.Added != got.Rows {
			t.Errorf("%q: %d rejected, %d exported, %d added", c.rows, got.Rejected, got.Exported, got.Added)
		}
	}
}
