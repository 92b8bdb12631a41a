package action

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/file"
	"github.com/expr-lang/expr/parser"
	"github.com/expr-lang/expr/vm"
	"github.com/tidwall/gjson"

	"rowbatch/batch"
)

// Condition is an expression over a customer's live record (--when), in the
// part of the language of github.com/expr-lang/expr that gives the same for the
// same record at any time.
//
// Texts, ids and times are strings, and "" where the record has none. Amounts
// and counts are numbers; isParent and canChangeCurrency are true or false. Of
// these a null goes with == nil, != nil and ??, and any other use of it is that
// row's error. Numbers are decimals: 25.9800 equals 25.98, 0.1 + 0.2 equals 0.3.
//
// Several goroutines may use a Condition at once.
type Condition struct {
	code    string
	program *vm.Program
	beyond  bool
}

// NewCondition compiles code. With overview the names of
// GET /customers/{id}/overview are known too (for hold). The error is for
// people: what is wrong, the expression, and a caret below the place.
func NewCondition(code string, overview bool) (*Condition, error) {
	tree, err := parser.Parse(code)
	if err != nil {
		return nil, err
	}
	known, inOverview := customerTerms(), overviewTerms()
	if overview {
		maps.Copy(known, inOverview)
	}
	check := conditionCheck{known: known}
	check.want(flagTerm, flagTerm, tree.Node)
	if check.err != nil {
		return nil, check.err.Bind(tree.Source)
	}
	program, err := expr.Compile(code, conditionOptions(known)...)
	if err != nil {
		return nil, err
	}
	beyond := slices.ContainsFunc(check.used, func(name string) bool { return inOverview[name] == "" })
	return &Condition{code, program, beyond}, nil
}

// BeyondOverview tells whether the expression uses a field that the overview
// lacks, so that the customer must be read as well.
func (c *Condition) BeyondOverview() bool { return c.beyond }

// Refuses evaluates the condition on a record's bytes, and returns nil when it
// holds. Else the outcome is Skipped, or Rejected with the code when_error.
func (c *Condition) Refuses(body []byte) *batch.Outcome {
	holds, err := c.holds(body)
	switch {
	case err != nil:
		return batch.Reject("when_error", fmt.Sprintf("--when '%s': %v", c.code, err))
	case !holds:
		return &batch.Outcome{Kind: batch.Skipped, Error: fmt.Sprintf("--when '%s' does not hold", c.code)}
	}
	return nil
}

func (c *Condition) holds(body []byte) (bool, error) {
	// In what is no record every text would be "".
	if !gjson.ValidBytes(body) || !gjson.ParseBytes(body).IsObject() {
		return false, errors.New("there is no record to look at")
	}
	result, err := expr.Run(c.program, map[string]any{recordTerm: liveRecord{body}})
	if at := (*file.Error)(nil); errors.As(err, &at) {
		if at.Prev != nil {
			return false, at.Prev
		}
		return false, errors.New(at.Message)
	}
	holds, _ := result.(bool)
	return holds, err
}

// The names under which a compiled condition finds the record and what reads
// it. No expression can spell them, nor the kinds of terms, which name readers too.
const (
	recordTerm = "the record"
	nullTerm   = "is null"
	reckonTerm = "reckon with"
)

func conditionOptions(known map[string]termKind) []expr.Option {
	options := []expr.Option{
		expr.Env(map[string]any{recordTerm: liveRecord{}}),
		expr.AsBool(),
		expr.Optimize(false), // it takes "x or true" for true, and never reads x
		expr.DisableAllBuiltins(),
		expr.Patch(guarding{known}),
		reading(string(textTerm), liveRecord.text),
		reading(string(numberTerm), liveRecord.number),
		reading(string(flagTerm), liveRecord.flag),
		reading(nullTerm, liveRecord.null),
		expr.Function(reckonTerm, func(p ...any) (any, error) { return reckon(p[0].(string), p[1], p[2]) },
			new(func(string, any, any) any)),
	}
	for name := range conditionFunctions() {
		options = append(options, expr.EnableBuiltin(name))
	}
	return options
}

func reading[T any](name string, read func(liveRecord, string) (T, error)) expr.Option {
	return expr.Function(name,
		func(p ...any) (any, error) { return read(p[0].(liveRecord), p[1].(string)) },
		new(func(liveRecord, string) T))
}

// guarding puts the reading of a field in the place of its name. Reading fails
// on a null number or flag, so that none ever gets into a comparison: the library
// finds nil != 0 true. Arithmetic is taken from the library, which knows float64s only.
type guarding struct{ known map[string]termKind }

// Visit replaces a node. Its parts have been visited before it.
func (g guarding) Visit(node *ast.Node) {
	if kind := termKindOf(g.known, termName(*node)); kind != "" {
		ast.Patch(node, calling(string(kind), &ast.IdentifierNode{Value: recordTerm}, &ast.StringNode{Value: termName(*node)}))
		return
	}
	n, ok := (*node).(*ast.BinaryNode)
	if !ok {
		return
	}
	switch n.Operator {
	case "==", "!=":
		if read := besideNil(n); read != nil {
			ast.Patch(node, &ast.BinaryNode{Operator: n.Operator, Left: isNull(read), Right: &ast.BoolNode{Value: true}})
		}
	case "??":
		ast.Patch(node, &ast.ConditionalNode{Cond: isNull(n.Left), Exp1: n.Right, Exp2: n.Left})
	case "+", "-", "*", "/":
		ast.Patch(node, calling(reckonTerm, &ast.StringNode{Value: n.Operator}, n.Left, n.Right))
	}
}

func calling(name string, args ...ast.Node) ast.Node {
	return &ast.CallNode{Callee: &ast.IdentifierNode{Value: name}, Arguments: args}
}

// isNull asks about the field that a call reads.
func isNull(read ast.Node) ast.Node { return calling(nullTerm, read.(*ast.CallNode).Arguments...) }

// besideNil returns what is compared with nil, if anything is.
func besideNil(n *ast.BinaryNode) ast.Node {
	if _, is := n.Left.(*ast.NilNode); is {
		return n.Right
	}
	if _, is := n.Right.(*ast.NilNode); is {
		return n.Left
	}
	return nil
}

// conditionCheck finds the kind of each part of an expression, and refuses
// whatever it does not know to be safe. It notes the fields that are used.
type conditionCheck struct {
	known map[string]termKind
	used  []string
	parts int         // seen so far; x in 1 < x < 3 counts twice, as it is evaluated
	err   *file.Error // the first
}

func (c *conditionCheck) refuse(n ast.Node, format string, args ...any) termKind {
	if c.err == nil {
		c.err = &file.Error{Location: n.Location(), Message: fmt.Sprintf(format, args...)}
	}
	return badTerm
}

// want wants parts of one kind, and returns the kind that comes of them.
func (c *conditionCheck) want(kind, gives termKind, parts ...ast.Node) termKind {
	for _, n := range parts {
		if got := c.kind(n); got != kind {
			return c.refuse(n, "%s is %s, and what is wanted here is %s", n, got, kind)
		}
	}
	return gives
}

// alike wants parts of the same kind, and returns it.
func (c *conditionCheck) alike(first ast.Node, others ...ast.Node) termKind {
	kind := c.kind(first)
	for _, n := range others {
		if got := c.kind(n); got != kind {
			hint := ""
			if kind == textTerm || got == textTerm {
				hint = `; ids and texts are strings: write them in quotes, as in "987001"`
			}
			return c.refuse(n, "%s is %s, and %s is %s%s", first, kind, n, got, hint)
		}
	}
	return kind
}

func (c *conditionCheck) kind(n ast.Node) termKind {
	const mostParts = 10_000 // what an evaluation costs stays bounded
	if c.parts++; c.parts > mostParts {
		return c.refuse(n, "the expression has more than %d parts", mostParts)
	}
	switch n := n.(type) {
	case *ast.StringNode:
		return textTerm
	case *ast.BoolNode:
		return flagTerm
	case *ast.IntegerNode:
		return c.literal(n, float64(n.Value))
	case *ast.FloatNode:
		return c.literal(n, n.Value)
	case *ast.IdentifierNode, *ast.MemberNode:
		return c.field(n)
	case *ast.UnaryNode:
		if n.Operator == "-" || n.Operator == "+" {
			return c.want(numberTerm, numberTerm, n.Node)
		}
		return c.want(flagTerm, flagTerm, n.Node)
	case *ast.BinaryNode:
		return c.binary(n)
	case *ast.ConditionalNode:
		c.want(flagTerm, flagTerm, n.Cond)
		return c.alike(n.Exp1, n.Exp2)
	case *ast.BuiltinNode:
		return c.call(n, n.Name, n.Arguments)
	case *ast.CallNode:
		return c.call(n, n.Callee.String(), n.Arguments)
	}
	return c.refuse(n, "%s cannot stand here in a condition", n)
}

func (c *conditionCheck) binary(n *ast.BinaryNode) termKind {
	switch n.Operator {
	case "and", "&&", "or", "||":
		return c.want(flagTerm, flagTerm, n.Left, n.Right)
	case "==", "!=":
		if read := besideNil(n); read != nil {
			return c.nullable(read, flagTerm)
		}
		c.spelled(n.Left, n.Right)
		c.spelled(n.Right, n.Left)
		c.alike(n.Left, n.Right)
		return flagTerm
	case "<", "<=", ">", ">=":
		c.ordered(n)
		return flagTerm
	case "+":
		return c.ordered(n)
	case "-", "*", "/":
		return c.want(numberTerm, numberTerm, n.Left, n.Right)
	case "matches", "contains", "startsWith", "endsWith":
		return c.want(textTerm, flagTerm, n.Left, n.Right)
	case "??":
		return c.nullable(n.Left, c.alike(n.Left, n.Right))
	case "in":
		if list, written := n.Right.(*ast.ArrayNode); written {
			c.spelled(n.Left, list.Nodes...)
			c.alike(n.Left, list.Nodes...)
			return flagTerm
		}
		return c.refuse(n, `in wants a list, such as ["a", "b"]; for a part of a text there is contains`)
	}
	return c.refuse(n, "the operator %s cannot be used in a condition", n.Operator)
}

// ordered wants two texts or two numbers.
func (c *conditionCheck) ordered(n *ast.BinaryNode) termKind {
	kind := c.alike(n.Left, n.Right)
	if kind == flagTerm {
		return c.refuse(n, "%s is %s, which does not go with %s", n.Left, kind, n.Operator)
	}
	return kind
}

// nullable wants a field that may be null; a text never is.
func (c *conditionCheck) nullable(n ast.Node, gives termKind) termKind {
	switch kind := c.kind(n); {
	case kind == textTerm:
		return c.refuse(n, `%s is text and never nil: an empty text is ""`, n)
	case termName(n) == "":
		return c.refuse(n, "only a field can be nil, and %s is none", n)
	}
	return gives
}
