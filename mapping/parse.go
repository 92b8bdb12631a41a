package mapping

import (
	"errors"
	"fmt"
	"strings"

	"go.yaml.in/yaml/v4"
)

// ParseFile reads a mapping file. Every scalar is taken as the text that stands
// there: 0123 stays 0123, and N is no boolean. The error is a *Refusal with all
// problems, each with line, column and the line shown. Unless the file is no YAML
// at all, it comes with what could be read: [Compile] then refuses it with these
// problems and its own, so that a user meets all of them at once.
func ParseFile(name string, text []byte) (*File, error) {
	p := &parser{file: &File{Name: name, Clear: DefaultClear, lines: strings.Split(string(text), "\n")}}
	var document yaml.Node
	if err := yaml.Load(text, &document); err != nil {
		return nil, p.syntax(err)
	}
	p.root(document.Content[0])
	p.file.bad = p.bad
	return p.file, p.bad.err("")
}

type parser struct {
	file *File
	bad  refusals
}

func (p *parser) syntax(err error) error {
	var at *yaml.LoadError
	if !errors.As(err, &at) || at.Mark.Line == 0 {
		return &Refusal{File: p.file.Name, Text: strings.TrimPrefix(lastMessage(err), "yaml: "),
			Try: "one YAML document with, for example, columns: {First Name: firstName}"}
	}
	text := at.Message
	if at.ContextMsg != "" {
		text += " " + at.ContextMsg + fmt.Sprintf(" that starts in line %d", at.ContextMark.Line)
	}
	if line := at.Mark.Line; line <= len(p.file.lines) && strings.HasPrefix(p.file.lines[line-1], "\t") {
		text += "; YAML indents with spaces, not with tabs"
	}
	return &Refusal{Text: p.file.at(Scalar{line: at.Mark.Line, column: at.Mark.Column}, text)}
}

func lastMessage(err error) string {
	var at *yaml.LoadError
	if errors.As(err, &at) {
		return at.Message
	}
	return err.Error()
}

func (p *parser) complain(n *yaml.Node, format string, args ...any) {
	p.bad.add(p.file.at(place(n), fmt.Sprintf(format, args...)), "")
}

func place(n *yaml.Node) Scalar { return Scalar{Text: n.Value, line: n.Line, column: n.Column} }

// section is a known key of a mapping and what reads its value.
type section struct {
	name string
	read func(*yaml.Node)
}

func (p *parser) root(n *yaml.Node) {
	f := p.file
	p.sections(n, []section{
		{"action", func(n *yaml.Node) { f.Action = p.scalar(n) }},
		{"key", p.key},
		{"columns", p.columns},
		{"match", func(n *yaml.Node) { f.Match = p.pairs(n) }},
		{"constants", func(n *yaml.Node) { f.Constants = p.pairs(n) }},
		{"ignore", func(n *yaml.Node) { f.Ignore = p.list(n) }},
		{"clear", p.clear},
		{"blank", p.blank},
		{"allow_clear", func(n *yaml.Node) { f.AllowClear = p.list(n) }},
	})
}

func (p *parser) sections(n *yaml.Node, known []section) {
	p.entries(n, func(key Scalar, keyNode, value *yaml.Node) {
		var names []string
		for _, s := range known {
			if s.name == key.Text {
				s.read(value)
				return
			}
			names = append(names, s.name)
		}
		p.complain(keyNode, "unknown key %q%s", key.Text, didYouMean(key.Text, names))
	})
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
			continue
		}
		if line := seen[key.Text]; line > 0 {
			p.complain(n.Content[i], "%q stands here and in line %d", key.Text, line)
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

func (p *parser) wrongKind(n *yaml.Node, wanted string) {
	if isNull(n) {
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
		if v := p.scalar(value); v.line > 0 {
			all = append(all, Pair{key, v})
		}
	})
	return all
}
