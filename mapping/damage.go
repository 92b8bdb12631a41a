package mapping

import (
	"slices"
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
	e := strings.IndexAny(cell, "eE")
	if e < 1 || e+2 >= len(cell) || cell[e+1] != '+' && cell[e+1] != '-' {
		return false
	}
	whole, fraction, _ := strings.Cut(strings.Replace(cell[:e], ",", ".", 1), ".")
	return whole != "" && allDigits(whole) && allDigits(fraction) && allDigits(cell[e+2:])
}

func allDigits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}
