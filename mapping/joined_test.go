package mapping

import (
	"strings"
	"testing"
)

// TestJoin: the texts of several columns, a space between them, are one cell; each part
// is first read by itself.
func TestJoin(t *testing.T) {
	m := mapper(t, "update", "id,First,Last",
		"columns: {First: firstName, Name: {join: [First, Last], field: companyName}}")
	for cells, want := range map[string]string{
		"Ada,Lovelace":   "firstName=Ada | companyName=Ada Lovelace",
		" Ada , Lovela ": "firstName=Ada | companyName=Ada Lovela",
		",Lovelace":      "companyName=Lovelace",
		",":              "",
		"REMOVE,REMOVE":  "firstName! | companyName!",
		"REMOVE,":        "firstName! | companyName!",
		"REMOVE,Lov":     "firstName! | #bad_value",
		"Ada,remove":     "firstName=Ada | #clear_word_case",
		"Ada,N/A":        "firstName=Ada | #no_value_word",
		"Ada,#REF!":      "firstName=Ada | #spreadsheet_damage",
		`\N/A,Lov`:       "firstName=N/A | companyName=N/A Lov",
		`\N/A,`:          "firstName=N/A | companyName=N/A",
		`'=1,Lov`:        "firstName==1 | companyName==1 Lov",
		`\x,y`:           `firstName=\x | companyName=\x y`,
	} {
		if got := reading(m, "987001,"+cells); got != strings.TrimSuffix("update id=987001: "+want, ": ") {
			t.Errorf("%q: got %s, want %s", cells, got, want)
		}
	}
}

// TestJoinedKey: a key may be made of several columns, which then set nothing.
func TestJoinedKey(t *testing.T) {
	m := mapper(t, "update", "First,Last,firstName", "key: {join: [First, Last], field: reference}")
	for cells, want := range map[string]string{
		"Ada,Lovelace,Bo": "update reference=Ada Lovelace: firstName=Bo",
		" Ada ,Lov,Bo":    "update reference=Ada Lov: firstName=Bo",
		"Ada,,Bo":         "update reference=Ada: firstName=Bo",
		" Ada ,,Bo":       "update reference=: firstName=Bo | #bad_value",
		",,Bo":            "update reference=: firstName=Bo | #missing_key",
		"Ada,N/A,Bo":      "update reference=: firstName=Bo | #no_value_word",
		"REMOVE,,Bo":      "update reference=: firstName=Bo | #not_clearable",
	} {
		if got := reading(m, cells); got != want {
			t.Errorf("%q: got %s, want %s", cells, got, want)
		}
	}
	for text, says := range map[string]string{
		"key: {join: [First, Middle], field: reference}":                                     `the column "Middle", which the input lacks`,
		"key: {join: [First, Last], column: First, field: reference}":                        "stands in place of a column",
		"key: {join: [First, firstName], field: reference}\ncolumns: {firstName: firstName}": `"firstName" is a part of the key`,
	} {
		file, err := ParseFile("x.yaml", []byte(text))
		if err == nil {
			_, err = mapperOf("update", "First,Last,firstName", CompileOptions{File: file})
		}
		if err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v", text, err)
		}
	}
}

// TestSplit: a column that is joined of itself may set several fields.
func TestSplit(t *testing.T) {
	m := mapper(t, "update", "id,Name", `columns:
  given: {join: [Name], field: firstName, expr: 'split(cell, " ")[0]'}
  family: {join: [Name], field: lastName, expr: 'join(split(cell, " ")[1:], " ")'}`)
	if got := reading(m, "987001,Ada King Lovelace"); got != "update id=987001: firstName=Ada | lastName=King Lovelace" {
		t.Error(got)
	}
}

func TestDates(t *testing.T) {
	m := mapper(t, "update", "id,Since,Seen", `columns:
  Since: {field: customerReference.reference1, dates: 02/01/2006}
  Seen: {field: customerReference.reference2, dates: '2-Jan-06 15:04'}`)
	for cells, want := range map[string]string{
		"03/04/2026,":            "customerReference.reference1=2026-04-03",
		" 03/04/2026 ,":          "customerReference.reference1=2026-04-03",
		"04/13/2026,":            "#bad_value",
		"2026-04-03,":            "customerReference.reference1=2026-04-03", // as a sheet's own date is read
		"2026-13-03,":            "#bad_value",
		"2026-04-03 10:00,":      "#bad_value",
		",2026-10-03 07:05":      "customerReference.reference2=2026-10-03T07:05:00",
		",2026-10-03":            "#bad_value",
		"REMOVE,":                "customerReference.reference1!",
		",":                      "",
		",3-Oct-26 07:05":        "customerReference.reference2=2026-10-03T07:05:00",
		"12-Oct,3-Oct-26 7:05pm": "#spreadsheet_damage | #bad_value",
	} {
		if got := reading(m, "987001,"+cells); got != strings.TrimSuffix("update id=987001: "+want, ": ") {
			t.Errorf("%q: got %s, want %s", cells, got, want)
		}
	}
	m = mapper(t, "update", "id,D", "columns: {D: {field: customerReference.reference1, dates: 2-Jan-2006}}")
	if got := reading(m, "987001,3-Oct-2026"); got != "update id=987001: customerReference.reference1=2026-10-03" {
		t.Error(got)
	}
}

func TestRulesThatDoNotFit(t *testing.T) {
	for _, c := range []struct{ command, heading, file, says string }{
		{"update", "id,First", "columns: {Name: {join: [First, Last], field: companyName}}", `1:32: join names the column "Last", which the input lacks`},
		{"update", "id,First,Last,X", "columns: {Name: {join: [First, Last], field: companyName}}", `the column "X" is not listed`},
		{"update", "id,First,Last", "columns: {First: companyName, Name: {join: [First, Last], field: companyName}}", "two sources for companyName"},
		{"update", "id,First,Last", "columns: {Name: {join: [First, Last], field: frstName}}", "did you mean firstName?"},
		{"update", "id,First,Password", "columns: {Name: {join: [First, Password], field: companyName}}", `the column "Password" holds passwords`},
		{"patch", "customer_id,Word,Zip", "columns: {Word: password, Both: {join: [Word, Zip], field: custom1}}", `the column "Word" holds passwords`},
		{"patch", "customer_id,A,B", "columns: {Both: {join: [A, B], field: password}}", "sent as it stands"},
		{"patch", "customer_id,A", "columns: {A: {field: zip, only_if_blank: true}}", "only_if_blank is not for patch: the API gives no record back"},
		{"run", "action,id,customer_id,A", "columns: {A: {patch: {field: zip, only_if_blank: true}, update: firstName}}", "only_if_blank is not for patch"},
		{"update", "A", "columns: {A: {field: id, only_if_blank: true}}", `the column "A" is the key, and sets nothing`},
	} {
		_, err := mapperOf(c.command, c.heading, CompileOptions{File: optional(t, c.file)})
		if err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: got %v, want %s", c.file, err, c.says)
		}
	}
}
