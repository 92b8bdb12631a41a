package ui

import (
	"bufio"
	"cmp"
	"context"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"charm.land/lipgloss/v2"
	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"

	"rowbatch/batch"
	"rowbatch/batch/intake"
	"rowbatch/batch/job"
	"rowbatch/client/governor"
	"rowbatch/mapping"
)

// Terminal is a front that stands on three streams: data goes to Out, what people
// read to Err. On a terminal phases are bars, elsewhere a plain line every few
// seconds.
type Terminal struct {
	In          io.Reader
	Out, Err    io.Writer
	InputIsFile bool     // standard input is the file, not somebody's answers
	Quiet       bool     // no progress and no notices
	Plain       bool     // no bars: other lines would tear them
	Words       []string // of the command line, which messages repeat
	Look        Look

	// Keyboard opens what a person answers on; nil: what the streams lead to. It
	// returns nil when there is nobody.
	Keyboard func() io.ReadCloser

	phase    bool         // one is under way whose bar is shown
	drawn    string       // the bar that is on the screen
	told     time.Time    // when a line was last shown of this phase, or a bar may be again
	waited   string       // what it was then waiting for
	foretold job.Forecast // of this phase
}

const (
	lineEvery = 5 * time.Second
	drawEvery = 250 * time.Millisecond
)

// Show shows an event.
func (t *Terminal) Show(e job.Event) {
	switch e := e.(type) {
	case job.Trouble:
		t.clear()
		t.Complain(e.Err)
		return
	case job.RowRefused:
		t.clear()
		where := fmt.Sprintf("%s: %s %d: ", e.File, mapping.Unit(e.File), e.Line)
		t.shown().Printf("%s%s: %s\n", where, t.shown().Paint(Need, e.Problem.Code), batch.Visible(e.Problem.Text))
		return
	}
	if t.Quiet {
		return
	}
	switch e := e.(type) {
	case job.FileRead:
		t.fileRead(e.Rows)
	case job.Notice:
		t.clear()
		t.shown().Table(0, []any{cmp.Or(e.File, "rowbatch") + ": " + e.Text})
	case job.Foretold:
		t.clear()
		t.shown().Table(0, []any{"rowbatch: " + e.Phase + " takes " + ForecastText(e.Forecast)})
		t.foretold = e.Forecast
	case job.PhaseBegan:
		t.told, t.waited, t.foretold = time.Now(), "", job.Forecast{}
		if t.shown().columns > 0 && !t.Plain && !t.Look.Dumb {
			t.phase, t.told = true, time.Time{}
		}
	case job.Progress:
		t.progress(e)
	case job.PhaseEnded:
		t.clear()
		t.phase = false
	}
}

// Complain tells what went wrong.
func (t *Terminal) Complain(err error) {
	if l, ok := t.Err.(*Log); ok {
		l.Error(err.Error(), "code", "error")
		return
	}
	s := t.shown()
	text := strings.ReplaceAll(strings.TrimRight(spelled(err.Error(), t.Words), "\n"), "\n", "\n  ")
	what, try, advised := strings.Cut(text, "\n  try: ")
	s.Printf("%s %s", s.Paint(Bad, "rowbatch:"), what)
	if advised {
		s.Printf("\n  %s %s", s.Paint(Strong, "try:"), try)
	}
	s.Printf("\n")
}

// shown takes what people read.
func (t *Terminal) shown() Screen { return NewScreen(t.Err, t.Words, t.Look) }

// out takes the summary.
func (t *Terminal) out() Screen { return NewScreen(t.Out, t.Words, t.Look) }

// clear takes the bar off the screen.
func (t *Terminal) clear() {
	if t.drawn != "" {
		fmt.Fprint(t.Err, "\r"+eraseBelow)
		t.drawn = ""
	}
}

// progress moves the bar, or prints a line now and then.
func (t *Terminal) progress(p job.Progress) {
	parts := t.progressText(p, time.Now())
	if t.phase {
		t.draw(bar(parts, p.Done, p.Total, t.shown().columns))
		return
	}
	if time.Since(t.told) < lineEvery {
		return
	}
	t.told = time.Now()
	if parts[0] == p.Phase || parts[0] != t.waited {
		t.shown().Printf("rowbatch: %s\n", strings.Join(parts, ", "))
	}
	t.waited = parts[0]
}

const (
	eraseBelow  = "\x1b[J"
	barColumns  = 12 // those of a bar beside its text: the percentage, the ends, a few steps
	longestSlot = 40 // of its steps: what is drawn again and again over a slow line must be short
)

// bar is the line of a phase: of its text what fits, and in what is left a bar.
func bar(parts []string, done, total, columns int) string {
	const around = 11 // the percentage, the ends, blanks
	text := fitting(parts, columns-barColumns)
	b := progressbar.NewOptions(total, progressbar.OptionSetWriter(io.Discard), progressbar.OptionSetDescription(text),
		progressbar.OptionSetWidth(min(columns-around-lipgloss.Width(text), longestSlot)),
		progressbar.OptionSetPredictTime(false), progressbar.OptionSetElapsedTime(false)) // by its last steps alone
	_ = b.Set(min(done, total-1)) // nothing can fail in memory; the last row would end the bar
	return strings.TrimSpace(b.String())
}

// draw puts a bar in the place of the one before, in one piece, so that nothing flickers. The
// cursor waits at its beginning: when the terminal is made narrower, all that is left of the
// bar stands behind. A line that is slow to take it gets the next one later.
func (t *Terminal) draw(bar string) {
	now := time.Now()
	if bar == t.drawn || now.Before(t.told) {
		return
	}
	fmt.Fprint(t.Err, "\r"+bar+eraseBelow+"\r") // what a terminal answers, nobody wants to know
	t.drawn = bar
	t.told = time.Now().Add(max(drawEvery, 10*time.Since(now)))
}

// fitting joins as many parts as fit into a line, and at least a piece of the first.
func fitting(parts []string, columns int) string {
	line := parts[0]
	if len(line) > columns {
		return line[:max(0, columns)]
	}
	for _, p := range parts[1:] {
		if len(line)+2+len(p) > columns {
			break
		}
		line += ", " + p
	}
	return line
}

// progressText says how far a phase is, the weightiest first. While it waits there is
// no speed, and how long the rest takes is by all the time so far, waits included.
func (t *Terminal) progressText(p job.Progress, now time.Time) []string {
	done := batch.Thousands(p.Done) + " of " + batch.Plural(p.Total, "row")
	if p.Waiting.Until.Sub(now) >= time.Second {
		what, why := WaitingText(p.Waiting, now)
		return []string{what, done, why}
	}
	pace := p.Pace(now)
	if pace == 0 {
		return []string{p.Phase, done}
	}
	left := time.Duration(float64(p.Total-p.Done) / pace * float64(time.Second))
	if f := t.foretold; f.Requests > 0 && !f.AtMost { // a limit that is not reached yet
		left = max(left, f.Finish().Sub(now))
	}
	return []string{p.Phase, done, fmt.Sprintf("%.1f rows/s", pace), "about " + batch.Span(left) + " left"}
}

// WaitingText tells a wait's end and reason.
func WaitingText(w job.Waiting, now time.Time) (what, why string) {
	until := clock(w.Until, now, time.TimeOnly)
	switch w.Reason {
	case governor.DayLimit:
		return "waiting until " + until, "the day's requests are used up"
	case governor.Outage:
		return "no answer, next try at " + until, "--verbose shows why"
	case governor.ServerPause:
		return "waiting until " + until, "the server asks for a pause"
	}
	return "waiting until " + until, "the minute's requests are used up"
}

// clock tells a time, with its day when that is not today.
func clock(at, now time.Time, layout string) string {
	at = at.Local()
	if at.Format(time.DateOnly) != now.Local().Format(time.DateOnly) {
		layout = "Mon 2 Jan " + layout
	}
	return at.Format(layout)
}

// fileRead tells how the file was read, and what may be amiss with it.
func (t *Terminal) fileRead(rows *intake.Rows) {
	in := rows.File
	c := in.Checked
	say := func(format string, args ...any) {
		t.shown().Table(0, []any{in.Name + ": " + fmt.Sprintf(format, args...)})
	}
	say("%s, %s (%s)", batch.Plural(c.Rows, "row"), keyColumns(in.Mapper.Keys()), in.Written)
	if part := rows.Selection.Shard; part.Some() {
		say("%s in shard %s", batch.Plural(rows.InShard(), "row"), part)
	}
	if in.Heading > 0 {
		say("the heading stands in %s; above it are titles", in.Mapper.Line(in.Heading))
	}
	if n := in.Unnamed; n > 0 {
		say("%s without a heading left out", batch.Plural(n, "column"))
	}
	if in.Unseen != "" {
		say("left out because hidden: %s", in.Unseen)
	}
	if names := in.Mapper.Others(); len(names) > 0 {
		say("no fields, and left out: %s", strings.Join(names, ", "))
	}
	if in.Mapper.HasSecrets() {
		say("passwords are shown as *** and kept in no file")
	}
	if names := in.Mapper.ReadOnly(); len(names) > 0 {
		say("only for reading, and ignored: %s", strings.Join(names, ", "))
	}
	if c.Exported > 0 {
		say("%s, %s edited since", batch.Plural(c.Exported, "exported row"), batch.Thousands(c.Edited))
	}
	if c.Added > 0 {
		say("%s of no export: cells that differ from the live record are written, whoever changed it", batch.Plural(c.Added, "row"))
	}
	if c.BlankRows > 0 {
		say("%s without any cell left out", batch.Plural(c.BlankRows, "row"))
	}
	if c.Notes > 0 {
		say("%s skipped: notes, whose key begins with #", batch.Plural(c.Notes, "row"))
	}
	for _, warning := range c.Warnings {
		say("%s: warning: %s", in.Mapper.Line(warning.Line), warning.Text)
	}
	if more := c.WarningCount - len(c.Warnings); more > 0 {
		say("%s more", batch.Plural(more, "warning"))
	}
}

// keyColumns names the columns that tell the customers.
func keyColumns(keys []mapping.KeyUse) string {
	var names []string
	for _, k := range keys {
		names = append(names, strconv.Quote(k.Column))
	}
	if names = slices.Compact(names); len(names) > 1 {
		return "key columns " + strings.Join(names, ", ")
	}
	return "key column " + strings.Join(names, "")
}

// Attended reports whether there is somebody to ask.
func (t *Terminal) Attended() bool {
	keys := t.keyboard()
	return keys != nil && keys.Close() == nil
}

// Ask puts a question, and reports whether it was agreed to.
func (t *Terminal) Ask(ctx context.Context, q job.Question) bool {
	t.clear()
	printQuestion(t.shown(), q)
	what := "Type yes: "
	if q.Agrees != "yes" {
		what = "Type the number of customers: "
	}
	t.shown().Printf("%s %s", t.shown().Paint(Strong, q.Text), what)
	answer := strings.ReplaceAll(t.answer(ctx), ",", "") // of 1,240 customers
	agreed := strings.EqualFold(answer, q.Agrees) || q.Agrees == "yes" && strings.EqualFold(answer, "y")
	return agreed && ctx.Err() == nil
}

// answer reads a line from the keyboard; a signal is an answer too.
func (t *Terminal) answer(ctx context.Context) string {
	keys := t.keyboard()
	if keys == nil {
		return ""
	}
	line := make(chan string, 1)
	go func() { // ends with the process: a read from a terminal cannot be taken back
		text, _ := bufio.NewReader(keys).ReadString('\n')
		line <- strings.TrimSpace(text)
	}()
	select {
	case text := <-line:
		return text
	case <-ctx.Done():
		fmt.Fprintln(t.shown())
		return ""
	}
}

// keyboard opens the terminal behind the streams. Standard input may be the file.
func (t *Terminal) keyboard() io.ReadCloser {
	switch {
	case t.Keyboard != nil:
		return t.Keyboard()
	case !isTerminal(t.Err):
		return nil
	case !t.InputIsFile && isTerminal(t.In):
		return io.NopCloser(t.In)
	case !t.InputIsFile:
		return nil
	}
	device := "/dev/tty"
	if runtime.GOOS == "windows" {
		device = "CONIN$"
	}
	f, err := os.Open(device)
	if err != nil {
		return nil
	}
	return f
}

func isTerminal(stream any) bool {
	f, ok := stream.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// printQuestion says which run a question is about and, where something is about to
// be sent, what.
func printQuestion(s Screen, q job.Question) {
	var table [][]any
	lines := func(name string, t Tone, all ...string) {
		for _, text := range all {
			table = append(table, []any{s.Paint(Faint, fmt.Sprintf("%-9s", name)), s.Paint(t, text)})
			name = ""
		}
	}
	if q.Run.ID == "" {
		return
	}
	lines("Run", Plain, IdentityText(q.Run))
	lines("What", Strong, runText(q.Run))
	where, p := s.Account(Strong, q.Run), q.Proposal
	if p != nil && len(p.Preview.Rows) > 0 {
		row := p.Preview.Rows[0]
		where += s.Paint(Strong, fmt.Sprintf(", where %s is %s", row.Key, cmp.Or(batch.Visible(row.Customer), "a customer without a name")))
	}
	table = append(table, []any{s.Paint(Faint, "Account  "), where})
	if p == nil {
		s.Printf("\n")
		s.Table(0, table...)
		return
	}
	var keys []string
	for _, k := range p.Keys {
		keys = append(keys, fmt.Sprintf("%s, from the column %q", k.Field, k.Column))
	}
	lines("Key", Plain, slices.Compact(keys)...)
	k := p.Counts
	lines("Rows", Plain, fmt.Sprintf("%s to send, %s unchanged, %s rejected",
		batch.Thousands(k[batch.WouldChange]), batch.Thousands(k[batch.Unchanged]), batch.Thousands(k[batch.Rejected]+k[batch.Conflict])))
	lines("Fields", Plain, FieldLines(p.Preview)...)
	lines("Holds", Plain, stakeLines(p.Preview.Stakes)...)
	lines("Cost", Plain, ForecastText(p.Forecast))
	for _, warning := range Warnings(p.Preview) {
		lines("Attention", Need, warning)
	}
	s.Printf("\n")
	s.Table(0, table...)
}
