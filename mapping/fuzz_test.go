package mapping

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func FuzzEscape(f *testing.F) {
	for _, s := range []string{"", "=1", "'=1", "''", "'\r", "a\x00"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, cell string) {
		escaped := Escape(cell)
		if back := Unescape(escaped); back != cell {
			t.Errorf("%q became %q and %q", cell, escaped, back)
		}
		if escaped != "" && strings.Contains("=+-@\t\r", escaped[:1]) {
			t.Errorf("%q would run as a formula", escaped)
		}
	})
}

func FuzzInput(f *testing.F) {
	for _, s := range []string{"id,a\n1,b\n", "\xEF\xBB\xBFid;a\r\n1;\"b\r\n\"", "\xFF\xFEi\x00d\x00", "id\r1\r", "id,\"a\n", "\n\n\"\r\n\",b\nrb_x,c,d", "PK\x03\x04"} {
		f.Add([]byte(s), "")
	}
	f.Add([]byte("id,n\xE4me\n"), "windows-1252")
	f.Fuzz(func(t *testing.T, text []byte, encoding string) {
		in, err := NewInput(bytes.NewReader(text), "in.csv", ReadOptions{Encoding: encoding})
		var all []Row
		if err == nil {
			all, err = rows(in)
		}
		var refusal *Refusal
		if err != nil && !errors.As(err, &refusal) {
			t.Fatalf("neither rows nor a refusal: %v", err)
		}
		last := 0
		for _, row := range all {
			if row.Line <= last || row.Line > bytes.Count(text, []byte("\n"))+1 {
				t.Fatalf("a row in line %d after one in line %d", row.Line, last)
			}
			last = row.Line
		}
	})
}

// A file with escaped cells reads back as it was, whatever its line ends.
func TestInputRoundTrip(t *testing.T) {
	cell := rapid.StringOf(rapid.SampledFrom([]rune("ab'=+-@,;\t\r\n\"\\ é")))
	rapid.Check(t, func(t *rapid.T) {
		want := rapid.SliceOfN(rapid.SliceOfN(cell, 3, 3), 0, 5).Draw(t, "rows")
		end := rapid.SampledFrom([]string{"\n", "\r\n"}).Draw(t, "line end")
		text := "id,b,c" + end
		for _, row := range want {
			var quoted []string
			for _, cell := range row {
				quoted = append(quoted, `"`+strings.ReplaceAll(Escape(cell), `"`, `""`)+`"`)
			}
			text += strings.Join(quoted, ",") + end
		}
		in, err := NewInput(strings.NewReader(text), "in.csv", ReadOptions{Delimiter: ','})
		if err != nil {
			t.Fatal(err)
		}
		got, err := rows(in)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.EqualFunc(got, want, func(r Row, cells []string) bool { return slices.Equal(r.Cells, cells) }) {
			t.Fatalf("got %v, want %q", got, want)
		}
	})
}

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
