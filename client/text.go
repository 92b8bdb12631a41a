package client

import (
	"encoding/base64"
	"errors"
	"fmt"
	"html"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

const (
	longestText  = 300      // characters of a server's words in a message
	longestLook  = 16 << 10 // bytes of a text that are searched for secrets
	mostReadings = 64       // of a text, by escapes within escapes
	leftOut      = "(left out: it may repeat a secret)"
)

// visible makes foreign text safe to print: one line, control and direction
// characters escaped, cut at a length.
func visible(s string) string {
	s = s[:min(len(s), 16*longestText)] // an endless page need not be walked
	s = strings.Join(strings.Fields(s), " ")
	var b strings.Builder
	for length := 0; s != ""; length++ {
		if length >= longestText {
			return b.String() + "…"
		}
		r, size := utf8.DecodeRuneInString(s)
		switch {
		case r == utf8.RuneError && size == 1:
			fmt.Fprintf(&b, `\x%02x`, s[0])
		case unicode.IsControl(r), unicode.In(r, unicode.Cf, unicode.Co, unicode.Zl, unicode.Zp):
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			b.WriteRune(r)
		}
		s = s[size:]
	}
	return b.String()
}

// secrets is what no message may repeat: texts as they are, and as Base64 of all
// kinds. It is a function because a list would be printed by %+v. A nil one holds none.
type secrets func() []string

func newSecrets(texts ...string) secrets { return secrets(nil).and(texts...) }

// and returns the secrets together with further ones.
func (s secrets) and(texts ...string) secrets {
	if len(texts) == 0 {
		return s
	}
	var all []string
	if s != nil {
		all = slices.Clone(s())
	}
	for _, text := range texts {
		if text == "" {
			continue
		}
		all = append(all, text)
		for _, e := range []*base64.Encoding{base64.StdEncoding, base64.URLEncoding, base64.RawStdEncoding, base64.RawURLEncoding} {
			all = append(all, e.EncodeToString([]byte(text)))
		}
	}
	return func() []string { return all }
}

// in reports whether one of the texts holds a secret, in whatever way it is escaped:
// each way to read a text is searched, and read again. What can be read in more ways
// than anybody has reason to write is taken to hold one.
func (s secrets) in(texts ...string) bool {
	if s == nil {
		return false
	}
	seen := map[string]bool{}
	for len(texts) > 0 {
		text := texts[0]
		if texts = texts[1:]; seen[text] {
			continue
		}
		seen[text] = true
		if len(seen) > mostReadings || slices.ContainsFunc(s(), func(secret string) bool { return strings.Contains(text, secret) }) {
			return true
		}
		texts = append(texts, unbackslashed(text), unpercented(text), strings.ReplaceAll(text, "+", " "), html.UnescapeString(text))
	}
	return false
}

// shown makes foreign text safe to print. Only the beginning of a long text is looked
// at. Joining its lines may put a secret together: hence the second reading.
func (s secrets) shown(text string) string {
	text = text[:min(len(text), longestLook)]
	if s.in(text, strings.Join(strings.Fields(text), " ")) {
		return leftOut
	}
	return visible(text)
}

// hide returns err, or if its text holds a secret an error without that text which is
// still the same to errors.Is and errors.As.
func (s secrets) hide(err error) error {
	if err == nil || !s.in(err.Error()) {
		return err
	}
	return &hiddenError{func() error { return err }}
}

// hiddenError has no Unwrap, by which its cause could be printed.
type hiddenError struct{ cause func() error }

func (e *hiddenError) Error() string        { return leftOut }
func (e *hiddenError) Is(target error) bool { return errors.Is(e.cause(), target) }
func (e *hiddenError) As(target any) bool   { return errors.As(e.cause(), target) }

// unbackslashed reads the escapes of JSON; what is none of them it leaves.
func unbackslashed(text string) string {
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		if text[i] != '\\' || i+1 == len(text) {
			b.WriteByte(text[i])
			continue
		}
		next := text[i+1]
		named := strings.IndexByte("bfnrt", next)
		switch first, ok := codeUnit(text[i:]); {
		case ok:
			if second, ok := codeUnit(text[i+6:]); ok && utf16.IsSurrogate(first) {
				first = utf16.DecodeRune(first, second)
				i += 6
			}
			b.WriteRune(first)
			i += 5
		case named >= 0:
			b.WriteByte("\b\f\n\r\t"[named])
			i++
		case next > '~' || next >= '0' && next <= '9' || next >= 'A' && next <= 'Z' || next >= 'a' && next <= 'z':
			b.WriteByte('\\')
		default:
			b.WriteByte(next)
			i++
		}
	}
	return b.String()
}

// codeUnit reads \uXXXX at the start of a text.
func codeUnit(text string) (rune, bool) {
	if len(text) < 6 || text[:2] != `\u` {
		return 0, false
	}
	n, err := strconv.ParseUint(text[2:6], 16, 16)
	return rune(n), err == nil
}

// unpercented reads the escapes of URLs; what is none of them it leaves.
func unpercented(text string) string {
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		if text[i] == '%' && i+2 < len(text) {
			if n, err := strconv.ParseUint(text[i+1:i+3], 16, 8); err == nil {
				b.WriteByte(byte(n))
				i += 2
				continue
			}
		}
		b.WriteByte(text[i])
	}
	return b.String()
}
