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
	InputIsFile bool // standard input is the file, not somebody's answers
	Quiet       bool // no progress and no notices
	Plain       bool // no bars: other lines would tear them

	// Keyboard opens what a person answers on; nil: what the streams lead to. It
	// returns nil when there is nobody.
	Keyboard func() io.ReadCloser

	bar    *progressbar.ProgressBar
	shown  time.Time // when a line was last shown of this phase
	waited string    // what it was then waiting for
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
		fmt.Fprintf(t.Err, "%s: line %d: %s: %s\n", e.File, e.Line, e.Problem.Code, batch.Visible(e.Problem.Text))
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
		fmt.Fprintln(t.Err, cmp.Or(e.File, "rowbatch")+": "+e.Text)
	case job.Foretold:
		t.clear()
		fmt.Fprintf(t.Err, "rowbatch: %s takes %s\n", e.Phase, forecastText(e.Forecast))
	case job.PhaseBegan:
		t.shown, t.waited = time.Now(), ""
		if isTerminal(t.Err) && !t.Plain {
			t.bar = progressbar.NewOptions(e.Total,
				progressbar.OptionSetWriter(t.Err), // the default is standard output, which is for data
				progressbar.OptionSetDescription(e.Name), progressbar.OptionShowCount(), progressbar.OptionShowIts(),
				progressbar.OptionSetItsString("rows"), progressbar.OptionSetPredictTime(true), progressbar.OptionSetWidth(24),
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
	text := strings.ReplaceAll(strings.TrimRight(err.Error(), "\n"), "\n", "\n  ")
	fmt.Fprintln(t.Err, "rowbatch: "+text)
}

// clear takes the bar off the screen.
func (t *Terminal) clear() {
	if t.bar != nil {
		_ = t.bar.Clear() // what a terminal answers to a bar, nobody wants to know
	}
}

// progress moves the bar, or prints a line now and then.
func (t *Terminal) progress(p job.Progress) {
	waiting := ""
	if time.Until(p.Waiting.Until) >= time.Second {
		waiting = waitingText(p.Waiting, time.Now())
	}
	if t.bar != nil {
		t.bar.Describe(cmp.Or(waiting, p.Phase))
		_ = t.bar.Set(min(p.Done, p.Total-1)) // the last row clears the bar
		return
	}
	if time.Since(t.shown) < lineEvery {
		return
	}
	t.shown = time.Now()
	switch took := time.Since(p.Began); {
	case waiting != "" && waiting == t.waited:
	case waiting != "":
		fmt.Fprintf(t.Err, "rowbatch: %s of %s rows; %s\n", batch.Thousands(p.Done), batch.Thousands(p.Total), waiting)
	case p.Done == 0:
		fmt.Fprintf(t.Err, "rowbatch: %s: 0 of %s rows\n", p.Phase, batch.Thousands(p.Total))
	default:
		left := time.Duration(float64(took) / float64(p.Done) * float64(p.Total-p.Done))
		fmt.Fprintf(t.Err, "rowbatch: %s: %s of %s rows, %.1f rows/s, about %s left\n",
			p.Phase, batch.Thousands(p.Done), batch.Thousands(p.Total), float64(p.Done)/took.Seconds(), batch.Span(left))
	}
	t.waited = waiting
}

// waitingText tells a wait's reason and end.
func waitingText(w job.Waiting, now time.Time) string {
	what := "waiting for the account's limit until "
	switch w.Reason {
	case governor.DayLimit:
		what = "the day's requests are used up; waiting for the next day's until "
	case governor.Outage:
		what = "the server does not answer (--verbose shows why); trying again at "
	case governor.ServerPause:
		what = "the server asks for a pause until "
	}
	return what + clock(w.Until, now, time.TimeOnly)
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
		fmt.Fprintf(t.Err, "%s: %s\n", in.Name, fmt.Sprintf(format, args...))
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
	if q.Proposal != nil {
		printProposal(t.Err, q.Proposal)
	}
	what := "Type yes: "
	if q.Agrees != "yes" {
		what = "Type the number of customers: "
	}
	fmt.Fprint(t.Err, q.Text+" "+what)
	answer := strings.ReplaceAll(t.answer(ctx), ",", "") // of 1,240 customers
	return strings.EqualFold(answer, q.Agrees) && ctx.Err() == nil
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
		fmt.Fprintln(t.Err)
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

// printProposal says what is about to be sent, and where.
func printProposal(w io.Writer, p *job.Proposal) {
	line := func(name, text string) { fmt.Fprintf(w, "%-10s %s\n", name, text) }
	lines := func(name string, all []string) {
		for _, text := range all {
			line(name, text)
			name = ""
		}
	}
	fmt.Fprintln(w)
	run := runText(p.Run)
	if p.Run.Age > 0 {
		run += ", " + batch.Span(p.Run.Age) + " old"
	}
	line("Run", run)
	where := accountText(p.Run)
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
	lines("Fields", fieldLines(p.Preview))
	lines("Holds", stakeLines(p.Preview.Stakes))
	line("Cost", forecastText(p.Forecast))
	for _, warning := range warnings(p.Preview) {
		line("Attention", warning)
	}
}
