package cli_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// source is one file of the module, tests left out.
type source struct {
	path, room string // slashed, below the module's root; the root itself is "."
	file       *ast.File
	lines      func(from, to token.Pos) int
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
		set := token.NewFileSet()
		f, err := parser.ParseFile(set, name, nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		below, err := filepath.Rel(moduleRoot, name)
		below = filepath.ToSlash(below)
		all = append(all, source{below, path.Dir(below), f, func(from, to token.Pos) int {
			return set.Position(to).Line - set.Position(from).Line + 1
		}})
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

// TestImports keeps the rooms apart: what a room may import of the module.
func TestImports(t *testing.T) {
	anything := []string{"batch", "batch/action", "batch/journal", "batch/runs", "client", "client/governor", "client/sandbox", "mapping", "mapping/csvfile", "reports", "samples"}
	allowed := map[string][]string{
		".":                {"batch/cli"},
		"batch":            nil,
		"batch/action":     {"batch", "client", "client/governor", "mapping"},
		"batch/export": {"batch", "batch/action", "batch/intake", "batch/job", "batch/journal", "batch/runs", "client", "client/governor",
			"mapping", "mapping/csvfile", "reports"},
		"batch/invariants": {"batch", "batch/journal", "batch/runs", "client/sandbox"},
		"batch/cli":        anything,
		"batch/journal":    {"batch"},
		"batch/runs":       {"batch", "batch/journal"},
		"client":           {"client/governor"},
		"client/governor":  nil,
		"client/sandbox":   nil,
		"mapping":          {"mapping/csvfile"},
		"mapping/csvfile":  nil,
		"reports":          {"batch", "batch/journal", "batch/runs"},
		"samples":          nil,
	}
	for _, s := range sources(t) {
		rooms, known := allowed[s.room]
		if !known {
			t.Errorf("%s: %s is no room of this house", s.path, s.room)
		}
		for _, i := range s.file.Imports {
			name, err := strconv.Unquote(i.Path.Value)
			if err != nil {
				t.Fatal(err)
			}
			if room, ours := strings.CutPrefix(name, "rowbatch/"); ours && !slices.Contains(rooms, room) {
				t.Errorf("%s imports %s", s.path, name)
			}
		}
	}
}

// TestOnlyTheCommandLineKnowsTheProcess: everything else gets what it needs by parameters.
func TestOnlyTheCommandLineKnowsTheProcess(t *testing.T) {
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

// constant says that a variable never changes: an embedded file, an error to
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

// TestMapOfTheCommandLine: the package's doc.go says of each of its files what is
// in it, and of no others.
func TestMapOfTheCommandLine(t *testing.T) {
	var files, named []string
	for _, s := range sources(t) {
		if s.path == "batch/cli/doc.go" {
			named = regexp.MustCompile(`\b[a-z_]+\.go\b`).FindAllString(s.file.Doc.Text(), -1)
		} else if s.room == "batch/cli" {
			files = append(files, path.Base(s.path))
		}
	}
	slices.Sort(files)
	slices.Sort(named)
	if diff := cmp.Diff(files, named); diff != "" {
		t.Errorf("the map in doc.go does not name the files that there are (-files +map):\n%s", diff)
	}
}

// TestSizes keeps files and functions short enough to be read in one go.
func TestSizes(t *testing.T) {
	var lengths []int
	for _, s := range sources(t) {
		if n := s.lines(s.file.FileStart, s.file.FileEnd) - 1; n > 600 {
			t.Errorf("%s has %d lines, over 600", s.path, n)
		} else if s.path == "main.go" && n > 25 {
			t.Errorf("main.go has %d lines, over 25", n)
		}
		for _, d := range s.file.Decls {
			f, ok := d.(*ast.FuncDecl)
			if !ok {
				continue
			}
			n := s.lines(f.Pos(), f.End())
			lengths = append(lengths, n)
			if n > 60 {
				t.Errorf("%s: %s has %d lines, over 60", s.path, f.Name.Name, n)
			}
		}
	}
	slices.Sort(lengths)
	if n := lengths[len(lengths)*9/10]; n > 42 {
		t.Errorf("a tenth of the functions have over %d lines", n)
	}
}
