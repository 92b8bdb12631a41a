package samples_test

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v4"

	"rowbatch/batch/cli"
	"rowbatch/mapping"
)

// TestSchemaFitsMappingFiles: an editor finds no fault with any mapping file of the samples,
// the help and the scripts that the program takes.
func TestSchemaFitsMappingFiles(t *testing.T) {
	schema := compiledSchema(t)
	files := map[string][]byte{}
	for _, name := range glob(t, "*.yaml") {
		files[name] = read(t, name)
	}
	if len(files) == 0 {
		t.Fatal("no samples")
	}
	for _, name := range glob(t, "../batch/cli/testdata/*.txtar") {
		for _, f := range txtar.Parse(read(t, name)).Files {
			if strings.HasSuffix(f.Name, ".yaml") {
				files[name+": "+f.Name] = f.Data
			}
		}
	}
	_, help, _ := strings.Cut(string(read(t, "../batch/cli/help/mapping.txt")), "in full:\n")
	help, _, _ = strings.Cut(help, "\nA cell goes")
	files["help mapping"] = []byte(help)
	taken := 0
	for name, text := range files {
		if _, err := mapping.ParseFile(name, text); err != nil || strings.Contains(name, "wrong.yaml") {
			if name == "help mapping" {
				t.Error(err)
			}
			continue
		}
		taken++
		if err := schema.Validate(asJSON(t, text)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if taken < 15 {
		t.Errorf("only %d mapping files", taken)
	}
}

// TestSchemaFindsMistakes: what the program refuses for its form, an editor marks.
func TestSchemaFindsMistakes(t *testing.T) {
	schema := compiledSchema(t)
	for _, text := range []string{
		"colums: {A: firstName}", "action: updat", "blank: ignore", "key: {column: A}", "key: {column: A, feld: id}",
		"columns: {A: {trim: true}}", "columns: {A: {field: firstName, trm: true}}", "columns: {A: {field: firstName, trim: sometimes}}",
		"columns: {A: }", "columns: {A: {field: firstName, join: []}}", "ignore: Notes", "columns: {A: {update: {trim: true}}}",
	} {
		f, err := mapping.ParseFile("map.yaml", []byte(text))
		if err == nil {
			_, err = mapping.Compile([]mapping.Schema{{Action: "update"}}, []string{"A"}, mapping.CompileOptions{File: f})
		}
		if err == nil {
			t.Errorf("%s: the program takes it", text)
		}
		if schema.Validate(asJSON(t, []byte(text))) == nil {
			t.Errorf("%s: no mistake found", text)
		}
	}
}

// compiledSchema is what the program prints.
func compiledSchema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	printed, err := os.Create(filepath.Join(t.TempDir(), "mapping.json"))
	if err != nil {
		t.Fatal(err)
	}
	defer printed.Close()
	terminal := os.Stdout
	os.Stdout = printed
	code := cli.Main([]string{"schema"})
	os.Stdout = terminal
	if _, err := printed.Seek(0, io.SeekStart); err != nil || code != 0 {
		t.Fatal(code, err)
	}
	text, err := jsonschema.UnmarshalJSON(printed)
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("mapping.json", text); err != nil {
		t.Fatal(err)
	}
	schema, err := c.Compile("mapping.json")
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

// asJSON reads YAML as an editor does for a JSON schema: names are texts.
func asJSON(t *testing.T, text []byte) any {
	t.Helper()
	var value any
	if err := yaml.Load(text, &value); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	var plain func(any) any
	plain = func(value any) any {
		switch value := value.(type) {
		case map[any]any:
			all := map[string]any{}
			for name, part := range value {
				all[fmt.Sprint(name)] = plain(part)
			}
			return all
		case map[string]any:
			for name, part := range value {
				value[name] = plain(part)
			}
		case []any:
			for i := range value {
				value[i] = plain(value[i])
			}
		}
		return value
	}
	return plain(value)
}

func glob(t *testing.T, pattern string) []string {
	t.Helper()
	names, err := filepath.Glob(pattern)
	if err != nil {
		t.Fatal(err)
	}
	return names
}

func read(t *testing.T, name string) []byte {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return text
}
