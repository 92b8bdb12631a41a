package csvfile

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"
)

// rows reads a file to its end.
func rows(in *Reader) ([]Row, error) {
	var all []Row
	for {
		row, err := in.Next()
		if errors.Is(err, io.EOF) {
			return all, nil
		}
		if err != nil {
			return all, err
		}
		row.Cells = slices.Clone(row.Cells)
		all = append(all, row)
	}
}

func FuzzEscape(f *testing.F) {
	for _, s := range []string{"", "=1", "'=1", "''", "'\r", "a\x00", "＝1", "'＠", "'0049", "'"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, cell string) {
		escaped := Escape(cell)
		if back := Unescape(escaped); back != cell {
			t.Errorf("%q became %q and %q", cell, escaped, back)
		}
		if first, _ := utf8.DecodeRuneInString(escaped); strings.ContainsRune("=+-@＝＋－＠\t\r", first) {
			t.Errorf("%q would run as a formula", escaped)
		}
	})
}

func FuzzReader(f *testing.F) {
	for _, s := range []string{"id,a\n1,b\n", "\xEF\xBB\xBFid;a\r\n1;\"b\r\n\"", "\xFF\xFEi\x00d\x00", "id\r1\r", "id,\"a\n", "\n\n\"\r\n\",b\nrb_x,c,d", "PK\x03\x04"} {
		f.Add([]byte(s), "")
	}
	f.Add([]byte("id,n\xE4me\n"), "windows-1252")
	f.Fuzz(func(t *testing.T, text []byte, encoding string) {
		in, err := NewReader(bytes.NewReader(text), "in.csv", Options{Encoding: encoding})
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
func TestReaderRoundTrip(t *testing.T) {
	cell := rapid.StringOf(rapid.SampledFrom([]rune("ab'=+-@＝＠07,;\t\r\n\"\\ é")))
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
		in, err := NewReader(strings.NewReader(text), "in.csv", Options{Delimiter: ','})
		if err != nil {
			t.Fatal(err)
		}
		got, err := rows(in)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.EqualFunc(got, want, func(r Row, cells []string) bool {
			return slices.EqualFunc(r.Cells, cells, func(cell, value string) bool { return Unescape(cell) == value })
		}) {
			t.Fatalf("got %v, want %q", got, want)
		}
	})
}
