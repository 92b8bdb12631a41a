package mapping

import (
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"
)

func (p *parser) key(n *yaml.Node) {
	if !perAction(n, keyParts()) {
		p.keyRule(Scalar{}, n)
		return
	}
	p.byAction(n, p.keyRule)
}

// byAction reads a mapping whose keys are actions.
func (p *parser) byAction(n *yaml.Node, read func(action Scalar, n *yaml.Node)) {
	p.entries(n, func(_ Scalar, keyNode, value *yaml.Node) {
		action := p.name(keyNode)
		if action.line == 0 {
			p.setAside(value)
			return
		}
		read(action, value)
	})
}

func (p *parser) keyRule(action Scalar, n *yaml.Node) {
	k := KeyRule{Action: action}
	given := p.sections(n, []section{
		{"column", func(n *yaml.Node) { k.Column = p.name(n) }},
		{"field", func(n *yaml.Node) { k.Field = p.name(n) }},
	})
	if follow(n).Kind == yaml.MappingNode && (!slices.Contains(given, "column") || !slices.Contains(given, "field")) {
		p.complain(n, "key needs both column and field, such as {column: Cust No, field: reference}")
	}
	p.file.Keys = append(p.file.Keys, k)
}

func (p *parser) columns(n *yaml.Node) {
	p.entries(n, func(key Scalar, _, value *yaml.Node) {
		if !perAction(value, ruleParts()) {
			p.rule(ColumnRule{Column: key}, value)
			return
		}
		before := len(p.file.Columns)
		p.byAction(value, func(action Scalar, n *yaml.Node) { p.rule(ColumnRule{Action: action, Column: key}, n) })
		if len(p.file.Columns) == before {
			p.file.Columns = append(p.file.Columns, ColumnRule{Column: key}) // what it is for could not be read
		}
	})
}

func keyParts() []string  { return []string{"column", "field"} }
func ruleParts() []string { return []string{"field", "trim", "lower", "values", "expr"} }

// perAction says that the keys of a mapping are actions: none of them is, even
// nearly, a part of what could stand there for all actions.
func perAction(n *yaml.Node, parts []string) bool {
	n = follow(n)
	if n.Kind != yaml.MappingNode {
		return false
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if _, ok := Nearest(follow(n.Content[i]).Value, parts); ok {
			return false
		}
	}
	return len(n.Content) > 0
}

// rule reads what a column sets: a field's name, or a mapping that has one.
func (p *parser) rule(rule ColumnRule, n *yaml.Node) {
	if follow(n).Kind == yaml.MappingNode {
		p.column(n, &rule)
	} else {
		rule.Field = p.name(n)
	}
	p.file.Columns = append(p.file.Columns, rule)
}

func (p *parser) column(n *yaml.Node, rule *ColumnRule) {
	given := p.sections(n, []section{
		{"field", func(n *yaml.Node) { rule.Field = p.name(n) }},
		{"trim", func(n *yaml.Node) { rule.Trim = p.truth(n) }},
		{"lower", func(n *yaml.Node) { rule.Lower = p.truth(n) }},
		{"values", func(n *yaml.Node) { rule.Values = p.values(n) }},
		{"expr", func(n *yaml.Node) { p.expression(n, rule) }},
	})
	if !slices.Contains(given, "field") {
		p.complain(n, "field is missing: which field does the column %q set?", rule.Column.Text)
	}
}

func (p *parser) values(n *yaml.Node) map[string]string {
	values := map[string]string{}
	p.entries(n, func(key Scalar, _, value *yaml.Node) { values[key.Text] = p.scalar(value).Text })
	return values
}

func (p *parser) expression(n *yaml.Node, rule *ColumnRule) {
	code := p.scalar(n)
	if code.line == 0 {
		return
	}
	program, err := compileExpression(code.Text)
	if err != nil {
		p.complain(n, "expr: %s", firstLine(err))
		return
	}
	rule.expression = program
}

func (p *parser) truth(n *yaml.Node) bool {
	s := p.scalar(n)
	if s.line > 0 && s.Text != "true" && s.Text != "false" {
		p.complain(n, "true or false is expected here")
	}
	return s.Text == "true"
}

// clear refuses words that the rules for cells could never meet.
func (p *parser) clear(n *yaml.Node) {
	word := p.scalar(n)
	switch {
	case word.line == 0:
	case strings.TrimSpace(word.Text) == "":
		p.complain(n, "the clear word is blank; for blank cells to clear, write blank: clear")
	case strings.TrimSpace(word.Text) != word.Text, strings.ContainsAny(word.Text[:1], `\'`):
		p.complain(n, "the clear word must not begin with a backslash or an apostrophe, nor begin or end with white space")
		p.setAside(n)
	default:
		p.file.Clear = word.Text
	}
}

func (p *parser) blank(n *yaml.Node) {
	word := p.scalar(n)
	if word.line > 0 && word.Text != "keep" && word.Text != "clear" {
		p.complain(n, "blank is keep or clear")
	}
	p.file.BlankClears = word.Text == "clear"
}
