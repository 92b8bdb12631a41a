package csvfile

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// longestRow is in bytes. A row beyond it is an unclosed quote that would
// swallow the rest of the file, and memory with it. A row of our own reports may
// hold its cells three times over, with the changes beside them.
const (
	longestRow    = 1 << 20
	longestOwnRow = 8 * longestRow
)

// More is no table of customers: a spreadsheet has no more columns, and no blank lines.
const (
	mostColumns = 16_384
	mostBlank   = 1_000_000 // lines, one after the other
)

// lines hands text to the CSV reader, one line a Read, so that the reader never
// runs ahead and current is the line that its errors are about. On the way it
// refuses what is no CSV text, and it doubles the carriage return of a CRLF
// inside quotes: encoding/csv turns each CRLF into LF, and so leaves one.
type lines struct {
	in       *bufio.Reader
	most     int    // bytes of a row
	decoded  bool   // from another encoding, with U+FFFD for what does not belong to it
	marked   bool   // by a byte order mark, which beats --encoding
	number   int    // of the current line, from 1
	current  []byte // valid until the next line
	rest     []byte // of the current line, still to be handed on
	doubled  []byte
	open     bool  // a quote is open after the current line
	openedAt int   // the line of the last opening quote
	row      int   // bytes since the row began
	blank    int   // lines before this one that have nothing in them
	hidden   bool  // lines may hold passwords and are not shown
	failed   error // met while looking ahead
}

func (l *lines) Read(p []byte) (int, error) {
	if len(l.rest) == 0 {
		if err := l.next(); err != nil {
			return 0, err
		}
	}
	n := copy(p, l.rest)
	l.rest = l.rest[n:]
	return n, nil
}

func (l *lines) next() error {
	if l.failed != nil {
		if !l.decoded && !utf8.Valid(l.current) {
			return l.notUTF8(l.current) // by now it is known whether the line may be shown
		}
		return l.failed
	}
	text, err := l.in.ReadSlice('\n')
	switch {
	case errors.Is(err, bufio.ErrBufferFull):
		l.number++
		return l.tooLong()
	case err == io.EOF && len(text) == 0 && l.open:
		return &Refusal{Line: l.openedAt, Text: "a quotation mark is opened here and never closed", Try: closeIt}
	case err == io.EOF && len(text) == 0:
		return io.EOF
	case err != nil && err != io.EOF:
		return err
	}
	l.number++
	l.current, l.rest = text, text
	wasOpen := l.open
	if refusal := l.inspect(text); refusal != nil {
		return refusal
	}
	if !wasOpen && !l.open && bytes.Contains(text, []byte(`="`)) {
		l.doubled = quoteGuards(l.doubled[:0], text)
		l.rest = l.doubled
	}
	if l.open && bytes.HasSuffix(text, []byte("\r\n")) {
		l.doubled = append(append(l.doubled[:0], text[:len(text)-1]...), '\r', '\n')
		l.rest = l.doubled
	}
	return nil
}

// inspect follows the quotes through a line and refuses what is no CSV text.
func (l *lines) inspect(text []byte) error {
	const save = "save the file as CSV UTF-8"
	if l.blank++; len(bytes.TrimSpace(text)) > 0 || l.open {
		l.blank = 0
	}
	if l.blank > mostBlank {
		return l.refuse(fmt.Sprintf("over %d blank lines, one after the other", mostBlank), "a file without them")
	}
	switch zero := bytes.IndexByte(text, 0) >= 0; {
	case zero && l.marked:
		return l.refuse("a NUL byte, though the byte order mark says that this is text: the file is damaged", save)
	case zero:
		return l.refuse("a NUL byte: this is not a text file", save)
	case l.decoded && bytes.Contains(text, []byte("\uFFFD")):
		return l.refuse("bytes that do not belong to the encoding", "another --encoding, or "+save)
	case !l.decoded && !utf8.Valid(text):
		return l.notUTF8(text)
	}
	wasOpen := l.open
	if quotes := bytes.Count(text, []byte{'"'}); quotes > 0 {
		l.open = l.open != (quotes%2 == 1)
		if l.open {
			l.openedAt = l.number
		}
	}
	if bytes.HasSuffix(text, []byte("\r\r\n")) && !l.open && !wasOpen {
		return l.refuse(`the line ends in \r\r\n: some program has turned \n into \r\n twice`,
			"write the file anew with plain line ends (in Python: open it with newline=\"\"), or save it again from a spreadsheet")
	}
	if strayReturn(text, wasOpen) {
		return l.refuse("a carriage return without a line feed ends a line here",
			"save the file again with Windows or Unix line ends (in Excel: not as \"CSV (Macintosh)\")")
	}
	l.row += len(text)
	if l.row > l.most {
		return l.tooLong()
	}
	if !l.open {
		l.row = 0
	}
	return nil
}

// notUTF8 tells how a line reads in other encodings. Which of them is right, nobody
// but a reader knows.
func (l *lines) notUTF8(text []byte) error {
	why, try := "bytes that are not UTF-8", "the --encoding under which it reads right, or save the file as CSV UTF-8"
	if l.marked {
		why, try = why+", though the file begins with its byte order mark: files of several encodings may have been put together",
			"save each part as CSV UTF-8 (no --encoding helps, since the mark beats it)"
	}
	switch found := readings(text); {
	case len(found) == 0:
		try = strings.Replace(try, "under which it reads right", "of the program that wrote it", 1)
	case l.hidden:
		why += "; the line may hold a password and is not shown; it reads like words with"
		for _, r := range found {
			why += "\n--encoding " + r.name
		}
	default:
		why += "; the line reads like words with"
		for _, r := range found {
			why += fmt.Sprintf("\n--encoding %-13s %s", r.name, r.text)
		}
	}
	return l.refuse(why, try)
}

// quoteGuards puts into quotes what programs write without, to keep a spreadsheet from
// dropping zeros: ="0049". Only whole cells of a line are taken so.
func quoteGuards(to, line []byte) []byte {
	ends := func(b byte) bool { return strings.IndexByte(Delimiters+"\r\n", b) >= 0 }
	start, inQuotes := true, false
	for i := 0; i < len(line); i++ {
		if inner, guarded := bytes.CutPrefix(line[i:], []byte(`="`)); start && guarded {
			if n := bytes.IndexByte(inner, '"'); n >= 0 && (n+1 == len(inner) || ends(inner[n+1])) {
				to = append(append(append(to, `"=""`...), inner[:n]...), `"""`...)
				i += len(`="`) + n
				start = false
				continue
			}
		}
		inQuotes = inQuotes != (line[i] == '"')
		start = !inQuotes && ends(line[i])
		to = append(to, line[i])
	}
	return to
}

// strayReturn finds a carriage return outside quotes with no line feed after it.
func strayReturn(text []byte, inQuotes bool) bool {
	text = bytes.TrimSuffix(bytes.TrimSuffix(text, []byte("\n")), []byte("\r"))
	if bytes.IndexByte(text, '\r') < 0 {
		return false
	}
	for _, b := range text {
		if b == '"' {
			inQuotes = !inQuotes
		} else if b == '\r' && !inQuotes {
			return true
		}
	}
	return false
}

const closeIt = "close it, or double it if it belongs to the text"

func (l *lines) tooLong() error {
	if l.open {
		text := fmt.Sprintf("a quotation mark is opened here and not closed within %d MiB", l.most>>20)
		return &Refusal{Line: l.openedAt, Text: text, Try: closeIt}
	}
	return l.refuse(fmt.Sprintf("a line of more than %d MiB", l.most>>20), "is this a CSV file?")
}

func (l *lines) refuse(text, try string) error {
	return &Refusal{Line: l.number, Text: text, Try: try}
}

// record returns the text of the next row that is not blank, with any blank lines
// before it; empty at the end. Carriage returns stay doubled, since the CSV reader
// is still to come.
func (l *lines) record() ([]byte, error) {
	var text []byte
	filled := false
	for {
		err := l.next()
		if errors.Is(err, io.EOF) {
			return text, nil
		}
		if err != nil {
			return nil, err
		}
		filled = filled || len(bytes.TrimSpace(l.rest)) > 0
		text = append(text, l.rest...)
		l.rest = nil
		if !l.open && filled {
			return text, nil
		}
	}
}
