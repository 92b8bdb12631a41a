package mapping

import (
	"cmp"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
)

// rewritten reports whether a cell is what a spreadsheet makes of a text when a file is
// opened and saved. A spreadsheet takes a text for a number, a date, a time or a truth
// and shows it in a form of its own; or it saves in an encoding that lacks a character.
// What a text may be taken for is read in as many ways as countries do, and of what a
// cell shows only the forms that spreadsheets write: 007 for 7 is an edit, 7 for 007 is none.
func rewritten(was, cell string) bool {
	const longest = 80 // that is taken for anything
	was, cell = trimEnds(was), trimEnds(cell)
	switch {
	case was == cell || was == "" || cell == "":
		return false
	case hasNonASCII(was) && (marred(was, cell) || misread(was, cell)):
		return true
	case len(was) > longest || len(cell) > longest || !unicode.IsPrint(rune(was[0])):
		return false
	}
	if truth := slices.IndexFunc(truths(), func(words string) bool { return inWords(words, strings.ToUpper(was)) }); truth >= 0 {
		return inWords(truths()[truth], cell)
	}
	return sameNumber(was, cell) || sameMoment(was, cell)
}

// truths are what spreadsheets show of true and of false.
func truths() []string {
	return []string{"TRUE WAHR VRAI VERDADERO VERO WAAR VERDADEIRO PRAWDA SANT", "FALSE FALSCH FAUX FALSO ONWAAR FAŁSZ USANN"}
}

func inWords(words, word string) bool { return slices.Contains(strings.Fields(words), word) }

func hasNonASCII(text string) bool {
	for i := range len(text) {
		if text[i] >= utf8.RuneSelf {
			return true
		}
	}
	return false
}

// marred reports whether a cell is a text of which characters were lost: an encoding
// that lacks them has ? in their place, two for one beyond 16 bits in some programs.
func marred(was, cell string) bool {
	twice := utf8.RuneCountInString(cell) > utf8.RuneCountInString(was)
	lost := false
	for _, r := range was {
		got, size := utf8.DecodeRuneInString(cell)
		switch {
		case size == 0:
			return false
		case got == r:
		case r < utf8.RuneSelf:
			return false
		case strings.ContainsRune("?_\uFFFD", got), got == '-' && (r == '\u2010' || r == '\u2011'):
			lost = true
			if twice && r > math.MaxUint16 && strings.HasPrefix(cell[size:], cell[:size]) {
				size *= 2
			}
		default:
			return false
		}
		cell = cell[size:]
	}
	return lost && cell == ""
}

// misread reports whether a cell is the UTF-8 of a text read in another encoding, once
// or twice.
func misread(was, cell string) bool {
	plain := func(text string) string { return trimEnds(strings.ReplaceAll(text, "\u00A0", " ")) }
	for _, as := range []*charmap.Charmap{
		charmap.Windows1252, charmap.ISO8859_1, charmap.Macintosh, charmap.CodePage437, charmap.CodePage850, charmap.CodePage852,
		charmap.Windows1250, charmap.Windows1251, charmap.Windows1253, charmap.Windows1254,
	} {
		text := was
		for range 2 {
			var b strings.Builder
			for i := range len(text) {
				b.WriteRune(as.DecodeByte(text[i]))
			}
			if text = b.String(); plain(text) == plain(cell) {
				return true
			}
		}
	}
	return false
}

// mojibake reports whether a text reads like UTF-8 that was taken for windows-1252:
// every run of its characters beyond ASCII is the bytes of such characters.
func mojibake(text string) bool {
	found := false
	var run []byte
	whole := func() bool {
		ok := utf8.Valid(run) && (len(run) == 0 || run[0] >= 0xC2)
		found, run = found || len(run) > 0, run[:0]
		return ok
	}
	for _, r := range text {
		if r < utf8.RuneSelf {
			if !whole() {
				return false
			}
			continue
		}
		b, ok := charmap.Windows1252.EncodeRune(r)
		if !ok {
			return false
		}
		run = append(run, b)
	}
	return whole() && found
}

// number is one way to read a text as a number.
type number struct {
	value    float64
	digits   int    // significant ones
	decimals int    // digits behind the point
	exponent bool   // it is written with one
	unit     string // % or a currency's sign
}

var numeral = regexp.MustCompile(`^([0-9]*)((?:[.,'’\x{A0}\x{202F}][0-9]+)*[.,]?)(?:[eE]([+-]?[0-9]{1,4}))?$`)

// numbersIn reads a text as a number in the ways of all countries. shown tells that it
// is what a spreadsheet shows: that has no needless zeros and no plus.
func numbersIn(text string, shown bool) (all []number) {
	sign, unit, divide := 1.0, "", 1.0
	for again := true; again; {
		text = strings.TrimSpace(text)
		first, size := utf8.DecodeRuneInString(text)
		last, lastSize := utf8.DecodeLastRuneInString(text)
		switch {
		case first == '(' && last == ')':
			sign, text = -sign, text[1:len(text)-1]
		case strings.ContainsRune("-\u2010\u2011\u2212", first) && size > 0:
			sign, text = -sign, text[size:]
		case first == '+' && !shown:
			text = text[1:]
		case unicode.Is(unicode.Sc, first):
			unit, text = string(first), text[size:]
		case unicode.Is(unicode.Sc, last):
			unit, text = string(last), text[:len(text)-lastSize]
		case last == '%':
			unit, divide, text = "%", divide*100, text[:len(text)-1]
		default:
			again = false
		}
	}
	if whole, of, divided := strings.Cut(text, "/"); divided {
		value, ok := fraction(whole, of)
		if !ok {
			return nil
		}
		return []number{{value: sign * value / divide, digits: 1, unit: unit}}
	}
	m := numeral.FindStringSubmatch(text)
	if m == nil || shown && len(m[1]) > 1 && m[1][0] == '0' {
		return nil
	}
	for _, split := range splits(m[1], m[2]) {
		value, _ := strconv.ParseFloat(split[0]+"."+split[1]+"e"+cmp.Or(m[3], "0"), 64)
		digits := strings.TrimLeft(split[0]+split[1], "0")
		if split[1] == "" {
			digits = strings.TrimRight(digits, "0")
		}
		value = min(value, math.MaxFloat64) // as spreadsheets do
		all = append(all, number{sign * value / divide, max(len(digits), 1), len(split[1]), m[3] != "", unit})
	}
	return all
}

// fraction reads 1/2, or 1 1/2.
func fraction(before, below string) (float64, bool) {
	whole, above, mixed := strings.Cut(before, " ")
	if !mixed {
		whole, above = "0", before
	}
	var parts [3]float64
	for i, text := range []string{whole, strings.TrimSpace(above), below} {
		n, err := strconv.ParseUint(text, 10, 32)
		if err != nil {
			return 0, false
		}
		parts[i] = float64(n)
	}
	return parts[0] + parts[1]/parts[2], parts[2] > 0
}

// splits finds where the whole part of a numeral may end: at its only point or comma,
// at the last separator if that differs from the others, or at the end if all of them
// stand between thousands.
func splits(first, rest string) (all [][2]string) {
	isSeparator := func(r rune) bool { return r < '0' || r > '9' }
	groups := strings.FieldsFunc(rest, isSeparator)
	separators := []rune(strings.Map(func(r rune) rune {
		if isSeparator(r) {
			return r
		}
		return -1
	}, rest))
	n := len(separators)
	if n == 0 {
		if first == "" {
			return nil
		}
		return [][2]string{{first, ""}}
	}
	thousands := func(groups []string) bool { // also as India has them: 12,34,567
		for i, g := range groups {
			if len(g) != 3 && (len(g) != 2 || i == len(groups)-1) {
				return false
			}
		}
		return first != "" && len(first) <= 3
	}
	alike := func(s []rune) bool { return !slices.ContainsFunc(s, func(r rune) bool { return r != s[0] }) }
	before := groups[:min(n-1, len(groups))]
	point := separators[n-1]
	last := n == 1 || alike(separators[:n-1]) && separators[0] != point && thousands(before)
	if (point == '.' || point == ',') && last {
		behind := strings.Join(groups[len(before):], "")
		if first+behind != "" {
			all = append(all, [2]string{first + strings.Join(before, ""), behind})
		}
	}
	if len(groups) == n && alike(separators) && thousands(groups) {
		all = append(all, [2]string{first + strings.Join(groups, ""), ""})
	}
	return all
}

// sameNumber reports whether a cell shows the number that a text may be: all its digits,
// as far as spreadsheets keep them, or rounded as they do where a number is long.
func sameNumber(was, cell string) bool {
	const kept, wide = 15, 9 // digits of any number; digits that are shown at the least of a long one
	for _, a := range numbersIn(was, false) {
		for _, b := range numbersIn(cell, true) {
			apart, size := math.Abs(a.value-b.value), math.Abs(a.value)
			power := math.Floor(math.Log10(max(math.Abs(b.value), math.SmallestNonzeroFloat64)))
			unit := math.Pow(10, power-float64(b.digits-1)) // of the last digit shown
			switch {
			case b.unit != "" && b.unit != a.unit:
			case b.digits > kept:
				if apart == 0 && a.digits > kept && cell == strconv.FormatFloat(b.value, 'f', -1, 64) {
					return true // the nearest number that a program can hold
				}
			case apart <= size*4e-16,
				a.digits > kept && apart <= math.Pow(10, power-kept+1),
				b.exponent && b.digits < a.digits && apart <= unit*0.5000001,
				b.decimals > 0 && b.digits >= wide && b.digits < a.digits && apart <= math.Pow(10, -float64(b.decimals))*0.5000001:
				return true
			}
		}
	}
	return false
}

// moment is one way to read a text as a date, a time, or both.
type moment struct {
	year, month, day int // 0: not said
	short            bool
	clock            float64 // of the day, in seconds; negative: not said
	toTheMinute      bool
}

var (
	clockForm = regexp.MustCompile(
		`(?:^|[ tT,])([0-9]{1,4}):([0-9]{2})(?::([0-9]{2})(?:[.,][0-9]+)?)?(?: ?([aApP])\.?[mM]\.?)?(?:Z|[+-][0-9]{2}:?[0-9]{2})?$`)
	hourForm  = regexp.MustCompile(`^([0-9]{1,2}) ?([aApP])\.?[mM]\.?$`)
	dateParts = regexp.MustCompile(`[0-9]+|\p{L}+`)
)

// momentsIn reads a text as a date or a time in the ways of all countries.
func momentsIn(text string, shown bool) (all []moment) {
	clock, toTheMinute := -1.0, true
	at := func(hour, minute, second, half string) {
		h, _ := strconv.Atoi(hour)
		m, _ := strconv.Atoi(minute)
		s, _ := strconv.Atoi(second)
		if half != "" {
			h %= 12
			if strings.EqualFold(half, "p") {
				h += 12
			}
		}
		clock, toTheMinute = float64(h*3600+m*60+s), second == ""
	}
	if m := hourForm.FindStringSubmatch(text); m != nil {
		at(m[1], "0", "0", m[2])
		return []moment{{clock: clock}}
	}
	if m := clockForm.FindStringSubmatchIndex(text); m != nil {
		part := func(n int) string {
			if m[2*n] < 0 {
				return ""
			}
			return text[m[2*n]:m[2*n+1]]
		}
		at(part(1), part(2), part(3), part(4))
		if text = text[:m[0]]; strings.TrimSpace(text) == "" {
			return []moment{{clock: clock, toTheMinute: toTheMinute}}
		}
	}
	for _, d := range daysIn(text, shown) {
		d.clock, d.toTheMinute = clock, toTheMinute
		all = append(all, d)
	}
	return all
}

// daysIn reads a text as a date. A year may have two digits; a month, a name; and of a
// text that is to become a date, day or year may be missing.
func daysIn(text string, shown bool) (all []moment) {
	var numbers []string
	month := 0
	for _, part := range dateParts.FindAllString(text, -1) {
		m := monthNamed(strings.ToLower(part))
		switch {
		case part[0] >= '0' && part[0] <= '9':
			numbers = append(numbers, part)
		case m > 0 && month == 0:
			month = m
		case !inWords("年 月 日 st nd rd th de of", strings.ToLower(part)) && !isWeekday(part):
			return nil
		}
	}
	nameless := month == 0
	between := strings.Trim(dateParts.ReplaceAllString(text, ""), "-/.\u2010\u2011")
	if nameless && between != "" || strings.Trim(between, "-/., ") != "" {
		return nil
	}
	add := func(year string, month int, day string) {
		m := moment{month: month, day: 1, short: len(year) < 3}
		if year != "" {
			n, err := strconv.Atoi(year)
			if err != nil || len(year) > 4 || len(year) == 3 || shown && (len(year) == 1 || m.short && nameless && day == "") {
				return
			}
			m.year = n
			if m.short {
				m.year += 2000
			}
		}
		if day != "" {
			m.day, _ = strconv.Atoi(day)
		}
		if len(day) < 3 && m.day >= 1 && m.day <= 31 && m.month >= 1 && m.month <= 12 {
			all = append(all, m)
		}
	}
	month2 := func(text string) int { n, _ := strconv.Atoi(text[:min(len(text), 3)]); return n }
	switch n := numbers; {
	case month > 0 && len(n) == 1:
		add("", month, n[0])
		add(n[0], month, "")
	case month > 0 && len(n) == 2:
		add(n[0], month, n[1])
		add(n[1], month, n[0])
	case nameless && len(n) == 2:
		if !shown { // without a year only the name of a month makes it a date to see
			add("", month2(n[0]), n[1])
			add("", month2(n[1]), n[0])
		}
		add(n[0], month2(n[1]), "")
		add(n[1], month2(n[0]), "")
	case nameless && len(n) == 3:
		add(n[0], month2(n[1]), n[2])
		add(n[2], month2(n[0]), n[1])
		add(n[2], month2(n[1]), n[0])
	}
	return all
}

// monthNamed finds the month of a name or its abbreviation, in lower case; 0: none.
func monthNamed(word string) int {
	for i, names := range []string{
		"jan ene gen sty", "feb fév fev lut", "mar mär mrz mrt maa", "apr avr abr kwi", "may mai mei mag maj", "jun juin giu cze",
		"jul juil lug lip", "aug aoû ago sie", "sep set wrz", "oct okt ott out paź", "nov lis", "dec déc dez dic gru",
	} {
		for _, name := range strings.Fields(names) {
			if strings.HasPrefix(word, name) {
				return i + 1
			}
		}
	}
	return 0
}

func isWeekday(word string) bool {
	for day := time.Sunday; day <= time.Saturday; day++ {
		if len(word) >= 3 && strings.HasPrefix(strings.ToLower(day.String()), strings.ToLower(word)) {
			return true
		}
	}
	return false
}

// sameMoment reports whether a cell shows the date or time that a text may be, or its
// number: days since 1899-12-30, or since 1904-01-01.
func sameMoment(was, cell string) bool {
	const day = 24 * 60 * 60
	shown, numbers := momentsIn(cell, true), numbersIn(cell, true)
	for _, a := range momentsIn(was, false) {
		for _, b := range shown {
			if a.shows(b) {
				return true
			}
		}
		for _, n := range numbers {
			if a.month == 0 {
				if n.unit == "" && math.Abs(n.value*day-a.clock) < 1 {
					return true
				}
				continue
			}
			const earliest, latest = 10_000, 100_000 // from 1927 to 2173
			whole, part := math.Modf(n.value)
			if n.unit != "" || whole < earliest || whole > latest || part > 0 && a.clock < 0 {
				continue
			}
			for _, epoch := range []time.Time{time.Date(1899, 12, 30, 0, 0, 0, 0, time.UTC), time.Date(1904, 1, 1, 0, 0, 0, 0, time.UTC)} {
				t := epoch.AddDate(0, 0, int(whole))
				if a.shows(moment{t.Year(), int(t.Month()), t.Day(), false, math.Round(part * day), false}) {
					return true
				}
			}
		}
	}
	return false
}

// shows reports whether b is a, as far as both tell.
func (a moment) shows(b moment) bool {
	if a.month != b.month || a.day != b.day || (a.month == 0) != (b.month == 0) {
		return false
	}
	switch {
	case a.year == 0 || b.year == 0:
	case a.short || b.short:
		if a.year%100 != b.year%100 {
			return false
		}
	case a.year != b.year:
		return false
	}
	const minute, day = 60, 24 * 60 * 60
	x, y := math.Max(a.clock, 0), b.clock
	switch {
	case y < 0:
		return true // only the day is shown
	case a.month == 0 && a.toTheMinute && y == x/minute: // 1:30 may be minutes
		return true
	case b.toTheMinute:
		x, y = math.Floor(x/minute)*minute, math.Floor(y/minute)*minute
	}
	return math.Mod(x, day) == math.Mod(y, day)
}
