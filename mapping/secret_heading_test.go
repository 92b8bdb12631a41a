package mapping_test

import (
	"strings"
	"testing"

	"rowbatch/mapping"
)

// A column headed password is masked in every file, so nothing that is shown may come from it.
func TestAPasswordColumnServesNothingThatIsShown(t *testing.T) {
	schema := mapping.Schema{Action: "edit", Keys: []mapping.Field{{Name: "id", Kind: mapping.Digits}}, Fields: []mapping.Field{{Name: "note"}}}
	heading := []string{"id", "note", "Pass-Word"}
	tests := map[string]struct {
		file  string
		match map[string]string
	}{
		"a guard": {match: map[string]string{"Pass-Word": "note"}},
		"a field": {file: "key: {column: id, field: id}\ncolumns: {Pass-Word: note}\nignore: [note]\n"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			o := mapping.CompileOptions{Name: "x.csv", Match: test.match}
			if test.file != "" {
				var err error
				if o.File, err = mapping.ParseFile("x.yaml", []byte(test.file)); err != nil {
					t.Fatal(err)
				}
			}
			_, err := mapping.Compile(schema, heading, o)
			if err == nil || !strings.Contains(err.Error(), "holds passwords by its heading") {
				t.Errorf("%v", err)
			}
		})
	}
}
