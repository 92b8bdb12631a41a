package mapping

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Refusal is why an input is refused as a whole: nothing of it may be sent.
// Text may span lines when there are several problems or a line is shown.
type Refusal struct {
	File string // the input or mapping file; empty: known to the caller
	Line int    // 0: the file as a whole
	Text string
	Try  string // what to do next, without the word "try"
}

func (r *Refusal) Error() string {
	var b strings.Builder
	if r.File != "" {
		b.WriteString(r.File + ": ")
	}
	if r.Line > 0 {
		fmt.Fprintf(&b, "line %d: ", r.Line)
	}
	b.WriteString(withTry(r.Text, r.Try))
	return b.String()
}

func withTry(text, try string) string {
	if try == "" {
		return text
	}
	if strings.Contains(text, "\n") {
		return text + "\ntry: " + try
	}
	if strings.HasSuffix(text, "?") {
		return text + " try: " + try
	}
	return text + "; try: " + try
}

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

// err makes one *Refusal of all, in the order of the mapping file; nil when there are none.
func (all refusals) err(file string) error {
	switch len(all) {
	case 0:
		return nil
	case 1:
		return &Refusal{File: file, Text: all[0].text, Try: all[0].try}
	}
	slices.SortStableFunc(all, func(a, b remark) int {
		return cmp.Or(cmp.Compare(a.at.line, b.at.line), cmp.Compare(a.at.column, b.at.column))
	})
	lines := []string{fmt.Sprintf("%d problems:", len(all))}
	for _, r := range all {
		lines = append(lines, "- "+strings.ReplaceAll(withTry(r.text, r.try), "\n", "\n  "))
	}
	return &Refusal{File: file, Text: strings.Join(lines, "\n")}
}

// pointAt shows a line with a caret under a column, both counted from 1, the
// column in bytes. Of a long line only the neighbourhood is shown.
func pointAt(number int, line string, column int) string {
	const around = 60
	line = strings.TrimRight(line, "\r\n")
	at := min(max(column-1, 0), len(line))
	from, to := max(at-around, 0), min(at+around, len(line))
	before := printable(line[from:at])
	margin := fmt.Sprintf("%5d | ", number)
	gap := strings.Repeat(" ", len(margin)-2) + "| " + strings.Repeat(" ", len([]rune(before)))
	return margin + before + printable(line[at:to]) + "\n" + gap + "^"
}

// printable keeps the terminal safe from what a file may hold, one rune for one.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r == '\t' {
			return ' '
		}
		if isControl(r) || isInvisible(r) {
			return '?'
		}
		return r
	}, s)
}

// quoted shows a cell in a message, shortened.
func quoted(cell string) string {
	const most = 60
	if r := []rune(cell); len(r) > most {
		return fmt.Sprintf("%q…", string(r[:most]))
	}
	return fmt.Sprintf("%q", cell)
}
