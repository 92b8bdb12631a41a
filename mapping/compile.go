package mapping

import (
	"fmt"
	"slices"
	"strings"

	"rowbatch/mapping/csvfile"
)

// CompileOptions are what the user says about a heading besides itself.
type CompileOptions struct {
	Name   string            // of the input, for messages
	File   *File             // nil: headings are field names
	Match  map[string]string // column → field, from --match; beats the file's match
	Ignore []string          // columns, from --ignore
	Export bool              // rows are compared with an export, even without a column rb_export
}

// Compile decides what each column of a heading is for. The error is a *csvfile.Refusal
// that lists every problem at once, those of the mapping file's own form included.
func Compile(s Schema, heading []string, o CompileOptions) (*Mapper, error) {
	return newCompiler(s.Action, []Schema{s}, o.File).compile(heading, o)
}

// CompileMixed is Compile for a file whose action column says which of the
// schemas a row is of. A column serves every action that has a field or a key of
// its name; in rows of the others its cells must be blank.
func CompileMixed(all []Schema, heading []string, o CompileOptions) (*Mapper, error) {
	return newCompiler(mixed, all, o.File).compile(heading, o)
}

// mixed is what a mapping file calls the action of a mixed file.
const mixed = "run"

type compiler struct {
	command string // an action, or mixed
	parts   []*part
	file    *File
	columns []heading
	mapper  *Mapper
	bad     refusals

	exported bool // rows may come from an export
}

func newCompiler(command string, all []Schema, file *File) *compiler {
	c := &compiler{command: command, mapper: &Mapper{}, file: &File{Clear: DefaultClear}}
	if file != nil {
		c.file, c.bad = file.hiding(secretNames(all)), slices.Clone(file.bad)
	}
	for _, s := range all {
		p := &part{schema: s, directory: newDirectory(s), setBy: map[string]string{}, layout: &layout{schema: s}}
		c.parts = append(c.parts, p)
		c.mapper.layouts = append(c.mapper.layouts, p.layout)
	}
	return c
}

func (c *compiler) compile(heading []string, o CompileOptions) (*Mapper, error) {
	c.exported = slices.ContainsFunc(c.parts, func(p *part) bool { return p.schema.Exported }) && (o.Export || slices.ContainsFunc(heading, csvfile.IsExport))
	c.mapper.exported = c.exported
	c.checkAction()
	c.layOut(heading, o)
	c.findAction()
	c.guards(o.Match)
	c.chooseKeys()
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
	c.finish()
	return c.mapper, nil
}

// use is what a column is for.
type use int

const (
	undecided use = iota // up to each action
	leftOut
	decides // the action
	guards
)

// heading is a column of the input on its way to a use.
type heading struct {
	index int
	text  string // trimmed
	use   use
	taken bool // by an action, or meant to be by the mapping file
}

// complain tells a problem with its place in the mapping file.
func (c *compiler) complain(at Scalar, format string, args ...any) {
	c.bad.addAt(at, c.file.at(at, fmt.Sprintf(format, args...)), "")
}

// layOut lists the columns and refuses nameless and doubled ones.
func (c *compiler) layOut(texts []string, o CompileOptions) {
	ignored := map[string]bool{}
	for _, name := range o.Ignore {
		ignored[strings.TrimSpace(name)] = true
	}
	for _, s := range c.file.Ignore {
		name := strings.TrimSpace(s.Text)
		if c.file.rules(name) != nil {
			c.complain(s, "the column %q stands in columns and in ignore", name)
		}
		ignored[name] = true
	}
	first := map[string]int{}
	for i, text := range texts {
		h := heading{index: i, text: strings.TrimSpace(text)}
		switch {
		case csvfile.IsOurs(h.text), ignored[h.text]:
			h.use = leftOut
		case csvfile.IsExport(h.text) && c.mapper.export == nil:
			h.use, c.mapper.export = leftOut, &column{index: i, heading: h.text}
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
	for _, p := range c.parts {
		p.takes = make([]bool, len(texts))
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

// finish notes which columns are none of an action's, and which hold secrets.
func (c *compiler) finish() {
	for i := range c.columns {
		h := &c.columns[i]
		secret := csvfile.Fold(h.text) == passwordName || h.use == leftOut && strings.Contains(csvfile.Fold(h.text), passwordName)
		for _, p := range c.parts {
			secret = secret || p.setsSecret(h)
			if !p.takes[h.index] && (h.use == undecided || h.use == guards) {
				p.layout.foreign = append(p.layout.foreign, column{index: h.index, heading: h.text})
			}
		}
		if secret {
			c.mapper.secrets = append(c.mapper.secrets, h.index)
		}
	}
}

// checkUse refuses rows that could not say anything.
func (c *compiler) checkUse() {
	if slices.ContainsFunc(c.parts, (*part).saysSomething) {
		return
	}
	c.bad.add("the input has a key and nothing to set", "add a column headed with a field's name"+delimiterHint(strings.Join(c.texts(), " ")))
}
