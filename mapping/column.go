package mapping

import (
	"fmt"
	"strings"

	"rowbatch/mapping/csvfile"
)

// column is a heading with all that its cells go through.
type column struct {
	index       int
	heading     string
	field       *Field
	name        string
	words       words
	reserved    string // the API's own word for a clear
	rule        ColumnRule
	mapped      bool // values or expr make the text
	clearable   bool
	blankClears bool
}

func newColumn(h *heading, t target) column {
	k := t.field.Kind
	secret := t.field.Secret || csvfile.Fold(h.text) == passwordName
	return column{index: h.index, heading: h.text, field: t.field, name: t.name,
		words: words{number: k == Digits || k == Reference || k == Phone, secret: secret}}
}

// reject notes a problem, and of a secret none of the words that may quote it.
func (c *column) reject(out *Mapped, code, text string) {
	if c.words.secret {
		text = secretProblem(code)
	}
	out.Problems = append(out.Problems, Problem{code, c.heading, text})
}

func (c *column) cell(text string, clears bool) Cell {
	return Cell{Field: c.field, Name: c.name, Column: c.heading, Text: text, Clear: clears}
}

// set reads a cell that sets a field.
func (c *column) set(raw string, out *Mapped) {
	text, kind := c.words.read(raw)
	switch kind {
	case blank:
		c.leaveBlank(out)
	case clears:
		c.clear(out)
	case clearCase, broken, masked:
		c.rejectSpecial(kind, text, out)
	default:
		c.setText(text, kind, out)
	}
}

func (c *column) setText(text string, kind meaning, out *Mapped) {
	text, bad := c.value(text, kind)
	switch {
	case bad != nil:
		c.reject(out, bad.code, bad.text)
	case text == "":
		c.leaveBlank(out)
	default:
		if w := c.field.warning(text); w != "" {
			out.Warnings = append(out.Warnings, w)
		}
		out.Cells = append(out.Cells, c.cell(text, false))
	}
}

// leaveBlank keeps the field, or clears it under blank: clear. A blank cell of a
// field that cannot be cleared keeps it all the same: nobody wrote a word there.
func (c *column) leaveBlank(out *Mapped) {
	if c.blankClears {
		out.Cells = append(out.Cells, c.cell("", true))
	}
}

func (c *column) clear(out *Mapped) {
	switch {
	case c.clearable:
		out.Cells = append(out.Cells, c.cell("", true))
	case c.field.Clear == IfAllowed:
		c.reject(out, "not_clearable", "is cleared only when the mapping file's allow_clear names "+c.name)
	default:
		c.reject(out, "not_clearable", "cannot be cleared")
	}
}

func (c *column) rejectSpecial(kind meaning, text string, out *Mapped) {
	switch kind {
	case clearCase:
		literal := ""
		if !c.isReserved(text) {
			literal = fmt.Sprintf(`, or \%s for the word itself`, strings.TrimSpace(text))
		}
		c.reject(out, "clear_word_case", fmt.Sprintf(`%s: did you mean %s%s?`, quoted(text), c.words.clear, literal))
	case broken:
		c.reject(out, "spreadsheet_damage", quoted(text)+" is what a spreadsheet writes in place of a value it has lost")
	case masked:
		c.reject(out, "masked_value", "")
	}
}

// isReserved says that the API would take a text for a clear.
func (c *column) isReserved(text string) bool {
	return c.reserved != "" && strings.EqualFold(strings.TrimSpace(text), c.reserved)
}

// value takes a text through the mapping and the field's own checks; an empty one is blank.
func (c *column) value(text string, kind meaning) (string, *fault) {
	text, bad := c.rule.transform(text)
	if bad != nil || strings.TrimSpace(text) == "" {
		return "", bad
	}
	if c.mapped && kind != literal && c.words.nearlyClear(strings.TrimSpace(text)) {
		return "", badValue("values and expr cannot clear: they gave %s; only a cell of the file clears", quoted(text))
	}
	if c.isReserved(text) {
		return "", badValue("%s is the word that the API itself takes for a clear, and cannot be sent as a text; a backslash does not help here", quoted(text))
	}
	return c.field.check(text)
}

// identify reads the cell that names the customer.
func (c *column) identify(raw string, out *Mapped) {
	text, kind := c.words.read(raw)
	switch kind {
	case blank:
		c.reject(out, "missing_key", "the key is blank")
		return
	case clears:
		c.reject(out, "not_clearable", "the key cannot be cleared")
		return
	case clearCase, broken, masked:
		c.rejectSpecial(kind, text, out)
		return
	}
	text, bad := c.value(text, kind)
	switch {
	case bad == nil && text == "":
		c.reject(out, "missing_key", "the mapping file makes the key blank")
	case bad != nil && bad.code == "bad_value" && c.field.Kind == Digits:
		c.reject(out, "bad_id", bad.text)
	case bad != nil:
		c.reject(out, bad.code, bad.text)
	}
	if bad == nil {
		out.Key = text
	}
}

// guard reads a cell that the live record must match: text, in which only damage is special.
func (c *column) guard(raw string, out *Mapped) {
	text, kind := c.words.read(raw)
	if kind == broken || kind == masked {
		c.rejectSpecial(kind, text, out)
		return
	}
	out.Guards = append(out.Guards, c.cell(text, false))
}
