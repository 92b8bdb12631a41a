package mapping

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/vm"
	"go.yaml.in/yaml/v4"

	"rowbatch/mapping/csvfile"
)

// DefaultClear is the word that clears a field.
const DefaultClear = "REMOVE"

// Scalar is a text of the mapping file and where it stands.
type Scalar struct {
	Text         string
	line, column int // from 1, the column in characters; 0: not in the file
}

// Pair is one entry of match (column, field) or constants (field, text).
type Pair struct{ Name, Value Scalar }

// KeyRule names the column that says which customer a row is about. Without an
// Action it is for every action that has such a key.
type KeyRule struct{ Action, Column, Field Scalar }

// ColumnRule says what a column sets. Without an Action it is for every action
// that has such a field; else a column may have several. Trim, Lower, Values and
// Expr apply in this order.
type ColumnRule struct {
	Action, Column, Field Scalar
	Trim, Lower           bool
	Values                map[string]string // nil: any cell
	expression            *vm.Program
}

// File is a parsed mapping file. Field names in it are checked by [Compile],
// which knows the action, and which also reports what ParseFile could not make
// sense of.
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

	lines         []string
	root          *yaml.Node
	hidden        hidden          // what no message may show
	bad           refusals        // for Compile to report with its own
	unread        map[string]bool // folded texts of the parts that bad is about
	actionUnread  bool            // there is an action_column, and it could not be read
	keyUnread     bool            // there is a key, and its column could not be read
	columnsUnread bool            // there are columns, and none could be read
}

// mentions says that a name stands in a part that could not be read, so that
// nobody can tell yet what it is for.
func (f *File) mentions(name string) bool { return f.unread[csvfile.Fold(name)] }

// hiding returns the file with messages that do not show what it gives to the
// fields of these names.
func (f *File) hiding(names []string) *File {
	discreet := *f
	discreet.hidden = hide(f.root, f.lines, names)
	return &discreet
}

// at is a message with the place in the file and the line itself, as far as it
// may be shown.
func (f *File) at(s Scalar, text string) string {
	if s.line < 1 {
		return text
	}
	if f.hidden.places[position{s.line, s.column}] {
		text = noSecretsHere
	}
	line := ""
	if s.line <= len(f.lines) {
		line = f.hidden.show(s.line, f.lines[s.line-1])
	}
	return fmt.Sprintf("%s:%d:%d: %s\n%s", f.Name, s.line, s.column, text, csvfile.PointAt(s.line, line, byteColumn(line, s.column)))
}

// byteColumn turns a column in characters into one in bytes.
func byteColumn(line string, column int) int {
	for i := range line {
		if column--; column < 1 {
			return i + 1
		}
	}
	return len(line) + 1
}

// rules returns what the file says of a column: one rule, or one for each of
// several actions.
func (f *File) rules(column string) []*ColumnRule {
	var all []*ColumnRule
	for i := range f.Columns {
		if strings.TrimSpace(f.Columns[i].Column.Text) == column {
			all = append(all, &f.Columns[i])
		}
	}
	return all
}

func (f *File) ignores(column string) bool {
	return slices.ContainsFunc(f.Ignore, func(s Scalar) bool { return strings.TrimSpace(s.Text) == column })
}

// environment is all that an expression sees.
type environment struct {
	Cell string `expr:"cell"`
}

// compileExpression leaves the clock out, so that a row means the same each
// time it is read.
func compileExpression(code string) (*vm.Program, error) {
	return expr.Compile(code, expr.Env(environment{}), expr.AsKind(reflect.String), expr.DisableBuiltin("now"))
}

// transform takes a cell through the rule's stages.
func (r *ColumnRule) transform(cell string) (string, *fault) {
	if r.Trim {
		cell = strings.TrimSpace(cell)
	}
	if r.Lower {
		cell = strings.ToLower(cell)
	}
	if r.Values != nil {
		mapped, ok := r.Values[cell]
		if !ok {
			return "", &fault{"not_allowed_value", fmt.Sprintf("%s is not among the values of the mapping file", quoted(cell))}
		}
		cell = mapped
	}
	if r.expression == nil {
		return cell, nil
	}
	return r.evaluate(cell)
}

func (r *ColumnRule) evaluate(cell string) (string, *fault) {
	result, err := expr.Run(r.expression, environment{cell})
	if err != nil {
		return "", badValue("the mapping file's expr fails on %s: %s", quoted(cell), firstLine(err))
	}
	text, ok := result.(string)
	if !ok {
		return "", badValue("the mapping file's expr gives no text for %s", quoted(cell))
	}
	return text, nil
}

func firstLine(err error) string {
	line, _, _ := strings.Cut(err.Error(), "\n")
	return line
}
