package mapping

import (
	"strings"

	"rowbatch/mapping/csvfile"
)

// meaning is what a cell says before its field is looked at.
type meaning int

const (
	plain     meaning = iota
	literal           // a backslash was taken off a special cell
	blank             // leave the field as it is
	clears            // the clear word
	clearCase         // almost the clear word
	broken            // by the spreadsheet
	masked            // what our own files show in place of a secret
)

// words are the special cells of one column. An empty clear word is none:
// guards know only text.
type words struct {
	clear  string
	number bool // 1.23E+11 is damage here
	secret bool // the mask is special here
}

// read sorts a cell as the [Input] gives it, the escaping apostrophe already
// off. One backslash before a special cell makes it literal, and of several
// one goes: \\REMOVE is the text \REMOVE. Before anything else a backslash is
// a character like others.
func (w words) read(cell string) (string, meaning) {
	trimmed := strings.TrimSpace(cell)
	switch {
	case trimmed == "":
		return "", blank
	case cell[0] == '\\':
		if w.special(strings.TrimSpace(strings.TrimLeft(cell, `\`))) {
			return cell[1:], literal
		}
		return cell, plain
	case w.clear != "" && cell == w.clear:
		return "", clears
	case w.nearlyClear(trimmed):
		return cell, clearCase
	case w.damaged(trimmed):
		return cell, broken
	case w.masked(trimmed):
		return "", masked
	}
	return cell, plain
}

func (w words) special(trimmed string) bool {
	return w.nearlyClear(trimmed) || w.damaged(trimmed) || w.masked(trimmed) ||
		strings.HasPrefix(trimmed, "'") && csvfile.IsFormula(trimmed)
}

func (w words) nearlyClear(trimmed string) bool {
	return w.clear != "" && strings.EqualFold(trimmed, w.clear)
}

func (w words) damaged(trimmed string) bool {
	return damaged(trimmed) || w.number && scientific(trimmed)
}

func (w words) masked(trimmed string) bool { return w.secret && trimmed == mask }
