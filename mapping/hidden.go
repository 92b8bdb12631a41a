package mapping

import (
	"iter"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"
)

const noSecretsHere = "a mapping file must not hold passwords; give them in a column of the input"

// hidden are the places of a mapping file that may hold a secret. It should hold
// none, and is refused then; the message must not spread it any further.
type hidden struct {
	places map[position]bool // of each node of a secret
	from   map[int]int       // by line: the column in characters from which on it is not shown
}

type position struct{ line, column int }

// hide looks for what a file gives to the fields of these names, nearly so spelt
// too: constants, and the values and the expr of their columns.
func hide(root *yaml.Node, lines, names []string) hidden {
	h := hider{hidden: hidden{map[position]bool{}, map[int]int{}}, lines: lines, names: names}
	if root != nil {
		h.order = inOrder(root, nil)
		h.root(root)
	}
	return h.hidden
}

// show cuts a line where a secret begins.
func (h hidden) show(number int, line string) string {
	column, ok := h.from[number]
	if !ok {
		return line
	}
	return line[:byteColumn(line, column)-1] + mask
}

type hider struct {
	hidden
	lines, names []string
	order        []*yaml.Node // all nodes, as they stand in the file
}

func inOrder(n *yaml.Node, all []*yaml.Node) []*yaml.Node {
	all = append(all, n)
	for _, part := range n.Content {
		all = inOrder(part, all)
	}
	return all
}

func (h *hider) isSecret(name *yaml.Node) bool {
	_, near := Nearest(follow(name).Value, h.names)
	return near
}

func (h *hider) root(n *yaml.Node) {
	for name, value := range pairsOf(n) {
		section, _ := Nearest(name.Value, []string{"columns", "match", "key", "action", "action_column", "ignore", "allow_clear", "clear", "blank"})
		switch {
		case section == "columns":
			h.columns(value)
		case section != "":
		case h.isSecret(name):
			h.hide(value)
		default:
			h.constants(value)
		}
	}
}

func (h *hider) constants(n *yaml.Node) {
	for _, part := range n.Content {
		h.constants(part)
	}
	for name, value := range pairsOf(n) {
		if h.isSecret(name) {
			h.hide(value)
		}
	}
}

func (h *hider) columns(n *yaml.Node) {
	for column, rule := range pairsOf(n) {
		if !perAction(rule, ruleParts()) {
			h.rule(column, rule)
			continue
		}
		for _, one := range pairsOf(rule) {
			h.rule(column, one)
		}
	}
}

// rule hides all of a column's rule but what it must be shown for.
func (h *hider) rule(column, n *yaml.Node) {
	secret := h.isSecret(column)
	for _, value := range pairsOf(n) {
		secret = secret || h.isSecret(value)
	}
	for name, value := range pairsOf(n) {
		if secret && !slices.Contains([]string{"field", "trim", "lower"}, name.Value) {
			h.hide(value)
		}
	}
}

// hide notes a node and all up to the next, since where a text ends is not known.
func (h *hider) hide(n *yaml.Node) {
	n = follow(n)
	for _, part := range inOrder(n, nil) {
		h.places[position{part.Line, part.Column}] = true
	}
	h.cut(n.Line, n.Column)
	last := len(h.lines)
	if next := slices.Index(h.order, n) + len(inOrder(n, nil)); next < len(h.order) {
		last = h.order[next].Line - 1
		if h.startsLate(h.order[next]) {
			last++ // something of n may stand before it
		}
	}
	for line := n.Line + 1; line <= last; line++ {
		h.cut(line, 1)
	}
}

// startsLate says that a node is not the first of its line.
func (h *hider) startsLate(n *yaml.Node) bool {
	if n.Line > len(h.lines) {
		return true
	}
	line := h.lines[n.Line-1]
	return strings.TrimSpace(line[:byteColumn(line, n.Column)-1]) != ""
}

func (h *hider) cut(line, column int) {
	if before, ok := h.from[line]; !ok || column < before {
		h.from[line] = column
	}
}

// pairsOf yields the names and values of a mapping; another node has none.
func pairsOf(n *yaml.Node) iter.Seq2[*yaml.Node, *yaml.Node] {
	n = follow(n)
	return func(yield func(name, value *yaml.Node) bool) {
		for i := 0; n.Kind == yaml.MappingNode && i+1 < len(n.Content); i += 2 {
			if !yield(n.Content[i], n.Content[i+1]) {
				return
			}
		}
	}
}
