package ui

import (
	"bufio"
	"cmp"
	"context"
	"fmt"
	"io"
	"math"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

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

	// Keyboard opens what a person answers on; nil: what the streams lead to. It
	// returns nil when there is nobody.
	Keyboard func() io.ReadCloser

	bar      *progressbar.ProgressBar
	told     time.Time    // when a line was last shown of this phase
	waited   string       // what it was then waiting for
	foretold job.Forecast // of this phase
}

const lineEvery = 5 * time.Second

// Show shows an event.
func (t *Terminal) Show(e job.Event) {
	switch e := e.(type) {
	case job.Trouble:
		t.clear()
		t.Complain(e.Err)
		return
	case job.RowRefused:
		t.clear()
		fmt.Fprintf(t.shown(), "%s: %s %d: %s: %s\n", e.File, mapping.Unit(e.File), e.Line, e.Problem.Code, batch.Visible(e.Problem.Text))
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
		fmt.Fprintln(t.shown(), cmp.Or(e.File, "rowbatch")+": "+e.Text)
	case job.Foretold:
		t.clear()
		fmt.Fprintf(t.shown(), "rowbatch: %s takes %s\n", e.Phase, ForecastText(e.Forecast))
		t.foretold = e.Forecast
	case job.PhaseBegan:
		t.told, t.waited, t.foretold = time.Now(), "", job.Forecast{}
		if isTerminal(t.Err) && !t.Plain {
			t.bar = progressbar.NewOptions(e.Total, progressbar.OptionSetWriter(t.Err), // standard output is for data
				progressbar.OptionSetPredictTime(false), progressbar.OptionSetElapsedTime(false), // by its last steps alone
				progressbar.OptionFullWidth(), progressbar.OptionClearOnFinish())
		}
	case job.Progress:
		t.progress(e)
	case job.PhaseEnded:
		t.clear()
		t.bar = nil
	}
}

// Complain tells what went wrong.
func (t *Terminal) Complain(err error) {
	if l, ok := t.Err.(*Log); ok {
		l.Error(err.Error(), "code", "error")
		return
	}
	text := strings.ReplaceAll(strings.TrimRight(spelled(err.Error(), t.Words), "\n"), "\n", "\n  ")
	fmt.Fprintln(t.shown(), "rowbatch: "+text)
}

// shown takes what people read.
func (t *Terminal) shown() io.Writer { return Shown(t.Err, t.Words) }

// Shown returns a writer that makes text safe for a terminal: words of a command line,
// such as names of files, may hold what moves the cursor or begins a line of its own.
func Shown(w io.Writer, words []string) io.Writer { return shownWriter{w, words} }

type shownWriter struct {
	io.Writer
	words []string
}

func (w shownWriter) Write(text []byte) (int, error) {
	_, err := io.WriteString(w.Writer, spelled(string(text), w.words))
	return len(text), err
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

// clear takes the bar off the screen.
func (t *Terminal) clear() {
	if t.bar != nil {
		_ = t.bar.Clear() // what a terminal answers to a bar, nobody wants to know
	}
}

// progress moves the bar, or prints a line now and then.
func (t *Terminal) progress(p job.Progress) {
	parts := t.progressText(p, time.Now())
	if t.bar != nil {
		t.bar.Describe(fitting(parts, t.columns()-barColumns))
		_ = t.bar.Set(min(p.Done, p.Total-1)) // the last row clears the bar
		return
	}
	if time.Since(t.told) < lineEvery {
		return
	}
	t.told = time.Now()
	if parts[0] == p.Phase || parts[0] != t.waited {
		fmt.Fprintln(t.shown(), "rowbatch: "+fitting(parts, math.MaxInt))
	}
	t.waited = parts[0]
}

// barColumns are those of the bar beside its text: the percentage, the ends, a few steps.
const barColumns = 12

// columns is the width of the terminal.
func (t *Terminal) columns() int {
	if f, ok := t.Err.(*os.File); ok {
		if width, _, err := term.GetSize(int(f.Fd())); err == nil && width > 0 {
			return width
		}
	}
	return 80
}

// fitting joins as many parts as fit into a line, and at least a piece of the first.
func fitting(parts []string, columns int) string {
	line := []rune(parts[0])
	if len(line) > columns {
		return string(line[:max(0, columns)])
	}
	for _, p := range parts[1:] {
		if len(line)+2+len([]rune(p)) > columns {
			break
		}
		line = append(line, []rune(", "+p)...)
	}
	return string(line)
}

// progressText says how far a phase is, the weightiest first. While it waits there is
// no speed, and how long the rest takes is by all the time so far, waits included.
func (t *Terminal) progressText(p job.Progress, now time.Time) []string {
	done := batch.Thousands(p.Done) + " of " + batch.Plural(p.Total, "row")
	if p.Waiting.Until.Sub(now) >= time.Second {
		what, why := WaitingText(p.Waiting, now)
		return []string{what, done, why}
	}
	took := now.Sub(p.Began)
	if p.Done == 0 || took < time.Second {
		return []string{p.Phase, done}
	}
	left := time.Duration(float64(took) / float64(p.Done) * float64(p.Total-p.Done))
	if f := t.foretold; f.Requests > 0 && !f.AtMost { // a limit that is not reached yet
		left = max(left, f.Finish().Sub(now))
	}
	return []string{p.Phase, done, fmt.Sprintf("%.1f rows/s", float64(p.Done)/took.Seconds()), "about " + batch.Span(left) + " left"}
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
		fmt.Fprintf(t.shown(), "%s: %s\n", in.Name, fmt.Sprintf(format, args...))
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
	fmt.Fprint(t.shown(), q.Text+" "+what)
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
func printQuestion(w io.Writer, q job.Question) {
	line := func(name, text string) { fmt.Fprintf(w, "%-10s %s\n", name, text) }
	lines := func(name string, all []string) {
		for _, text := range all {
			line(name, text)
			name = ""
		}
	}
	if q.Run.ID == "" {
		return
	}
	fmt.Fprintln(w)
	line("Run", IdentityText(q.Run))
	line("What", runText(q.Run))
	where, p := accountText(q.Run), q.Proposal
	if p == nil {
		line("Account", where)
		return
	}
	if rows := p.Preview.Rows; len(rows) > 0 {
		name := cmp.Or(batch.Visible(rows[0].Customer), "a customer without a name")
		where += fmt.Sprintf(", where %s is %s", rows[0].Key, name)
	}
	line("Account", where)
	seen := ""
	for _, k := range p.Keys {
		if text := fmt.Sprintf("%s, from the column %q", k.Field, k.Column); text != seen {
			line("Key", text)
			seen = text
		}
	}
	k := p.Counts
	line("Rows", fmt.Sprintf("%s to send, %s unchanged, %s rejected",
		batch.Thousands(k[batch.WouldChange]), batch.Thousands(k[batch.Unchanged]), batch.Thousands(k[batch.Rejected]+k[batch.Conflict])))
	lines("Fields", FieldLines(p.Preview))
	lines("Holds", stakeLines(p.Preview.Stakes))
	line("Cost", ForecastText(p.Forecast))
	for _, warning := range Warnings(p.Preview) {
		line("Attention", warning)
	}
}
