package mapping

import (
	"bufio"
	"bytes"
	"fmt"
	"io"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/htmlindex"
	"golang.org/x/text/encoding/unicode"
)

// Dialect is how the input is written.
type Dialect struct {
	Delimiter rune
	Encoding  string // UTF-8, UTF-16LE, windows-1252, …
	BOM       bool   // the file began with a byte order mark
	Detected  bool   // the delimiter was chosen from the heading line
}

// String describes the dialect for people, such as "UTF-8, delimiter ;".
func (d Dialect) String() string {
	name := string(d.Delimiter)
	switch d.Delimiter {
	case '\t':
		name = "tab"
	case ' ':
		name = "space"
	}
	return fmt.Sprintf("%s, delimiter %s", d.Encoding, name)
}

// delimiterOf picks the candidate that separates most, outside quotes, in the
// heading line; of equals the first, and the comma when there is none at all.
func delimiterOf(heading []byte) rune {
	counts := map[byte]int{}
	inQuotes := false
	for _, b := range heading {
		if b == '"' {
			inQuotes = !inQuotes
		} else if !inQuotes {
			counts[b]++
		}
	}
	best := byte(',')
	for _, candidate := range []byte(delimiters) {
		if counts[candidate] > counts[best] {
			best = candidate
		}
	}
	return rune(best)
}

const delimiters = ",;\t|"

// magic are the first bytes of files that are no text, whatever their name says.
func magic() []struct{ start, what, try string } {
	const save = "save it from the spreadsheet as CSV (UTF-8)"
	return []struct{ start, what, try string }{
		{"PK\x03\x04", "this is an Excel workbook or another zip archive, not CSV", save},
		{"\xD0\xCF\x11\xE0", "this is an old Excel workbook, not CSV", save},
		{"\x1F\x8B", "this file is compressed", "unpack it first"},
		{"%PDF", "this is a PDF document, not CSV", "export the table as CSV"},
	}
}

// decode finds the encoding out and returns the text as UTF-8 without its byte
// order mark. UTF-8 itself is passed through unchecked; lines checks it, since
// it knows the line. A byte order mark beats the wanted encoding.
func decode(r io.Reader, wanted string) (io.Reader, Dialect, *Refusal) {
	in := bufio.NewReader(r)
	start, _ := in.Peek(4) // an error comes again on reading
	for _, m := range magic() {
		if bytes.HasPrefix(start, []byte(m.start)) {
			return nil, Dialect{}, &Refusal{Text: m.what, Try: m.try}
		}
	}
	for _, m := range byteOrderMarks() {
		if bytes.HasPrefix(start, []byte(m.bytes)) {
			_, err := in.Discard(len(m.bytes))
			if err != nil {
				panic(err) // just peeked at
			}
			return decoded(in, m.encoding), Dialect{Encoding: m.name, BOM: true}, nil
		}
	}
	if wanted == "" {
		return in, Dialect{Encoding: utf8Name}, nil
	}
	return decodeAs(in, wanted)
}

const utf8Name = "UTF-8"

type mark struct {
	bytes, name string
	encoding    encoding.Encoding // nil: UTF-8
}

func byteOrderMarks() []mark {
	return []mark{
		{"\xEF\xBB\xBF", utf8Name, nil},
		{"\xFF\xFE", "UTF-16LE", unicode.UTF16(unicode.LittleEndian, unicode.IgnoreBOM)},
		{"\xFE\xFF", "UTF-16BE", unicode.UTF16(unicode.BigEndian, unicode.IgnoreBOM)},
	}
}

func decoded(r io.Reader, e encoding.Encoding) io.Reader {
	if e == nil {
		return r
	}
	return e.NewDecoder().Reader(r)
}

// CheckEncoding says whether [ReadOptions] may name an encoding so; "" leaves it
// to detection. The error is a *Refusal that lists the common names.
func CheckEncoding(name string) error {
	if name == "" {
		return nil
	}
	if _, refusal := encodingOf(name); refusal != nil {
		return refusal
	}
	return nil
}

func encodingOf(name string) (encoding.Encoding, *Refusal) {
	e, err := htmlindex.Get(name)
	if err != nil || e == encoding.Replacement {
		return nil, &Refusal{
			Text: fmt.Sprintf("unknown encoding %q", name),
			Try:  "--encoding with one of utf-8, windows-1252, iso-8859-2, iso-8859-15, utf-16le, utf-16be, macintosh, shift_jis",
		}
	}
	return e, nil
}

func decodeAs(r io.Reader, wanted string) (io.Reader, Dialect, *Refusal) {
	e, refusal := encodingOf(wanted)
	if refusal != nil {
		return nil, Dialect{}, refusal
	}
	name, err := htmlindex.Name(e)
	if err != nil {
		name = wanted
	}
	if name == "utf-8" {
		return r, Dialect{Encoding: utf8Name}, nil
	}
	return decoded(r, e), Dialect{Encoding: name}, nil
}
