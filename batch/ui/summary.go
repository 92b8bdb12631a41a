package ui

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"syscall"
	"time"

	"rowbatch/batch"
	"rowbatch/batch/job"
	"rowbatch/batch/journal"
	"rowbatch/client/governor"
	"rowbatch/mapping"
	"rowbatch/reports"
)

// PrintResult tells how a run ended: its data on Out, as text or as one JSON object,
// and on Err why it did not come to its end.
func PrintResult(t *Terminal, r *job.Result, asJSON bool) error {
	if r.Stopped != nil {
		t.Complain(r.Stopped)
	}
	var text bytes.Buffer
	out := t.out()
	out.Writer = &text
	remarks := out
	switch {
	case asJSON:
		remarks = t.shown()
		if r.Summary.RunID != "" {
			fmt.Fprint(out, string(r.Summary.JSON()))
		}
		if r.Nothing != "" {
			remarks.Printf("rowbatch: %s\n", r.Nothing)
		}
	case r.Nothing != "":
		out.Printf("%s\n", r.Nothing)
	case r.Summary.RunID != "":
		printSummary(out, r)
	}
	if len(r.Held) > 0 {
		printHeld(remarks, r)
	}
	if s := r.Summary; s.Outcomes[batch.Rejected]+s.Outcomes[batch.Conflict] > 0 && strings.HasPrefix(r.Next, "rowbatch "+s.Action+" ") {
		remarks.Printf("%s correct the rows in that file as its column rb_fix says\n", remarks.Paint(Strong, "first:"))
	}
	if r.Next != "" { // the last word
		remarks.Printf("%s %s\n", remarks.Paint(Strong, "next:"), remarks.Paint(Accent, r.Next))
	}
	_, err := t.Out.Write(text.Bytes())
	if err != nil && !errors.Is(err, syscall.EPIPE) { // whoever closes a pipe has read enough
		return &batch.Fault{Code: batch.ExitFiles, Text: "the summary could not be printed: " + err.Error(),
			Try: "look into " + r.Summary.Report}
	}
	return nil
}

// PrintNoReport tells what became of the rows when the report cannot.
func PrintNoReport(t *Terminal, e *job.NoReportError) {
	s := t.shown()
	s.Printf("%s: %s\n", runText(e.Run), CountsText(e.Rows, e.Counts))
	s.Printf("run: %s\naccount: %s\n", IdentityText(e.Run), s.Account(Plain, e.Run))
	switch {
	case e.Journal != "":
		s.Printf("what was sent stands in %s\n", e.Journal)
	case e.Sent != "":
		s.Printf("a write was sent for the rows of these lines, which is kept nowhere else: %s\n", e.Sent)
	default:
		s.Printf("no write was sent\n")
	}
}

// PrintRefusal tells as one JSON object why a command has no summary to show.
func PrintRefusal(w io.Writer, err error, code int) {
	refusal := struct {
		RunID    string             `json:"run_id,omitempty"` // of a run whose report could not be written
		Outcomes map[batch.Kind]int `json:"outcomes,omitempty"`
		Journal  string             `json:"journal,omitempty"`
		Sent     string             `json:"sent,omitempty"`
		Error    string             `json:"error"`
		ExitCode int                `json:"exit_code"`
	}{Error: err.Error(), ExitCode: code}
	if lost := (*job.NoReportError)(nil); errors.As(err, &lost) {
		refusal.RunID, refusal.Outcomes, refusal.Journal, refusal.Sent = lost.Run.ID, lost.Counts, lost.Journal, lost.Sent
	}
	_, _ = w.Write(batch.JSON(refusal, "  ")) // standard error has told it, whoever reads this
}

func printSummary(w Screen, r *job.Result) {
	s := r.Summary
	if r.Preview != nil {
		line := func(row int) string { return fmt.Sprintf("%s %d", mapping.Unit(s.File), r.Line(row)) }
		printPreview(w, r.Preview, line, s.Outcomes[batch.WouldChange])
	}
	printCounts(w, runText(r.Run), s.Rows, s.Outcomes)
	if p := r.Preview; p != nil {
		for _, line := range append(FieldLines(p), stakeLines(p.Stakes)...) {
			w.Table(2, []any{line})
		}
		for _, warning := range Warnings(p) {
			w.Table(2, []any{w.Paint(Need, "attention:") + w.Paint(Plain, " "+warning)})
		}
		if s.Outcomes[batch.WouldChange] > 0 && r.Forecast != nil {
			w.Table(0, []any{"sending them takes " + ForecastText(*r.Forecast)})
		}
	}
	w.Printf("%s (%s, %s) in %s\n", batch.Plural(s.Requests.Total, "request"), batch.Plural(s.Requests.Read, "read"),
		batch.Plural(s.Requests.Write, "write"), TimeText(s))
	PrintErrors(w, s)
	if n := s.Outcomes[batch.Skipped]; n > 0 && s.Mode == journal.ModeUndo {
		w.Table(2, []any{"skipped: " + batch.Plural(n, "row") +
			" for which the run sent nothing, or which an undo leaves: rb_error in the report says why"})
	}
	if s.Warnings > 0 {
		w.Printf("%s: rb_warning in the report\n", w.Paint(Need, batch.Plural(s.Warnings, "warning")))
	}
	facts := []fact{{"run", IdentityText(r.Run)}, {"account", ""}}
	if r.Run.Hosts != "" {
		facts[1].value = w.Account(Plain, r.Run)
	}
	facts = append(facts, fact{"option for coming off hold", r.Run.Unhold})
	facts = append(facts, reportFacts(s)...)
	if s.ExitCode != batch.ExitUsage { // else nobody wanted any
		facts = append(facts, fact{"rows that need work", s.Failed}, fact{"as a workbook", s.FailedXLSX})
	}
	printFacts(w, facts)
	printCommands(w, "to take it back", r.TakeBack)
	if s.Held && s.Action != "hold" { // which leaves these customers where they are
		printCommands(w, "to take its holds back, too", r.Unhold)
	}
}

// printCounts tells how many rows ended in which way: on a terminal one below the other.
func printCounts(w Screen, title string, rows int, outcomes map[batch.Kind]int) {
	var table [][]any
	for _, k := range batch.Kinds() {
		if n := outcomes[k]; n > 0 {
			table = append(table, []any{w.Paint(Plain, fmt.Sprintf("%7s", batch.Thousands(n))), w.Paint(toneOf(k), words(k))})
		}
	}
	if w.columns == 0 || len(table) < 2 {
		w.Printf("%s: %s\n", w.Paint(Strong, title), CountsText(rows, outcomes))
		return
	}
	w.Printf("%s: %s\n", w.Paint(Strong, title), batch.Plural(rows, "row"))
	w.Table(0, table...)
}

// PrintReport tells what became of a run's rows, which run it is, where the report stands, and
// which files it could not replace.
func PrintReport(w Screen, run job.Identity, s reports.Summary) {
	printCounts(w, runText(run), s.Rows, s.Outcomes)
	PrintErrors(w, s)
	printFacts(w, append([]fact{{"run", IdentityText(run)}, {"account", w.Account(Plain, run)}}, reportFacts(s)...))
}

// fact is a name and what it stands for.
type fact struct {
	name  string
	value any // a text, or a Text
}

// reportFacts are the report, and the files in whose place it could not be put.
func reportFacts(s reports.Summary) (all []fact) {
	all = []fact{{"report", s.Report}, {"as a workbook", s.ReportXLSX}, {"as a page", s.ReportHTML}}
	for _, path := range s.Left {
		all = append(all, fact{"left as it was, since it was edited or is open in another program", path})
	}
	return all
}

// printFacts shows names and what they stand for, below each other where there is room. What
// stands there may be copied: it is never broken.
func printFacts(w Screen, facts []fact) {
	facts = slices.DeleteFunc(facts, func(f fact) bool { return fmt.Sprint(f.value) == "" })
	longest := 0
	for _, f := range facts {
		if w.columns >= 60 && len(f.name) < 20 {
			longest = max(longest, len(f.name)+1)
		}
	}
	for _, f := range facts {
		w.Printf("%s %s\n", w.Paint(Faint, fmt.Sprintf("%-*s", longest, f.name+":")), f.value)
	}
}

// runText says what a run is.
func runText(r job.Identity) string {
	title := r.Action + " " + r.File
	if r.Shard != "" {
		title += ", shard " + r.Shard
	}
	if r.Of != "" && (r.Mode == journal.ModeApply || r.Mode == journal.ModeUndo) {
		title = r.Mode + " of " + r.Of + " (" + title + ")"
	}
	return batch.Visible(title)
}

// IdentityText tells a run from others.
func IdentityText(r job.Identity) string {
	mode := "live"
	if r.Dry {
		mode = "dry run"
	}
	text, age := r.ID+" ("+mode+")", batch.Span(r.Age)
	if days := int(r.Age.Hours() / 24); days > 2 {
		age = batch.Plural(days, "day")
	}
	if r.Age > 0 && r.Of != "" {
		text += ", of " + r.Of
	}
	if r.Age > 0 {
		text += ", " + age + " old"
	}
	return batch.Visible(text)
}

// words are those of an outcome.
func words(k batch.Kind) string { return strings.ReplaceAll(string(k), "_", " ") }

// CountsText says how many rows ended in which way.
func CountsText(rows int, outcomes map[batch.Kind]int) string {
	var parts []string
	for _, k := range batch.Kinds() {
		if n := outcomes[k]; n > 0 {
			parts = append(parts, batch.Thousands(n)+" "+words(k))
		}
	}
	if len(parts) == 0 { // of an export
		return batch.Plural(rows, "row")
	}
	return batch.Plural(rows, "row") + ": " + strings.Join(parts, ", ")
}

// causesShown are those that a person can take in at once: the others stand in the report.
const causesShown = 3

// PrintErrors lists each error code with its first lines and what to do about it: on a
// terminal the commonest.
func PrintErrors(w Screen, s reports.Summary) {
	all, rest := s.Errors, 0
	if w.columns > 0 && len(all) > causesShown {
		all = all[:causesShown]
		for _, e := range s.Errors[causesShown:] {
			rest += e.Count
		}
	}
	var table [][]any
	for _, e := range all {
		lines := make([]string, len(e.Lines))
		for i, line := range e.Lines {
			lines[i] = fmt.Sprint(line)
		}
		where := mapping.Unit(s.File) + " " + strings.Join(lines, ", ")
		if e.Count > len(e.Lines) {
			where += ", …"
		}
		code := w.Paint(Plain, fmt.Sprintf("%-21s", e.Code))
		if kinds := batch.CodeOf(e.Code).Kinds; len(kinds) > 0 {
			code = w.Paint(toneOf(kinds[0]), string(code))
		}
		table = append(table, []any{code, fmt.Sprintf("%s (%s)", batch.Plural(e.Count, "row"), where)},
			[]any{"", w.Paint(Strong, "try:") + w.Paint(Plain, " "+e.Fix)})
		if e.Text != "" && len(e.Lines) > 0 {
			table = append(table, []any{"", w.Paint(Faint, fmt.Sprintf("%s %d: %s", mapping.Unit(s.File), e.Lines[0], firstWords(e.Text)))})
		}
	}
	w.Table(2, table...)
	if rest > 0 {
		w.Table(2, []any{fmt.Sprintf("and %s for %s: rb_error_code in the report", batch.Plural(len(s.Errors)-causesShown, "other reason"),
			batch.Plural(rest, "row"))})
	}
}

// firstWords are what an error says in a line or two: a server may answer with a page.
func firstWords(text string) string {
	const most = 160
	text = batch.Visible(text)
	if r := []rune(text); len(r) > most {
		return string(r[:most]) + "…"
	}
	return text
}

// heldNamed bounds the customers on hold that are named.
const heldNamed = 20

// printHeld names the customers whom an undo leaves on hold.
func printHeld(w Screen, r *job.Result) {
	held := r.Held
	w.Table(0, []any{fmt.Sprintf("the run put %s on hold, where an undo leaves them, since coming back may cost money:",
		batch.Plural(len(held), "customer"))})
	for _, name := range held[:min(len(held), heldNamed)] {
		w.Printf("  %s\n", batch.Visible(name))
	}
	if more := len(held) - heldNamed; more > 0 {
		w.Printf("  and %s more\n", batch.Thousands(more))
	}
	printCommands(w, "to take them off hold", r.Unhold)
}

// printCommands shows what to type: each command in a line of its own, as it is.
func printCommands(w Screen, what string, commands []string) {
	switch len(commands) {
	case 0:
	case 1:
		w.Printf("%s: %s\n", w.Paint(Faint, what), commands[0])
	default:
		w.Printf("%s, one of:\n  %s\n", w.Paint(Faint, what), strings.Join(commands, "\n  "))
	}
}

// TimeText says how long a run took, and how much of that it waited for what.
func TimeText(s reports.Summary) string {
	all := batch.Span(span(s.Seconds))
	if s.WaitedSeconds < 1 {
		return all
	}
	words := map[governor.Reason]string{
		governor.MinuteLimit: "for the minute's limit", governor.DayLimit: "for the day's limit",
		governor.ServerPause: "because the server asked for a pause", governor.Outage: "for the server to answer",
	}
	all += ", of which " + batch.Span(span(s.WaitedSeconds)) + " waiting"
	var parts []string
	last := ""
	for _, why := range governor.Reasons() {
		if d := span(s.Waited[string(why)]); d >= time.Second {
			last = words[why]
			parts = append(parts, batch.Span(d)+" "+last)
		}
	}
	switch len(parts) {
	case 0: // a little for each
		return all
	case 1:
		return all + " " + last
	}
	return all + ": " + strings.Join(parts, ", ")
}

// ForecastText says what requests take, and when they are done.
func ForecastText(f job.Forecast) string {
	text := batch.Plural(f.Requests, "request")
	if f.AtMost {
		text = "at most " + text
	}
	switch {
	case f.Requests == 0:
		return text
	case f.Stops.IsZero() && f.Takes < time.Minute:
		text += ", less than a minute"
	case f.Stops.IsZero() && f.PerMinute < 1:
		text += fmt.Sprintf(", about %s at %.3g an hour", batch.Span(f.Takes), 60*f.PerMinute)
	case f.Stops.IsZero():
		text += fmt.Sprintf(", about %s at %s a minute", batch.Span(f.Takes), batch.Thousands(int(f.PerMinute)))
	}
	if f.Takes >= governor.Farthest {
		return text + ": not done within a year"
	}
	minute := func(at time.Time) string { // rounded up but for less than a second
		return clock(at.Add(time.Minute-time.Second).Truncate(time.Minute), f.Begins, "15:04")
	}
	if f.Stops.IsZero() {
		return text + ": done by " + minute(f.Finish())
	}
	ending := map[job.DayEnd]string{
		job.StopsAtDayEnd: "it stops at %s, and goes on by rowbatch resume from %s, or by itself with --wait",
		job.WaitsAtDayEnd: "it waits from %s until %s",
		job.EndsAtDayEnd:  "it ends at %s without a file, unless --wait lets it wait until %s",
	}[f.DayEnd]
	return fmt.Sprintf("%s, done by %s: today's allowance (%s) does not suffice; "+ending,
		text, minute(f.Finish()), batch.Thousands(f.Today), minute(f.Stops), minute(f.Renewed))
}

func span(seconds float64) time.Duration { return time.Duration(seconds * float64(time.Second)) }
