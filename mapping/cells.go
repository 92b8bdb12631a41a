package mapping

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"rowbatch/mapping/csvfile"
	"rowbatch/mapping/xlsxfile"
)

// column is a heading with all that its cells go through. The order of the rules
// for a cell: in an exported row, what is as it was says nothing (base.edited, and
// set for what differs in its ends only); then read tells the clear word, marks of
// what is meant, blanks, and what no value looks like; then set, identify or guard
// gives that its meaning, taking a text through the mapping file's rule and the
// field's own checks (value).
type column struct {
	index     int
	joined    []int // the columns whose texts it joins; nil: it is one column
	heading   string
	field     *Field
	name      string // of the field, with the member of a family
	clearWord string // "": nothing clears; guards know only text
	reserved  string // the API's own word for a clear
	blanks    []string
	rule      ColumnRule

	secret      bool // the mask is special here, and no message quotes a cell
	typed       bool // only people and spreadsheets' errors wrote here: no date or exponent is damage
	readable    bool // a record may already hold what is rejected as damage
	clearable   bool
	blankClears bool
}

func newColumn(h *heading, t target) column {
	secret := t.field.Secret || csvfile.Fold(h.text) == passwordName
	return column{index: h.index, joined: h.joined, heading: h.text, field: t.field, name: t.name, secret: secret,
		typed: secret && t.field.Kind == Text}
}

// cell returns a row's cell as the input gives it. Of several columns each part is read by
// itself, and what they say is put so that it reads as just that. Not ok is what rejects
// the row already.
func (c *column) cell(cells []string, out *Mapped) (cell string, ok bool) {
	if c.joined == nil {
		return cells[c.index], true
	}
	var texts, raw []string
	cleared := false
	for _, i := range c.joined {
		part := *c
		part.index, part.joined, part.readable = i, nil, false // the record holds no part of a text
		text, kind := part.read(cells[i], nil, out.form(&part))
		switch kind {
		case blank:
			continue
		case clears:
			cleared = true
		case plain, literal:
			texts = append(texts, trimEnds(text))
		default:
			part.rejectSpecial(kind, text, nil, out)
			return "", false
		}
		raw = append(raw, cells[i])
	}
	switch {
	case cleared && len(texts) > 0:
		c.reject(out, "bad_value", c.clearWord+" stands beside a text in the columns that are joined: clear all of them, or none")
		return "", false
	case cleared:
		return c.clearWord, true
	case len(raw) == 1:
		return raw[0], true
	}
	cell = strings.Join(texts, " ")
	if text, kind := c.read(cell, nil, out.form(c)); len(texts) > 0 && (kind != plain || text != cell) {
		cell = `\` + cell
	}
	return cell, true
}

// meaning is what a cell says before its field is looked at.
type meaning int

const (
	plain      meaning = iota
	literal            // a mark tells that it is meant as it stands
	blank              // leave the field as it is
	clears             // the clear word
	clearCase          // almost the clear word
	noValue            // a word for the lack of a value
	broken             // by the spreadsheet
	notAsShown         // a sheet does not hold it as it shows it, or holds what its column is not for
	respelt            // by the spreadsheet, from what was exported
	masked             // what our own files show in place of a secret
)

// read sorts a cell as the input gives it. was is what was exported there; nil: that is
// not known. One backslash before a special cell makes it literal, and of several one
// goes: \\REMOVE is the text \REMOVE. Before anything else a backslash is a character
// like others, except that no phone number begins with one. An apostrophe that keeps a spreadsheet from running or shortening the
// cell makes it literal, too; a word that the mapping file names is that word all the same.
// form is how a sheet holds the cell, 0 for a text file's.
func (c *column) read(cell string, was *string, form xlsxfile.Form) (string, meaning) {
	trimmed := trimEnds(cell)
	switch {
	case c.damage(form) != "" && !slices.Contains(c.blanks, trimmed):
		return cell, notAsShown
	case trimmed == "":
		return "", blank
	}
	open, guarded := cell, false
	if trimmed[0] == '\'' {
		marked := trimmed
		if cell[0] == '\'' {
			marked = cell // what is behind the mark may be a tab
		}
		open = csvfile.Unescape(marked)
		if guarded = open != marked; trimEnds(open) == "" {
			return "", blank
		}
	}
	switch {
	case c.clearWord != "" && open == c.clearWord:
		return "", clears
	case trimmed[0] == '\\':
		behind := trimEnds(strings.TrimLeft(trimmed, `\`))
		switch {
		case c.special(behind, was, form) != plain, behind == "N" && trimmed != `\N`, csvfile.Unescape(behind) != behind:
			return strings.Replace(cell, `\`, "", 1), literal
		case c.field.Kind == Phone && behind != "" && trimmed != `\N`:
			return behind, literal
		}
	case len(c.blanks) > 0 && slices.Contains(c.blanks, trimEnds(open)):
		return "", blank
	case guarded:
		trimmed = trimEnds(open)
		if _, twice := unguarded(trimmed); !twice {
			return open, literal
		}
		fallthrough
	case trimmed[0] == '=':
		if inner, guarded := unguarded(trimmed); guarded {
			switch text, kind := c.read(inner, was, form); kind {
			case plain:
				return text, literal
			case clears:
				return inner, clearCase
			default:
				return text, kind
			}
		}
	}
	return cell, c.special(cell, was, form)
}

// special returns plain for a text that is none of the special ones.
func (c *column) special(cell string, was *string, form xlsxfile.Form) meaning {
	typed := c.typed || form == xlsxfile.Typed
	switch trimmed := trimEnds(cell); {
	case trimmed == "", c.rule.Dates != "" && isoDate(c.rule.Dates, trimmed) != "":
	case c.nearlyClear(trimmed):
		return clearCase
	case c.secret && trimmed == mask:
		return masked
	case isNoValue(trimmed), len(c.blanks) > 0 && slices.Contains(c.blanks, trimmed):
		return noValue
	case was != nil && rewritten(*was, trimmed):
		return respelt
	case isError(trimmed), !typed && isDamaged(cell, trimmed),
		c.identifies() && scientific(trimmed), c.field.Kind == Phone && isDamagedPhone(trimmed):
		return broken
	}
	return plain
}

// damage says what is wrong with a cell of a form; "" for nothing.
func (c *column) damage(form xlsxfile.Form) string {
	if c.identifies() {
		return form.DamagesNumber()
	}
	return form.Damage()
}

// identifies reports whether digits matter in the field: nobody types 1.23E+11 there.
func (c *column) identifies() bool {
	k := c.field.Kind
	return k == Digits || k == Reference || k == Phone
}

func (c *column) nearlyClear(trimmed string) bool {
	return c.clearWord != "" && (strings.EqualFold(trimmed, c.clearWord) || readsLike(trimmed, c.clearWord))
}

// set reads a cell that sets a field. was is what the field held when the row was
// exported, nil when that is not known: a cell that only the mapping file's rule,
// or a spreadsheet, makes other than it was is no edit.
func (c *column) set(raw string, was *string, out *Mapped) {
	if was != nil && c.trims() && raw != "" && trimEnds(csvfile.Unescape(raw)) == trimEnds(*was) {
		out.warn(c.heading + " differs from the export in white space or invisible characters at its ends only: the field is kept")
		return
	}
	text, kind := c.read(raw, was, out.form(c))
	switch {
	case was == nil:
	case kind == blank && !c.blankClears:
		if trimEnds(*was) != "" {
			out.warn(c.heading + " was emptied since the export, and a blank cell keeps the field; write " + c.clearWord + " to clear it")
		}
		return
	case (kind == plain || kind == literal) && c.ruledAlike(text, *was):
		return
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
		c.rejectSpecial(kind, text, was, out)
		return
	}
	sets := Cell{Field: c.field, Name: c.name, Column: c.heading, Text: text, Clear: text == "", Was: was, OnlyIfBlank: c.rule.OnlyIfBlank}
	if sets.Clear {
		if kind == clears || c.blankClears {
			out.Cells = append(out.Cells, sets)
		}
		return
	}
	if n := lengthOver(text, c.field.WarnOver); n > 0 {
		out.warn(fmt.Sprintf("%s has %d characters, and more than %d may be refused", c.field.Name, n, c.field.WarnOver))
	}
	if c.field.Kind == Phone && hasWords(text) {
		out.warn(c.heading + " holds letters, and is to be a phone number: " + quoted(text))
	}
	if kind == plain && !c.secret && strings.HasPrefix(text, `\`) && (was == nil || !strings.HasPrefix(trimEnds(*was), `\`)) {
		out.warn(c.heading + " begins with a backslash that this cell does not need, and that is sent with it")
	}
	out.Cells = append(out.Cells, sets)
}

func (c *column) trims() bool { return !c.secret && !c.rule.Keep }

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
	text, kind := c.read(raw, nil, out.form(c))
	if behind := strings.TrimPrefix(trimEnds(text), `\`); kind == plain && behind != trimEnds(text) && strings.HasPrefix(behind, "#") {
		text, kind = strings.Replace(text, `\`, "", 1), literal // and not a note
	}
	switch kind {
	case blank:
		c.reject(out, "missing_key", "the key is blank")
		return
	case clears:
		c.reject(out, "not_clearable", "the key cannot be cleared")
		return
	case plain, literal:
	default:
		c.rejectSpecial(kind, text, nil, out)
		return
	}
	padded := trimEnds(text) != text // a rule says what is meant
	text, bad := c.value(text, kind)
	switch {
	case bad != nil && bad.Code == "bad_value" && c.field.Kind == Digits:
		c.reject(out, "bad_id", bad.Text)
	case bad != nil:
		c.reject(out, bad.Code, bad.Text)
	case text == "":
		c.reject(out, "missing_key", "the mapping file makes the key blank")
	case padded && c.field.Kind != Digits && !c.rule.Trim:
		c.reject(out, "bad_value", fmt.Sprintf("%s begins or ends with white space or an invisible character: "+
			"is the customer meant whose key has it, or the one without?", quoted(raw)))
	default:
		out.Key = text
	}
}

// guard reads a cell that the live record must match: text, in which only a
// spreadsheet's errors are special.
func (c *column) guard(raw string, out *Mapped) {
	text, kind := c.read(raw, nil, out.form(c))
	if kind == masked || kind == notAsShown || kind == broken && isError(trimEnds(text)) {
		c.rejectSpecial(kind, text, nil, out)
		return
	}
	out.Guards = append(out.Guards, Cell{Field: c.field, Name: c.name, Column: c.heading, Text: trimEnds(text)})
}

// value takes a text through the mapping file's rule and the field's own checks;
// an empty one is blank.
func (c *column) value(text string, kind meaning) (string, *Problem) {
	text, bad := c.transform(text)
	trimmed := trimEnds(text)
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

// transform takes a text through trimming and the mapping file's rule: dates, lower, values, expr.
func (c *column) transform(text string) (string, *Problem) {
	if c.trims() {
		text = trimEnds(text)
	}
	if c.rule.Dates != "" {
		date := isoDate(c.rule.Dates, trimEnds(text))
		if date == "" {
			return "", problem("bad_value", "%s is no date as the mapping file's dates (%s) writes it", quoted(text), c.rule.Dates)
		}
		text = date
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
	result, err := evaluate(c.rule.expression, text)
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
	return c.reserved != "" && strings.EqualFold(trimEnds(text), c.reserved)
}

// rejectSpecial notes what a special cell looks like. Of one that a record may already
// hold, it notes the text, too.
func (c *column) rejectSpecial(kind meaning, text string, was *string, out *Mapped) {
	trimmed := trimEnds(text)
	meant := "if it is meant, write \\" + trimmed
	switch kind {
	case clearCase:
		literal := ""
		if !c.isReserved(text) {
			literal = fmt.Sprintf(`, or \%s for the word itself`, trimmed)
		}
		c.reject(out, "clear_word_case", fmt.Sprintf(`%s: did you mean %s%s?`, quoted(text), c.clearWord, literal))
		return
	case masked:
		c.reject(out, "masked_value", "")
		return
	case noValue:
		c.reject(out, "no_value_word", quoted(text)+" reads like a word for no value: leave the cell blank to keep the field; "+meant)
	case broken:
		c.reject(out, "spreadsheet_damage", quoted(text)+" is what a spreadsheet writes in place of a value that it has lost; "+meant)
	case notAsShown:
		why := c.damage(out.form(c))
		if trimmed = trimEnds(strings.TrimPrefix(trimmed, spoiltMark)); trimmed != "" {
			why = quoted(trimmed) + " " + why
		}
		out.spoilt = append(out.spoilt, c.index)
		c.reject(out, "spreadsheet_damage", why)
	case respelt:
		c.reject(out, "spreadsheet_damage",
			fmt.Sprintf("%s is what a spreadsheet makes of %s, as it was exported; %s", quoted(text), quoted(*was), meant))
	}
	if k := c.field.Kind; c.readable && k != Digits && k != Enum && trimmed != "" {
		out.Problems[len(out.Problems)-1].Held = &Cell{Field: c.field, Name: c.name, Column: c.heading, Text: trimmed, Was: was}
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

func firstLine(err error) string {
	line, _, _ := strings.Cut(err.Error(), "\n")
	return line
}
