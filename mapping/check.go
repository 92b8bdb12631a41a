package mapping

import (
	"errors"
	"fmt"
	"hash/maphash"
	"io"
	"slices"
	"strings"

	"rowbatch/mapping/csvfile"
)

// Sink keeps the rows of an input as they are checked, ragged ones too. The cells
// are masked, and valid during the call only; hidden are the texts that
// [Mapper.Unmask] needs, nil when there are none. They may be kept in memory, and
// nowhere else.
type Sink interface {
	Append(row csvfile.Row, base *Base, hidden []string) error
}

// CheckOptions change what Check lets pass.
type CheckOptions struct {
	AllowDuplicates bool    // a customer may stand in several rows
	Exports         Exports // what rows were when they were exported; nil: they are not compared

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

// Warning is a remark about a row that may be sent all the same.
type Warning struct {
	Line int
	Text string
}

// Use is a member of a family and a text that some row gives it, such as the
// type and the code of a sales tracking code; no text where a row clears it.
type Use struct{ Family, Member, Text string }

const (
	mostWarnings = 20
	mostUses     = 10_000
)

// Check reads an input to its end and looks at all that needs no request. Rows
// whose every cell is blank, which spreadsheets leave behind, are dropped and
// counted; all others go to the sink, which may be nil. The error is a *csvfile.Refusal
// when the whole input is refused, else the reading's or the sink's own.
func Check(in *csvfile.Reader, m *Mapper, sink Sink, o CheckOptions) (*Checked, error) {
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
		if isBlank(row.Cells) {
			c.result.BlankRows++
			continue
		}
		var base *Base
		if !row.Ragged {
			if base, err = m.base(row.Cells, o.Exports); err != nil {
				return nil, err
			}
		}
		c.row(row, base)
		if sink == nil {
			continue
		}
		var hidden []string
		row.Cells, hidden = m.Mask(row)
		if err := sink.Append(row, base, hidden); err != nil {
			return nil, err
		}
	}
	if refusal := c.refusal(in); refusal != nil {
		return nil, refusal
	}
	c.across()
	return c.result, nil
}

func isBlank(cells []string) bool {
	for _, cell := range cells {
		if cell != "" && strings.TrimSpace(cell) != "" {
			return false
		}
	}
	return true
}

// checker is Check on its way through the rows: 11 bytes a row, 8 more when rows
// set a parent, 12 more for each unique value that they set, and 6 or 12 for a
// table at the end, with 13 for the cycles of parents.
type checker struct {
	mapper  *Mapper
	options CheckOptions
	result  *Checked
	mapped  Mapped // used again for each row
	hash    func(string) uint64

	keys       chunked[uint64] // by row: who it is about; 0: unknown
	parents    sparse          // by row: the parent it sets; empty when no column does
	hasParent  bool
	references gifts
	links      gifts
	table      *positions // the last one used

	uses      map[Use]bool
	firstHurt int // line of the first damaged row
}

// newChecker hashes texts to 64 bits: in a million rows two different ones meet
// once in thirty million runs, and a needless rejection is all that comes of it.
func newChecker(m *Mapper, o CheckOptions) *checker {
	seed := maphash.MakeSeed()
	hash := func(s string) uint64 { return maphash.String(seed, s) }
	return &checker{
		mapper:    m,
		options:   o,
		result:    &Checked{kinds: kindsOf(m, hash)},
		uses:      map[Use]bool{},
		hash:      hash,
		hasParent: slices.ContainsFunc(m.layouts, (*layout).setsParent),
	}
}

func (c *checker) row(row csvfile.Row, base *Base) {
	r := c.result
	n := r.Rows
	r.Rows++
	r.lines.add(row.Line)
	r.marks.add(0)
	if row.Ragged {
		*r.marks.at(n) = ragged
		c.hurt(row.Line)
		c.keep(0, 0, 0)
		c.about(row.Line, 0, "")
		return
	}
	c.mapper.into(row.Cells, base, &c.mapped)
	r.count(n, &c.mapped)
	if c.options.Exports != nil && base == nil && c.mapped.Key != "" && c.mapper.comparesRowsOf(c.mapped.Action) {
		r.Added++
	}
	if len(c.mapped.Problems) > 0 {
		*r.marks.at(n) = bad
	}
	if slices.ContainsFunc(c.mapped.Problems, func(p Problem) bool { return p.Code == "spreadsheet_damage" }) {
		c.hurt(row.Line)
	}
	for _, text := range c.mapped.Warnings {
		r.warn(row.Line, text)
	}
	at := c.kindOf(&c.mapped)
	k := &r.kinds[at]
	c.keep(at, c.identity(k, c.mapped.Key), c.noteCells(n, k))
	c.about(row.Line, at, c.mapped.Key)
}

// about tells whom a row is about.
func (c *checker) about(line, kind int, key string) {
	if c.options.About == nil {
		return
	}
	s := Subject{Line: line}
	if k := &c.result.kinds[kind]; k.Field != "" && key != "" {
		s.System, s.Field, s.Key = k.system, k.Field, key
	}
	c.options.About(s)
}

func (c *checker) keep(kind int, key, parent uint64) {
	c.result.kindAt.add(uint8(kind))
	c.keys.add(key)
	if c.hasParent {
		c.parents.add(parent)
	}
}

func (c *checker) hurt(line int) {
	if c.result.Damaged == 0 {
		c.firstHurt = line
	}
	c.result.Damaged++
}

// noteCells keeps what is compared across rows, and returns the parent set, as
// the identity that it has as a customer of the file, or 0.
func (c *checker) noteCells(n int, k *kind) (parent uint64) {
	for i := range c.mapped.Cells {
		cell := &c.mapped.Cells[i]
		switch f := cell.Field; {
		case f.Family && len(c.mapped.Problems) == 0:
			c.use(Use{f.Name, cell.Name[len(f.Name):], cell.Text})
		case cell.Clear:
		case f.Unique != "":
			c.given(f).add(max(c.hash(cell.Text)^saltOf(c.hash, k.system, f), 1), n)
		case f.Parent && k.digits:
			parent = c.identity(k, cell.Text)
		}
	}
	return parent
}

// given returns what rows give their customers in such a field.
func (c *checker) given(f *Field) *gifts {
	if f.Unique == "reference_chain" {
		return &c.references
	}
	return &c.links
}

// use notes a family's member and text once. The texts are parts of a row's
// memory, hence the copies.
func (c *checker) use(u Use) {
	if len(c.uses) > mostUses || c.uses[u] {
		return
	}
	u = Use{u.Family, u.Member, strings.Clone(u.Text)}
	c.uses[u] = true
	c.result.uses = append(c.result.uses, u)
}

// refusal says why nothing of the input may be sent, once it has been read.
func (c *checker) refusal(in *csvfile.Reader) error {
	r := c.result
	switch {
	case r.Rows == 0:
		return &csvfile.Refusal{File: in.Name(), Text: "there are no rows below the heading", Try: "is this the right file?"}
	case len(c.uses) > mostUses:
		return &csvfile.Refusal{File: in.Name(), Text: fmt.Sprintf("more than %d different codes in %s columns", mostUses, r.uses[0].Family),
			Try: "is the right column mapped? else split the file"}
	case 5*r.Damaged > r.Rows && !in.IsReport():
		// A failed.csv holds nothing but trouble and must be able to come back.
		return &csvfile.Refusal{File: in.Name(), Line: c.firstHurt,
			Text: fmt.Sprintf("%d of %d rows are damaged by a spreadsheet or do not have the heading's %d cells, from this one on", r.Damaged, r.Rows, in.Width()),
			Try:  "format the columns as text and export again, or check --delimiter"}
	}
	return nil
}
