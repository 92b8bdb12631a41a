package client

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

const longestText = 300 // characters of a server's words in a message

// visible makes foreign text safe to print: one line, control and direction
// characters escaped, cut at a length.
func visible(s string) string {
	s = s[:min(len(s), 16*longestText)] // an endless page need not be walked
	var b strings.Builder
	length := 0
	for i, word := range strings.Fields(s) {
		if i > 0 {
			b.WriteByte(' ')
			length++
		}
		for len(word) > 0 {
			r, size := utf8.DecodeRuneInString(word)
			if length >= longestText {
				return b.String() + "…"
			}
			b.WriteString(shown(r, size, word[0]))
			word = word[size:]
			length++
		}
	}
	return b.String()
}

func shown(r rune, size int, first byte) string {
	switch {
	case r == utf8.RuneError && size == 1:
		return fmt.Sprintf(`\x%02x`, first)
	case unicode.IsControl(r), unicode.In(r, unicode.Cf, unicode.Co, unicode.Zl, unicode.Zp):
		return fmt.Sprintf(`\u%04x`, r)
	}
	return string(r)
}
