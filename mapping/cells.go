package mapping

import (
	"cmp"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/vm"

	"rowbatch/mapping/csvfile"
	"rowbatch/mapping/xlsxfile"
)

// column is a heading with all that its cells go through. The order of the rules
// for a cell: in an exported row, what is as it was says nothing (base.edited,
// before any of this); then read tells the special words from plain text; then
// set, identify or guard gives that its meaning, taking a text through the
// mapping file's rule and the field's own checks (value).
type column struct {
	index     int
	heading   string
	field     *Field
	name      string // of the field, with the member of a family
	clearWord string // "": nothing clears; guards know only text
	numeric   bool   // 1.23E+11 is damage here
	secret    bool   // the mask is special here, and no message quotes a cell
	reserved  string // the API's own word for a clear
	rule      ColumnRule

	clearable, blankClears bool
}

func newColumn(h *heading, t target) column {
	k := t.field.Kind
	return column{index: h.index, heading: h.text, field: t.field, name: t.name,
		numeric: k == Digits || k == Reference || k == Phone,
		secret:  t.field.Secret || csvfile.Fold(h.text) == passwordName}
}

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

// read sorts a cell as the input gives it, the escaping apostrophe already off.
// One backslash before a special cell makes it literal, and of several one goes:
// \\REMOVE is the text \REMOVE. Before anything else a backslash is a character
// like others.
func (c *column) read(cell string) (string, meaning) {
	trimmed := strings.TrimSpace(cell)
	switch {
	case trimmed == "":
		return "", blank
	case cell[0] == '\\':
		behind := strings.TrimSpace(strings.TrimLeft(cell, `\`))
		if c.special(behind) != plain || strings.HasPrefix(behind, "'") && csvfile.IsFormula(behind) {
			return cell[1:], literal
		}
		return cell, plain
	case c.clearWord != "" && cell == c.clearWord:
		return "", clears
	}
	return cell, c.special(trimmed)
}

// special returns plain for a text that is none of the special ones.
func (c *column) special(trimmed string) meaning {
	switch {
	case c.nearlyClear(trimmed):
		return clearCase
	case damaged(trimmed), c.numeric && scientific(trimmed):
		return broken
	case c.secret && trimmed == mask:
		return masked
	}
	return plain
}

func (c *column) nearlyClear(trimmed string) bool {
	return c.clearWord != "" && strings.EqualFold(trimmed, c.clearWord)
}

// set reads a cell that sets a field. was is what the field held when the row was
// exported, nil when that is not known: a cell that only the mapping file's rule,
// or a spreadsheet, makes other than it was is no edit.
func (c *column) set(raw string, was *string, out *Mapped) {
	text, kind := c.read(raw)
	if was != nil {
		switch {
		case kind == blank && !c.blankClears:
			out.Warnings = append(out.Warnings,
				c.heading+" was emptied since the export, and a blank cell keeps the field; write "+c.clearWord+" to clear it")
			return
		case (kind == plain || kind == literal) && c.ruledAlike(text, *was):
			return
		case kind == plain && respelt(*was, text):
			c.reject(out, "spreadsheet_damage", fmt.Sprintf("%s is what a spreadsheet makes of %s, as it was exported; "+
				"if it is meant, --no-base writes it", quoted(text), quoted(*was)))
			return
		}
	}
	switch kind {
	case blank: // a field that cannot be cleared is kept all the same: nobody wrote a word there
	case clears:
		if !c.clearable {
			why := "cannot be cleared"
			if c.field.Clear == IfAllowed {
				why = "is cleared only when the mapping file's allow_clear names " + c.name
			}
			c.reject(out, "not_clearable", why)
			return
		}
	case plain, literal:
		var bad *Problem
		if text, bad = c.value(text, kind); bad != nil {
			c.reject(out, bad.Code, bad.Text)
			return
		}
	default:
		c.rejectSpecial(kind, text, out)
		return
	}
	if text == "" {
		if kind == clears || c.blankClears {
			out.Cells = append(out.Cells, Cell{Field: c.field, Name: c.name, Column: c.heading, Clear: true, Was: was})
		}
		return
	}
	if n := lengthOver(text, c.field.WarnOver); n > 0 {
		out.Warnings = append(out.Warnings,
			fmt.Sprintf("%s has %d characters, and more than %d may be refused", c.field.Name, n, c.field.WarnOver))
	}
	out.Cells = append(out.Cells, Cell{Field: c.field, Name: c.name, Column: c.heading, Text: text, Was: was})
}

// ruledAlike reports whether the mapping file's rule makes the same of a cell and
// of what was exported: what the rule would do to the exported cell is no edit of
// the row.
func (c *column) ruledAlike(text, was string) bool {
	now, bad := c.transform(text)
	if bad != nil {
		return false
	}
	before, bad := c.transform(was)
	return bad == nil && now == before
}

// identify reads the cell that names the customer.
func (c *column) identify(raw string, out *Mapped) {
	text, kind := c.read(raw)
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
	case bad != nil && bad.Code == "bad_value" && c.field.Kind == Digits:
		c.reject(out, "bad_id", bad.Text)
	case bad != nil:
		c.reject(out, bad.Code, bad.Text)
	case text == "":
		c.reject(out, "missing_key", "the mapping file makes the key blank")
	default:
		out.Key = text
	}
}

// guard reads a cell that the live record must match: text, in which only damage is special.
func (c *column) guard(raw string, out *Mapped) {
	text, kind := c.read(raw)
	if kind == broken || kind == masked {
		c.rejectSpecial(kind, text, out)
		return
	}
	out.Guards = append(out.Guards, Cell{Field: c.field, Name: c.name, Column: c.heading, Text: text})
}

// value takes a text through the mapping file's rule and the field's own checks;
// an empty one is blank.
func (c *column) value(text string, kind meaning) (string, *Problem) {
	text, bad := c.transform(text)
	trimmed := strings.TrimSpace(text)
	if bad != nil || trimmed == "" {
		return "", bad
	}
	if ruled := c.rule.Values != nil || c.rule.expression != nil; ruled && kind != literal && c.nearlyClear(trimmed) {
		return "", problem("bad_value", "values and expr cannot clear: they gave %s; only a cell of the file clears", quoted(text))
	}
	if c.isReserved(text) {
		return "", problem("bad_value", "%s is the word that the API itself takes for a clear, and cannot be sent as a text; "+
			"a backslash does not help here", quoted(text))
	}
	return c.field.check(text)
}

// transform takes a text through the mapping file's rule: trim, lower, values, expr.
func (c *column) transform(text string) (string, *Problem) {
	if c.rule.Trim {
		text = strings.TrimSpace(text)
	}
	if c.rule.Lower {
		text = strings.ToLower(text)
	}
	if c.rule.Values != nil {
		mapped, ok := c.rule.Values[text]
		if !ok {
			return "", problem("not_allowed_value", "%s is not among the values of the mapping file", quoted(text))
		}
		text = mapped
	}
	if c.rule.expression == nil {
		return text, nil
	}
	result, err := expr.Run(c.rule.expression, environment{text})
	if err != nil {
		return "", problem("bad_value", "the mapping file's expr fails on %s: %s", quoted(text), firstLine(err))
	}
	given, ok := result.(string)
	if !ok {
		return "", problem("bad_value", "the mapping file's expr gives no text for %s", quoted(text))
	}
	return given, nil
}

// isReserved reports whether the API would take a text for a clear.
func (c *column) isReserved(text string) bool {
	return c.reserved != "" && strings.EqualFold(strings.TrimSpace(text), c.reserved)
}

func (c *column) rejectSpecial(kind meaning, text string, out *Mapped) {
	switch kind {
	case clearCase:
		literal := ""
		if !c.isReserved(text) {
			literal = fmt.Sprintf(`, or \%s for the word itself`, strings.TrimSpace(text))
		}
		c.reject(out, "clear_word_case", fmt.Sprintf(`%s: did you mean %s%s?`, quoted(text), c.clearWord, literal))
	case broken:
		c.reject(out, "spreadsheet_damage", quoted(text)+" is what a spreadsheet writes in place of a value it has lost")
	case masked:
		c.reject(out, "masked_value", "")
	}
}

// reject notes a problem, and of a secret none of the words that may quote it.
func (c *column) reject(out *Mapped, code, text string) {
	if c.secret {
		text = secretProblem(code)
	}
	p := Problem{Code: code, Column: c.heading, Text: text}
	if out.places != nil && out.row.Line > 0 {
		p.Cell = out.places[c.index] + strconv.Itoa(out.row.Line)
	}
	out.Problems = append(out.Problems, p)
}

// spoiltMark begins such a cell in every copy of its row. In failed.csv it would else
// be text like any other, and be sent when that file is run again as it is.
const spoiltMark = "#DAMAGED!"

// spoilt rejects a cell that a sheet does not hold as it shows it, or holds as
// something else than its column is for.
func (c *column) spoilt(out *Mapped) bool {
	if out.row.Forms == "" {
		return false
	}
	form := xlsxfile.Form(out.row.Forms[c.index])
	why := form.Damage()
	if c.numeric {
		why = form.DamagesNumber()
	}
	if why == "" {
		return false
	}
	if cell := strings.TrimSpace(strings.TrimPrefix(out.row.Cells[c.index], spoiltMark)); cell != "" {
		why = quoted(cell) + " " + why
	}
	out.spoilt = append(out.spoilt, c.index)
	c.reject(out, "spreadsheet_damage", why)
	return true
}

// environment is all that an expression sees.
type environment struct {
	Cell string `expr:"cell"`
}

// compileExpression leaves the clock out, so that a row means the same each
// time it is read.
func compileExpression(code string) (*vm.Program, error) {
	return expr.Compile(code, expr.Env(environment{}), expr.AsKind(reflect.String), expr.DisableBuiltin("now"))
}

func firstLine(err error) string {
	line, _, _ := strings.Cut(err.Error(), "\n")
	return line
}

// damaged reports whether a cell, trimmed, is what a spreadsheet writes in place
// of a value: an error in any of its languages (#N/A, #REF!, #DIV/0!, #¿NOMBRE?,
// LibreOffice's Err:502), or hashes for a column too narrow.
func damaged(cell string) bool {
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

// respelt reports whether a cell is what a spreadsheet makes of a text which it
// takes for a number or a date: 7 of 007, 1.5 of 1.50, no more than 15 digits of
// any, and 1/2/2026 of 2026-01-02.
func respelt(text, cell string) bool {
	const mostDigits = 15 // that spreadsheets keep of a number
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
	whole = cmp.Or(strings.TrimLeft(whole, "0"), "0")
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
