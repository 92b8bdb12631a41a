package action

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/file"
	"github.com/expr-lang/expr/parser"
	"github.com/expr-lang/expr/types"
	"github.com/expr-lang/expr/vm"
	"github.com/tidwall/gjson"

	"rowbatch/batch"
	"rowbatch/mapping"
)

// Condition is an expression over a customer's live record (--when), in the
// language of github.com/expr-lang/expr, which checks names and types. Of its
// functions only those of one text are there, so that the same record gives the
// same answer at any time.
//
// Texts, ids and times are strings, and "" where the record has none. Amounts
// and counts are numbers; isParent and canChangeCurrency are true or false. A
// null of these goes with == nil and != nil, and any other use of it is that
// row's error: the language itself finds nil != 0 true.
//
// Several goroutines may use a Condition at once.
type Condition struct {
	code           string
	program        *vm.Program
	types          types.Map // of the names that are used
	fields         fieldTable
	beyondOverview bool
}

// conditionFunctions are those that a condition may call.
func conditionFunctions() []string { return []string{"len", "lower", "trim", "upper"} }

// NewCondition compiles code. With overview the names of
// GET /customers/{id}/overview are known too (for hold). The error is for
// people: what is wrong, the expression, and a caret below the place.
func NewCondition(code string, overview bool) (*Condition, error) {
	if len(code) > mapping.LongestExpression {
		return nil, fmt.Errorf("is longer than %d bytes", mapping.LongestExpression)
	}
	tree, err := parser.Parse(code)
	if err != nil {
		return nil, err
	}
	known, fields := types.Map{}, customerFields()
	for _, f := range fields {
		switch { // ids are texts, since they exceed what a float64 tells apart; so are fields whose form is not documented
		case f.Family, !f.has(inRecord) && !overview:
		case f.has(number):
			known[f.Name] = types.Float64
		case f.has(flag):
			known[f.Name] = types.Bool
		default:
			known[f.Name] = types.String
		}
	}
	used, err := namesUsed(tree.Node, known)
	if err != nil {
		return nil, err
	}
	maps.Copy(known, used)
	rewriter := &conditionRewriter{used: used}
	program, err := expr.Compile(code, conditionOptions(known, rewriter)...)
	var at *file.Error
	switch {
	case rewriter.err != nil:
		return nil, rewriter.err.Bind(tree.Source)
	case errors.As(err, &at):
		at.Message += conditionAdvice(at.Message, known)
		return nil, at.Bind(tree.Source)
	case err != nil:
		return nil, fmt.Errorf("a condition is true or false: %w", err)
	}
	c := &Condition{code: code, program: program, types: used, fields: fields}
	for name := range used {
		c.beyondOverview = c.beyondOverview || !fields.of(name).has(inOverview)
	}
	return c, nil
}

// conditionOptions are the language as far as it is safe, with what a rewritten condition calls.
func conditionOptions(known types.Map, rewriter ast.Visitor) []expr.Option {
	options := []expr.Option{
		expr.Env(known),
		expr.AsBool(),
		expr.Optimize(false), // it takes "x or true" for true, and never reads x
		expr.DisableAllBuiltins(),
		expr.Patch(rewriter),
		expr.Function(presentTerm, func(p ...any) (any, error) {
			if p[1] == nil {
				return nil, fmt.Errorf("%s is null", p[0])
			}
			return p[1], nil
		}, new(func(string, float64) float64), new(func(string, bool) bool)),
		expr.Function(roundedTerm, func(p ...any) (any, error) {
			result, _ := p[0].(float64)
			if math.IsInf(result, 0) || math.IsNaN(result) {
				return nil, errors.New("a division by zero, or a result that is too large")
			}
			return strconv.ParseFloat(strconv.FormatFloat(result, 'f', 8, 64), 64)
		}, new(func(float64) float64)),
	}
	for _, name := range conditionFunctions() {
		options = append(options, expr.EnableBuiltin(name))
	}
	return options
}

// BeyondOverview reports whether the expression uses a field that the overview
// lacks, so that the customer must be read as well.
func (c *Condition) BeyondOverview() bool { return c.beyondOverview }

// plainIn reports whether a row of the list shows each field of the expression, in the
// one way in which it can be spelled: phones have many, and a status in capitals is none.
func (c *Condition) plainIn(row customer) bool {
	for name := range c.types {
		is, f := row.value(name), c.fields.of(name)
		if is == batch.Absent || f.Kind == mapping.Phone || f.values != nil && !is.Empty() && !slices.Contains(f.values, is.Plain()) {
			return false
		}
	}
	return true
}

// InRecord reports whether the customer's record shows all that the expression uses.
func (c *Condition) InRecord() bool {
	for name := range c.types {
		if _, tracking := trackingType(name); !tracking && !c.fields.of(name).has(inRecord) {
			return false
		}
	}
	return true
}

// Refuses evaluates the condition on a record's bytes, and returns nil when it
// holds. Else the outcome is Skipped, or Rejected with the code when_error.
func (c *Condition) Refuses(body []byte) *batch.Outcome {
	unclear := func(why any) *batch.Outcome {
		return batch.Reject("when_error", fmt.Sprintf("--when '%s': %v", c.code, why))
	}
	if !gjson.ValidBytes(body) || !gjson.ParseBytes(body).IsObject() {
		return unclear("there is no record to look at") // in which every text would be ""
	}
	env := map[string]any{}
	for _, name := range slices.Sorted(maps.Keys(c.types)) {
		var err error
		if env[name], err = conditionValue(body, name, c.types[name], c.fields.of(name).values); err != nil {
			return unclear(err)
		}
	}
	holds, err := expr.Run(c.program, env)
	at := (*file.Error)(nil) // its place is one of the rewritten expression
	switch {
	case errors.As(err, &at) && at.Prev != nil:
		return unclear(at.Prev)
	case at != nil:
		return unclear(at.Message)
	case err != nil:
		return unclear(err)
	case holds != true:
		return &batch.Outcome{Kind: batch.Skipped, Error: fmt.Sprintf("--when '%s' does not hold", c.code)}
	}
	return nil
}

// conditionValue reads a field: a text as a string, one of values as those are spelled,
// numbers as the record spells them; nil for an amount or flag that is null.
func conditionValue(body []byte, name string, typ types.Type, values []string) (any, error) {
	parent, child, nested := strings.Cut(name, ".")
	v := gjson.GetBytes(body, parent)
	trackingType, tracking := trackingType(name)
	switch {
	case tracking:
		code, err := soleTrackingCode(body, trackingType)
		return code.Plain(), err
	case nested && v.Type != gjson.Null && !v.IsObject():
		return nil, fmt.Errorf("%s is no object in the record", parent)
	case nested:
		v = v.Get(child)
	}
	text := batch.Value(v.Raw).Plain()
	switch {
	case typ == types.String && v.Type == gjson.JSON: // which says nothing that a condition could rely on
		return nil, fmt.Errorf("%s is no text in the record", name)
	case typ == types.String:
		return canonical(values, text), nil
	case v.Type == gjson.Null:
		return nil, nil
	case typ == types.Bool && v.IsBool():
		return v.Bool(), nil
	case typ == types.Bool:
		return nil, fmt.Errorf("%s is %s, which is neither true nor false", name, v.Raw)
	}
	amount, err := strconv.ParseFloat(text, 64)
	if err != nil || !gjson.Valid(text) { // ParseFloat also takes Inf and 0x1p4
		return nil, fmt.Errorf("%s is %s, which is no number", name, v.Raw)
	}
	return amount, nil
}

// soleTrackingCode returns the one code of a type. Records show types under the
// names that the account gave them: where one of those may be the type that is
// meant, it is not known that there is no code.
func soleTrackingCode(body []byte, typ string) (batch.Value, error) {
	list := gjson.GetBytes(body, trackingList)
	if list.Type != gjson.Null && !list.IsArray() {
		return batch.Absent, errors.New(trackingList + " is no list in the record")
	}
	c, found := customer{body, NewTrackingCodes()}, 0
	for _, entry := range list.Array() {
		if c.codes.matches(entry, typ) {
			found++
		}
	}
	if found > 1 {
		return batch.Absent, fmt.Errorf("%s holds the type %q twice", trackingList, typ)
	}
	if own, is := c.codes.ambiguous(c, typ); is && found == 0 {
		return batch.Absent, fmt.Errorf(
			"the record has a code of type %q, which may be the account's name for %q; use the account's names", own, typ)
	}
	return c.trackingCode(typ), nil
}

// namesUsed returns the known names in an expression with their types; a
// tracking code may be of any type. It refuses what would be long to evaluate: the
// parser bounds the parts as written, but x in 1 < x < 3 counts twice, and so on inwards.
func namesUsed(root ast.Node, known types.Map) (used types.Map, err error) {
	const mostParts = 10_000
	defer func() {
		if recover() != nil {
			err = fmt.Errorf("the expression has more than %d parts", mostParts)
		}
	}()
	used, parts := types.Map{}, 0
	ast.Find(root, func(n ast.Node) bool {
		if parts++; parts > mostParts {
			panic("a walk has no other end")
		}
		name := spelledName(n)
		if _, tracking := trackingType(name); tracking {
			used[name] = types.String
		} else if known[name] != nil {
			used[name] = known[name]
		}
		return false
	})
	return used, nil
}

// spelledName returns the name that an identifier or a member of one spells.
func spelledName(n ast.Node) string {
	switch n := n.(type) {
	case *ast.IdentifierNode:
		return n.Value
	case *ast.MemberNode:
		group, named := n.Node.(*ast.IdentifierNode)
		member, constant := n.Property.(*ast.StringNode)
		if named && constant {
			return group.Value + "." + member.Value
		}
	}
	return ""
}

// What a rewritten condition calls; no expression can spell these names.
const (
	presentTerm = "is present" // lets no null into a comparison
	roundedTerm = "is rounded" // takes away what binary fractions add: 0.1 + 0.2 would be more than 0.3
)

// conditionRewriter makes the language's doings safe, and notes the first thing
// that cannot be: null amounts, sums of amounts, values that a field never has.
type conditionRewriter struct {
	used types.Map
	err  *file.Error
}

// Visit sees a node after its parts. Types are those of the expression as written.
func (r *conditionRewriter) Visit(node *ast.Node) {
	if name := spelledName(*node); r.used[name] != nil {
		typ := r.used[name]
		ast.Patch(node, &ast.IdentifierNode{Value: name})
		if typ != types.String {
			ast.Patch(node, callOf(presentTerm, &ast.StringNode{Value: name}, *node))
		}
		return
	}
	switch n := (*node).(type) {
	case *ast.IdentifierNode:
		r.refuseIf(n.Value == "$env", n, "unknown name $env")
	case *ast.VariableDeclaratorNode:
		r.refuseIf(true, n, "let cannot be used in a condition")
	case *ast.BuiltinNode: // those with a predicate are known though all are disabled
		r.refuseIf(!slices.Contains(conditionFunctions(), n.Name), n, "unknown name %s", n.Name)
	case *ast.BinaryNode:
		switch n.Operator {
		case "==", "!=":
			r.besideNil(n, &n.Left, n.Right)
			r.besideNil(n, &n.Right, n.Left)
			r.neverHas(n.Left, n.Right)
			r.neverHas(n.Right, n.Left)
		case "in":
			if list, written := n.Right.(*ast.ArrayNode); written {
				r.neverHas(n.Left, list.Nodes...)
			}
		case "+", "-", "*", "/":
			if n.Type().Kind() == reflect.Float64 {
				ast.Patch(node, callOf(roundedTerm, n))
			}
		case "??":
			r.refuseIf(true, n, "?? cannot be used in a condition; ask for == nil")
		}
	}
}

func (r *conditionRewriter) refuseIf(bad bool, n ast.Node, format string, args ...any) {
	if bad && r.err == nil {
		r.err = &file.Error{Location: n.Location(), Message: fmt.Sprintf(format, args...)}
	}
}

// besideNil lets a null through where it is asked for.
func (r *conditionRewriter) besideNil(n ast.Node, part *ast.Node, other ast.Node) {
	if _, is := other.(*ast.NilNode); !is {
		return
	}
	call, is := (*part).(*ast.CallNode)
	r.refuseIf(!is || len(call.Arguments) != 2, n, `only an amount, a count or a flag can be nil; an empty text is ""`)
	if is {
		*part = call.Arguments[len(call.Arguments)-1]
	}
}

// neverHas refuses values that a field never has. A != with one would hold for every customer.
func (r *conditionRewriter) neverHas(field ast.Node, values ...ast.Node) {
	name := spelledName(field)
	all := customerFields().of(name).values
	for _, n := range values {
		if text, is := n.(*ast.StringNode); is {
			r.refuseIf(all != nil && !slices.Contains(all, text.Value), n,
				"%s is never %s; it is one of %s", name, n, strings.Join(all, ", "))
		} else if r.used[name] == types.String {
			kind := n.Type().Kind()
			r.refuseIf(kind == reflect.Int || kind == reflect.Float64, n, "%s is text, and %s is a number%s", name, n, quotesAdvice)
		}
	}
}

func callOf(name string, args ...ast.Node) ast.Node {
	return &ast.CallNode{Callee: &ast.IdentifierNode{Value: name}, Arguments: args}
}

const quotesAdvice = "; ids and texts are strings: write them in quotes"

// conditionAdvice is what helps a person with an error of the language's own check.
func conditionAdvice(message string, known types.Map) string {
	name, unknown := strings.CutPrefix(message, "unknown name ")
	names := append(slices.Sorted(maps.Keys(known)), conditionFunctions()...)
	member := slices.IndexFunc(names, func(n string) bool { return strings.HasPrefix(n, name+".") })
	near, found := mapping.Nearest(name, names)
	switch {
	case strings.Contains(message, "mismatched types") && strings.Contains(message, "string"):
		return quotesAdvice
	case !unknown:
		return ""
	case name+"." == trackingPrefix:
		return `; a tracking code is named by its type, as in salesTrackingCode["Region"]`
	case member >= 0:
		return "; name one of its fields, as in " + names[member]
	case customerFields().of(name).has(inOverview):
		return "; it is known for hold only (it stands in the overview)"
	case found:
		return "; did you mean " + near + "?"
	}
	return "; a text stands in quotes"
}

// conditioned is an action for those customers only whose live record satisfies --when.
type conditioned struct {
	batch.Action
	condition *Condition
	planned   bool // it held when the plan was made
}

// conditional returns the action under a condition; without one, the action itself.
func conditional(a batch.Action, s Services) batch.Action {
	if s.Condition == nil {
		return a
	}
	return conditioned{a, s.Condition, s.Planned}
}

// Decide leaves out who does not satisfy the condition, before anything else is looked at.
func (a conditioned) Decide(it *batch.Item, now batch.Record) (batch.Step, *batch.Outcome) {
	switch out := a.condition.Refuses(now.Body); {
	case out != nil && out.Kind == batch.Skipped && a.planned:
		return batch.Step{}, &batch.Outcome{Kind: batch.Conflict, Code: "changed_since_plan", Error: out.Error + " any more"}
	case out != nil:
		return batch.Step{}, out
	}
	return a.Action.Decide(it, now)
}

func (a conditioned) customer(r batch.Record) customer { return a.Action.(listed).customer(r) }

// fromList wants the condition to be as clear by a list row as by the record.
func (a conditioned) fromList() listEvidence {
	e := a.Action.(listed).fromList()
	e.clear = a.condition.plainIn
	return e
}
