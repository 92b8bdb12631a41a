package csvfile

import (
	"bytes"
	"encoding/csv"
	"io"
	"strings"
	"unicode/utf8"
)

// MostTitles is among how many first rows the heading is looked for.
const MostTitles = 10

// opening is one of the first rows of a file, any of which may be the heading. Rows
// above the heading are titles, and need not be written like the rest.
type opening struct {
	blank, text []byte // lines without anything, and the row below them
	delimiter   rune
	row         Row // without cells where the text is no CSV
}

// openingOf parts the text of a row, which ends in some line, from the lines above.
func openingOf(text []byte, ends int) (o opening) {
	for {
		n := bytes.IndexByte(text[len(o.blank):], '\n') + 1
		if n == 0 || len(bytes.TrimSpace(text[len(o.blank):len(o.blank)+n])) > 0 {
			break
		}
		o.blank = text[:len(o.blank)+n]
	}
	o.text = text[len(o.blank):]
	o.row.Line = ends - bytes.Count(bytes.TrimSuffix(o.text, []byte("\n")), []byte("\n"))
	return o
}

func newParser(r io.Reader, delimiter rune) *csv.Reader {
	parser := csv.NewReader(r)
	parser.Comma = delimiter
	parser.FieldsPerRecord = -1
	return parser
}

// toldDelimiter is that of a first line such as sep=; which some spreadsheets write
// and read; 0 where the line is none.
func toldDelimiter(text []byte) rune {
	line := strings.Trim(strings.TrimRight(string(text), "\r\n"), `"`)
	if len(line) < 5 || !strings.EqualFold(line[:4], "sep=") {
		return 0
	}
	told, size := utf8.DecodeRuneInString(line[4:])
	if strings.Trim(line[4+size:], Delimiters+`"`) != "" || told == utf8.RuneError || told == '"' {
		return 0
	}
	return told
}

// ColumnName is what a spreadsheet calls a column, counted from 0: A to Z, AA and so on.
func ColumnName(i int) string {
	if i < 26 {
		return string(rune('A' + i))
	}
	return ColumnName(i/26-1) + string(rune('A'+i%26))
}
