package cli_test

import (
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"rowbatch/batch/cli"
)

// Every command's help fits into 80 columns, and has examples, which are command lines of
// the program. A topic is a page, and shown as one.
func TestHelpReadsWell(t *testing.T) {
	helps := cli.Helps()
	if len(helps) < 20 {
		t.Fatalf("only %d commands", len(helps))
	}
	for name, text := range helps {
		for line := range strings.SplitSeq(text, "\n") {
			if utf8.RuneCountInString(line) > 80 {
				t.Errorf("%s --help: %q is wider than 80 columns", name, line)
			}
		}
		if strings.HasPrefix(name, "rowbatch help ") {
			continue
		}
		_, rest, found := strings.Cut(text, "\nExamples:\n")
		examples, _, _ := strings.Cut(rest, "\n\n")
		if !found {
			t.Errorf("%s --help has no example", name)
		}
		for line := range strings.SplitSeq(strings.ReplaceAll(examples, "\\\n", ""), "\n") {
			line, _, _ = strings.Cut(strings.TrimSpace(line), "   ") // what it is good for stands behind it
			line, _, _ = strings.Cut(line, " >")
			line, _, _ = strings.Cut(line, " | ")
			if !strings.HasPrefix(line, "rowbatch") {
				continue // of another program
			}
			words := regexp.MustCompile(`'[^']*'|\S+`).FindAllString(line, -1)
			if err := cli.Parses(words[1:]); err != nil {
				t.Errorf("%s --help: %s: %v", name, line, err)
			}
		}
	}
}
