package xlsxfile

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/xuri/nfp"
)

// format is how a cell's style shows what the cell holds. It shows a number only
// where the text says the same as the number: a cell that a person sees rounded,
// shortened or not at all is no text that could be sent for it.
type format struct {
	sections []section // for numbers
	text     *section  // for texts; nil: as they are
	odd      bool      // it could not be understood
}

// section is the part of a format for some numbers, or for texts.
type section struct {
	items     []nfp.Token // without colours, alignment and conditions
	condition string      // such as <=; "": none
	bound     float64
	general   bool
	moment    bool // a date, a time, or a duration
}

// longestFormat is what a spreadsheet takes at most, in bytes rather than characters.
const longestFormat = 1024

func parseFormat(code string) (f *format) {
	defer func() { // the parser meets formats that no spreadsheet wrote
		if recover() != nil {
			f = &format{odd: true}
		}
	}()
	if len(code) > longestFormat {
		return &format{odd: true}
	}
	f = &format{}
	parser := nfp.NumberFormatParser()
	for _, parsed := range parser.Parse(code) {
		s := section{}
		for _, item := range parsed.Items {
			switch item.TType {
			case nfp.TokenTypeColor, nfp.TokenTypeAlignment, nfp.TokenTypeRepeatsChar:
				continue
			case nfp.TokenTypeCondition:
				for _, part := range item.Parts {
					if part.Token.TType == nfp.TokenTypeOperator {
						s.condition = part.Token.TValue
						continue
					}
					bound, err := strconv.ParseFloat(part.Token.TValue, 64)
					s.bound, f.odd = bound, f.odd || err != nil
				}
				continue
			case nfp.TokenTypeCurrencyLanguage:
				item = nfp.Token{TType: nfp.TokenTypeLiteral, TValue: currency(item)}
			case nfp.TokenTypeGeneral:
				s.general = true
			case nfp.TokenTypeDateTimes, nfp.TokenTypeElapsedDateTimes:
				s.moment = true
			case nfp.TokenTypeUnknown, nfp.TokenTypeSwitchArgument, nfp.TokenTypeFraction, nfp.TokenTypeExponential:
				f.odd = true
			}
			s.items = append(s.items, item)
		}
		if parsed.Type == nfp.TokenSectionText {
			f.text = &s
		} else {
			f.sections = append(f.sections, s)
		}
	}
	f.odd = f.odd || !f.holds(code)
	return f
}

// holds reports whether the parser left nothing out of a code, and took nothing in it
// for something else: #, a space that is not ASCII's and ##0 is to it a sign and two places.
func (f *format) holds(code string) bool {
	var text, marks strings.Builder
	for quote := rune(0); code != ""; {
		r, size := utf8.DecodeRuneInString(code)
		code = code[size:]
		switch {
		case r == '"':
			quote ^= r
		case quote != 0:
			text.WriteRune(r)
		case r == '\\', r == '_', r == '*':
			escaped, size := utf8.DecodeRuneInString(code)
			if code = code[size:]; r == '\\' && size > 0 {
				text.WriteRune(escaped)
			}
		case r == '[':
			inside, behind, _ := strings.Cut(code, "]")
			if sign, ok := strings.CutPrefix(inside, "$"); ok {
				sign, _, _ = strings.Cut(sign, "-")
				text.WriteString(sign)
			}
			code = behind
		case r != ';':
			text.WriteRune(r)
			if strings.ContainsRune("0#?.,%/'", r) {
				marks.WriteRune(r)
			}
		}
	}
	sections := f.sections
	if f.text != nil {
		sections = append(slices.Clone(sections), *f.text)
	}
	var gotText, gotMarks string
	for _, s := range sections {
		if s.moment {
			return true // its letters alone are looked at
		}
		for _, item := range s.items {
			gotText += item.TValue
			if item.TType != nfp.TokenTypeLiteral && item.TType != nfp.TokenTypeGeneral && item.TType != nfp.TokenTypeTextPlaceHolder {
				gotMarks += item.TValue
			}
		}
	}
	spaceless := strings.NewReplacer(" ", "") // the parser trims
	return spaceless.Replace(gotText) == spaceless.Replace(text.String()) && gotMarks == marks.String()
}

// currency is the sign in [$€-407].
func currency(item nfp.Token) string {
	for _, part := range item.Parts {
		if part.Token.TType == nfp.TokenSubTypeCurrencyString {
			return part.Token.TValue
		}
	}
	return ""
}

// showText shows a text: as it is, or behind the prefix that the format gives it.
func (f *format) showText(text string) (string, Form) {
	if f == nil || f.text == nil || text == "" {
		return text, Typed
	}
	shown, itself := "", false
	for _, item := range f.text.items {
		switch item.TType {
		case nfp.TokenTypeTextPlaceHolder:
			shown, itself = shown+strings.Repeat(text, len(item.TValue)), true
		case nfp.TokenTypeLiteral:
			shown += item.TValue
		default:
			return text, Unshown
		}
	}
	if !itself {
		return text, Unshown
	}
	return shown, Typed
}

// showNumber shows a number, which stands in the file as text. A nil format is General.
func (f *format) showNumber(text string, from1904 bool) (string, Form) {
	if f == nil && isPlainWhole(text) {
		return text, Whole
	}
	value, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsInf(value, 0) || math.IsNaN(value) || strings.ContainsAny(text, "_xXpP") {
		return text, Unreadable
	}
	d := decimalOf(value, 0)
	form := Whole
	if d.fraction != "" {
		form = Fraction
	}
	var s *section
	ownSign := false
	if f != nil {
		if f.odd {
			return text, OddFormat
		}
		s, ownSign = f.choose(value)
	}
	switch {
	case s != nil && s.moment:
		return showMoment(s, text, value, from1904)
	case math.Abs(value) >= 1e15:
		return text, Lost
	case value != 0 && math.Abs(value) < 1e-9:
		return text, Unshown // General shows 1E-10
	case f == nil || len(f.sections) == 0:
		if d.negative {
			d.plain = "-" + d.plain
		}
		return d.plain, form
	case s == nil:
		return text, OddFormat
	}
	shown, ok := s.render(value, ownSign)
	if !ok || shown == "" {
		return text, Unshown
	}
	if p := s.places(); form == Whole && (p.shift != 0 || p.grouped && strings.Contains(shown, ",")) {
		form = Amount
	}
	return shown, form
}

// isPlainWhole reports whether a number needs no arithmetic to be shown.
func isPlainWhole(text string) bool {
	if text == "" || len(text) > 15 || text[0] == '0' && text != "0" {
		return false
	}
	for i := range len(text) {
		if text[i] < '0' || text[i] > '9' {
			return false
		}
	}
	return true
}

// choose picks the section for a number; nil: there is none. It also reports
// whether that is for negative numbers alone.
func (f *format) choose(value float64) (s *section, ownSign bool) {
	if slices.ContainsFunc(f.sections, func(s section) bool { return s.condition != "" }) {
		for i := range f.sections {
			s := &f.sections[i]
			holds := map[string]bool{"": true, "<": value < s.bound, "<=": value <= s.bound, ">": value > s.bound,
				">=": value >= s.bound, "=": value == s.bound, "<>": value != s.bound}
			if holds[s.condition] && value >= 0 {
				return s, false
			}
		}
		return nil, false
	}
	switch n := len(f.sections); {
	case n == 0:
		return nil, false
	case n >= 3 && value == 0:
		return &f.sections[2], false
	case n >= 2 && value < 0:
		return &f.sections[1], true
	}
	return &f.sections[0], false
}

// decimal is a number in digits, of which a spreadsheet keeps 15.
type decimal struct {
	negative        bool
	plain           string // without a sign
	whole, fraction string // without needless zeros
}

// decimalOf is a number whose point was moved to the right, or to the left for less than 0.
// The shortest text of what 15 digits give has just those digits.
func decimalOf(value float64, shift int) decimal {
	digits, exponent, _ := strings.Cut(strconv.FormatFloat(math.Abs(value), 'e', 14, 64), "e")
	e, _ := strconv.Atoi(exponent)
	value15, _ := strconv.ParseFloat(digits+"e"+strconv.Itoa(e+shift), 64)
	d := decimal{negative: value < 0, plain: strconv.FormatFloat(value15, 'f', -1, 64)}
	d.whole, d.fraction, _ = strings.Cut(d.plain, ".")
	d.whole = strings.TrimPrefix(d.whole, "0")
	return d
}

// places are those that a section has for digits.
type places struct {
	whole, fraction int
	grouped, point  bool
	shift           int // of the point: 2 for a percent sign, -3 for a comma at the end
}

func (s *section) places() (p places) {
	pending := 0 // commas after the last place of the whole part
	for _, item := range s.items {
		switch item.TType {
		case nfp.TokenTypeZeroPlaceHolder, nfp.TokenTypeHashPlaceHolder, nfp.TokenTypeDigitalPlaceHolder:
			if p.point {
				p.fraction += len(item.TValue)
				continue
			}
			p.whole += len(item.TValue)
			p.grouped, pending = p.grouped || pending > 0, 0
		case nfp.TokenTypeThousandsSeparator:
			pending += len(item.TValue)
		case nfp.TokenTypeDecimalPoint:
			p.point = true
		case nfp.TokenTypePercent:
			p.shift += 2 * len(item.TValue)
		}
	}
	p.shift -= 3 * pending
	return p
}

// render shows a number in a section's places, and reports whether the text holds
// all of it. A section of its own for negative numbers shows their sign itself.
func (s *section) render(value float64, ownSign bool) (string, bool) {
	p := s.places()
	if p.shift < -30 || p.shift > 30 { // of a format that nobody made
		return "", false
	}
	d := decimalOf(value, p.shift)
	if !s.general && (len(d.fraction) > p.fraction || p.whole+p.fraction == 0) {
		return "", false
	}
	var b strings.Builder
	signed, zeros := !d.negative, false
	if d.negative && !ownSign {
		b.WriteByte('-')
		signed = true
	}
	whole, fraction, inFraction := 0, 0, false // places passed
	for _, item := range s.items {
		switch item.TType {
		case nfp.TokenTypeZeroPlaceHolder, nfp.TokenTypeHashPlaceHolder, nfp.TokenTypeDigitalPlaceHolder:
			for range len(item.TValue) {
				zero := item.TType == nfp.TokenTypeZeroPlaceHolder
				if inFraction {
					b.WriteString(d.decimalAt(fraction, zero))
					fraction++
					continue
				}
				zeros = zeros || zero
				b.WriteString(d.wholeAt(p.whole-1-whole, whole == 0, zeros, p.grouped))
				whole++
			}
		case nfp.TokenTypeDecimalPoint:
			inFraction = true
			if p.whole == 0 {
				b.WriteString(d.wholeAt(0, true, false, false))
			}
			b.WriteByte('.')
		case nfp.TokenTypePercent, nfp.TokenTypeLiteral:
			signed = signed || strings.ContainsAny(item.TValue, "-(")
			b.WriteString(item.TValue)
		case nfp.TokenTypeGeneral:
			b.WriteString(d.plain)
		}
	}
	return strings.TrimSpace(b.String()), signed
}

// decimalAt is what stands in a place behind the point, counted from 0.
func (d decimal) decimalAt(n int, zero bool) string {
	switch {
	case n < len(d.fraction):
		return d.fraction[n : n+1]
	case zero:
		return "0"
	}
	return ""
}

// wholeAt is what stands in a place before the point, counted from 0 at the point.
// The first place, the leftmost, takes all digits that have none of their own.
func (d decimal) wholeAt(place int, first, zero, grouped bool) string {
	digits := d.whole
	if zero {
		digits = strings.Repeat("0", max(place+1-len(digits), 0)) + digits
	}
	highest := place
	if first {
		highest = max(place, len(digits)-1)
	}
	var b strings.Builder
	for at := highest; at >= place; at-- {
		if at >= len(digits) {
			continue
		}
		b.WriteByte(digits[len(digits)-1-at])
		if grouped && at > 0 && at%3 == 0 {
			b.WriteByte(',')
		}
	}
	return b.String()
}
