package mapping

import (
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"rowbatch/mapping/csvfile"
)

// isNoValue reports whether a cell, trimmed, is a word by which programs say that there
// is no value. Spelled otherwise they are names of people: Nan, Null.
func isNoValue(cell string) bool {
	switch cell {
	case "null", "NULL", "nil", "NaN", "nan", "None", "NaT", `\N`, "N/A", "n/a", "n.a.", "(null)", "[null]", "<null>", "undefined",
		"-", "--", "?", "tbd", "[object Object]", "Loading...", "#LOADING...", "#N/A N/A":
		return true
	}
	return strings.HasPrefix(cell, "{{") && strings.HasSuffix(cell, "}}") && strings.Count(cell, "{{") == 1
}

// spoiltMark begins a cell that a sheet does not hold as it shows it, in every copy of its
// row. In failed.csv it would else be text like any other, and be sent when that file is run
// again as it is.
const spoiltMark = "#DAMAGED!"

// isError reports whether a cell, trimmed, is what a spreadsheet writes in place
// of a value: an error in any of its languages (#N/A, #REF!, #DIV/0!, #¿NOMBRE?,
// LibreOffice's Err:502), or hashes for a column too narrow.
func isError(cell string) bool {
	if strings.HasPrefix(cell, spoiltMark) {
		return true
	}
	if cell == "" || cell[0] != '#' {
		number, ok := strings.CutPrefix(cell, "Err:")
		return ok && len(number) == 3 && allDigits(number)
	}
	if len(cell) > 1 && strings.Trim(cell, "#") == "" {
		return true
	}
	withoutMark := []string{"#N/A", "#NV", "#N/D", "#N/B", "#I/T", "#YOK", "#GETTING_DATA", "#HIÁNYZIK", "#NENÍ_K_DISPOZICI", "#Н/Д"}
	if slices.Contains(withoutMark, strings.ToUpper(cell)) {
		return true
	}
	last := cell[len(cell)-1]
	if len(cell) < 3 || last != '!' && last != '?' {
		return false
	}
	inner := cell[1 : len(cell)-1]
	return strings.ContainsFunc(inner, unicode.IsUpper) && !strings.ContainsFunc(inner, func(r rune) bool {
		return !unicode.IsUpper(r) && !unicode.IsDigit(r) && !strings.ContainsRune("/_¡¿", r)
	})
}

// isDamaged reports whether a cell of a CSV is what a spreadsheet or a program leaves
// of a value: 1.23E+11, 12-Oct, 12. Okt, CafÃ©, a formula. cell is not trimmed: an invisible
// character at its end may be part of the damage.
func isDamaged(cell, trimmed string) bool {
	switch first := trimmed[0]; {
	case first == '=':
		return len(trimmed) > 1
	case first >= '0' && first <= '9', first == '-', first == '+':
		short := len(trimmed) <= len("12. Mär.")
		if scientific(trimmed) || short && (dayOfMonth.MatchString(trimmed) && isMonth(trimmed) || germanDay.MatchString(trimmed)) {
			return true
		}
	case len(trimmed) == len("Oct-12") && trimmed[3] == '-' && monthOfYear.MatchString(trimmed) && isMonth(trimmed):
		return true
	}
	return hasNonASCII(cell) && mojibake(cell)
}

// What spreadsheets show of a text that they took for a date.
var (
	dayOfMonth  = regexp.MustCompile(`^(?:0?[1-9]|[12][0-9]|3[01])-\p{L}\p{Ll}{2,3}\.?$`)
	germanDay   = regexp.MustCompile(`^(?:0?[1-9]|[12][0-9]|3[01])\. ?(?:Jan|Jän|Feb|Mär|Mrz|Apr|Mai|Jun|Jul|Aug|Sep|Okt|Nov|Dez)\.?$`)
	monthOfYear = regexp.MustCompile(`^\p{L}\p{Ll}{2}-[0-9]{2}$`)
)

func isMonth(date string) bool {
	return monthNamed(strings.ToLower(strings.Trim(date, "0123456789-."))) > 0
}

// isDamagedPhone knows what numbers become that are no numbers to people: 5.55E3, 4155550123.0, TRUE.
func isDamagedPhone(cell string) bool {
	if first := cell[0]; first < '0' || first > '9' {
		return slices.ContainsFunc(truths(), func(words string) bool { return inWords(words, strings.ToUpper(cell)) })
	}
	whole, zeros, _ := strings.Cut(strings.Replace(cell, ",", ".", 1), ".")
	if zeros != "" && strings.Trim(zeros, "0") == "" && whole != "" && allDigits(whole) {
		return true
	}
	e := exponentAt(cell)
	return e > 0 && scientific(cell[:e+1]+"+"+strings.TrimLeft(cell[e+1:], "+-"))
}

// scientific matches 1.23E+11: a long number whose digits the spreadsheet has
// lost. The sign is always there, so that a reference such as 12E5 is none.
func scientific(cell string) bool {
	cell = strings.TrimLeft(cell, "+-")
	e := exponentAt(cell)
	if e < 1 || e+2 >= len(cell) || cell[e+1] != '+' && cell[e+1] != '-' {
		return false
	}
	whole, fraction, _ := strings.Cut(strings.Replace(cell[:e], ",", ".", 1), ".")
	return whole != "" && allDigits(whole) && allDigits(fraction) && allDigits(cell[e+2:])
}

// exponentAt is where the letter of an exponent stands; with both of them a cell is no number.
func exponentAt(cell string) int {
	return max(strings.IndexByte(cell, 'E'), strings.IndexByte(cell, 'e'))
}

// unguarded takes off what keeps a spreadsheet from touching a value: ="0049".
func unguarded(cell string) (inner string, guarded bool) {
	inner, guarded = strings.CutPrefix(cell, `="`)
	if !guarded || len(inner) == 0 || inner[len(inner)-1] != '"' {
		return cell, false
	}
	inner = inner[:len(inner)-1]
	if strings.Contains(strings.ReplaceAll(inner, `""`, ""), `"`) {
		return cell, false // several texts, joined by a formula
	}
	return strings.ReplaceAll(inner, `""`, `"`), true
}

func allDigits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}

// Literal puts a backslash before a value that would be read as another, such as the
// clear word. One that would be rejected needs none: it is left alone in the row of the
// customer who has it.
func Literal(value string) string {
	c := column{field: &Field{}, clearWord: DefaultClear}
	switch text, kind := c.read(csvfile.Escape(value), nil, 0); {
	case trimEnds(value) == "", text == value && kind != clears && kind != clearCase, kind == noValue || kind == broken:
		return value
	}
	return strings.Replace(value, trimEnds(value), `\`+trimEnds(value), 1)
}

// Exported is the value that an export shows as a cell.
func Exported(cell string) string {
	cell = csvfile.Unescape(cell)
	if value := strings.Replace(cell, `\`, "", 1); value != cell && Literal(value) == cell {
		return value
	}
	return cell
}

// wasExported reports whether a cell is one as exported, in a file's spelling of it.
// Spreadsheets write line ends inside cells their own way.
func wasExported(was, cell string) bool {
	if was == cell {
		return true
	}
	lines := strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace
	return lines(was) == lines(cell) || lines(was) == lines(Exported(cell))
}

// Same reports whether a cell of a file of ours is still what it was: a spreadsheet
// that has opened and saved the file, or cut off what it has no room for, changes nothing.
func Same(was, cell string) bool {
	const room = 32_000 // for so many characters every spreadsheet has
	plain := csvfile.Unescape(was)
	switch {
	case wasExported(was, cell), wasExported(plain, cell), trimEnds(plain) == trimEnds(csvfile.Unescape(cell)):
		return true
	case len(cell) > room && strings.HasPrefix(was, cell):
		return true
	}
	return rewritten(plain, csvfile.Unescape(cell))
}

// trimEnds takes off what nobody can see at a text's ends: white space and characters
// without a shape. Joiners are part of the letters beside them; FE0F, of a sign.
func trimEnds(text string) string {
	if text == "" || text[0]-'!' <= '~'-'!' && text[len(text)-1]-'!' <= '~'-'!' { // as nearly all do
		return text
	}
	return trimUnseen(text)
}

func trimUnseen(text string) string {
	joiner := func(r rune) bool { return r == '\u200C' || r == '\u200D' }
	text = strings.TrimFunc(text, isUnseen)
	if strings.TrimFunc(text, func(r rune) bool { return joiner(r) || isUnseen(r) }) == "" {
		return ""
	}
	return text
}

func isUnseen(r rune) bool {
	switch {
	case r < utf8.RuneSelf:
		return r == ' ' || r >= '\t' && r <= '\r'
	case r >= 0x202A && r <= 0x202E, r >= 0x2060 && r <= 0x206F:
		return true
	}
	const shapeless = "\u00AD\u034F\u061C\u115F\u1160\u17B4\u17B5\u180E\u200B\u200E\u200F\u3164\uFEFF\uFFA0"
	return unicode.IsSpace(r) || strings.ContainsRune(shapeless, r)
}

// isoDate is a date, written as Go lays out 2 January 2006, as 2006-01-02, with the time of
// day behind a T where the layout has one; "" where it is none. A date in ISO's way, as
// a sheet's own dates are read, is one under any layout.
func isoDate(layout, text string) string {
	const moment = "2006-01-02T15:04:05"
	to, others := time.DateOnly, []string{time.DateOnly}
	if strings.Contains(layout, ":04") || strings.Contains(layout, "15") {
		to, others = moment, []string{moment, time.DateTime, "2006-01-02 15:04"}
	}
	for _, from := range append([]string{layout}, others...) {
		if at, err := time.Parse(from, text); err == nil {
			return at.Format(to)
		}
	}
	return ""
}

// isDateLayout reports whether a date can be read back from what a layout writes of it.
func isDateLayout(layout string) bool {
	return !slices.ContainsFunc([]time.Time{time.Date(2031, 11, 28, 0, 0, 0, 0, time.UTC), time.Date(1987, 3, 4, 0, 0, 0, 0, time.UTC)},
		func(day time.Time) bool {
			return !strings.HasPrefix(isoDate(layout, day.Format(layout)), day.Format(time.DateOnly))
		})
}
