package csvfile

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// exportHeading is the column that tells from which export a row comes. Of all
// columns whose name begins with rb_ it alone has a meaning on input, and is kept.
const exportHeading = "rb_export"

// IsExport reports whether a heading is that of the column rb_export.
func IsExport(heading string) bool {
	return strings.EqualFold(strings.TrimSpace(heading), exportHeading)
}

// IsOurs reports whether a column of this heading was written by a report.
func IsOurs(heading string) bool {
	heading = strings.TrimSpace(heading)
	return len(heading) >= 3 && strings.EqualFold(heading[:3], "rb_") && !IsExport(heading)
}

// Own are the columns of our own reports in a file.
type Own struct{ columns map[string]int } // by heading, in lower case

// Add enters a column of a heading that [IsOurs].
func (o *Own) Add(heading string, column int) {
	if o.columns == nil {
		o.columns = map[string]int{}
	}
	o.columns[strings.ToLower(strings.TrimSpace(heading))] = column
}

// IsReport reports whether the file is a report of ours, edited or not.
func (o *Own) IsReport() bool {
	_, is := o.columns["rb_outcome"]
	return is
}

// WasRagged reports whether a report's row is told to have had too many or too few cells.
func (o *Own) WasRagged(cell func(column int) string) bool {
	return o.cell("rb_error_code", cell) == "ragged_row"
}

// WasNotTaken reports whether a report's row was left out before its cells were all found to
// be good. What looks like a formula in it, or like another damage, was escaped by us, and is
// not meant as what stands behind that.
func (o *Own) WasNotTaken(cell func(column int) string) bool {
	if !o.IsReport() {
		return o.cell("rb_error_code", cell) != ""
	}
	return slices.Contains([]string{"rejected", "conflict", "not_attempted", "skipped"}, o.cell("rb_outcome", cell))
}

func (o *Own) cell(heading string, of func(column int) string) string {
	at, ok := o.columns[heading]
	if !ok {
		return ""
	}
	return strings.TrimSpace(of(at))
}

// Fold makes names equal that differ in letter case, white space, _ and - only.
func Fold(name string) string {
	return strings.Map(func(r rune) rune {
		if r == '_' || r == '-' || unicode.IsSpace(r) {
			return -1
		}
		return unicode.ToLower(r)
	}, name)
}

// MentionsPassword reports whether a heading may stand over passwords.
func MentionsPassword(heading string) bool {
	return strings.Contains(Fold(heading), "password")
}

// Escape puts one apostrophe before a value that a spreadsheet would run as a
// formula, or that reading would take an apostrophe off: one matching
// ^'*[=+\-@＝＋－＠\t\r] or ^'+\d+$. Unescape takes it off again, so that a file of
// ours comes back unchanged.
func Escape(value string) string {
	if IsFormula(value) || isGuarded(value) {
		return "'" + value
	}
	return value
}

// Unescape takes one apostrophe off a cell matching ^'+([=+\-@＝＋－＠\t\r]|\d+$): one
// of ours, or the one with which people keep leading zeros.
func Unescape(cell string) string {
	if strings.HasPrefix(cell, "'") && (IsFormula(cell) || isGuarded(cell)) {
		return cell[1:]
	}
	return cell
}

// AsItCame is a cell of a row that a report [Own.WasNotTaken]: our own apostrophe before it
// is taken off. A cell that came with one got no second.
func AsItCame(cell string) string {
	if strings.HasPrefix(cell, "''") || !IsFormula(cell) {
		return cell
	}
	return Unescape(cell)
}

// IsFormula reports whether a spreadsheet would run a cell, any apostrophes
// before it aside. Some take the full-width signs for the others.
func IsFormula(cell string) bool {
	first, _ := utf8.DecodeRuneInString(strings.TrimLeft(cell, "'"))
	return strings.ContainsRune("=+-@＝＋－＠\t\r", first)
}

// isGuarded reports whether an apostrophe keeps a spreadsheet from taking digits for a number.
func isGuarded(cell string) bool {
	digits := strings.TrimLeft(cell, "'")
	return len(digits) < len(cell) && digits != "" && strings.Trim(digits, "0123456789") == ""
}
