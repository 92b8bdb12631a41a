package mapping

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// Kind tells which texts a field takes.
type Kind int

const (
	Text      Kind = iota // anything but control characters; tabs and newlines are text
	Digits                // a whole number without leading zeros: an id
	Email                 // one address, or several joined by ;
	Phone                 // one line, free form
	Reference             // one line without surrounding white space
	Enum                  // one of Field.Enum, in any letter case
)

func (k Kind) String() string {
	return [...]string{"text", "digits", "email", "phone", "reference", "enum"}[k]
}

// ClearRule is whether a row may clear a field.
type ClearRule int

const (
	Clearable ClearRule = iota
	IfAllowed           // only when the mapping file's allow_clear names the field
	Never
)

func (r ClearRule) String() string { return [...]string{"yes", "with allow_clear", "no"}[r] }

// Field is one line of an action's field table.
type Field struct {
	Name     string
	Kind     Kind
	Max      int      // UTF-16 units, as the vendor counts; 0: no limit known
	WarnOver int      // UTF-16 units above which a row gets a warning; 0: never
	Enum     []string // as the API spells them
	Family   bool     // Name ends in "."; the rest of a heading names the member, in the user's spelling
	Clear    ClearRule
	// Unique is the rb_error_code of rows that would give several customers one
	// value ("reference_chain", "already_linked"); "": values may repeat.
	Unique string
	Parent bool // holds another customer's id
	Secret bool // masked wherever it is shown or kept; no mapping file gives it a value; never cleared
}

func (f *Field) neverCleared() bool { return f.Clear == Never || f.Secret }

// check returns a text as the field takes it, or what is wrong with it. Around
// digits, addresses and enums white space goes; everywhere else it is text, where
// the mapping file does not let it be trimmed.
// Invisible characters have a meaning in running text of some scripts, and none
// elsewhere.
func (f *Field) check(text string) (string, *Problem) {
	for _, r := range text {
		switch {
		case r >= ' ' && r <= '~':
		case r == utf8.RuneError:
			return "", problem("bad_value", "holds U+FFFD, the mark of a character lost in an earlier conversion")
		case f.Kind == Text && (r == '\n' || r == '\r' || r == '\t'):
		case unicode.IsControl(r):
			return "", problem("bad_value", "holds the control character %U", r)
		case f.Kind != Text && unicode.Is(unicode.Cf, r):
			return "", problem("bad_value", "holds the invisible character %U", r)
		}
	}
	var bad *Problem
	trimmed := trimEnds(text)
	switch f.Kind {
	case Text:
		if f.Secret && trimmed != text { // part of it or not, nobody can tell
			bad = problem("bad_value", "begins or ends with white space or an invisible character")
		}
	case Digits:
		text, bad = trimmed, checkDigits(trimmed)
	case Email:
		text, bad = addresses(trimmed)
	case Phone:
		if strings.IndexFunc(text, unicode.IsDigit) < 0 {
			bad = problem("bad_value", "%s has no digit, and is no phone number", quoted(text))
		}
	case Reference:
		if trimmed != text { // a lookup could not find it again byte for byte
			bad = problem("bad_value", "%s begins or ends with white space", quoted(text))
		}
	case Enum:
		i := slices.IndexFunc(f.Enum, func(allowed string) bool { return strings.EqualFold(trimmed, allowed) })
		if i < 0 {
			return "", problem("not_allowed_value", "%s is none of %s", quoted(trimmed), strings.Join(f.Enum, ", "))
		}
		return f.Enum[i], nil
	}
	if n := lengthOver(text, f.Max); n > 0 && bad == nil {
		bad = problem("too_long", "takes at most %d characters, this has %d", f.Max, n)
	}
	return text, bad
}

func problem(code, format string, args ...any) *Problem {
	return &Problem{Code: code, Text: fmt.Sprintf(format, args...)}
}

// checkDigits also refuses what no 64-bit id can be.
func checkDigits(text string) *Problem {
	if text != "" && text[0] != '0' && allDigits(text) {
		if _, err := strconv.ParseInt(text, 10, 64); err != nil {
			return problem("bad_value", "%s has more digits than an id can have", quoted(text))
		}
		return nil
	}
	hint := ""
	if strings.ContainsAny(text, ".,' ") {
		hint = ", without separators or decimals"
	}
	return problem("bad_value", "%s is not a whole number written without leading zeros%s", quoted(text), hint)
}

// addresses takes what mail programs put around an address off, and is else lenient
// in what it cannot know and strict in what breaks mail: white space, brackets,
// commas, quotation marks, a domain without a dot.
func addresses(text string) (string, *Problem) {
	clean := text
	for part := range strings.SplitSeq(text, ";") {
		inner := trimEnds(part)
		address, simple := inner, isSimple(inner)
		if !simple {
			address = bareAddress(inner)
		}
		if address == "" {
			return "", problem("bad_value", "%s has an empty address beside a ;", quoted(text))
		}
		quotes := func(r rune) bool {
			return r > '~' && (unicode.IsSpace(r) || strings.ContainsRune("´“”„‟‘’‚‛«»‹›", r))
		}
		local, domain, _ := strings.Cut(address, "@")
		if local == "" || !simple && (strings.ContainsAny(address, " \t\r\n,<>()[]\\\"`") || strings.ContainsFunc(address, quotes) ||
			local[0] == '\'' || strings.Contains(local, ":") || strings.ContainsAny(domain, "'?&/:!*=%")) ||
			!strings.Contains(domain, ".") || strings.Contains(domain, "..") || strings.Contains(domain, "@") ||
			strings.HasPrefix(domain, ".") || strings.HasSuffix(domain, ".") {
			return "", problem("bad_value", "%s is not an e-mail address alone; several are joined by ;", quoted(address))
		}
		if address != inner {
			clean = strings.Replace(clean, inner, address, 1)
		}
	}
	return clean, nil
}

// isSimple reports whether an address holds only characters that mean no harm anywhere in
// one, as nearly all do.
func isSimple(address string) bool {
	for i := range len(address) {
		switch b := address[i]; {
		case b >= 'a' && b <= 'z', b >= '@' && b <= 'Z', b >= '0' && b <= '9', b == '.', b == '-', b == '_', b == '+':
		default:
			return false
		}
	}
	return true
}

// bareAddress is an address without quotation marks of any kind, angle brackets and mailto: around it.
func bareAddress(address string) string {
	for {
		before := address
		address = trimEnds(address)
		if !strings.ContainsAny(address, "\"'<`:") && !hasNonASCII(address) {
			return address
		}
		if len(address) >= len("mailto:") && strings.EqualFold(address[:len("mailto:")], "mailto:") {
			address = address[len("mailto:"):]
		}
		for _, pair := range []string{`""`, "''", "<>", "“”", "„“", "‘’", "‚‘", "«»", "»«", "‹›", "``", "´´", "””", "’’"} {
			marks := []rune(pair)
			if inner, ok := strings.CutPrefix(address, string(marks[0])); ok && strings.HasSuffix(inner, string(marks[1])) {
				address = strings.TrimSuffix(inner, string(marks[1]))
			}
		}
		if address == before {
			return address
		}
	}
}

// hasWords reports whether letters stand in a phone number that name no extension.
func hasWords(phone string) bool {
	for word := range strings.FieldsFuncSeq(phone, func(r rune) bool { return !unicode.IsLetter(r) }) {
		if !inWords("x ext extn extension", strings.ToLower(word)) {
			return true
		}
	}
	return false
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

// quoted shows a cell in a message, shortened.
func quoted(cell string) string {
	const most = 60
	if r := []rune(cell); len(r) > most {
		return fmt.Sprintf("%q…", string(r[:most]))
	}
	return fmt.Sprintf("%q", cell)
}

// passwordName is what the heading of a column of passwords folds to, whatever
// the column is for.
const passwordName = "password"

// mask stands in our files and messages in place of a secret.
const mask = "***"

// secretProblem is the text of a problem with a secret: in words that are the
// same for all secrets.
func secretProblem(code string) string {
	return cmp.Or(map[string]string{
		"masked_value": mask + " stands for a secret that was masked, and cannot be sent: " +
			"type the secret again, or leave the cell blank",
		"not_clearable":      "cannot be cleared",
		"clear_word_case":    "reads almost like the word that clears a field",
		"spreadsheet_damage": "is what a spreadsheet writes in place of a value it has lost",
		"too_long":           "has more characters than the field takes",
		"missing_key":        "the key is blank",
		"unknown_action":     "is none of the actions",
		"no_value_word":      "reads like a word for no value: leave the cell blank to keep the field, or put a backslash before it",
	}[code], "is not a text that can be sent here: a control character, an invisible one or white space at an end, or a reserved word; "+
		"it is secret and not shown")
}
