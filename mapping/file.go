package mapping

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/expr-lang/expr/vm"
	"go.yaml.in/yaml/v4"

	"rowbatch/mapping/csvfile"
)

// DefaultClear is the word that clears a field.
const DefaultClear = "REMOVE"

// File is a mapping file whose form is right. What it means is checked by
// [Compile], which knows action and heading.
type File struct {
	Name         string
	Action       Scalar
	ActionColumn Scalar // of a mixed file
	Keys         []KeyRule
	Columns      []ColumnRule
	Match        []Pair
	Constants    []Pair
	Ignore       []Scalar
	Clear        string // the word that clears a field
	BlankClears  bool   // a blank cell clears, where the field may be cleared
	AllowClear   []Scalar
	Blanks       []Scalar // words that mean blank

	byColumn map[string][]*ColumnRule // by the trimmed heading
	lines    []string
	texts    []string // all that stands in it
	hidden   bool     // it may hold a secret: no line of it is shown
	secrets  []string // no message holds one of them
}

const noSecretsHere = "a mapping file must not hold passwords; give them in a column of the input"

// Scalar is a text of the mapping file and where it stands.
type Scalar struct {
	Text         string
	line, column int // from 1, the column in characters; 0: not in the file
}

// Pair is one entry of match (column, field) or constants (field, text).
type Pair struct{ Name, Value Scalar }

// KeyRule names the column that says which customer a row is about. Without an
// Action it is for every action that has such a key.
type KeyRule struct {
	Action, Column, Field Scalar
	Join                  []Scalar // the columns whose texts are joined, in place of Column
}

// ColumnRule says what a column sets. Without an Action it is for every action
// that has such a field; else a column may have several. Trimming (but for Keep),
// Dates, Lower, Values and Expr apply in this order.
type ColumnRule struct {
	Action, Column, Field Scalar
	Join                  []Scalar          // the columns whose texts are joined, for which Column is but a name; nil: Column itself
	Trim, Keep, Lower     bool              // Trim and Keep: what the file says of a cell's ends
	OnlyIfBlank           bool              // a field that the record has filled is left alone
	Dates                 string            // how the cells write 2 January 2006; "": they are texts like others
	Values                map[string]string // nil: any cell
	expression            *vm.Program
}

// ParseFile reads a mapping file. Every scalar is taken as the text that stands
// there: 0123 stays 0123, and N is no boolean. The error is a [*csvfile.Refusal]
// with all problems of the file's form, each with line, column and the line shown;
// a file with any is not looked at further.
func ParseFile(name string, text []byte) (*File, error) {
	f := &File{Name: name, Clear: DefaultClear, texts: []string{string(text)}}
	ends := strings.NewReplacer("\r\n", "\n", "\r", "\n", "\u0085", "\n", "\u2028", "\n", "\u2029", "\n") // as YAML counts lines
	f.lines = strings.Split(ends.Replace(string(text)), "\n")
	p := &parser{file: f}
	var document yaml.Node
	err := yaml.Load(text, &document)
	if err == nil {
		p.collect(document.Content[0])
	}
	f.hide(secretWords())
	if err != nil {
		return nil, p.syntax(err)
	}
	p.root(document.Content[0])
	if err := p.bad.err(""); err != nil {
		return nil, err
	}
	if len(f.Columns) > mostRules {
		return nil, &csvfile.Refusal{File: name, Text: fmt.Sprintf("it lists %d columns, of at most %d", len(f.Columns), mostRules)}
	}
	f.byColumn = map[string][]*ColumnRule{}
	for i := range f.Columns {
		if name := strings.TrimSpace(f.Columns[i].Column.Text); f.Columns[i].Join == nil {
			f.byColumn[name] = append(f.byColumn[name], &f.Columns[i])
		}
	}
	return f, nil
}

func secretWords() []string { return []string{passwordName, "passphrase", "secret", "token"} }

// hide lets no message show a line when something in the file reads like one of
// the names, nearly so spelt too, nor what the file gives to it as a constant.
func (f *File) hide(names []string) {
	inWord := func(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) || r == '_' || r == '-' }
	for _, text := range f.texts {
		folded := csvfile.Fold(text)
		f.hidden = f.hidden || slices.ContainsFunc(names, func(n string) bool { return strings.Contains(folded, csvfile.Fold(n)) })
		for word := range strings.FieldsFuncSeq(text, func(r rune) bool { return !inWord(r) }) {
			if f.hidden {
				break
			}
			_, f.hidden = Nearest(word, names)
		}
	}
	for _, p := range f.Constants {
		if _, near := Nearest(p.Name.Text, names); near && p.Value.Text != "" {
			f.secrets = append(slices.Clip(f.secrets), p.Value.Text)
		}
	}
}

// at is a message with the place in the file and the line itself, if it may be shown.
func (f *File) at(s Scalar, text string) string {
	if s.line < 1 {
		return text
	}
	if slices.ContainsFunc(f.secrets, func(secret string) bool { return strings.Contains(text, secret) }) {
		text = noSecretsHere // another place may have it by an alias
	}
	text = fmt.Sprintf("%s:%d:%d: %s", f.Name, s.line, s.column, text)
	if f.hidden || s.line > len(f.lines) {
		return text
	}
	line := f.lines[s.line-1]
	column, left := len(line)+1, s.column // in bytes, from characters
	for i := range line {
		if left--; left < 1 {
			column = i + 1
			break
		}
	}
	return text + "\n" + csvfile.PointAt(s.line, line, column)
}

// rules returns what the file says of a column by itself: one rule, or one for each
// of several actions.
func (f *File) rules(column string) []*ColumnRule { return f.byColumn[column] }

// parser reads the nodes of a mapping file. yaml's own decoding into structs would
// lose where each text stands, take a null for an empty text, and quote values.
type parser struct {
	file *File
	bad  problems
}

func (p *parser) syntax(err error) error {
	at, ok := errors.AsType[*yaml.LoadError](err)
	if !ok {
		return &csvfile.Refusal{File: p.file.Name, Text: err.Error()}
	}
	place := Scalar{line: at.Mark.Line, column: at.Mark.Column}
	text := at.Message
	switch {
	case place.line == 0:
		return &csvfile.Refusal{File: p.file.Name, Text: strings.TrimPrefix(text, "yaml: "),
			Try: "one YAML document with, for example, columns: {First Name: firstName}"}
	case p.file.hidden:
		return &csvfile.Refusal{Text: p.file.at(place, "this is not YAML; the line is not shown, since it may hold a password")}
	case at.ContextMsg != "":
		text += fmt.Sprintf(" %s that starts in line %d", at.ContextMsg, at.ContextMark.Line)
	}
	if place.line <= len(p.file.lines) && strings.HasPrefix(p.file.lines[place.line-1], "\t") {
		text += "; YAML indents with spaces, not with tabs"
	}
	return &csvfile.Refusal{Text: p.file.at(place, text)}
}

// collect notes all texts: one that is written with escapes reads otherwise than
// its line.
func (p *parser) collect(n *yaml.Node) {
	if n.Kind == yaml.ScalarNode {
		p.file.texts = append(p.file.texts, n.Value)
	}
	for _, part := range n.Content {
		p.collect(part)
	}
}

func (p *parser) complain(n *yaml.Node, format string, args ...any) {
	at := Scalar{line: n.Line, column: n.Column}
	p.bad.addAt(at, p.file.at(at, fmt.Sprintf(format, args...)), "")
}

// section is a known key of a mapping and what reads its value.
type section struct {
	name string
	read func(*yaml.Node)
}

func (p *parser) root(n *yaml.Node) {
	f := p.file
	p.sections(n, []section{
		{"action", func(n *yaml.Node) { f.Action = p.scalar(n) }},
		{"action_column", func(n *yaml.Node) { f.ActionColumn = p.name(n) }},
		{"key", func(n *yaml.Node) { p.perAction(n, keyParts(), p.keyRule) }},
		{"columns", func(n *yaml.Node) {
			p.entries(n, func(column Scalar, _, value *yaml.Node) {
				p.perAction(value, ruleParts(), func(action Scalar, n *yaml.Node) { p.columnRule(action, column, n) })
			})
		}},
		{"match", func(n *yaml.Node) { f.Match = p.pairs(n) }},
		{"constants", func(n *yaml.Node) {
			f.Constants = p.pairs(n)
			f.hide(secretWords())
		}},
		{"ignore", func(n *yaml.Node) { f.Ignore = p.list(n) }},
		{"clear", func(n *yaml.Node) { // words that the rules for cells could never meet are refused
			word := p.scalar(n)
			switch trimmed := strings.TrimSpace(word.Text); {
			case word.line == 0:
			case trimmed == "":
				p.complain(n, "the clear word is blank; for blank cells to clear, write blank: clear")
			case trimmed != word.Text, strings.ContainsAny(trimmed[:1], `\'`):
				p.complain(n, "the clear word must not begin with a backslash or an apostrophe, nor begin or end with white space")
			}
			f.Clear = word.Text
		}},
		{"blank", func(n *yaml.Node) { f.BlankClears = p.oneOf(n, "blank is keep or clear", "keep", "clear") == "clear" }},
		{"allow_clear", func(n *yaml.Node) { f.AllowClear = p.list(n) }},
		{"blanks", func(n *yaml.Node) { f.Blanks = p.list(n) }},
	})
}

// keyParts and ruleParts are what stands in a key and in a column's rule, unless
// they are given per action.
func keyParts() []string { return []string{"column", "join", "field"} }
func ruleParts() []string {
	return []string{"field", "join", "trim", "lower", "only_if_blank", "dates", "values", "expr"}
}

func (p *parser) keyRule(action Scalar, n *yaml.Node) {
	k := KeyRule{Action: action}
	given, ok := p.sections(n, []section{
		{"column", func(n *yaml.Node) { k.Column = p.name(n) }},
		{"join", func(n *yaml.Node) {
			k.Join = p.names(n)
			k.Column = Scalar{namesOfJoined(k.Join), n.Line, n.Column}
		}},
		{"field", func(n *yaml.Node) { k.Field = p.name(n) }},
	})
	if ok && (slices.Contains(given, "column") == slices.Contains(given, "join") || !slices.Contains(given, "field")) {
		p.complain(n, "key needs both column and field, such as {column: Cust No, field: reference}; "+
			"join: [First, Last] stands in place of a column")
	}
	p.file.Keys = append(p.file.Keys, k)
}

// namesOfJoined is what people are told of a key that has no column of its own.
func namesOfJoined(columns []Scalar) string {
	var names []string
	for _, c := range columns {
		names = append(names, strings.TrimSpace(c.Text))
	}
	return strings.Join(names, " + ")
}

// columnRule reads what a column sets: a field's name, or a mapping that has one.
func (p *parser) columnRule(action, column Scalar, n *yaml.Node) {
	rule := ColumnRule{Action: action, Column: column}
	truth := func(n *yaml.Node) bool {
		return p.oneOf(n, "true or false is expected here", "true", "false") == "true"
	}
	if follow(n).Kind != yaml.MappingNode {
		rule.Field = p.name(n)
	} else if given, _ := p.sections(n, []section{
		{"field", func(n *yaml.Node) { rule.Field = p.name(n) }},
		{"join", func(n *yaml.Node) { rule.Join = p.names(n) }},
		{"only_if_blank", func(n *yaml.Node) { rule.OnlyIfBlank = truth(n) }},
		{"dates", func(n *yaml.Node) {
			if rule.Dates = p.name(n).Text; rule.Dates != "" && !isDateLayout(rule.Dates) {
				p.complain(n, "dates: %q does not show the day 2 January 2006, such as 02/01/2006, 1/2/2006 or 2 Jan 2006", rule.Dates)
			}
		}},
		{"trim", func(n *yaml.Node) { rule.Trim = truth(n); rule.Keep = !rule.Trim }},
		{"lower", func(n *yaml.Node) { rule.Lower = truth(n) }},
		{"values", func(n *yaml.Node) {
			rule.Values = map[string]string{}
			for _, pair := range p.pairs(n) {
				rule.Values[pair.Name.Text] = pair.Value.Text
			}
		}},
		{"expr", func(n *yaml.Node) {
			code := p.scalar(n)
			if code.line == 0 {
				return
			}
			program, err := compileExpression(code.Text)
			switch {
			case err != nil && p.file.hidden:
				p.complain(n, "expr: this is no expression that gives a text; it is not shown, since it may hold a password")
			case err != nil:
				p.complain(n, "expr: %s", firstLine(err))
			}
			rule.expression = program
		}},
	}); !slices.Contains(given, "field") {
		p.complain(n, "field is missing: which field does the column %q set?", column.Text)
	}
	p.file.Columns = append(p.file.Columns, rule)
}

// perAction reads what may be given once, or in a mapping whose keys are actions:
// none of them is, even nearly, a part of what could stand there for all actions.
func (p *parser) perAction(n *yaml.Node, parts []string, read func(action Scalar, n *yaml.Node)) {
	to := follow(n)
	each := to.Kind == yaml.MappingNode && len(to.Content) > 0
	for i := 0; each && i+1 < len(to.Content); i += 2 {
		_, isPart := Nearest(follow(to.Content[i]).Value, parts)
		each = !isPart
	}
	if !each {
		read(Scalar{}, n)
		return
	}
	p.entries(n, func(_ Scalar, keyNode, value *yaml.Node) {
		if action := p.name(keyNode); action.line > 0 {
			read(action, value)
		}
	})
}

// sections reads a mapping with known keys, and returns those that are there,
// misspelt ones by the name that was meant; not ok is what is no mapping.
func (p *parser) sections(n *yaml.Node, known []section) (given []string, ok bool) {
	var names []string
	for _, s := range known {
		names = append(names, s.name)
	}
	ok = p.entries(n, func(key Scalar, keyNode, value *yaml.Node) {
		if i := slices.Index(names, key.Text); i >= 0 {
			given = append(given, key.Text)
			known[i].read(value)
			return
		}
		p.complain(keyNode, "unknown key %q%s", key.Text, didYouMean(key.Text, names))
		if meant, near := Nearest(key.Text, names); near {
			given = append(given, meant)
		}
	})
	return given, ok
}

// entries walks a mapping; doubled keys are told and left out.
func (p *parser) entries(n *yaml.Node, each func(key Scalar, keyNode, value *yaml.Node)) (ok bool) {
	to := follow(n)
	if to.Kind != yaml.MappingNode {
		p.wrongKind(n, "name: value pairs are")
		return false
	}
	seen := map[string]int{}
	for i := 0; i+1 < len(to.Content); i += 2 {
		key := p.scalar(to.Content[i])
		switch line := seen[key.Text]; {
		case key.line == 0: // told already
		case line > 0 && p.file.hidden:
			p.complain(to.Content[i], "this name stands here and in line %d", line)
		case line > 0:
			p.complain(to.Content[i], "%q stands here and in line %d", key.Text, line)
		default:
			seen[key.Text] = key.line
			each(key, to.Content[i], to.Content[i+1])
		}
	}
	return true
}

func (p *parser) pairs(n *yaml.Node) []Pair {
	var all []Pair
	p.entries(n, func(key Scalar, _, value *yaml.Node) { all = append(all, Pair{key, p.scalar(value)}) })
	return all
}

func (p *parser) list(n *yaml.Node) []Scalar {
	to := follow(n)
	if to.Kind != yaml.SequenceNode {
		p.wrongKind(n, "a list such as [Notes, Balance] is")
		return nil
	}
	var all []Scalar
	for _, item := range to.Content {
		all = append(all, p.scalar(item))
	}
	return all
}

// names is a list of texts that are not blank, and not empty itself.
func (p *parser) names(n *yaml.Node) []Scalar {
	all := p.list(n)
	for _, s := range all {
		if s.line > 0 && strings.TrimSpace(s.Text) == "" {
			all = nil
		}
	}
	if follow(n).Kind == yaml.SequenceNode && len(all) == 0 {
		p.complain(n, "a list of headings such as [First, Last] is expected here")
	}
	return all
}

// scalar returns a text, and a Scalar without place when there is none.
func (p *parser) scalar(n *yaml.Node) Scalar {
	to := follow(n)
	if to.Kind != yaml.ScalarNode || isNull(to) {
		p.wrongKind(n, "a text is")
		return Scalar{}
	}
	return Scalar{to.Value, n.Line, n.Column}
}

// name is a scalar that is not blank.
func (p *parser) name(n *yaml.Node) Scalar {
	s := p.scalar(n)
	if s.line > 0 && strings.TrimSpace(s.Text) == "" {
		p.complain(n, "a name is expected here, not a blank text")
		return Scalar{}
	}
	return s
}

// oneOf is a scalar that is one of two words.
func (p *parser) oneOf(n *yaml.Node, otherwise string, words ...string) string {
	s := p.scalar(n)
	if s.line > 0 && !slices.Contains(words, s.Text) {
		p.complain(n, "%s", otherwise)
	}
	return s.Text
}

func (p *parser) wrongKind(n *yaml.Node, wanted string) {
	if isNull(follow(n)) {
		p.complain(n, `nothing (a YAML null) where %s expected: write "" for an empty text, or take the line out`, wanted)
		return
	}
	p.complain(n, "%s expected here", wanted)
}

func isNull(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && n.ShortTag() == "!!null" }

// follow resolves an alias to its anchor.
func follow(n *yaml.Node) *yaml.Node {
	for n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	return n
}

// problems gathers what is wrong with a mapping file and a heading, so that a
// user meets all of it at once.
type problems []problemAt

// problemAt is one problem; at is its place in the mapping file, if it has one.
type problemAt struct {
	at Scalar
	csvfile.Refusal
}

// Nobody reads on when there are more.
const (
	mostProblems  = 200 // that are looked for
	problemsShown = 50
	problemsMeant = 10   // for which it is looked up what was meant
	mostRules     = 2000 // columns of a mapping file
)

func (all *problems) add(text, try string) { all.addAt(Scalar{}, text, try) }

// addAt adds a problem once, however many actions of a mixed file have it.
func (all *problems) addAt(at Scalar, text, try string) {
	if p := (problemAt{at, csvfile.Refusal{Text: text, Try: try}}); len(*all) < mostProblems && !slices.Contains(*all, p) {
		*all = append(*all, p)
	}
}

// err makes one [*csvfile.Refusal] of all, in the order of the mapping file; nil when there are none.
func (all problems) err(file string) error {
	switch len(all) {
	case 0:
		return nil
	case 1:
		return &csvfile.Refusal{File: file, Text: all[0].Text, Try: all[0].Try}
	}
	slices.SortStableFunc(all, func(a, b problemAt) int {
		return cmp.Or(cmp.Compare(a.at.line, b.at.line), cmp.Compare(a.at.column, b.at.column))
	})
	lines := []string{fmt.Sprintf("%d problems:", len(all))}
	if len(all) == mostProblems {
		lines[0] = fmt.Sprintf("%d problems and more:", len(all))
	}
	for i, p := range all {
		if i == problemsShown {
			lines = append(lines, fmt.Sprintf("- and %d more", len(all)-i))
			break
		}
		lines = append(lines, "- "+strings.ReplaceAll(p.Error(), "\n", "\n  "))
	}
	return &csvfile.Refusal{File: file, Text: strings.Join(lines, "\n")}
}
