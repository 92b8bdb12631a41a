package mapping

import "fmt"

// Checked is what Check found. Rows are numbered from 0, in the order in which
// the sink got them.
type Checked struct {
	Rows         int       // blank ones not counted
	Rejected     int       // by their own cells or because of other rows
	Damaged      int       // of these, ragged or damaged by a spreadsheet
	BlankRows    int       // dropped: every cell was blank
	Notes        int       // rows for people, whose key begins with #: they are skipped
	Warnings     []Warning // the first 20
	WarningCount int
	Findings     []Finding // about whole columns, where they were asked for
	Exported     int       // rows compared with what they were when they were exported
	Edited       int       // of these, no longer so
	Added        int       // rows that would be compared, had they been exported

	rows    []checkedRow
	kinds   []kind
	clashes map[int]int // row → the row it clashes with
	inside  map[int]int // row → the line of another row inside a cell of it
	cells   map[int]int // ragged row → how many cells it has
	mapper  *Mapper
	uses    []Use
}

// Warning is a remark about a row that may be sent all the same.
type Warning struct {
	Line int    `json:"line"`
	Text string `json:"text"`
}

// Use is a member of a family and a text that some row gives it, such as the
// type and the code of a sales tracking code; no text where a row clears it.
type Use struct{ Family, Member, Text string }

// checkedRow is small, since there may be millions of rows.
type checkedRow struct {
	line  uint32 // where the row starts
	kind  uint8  // its place in the list of kinds
	state rowState
}

// kind is what rows have in common that are of one action and name their
// customers by one field. The first kind is that of rows whose action is unknown.
type kind struct {
	KeyUse
	system   string
	digits   bool   // the key is a number
	salt     uint64 // tells keys of this field from all others
	sendable int
}

type rowState uint16

const (
	bad        rowState = 1 << iota // by its own cells
	ragged                          // more or fewer cells than the heading
	duplicate                       // another row is about the same customer
	chained                         // another row has or gets the same reference
	linked                          // another row gets the same link
	circular                        // its parent leads back to it
	more                            // a later row of the same customer will be sent
	swallowed                       // other rows stand inside its cells
	asExported                      // nothing in it was edited since it was exported
	doubtful                        // by its own cells, unless its record holds just that
	note                            // it is for people
)

const rejecting = bad | ragged | swallowed | duplicate | chained | linked | circular

// AsExported reports whether nothing in the row was edited since it was exported,
// so that nobody needs to look at its customer.
func (c *Checked) AsExported(n int) bool { return c.rows[n].state&asExported != 0 }

// Line returns the line of the input where a row starts.
func (c *Checked) Line(n int) int { return int(c.rows[n].line) }

// Action returns the action of a row; "" when it is unknown or the row is ragged.
func (c *Checked) Action(n int) string { return c.kind(n).Action }

// KeyField returns the field that names a row's customer; "" when none does.
func (c *Checked) KeyField(n int) string { return c.kind(n).Field }

func (c *Checked) kind(n int) *kind { return &c.kinds[c.rows[n].kind] }

// KeyFields returns the fields that name the customers of an action's sendable rows.
func (c *Checked) KeyFields(action string) (fields []string) {
	for _, k := range c.kinds {
		if k.Action == action && k.sendable > 0 {
			fields = append(fields, k.Field)
		}
	}
	return fields
}

// More reports whether a later row of the same customer, of any action, is not
// rejected. Where the rows that will be sent to one system name their customers
// by different fields (id and reference, customer_id and subscription_id), nobody
// can know offline which of them are about the same one: then it is true of all
// but the last of them. It is known for mixed files, for such ones, and where a
// customer may stand in several rows.
func (c *Checked) More(n int) bool { return c.rows[n].state&more != 0 }

// OK reports whether no offline check rejects the row for good, and it is no note.
func (c *Checked) OK(n int) bool { return c.rows[n].state&(rejecting|note) == 0 }

// Doubtful reports whether the row is rejected unless its record already holds what
// looks like damage, or like no value.
func (c *Checked) Doubtful(n int) bool { return c.rows[n].state&doubtful != 0 }

// Codes returns what rows without a problem of their own give the members of
// families, each once, in the order of first use.
func (c *Checked) Codes() []Use { return c.uses }

// Problem returns why a row is rejected because of its form or of other rows;
// nil when that is not so. What its own cells say comes from Mapper.Row.
func (c *Checked) Problem(n int) *Problem {
	other := func() string { return c.mapper.Line(c.Line(c.clashes[n])) }
	switch s := c.rows[n].state; {
	case s&swallowed != 0:
		return &Problem{Code: "ragged_row", Text: fmt.Sprintf(
			"a quoted cell of the row in line %d runs on over line %d, which reads like a row of its own", c.Line(n), c.inside[n])}
	case s&ragged != 0:
		return &Problem{Code: "ragged_row", Text: fmt.Sprintf("the row has %s, and the heading %d", cells(c.cells[n]), c.mapper.width)}
	case s&duplicate != 0:
		return &Problem{Code: "duplicate_row", Text: fmt.Sprintf("%s is about the same customer", other())}
	case s&chained != 0:
		return &Problem{Code: "reference_chain", Text: fmt.Sprintf("%s has or sets the reference that this row sets", other())}
	case s&linked != 0:
		return &Problem{Code: "already_linked", Text: fmt.Sprintf("%s gives another customer the same link", other())}
	case s&circular != 0:
		return &Problem{Code: "bad_value", Text: "the customer would be its own parent, directly or through other rows"}
	}
	return nil
}

// warn keeps what is to be said of a row, as long as it is among the first.
func (c *Checked) warn(line int, texts []string) {
	for _, text := range texts {
		if c.WarningCount++; len(c.Warnings) < mostWarnings {
			c.Warnings = append(c.Warnings, Warning{line, text})
		}
	}
}

// clash marks a row, naming another. The first clash of a row is the one told.
func (c *Checked) clash(n, other int, s rowState) {
	if c.rows[n].state&(duplicate|chained|linked) == 0 {
		c.clashes[n] = other
	}
	c.rows[n].state |= s
}

// cells counts the cells of a row.
func cells(n int) string {
	if n == 1 {
		return "1 cell"
	}
	return fmt.Sprintf("%d cells", n)
}
