package mapping

import (
	"maps"
	"slices"
	"strings"
	"unicode"
)

// strays finds rows that lie inside a cell of another: two quotation marks gone astray
// turn all that stands between them into one cell. A line of a cell looks like a row
// when it has the delimiters of one, or a key where a row has its key. What a key
// looks like the file's own keys tell; where none of them has a digit, nothing does.
type strays struct {
	delimiter string // "": the input has none
	width     int
	keys      []int           // columns
	forms     map[string]span // of the keys seen
	maybe     []stray
	found     map[int]int // row → the first line inside it that is a row
}

// stray is a line of a cell with something of a key's form where a key would stand.
type stray struct {
	row, line int
	form      string
	length    int
}

// span is how short and how long the keys of a form are.
type span struct{ least, most int }

const (
	longestKeyForm = 64
	mostStrays     = 10_000 // lines kept in doubt
	mostKeyForms   = 1_000
)

func newStrays(m *Mapper, delimiter rune) *strays {
	s := &strays{width: m.width, forms: map[string]span{}, found: map[int]int{}}
	if delimiter != 0 {
		s.delimiter = string(delimiter)
	}
	for _, l := range m.layouts {
		for i := range l.keys {
			if at := l.keys[i].index; !slices.Contains(s.keys, at) {
				s.keys = append(s.keys, at)
			}
		}
	}
	return s
}

// look takes a row in, which starts in some line.
func (s *strays) look(row, line int, cells []string, ragged bool) {
	if s.delimiter == "" {
		return
	}
	for _, key := range s.keys {
		if ragged || len(s.forms) > mostKeyForms {
			break
		}
		if form := keyForm(cells[key]); form != "" {
			n := len(cells[key])
			was, seen := s.forms[form]
			if !seen {
				was = span{n, n}
			}
			if now := (span{min(was.least, n), max(was.most, n)}); !seen || now != was {
				s.forms[form] = now
			}
		}
	}
	for at, cell := range cells {
		if strings.IndexByte(cell, '\n') < 0 {
			continue
		}
		first, inside := at, line+1 // of a line: the column of its first part, and where the row inside it starts
		for i, text := range strings.Split(cell, "\n") {
			if i > 0 {
				line++
				first, inside = 0, line
			}
			parts := strings.Split(strings.TrimSuffix(text, "\r"), s.delimiter)
			if i > 0 && s.width > 2 && len(parts) >= s.width {
				s.find(row, inside)
			}
			for _, key := range s.keys {
				if n := key - first; len(parts) > 1 && 0 <= n && n < len(parts) && (i > 0 || n > 0) {
					if form := keyForm(parts[n]); form != "" {
						s.maybe = append(s.maybe, stray{row, inside, form, len(parts[n])})
					}
				}
			}
		}
	}
	if len(s.maybe) > mostStrays {
		s.settle()
	}
}

// settle decides what was in doubt, by the keys seen so far.
func (s *strays) settle() {
	for _, m := range s.maybe {
		if keys, ok := s.forms[m.form]; ok && keys.least-1 <= m.length && m.length <= keys.most+1 {
			s.find(m.row, m.line)
		}
	}
	s.maybe = nil
}

func (s *strays) find(row, line int) {
	if before, ok := s.found[row]; !ok || line < before {
		s.found[row] = line
	}
}

// rows are those with others inside, in file order.
func (s *strays) rows() []int { return slices.Sorted(maps.Keys(s.found)) }

// keyForm is the look of a key that has a digit: a 9 for digits, an a for letters;
// "" for any other text.
func keyForm(text string) string {
	if text == "" || len(text) > longestKeyForm || strings.TrimSpace(text) != text || strings.ContainsAny(text, "\n\"") {
		return ""
	}
	var form []rune
	for _, r := range text {
		switch {
		case unicode.IsDigit(r):
			r = '9'
		case unicode.IsLetter(r):
			r = 'a'
		}
		if n := len(form); n == 0 || form[n-1] != r || r != '9' && r != 'a' {
			form = append(form, r)
		}
	}
	if !slices.Contains(form, '9') {
		return ""
	}
	return string(form)
}
