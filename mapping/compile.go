package mapping

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"rowbatch/mapping/csvfile"
)

// CompileOptions are what the user says about a heading besides itself.
type CompileOptions struct {
	Name    string            // of the input, for messages
	File    *File             // nil: headings are field names
	Match   map[string]string // column → field, from --match; beats the file's match
	Ignore  []string          // columns, from --ignore
	Others  bool              // columns that are no field are left out, from --ignore-others
	Nearest bool              // the row that comes nearest is the heading, where none fits
	Keys    bool              // without a mapping file only columns that name customers are read
	Export  bool              // rows are compared with an export, even without a column rb_export
	Blanks  []string          // words that mean blank, from --blanks; beside the file's
	Places  []string          // of a sheet's cells, by column, such as Customers!B; nil: the input is text
}

// Compile decides what each column of a heading is for. The error is a
// [*csvfile.Refusal] that lists every problem at once. Of several schemas an action
// column says which one a row is of. A column serves every action that has a field or a
// key of its name; in rows of the others its cells must be blank.
func Compile(all []Schema, heading []string, o CompileOptions) (*Mapper, error) {
	return newCompiler(all, heading, o).compile()
}

// mixed is what a mapping file calls the action of a mixed file.
const mixed = "run"

type compiler struct {
	command  string // an action, or mixed
	options  CompileOptions
	texts    []string // the heading
	isExport bool     // the input comes from an export
	unknown  bool     // some heading is no field
	parts    []*part
	file     *File
	columns  []heading
	keys     []*heading // of the mapping file's keys; nil: it cannot be
	mapper   *Mapper
	bad      problems
}

// newCompiler is for a mixed file where there are several actions.
func newCompiler(schemas []Schema, texts []string, o CompileOptions) *compiler {
	c := &compiler{command: mixed, options: o, texts: texts, mapper: &Mapper{name: o.Name, places: o.Places, width: len(texts)},
		file: &File{Clear: DefaultClear}}
	if len(schemas) == 1 {
		c.command = schemas[0].Action
	}
	c.isExport = o.Export || slices.ContainsFunc(texts, csvfile.IsExport)
	var secrets []string
	for _, s := range schemas {
		l := &layout{schema: s}
		c.parts = append(c.parts, &part{layout: l, setBy: map[string]string{}, takes: make([]bool, len(texts))})
		c.mapper.layouts = append(c.mapper.layouts, l)
		c.mapper.exported = c.mapper.exported || s.Exported && c.isExport
		for _, f := range s.Fields {
			if f.Secret {
				secrets = append(secrets, f.Name)
			}
		}
	}
	if o.File != nil {
		file := *o.File
		c.file = &file
		c.file.hide(secrets)
	}
	for _, word := range o.Blanks {
		c.file.Blanks = append(slices.Clip(c.file.Blanks), Scalar{Text: word})
	}
	return c
}

func (c *compiler) compile() (*Mapper, error) {
	c.checkActions()
	c.listColumns()
	c.findAction()
	c.findGuards(c.options.Match)
	c.findKeys()
	for _, joins := range []bool{false, true} { // what is joined may serve by itself, too
		for i := range c.file.Columns {
			if r := &c.file.Columns[i]; (r.Join != nil) == joins {
				c.assignRule(r)
			}
		}
	}
	for i := range c.columns {
		if h := &c.columns[i]; h.use == undecided && c.file.rules(h.text) == nil {
			c.assignHeading(h)
		}
	}
	c.constants()
	if len(c.bad) == 0 && !slices.ContainsFunc(c.parts, func(p *part) bool {
		l := p.layout
		return len(l.keys) > 0 && (len(l.schema.Fields) == 0 || l.schema.OnlyKeys || len(l.columns)+len(l.constants) > 0)
	}) {
		c.bad.add("the input has a key and nothing to set",
			"add a column headed with a field's name"+delimiterHint(strings.Join(c.inUse(), " ")))
	}
	if err := c.bad.err(c.options.Name); err != nil {
		if refusal, ok := errors.AsType[*csvfile.Refusal](err); ok && c.unknown {
			lists := "rowbatch fields " + c.parts[0].schema.Action + " lists the fields, rowbatch map proposes a mapping file, " +
				"--ignore-others leaves out what is none"
			refusal.Try = strings.TrimPrefix(refusal.Try+"; "+lists, "; ")
		}
		return nil, err
	}
	c.finish()
	return c.mapper, nil
}

// complain tells a problem with its place in the mapping file.
func (c *compiler) complain(at Scalar, format string, args ...any) {
	c.bad.addAt(at, c.file.at(at, fmt.Sprintf(format, args...)), "")
}

func (c *compiler) mixed() bool { return c.command == mixed }

// scope returns the actions that an entry of the mapping file is for.
func (c *compiler) scope(action Scalar) []*part {
	if action.Text == "" {
		return c.parts
	}
	i := slices.IndexFunc(c.parts, func(p *part) bool { return p.schema.Action == action.Text })
	if i < 0 || !c.mixed() {
		return nil
	}
	return c.parts[i : i+1]
}

// checkActions looks at all places of the mapping file that name an action.
func (c *compiler) checkActions() {
	if a := c.file.Action; a.Text != "" && a.Text != c.command {
		c.complain(a, "the mapping file is for %s, the command is %s", a.Text, c.command)
		if !c.mixed() && a.Text == mixed {
			return // and so is all that stands there for each action
		}
	}
	check := func(action Scalar, again bool, of string, parts []string) {
		switch name := action.Text; {
		case name == "":
		case !c.mixed() && !again:
			c.complain(action, "%q is no part of %s, which has %s; one for each action is for %s only",
				name, of, strings.Join(parts, ", "), mixed)
		case c.mixed() && c.scope(action) == nil:
			all := actionsOf(c.parts)
			c.complain(action, "%q is none of the actions %s%s", name, strings.Join(all, ", "), didYouMean(name, all))
		}
	}
	for i, k := range c.file.Keys {
		check(k.Action, i > 0, "key", keyParts())
	}
	for i, r := range c.file.Columns {
		check(r.Action, i > 0 && c.file.Columns[i-1].Column == r.Column, "a column's rule", ruleParts())
	}
}

// listColumns lists the columns and refuses doubled ones.
func (c *compiler) listColumns() {
	ignored := map[string]bool{}
	for _, name := range c.options.Ignore {
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
	for i, text := range c.texts {
		h := heading{index: i, text: strings.TrimSpace(text)}
		switch {
		case h.text == "", csvfile.IsOurs(h.text), ignored[h.text], c.options.Keys && c.options.File == nil && !c.isKey(h.text):
			h.use = leftOut
		case csvfile.IsExport(h.text) && c.mapper.export == nil:
			h.use, c.mapper.export = leftOut, &column{index: i, heading: h.text}
		case strings.HasPrefix(h.text, "#") && !c.knows(h.text), c.options.Others && !c.knows(h.text):
			h.use = leftOut
			c.mapper.others = append(c.mapper.others, h.text)
		case first[h.text] > 0:
			h.use = leftOut
			c.bad.add(fmt.Sprintf("the heading %q stands over columns %d and %d", h.text, first[h.text], i+1),
				"rename or delete one of them")
		default:
			first[h.text] = i + 1
		}
		c.columns = append(c.columns, h)
	}
}

// knows reports whether a heading has a meaning here.
func (c *compiler) knows(text string) bool {
	isIt := func(s Scalar) bool { return strings.TrimSpace(s.Text) == text }
	_, guards := c.options.Match[text]
	switch {
	case guards, csvfile.IsExport(text), c.file.rules(text) != nil, isIt(c.file.ActionColumn),
		slices.ContainsFunc(c.file.Keys, func(k KeyRule) bool { return isIt(k.Column) }),
		slices.ContainsFunc(c.file.Match, func(p Pair) bool { return isIt(p.Name) }),
		slices.ContainsFunc(c.file.Columns, func(r ColumnRule) bool { return slices.ContainsFunc(r.Join, isIt) }):
		return true
	case c.mixed() && csvfile.Fold(text) == "action", c.isKey(text), c.isExport && c.isShownByExport(text):
		return true
	}
	all, _ := settable(c.parts, text)
	return len(all) > 0 && len(c.file.Columns) == 0
}

func (c *compiler) isKey(text string) bool {
	return slices.ContainsFunc(c.parts, func(p *part) bool { return p.schema.key(text) != nil })
}

// isShownByExport reports whether an export has such a column, and an action of the
// file has no use for it but to show it.
func (c *compiler) isShownByExport(text string) bool {
	return slices.ContainsFunc(c.parts, func(p *part) bool {
		return slices.ContainsFunc(p.schema.ReadOnly, func(name string) bool {
			return csvfile.Fold(name) == csvfile.Fold(text) ||
				strings.HasSuffix(name, ".") && strings.HasPrefix(csvfile.Fold(text), csvfile.Fold(name))
		})
	})
}

// find returns the column of a heading, nil when there is none in use.
func (c *compiler) find(name string) *heading {
	name = strings.TrimSpace(name)
	i := slices.IndexFunc(c.columns, func(h heading) bool { return h.text == name && h.use != leftOut })
	if i < 0 {
		return nil
	}
	return &c.columns[i]
}

// inUse are the headings in use.
func (c *compiler) inUse() []string {
	var all []string
	for _, h := range c.columns {
		if h.use != leftOut {
			all = append(all, h.text)
		}
	}
	return all
}

// findAction finds the column that says what a row of a mixed file becomes.
func (c *compiler) findAction() {
	at := c.file.ActionColumn
	if !c.mixed() {
		if at.Text != "" && c.file.Action.Text != mixed {
			c.complain(at, "action_column is for %s, the command is %s", mixed, c.command)
		}
		return
	}
	h := c.find(at.Text)
	if at.Text == "" {
		i := slices.IndexFunc(c.columns, func(h heading) bool { return h.use == undecided && csvfile.Fold(h.text) == "action" })
		if h = nil; i >= 0 {
			h = &c.columns[i]
		}
	}
	switch {
	case h == nil && at.Text != "":
		c.complain(at, "action_column names the column %q, which the input lacks%s", at.Text, didYouMean(at.Text, c.inUse()))
	case h == nil:
		c.bad.add(fmt.Sprintf("no column says what each row becomes (%s)", strings.Join(actionsOf(c.parts), ", ")),
			"a column headed action, or action_column: in a mapping file"+isItOne(c.inUse(), []string{"action"}))
	default:
		for _, r := range c.file.rules(h.text) {
			c.complain(r.Column, "the column %q says what a row becomes and cannot also set %s", h.text, r.Field.Text)
		}
		h.use = decides
		col := newColumn(h, target{&Field{Name: "action"}, "action"})
		c.mapper.action = &col
	}
}

// findGuards takes the columns of match; those of the command line come last and win.
func (c *compiler) findGuards(flags map[string]string) {
	wanted := map[string]Pair{}
	for _, p := range c.file.Match {
		wanted[strings.TrimSpace(p.Name.Text)] = p
	}
	for column, field := range flags {
		column = strings.TrimSpace(column)
		wanted[column] = Pair{Scalar{Text: column}, Scalar{Text: field}}
	}
	for _, column := range slices.Sorted(maps.Keys(wanted)) {
		at := wanted[column]
		readers, why := readable(c.parts, at.Value.Text)
		if why != "" {
			c.complain(at.Value, "match: %s", why)
		}
		h := c.find(column)
		if h == nil {
			c.complain(at.Name, "match names the column %q, which the input lacks%s", column, didYouMean(column, c.inUse()))
			continue
		}
		if h.use == decides {
			c.complain(at.Name, "the column %q says what a row becomes and cannot also be a guard", column)
			continue
		}
		if csvfile.Fold(h.text) == passwordName {
			c.complain(at.Name, "%s", showsPasswords(column, "a guard's text is shown"))
		}
		h.use = guards
		if c.file.rules(column) != nil {
			c.complain(at.Name, "the column %q stands in columns and in match: a guard is not set", column)
		}
		for _, r := range readers {
			r.take(h)
			r.guards = append(r.guards, newColumn(h, r.target))
		}
	}
}

// findKeys finds the columns that say which customer a row is about, for each
// action: that of the mapping file's key, else the one that means the schema's
// first key, else the next.
func (c *compiler) findKeys() {
	for _, k := range c.file.Keys {
		parts := c.scope(k.Action)
		if !slices.ContainsFunc(parts, func(p *part) bool { return p.schema.finder(k.Field.Text) != nil }) && len(parts) > 0 {
			c.complain(k.Field, "key: the field is one of %s, not %s", strings.Join(finderNames(parts), ", "), k.Field.Text)
		}
		h := c.find(k.Column.Text)
		if k.Join != nil {
			h = c.join(k.Column.Text, k.Join)
		}
		c.keys = append(c.keys, h)
		switch {
		case h == nil && k.Join != nil:
		case h == nil:
			c.complain(k.Column, "key names the column %q, which the input lacks%s", k.Column.Text, didYouMean(k.Column.Text, c.inUse()))
		case h.use == guards:
			c.complain(k.Column, "the column %q stands in key and in match", h.text)
		case h.use == decides:
			c.complain(k.Column, "the column %q says what a row becomes and cannot also be the key", h.text)
		default:
			h.taken = true
		}
	}
	found := false
	for _, p := range c.parts {
		i := slices.IndexFunc(c.file.Keys, func(k KeyRule) bool {
			return p.schema.finder(k.Field.Text) != nil && slices.Contains(c.scope(k.Action), p)
		})
		if i >= 0 {
			c.keyOfFile(p, c.file.Keys[i], c.keys[i])
		} else {
			c.keyByName(p)
		}
		found = found || len(p.keys) > 0
	}
	if !found && len(c.file.Keys) == 0 {
		names := keyNames(c.parts)
		c.bad.add("no column says which customer a row is about",
			"a column headed "+either(names)+", or key: in a mapping file"+isItOne(c.inUse(), names))
	}
}

func (c *compiler) keyOfFile(p *part, k KeyRule, h *heading) {
	if h == nil || h.use != undecided {
		return
	}
	field := p.schema.finder(k.Field.Text)
	if rule := c.rule(p, h); rule != nil && csvfile.Fold(rule.Field.Text) != csvfile.Fold(field.Name) {
		c.complain(rule.Field, "the column %q is the key and cannot also set %s", h.text, rule.Field.Text)
	}
	for _, at := range h.joined {
		if rule := c.rule(p, &c.columns[at]); rule != nil || c.columns[at].use != undecided {
			c.complain(k.Column, "the column %q is a part of the key, and has another use", c.columns[at].text)
		}
	}
	c.setKey(p, h, field)
}

// keyByName takes the first column that means a key in rows of an action.
func (c *compiler) keyByName(p *part) {
	for i := range p.schema.Keys {
		field := &p.schema.Keys[i]
		at := slices.IndexFunc(c.columns, func(h heading) bool {
			name := h.text
			if rule := c.rule(p, &h); rule != nil {
				name = rule.Field.Text
			} else if c.file.rules(h.text) != nil {
				return false // the mapping file gives it to other actions
			}
			return h.use == undecided && !p.takes[h.index] && csvfile.Fold(name) == csvfile.Fold(field.Name)
		})
		if at < 0 {
			continue
		}
		if c.setKey(p, &c.columns[at], field); !p.schema.EitherKey {
			return
		}
	}
}

func (c *compiler) setKey(p *part, h *heading, field *Field) {
	p.take(h)
	if r := c.rule(p, h); r != nil && r.OnlyIfBlank {
		c.complain(r.Column, "only_if_blank: the column %q is the key, and sets nothing", h.text)
	}
	key := p.column(h, target{field, field.Name}, c.file, c.rule(p, h))
	key.readable = false // a damaged key names no record that could hold it
	p.keys = append(p.keys, key)
}

// rule returns what the mapping file says of a column in rows of an action.
func (c *compiler) rule(p *part, h *heading) *ColumnRule {
	for _, r := range c.file.rules(h.text) {
		if slices.Contains(c.scope(r.Action), p) {
			return r
		}
	}
	return nil
}

// assignRule lets a column of the mapping file set its field in rows of all
// actions that have it, those aside whose key the column is. The field is looked
// at, too, where the column cannot set it: the input lacks it, or it is a guard.
func (c *compiler) assignRule(r *ColumnRule) {
	name := strings.TrimSpace(r.Column.Text)
	parts := c.scope(r.Action)
	free := parts
	var h *heading
	if r.Join != nil {
		h = c.join(r.Column.Text, r.Join)
	} else if i := slices.IndexFunc(c.columns, func(h heading) bool { return h.text == name }); i >= 0 {
		h = &c.columns[i]
		free = slices.DeleteFunc(slices.Clone(parts), func(p *part) bool { return p.takes[i] && h.use != guards })
	} else {
		var unlisted []string // what the listed column may have been meant for
		for _, h := range c.columns {
			if len(c.bad) < problemsMeant && h.use == undecided && !h.taken && c.file.rules(h.text) == nil {
				unlisted = append(unlisted, h.text)
			}
		}
		c.complain(r.Column, "the input has no column %q%s", name, didYouMean(name, unlisted))
		if slices.ContainsFunc(parts, func(p *part) bool { return p.schema.key(r.Field.Text) != nil }) {
			return // it may be meant for the key
		}
	}
	all, why := settable(free, r.Field.Text)
	if why != "" && len(parts) > 0 && len(free) == len(parts) {
		c.complain(r.Field, "%s", why)
	}
	c.give(h, all, name, r, func(why string) { c.complain(r.Field, "%s", why) })
}

// join makes one of several columns. Each of them may set a field of its own besides,
// unless they make a key.
func (c *compiler) join(name string, columns []Scalar) *heading {
	h := &heading{text: strings.TrimSpace(name)}
	for _, s := range columns {
		at := slices.IndexFunc(c.columns, func(h heading) bool { return h.text == strings.TrimSpace(s.Text) })
		if at < 0 {
			c.complain(s, "join names the column %q, which the input lacks%s", s.Text, didYouMean(s.Text, c.inUse()))
			continue
		}
		c.columns[at].taken = true
		h.joined = append(h.joined, at)
		if isSecret := func(k column) bool { return k.index == at && k.secret }; csvfile.MentionsPassword(s.Text) ||
			slices.ContainsFunc(c.parts, func(p *part) bool { return slices.ContainsFunc(p.columns, isSecret) }) {
			c.complain(s, "%s", showsPasswords(s.Text, "what is joined is shown in reports"))
		}
	}
	if len(h.joined) < len(columns) {
		return nil
	}
	h.index = h.joined[0]
	return h
}

// give lets a column set a field in rows of the actions that take it, and tells
// blame what speaks against it. The column may be one that the input lacks, or a guard.
func (c *compiler) give(h *heading, to []taker, name string, r *ColumnRule, blame func(why string)) {
	for _, t := range to {
		if why := t.claim(t.target, fmt.Sprintf("the column %q", name)); why != "" {
			blame(why)
			continue
		}
		for _, why := range t.objections(name, r) {
			blame(why)
		}
		if h != nil && h.use == undecided {
			t.take(h)
			t.columns = append(t.columns, t.column(h, t.target, c.file, r))
		}
	}
}

// assignHeading lets a column without a rule set the field of its name.
func (c *compiler) assignHeading(h *heading) {
	blame := func(why string) {
		c.bad.add(fmt.Sprintf("column %d: %s", h.index+1, why),
			fmt.Sprintf("rename it%s, or leave it out with --ignore %q%s", mappingLine(", map it: ", h.text, c.parts), h.text,
				delimiterHint(h.text)))
	}
	free := slices.DeleteFunc(slices.Clone(c.parts), func(p *part) bool { return p.takes[h.index] })
	all, why := settable(free, h.text)
	switch {
	case len(all) == 0 && !h.taken && c.isExport && c.isShownByExport(h.text):
		h.use = leftOut
		c.mapper.readOnly = append(c.mapper.readOnly, column{index: h.index, heading: h.text})
		return
	case len(c.file.Columns) > 0:
		if h.taken {
			return
		}
		var absent []string // the listed columns that the input lacks: what the heading may have been meant for
		for _, r := range c.file.Columns {
			if len(c.bad) < problemsMeant && c.find(r.Column.Text) == nil {
				absent = append(absent, strings.TrimSpace(r.Column.Text))
			}
		}
		c.bad.add(fmt.Sprintf("the column %q is not listed in the mapping file%s", h.text, didYouMean(h.text, absent)),
			fmt.Sprintf("list it under columns%s or ignore, or --ignore %q", mappingLine(", as ", h.text, c.parts), h.text))
		return
	case why != "" && len(free) == len(c.parts) && !h.taken:
		c.unknown = true
		blame(why)
	}
	c.give(h, all, h.text, nil, blame)
}

// constants become cells that every row sets whose action has the field: their
// texts are read as if they stood in cells. What allow_clear names is looked at, too.
func (c *compiler) constants() {
	for _, p := range c.file.Constants {
		all, why := settable(c.parts, p.Name.Text)
		if why != "" {
			c.complain(p.Name, "constants: %s", why)
		}
		for _, t := range all {
			why := t.claim(t.target, "a constant")
			if t.target.field.Secret {
				why = noSecretsHere
			}
			if why != "" {
				c.complain(p.Name, "constants: %s", why)
				continue
			}
			col := t.column(&heading{index: -1, text: "constants"}, t.target, c.file, nil)
			var out Mapped
			col.set(p.Value.Text, nil, &out)
			for _, problem := range out.Problems {
				if c.file.hidden {
					problem.Text = secretProblem(problem.Code)
				}
				c.complain(p.Value, "constants: %s: %s", p.Name.Text, problem.Text)
			}
			if len(out.Cells)+len(out.Problems) == 0 {
				text := fmt.Sprintf("constants: %s is blank, and blank sets nothing", p.Name.Text)
				c.bad.addAt(p.Value, c.file.at(p.Value, text), c.file.Clear+" to clear the field, or take the line out")
			}
			t.constants = append(t.constants, out.Cells...)
		}
	}
	for _, s := range c.file.AllowClear {
		all, why := settable(c.parts, s.Text)
		if len(all) > 0 && !slices.ContainsFunc(all, func(t taker) bool { return !t.target.field.neverCleared() }) {
			why = all[0].target.name + " can never be cleared"
		}
		if why != "" {
			c.complain(s, "allow_clear: %s", why)
		}
	}
}

// finish puts the columns of each action in the input's order, and notes which
// columns are none of an action's, and which hold secrets.
func (c *compiler) finish() {
	for _, p := range c.parts {
		slices.SortStableFunc(p.columns, func(a, b column) int { return a.index - b.index })
	}
	for i := range c.columns {
		h := &c.columns[i]
		secret := csvfile.Fold(h.text) == passwordName || h.use == leftOut && csvfile.MentionsPassword(h.text)
		for _, p := range c.parts {
			secret = secret || slices.ContainsFunc(p.columns, func(k column) bool { return k.index == h.index && k.field.Secret })
			if !p.takes[h.index] && (h.use == undecided || h.use == guards) {
				p.foreign = append(p.foreign, column{index: h.index, heading: h.text})
			}
		}
		if secret {
			c.mapper.secrets = append(c.mapper.secrets, h.index)
		}
	}
}
