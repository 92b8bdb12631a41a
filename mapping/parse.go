package mapping

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"rowbatch/mapping/csvfile"
)

// ParseFile reads a mapping file. Every scalar is taken as the text that stands
// there: 0123 stays 0123, and N is no boolean. The error is a *csvfile.Refusal with all
// problems, each with line, column and the line shown. Unless the file is no
// YAML mapping at all, it comes with what could be read: [Compile] then refuses
// that with these problems and its own, so that a user meets all of them at once.
func ParseFile(name string, text []byte) (*File, error) {
	p := &parser{&File{Name: name, Clear: DefaultClear, lines: splitLines(string(text)), unread: map[string]bool{}}}
	var document yaml.Node
	if err := yaml.Load(text, &document); err != nil {
		return nil, p.syntax(err)
	}
	p.file.root = document.Content[0]
	if p.file.root.Kind != yaml.MappingNode && p.mayHoldPassword() {
		p.file.lines = nil // nobody can tell where
	}
	p.file.hidden = hide(p.file.root, p.file.lines, []string{passwordName})
	p.root(p.file.root)
	err := p.file.bad.err("")
	if p.file.root.Kind != yaml.MappingNode {
		return nil, err
	}
	return p.file, err
}

type parser struct{ file *File }

func (p *parser) mayHoldPassword() bool {
	return strings.Contains(csvfile.Fold(strings.Join(p.file.lines, "")), passwordName)
}

func (p *parser) syntax(err error) error {
	var at *yaml.LoadError
	if !errors.As(err, &at) || at.Mark.Line == 0 {
		return &csvfile.Refusal{File: p.file.Name, Text: strings.TrimPrefix(lastMessage(err), "yaml: "),
			Try: "one YAML document with, for example, columns: {First Name: firstName}"}
	}
	place := Scalar{line: at.Mark.Line, column: at.Mark.Column}
	if p.mayHoldPassword() {
		p.file.lines = nil
		return &csvfile.Refusal{Text: p.file.at(place, "this is not YAML; the line is not shown, since it may hold a password")}
	}
	text := at.Message
	if at.ContextMsg != "" {
		text += " " + at.ContextMsg + fmt.Sprintf(" that starts in line %d", at.ContextMark.Line)
	}
	if line := at.Mark.Line; line <= len(p.file.lines) && strings.HasPrefix(p.file.lines[line-1], "\t") {
		text += "; YAML indents with spaces, not with tabs"
	}
	return &csvfile.Refusal{Text: p.file.at(place, text)}
}

// splitLines counts lines as YAML does.
func splitLines(text string) []string {
	ends := strings.NewReplacer("\r\n", "\n", "\r", "\n", "\u0085", "\n", "\u2028", "\n", "\u2029", "\n")
	return strings.Split(ends.Replace(text), "\n")
}

func lastMessage(err error) string {
	var at *yaml.LoadError
	if errors.As(err, &at) {
		return at.Message
	}
	return err.Error()
}

func (p *parser) complain(n *yaml.Node, format string, args ...any) {
	p.file.bad.addAt(place(n), p.file.at(place(n), fmt.Sprintf(format, args...)), "")
}

func place(n *yaml.Node) Scalar { return Scalar{Text: n.Value, line: n.Line, column: n.Column} }

// section is a known key of a mapping and what reads its value.
type section struct {
	name string
	read func(*yaml.Node)
}

func (p *parser) root(n *yaml.Node) {
	f := p.file
	given := p.sections(n, []section{
		{"action", func(n *yaml.Node) { f.Action = p.scalar(n) }},
		{"action_column", func(n *yaml.Node) { f.ActionColumn = p.name(n) }},
		{"key", p.key},
		{"columns", p.columns},
		{"match", func(n *yaml.Node) { f.Match = p.pairs(n) }},
		{"constants", func(n *yaml.Node) { f.Constants = p.pairs(n) }},
		{"ignore", func(n *yaml.Node) { f.Ignore = p.list(n) }},
		{"clear", p.clear},
		{"blank", p.blank},
		{"allow_clear", func(n *yaml.Node) { f.AllowClear = p.list(n) }},
	})
	f.actionUnread = slices.Contains(given, "action_column") && f.ActionColumn.Text == ""
	f.keyUnread = slices.Contains(given, "key") && !slices.ContainsFunc(f.Keys, func(k KeyRule) bool { return k.Column.Text != "" })
	f.columnsUnread = slices.Contains(given, "columns") && len(f.Columns) == 0
}

// sections reads a mapping with known keys, and returns those that are there,
// misspelt ones by the name that was meant.
func (p *parser) sections(n *yaml.Node, known []section) (given []string) {
	var names []string
	for _, s := range known {
		names = append(names, s.name)
	}
	p.entries(n, func(key Scalar, keyNode, value *yaml.Node) {
		if i := slices.Index(names, key.Text); i >= 0 {
			given = append(given, key.Text)
			known[i].read(value)
			return
		}
		p.complain(keyNode, "unknown key %q%s", key.Text, didYouMean(key.Text, names))
		p.setAside(value)
		if meant, ok := Nearest(key.Text, names); ok {
			given = append(given, meant)
		}
	})
	return given
}

// setAside notes the texts of a part that could not be read, so that Compile
// does not find fault with what that part may have explained. A text with
// commas is most likely a list that was meant.
func (p *parser) setAside(n *yaml.Node) {
	for text := range strings.SplitSeq(n.Value, ",") {
		if name := csvfile.Fold(text); name != "" {
			p.file.unread[name] = true
		}
	}
	for _, part := range n.Content {
		p.setAside(part)
	}
}

// entries walks a mapping; doubled keys are told and left out.
func (p *parser) entries(n *yaml.Node, each func(key Scalar, keyNode, value *yaml.Node)) {
	n = follow(n)
	if n.Kind != yaml.MappingNode {
		p.wrongKind(n, "name: value pairs are")
		return
	}
	seen := map[string]int{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := p.scalar(n.Content[i])
		if key.line == 0 {
			p.setAside(n.Content[i+1])
			continue
		}
		if line := seen[key.Text]; line > 0 {
			p.complain(n.Content[i], "%q stands here and in line %d", key.Text, line)
			p.setAside(n.Content[i+1])
			continue
		}
		seen[key.Text] = key.line
		each(key, n.Content[i], n.Content[i+1])
	}
}

// scalar returns a text, and a Scalar without place when there is none.
func (p *parser) scalar(n *yaml.Node) Scalar {
	at := place(n)
	n = follow(n)
	if n.Kind != yaml.ScalarNode || isNull(n) {
		p.wrongKind(n, "a text is")
		return Scalar{}
	}
	at.Text = n.Value
	return at
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

func (p *parser) wrongKind(n *yaml.Node, wanted string) {
	if isNull(n) {
		p.complain(n, `nothing (a YAML null) where %s expected: write "" for an empty text, or take the line out`, wanted)
		return
	}
	p.complain(n, "%s expected here", wanted)
	p.setAside(n)
}

func isNull(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && n.ShortTag() == "!!null" }

// follow resolves an alias to its anchor.
func follow(n *yaml.Node) *yaml.Node {
	for n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	return n
}

func (p *parser) list(n *yaml.Node) []Scalar {
	n = follow(n)
	if n.Kind != yaml.SequenceNode {
		p.wrongKind(n, "a list such as [Notes, Balance] is")
		return nil
	}
	var all []Scalar
	for _, item := range n.Content {
		if s := p.scalar(item); s.line > 0 {
			all = append(all, s)
		}
	}
	return all
}

func (p *parser) pairs(n *yaml.Node) []Pair {
	var all []Pair
	p.entries(n, func(key Scalar, _, value *yaml.Node) {
		v := p.scalar(value)
		if v.line == 0 {
			p.file.unread[csvfile.Fold(key.Text)] = true
			return
		}
		all = append(all, Pair{key, v})
	})
	return all
}
