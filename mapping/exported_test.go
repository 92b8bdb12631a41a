package mapping

import (
	"encoding/csv"
	"encoding/json"
	"os"
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
		{"what a rule makes of the exported cell", "id,firstName,Region,rb_export", "1, Ada ,N,x", rule, "warning"},
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
			m, err := Compile([]Schema{exportedSchema()}, in.Heading(), o)
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

// The outcomes in testdata are those of real programs: each is damage, or left alone.
func TestWhatProgramsMakeOfExportedCells(t *testing.T) {
	f, err := os.Open("testdata/rewritten.csv")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	cases, err := csv.NewReader(f).ReadAll()
	if err != nil || len(cases) < 100 {
		t.Fatalf("%d cases, %v", len(cases), err)
	}
	for _, field := range []string{"firstName", "companyName", "primaryPhone", "reference", "primaryEmail", "customerReference.reference1", "title", "parentId"} {
		m := compiled(t, "id,"+field, CompileOptions{})
		for _, c := range cases[1:] {
			var out Mapped
			m.layouts[0].columns[0].set(c[2], &c[1], &out)
			if len(out.Cells) > 0 || len(out.Problems) > 0 && out.Problems[0].Code != "spreadsheet_damage" {
				t.Errorf("%s: %s of %q in %s: %s", c[0], c[2], c[1], field, show(out))
			}
		}
	}
}

func TestTextsThatASpreadsheetTookForSomethingElse(t *testing.T) {
	for _, c := range []struct{ was, cells string }{ // cells are divided by |
		{"007", "7"},
		{"00", "0"},
		{"1.50", "1.5"},
		{"1,50", "1.5|1,5"},
		{"+49555", "49555"},
		{"-07", "-7"},
		{"5.", "5|5.00"},
		{".5", "0.5|0,5"},
		{"(555)", "-555|(555.00)"},
		{"‑5", "-5"},
		{"$5", "5|$5.00"},
		{"€ 1.234,50", "1234.5|1234,5|€1,234.50"},
		{"50%", "0.5|50.00%"},
		{"1,234", "1234|1.234"},
		{"1’234.5", "1234.5"},
		{"12,34,567", "1234567"},
		{"1 1/2", "1.5"},
		{"10E3", "10000|1.00E+04|1E+04"},
		{"1e400", "1.79769313486232E+308"},
		{"123456789012", "1.23457E+11|1,23E+11|1.23457E+011"},
		{"12345678901234567", "12345678901234500|12345678901234600|1.23456789012346E+016|12345678901234568"},
		{"9007199254740993", "9.00719925474099E+015|9007199254740990|9007199254740992"},
		{"0.1234567890123", "0.123456789"},
		{"true", "TRUE|WAHR|VRAI"},
		{"Falsch", "FALSCH"},
		{"2026-01-02", "1/2/2026|02.01.2026|2/1/26|2026/1/2|46024|44562|2. Januar 2026|Friday, January 2, 2026|02-Jan-26|02/01/2026 00:00|2 janv. 2026|2026年1月2日"},
		{"2026-01-02T00:00:00", "46024|2026-01-02|01/02/2026 00:00|02.01.2026 00:00:00"},
		{"2026-01-02T12:00:00Z", "46024.5|1/2/2026 12:00|1/2/26 12:00 PM"},
		{"7-11", "11-Jul|07-Nov|11/07/2026|11. Jul"},
		{"3/4", "04/03/26|4-Mar|03. Apr|46085|0.75"},
		{"JAN-26", "26-Jan|Jan-26|01/01/2026|2026-01-26"},
		{"May 2026", "May-26|Mai 26|05/01/2026|46143"},
		{"3:00", "03:00:00|3:00 AM|0.125|03:00"},
		{"27:30", "27:30:00|03:30:00"},
		{"1am", "01:00:00 AM"},
		{"1-2-3", "2/1/03|2003-01-02"},
		{"Śnieżka", "?nie?ka|_nie_ka|ÅšnieÅ¼ka"},
		{"Κύμα", "????"},
		{"Zoë", "Zo?|ZoÃ«|ZoÃƒÂ«|Zo├½|Zo\uFFFD"},
		{"é中😀", "é??|é???"},
	} {
		for cell := range strings.SplitSeq(c.cells, "|") {
			if !rewritten(c.was, cell) {
				t.Errorf("%s of %s is an edit", cell, c.was)
			}
		}
	}
	for _, c := range []struct{ was, cells string }{
		{"007", "8|-7|0007"},
		{"7", "07|8|$7|7%|+7"},
		{"100", "200|1000|10"},
		{"1.5", "1.6|15|2"},
		{"10.4", "10"},
		{"AC-007", "AC-7"},
		{"", "0"},
		{"49301234", "+49301234|0049301234"},
		{"555 123", "555123|555 124"},
		{"(555) 010-0", "5550100"},
		{"12345678901234567", "12345678901234569|12345678901234400"},
		{"1234567", "1234560"},
		{"1.2.3", "1.2"},
		{"2026-01-02", "2026-01-03|2026-02-01|1/2/2027|2027-01-02|46025"},
		{"3:00", "3:01|15:00"},
		{"3/4", "3/5|4/3|5/6/26"},
		{"10-12", "12-10|10-13"},
		{"May 2026", "June 2026|May 2027"},
		{"555-01-02", "555-1-2"},
		{"10.0.0.1", "10.0.1"},
		{"1-2-3", "1-02-3"},
		{"true", "false|FALSE|yes"},
		{"Zoe", "Zoë"},
		{"Zoë", "Zoe|Zoé|Chloë"},
		{"José?", "José"},
		{"CafÃ©", "Café"},
		{"Zo?", "Zoë"},
		{"Ann", "Anna|Ann B"},
		{"March", "May|March 5"},
		{"Śnieżka", "Sniezka|Śnieżko"},
	} {
		for cell := range strings.SplitSeq(c.cells, "|") {
			if rewritten(c.was, cell) {
				t.Errorf("%s of %s is no edit", cell, c.was)
			}
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
		m, err := Compile([]Schema{exportedSchema()}, in.Heading(), CompileOptions{})
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
