package csvfile

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"
)

func TestReaderReadsRows(t *testing.T) {
	utf16, err := unicode.UTF16(unicode.LittleEndian, unicode.UseBOM).NewEncoder().String("id,name\r\n1,Zoë\r\n")
	if err != nil {
		t.Fatal(err)
	}
	latin, err := charmap.Windows1252.NewEncoder().String("id;name\n1;Zoë €\n")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, text string
		options    Options
		dialect    string
		want       []Row
	}{
		{"plain", "id,name\n1,Ada\n", Options{}, "UTF-8, delimiter ,", []Row{{Line: 2, Cells: []string{"1", "Ada"}}}},
		{"byte order mark", "\xEF\xBB\xBFid;name\r\n1;Ada\r\n", Options{}, "UTF-8, delimiter ;", []Row{{Line: 2, Cells: []string{"1", "Ada"}}}},
		{"tab, no last newline", "id\tname\n1\tA,da", Options{}, "UTF-8, delimiter tab", []Row{{Line: 2, Cells: []string{"1", "A,da"}}}},
		{"delimiter in a quoted heading", "id|\"a,b,c\"\n1|x\n", Options{}, "UTF-8, delimiter |", []Row{{Line: 2, Cells: []string{"1", "x"}}}},
		{"delimiter given", "id:name\n1:x\n", Options{Delimiter: ':'}, "UTF-8, delimiter :", []Row{{Line: 2, Cells: []string{"1", "x"}}}},
		{"a mark beats the encoding", utf16, Options{Encoding: "windows-1252"}, "UTF-16LE, delimiter ,", []Row{{Line: 2, Cells: []string{"1", "Zoë"}}}},
		{"encoding given", latin, Options{Encoding: "windows-1252"}, "windows-1252, delimiter ;", []Row{{Line: 2, Cells: []string{"1", "Zoë €"}}}},
		{"true lines", "id,name\n\n1,\"a\nb\"\n\n2,c\n", Options{}, "UTF-8, delimiter ,",
			[]Row{{Line: 3, Cells: []string{"1", "a\nb"}}, {Line: 6, Cells: []string{"2", "c"}}}},
		{"newline in a heading", "\nid,\"na\nme\"\n1,x\n", Options{}, "UTF-8, delimiter ,", []Row{{Line: 4, Cells: []string{"1", "x"}}}},
		{"line ends inside cells stay", "id,name\r\n1,\"a\r\nb\nc\rd\r\r\ne\"\r\n", Options{}, "UTF-8, delimiter ,",
			[]Row{{Line: 2, Cells: []string{"1", "a\r\nb\nc\rd\r\r\ne"}}}},
		{"ragged", "id,name\n1\n2,a,b\n", Options{}, "UTF-8, delimiter ,",
			[]Row{{Line: 2, Cells: []string{"1"}, Ragged: true}, {Line: 3, Cells: []string{"2", "a", "b"}, Ragged: true}}},
		{"apostrophes", "id,name\n'=1,'a\n''+x,'''-\n", Options{}, "UTF-8, delimiter ,",
			[]Row{{Line: 2, Cells: []string{"'=1", "'a"}}, {Line: 3, Cells: []string{"''+x", "'''-"}}}},
		{"apostrophes of rows that were not taken", "rb_outcome,id,name\nrejected,1,'--\nfailed,2,'--\nskipped,3,''=1\n,4,'=1\n", Options{}, "UTF-8, delimiter ,",
			[]Row{{Line: 2, Cells: []string{"1", "--"}}, {Line: 3, Cells: []string{"2", "'--"}}, {Line: 4, Cells: []string{"3", "''=1"}}, {Line: 5, Cells: []string{"4", "'=1"}}}},
		{"apostrophes of rows with a code alone", "rb_error_code,id,name\nno_value_word,1,'--\n,2,'--\n", Options{}, "UTF-8, delimiter ,",
			[]Row{{Line: 2, Cells: []string{"1", "--"}}, {Line: 3, Cells: []string{"2", "'--"}}}},
		{"guards without quotes", "id,a,b\n=\"007\",=\"0049\",=\"\"\r\n2,\"x=\"\"1\",=A\n", Options{}, "UTF-8, delimiter ,",
			[]Row{{Line: 2, Cells: []string{`="007"`, `="0049"`, `=""`}}, {Line: 3, Cells: []string{"2", `x="1`, "=A"}}}},
		{"our columns", "rb_line,id,RB_outcome,name\n7,1,failed,Ada\n8,2\n", Options{}, "UTF-8, delimiter ,",
			[]Row{{Line: 2, Cells: []string{"1", "Ada"}}, {Line: 3, Cells: []string{"2"}, Ragged: true}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			in, err := NewReader(iotest.OneByteReader(strings.NewReader(c.text)), "in.csv", c.options)
			if err != nil {
				t.Fatal(err)
			}
			got, err := rows(in)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
			if in.Dialect().String() != c.dialect {
				t.Errorf("dialect %q, want %q", in.Dialect(), c.dialect)
			}
		})
	}
}

func TestReaderHeading(t *testing.T) {
	in := reader(t, "rb_line,'+Phone,rb_export,name\n")
	if diff := cmp.Diff([]string{"+Phone", "rb_export", "name"}, in.Heading()); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(map[string]int{"rb_line": 0}, in.Own.columns); diff != "" {
		t.Error(diff)
	}
}

func TestReaderRefuses(t *testing.T) {
	for _, c := range []struct {
		name, text string
		options    Options
		line       int
		says       []string
	}{
		{"empty", "", Options{}, 0, []string{"empty"}},
		{"blank lines only", "\n \n", Options{}, 0, []string{"empty"}},
		{"workbook", "PK\x03\x04rest", Options{}, 0, []string{"Excel workbook", "ends in .xlsx"}},
		{"not UTF-8", "id,name\n1,Ada\n2,Zo\xEB\n", Options{}, 3, []string{"in.csv", "UTF-8", "--encoding windows-1252  2,Zoë", "--encoding iso-8859-2"}},
		{"not UTF-8 in the heading", "id,n\xE4me\n", Options{}, 1, []string{"UTF-8"}},
		{"bytes outside the encoding", "id\n\x81\x20\n", Options{Encoding: "shift_jis"}, 2, []string{"do not belong"}},
		{"unknown encoding", "id\n", Options{Encoding: "ansi-ish"}, 0, []string{"ansi-ish", "windows-1252"}},
		{"NUL", "id,name\n1,\x00\n", Options{}, 2, []string{"NUL"}},
		{"CR only", "id,name\r1,Ada\r", Options{}, 1, []string{"carriage return"}},
		{"doubled line ends", "id,name\r\r\n1,Ada\r\r\n", Options{}, 1, []string{`\r\r\n`, "newline="}},
		{"UTF-8, and said to be older", "id,name\n1,Ada\n2,Zoë\n", Options{Encoding: "windows-1252"}, 3, []string{"is UTF-8", "leave --encoding out"}},
		{"a mark, and a body that is older", "\xEF\xBB\xBFid,name\n1,Zo\xEB\n", Options{Encoding: "windows-1252"}, 2,
			[]string{"begins with its byte order mark", "no --encoding helps", "1,Zoë"}},
		{"a wide mark, and a narrow body", "\xFF\xFEid,name\n1,Ada\n", Options{}, 0, []string{"byte order mark of UTF-16LE"}},
		{"a narrow mark, and a wide body", "\xEF\xBB\xBFi\x00d\x00\n\x00", Options{}, 1, []string{"NUL", "damaged"}},
		{"web page", " <!DOCTYPE html>\n<html>", Options{}, 0, []string{"HTML"}},
		{"table of a web page", "<table><tr>", Options{}, 0, []string{"HTML"}},
		{"XML", "\xEF\xBB\xBF<?xml version=\"1.0\"?>\n<a>", Options{}, 0, []string{"an XML document"}},
		{"workbook as XML", "<?xml version=\"1.0\"?><Workbook xmlns=\"urn:schemas-microsoft-com:office:spreadsheet\">", Options{}, 0, []string{"Excel workbook written as XML"}},
		{"JSON", "[\n {\"id\": 1}\n]", Options{}, 0, []string{"JSON"}},
		{"JSON, an object", "{ \"id\": 1}", Options{}, 0, []string{"JSON"}},
		{"old workbook", "\xD0\xCF\x11\xE0rest", Options{}, 0, []string{"old Excel workbook"}},
		{"workbook with a password", "\xD0\xCF\x11\xE0E\x00n\x00c\x00r\x00y\x00p\x00t\x00e\x00d\x00P\x00a\x00c\x00k\x00a\x00g\x00e\x00", Options{}, 0, []string{"protected by a password"}},
		{"CR in the middle", "id,name\n1,Ada\r2,Bo\n", Options{}, 2, []string{"carriage return"}},
		{"unclosed quote", "id,name\n1,\"a\nb\",\"c\n2,d\n", Options{}, 3, []string{"never closed"}},
		{"bare quote", "id,name\n1,say \"hi\"\n", Options{}, 2, []string{`say "hi"`, "    2 | 1,say", "double"}},
		{"text after a quote", "id,name\n1,\"a\nb\"c\n", Options{}, 3, []string{"starts in line 2"}},
		{"endless quote", "id\n\"" + strings.Repeat("x\n", longestRow), Options{}, 2, []string{"1 MiB"}},
		{"endless line", "id\n" + strings.Repeat("x", longestRow+1), Options{}, 2, []string{"1 MiB"}},
		{"bad delimiter", "id\n", Options{Delimiter: '"'}, 0, []string{"delimiter"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			in, err := NewReader(strings.NewReader(c.text), "in.csv", c.options)
			if err == nil {
				_, err = rows(in)
			}
			refused(t, err, c.line, c.says...)
		})
	}
}

// A row that was read comes back from failed.csv with our columns beside it.
func TestReportsMayHaveLongerRows(t *testing.T) {
	cell := strings.Repeat("x", longestRow-100)
	beside := strings.Repeat("y", longestRow)
	for _, text := range []string{
		"rb_outcome,rb_changes,id,name\nfailed,z,0,a\nfailed," + beside + ",1," + cell + "\nfailed,z,2,b\n",
		"rb_outcome,rb_changes,id,name\nfailed,z,0,a\nfailed,\"" + beside + "\n\",1," + cell + "\nfailed,z,2,b\n",
	} {
		in := reader(t, text)
		got, err := rows(in)
		if err != nil {
			t.Fatal(err)
		}
		if len(got) != 3 || got[1].Cells[1] != cell || got[2].Cells[0] != "2" {
			t.Errorf("%d rows", len(got))
		}
	}
	for heading, limit := range map[string]string{"rb_outcome,id": "8 MiB", "rb_export,id": "1 MiB", "id,name": "1 MiB"} {
		in := reader(t, heading+"\n1,\""+strings.Repeat("x\n", longestOwnRow/2)+"\"\n")
		_, err := rows(in)
		refused(t, err, 2, limit)
	}
}

func TestCheckEncoding(t *testing.T) {
	for _, name := range []string{"", "utf-8", "UTF-8", " Windows-1252 ", "latin1", "utf-16le", "shift_jis", "macintosh",
		"ansi", "ANSI", "macroman", "Mac-Roman", "cp850", "CP 437", "utf-8-sig", "utf8", "cp1252", "Win-1252", "1250", "latin-2", "sjis", "cp932", "cp936", "big5", "cp949", "cp852", "utf-16"} {
		if err := CheckEncoding(name); err != nil {
			t.Errorf("%q: %v", name, err)
		}
	}
	for _, name := range []string{"klingon", "replacement", "iso-2022-kr", " "} {
		refused(t, CheckEncoding(name), 0, fmt.Sprintf("%q", name), "utf-8, windows-1252")
	}
}

func TestReaderPassesReadErrorsOn(t *testing.T) {
	broken := errors.New("the cable is out")
	in, err := NewReader(io.MultiReader(strings.NewReader("id,name\n1,a\n"), iotest.ErrReader(broken)), "in.csv", Options{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := rows(in); !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
}

func reader(t *testing.T, text string) *Reader {
	t.Helper()
	in, err := NewReader(strings.NewReader(text), "in.csv", Options{})
	if err != nil {
		t.Fatal(err)
	}
	return in
}

// refused demands a refusal that says all of the texts.
func refused(t *testing.T, err error, line int, texts ...string) {
	t.Helper()
	var r *Refusal
	if !errors.As(err, &r) {
		t.Fatalf("got %v, want a refusal", err)
	}
	if r.Line != line {
		t.Errorf("line %d, want %d in: %v", r.Line, line, err)
	}
	for _, text := range texts {
		if !strings.Contains(err.Error(), text) {
			t.Errorf("%q is missing in: %v", text, err)
		}
	}
}

func TestReaderHidesLinesOfPasswords(t *testing.T) {
	for _, heading := range []string{"customer_id,Password", "customer_id,New pass_word,zip", "a;password,b"} {
		in, err := NewReader(strings.NewReader(heading+"\n1,hun\"ter\n"), "in.csv", Options{Delimiter: ','})
		if err != nil {
			t.Fatal(err)
		}
		_, err = rows(in)
		refused(t, err, 2, "a quotation mark inside a cell", "not shown")
		if strings.Contains(err.Error(), "ter") {
			t.Error(err)
		}
	}
}

// Titles above the heading hide nothing of what is below it.
func TestReaderHidesLinesBelowTitles(t *testing.T) {
	second := func(rows []Row) (int, error) {
		if len(rows) < 2 {
			return 0, errors.New("look further")
		}
		return 1, nil
	}
	for text, says := range map[string]string{
		"My \"list\"\n\ncustomer_id,Password\n1,hun\"ter\"\n": "not shown",
		"My list\n\ncustomer_id,Password\n1,hun\xebter\n":     "UTF-8",
	} {
		in, err := NewReader(strings.NewReader(text), "in.csv", Options{Heading: second})
		if err != nil {
			t.Fatal(err)
		}
		if line, titles := in.HeadingLine(); line != 3 || !titles || in.Dialect().Delimiter != ',' {
			t.Errorf("the heading stands in line %d", line)
		}
		_, err = rows(in)
		if refused(t, err, 4, says); strings.Contains(err.Error(), "ter") {
			t.Error(err)
		}
	}
}

func TestEscape(t *testing.T) {
	for cell, want := range map[string]string{
		"": "", "a": "a", "'a": "'a", "=1": "'=1", "+1": "'+1", "-1": "'-1", "@x": "'@x", "\tx": "'\tx", "\rx": "'\rx", "'=1": "''=1", "''": "''",
		"＝1": "'＝1", "＋1": "'＋1", "－1": "'－1", "＠x": "'＠x", "'＝1": "''＝1", "−1": "−1", "=": "'=",
		"0049": "0049", "'0049": "''0049", "''0049": "'''0049", "'0049 ": "'0049 ", "'t Hooft": "'t Hooft", "'49a": "'49a", "'٣": "'٣",
	} {
		if got := Escape(cell); got != want {
			t.Errorf("Escape(%q) = %q, want %q", cell, got, want)
		}
		if got := Unescape(want); got != cell {
			t.Errorf("Unescape(%q) = %q, want %q", want, got, cell)
		}
	}
}

func TestFold(t *testing.T) {
	for _, name := range []string{"First Name", "first_name", "FIRST-NAME", " firstName\t", "first\u00A0name", "first\u2009Na\u3000me", "\u202Ffirst\u0085name"} {
		if got := Fold(name); got != "firstname" {
			t.Errorf("%q is folded to %q", name, got)
		}
	}
}

// Columns and blank lines without an end are refused, and take no time that grows with their square.
func TestCaps(t *testing.T) {
	wide := "id" + strings.Repeat(",c", mostColumns-1) + "\n1" + strings.Repeat(",x", mostColumns-1) + "\n"
	for name, c := range map[string]struct{ text, refusal string }{
		"as wide as a sheet":         {wide, ""},
		"wider":                      {"id" + strings.Repeat(",c", 300_000) + "\n", "line 1: 300001 columns, of at most 16384"},
		"blank lines first":          {strings.Repeat("\n", 300_000) + "id,a\n1,x\n", ""},
		"blanks first":               {strings.Repeat("  \r\n", 300_000) + "id,a\n1,x\n", ""},
		"blank lines between":        {"id,a\n1,x\n" + strings.Repeat("\r\n", 300_000) + "2,y\n", ""},
		"blank lines for ever":       {strings.Repeat("\n", mostBlank+1), "over 1000000 blank lines"},
		"blank lines below for ever": {"id,a\n1,x\n" + strings.Repeat("\n", mostBlank+1), "over 1000000 blank lines"},
	} {
		began := time.Now()
		in, err := NewReader(strings.NewReader(c.text), "in.csv", Options{})
		if err == nil {
			_, err = rows(in)
		}
		if (err == nil) != (c.refusal == "") || err != nil && !strings.Contains(err.Error(), c.refusal) || time.Since(began) > 5*time.Second {
			t.Errorf("%s: %v after %v", name, err, time.Since(began))
		}
	}
}
