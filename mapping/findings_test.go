package mapping

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// TestFindings: what is odd of a whole column, though each cell could be sent.
func TestFindings(t *testing.T) {
	rows := func(n int, row string) string {
		var all strings.Builder
		for i := range n {
			fmt.Fprintf(&all, row+"\n", i)
		}
		return all.String()
	}
	for _, c := range []struct{ name, text, want string }{
		{"nothing", "reference,firstName,primaryEmail\nAC-1,Ada,a@x.example\nAC-2,Bo,b@x.example\n", ""},
		{"dates for ids", "reference,firstName\nAC-1,Ada\n11/07/2026,Bo\n2026-07-11,Cy\n", `reference 2 [3 4] "11/07/2026" is a date`},
		{"a date is a text elsewhere", "id,firstName\n1,11/07/2026\n", ""},
		{"zeros lost beside some that are there", "reference,firstName\n0042,a\n0043,b\n44,c\n", `reference 1 [4] "44" is shorter than the 4 digits of the others`},
		{"zeros lost", "reference,firstName\n" + rows(12, "1000%02d,x") + "4711,x\n", `reference 1 [14] "4711" is shorter than the 6 digits of the others`},
		{"lengths of all kinds", "reference,firstName\n" + rows(12, "1000%02d,x") + rows(4, "47%d,x"), ""},
		{"unseen spaces", "id,firstName\n1,Ada\u00a0Lo\n2,\u00a0Bo\n3,A\u200bB\n", `firstName 2 [2 4] "Ada\u00a0Lo" holds a space that is none`},
		{"quotes around ids", "reference,primaryPhone\n“AC-1”,+49 30 1\n", `reference 1 [2] "“AC-1”" holds quotation marks`},
		{"look-alikes", "id,firstName,lastName\n1,RЕMOVE,x\n2,REMOVED,x\n3,ＲＥＭＯＶＥ,x\n4,REMVOE,x\n5,[REMOVE],x\n", `firstName 2 [3 5] "REMOVED" is almost REMOVE`},
		{"names are no look-alikes", "id,firstName,lastName\n1,Remo,Removal\n2,Remove-it,REMI\n3,REMOVE,x\n", ""},
		{"one address for many", "id,primaryEmail\n1,Info@x.example\n2,info@x.example\n3,info@x.example\n4,b@x.example\n5,b@x.example\n",
			`primaryEmail 3 [2 3 4] "Info@x.example" goes to several customers`},
		{"notes are not looked at", "reference,firstName\n# 11/07/2026,Ada\u00a0Lo\nAC-1,Ada\n", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			heading, _, _ := strings.Cut(c.text, "\n")
			m := compiled(t, heading, CompileOptions{Ignore: []string{"city"}})
			checked, err := Check(input(t, c.text), m, nil, CheckOptions{Findings: true})
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, f := range checked.Findings {
				got = append(got, fmt.Sprint(f.Column, " ", f.Rows, " ", f.Lines, " ", f.Text))
			}
			if len(got) > 1 || (c.want == "") != (len(got) == 0) || !strings.HasPrefix(strings.Join(got, ""), c.want) {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

// TestFindsColumnSortedApart: keys in order and names in order are too much of it, but not
// where the whole file was sorted by the name.
func TestFindsColumnSortedApart(t *testing.T) {
	var sorted, byName []string
	for i := range 26 {
		name := string(rune('A'+i)) + "nders"
		sorted = append(sorted, fmt.Sprintf("%d,%s,%c", 987001+i, name, 'z'-i))
		byName = append(byName, fmt.Sprintf("%d,%s,%c", 987001+(i*7)%26, name, 'a'+i%3))
	}
	numbers := slices.Clone(sorted)
	for i := range numbers {
		numbers[i] = fmt.Sprintf("%d,Same,x", 987001+i)
	}
	for want, lines := range map[string][]string{"lastName": sorted, "": byName, " ": numbers} {
		text := "id,lastName,firstName\n" + strings.Join(lines, "\n") + "\n"
		checked, err := Check(input(t, text), compiled(t, "id,lastName,firstName", CompileOptions{}), nil, CheckOptions{Findings: true})
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		for _, f := range checked.Findings {
			got += f.Column
		}
		if got != strings.TrimSpace(want) {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
