package ui

import (
	"cmp"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"strings"

	"charm.land/lipgloss/v2"
	"github.com/charmbracelet/x/ansi"
	"golang.org/x/term"

	"rowbatch/batch"
	"rowbatch/batch/job"
)

// Color is when colours are used.
type Color string

const (
	Auto   Color = "auto" // on terminals that have any
	Always Color = "always"
	Never  Color = "never"
)

// MarshalText makes a Color a flag's value.
func (c Color) MarshalText() ([]byte, error) { return []byte(c), nil }

// UnmarshalText refuses what is no Color.
func (c *Color) UnmarshalText(text []byte) error {
	*c = Color(text)
	if !slices.Contains([]Color{Auto, Always, Never}, *c) {
		return batch.Usage("--color never", "--color is auto, always or never, not %q", text)
	}
	return nil
}

// Look is what the user and the environment say about terminals. The zero Look leaves
// it to the terminal.
type Look struct {
	Color Color
	Dumb  bool // the terminal can do nothing but print
}

// Screen is a stream that people read. What is written to it is made safe for a terminal:
// names may hold what moves the cursor, or begins a line of its own.
type Screen struct {
	io.Writer
	words   []string // of the command line, which messages repeat
	columns int      // of the terminal; 0: it is none, and lines are as long as they are
	color   bool
}

// NewScreen returns a stream as a screen. Words are those of the command line.
func NewScreen(w io.Writer, words []string, look Look) Screen {
	s := Screen{Writer: w, words: words, columns: columnsOf(w), color: look.Color == Always}
	if f, ok := w.(*os.File); ok && s.columns > 0 && look.Color != Never && !look.Dumb {
		lipgloss.EnableLegacyWindowsANSI(f)
		s.color = true
	}
	return s
}

// PageWidth is that of a text which is not made for a certain screen.
const PageWidth = 80

// Page returns a screen of that width that is none.
func Page(w io.Writer) Screen { return Screen{Writer: w, columns: PageWidth} }

// OrPage is the screen, or a page where it has no width of its own.
func (s Screen) OrPage() Screen {
	s.columns = cmp.Or(s.columns, PageWidth)
	return s
}

// Fits reports whether an indented text fits into a line.
func (s Screen) Fits(indent int, text string) bool { return indent+lipgloss.Width(text) <= s.columns }

// columnsOf is the width of a terminal; 0: the stream is none.
func columnsOf(w io.Writer) int {
	f, ok := w.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return 0
	}
	if width, _, err := term.GetSize(int(f.Fd())); err == nil && width > 0 {
		return width
	}
	return PageWidth
}

// Tone is a colour with a meaning. It never tells anything alone.
type Tone int

const (
	Plain Tone = iota
	Strong
	Faint  // at rest, or of little weight
	Accent // would change
	Good
	Need // needs work, or a second look
	Bad
	Clash
	Doubt
	Gone // what a change takes away
	Come // what it brings
)

func (t Tone) style() ansi.Style {
	return map[Tone]ansi.Style{
		Strong: ansi.NewStyle(ansi.AttrBold), Faint: ansi.NewStyle(ansi.AttrFaint),
		Accent: ansi.NewStyle(ansi.AttrBrightBlueForegroundColor), Good: ansi.NewStyle(ansi.AttrGreenForegroundColor),
		Need: ansi.NewStyle(ansi.AttrYellowForegroundColor), Bad: ansi.NewStyle(ansi.AttrRedForegroundColor),
		Clash: ansi.NewStyle(ansi.AttrMagentaForegroundColor), Doubt: ansi.NewStyle(ansi.AttrBrightMagentaForegroundColor),
		Gone: ansi.NewStyle(ansi.AttrRedForegroundColor, ansi.AttrStrikethrough),
		Come: ansi.NewStyle(ansi.AttrGreenForegroundColor, ansi.AttrUnderline),
	}[t]
}

// toneOf is the colour of an outcome.
func toneOf(k batch.Kind) Tone {
	return map[batch.Kind]Tone{
		batch.Changed: Good, batch.WouldChange: Accent, batch.Unchanged: Faint, batch.Skipped: Faint, batch.NotAttempted: Faint,
		batch.Rejected: Need, batch.Failed: Bad, batch.Conflict: Clash, batch.InDoubt: Doubt,
	}[k]
}

// Text is safe to show, and may hold colours.
type Text string

// Paint makes a text safe, and gives it a tone where the screen has colours.
func (s Screen) Paint(t Tone, text string) Text {
	text = spelled(text, s.words)
	if !s.color || t == Plain || text == "" {
		return Text(text)
	}
	return Text(t.style().Styled(text))
}

// Account says where a run goes: what that is called first, in the colour that was chosen
// for it.
func (s Screen) Account(t Tone, r job.Identity) Text {
	if r.Hosts == job.StandIn { // as a journal names it
		r.Hosts = "the sandbox"
	}
	text := s.Paint(t, r.Hosts)
	if r.KeyEnds != "" {
		text += s.Paint(t, ", by the key that ends in "+batch.Visible(r.KeyEnds))
	}
	if r.Word == "" {
		return text
	}
	word := s.Paint(t, batch.Visible(r.Word))
	colour, known := map[string]ansi.Attr{"red": ansi.AttrRedForegroundColor, "yellow": ansi.AttrYellowForegroundColor,
		"green": ansi.AttrGreenForegroundColor, "cyan": ansi.AttrCyanForegroundColor, "blue": ansi.AttrBlueForegroundColor,
		"magenta": ansi.AttrMagentaForegroundColor}[r.Colour]
	if s.color && known {
		word = Text(ansi.NewStyle(ansi.AttrBold, ansi.AttrReverse, colour).Styled(spelled(batch.Visible(r.Word), s.words)))
	}
	return word + ", " + text
}

// Write shows a text without colours.
func (s Screen) Write(text []byte) (int, error) {
	_, err := io.WriteString(s.Writer, spelled(string(text), s.words))
	return len(text), err
}

// Printf shows what it formats. Of its arguments only a Text may hold colours; none may
// make a number of what is no number.
func (s Screen) Printf(format string, args ...any) {
	for i, a := range args {
		switch a := a.(type) {
		case Text, int:
		default:
			args[i] = s.Paint(Plain, fmt.Sprint(a))
		}
	}
	fmt.Fprintf(s.Writer, format, args...) // whoever must know whether it succeeds writes to memory first
}

// Heading is the first row of a table.
func (s Screen) Heading(names ...string) (row []any) {
	for _, name := range names {
		row = append(row, s.Paint(Strong, name))
	}
	return row
}

const (
	gap     = 2  // between columns
	narrow  = 20 // a column whose cells are broken is at least so wide
	longest = 30 // a word that is never broken
)

// Table shows rows whose cells stand below each other; a row of one cell stands across all
// columns. On a terminal that is too narrow cells are broken between words, or, where not
// even those fit, stand in lines of their own.
func (s Screen) Table(indent int, rows ...[]any) {
	text, _ := s.table(indent, rows)
	fmt.Fprint(s.Writer, text)
}

// table is a Table's text, and whether its cells stand in lines of their own.
func (s Screen) table(indent int, rows [][]any) (all string, stacked bool) {
	room := math.MaxInt
	if s.columns > 0 {
		room = max(1, s.columns-indent)
	}
	var widths, least []int // of each column: of its longest cell; at least, by its longest word
	texts := make([][]string, len(rows))
	for i, row := range rows {
		for j, cell := range row {
			text, ok := cell.(Text)
			if !ok {
				text = s.Paint(Plain, fmt.Sprint(cell))
			}
			texts[i] = append(texts[i], string(text))
			if len(row) == 1 {
				continue
			}
			if j == len(widths) {
				widths, least = append(widths, 0), append(least, 0)
			}
			whole := lipgloss.Width(string(text))
			widths[j], least[j] = max(widths[j], whole), max(least[j], min(whole, narrow))
			for word := range strings.SplitSeq(string(text), " ") {
				least[j] = max(least[j], min(lipgloss.Width(word), max(longest, room/2)))
			}
		}
	}
	together := func(of []int) int {
		sum := gap * (len(of) - 1)
		for _, n := range of {
			sum += n
		}
		return sum
	}
	stacked = together(least) > room
	for !stacked && together(widths) > room {
		widest := -1
		for j := range widths {
			if widths[j] > least[j] && (widest < 0 || widths[j] > widths[widest]) {
				widest = j
			}
		}
		widths[widest]--
	}
	for _, row := range texts {
		for line := range strings.SplitSeq(laidOut(row, widths, room, stacked), "\n") {
			all += strings.TrimRight(strings.Repeat(" ", indent)+line, " ") + "\n"
		}
	}
	return all, stacked
}

// laidOut puts the cells of a row beside each other, or, stacked, below each other.
func laidOut(row []string, widths []int, room int, stacked bool) string {
	var blocks []string
	for j, text := range row {
		switch {
		case len(row) == 1:
			return wrapped(text, room)
		case !stacked:
			blocks = append(blocks, lipgloss.PlaceHorizontal(widths[j]+gap, lipgloss.Left, wrapped(text, widths[j])))
		case strings.TrimSpace(text) != "":
			left := strings.Repeat(" ", gap*min(j, 2))
			blocks = append(blocks, left+strings.ReplaceAll(wrapped(text, max(1, room-len(left))), "\n", "\n"+left))
		}
	}
	if stacked {
		return strings.Join(blocks, "\n")
	}
	return lipgloss.JoinHorizontal(lipgloss.Top, blocks...)
}

// wrapped breaks a text between words into lines of a width, and inside a word that is longer.
func wrapped(text string, width int) string {
	var b strings.Builder
	w, column := lipgloss.NewWrapWriter(&b), 0 // it ends colours before the end of a line, and begins them again
	for i, word := range strings.Split(text, " ") {
		n := lipgloss.Width(word)
		switch {
		case i > 0 && column+1+n <= width:
			fmt.Fprint(w, " ")
			column++
		case i > 0 && n > 0:
			fmt.Fprintln(w)
			column = 0
		}
		if n > width {
			word = lipgloss.Wrap(word, width, "@._/")
			n = lipgloss.Width(word[strings.LastIndex(word, "\n")+1:])
		}
		fmt.Fprint(w, word)
		column += n
	}
	_ = w.Close() // into memory
	return b.String()
}

// spelled shows control and bidirectional characters of a text as escapes, line ends and
// tabs aside; those too where a word of the command line has them.
func spelled(text string, words []string) string {
	for _, word := range words {
		_, value, _ := strings.Cut(word, "=")
		for _, part := range []string{word, value} {
			if visible := batch.Visible(part); visible != part {
				text = strings.ReplaceAll(text, part, visible)
			}
		}
	}
	return batch.VisibleLines(text)
}
