package xlsxfile

import (
	"archive/zip"
	"bufio"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"

	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"
)

// The most that a part of a workbook may be. A zip archive of some kilobytes can
// unpack to gigabytes, and an attribute can have the length of a book.
const (
	mostUnpacked = 2 << 30  // bytes of a part
	mostOfToken  = 1 << 20  // bytes of a tag, or of a cell's text
	mostOfIndex  = 16 << 20 // bytes of a part that is read as a whole
	deepest      = 64       // elements within each other
)

var (
	errTooLarge = errors.New("it unpacks to more than a spreadsheet can hold")
	errTooLong  = errors.New("a single cell or tag of it is longer than 1 MiB")
	errTooDeep  = errors.New("its elements are nested too deeply")
	errCut      = errors.New("it ends in the middle")
)

// part is a file within the workbook, read as XML of bounded form.
type part struct {
	in    io.ReadCloser
	text  *bufio.Reader
	most  int64 // bytes still to come at the most
	token int   // bytes of the current token
	depth int   // of the current element, 1 for the outermost
	xml   *xml.Decoder
}

// openPart opens a part. What is not UTF-8 tells so at its beginning.
func openPart(f *zip.File) (*part, error) {
	in, err := f.Open()
	if err != nil {
		return nil, err
	}
	p := &part{in: in, text: bufio.NewReaderSize(in, 64<<10), most: mostUnpacked}
	if mark, _ := p.text.Peek(2); string(mark) == "\xFF\xFE" || string(mark) == "\xFE\xFF" {
		p.text = bufio.NewReaderSize(transform.NewReader(p.text, unicode.BOMOverride(transform.Nop)), 64<<10)
	}
	p.xml = xml.NewDecoder(p)
	p.xml.CharsetReader = func(label string, input io.Reader) (io.Reader, error) {
		if strings.HasPrefix(strings.ToLower(label), "utf-16") {
			return input, nil // it had a mark, and is decoded already
		}
		return nil, fmt.Errorf("its encoding is %q, which no spreadsheet writes", label)
	}
	return p, nil
}

// passed is how many bytes were read.
func (p *part) passed() int64 { return mostUnpacked - p.most }

func (p *part) Close() error { return p.in.Close() }

// ReadByte lets the XML decoder have the text byte by byte, so that it never runs ahead.
func (p *part) ReadByte() (byte, error) {
	if p.most--; p.most < 0 {
		return 0, errTooLarge
	}
	if p.token++; p.token > mostOfToken {
		return 0, errTooLong
	}
	return p.text.ReadByte()
}

// Read is what a decoder asks for before it finds out that there is ReadByte.
func (p *part) Read(b []byte) (n int, err error) {
	if len(b) > 0 {
		if b[0], err = p.ReadByte(); err == nil {
			n = 1
		}
	}
	return n, err
}

// decode reads a part as a whole.
func (p *part) decode(into any) error {
	p.token = mostOfToken - mostOfIndex
	err := p.xml.Decode(into)
	if errors.Is(err, io.EOF) {
		err = errCut
	}
	return err
}

// next returns the next token, valid until the one after, and io.EOF after the
// end of the outermost element.
func (p *part) next() (xml.Token, error) {
	p.token = 0
	token, err := p.xml.RawToken()
	if err != nil {
		if errors.Is(err, io.EOF) && p.depth > 0 {
			err = errCut
		}
		return nil, err
	}
	switch token.(type) {
	case xml.StartElement:
		if p.depth++; p.depth > deepest {
			return nil, errTooDeep
		}
	case xml.EndElement:
		if p.depth--; p.depth < 0 {
			return nil, errCut
		}
	case xml.Directive:
		return nil, errors.New("it declares a document type, which no spreadsheet does")
	}
	return token, nil
}

// skip passes the rest of the element that was just begun.
func (p *part) skip() error {
	for inside := p.depth; p.depth >= inside; {
		if _, err := p.next(); err != nil {
			return err
		}
	}
	return nil
}

// richText reads the text of the element that was just begun, a shared string's or
// an inline one's: all its runs, each with escapes of its own, and no phonetic guide.
func (p *part) richText(text []byte) ([]byte, error) {
	within, inText := p.depth, false
	from, run := len(text), len(text)
	for p.depth >= within {
		token, err := p.next()
		if err != nil {
			return nil, err
		}
		switch token := token.(type) {
		case xml.StartElement:
			run = len(text)
			if inText = token.Name.Local == "t"; token.Name.Local == "rPh" {
				if err := p.skip(); err != nil {
					return nil, err
				}
			}
		case xml.EndElement:
			text, inText = unescape(text, run), false
			run = len(text)
		case xml.CharData:
			if inText {
				text = append(text, token...)
			}
		}
		if len(text)-from > mostOfToken {
			return nil, errTooLong
		}
	}
	return text, nil
}

// attribute returns one of an element's, by its name without a prefix.
func attribute(e *xml.StartElement, name string) string {
	for i := range e.Attr {
		if e.Attr[i].Name.Local == name {
			return e.Attr[i].Value
		}
	}
	return ""
}

// isOn reads a truth value; an absent one is off.
func isOn(value string) bool { return value == "1" || value == "true" || value == "on" }
