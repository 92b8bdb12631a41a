package mapping

import (
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// damaged says that a cell, trimmed, is what a spreadsheet writes in place of a
// value: an error in any of its languages, or hashes for a column too narrow.
func damaged(cell string) bool {
	if cell == "" || cell[0] != '#' {
		return calcError(cell)
	}
	if len(cell) > 1 && strings.Trim(cell, "#") == "" {
		return true
	}
	upper := strings.ToUpper(cell)
	return slices.Contains(errorsWithoutMark(), upper) || errorShape(cell)
}

// errorsWithoutMark are the spreadsheet errors that do not end in ! or ?.
func errorsWithoutMark() []string {
	return []string{"#N/A", "#NV", "#N/D", "#N/B", "#I/T", "#YOK", "#GETTING_DATA", "#HIÁNYZIK", "#NENÍ_K_DISPOZICI", "#Н/Д"}
}

// errorShape matches #REF!, #DIV/0!, #BEZUG!, #¿NOMBRE? and their kin.
func errorShape(cell string) bool {
	last := cell[len(cell)-1]
	if len(cell) < 3 || last != '!' && last != '?' {
		return false
	}
	inner := cell[1 : len(cell)-1]
	return strings.ContainsFunc(inner, unicode.IsUpper) && !strings.ContainsFunc(inner, func(r rune) bool {
		return !unicode.IsUpper(r) && !unicode.IsDigit(r) && !strings.ContainsRune("/_¡¿", r)
	})
}

// calcError matches Err:502, as LibreOffice writes it.
func calcError(cell string) bool {
	number, ok := strings.CutPrefix(cell, "Err:")
	return ok && len(number) == 3 && allDigits(number)
}

// scientific matches 1.23E+11: a long number whose digits the spreadsheet has
// lost. The sign is always there, so that a reference such as 12E5 is none.
func scientific(cell string) bool {
	e := 0
	for e < len(cell) && (isDigit(cell[e]) || cell[e] == '.' || cell[e] == ',') {
		e++
	}
	if e < 1 || e == len(cell) || cell[e] != 'e' && cell[e] != 'E' || e+2 >= len(cell) || cell[e+1] != '+' && cell[e+1] != '-' {
		return false
	}
	whole, fraction, _ := strings.Cut(strings.Replace(cell[:e], ",", ".", 1), ".")
	return whole != "" && allDigits(whole) && allDigits(fraction) && allDigits(cell[e+2:])
}

func allDigits(s string) bool {
	for i := range len(s) {
		if !isDigit(s[i]) {
			return false
		}
	}
	return true
}

func isDigit(b byte) bool { return b >= '0' && b <= '9' }

// respelt says that a cell is what a spreadsheet makes of a text which it takes for
// a number or a date: 7 of 007, 1.5 of 1.50, no more than 15 digits of any, and
// 1/2/2026 of 2026-01-02.
func respelt(text, cell string) bool {
	if day, isDay := asDay(text); isDay && text != cell {
		other, isToo := asDay(cell)
		return isToo && day == other
	}
	before, isNumber := asNumber(text)
	after, isToo := asNumber(cell)
	if !isNumber || !isToo || text == cell {
		return false
	}
	return before == after || len(before) == len(after) && len(before) > mostDigits &&
		before[:mostDigits] == after[:mostDigits] && strings.Trim(after[mostDigits:], "0") == ""
}

// mostDigits is how many digits of a number spreadsheets keep.
const mostDigits = 15

// asNumber writes a plain decimal number in one way only; a point stands for the
// comma of other countries.
func asNumber(text string) (string, bool) {
	text, negative := strings.CutPrefix(text, "-")
	if !negative {
		text = strings.TrimPrefix(text, "+")
	}
	whole, fraction, point := strings.Cut(strings.Replace(text, ",", ".", 1), ".")
	if whole == "" || point && fraction == "" || !allDigits(whole) || !allDigits(fraction) {
		return "", false
	}
	if whole = strings.TrimLeft(whole, "0"); whole == "" {
		whole = "0"
	}
	if fraction = strings.TrimRight(fraction, "0"); fraction != "" {
		whole += "." + fraction
	}
	if negative {
		whole = "-" + whole
	}
	return whole, true
}

// asDay takes a date of digits apart, whatever the order of its parts: year, and
// the two others in ascending order. Of a year of two digits the century is ours.
func asDay(text string) (day [3]int, ok bool) {
	parts := strings.FieldsFunc(text, func(r rune) bool { return r == '-' || r == '/' || r == '.' })
	if len(parts) != 3 || len(text) < len("1/2/26") || len(text) > len("2026-01-02") {
		return day, false
	}
	year := 2
	if len(parts[0]) == 4 {
		year = 0
	}
	for i, part := range parts {
		n, err := strconv.Atoi(part)
		if err != nil || !allDigits(part) || i != year && len(part) > 2 {
			return day, false
		}
		day[(i-year+len(parts))%len(parts)] = n
	}
	if day[0] < 100 {
		day[0] += 2000
	}
	day[1], day[2] = min(day[1], day[2]), max(day[1], day[2])
	return day, day[1] > 0 && day[1] <= 12 && day[2] <= 31
}
