package cli_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"
)

// These tests are the laws of the house, as far as they can be counted.
// rowbatch help develop tells them all.

// source is one file of the module, tests left out.
type source struct {
	path, room string // slashed, below the module's root; the root itself is "."
	text       string
	file       *ast.File
	set        *token.FileSet
}

func (s source) lines(n ast.Node) int {
	return s.set.Position(n.End()).Line - s.set.Position(n.Pos()).Line + 1
}

const moduleRoot = "../.."

func sources(t *testing.T) []source {
	t.Helper()
	var all []source
	err := filepath.WalkDir(moduleRoot, func(name string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if e.IsDir() && name != moduleRoot && (strings.HasPrefix(e.Name(), ".") || e.Name() == "testdata") {
			return filepath.SkipDir
		}
		if e.IsDir() || !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			return nil
		}
		text, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		set := token.NewFileSet()
		f, err := parser.ParseFile(set, name, text, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		below, err := filepath.Rel(moduleRoot, name)
		below = filepath.ToSlash(below)
		all = append(all, source{below, path.Dir(below), string(text), f, set})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(all) < 50 {
		t.Fatalf("only %d source files found", len(all))
	}
	return all
}

// rooms are the packages, from the top down, with what each may import of the
// others. No arrow leads back up.
func rooms() map[string][]string {
	return map[string][]string{
		".":                {"batch/cli"},
		"batch/cli":        {"batch/web", "batch/profile", "batch/export", "batch/ui", "batch/job", "batch/intake", "batch/runs", "batch/journal", "batch/action", "batch", "reports", "mapping", "mapping/csvfile", "client", "client/sandbox", "samples"},
		"batch/web":        {"batch/ui", "batch/job", "batch/intake", "batch/runs", "batch/journal", "batch/action", "batch", "reports/page", "mapping", "client"},
		"batch/ui":         {"batch/export", "batch/job", "batch/intake", "batch/journal", "batch", "reports", "mapping", "client", "client/governor"},
		"batch/profile":    {"batch/job", "batch/intake", "batch/runs", "batch/action", "batch", "mapping", "client", "client/governor", "client/sandbox", "samples"},
		"batch/export":     {"batch/job", "batch/intake", "batch/runs", "batch/journal", "batch/action", "batch", "reports", "mapping", "mapping/csvfile", "client", "client/governor"},
		"batch/job":        {"batch/intake", "batch/runs", "batch/journal", "batch/action", "batch", "reports", "reports/page", "mapping", "mapping/csvfile", "mapping/xlsxfile", "client", "client/governor"},
		"batch/intake":     {"batch/runs", "batch/journal", "batch/action", "batch", "mapping", "mapping/csvfile", "mapping/xlsxfile", "client"},
		"reports/page":     {"batch/runs", "batch/journal", "batch"},
		"reports":          {"reports/page", "batch/runs", "batch/journal", "batch"},
		"batch/runs":       {"batch/journal", "batch"},
		"batch/journal":    {"batch"},
		"batch/action":     {"batch", "mapping", "mapping/csvfile", "client", "client/governor"},
		"batch":            nil,
		"mapping":          {"mapping/csvfile", "mapping/xlsxfile"},
		"mapping/csvfile":  nil,
		"mapping/xlsxfile": {"mapping/csvfile"},
		"client":           {"client/governor"},
		"client/governor":  nil,
		"client/sandbox":   nil,
		"samples":          nil,
		"batch/invariants": {"batch/runs", "batch/journal", "batch", "client/sandbox"}, // for tests
	}
}

func TestRoomsImportOnlyThoseBelow(t *testing.T) {
	fixed := map[string]bool{
		"github.com/gocarina/gocsv": false, "golang.org/x/time/rate": false, "golang.org/x/sync/errgroup": false, "github.com/schollz/progressbar/v3": false,
	}
	for _, s := range sources(t) {
		below, known := rooms()[s.room]
		if !known {
			t.Errorf("%s: %s is no room of this house", s.path, s.room)
		}
		for _, i := range s.file.Imports {
			name, err := strconv.Unquote(i.Path.Value)
			if err != nil {
				t.Fatal(err)
			}
			if _, is := fixed[name]; is {
				fixed[name] = true
			}
			if room, ours := strings.CutPrefix(name, "rowbatch/"); ours && !slices.Contains(below, room) {
				t.Errorf("%s imports %s", s.path, name)
			}
		}
	}
	for name, used := range fixed {
		if !used {
			t.Errorf("the program does not use %s", name)
		}
	}
	var reaches func(from, to string, seen map[string]bool) bool
	reaches = func(from, to string, seen map[string]bool) bool {
		for _, next := range rooms()[from] {
			if next == to || !seen[next] && (func() bool { seen[next] = true; return reaches(next, to, seen) })() {
				return true
			}
		}
		return false
	}
	for room := range rooms() {
		if reaches(room, room, map[string]bool{}) {
			t.Errorf("arrows lead from %s back to it", room)
		}
	}
}

// TestOnlyFrontsKnowTheProcess: everything else gets what it needs by parameters.
func TestOnlyFrontsKnowTheProcess(t *testing.T) {
	process := []string{"Exit", "Args", "Getenv", "LookupEnv", "Environ", "Stdin", "Stdout", "Stderr"}
	for _, s := range sources(t) {
		if s.room == "." || s.room == "batch/cli" {
			continue
		}
		ast.Inspect(s.file, func(n ast.Node) bool {
			if sel, ok := n.(*ast.SelectorExpr); ok {
				if x, ok := sel.X.(*ast.Ident); ok && x.Name == "os" && slices.Contains(process, sel.Sel.Name) {
					t.Errorf("%s uses os.%s", s.path, sel.Sel.Name)
				}
			}
			return true
		})
	}
}

// TestNoHiddenState: no init functions, and no variables of a package that could change.
func TestNoHiddenState(t *testing.T) {
	for _, s := range sources(t) {
		for _, d := range s.file.Decls {
			switch d := d.(type) {
			case *ast.FuncDecl:
				if d.Recv == nil && d.Name.Name == "init" {
					t.Errorf("%s has an init function", s.path)
				}
			case *ast.GenDecl:
				for _, spec := range d.Specs {
					if v, ok := spec.(*ast.ValueSpec); ok && d.Tok == token.VAR && !constant(d, v) {
						t.Errorf("%s: the variable %s belongs to the whole package", s.path, v.Names[0].Name)
					}
				}
			}
		}
	}
}

// constant reports whether a variable never changes: an embedded file, an error to
// compare with, a compiled pattern, or a proof that a type has an interface.
func constant(d *ast.GenDecl, v *ast.ValueSpec) bool {
	if v.Names[0].Name == "_" || strings.Contains(comments(d.Doc), "//go:embed") || strings.Contains(comments(v.Doc), "//go:embed") {
		return true
	}
	for _, value := range v.Values {
		call, ok := value.(*ast.CallExpr)
		if !ok {
			return false
		}
		sel, ok := call.Fun.(*ast.SelectorExpr)
		if !ok {
			return false
		}
		if x, ok := sel.X.(*ast.Ident); !ok || x.Name+"."+sel.Sel.Name != "errors.New" && x.Name+"."+sel.Sel.Name != "regexp.MustCompile" {
			return false
		}
	}
	return len(v.Values) > 0
}

func comments(group *ast.CommentGroup) (text string) {
	if group == nil {
		return ""
	}
	for _, c := range group.List {
		text += c.Text + "\n"
	}
	return text
}

const (
	mostLines    = 600 // of a file
	mostColumns  = 140
	mostFiles    = 20 // of a room
	mostFunction = 60 // lines of a function
	mostMethods  = 30 // of a type
	mostFields   = 18 // of a struct
	mostNames    = 70 // functions and types per 1,000 lines, over the whole program
)

func TestFilesAndFunctionsAreReadInOneGo(t *testing.T) {
	lines, names, files := 0, 0, map[string]int{}
	for _, s := range sources(t) {
		files[s.room]++
		text := strings.Split(strings.TrimSuffix(s.text, "\n"), "\n")
		lines += len(text)
		if len(text) > mostLines {
			t.Errorf("%s has %d lines, over %d", s.path, len(text), mostLines)
		}
		for n, line := range text {
			if utf8.RuneCountInString(strings.ReplaceAll(line, "\t", "    ")) > mostColumns {
				t.Errorf("%s:%d is wider than %d columns", s.path, n+1, mostColumns)
			}
		}
		for _, d := range s.file.Decls {
			switch d := d.(type) {
			case *ast.FuncDecl:
				names++
				if n := s.lines(d); n > mostFunction {
					t.Errorf("%s: %s has %d lines, over %d", s.path, d.Name.Name, n, mostFunction)
				}
			case *ast.GenDecl:
				if d.Tok == token.TYPE {
					names += len(d.Specs)
				}
			}
		}
	}
	for room, n := range files {
		if n > mostFiles {
			t.Errorf("%s has %d files, over %d", room, n, mostFiles)
		}
	}
	if 1000*names > mostNames*lines {
		t.Errorf("%d functions and types in %d lines: over %d per 1,000", names, lines, mostNames)
	}
}

// kept is what a room says of one of its types.
type kept struct {
	file    string
	fields  int // of a struct of which not every field is a CSV column
	methods map[string]bool
	within  map[string]bool // files of its methods
}

// TestATypeIsWhole: its methods stand where it stands, and they are not too many;
// nor is a law dodged by functions that take the type first.
func TestATypeIsWhole(t *testing.T) {
	types := map[string]*kept{} // by room.Name
	all := sources(t)
	for _, s := range all {
		for _, d := range s.file.Decls {
			g, ok := d.(*ast.GenDecl)
			if !ok {
				continue
			}
			for _, spec := range g.Specs {
				if spec, ok := spec.(*ast.TypeSpec); ok {
					types[s.room+"."+spec.Name.Name] = &kept{s.path, fields(spec.Type), map[string]bool{}, map[string]bool{}}
				}
			}
		}
	}
	for _, s := range all {
		for _, d := range s.file.Decls {
			f, ok := d.(*ast.FuncDecl)
			if !ok {
				continue
			}
			switch of := types[s.room+"."+first(f)]; {
			case of == nil:
			case f.Recv != nil:
				of.within[s.path] = true
				fallthrough
			default:
				of.methods[f.Name.Name] = true
			}
		}
	}
	for name, of := range types {
		for file := range of.within {
			if file != of.file {
				t.Errorf("%s stands in %s, and has methods in %s", name, of.file, file)
			}
		}
		if n := len(of.methods); n > mostMethods {
			t.Errorf("%s has %d methods, over %d: %s", name, n, mostMethods, strings.Join(slices.Sorted(maps.Keys(of.methods)), " "))
		}
		if of.fields > mostFields {
			t.Errorf("%s has %d fields, over %d", name, of.fields, mostFields)
		}
	}
}

// first names the type of a function's receiver, or of its first parameter.
func first(f *ast.FuncDecl) string {
	list := f.Recv
	if list == nil {
		list = f.Type.Params
	}
	if len(list.List) == 0 {
		return ""
	}
	return strings.TrimLeft(fmt.Sprint(baseType(list.List[0].Type)), "*")
}

func baseType(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.StarExpr:
		return baseType(e.X)
	case *ast.IndexExpr:
		return baseType(e.X)
	case *ast.Ident:
		return e.Name
	}
	return ""
}

// fields counts those of a struct. One of which every field is a column of a file
// has as many as the file.
func fields(e ast.Expr) (n int) {
	s, ok := e.(*ast.StructType)
	if !ok {
		return 0
	}
	columns := 0
	for _, f := range s.Fields.List {
		n += max(1, len(f.Names))
		if f.Tag != nil && strings.Contains(f.Tag.Value, "csv:") {
			columns++
		}
	}
	if columns == n {
		return 0
	}
	return n
}
