package mapping

import (
	"errors"
	"fmt"
	"reflect"
	"strings"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/vm"
)

// What an expression may be and make. A few characters can ask for gigabytes, or for
// hours: repeat(repeat(cell, 999), 999), or a loop within a loop within a loop.
const (
	LongestExpression = 4 << 10  // bytes as written
	longestResult     = 64 << 10 // bytes of any text on the way; no field takes so many
	mostMade          = 16 << 20 // bytes of all of them
	mostElements      = 1000     // of all lists that one evaluation makes
)

// environment is all that an expression sees.
type environment struct {
	Cell string `expr:"cell"`
	Made *int   `expr:"made so far"` // bytes of text; no expression can spell the name
}

// compileExpression leaves the clock out, so that a row means the same each
// time it is read, and lets no text and no loop grow beyond what a cell can need.
func compileExpression(code string) (*vm.Program, error) {
	if len(code) > LongestExpression {
		return nil, fmt.Errorf("it is longer than %d bytes", LongestExpression)
	}
	options := append([]expr.Option{expr.Env(environment{}), expr.AsKind(reflect.String), expr.DisableBuiltin("now"),
		expr.DisableBuiltin("toJSON")}, limitedFunctions()...)
	if program, err := expr.Compile(code, options...); err != nil { // unpatched: the check passes over the arguments of our own calls
		return program, err
	}
	limits := &limiter{}
	program, err := expr.Compile(code, append(options, expr.Patch(limits))...)
	if limits.err != nil {
		return nil, limits.err
	}
	return program, err
}

// limitedFunctions are those that could make much of little, and what looks at a text.
func limitedFunctions() []expr.Option {
	return []expr.Option{
		expr.Function(limitedText, made, new(func(string, *int) string)),
		expr.Function(limitedAny, made, new(func(any, *int) any)),
		expr.Function("repeat", func(p ...any) (any, error) {
			text, times := p[0].(string), p[1].(int)
			if times < 0 || times > longestResult || len(text)*times > longestResult {
				return nil, errTooLong
			}
			return strings.Repeat(text, times), nil
		}, new(func(string, int) string)),
		expr.Function("join", func(p ...any) (any, error) {
			var parts []string
			switch list := p[0].(type) {
			case []string:
				parts = list
			case []any:
				for _, part := range list {
					text, is := part.(string)
					if !is {
						return nil, errors.New("join is given something that is no text")
					}
					parts = append(parts, text)
				}
			}
			by, size := "", 0
			if len(p) > 1 {
				by = p[1].(string)
			}
			for _, part := range parts {
				if size += len(part) + len(by); size > longestResult+len(by) {
					return nil, errTooLong
				}
			}
			return strings.Join(parts, by), nil
		}, new(func([]string) string), new(func([]any) string), new(func([]string, string) string), new(func([]any, string) string)),
		expr.Function("replace", func(p ...any) (any, error) {
			text, old, by, most := p[0].(string), p[1].(string), p[2].(string), -1
			if len(p) > 3 {
				most = p[3].(int)
			}
			if n := strings.Count(text, old); len(text) > longestResult || n*len(by) > longestResult {
				return nil, errTooLong
			}
			return strings.Replace(text, old, by, most), nil
		}, new(func(string, string, string) string), new(func(string, string, string, int) string)),
	}
}

// evaluate gives what an expression makes of a cell.
func evaluate(program *vm.Program, cell string) (any, error) {
	if len(cell) > longestResult {
		return nil, errTooLong
	}
	return (&vm.VM{MemoryBudget: mostElements}).Run(program, environment{cell, new(int)})
}

var errTooLong = errors.New("it makes a text of more than 64 KiB, or many of them")

// made hands a value on, unless it makes one text too long, or all together too much.
func made(p ...any) (any, error) {
	text, is := p[0].(string)
	if !is {
		return p[0], nil
	}
	all := p[1].(*int)
	if *all += len(text); len(text) > longestResult || *all > mostMade {
		return nil, errTooLong
	}
	return text, nil
}

// What a limited expression calls; no expression can spell these names.
const (
	limitedText = "is no longer"
	limitedAny  = "is no longer than that"
)

// limiter has each text that an expression makes looked at before it goes into the
// next, and notes a loop within a loop.
type limiter struct{ err error }

// Visit sees a node after its parts.
func (l *limiter) Visit(node *ast.Node) {
	switch n := (*node).(type) {
	case *ast.PredicateNode:
		inner := ast.Find(n.Node, func(n ast.Node) bool { _, is := n.(*ast.PredicateNode); return is })
		if inner != nil && l.err == nil {
			l.err = errors.New("a loop within a loop: map, filter and the like cannot stand within one another")
		}
		return
	case *ast.BinaryNode:
		if n.Operator != "+" {
			return
		}
	case *ast.BuiltinNode, *ast.CallNode:
	default:
		return
	}
	name := ""
	switch kind := (*node).Type(); {
	case kind == nil, kind.Kind() == reflect.Interface:
		name = limitedAny
	case kind.Kind() == reflect.String:
		name = limitedText
	default:
		return
	}
	soFar := &ast.IdentifierNode{Value: "made so far"}
	ast.Patch(node, &ast.CallNode{Callee: &ast.IdentifierNode{Value: name}, Arguments: []ast.Node{*node, soFar}})
}
