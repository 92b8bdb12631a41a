package mapping

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// fault is a Problem before its column is known.
type fault struct{ code, text string }

func badValue(format string, args ...any) *fault {
	return &fault{"bad_value", fmt.Sprintf(format, args...)}
}

// check returns a text as the field takes it, or what is wrong with it. Around
// digits, addresses and enums white space goes; everywhere else it is text.
func (f *Field) check(text string) (string, *fault) {
	if bad := f.characters(text); bad != nil {
		return "", bad
	}
	var bad *fault
	switch f.Kind {
	case Digits:
		text = strings.TrimSpace(text)
		bad = checkDigits(text)
	case Email:
		text = strings.TrimSpace(text)
		bad = checkEmails(text)
	case Reference:
		bad = checkReference(text)
	case Enum:
		return f.listed(strings.TrimSpace(text))
	}
	if bad == nil {
		bad = f.tooLong(text)
	}
	return text, bad
}

// characters refuses what no field should hold. Invisible characters have a
// meaning in running text of some scripts, and none elsewhere.
func (f *Field) characters(text string) *fault {
	if isPrintableASCII(text) {
		return nil
	}
	for _, r := range text {
		switch {
		case r == utf8.RuneError:
			return badValue("holds U+FFFD, the mark of a character lost in an earlier conversion")
		case f.Kind == Text && (r == '\n' || r == '\r' || r == '\t'):
		case unicode.IsControl(r):
			return badValue("holds the control character %U", r)
		case f.Kind != Text && isInvisible(r):
			return badValue("holds the invisible character %U", r)
		}
	}
	return nil
}

func isPrintableASCII(text string) bool {
	for i := range len(text) {
		if text[i] < ' ' || text[i] > '~' {
			return false
		}
	}
	return true
}

func isInvisible(r rune) bool { return unicode.Is(unicode.Cf, r) }

// checkDigits also refuses what no 64-bit id can be.
func checkDigits(text string) *fault {
	if text != "" && text[0] != '0' && allDigits(text) {
		if _, err := strconv.ParseInt(text, 10, 64); err != nil {
			return badValue("%s has more digits than an id can have", quoted(text))
		}
		return nil
	}
	hint := ""
	if strings.ContainsAny(text, ".,' ") {
		hint = ", without separators or decimals"
	}
	return badValue("%s is not a whole number written without leading zeros%s", quoted(text), hint)
}

// checkReference refuses what a lookup could not find again byte for byte.
func checkReference(text string) *fault {
	if strings.TrimSpace(text) != text {
		return badValue("%s begins or ends with white space", quoted(text))
	}
	return nil
}

func checkEmails(text string) *fault {
	for address := range strings.SplitSeq(text, ";") {
		address = strings.TrimSpace(address)
		if address == "" {
			return badValue("%s has an empty address beside a ;", quoted(text))
		}
		if !isAddress(address) {
			return badValue("%s is not an e-mail address; several are joined by ;", quoted(address))
		}
	}
	return nil
}

// isAddress is lenient in what it cannot know and strict in what breaks mail:
// white space, brackets, commas, a domain without a dot.
func isAddress(s string) bool {
	local, domain, ok := strings.Cut(s, "@")
	if !ok || local == "" || strings.ContainsFunc(s, breaksMail) {
		return false
	}
	return strings.Contains(domain, ".") && !strings.Contains(domain, "..") && !strings.Contains(domain, "@") &&
		!strings.HasPrefix(domain, ".") && !strings.HasSuffix(domain, ".")
}

func breaksMail(r rune) bool {
	switch r {
	case ',', '<', '>', '(', ')', '[', ']', '\\', '"':
		return true
	}
	return unicode.IsSpace(r)
}

func (f *Field) listed(text string) (string, *fault) {
	for _, allowed := range f.Enum {
		if strings.EqualFold(text, allowed) {
			return allowed, nil
		}
	}
	return "", &fault{"not_allowed_value", fmt.Sprintf("%s is none of %s", quoted(text), strings.Join(f.Enum, ", "))}
}

func (f *Field) tooLong(text string) *fault {
	if n := lengthOver(text, f.Max); n > 0 {
		return &fault{"too_long", fmt.Sprintf("takes at most %d characters, this has %d", f.Max, n)}
	}
	return nil
}

// warning is about a text that the field may or may not take.
func (f *Field) warning(text string) string {
	if n := lengthOver(text, f.WarnOver); n > 0 {
		return fmt.Sprintf("%s has %d characters, and more than %d may be refused", f.Name, n, f.WarnOver)
	}
	return ""
}

// lengthOver returns the length in UTF-16 units if it is over most; a most of 0 is no limit.
func lengthOver(text string, most int) int {
	if most == 0 || len(text) <= most { // no text has more units than bytes
		return 0
	}
	n := 0
	for _, r := range text {
		n += utf16.RuneLen(r)
	}
	if n <= most {
		return 0
	}
	return n
}
