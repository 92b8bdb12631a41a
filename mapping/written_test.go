package mapping

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"rowbatch/mapping/csvfile"
)

// naughty are texts that programs take for something else.
func naughty() []string {
	return strings.Split(strings.Join([]string{
		`undefined|undef|null|NULL|(null)|nil|NIL|true|false|True|None|none|NaN|-|--|?|\|\\|\\\|\N|\\N|\\\N|N/A|\N/A|\\N/A|#N/A|\#N/A|#REF!|Err:502`,
		`REMOVE|remove|\REMOVE|\\REMOVE|\remove| REMOVE|REMOVE |\ REMOVE|'REMOVE|="REMOVE"|'="REMOVE"|***|{{x}}|[object Object]|Loading...`,
		`0|1|1.00|$1.00|1/2|1E2|1E+02|1.23457E+11|-1|-1.00|-$1.00|0.00|0..0|.|0,0|1,000.00|1 000,00|1'000|0x0|0xffffffff|Infinity|-Infinity|1#INF|01000|08|09|0049|'0049|''0049`,
		`12-Oct|Oct-12|2026-01-02|3:00|50%|(555)|=1+1|'=1+1|''=1|'''=1|="0049"|'="0049"|=""|="a""b"|="a"&"b"|+1|-5|@x|＝1|'＝1|＋1|'+49|'t Hooft|'|''|"|""|'"'`,
		"\t=1|\r=1|\t| x|x |\u00a0x|\u200b|\u200bx|x\u200d|\ufeffx|\u2060|\u00ad|a\u200bb|\u202ex|é|CafÃ©|Café|e\u0301|Ω≈ç√|田中さん|ﺏ|😍|👩🏽|🏳\ufe0f\u200d🌈|Ṱ̺̺o|¡™£¢|⁰⁴⁵|ˇÁ¨|ЁЂЃ|﷽|a\nb|a\r\nb",
		`<script>alert(1)</script>|'; DROP TABLE x;--|%s%s%n|${1+1}|../../etc/passwd|$(touch x)|%0a|http://a/%%30%30|Penis Simpson|CON|LPT1|File:///|{0}|%d`,
	}, "|"), "|")
}

// What we write ourselves comes back exactly: as the same cell of an export, and
// without the export to compare with as the same value, unless such a value is
// rejected; and then a record that holds it is left alone.
func TestWhatIsWrittenComesBack(t *testing.T) {
	m := compiled(t, "id,customerReference.reference1", CompileOptions{File: parsed(t, "columns: {customerReference.reference1: {field: customerReference.reference1, trim: false}}")})
	c := &m.layouts[0].columns[0]
	check := func(t interface {
		Errorf(string, ...any)
	}, value string) {
		cell := csvfile.Escape(Literal(value))
		if csvfile.IsFormula(cell) && cell[0] != '\'' {
			t.Errorf("%q would run as a formula", cell)
		}
		if !wasExported(value, cell) || Exported(cell) != value {
			t.Errorf("%q is written as %q, and read as %q", value, cell, Exported(cell))
		}
		var out Mapped
		switch c.set(cell, nil, &out); {
		case len(out.Cells) == 1 && out.Cells[0].Text == value && !out.Cells[0].Clear:
		case len(out.Cells)+len(out.Problems) == 0 && trimEnds(value) == "":
		case len(out.Problems) == 1 && out.Problems[0].Held != nil && out.Problems[0].Held.Text == trimEnds(value):
		case len(out.Problems) == 1 && out.Problems[0].Code == "bad_value": // a control character
		default:
			t.Errorf("%q is written as %q, which says %s", value, cell, show(out))
		}
	}
	for _, value := range naughty() {
		check(t, value)
	}
	if t.Failed() {
		return
	}
	parts := rapid.SampledFrom([]string{`\`, `\`, "'", "=", `"`, "REMOVE", "remove", "N", "N/A", "-", "0", "7", " ", "\u200b", "é", "\t", "+", "@", "null", "#N/A", "12-Oct", "x", "\n"})
	rapid.Check(t, func(t *rapid.T) { check(t, strings.Join(rapid.SliceOfN(parts, 0, 5).Draw(t, "parts"), "")) })
}
