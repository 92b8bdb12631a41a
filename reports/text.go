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

// isNumber matches -?[0-9]+(\.[0-9]+)?: what a spreadsheet shows and no formula.
func isNumber(s string) bool {
	whole, fraction, point := strings.Cut(strings.TrimPrefix(s, "-"), ".")
	return isDigits(whole) && (!point || isDigits(fraction))
}

func isDigits(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == ""
}
