package csvfile

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/htmlindex"
	"golang.org/x/text/encoding/ianaindex"
	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/encoding/korean"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/traditionalchinese"
	"golang.org/x/text/encoding/unicode"
)

const utf8Name = "UTF-8"

// page is an encoding of the time before Unicode, as spreadsheets still write them.
type page struct {
	name     string
	encoding encoding.Encoding
	aliases  string // between spaces, as plainName spells them
}

// pages are those under which a line is shown that is not UTF-8, the likelier first.
func pages() []page {
	return []page{
		{"windows-1252", charmap.Windows1252, "ansi latin1 iso88591 western"},
		{"macintosh", charmap.Macintosh, "mac macroman xmacroman"},
		{"cp850", charmap.CodePage850, "ibm850 dos oem"},
		{"cp437", charmap.CodePage437, "ibm437"},
		{"iso-8859-2", charmap.ISO8859_2, "latin2"},
		{"windows-1250", charmap.Windows1250, ""},
		{"windows-1251", charmap.Windows1251, "cyrillic"},
		{"windows-1253", charmap.Windows1253, "greek"},
		{"windows-1254", charmap.Windows1254, "turkish"},
		{"shift_jis", japanese.ShiftJIS, "sjis cp932 ms932 windows932 windows31j"},
		{"gbk", simplifiedchinese.GBK, "cp936 ms936 windows936 gb2312"},
		{"big5", traditionalchinese.Big5, "cp950 ms950 windows950"},
		{"euc-kr", korean.EUCKR, "cp949 ms949 windows949 uhc ksc5601"},
	}
}

// plainName is a name of an encoding without signs, in lower case; cp1252 and
// win-1252 are windows1252.
func plainName(name string) string {
	name = strings.NewReplacer("-", "", "_", "", " ", "", ":", "").Replace(strings.ToLower(name))
	for _, prefix := range []string{"xcp", "cp", "win", "ms", "codepage", ""} {
		if number, ok := strings.CutPrefix(name, prefix); ok && len(number) == 4 && strings.HasPrefix(number, "125") {
			return "windows" + number
		}
	}
	return name
}

// encodingOf finds an encoding by any of its names, and what we call it.
func encodingOf(name string) (encoding.Encoding, string, error) {
	plain := plainName(name)
	switch plain {
	case "utf8", "utf8sig", "utf8bom", "cp65001", "65001":
		return unicode.UTF8, utf8Name, nil
	case "utf16":
		plain, name = "utf16le", "utf-16le"
	}
	for _, p := range pages() {
		if plain == "" {
			break
		}
		if plain == plainName(p.name) || strings.Contains(" "+p.aliases+" ", " "+plain+" ") ||
			"cp"+plain == p.name || plain == "codepage"+strings.TrimPrefix(p.name, "cp") {
			return p.encoding, p.name, nil
		}
	}
	for _, spelling := range []string{name, plain} {
		if e, err := htmlindex.Get(spelling); err == nil && e != encoding.Replacement {
			known, err := htmlindex.Name(e)
			return e, known, err
		}
		if e, err := ianaindex.IANA.Encoding(spelling); err == nil && e != nil && e != encoding.Replacement {
			return e, strings.ToLower(strings.TrimSpace(name)), nil
		}
	}
	return nil, "", &Refusal{
		Text: fmt.Sprintf("unknown encoding %q", name),
		Try:  "--encoding with one of utf-8, windows-1252, macintosh, cp850, iso-8859-2, iso-8859-15, utf-16le, utf-16be, shift_jis, gbk",
	}
}

// CheckEncoding checks that [Options] may name an encoding so; "" leaves it to
// detection. The error is a *Refusal that lists the common names.
func CheckEncoding(name string) error {
	if name == "" {
		return nil
	}
	_, _, err := encodingOf(name)
	return err
}

// decode finds the encoding out and returns the text as UTF-8 without its byte
// order mark. UTF-8 itself is passed through unchecked; lines checks it, since
// it knows the line. A byte order mark beats the wanted encoding.
func decode(r io.Reader, wanted string) (text io.Reader, d Dialect, marked bool, err error) {
	in := bufio.NewReaderSize(r, longestKind)
	start, _ := in.Peek(longestKind) // an error comes again on reading
	if err := Foreign(start, "CSV"); err != nil {
		return nil, d, false, err
	}
	for _, mark := range []struct {
		bytes, name string
		encoding    encoding.Encoding
	}{
		{"\xEF\xBB\xBF", utf8Name, encoding.Nop},
		{"\xFF\xFE", "UTF-16LE", unicode.UTF16(unicode.LittleEndian, unicode.IgnoreBOM)},
		{"\xFE\xFF", "UTF-16BE", unicode.UTF16(unicode.BigEndian, unicode.IgnoreBOM)},
	} {
		if !bytes.HasPrefix(start, []byte(mark.bytes)) {
			continue
		}
		body := start[len(mark.bytes):]
		if mark.name != utf8Name && bytes.IndexByte(body, 0) < 0 && bytes.IndexByte(body, '\n') >= 0 {
			return nil, d, false, &Refusal{Try: "save it from the spreadsheet as CSV (UTF-8)",
				Text: "the file begins with the byte order mark of " + mark.name + ", and the rest is not written so"}
		}
		if _, err := in.Discard(len(mark.bytes)); err != nil {
			panic(err) // just peeked at
		}
		return mark.encoding.NewDecoder().Reader(in), Dialect{Encoding: mark.name}, true, nil
	}
	if wanted == "" {
		if wanted = wide(start); wanted == "" {
			return in, Dialect{Encoding: utf8Name}, false, nil
		}
	}
	e, name, err := encodingOf(wanted)
	switch {
	case err != nil:
		return nil, d, false, err
	case name == utf8Name:
		return in, Dialect{Encoding: utf8Name}, false, nil
	case strings.HasPrefix(name, "utf-"):
		return e.NewDecoder().Reader(in), Dialect{Encoding: name}, false, nil
	}
	return e.NewDecoder().Reader(&notUTF8{in: in, named: name}), Dialect{Encoding: name}, false, nil
}

// wide names the UTF-16 in which a file begins that has no byte order mark, "" if it is not
// in UTF-16. A heading is mostly ASCII, of which every other byte is NUL there; no other
// text has any.
func wide(start []byte) string {
	var even, odd int
	for i, b := range start {
		switch {
		case b != 0:
		case i%2 == 0:
			even++
		default:
			odd++
		}
	}
	switch pairs := len(start) / 2; {
	case pairs > 0 && odd > pairs/2 && even < odd/8+1:
		return "utf-16le"
	case pairs > 0 && even > pairs/2 && odd < even/8+1:
		return "utf-16be"
	}
	return ""
}

// notUTF8 passes text on that is said to be in an older encoding, and refuses it at
// its end if it was UTF-8 beyond ASCII: no other text happens to be that.
type notUTF8 struct {
	in      io.Reader
	named   string
	rest    []byte // the beginning of a character
	line    int    // lines read
	first   int    // the first line beyond ASCII
	refuted bool
}

func (n *notUTF8) Read(p []byte) (int, error) {
	read, err := n.in.Read(p)
	if !n.refuted {
		text := slices.Concat(n.rest, p[:read])
		for len(text) > 0 && (utf8.FullRune(text) || err != nil) {
			r, size := utf8.DecodeRune(text)
			switch {
			case r == utf8.RuneError && size == 1:
				n.refuted = true
			case r == '\n':
				n.line++
			case r >= utf8.RuneSelf && n.first == 0:
				n.first = n.line + 1
			}
			text = text[size:]
		}
		n.rest = bytes.Clone(text)
	}
	if err == io.EOF && !n.refuted && n.first > 0 {
		err = &Refusal{Line: n.first, Text: "the file is UTF-8, and --encoding says " + n.named, Try: "leave --encoding out"}
	}
	return read, err
}
