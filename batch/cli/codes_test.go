package cli

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"rowbatch/batch"
)

var rewrite = flag.Bool("rewrite", false, "write the table of codes into the README")

// codesTable is the table of error codes as the README shows it.
func codesTable() string {
	var b strings.Builder
	b.WriteString("\n| `rb_error_code` | outcome | what to do |\n|---|---|---|\n")
	for _, c := range batch.Codes() {
		kinds := make([]string, len(c.Kinds))
		for i, k := range c.Kinds {
			kinds[i] = "`" + string(k) + "`"
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s: %s |\n", c.Name, strings.Join(kinds, ", "), c.Means, c.Fix)
	}
	return b.String()
}

// The README's table is the program's; -rewrite brings it up to date.
func TestReadmeHasTheCodes(t *testing.T) {
	const file, from, to = "../../README.md", "<!-- codes -->", "<!-- /codes -->"
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, found := strings.Cut(string(text), from)
	table, after, ended := strings.Cut(rest, to)
	if !found || !ended {
		t.Fatalf("the README lacks %s … %s", from, to)
	}
	if *rewrite {
		if err := os.WriteFile(file, []byte(before+from+codesTable()+to+after), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if table != codesTable() {
		t.Errorf("the README's table of codes is not the program's: run this test with -rewrite")
	}
}
