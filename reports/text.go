package reports

import (
	"fmt"
	"strings"
	"unicode"
)

// Visible shows control and bidirectional characters as \u escapes, since they
// could make a terminal or a spreadsheet show something that is not there. JSON
// means the same before and after: they stand only inside its strings.
func Visible(s string) string {
	if strings.IndexFunc(s, deceptive) < 0 {
		return s
	}
	var b strings.Builder
	for _, r := range s {
		if deceptive(r) {
			fmt.Fprintf(&b, `\u%04x`, r)
		} else {
			b.WriteRune(r)
		}
	}
	return b.String()
}

func deceptive(r rune) bool {
	return unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) || r == '\u2028' || r == '\u2029'
}

// IsNumber matches -?[0-9]+(\.[0-9]+)?: what a spreadsheet shows and no formula.
func IsNumber(s string) bool {
	s = strings.TrimPrefix(s, "-")
	whole := digits(s)
	if whole == 0 || whole == len(s) {
		return whole > 0
	}
	fraction := s[whole+1:]
	return s[whole] == '.' && fraction != "" && digits(fraction) == len(fraction)
}

// digits counts those that a text begins with.
func digits(s string) (n int) {
	for n < len(s) && s[n] >= '0' && s[n] <= '9' {
		n++
	}
	return n
}
