package mapping

import (
	"cmp"
	"errors"
	"fmt"
	"hash/maphash"
	"io"
	"math/bits"
	"slices"
	"strconv"
	"strings"

	"rowbatch/mapping/csvfile"
)

// Sink is given the rows of an input as they are checked, ragged ones too. The cells
// are masked, and valid during the call only; base is what the row was when it
// was exported; hidden are the texts that [Mapper.Unmask] needs, nil when there
// are none. They may be kept in memory, and nowhere else. warnings are remarks about
// the cells.
type Sink func(row csvfile.Row, base *Base, hidden, warnings []string) error

// CheckOptions change what Check lets pass.
type CheckOptions struct {
	AllowDuplicates bool    // a customer may stand in several rows
	Delimiter       rune    // of the input; 0: it has none
	Exports         Exports // what rows were when they were exported; nil: they are not compared

	Findings bool // look at what is odd of whole columns, too

	// About is told of each row, in order, whom it is about; nil: nobody is. The
	// texts are valid during the call only.
	About func(Subject)
}

// Subject is the customer that a row is about. Field and Key are empty where the
// row does not tell.
type Subject struct {
	Line               int // of the input, where the row starts
	System, Field, Key string
}

const (
	mostWarnings = 20
	mostUses     = 10_000
)

// Input is a file of rows: text, or a sheet of a workbook.
type Input interface {
	Name() string // as it was given
	Heading() []string
	HeadingLine() (line int, titles bool)    // where it starts, and whether titles stand above it
	ColumnOf(heading string) (letter string) // as a spreadsheet calls it; "" where there is none
	Unnamed() int                            // columns left out because they have no heading
	IsReport() bool                          // the file is a report of ours, edited or not
	HideLines()                              // no message shows a line from here on
	Next() (csvfile.Row, error)              // io.EOF after the last; a *csvfile.Refusal is about the whole file
}

// Check reads an input to its end and looks at all that needs no request. Rows
// whose every cell is blank, which spreadsheets leave behind, are dropped and
// counted; all others go to the sink, which may be nil. The error is a
// [*csvfile.Refusal] when the whole input is refused, else the reading's or the
// sink's own.
func Check(in Input, m *Mapper, sink Sink, o CheckOptions) (*Checked, error) {
	c := newChecker(m, o)
	if m.HasSecrets() {
		in.HideLines()
	}
	for {
		row, err := in.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		if !slices.ContainsFunc(row.Cells, func(cell string) bool { return trimEnds(cell) != "" }) {
			c.result.BlankRows++
			continue
		}
		var base *Base
		if !row.Ragged {
			if base, err = baseOf(m, row, o.Exports); err != nil {
				return nil, err
			}
		}
		c.row(row, base)
		if sink == nil {
			continue
		}
		if !row.Ragged {
			for _, i := range c.mapped.spoilt {
				if !isError(row.Cells[i]) {
					row.Cells[i] = strings.TrimSpace(spoiltMark + " " + row.Cells[i])
				}
			}
		}
		var hidden, warnings []string
		if row.Cells, hidden = m.Mask(row); !row.Ragged {
			warnings = c.mapped.Warnings
		}
		if err := sink(row, base, hidden, warnings); err != nil {
			return nil, err
		}
	}
	c.findSwallowed()
	if refusal := c.refusal(in); refusal != nil {
		return nil, refusal
	}
	c.across()
	c.result.Findings = findings(c.suspects)
	return c.result, nil
}

// Recheck looks once more at the rows of an input that Check has let pass, such
// as a run's copy of them: all that Check found of each row is found again.
func Recheck(rows interface {
	Next() (csvfile.Row, *Base, error)
}, m *Mapper, o CheckOptions) (*Checked, error) {
	c := newChecker(m, o)
	for {
		row, base, err := rows.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		c.row(row, base)
	}
	c.findSwallowed()
	c.across()
	return c.result, nil
}

// checker is Check on its way through the rows.
type checker struct {
	mapper  *Mapper
	options CheckOptions
	result  *Checked
	mapped  Mapped // used again for each row
	hash    func(string) uint64

	keys      []uint64 // by row: who it is about; 0: unknown
	parents   []uint64 // by row: the parent it sets, or 0; empty when no column does
	hasParent bool
	unique    map[string][]uniqueValue // by the field's rule

	strays   *strays
	suspects []*suspect   // none: whole columns are not looked at
	filled   []int        // by column: cells that are not empty
	words    map[word]int // how many cells of a column are one word for no value
	uses     map[Use]bool
	ragged   spoilt
	broken   spoilt
}

// spoilt is how many rows are so, and the first of them.
type spoilt struct {
	rows, line   int
	column, text string
}

// word is what stands in cells of a column, trimmed.
type word struct {
	column int
	text   string
}

// uniqueValue is a value that no two customers may have, hashed, and the row
// that gives it to its customer.
type uniqueValue struct {
	value uint64
	row   int
}

// newChecker hashes texts to 64 bits: in a million rows two different ones meet
// once in thirty million runs, and a needless rejection is all that comes of it.
// It lists the kinds of rows that a mapper tells apart: for each action those by
// key column, and that of rows which name no customer.
func newChecker(m *Mapper, o CheckOptions) *checker {
	seed := maphash.MakeSeed()
	c := &checker{
		mapper:  m,
		options: o,
		result:  &Checked{kinds: []kind{{}}, clashes: map[int]int{}, cells: map[int]int{}, mapper: m},
		strays:  newStrays(m, o.Delimiter),
		unique:  map[string][]uniqueValue{},
		uses:    map[Use]bool{},
		words:   map[word]int{},
		hash:    func(s string) uint64 { return maphash.String(seed, s) },
	}
	if o.Findings {
		c.suspects = suspects(m)
	}
	for _, l := range m.layouts {
		s := &l.schema
		c.result.kinds = append(c.result.kinds, kind{KeyUse: KeyUse{Action: s.Action}, system: s.System})
		for _, k := range l.keys {
			c.result.kinds = append(c.result.kinds, kind{KeyUse: KeyUse{s.Action, k.name, k.heading}, system: s.System,
				digits: k.field.Kind == Digits, salt: c.salt(s.System, k.field)})
		}
		byID := slices.ContainsFunc(l.keys, func(k column) bool { return k.field.Kind == Digits })
		parent := slices.ContainsFunc(l.columns, func(k column) bool { return k.field.Parent }) ||
			slices.ContainsFunc(l.constants, func(k Cell) bool { return k.Field.Parent })
		c.hasParent = c.hasParent || byID && parent
	}
	return c
}

// salt differs from field to field and from system to system.
func (c *checker) salt(system string, f *Field) uint64 {
	return c.hash(f.Name) ^ bits.RotateLeft64(c.hash(system), 1)
}

// identity is a key as a number that no other customer has; 0 for no key.
// Numbers stay apart for certain, other keys by their hash.
func (c *checker) identity(k *kind, key string) uint64 {
	if key == "" {
		return 0
	}
	if k.digits {
		n, err := strconv.ParseUint(key, 10, 64)
		if err != nil {
			n = 0 // the key's own check lets nothing else pass
		}
		return max(n^k.salt, 1)
	}
	return max(c.hash(key)^k.salt, 1)
}

func (c *checker) row(row csvfile.Row, base *Base) {
	r := c.result
	kindAt, key, state := 0, "", rowState(0)
	if row.Ragged {
		state = ragged
		r.cells[r.Rows] = len(row.Cells)
		c.ragged.add(spoilt{line: row.Line, text: strconv.Itoa(len(row.Cells))})
		r.Damaged++
	} else {
		m := &c.mapped
		c.mapper.into(row, base, m)
		kindAt = slices.IndexFunc(r.kinds, func(k kind) bool { return k.Action == m.Action && k.Field == m.KeyField })
		key = m.Key
		switch {
		case m.Note:
			state = note
			r.Notes++
		case m.Doubtful():
			state = doubtful
		case len(m.Problems) > 0:
			state = bad
		}
		if i := slices.IndexFunc(m.Problems, func(p Problem) bool { return p.Code == "spreadsheet_damage" }); i >= 0 {
			c.broken.add(spoilt{line: row.Line, column: m.Problems[i].Column, text: m.Problems[i].Text})
			r.Damaged++
		}
		switch {
		case m.Exported && len(m.Cells)+len(m.Problems) == 0:
			state |= asExported
			r.Exported++
		case m.Exported:
			r.Exported++
			r.Edited++
		case c.options.Exports != nil && key != "" &&
			slices.ContainsFunc(c.mapper.layouts, func(l *layout) bool { return l.schema.Action == m.Action && l.schema.Exported }):
			r.Added++
		}
		r.warn(row.Line, m.Warnings)
	}
	c.strays.look(r.Rows, row.Line, c.mapper.edited(row.Cells, base), row.Ragged)
	k := &r.kinds[kindAt]
	c.keys = append(c.keys, c.identity(k, key))
	if c.hasParent {
		c.parents = append(c.parents, 0)
	}
	if !row.Ragged {
		c.noteCells(k, row)
	}
	r.rows = append(r.rows, checkedRow{uint32(row.Line), uint8(kindAt), state})
	r.Rows++
	if c.options.About != nil {
		who := Subject{Line: row.Line}
		if k.Field != "" && key != "" {
			who.System, who.Field, who.Key = k.system, k.Field, key
		}
		c.options.About(who)
	}
}

// countWords counts the words for no value, of columns that may be shown.
func (c *checker) countWords(cells []string) {
	if c.filled == nil {
		c.filled = make([]int, len(cells))
	}
	for i, cell := range cells {
		if cell != "" {
			c.filled[i]++
		}
	}
	for _, p := range c.mapped.Problems {
		if p.Code != "no_value_word" {
			continue
		}
		for _, l := range c.mapper.layouts {
			i := slices.IndexFunc(l.columns, func(k column) bool { return k.heading == p.Column && !k.secret })
			if l.schema.Action == c.mapped.Action && i >= 0 {
				c.words[word{l.columns[i].index, strings.Clone(trimEnds(cells[l.columns[i].index]))}]++
			}
		}
	}
}

// habit finds a word for no value that fills most of a column: nobody typed it.
func (c *checker) habit() (most word, n int) {
	for w, times := range c.words {
		if times > 1 && 2*times > c.filled[w.column] && (n == 0 || w.column < most.column) {
			most, n = w, times
		}
	}
	return most, n
}

// noteCells keeps what is compared across rows. A parent is kept as the identity
// that it has as a customer of the file. The texts of cells are parts of a row's
// memory, hence the copies.
func (c *checker) noteCells(k *kind, row csvfile.Row) {
	c.countWords(row.Cells)
	for _, s := range c.suspects {
		if !c.mapped.Note {
			s.notice(row.Line, row.Cells[s.index], c.hash)
		}
	}
	n := len(c.keys) - 1
	for i := range c.mapped.Cells {
		cell := &c.mapped.Cells[i]
		switch f := cell.Field; {
		case f.Family && len(c.mapped.Problems) == 0:
			if u := (Use{f.Name, cell.Name[len(f.Name):], cell.Text}); len(c.uses) <= mostUses && !c.uses[u] {
				u.Text = strings.Clone(u.Text)
				c.uses[u] = true
				c.result.uses = append(c.result.uses, u)
			}
		case cell.Clear:
		case f.Unique != "":
			c.unique[f.Unique] = append(c.unique[f.Unique], uniqueValue{max(c.hash(cell.Text)^c.salt(k.system, f), 1), n})
		case f.Parent && k.digits:
			c.parents[n] = c.identity(k, cell.Text)
		}
	}
}

func (s *spoilt) add(row spoilt) {
	if row.rows = s.rows + 1; row.rows == 1 {
		*s = row
	}
	s.rows = row.rows
}

// findSwallowed rejects the rows that have others inside.
func (c *checker) findSwallowed() {
	c.strays.settle()
	c.result.inside = c.strays.found
	for n := range c.result.inside {
		c.result.rows[n].state |= swallowed
	}
}

// fewRows is how many rows an input has of which no share is looked at: in a short one
// each bad row is seen, and does no harm to the others.
const fewRows = 50

// refusal returns why nothing of the input may be sent, once it has been read.
func (c *checker) refusal(in Input) error {
	r, why := c.result, &csvfile.Refusal{File: in.Name()}
	inside := c.strays.rows()
	word, times := c.habit()
	switch {
	case r.Rows == 0:
		why.Text, why.Try = "there are no rows below the heading", "is this the right file?"
	case len(c.uses) > mostUses:
		why.Text = fmt.Sprintf("more than %d different codes in %s columns", mostUses, r.uses[0].Family)
		why.Try = "is the right column mapped? else split the file"
	case len(inside) > 1:
		why.Text = fmt.Sprintf("%d rows have other rows inside a quoted cell: quotation marks are missing, or too many", len(inside))
		for _, n := range inside[:min(len(inside), samplesShown)] {
			why.Text += fmt.Sprintf("\nline %d runs on over line %d, which reads like a row of its own", r.Line(n), r.inside[n])
		}
		why.Try = "close the quotation marks, or double those that belong to the text"
	case times > 0 && !in.IsReport():
		why.Text = fmt.Sprintf("%d of the %d filled cells of the column %q are %s, a word for no value",
			times, c.filled[word.column], in.Heading()[word.column], quoted(word.text))
		why.Try = fmt.Sprintf("--blanks %q, if such a cell is to leave the field as it is; or empty the cells", word.text)
	case 5*r.Damaged > r.Rows && r.Rows >= fewRows && !in.IsReport(): // a failed.csv holds nothing but trouble, and must come back
		why.Text = "over 20% of the rows are spoilt"
		if s := c.ragged; s.rows > 0 {
			why.Text += fmt.Sprintf("\n%d of %d rows do not have the heading's %s: line %d has %s",
				s.rows, r.Rows, cells(c.mapper.width), s.line, s.text)
		}
		if s := c.broken; s.rows > 0 {
			why.Text += fmt.Sprintf("\n%d of %d rows have cells that a spreadsheet has damaged: %s, column %s %q: %s",
				s.rows, r.Rows, c.mapper.Line(s.line), in.ColumnOf(s.column), s.column, s.text)
		}
		why.Try = "format the columns as text and export again, or check --delimiter"
		if c.mapper.places != nil {
			why.Try = "format the columns as text in the spreadsheet, and enter again what was lost"
		}
	default:
		return nil
	}
	return why
}

const samplesShown = 5

// across looks for trouble between rows, once all are there.
func (c *checker) across() {
	if !c.options.AllowDuplicates {
		c.duplicates()
	}
	c.chains(c.unique["reference_chain"], chained)
	c.chains(c.unique["already_linked"], linked)
	c.unique = nil
	if c.hasParent { // a customer must not become its own ancestor
		for n := range cycles(c.keys, c.parents) {
			c.result.rows[n].state |= circular
		}
		c.parents = nil
	}
	for n := range c.result.rows {
		if c.result.OK(n) {
			c.result.kind(n).sendable++
		}
		if c.result.rows[n].state&(rejecting|doubtful) != 0 {
			c.result.Rejected++
		}
	}
	c.followers()
}

// duplicates rejects all rows of one action about a customer with several, those
// too that are rejected for something else: which of them was meant, nobody can
// know. A row as it was exported says nothing, and contradicts no other: several
// exports may stand in one file.
func (c *checker) duplicates() {
	for _, l := range c.mapper.layouts {
		var rows []uint32
		for n, key := range c.keys {
			if key != 0 && c.result.Action(n) == l.schema.Action && !c.result.AsExported(n) {
				rows = append(rows, uint32(n))
			}
		}
		slices.SortFunc(rows, func(a, b uint32) int { return cmp.Or(cmp.Compare(c.keys[a], c.keys[b]), cmp.Compare(a, b)) })
		for i := 1; i < len(rows); i++ {
			if n, before := int(rows[i]), int(rows[i-1]); c.sameCustomer(n, before) {
				c.result.clash(n, before, duplicate)
				c.result.clash(before, n, duplicate)
			}
		}
	}
}

// chains rejects rows that give a customer a value which another customer of the
// file has or is given too: whichever were written first, a later row might meet
// the wrong customer.
func (c *checker) chains(given []uniqueValue, s rowState) {
	if len(given) == 0 {
		return
	}
	sorted := slices.Clone(given)
	slices.SortStableFunc(sorted, func(a, b uniqueValue) int { return cmp.Compare(a.value, b.value) })
	first := func(value uint64) (row int, ok bool) { // that gives it
		i, ok := slices.BinarySearchFunc(sorted, value, func(g uniqueValue, value uint64) int { return cmp.Compare(g.value, value) })
		if ok {
			row = sorted[i].row
		}
		return row, ok
	}
	rival := map[uint64]int{} // value → another customer's row
	giver := sorted[0]
	for _, g := range sorted[1:] {
		if g.value != giver.value {
			giver = g
		} else if !c.sameCustomer(giver.row, g.row) {
			rival[g.value] = g.row
		}
	}
	owner := map[uint64]int{} // value → another customer's row, of any action, whose key it is
	for n, key := range c.keys {
		if s != chained || key == 0 || c.result.kind(n).digits {
			continue
		}
		if giver, ok := first(key); ok && !c.sameCustomer(giver, n) {
			owner[key] = n
		}
	}
	for _, g := range given {
		other, ok := rival[g.value]
		if ok && other == g.row {
			other, _ = first(g.value)
		} else if !ok {
			other, ok = owner[g.value]
		}
		if ok {
			c.result.clash(g.row, other, s)
		}
	}
}

func (c *checker) sameCustomer(n, other int) bool {
	return c.keys[n] != 0 && c.keys[n] == c.keys[other]
}

// followers marks the rows after which another of the same customer will be
// sent. Of a system whose customers are named by different fields, in rows that
// will be sent, that is any other.
func (c *checker) followers() {
	field, unknowable := map[string]string{}, map[string]bool{} // by system
	for _, k := range c.result.kinds {
		if k.sendable == 0 {
			continue
		}
		if before, seen := field[k.system]; seen && before != k.Field {
			unknowable[k.system] = true
		}
		field[k.system] = k.Field
	}
	if !c.options.AllowDuplicates && len(c.mapper.layouts) == 1 && len(unknowable) == 0 {
		return
	}
	later := map[uint64]bool{}   // customers of whom a later row will be sent
	laterOf := map[string]bool{} // systems of which a later row will be sent
	for n := len(c.keys) - 1; n >= 0; n-- {
		key, k := c.keys[n], c.result.kind(n)
		if key == 0 {
			continue
		}
		if later[key] || laterOf[k.system] {
			c.result.rows[n].state |= more
		}
		if c.result.OK(n) {
			later[key] = true
			laterOf[k.system] = unknowable[k.system]
		}
	}
}
