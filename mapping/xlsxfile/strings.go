package xlsxfile

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"sort"
	"strconv"
	"strings"
	"unicode/utf16"
)

// mostShared is how much text the shared strings may be. They are all kept, since
// a cell may name any of them: twice what a sheet of a million rows and a dozen
// columns has, every cell another text.
const (
	mostShared      = 512 << 20
	mostSharedTexts = 16 * mostRows
)

const sharedBlock = 1 << 20

// shared are the texts that cells name by number. They lie in few large blocks: a
// million strings of their own would cost more than what stands in them.
type shared struct {
	blocks []string
	ends   []uint32 // of each text, within its block
	first  []int    // number of a block's first text
	open   strings.Builder
	size   int
}

// add appends a text.
func (s *shared) add(text []byte) error {
	if s.size += len(text); s.size > mostShared || len(s.ends) == mostSharedTexts {
		return errors.New("its texts are more than 16 million, or longer than 512 MiB together: save the sheet as CSV (UTF-8), or split it")
	}
	if s.open.Len()+len(text) > s.open.Cap() || len(s.first) == 0 { // a block that grew would be copied, to twice its size
		s.seal()
		s.first = append(s.first, len(s.ends))
		s.open.Grow(max(len(text), min(sharedBlock, 1024*len(s.first)))) // a small file needs no large block
	}
	s.open.Write(text)
	s.ends = append(s.ends, uint32(s.open.Len()))
	return nil
}

// seal ends the open block.
func (s *shared) seal() {
	if len(s.first) > len(s.blocks) {
		s.blocks = append(s.blocks, s.open.String())
		s.open.Reset()
	}
}

// text returns the text of a number; it reports whether there is one.
func (s *shared) text(number string) (string, bool) {
	n, err := strconv.Atoi(strings.TrimSpace(number))
	if err != nil || n < 0 || n >= len(s.ends) {
		return "", false
	}
	block := sort.SearchInts(s.first, n+1) - 1 // the last whose first text is not after n
	from := uint32(0)
	if n > s.first[block] {
		from = s.ends[n-1]
	}
	return s.blocks[block][from:s.ends[n]], true
}

// readShared reads the part of the shared strings.
func readShared(p *part) (*shared, error) {
	s := &shared{}
	var text []byte
	for {
		token, err := p.next()
		if errors.Is(err, io.EOF) {
			s.seal()
			return s, nil
		}
		if err != nil {
			return nil, err
		}
		if e, ok := token.(xml.StartElement); ok && p.depth == 2 {
			if e.Name.Local != "si" {
				err = p.skip()
			} else if text, err = p.richText(text[:0]); err == nil {
				err = s.add(text)
			}
		}
		if err != nil {
			return nil, fmt.Errorf("text %d: %w", len(s.ends), err)
		}
	}
}

// unescape replaces, from a place on, the spelling of characters that XML cannot
// hold: _x000D_ for a carriage return, _x005F_ for the underscore before what only
// looks like one. Half of a character beyond 16 bits becomes U+FFFD: no text in
// UTF-8 can hold it.
func unescape(text []byte, from int) []byte {
	if !bytes.Contains(text[from:], []byte("_x")) {
		return text
	}
	to := from
	for at := from; at < len(text); {
		unit, ok := escapedUnit(text[at:])
		if !ok {
			text[to] = text[at]
			to, at = to+1, at+1
			continue
		}
		at += len("_x000D_")
		if low, ok := escapedUnit(text[at:]); ok && utf16.IsSurrogate(unit) {
			if whole := utf16.DecodeRune(unit, low); whole != '\uFFFD' {
				unit, at = whole, at+len("_x000D_")
			}
		}
		to += copy(text[to:], string(unit)) // never longer than its spelling
	}
	return text[:to]
}

// escapedUnit reads one such spelling.
func escapedUnit(text []byte) (rune, bool) {
	if len(text) < len("_x000D_") || text[0] != '_' || text[1] != 'x' || text[6] != '_' {
		return 0, false
	}
	unit, err := strconv.ParseUint(string(text[2:6]), 16, 16)
	return rune(unit), err == nil
}
