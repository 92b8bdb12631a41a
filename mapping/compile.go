package mapping

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// CompileOptions are what the user says about a heading besides itself.
type CompileOptions struct {
	Name   string            // of the input, for messages
	File   *File             // nil: headings are field names
	Match  map[string]string // column → field, from --match; beats the file's match
	Ignore []string          // columns, from --ignore
}

// Compile decides what each column of a heading is for. The error is a *Refusal
// that lists every problem at once, those of the mapping file's own form included.
func Compile(s Schema, heading []string, o CompileOptions) (*Mapper, error) {
	c := &compiler{schema: s, file: o.File, directory: newDirectory(s), setBy: map[string]string{}, mapper: &Mapper{}}
	if c.file == nil {
		c.file = &File{Clear: DefaultClear}
	}
	c.bad = slices.Clone(c.file.bad)
	c.checkAction()
	c.layOut(heading, o)
	c.guards(o.Match)
	c.chooseKey()
	for i := range c.columns {
		c.assign(&c.columns[i])
	}
	c.unassigned()
	c.constants()
	c.checkAllowClear()
	if len(c.bad) == 0 {
		c.checkUse()
	}
	if err := c.bad.err(o.Name); err != nil {
		return nil, err
	}
	return c.mapper, nil
}

// use is what a column is for.
type use int

const (
	undecided use = iota
	leftOut
	guards
	keys
	sets
)

// heading is a column of the input on its way to a use.
type heading struct {
	index int
	text  string // trimmed
	use   use
}

type compiler struct {
	schema    Schema
	file      *File
	directory *directory
	columns   []heading
	setBy     map[string]string // folded field → what sets it
	mapper    *Mapper
	bad       refusals
}

// complain tells a problem with its place in the mapping file.
func (c *compiler) complain(at Scalar, format string, args ...any) {
	c.bad.addAt(at, c.file.at(at, fmt.Sprintf(format, args...)), "")
}

func (c *compiler) checkAction() {
	if a := c.file.Action; a.Text != "" && a.Text != c.schema.Action {
		c.complain(a, "the mapping file is for %s, the command is %s", a.Text, c.schema.Action)
	}
}

// layOut lists the columns and refuses nameless and doubled ones.
func (c *compiler) layOut(texts []string, o CompileOptions) {
	ignored := map[string]bool{}
	for _, name := range o.Ignore {
		ignored[strings.TrimSpace(name)] = true
	}
	for _, s := range c.file.Ignore {
		name := strings.TrimSpace(s.Text)
		if c.file.rule(name) != nil {
			c.complain(s, "the column %q stands in columns and in ignore", name)
		}
		ignored[name] = true
	}
	first := map[string]int{}
	for i, text := range texts {
		h := heading{index: i, text: strings.TrimSpace(text)}
		switch {
		case isOurs(h.text), ignored[h.text]:
			h.use = leftOut
		case h.text == "":
			h.use = leftOut
			c.bad.add(fmt.Sprintf("column %d has no heading", i+1), "give it one, or delete the column")
		case first[h.text] > 0:
			h.use = leftOut
			if !c.file.mentions(h.text) {
				c.bad.add(fmt.Sprintf("the heading %q stands over columns %d and %d", h.text, first[h.text], i+1), "rename or delete one of them")
			}
		default:
			first[h.text] = i + 1
		}
		c.columns = append(c.columns, h)
	}
}

// find returns the column of a heading, nil when there is none in use.
func (c *compiler) find(name string) *heading {
	name = strings.TrimSpace(name)
	for i := range c.columns {
		if h := &c.columns[i]; h.text == name && h.use != leftOut {
			return h
		}
	}
	return nil
}

func (c *compiler) texts() []string {
	var all []string
	for _, h := range c.columns {
		if h.use != leftOut {
			all = append(all, h.text)
		}
	}
	return all
}

// guards takes the columns of match; those of the command line come last and win.
func (c *compiler) guards(flags map[string]string) {
	wanted := map[string]Pair{}
	for _, p := range c.file.Match {
		wanted[strings.TrimSpace(p.Name.Text)] = p
	}
	for column, field := range flags {
		column = strings.TrimSpace(column)
		wanted[column] = Pair{Scalar{Text: column}, Scalar{Text: field}}
	}
	for _, column := range slices.Sorted(maps.Keys(wanted)) {
		c.guard(column, wanted[column])
	}
}

func (c *compiler) guard(column string, p Pair) {
	t, ok := c.directory.guard(p.Value.Text)
	if !ok {
		names := append(slices.Clone(c.directory.names), c.schema.Guards...)
		c.complain(p.Value, "match: %q cannot be read%s", p.Value.Text, didYouMean(p.Value.Text, names))
	}
	h := c.find(column)
	if h == nil {
		c.complain(p.Name, "match names the column %q, which the input lacks%s", column, didYouMean(column, c.texts()))
		return
	}
	h.use = guards
	if c.file.rule(column) != nil {
		c.complain(p.Name, "the column %q stands in columns and in match: a guard is not set", column)
	}
	if ok {
		col := newColumn(h, t)
		col.words.clear = ""
		c.mapper.guards = append(c.mapper.guards, col)
	}
}

// constants become cells that every row sets.
func (c *compiler) constants() {
	for _, p := range c.file.Constants {
		t, why := c.settable(p.Name.Text)
		if why == "" {
			why = c.claim(t, "a constant")
		}
		if why != "" {
			c.complain(p.Name, "constants: %s", why)
			continue
		}
		c.constant(t, p.Value)
	}
}

// constant reads a value as if it stood in a cell. The clear word and allow_clear
// may be among what could not be read, and then it may be right after all.
func (c *compiler) constant(t target, value Scalar) {
	col := c.column(&heading{index: -1, text: "constants"}, t, nil)
	var out Mapped
	col.set(value.Text, &out)
	for _, problem := range out.Problems {
		if c.file.mentions(value.Text) || problem.Code == "not_clearable" && c.file.mentions(t.name) {
			continue
		}
		c.complain(value, "constants: %s: %s", t.name, problem.Text)
	}
	if len(out.Cells)+len(out.Problems) == 0 {
		text := fmt.Sprintf("constants: %s is blank, and blank sets nothing", t.name)
		c.bad.addAt(value, c.file.at(value, text), c.file.Clear+" to clear the field, or take the line out")
	}
	c.mapper.constants = append(c.mapper.constants, out.Cells...)
}

func (c *compiler) checkAllowClear() {
	for _, s := range c.file.AllowClear {
		t, why := c.settable(s.Text)
		if why == "" && t.field.Clear == Never {
			why = t.name + " can never be cleared"
		}
		if why != "" {
			c.complain(s, "allow_clear: %s", why)
		}
	}
}
