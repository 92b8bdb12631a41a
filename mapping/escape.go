package mapping

import "strings"

// Escape puts one apostrophe before a cell that a spreadsheet would run as a
// formula: one matching ^'*[=+\-@\t\r]. Unescape takes it off again, and an
// [Input] does so on reading, so that a file of ours comes back unchanged.
func Escape(cell string) string {
	if looksLikeFormula(cell) {
		return "'" + cell
	}
	return cell
}

// Unescape takes one apostrophe off a cell matching ^'+[=+\-@\t\r].
func Unescape(cell string) string {
	if strings.HasPrefix(cell, "'") && looksLikeFormula(cell) {
		return cell[1:]
	}
	return cell
}

func looksLikeFormula(cell string) bool {
	i := 0
	for i < len(cell) && cell[i] == '\'' {
		i++
	}
	if i == len(cell) {
		return false
	}
	switch cell[i] {
	case '=', '+', '-', '@', '\t', '\r':
		return true
	}
	return false
}
