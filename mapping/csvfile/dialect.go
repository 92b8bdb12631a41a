package csvfile

import (
	"bufio"
	"bytes"
	"cmp"
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
}

// String describes the dialect for people, such as "UTF-8, delimiter ;".
func (d Dialect) String() string {
	name := cmp.Or(map[rune]string{'\t': "tab", ' ': "space"}[d.Delimiter], string(d.Delimiter))
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
	for _, candidate := range []byte(Delimiters) {
		if counts[candidate] > counts[best] {
			best = candidate
		}
	}
	return rune(best)
}

// Delimiters are those that detection knows.
const Delimiters = ",;\t|"

const utf8Name = "UTF-8"

// decode finds the encoding out and returns the text as UTF-8 without its byte
// order mark. UTF-8 itself is passed through unchecked; lines checks it, since
// it knows the line. A byte order mark beats the wanted encoding.
func decode(r io.Reader, wanted string) (io.Reader, Dialect, error) {
	in := bufio.NewReader(r)
	start, _ := in.Peek(4) // an error comes again on reading
	const save = "save it from the spreadsheet as CSV (UTF-8)"
	for _, magic := range []struct{ bytes, what, try string }{ // of files that are no text, whatever their name says
		{"PK\x03\x04", "this is an Excel workbook or another zip archive, not CSV",
			"give it a name that ends in .xlsx, or " + save},
		{"\xD0\xCF\x11\xE0", "this is an old Excel workbook, not CSV", save},
		{"\x1F\x8B", "this file is compressed", "unpack it first"},
		{"%PDF", "this is a PDF document, not CSV", "export the table as CSV"},
	} {
		if bytes.HasPrefix(start, []byte(magic.bytes)) {
			return nil, Dialect{}, &Refusal{Text: magic.what, Try: magic.try}
		}
	}
	for _, mark := range []struct {
		bytes, name string
		encoding    encoding.Encoding
	}{
		{"\xEF\xBB\xBF", utf8Name, encoding.Nop},
		{"\xFF\xFE", "UTF-16LE", unicode.UTF16(unicode.LittleEndian, unicode.IgnoreBOM)},
		{"\xFE\xFF", "UTF-16BE", unicode.UTF16(unicode.BigEndian, unicode.IgnoreBOM)},
	} {
		if bytes.HasPrefix(start, []byte(mark.bytes)) {
			if _, err := in.Discard(len(mark.bytes)); err != nil {
				panic(err) // just peeked at
			}
			return mark.encoding.NewDecoder().Reader(in), Dialect{Encoding: mark.name}, nil
		}
	}
	if wanted == "" {
		return in, Dialect{Encoding: utf8Name}, nil
	}
	e, err := encodingOf(wanted)
	if err != nil {
		return nil, Dialect{}, err
	}
	name, err := htmlindex.Name(e)
	switch {
	case err != nil:
		name = wanted
	case name == "utf-8":
		return in, Dialect{Encoding: utf8Name}, nil
	}
	return e.NewDecoder().Reader(in), Dialect{Encoding: name}, nil
}

// CheckEncoding checks that [Options] may name an encoding so; "" leaves it to
// detection. The error is a *Refusal that lists the common names.
func CheckEncoding(name string) error {
	if name == "" {
		return nil
	}
	_, err := encodingOf(name)
	return err
}

func encodingOf(name string) (encoding.Encoding, error) {
	e, err := htmlindex.Get(name)
	if err != nil || e == encoding.Replacement {
		return nil, &Refusal{
			Text: fmt.Sprintf("unknown encoding %q", name),
			Try:  "--encoding with one of utf-8, windows-1252, iso-8859-2, iso-8859-15, utf-16le, utf-16be, macintosh, shift_jis",
		}
	}
	return e, nil
}
