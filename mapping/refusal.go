package mapping

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"rowbatch/mapping/csvfile"
)

// refusals gathers problems, so that a user meets all of them at once.
type refusals []remark

// remark is one problem; at is its place in the mapping file, if it has one.
type remark struct {
	at        Scalar
	text, try string
}

func (all *refusals) add(text, try string) { all.addAt(Scalar{}, text, try) }

// addAt adds a problem once, however many actions of a mixed file have it.
func (all *refusals) addAt(at Scalar, text, try string) {
	if r := (remark{at, text, try}); !slices.Contains(*all, r) {
		*all = append(*all, r)
	}
}

// err makes one *csvfile.Refusal of all, in the order of the mapping file; nil when there are none.
func (all refusals) err(file string) error {
	switch len(all) {
	case 0:
		return nil
	case 1:
		return &csvfile.Refusal{File: file, Text: all[0].text, Try: all[0].try}
	}
	slices.SortStableFunc(all, func(a, b remark) int {
		return cmp.Or(cmp.Compare(a.at.line, b.at.line), cmp.Compare(a.at.column, b.at.column))
	})
	lines := []string{fmt.Sprintf("%d problems:", len(all))}
	for _, r := range all {
		lines = append(lines, "- "+strings.ReplaceAll((&csvfile.Refusal{Text: r.text, Try: r.try}).Error(), "\n", "\n  "))
	}
	return &csvfile.Refusal{File: file, Text: strings.Join(lines, "\n")}
}

// quoted shows a cell in a message, shortened.
func quoted(cell string) string {
	const most = 60
	if r := []rune(cell); len(r) > most {
		return fmt.Sprintf("%q…", string(r[:most]))
	}
	return fmt.Sprintf("%q", cell)
}
