package csvfile

import (
	"fmt"
	"strings"
	"unicode"
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
	b.WriteString(r.Text)
	switch {
	case r.Try == "":
	case strings.Contains(r.Text, "\n"):
		b.WriteString("\ntry: " + r.Try)
	case strings.HasSuffix(r.Text, "?"):
		b.WriteString(" try: " + r.Try)
	default:
		b.WriteString("; try: " + r.Try)
	}
	return b.String()
}

// PointAt shows a line with a caret under a column, both counted from 1, the
// column in bytes. Of a long line only the neighbourhood is shown, and of what
// could harm a terminal a ? for each character.
func PointAt(number int, line string, column int) string {
	const around = 60
	line = strings.TrimRight(line, "\r\n")
	at := min(max(column-1, 0), len(line))
	shown := func(from, to int) string {
		return strings.Map(func(r rune) rune {
			switch {
			case r == '\t':
				return ' '
			case unicode.IsControl(r), unicode.Is(unicode.Cf, r):
				return '?'
			}
			return r
		}, line[from:to])
	}
	before := shown(max(at-around, 0), at)
	margin := fmt.Sprintf("%5d | ", number)
	gap := strings.Repeat(" ", len(margin)-2) + "| " + strings.Repeat(" ", len([]rune(before)))
	return margin + before + shown(at, min(at+around, len(line))) + "\n" + gap + "^"
}
