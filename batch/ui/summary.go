package ui

import (
	"bytes"
	"errors"
	"fmt"
	"io"
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
	remarks := io.Writer(&text)
	switch {
	case asJSON:
		remarks = t.shown()
		if r.Summary.RunID != "" {
			text.Write(r.Summary.JSON())
		}
		if r.Nothing != "" {
			fmt.Fprintln(t.shown(), "rowbatch: "+r.Nothing)
		}
		if r.Next != "" {
			fmt.Fprintf(t.shown(), "next: %s\n", r.Next)
		}
	case r.Nothing != "":
		fmt.Fprintln(&text, r.Nothing)
	case r.Summary.RunID != "":
		printSummary(&text, r)
	}
	if len(r.Held) > 0 {
		printHeld(remarks, r)
	}
	_, err := Shown(t.Out, t.Words).Write(text.Bytes())
	if err != nil && !errors.Is(err, syscall.EPIPE) { // whoever closes a pipe has read enough
		return &batch.Fault{Code: batch.ExitFiles, Text: "the summary could not be printed: " + err.Error(),
			Try: "look into " + r.Summary.Report}
	}
	return nil
}

// PrintNoReport tells what became of the rows when the report cannot.
func PrintNoReport(t *Terminal, e *job.NoReportError) {
	fmt.Fprintf(t.shown(), "%s: %s\n", runText(e.Run), CountsText(e.Rows, e.Counts))
	fmt.Fprintf(t.shown(), "run: %s\naccount: %s\n", IdentityText(e.Run), accountText(e.Run))
	switch {
	case e.Journal != "":
		fmt.Fprintf(t.shown(), "what was sent stands in %s\n", e.Journal)
	case e.Sent != "":
		fmt.Fprintf(t.shown(), "a write was sent for the rows of these lines, which is kept nowhere else: %s\n", e.Sent)
	default:
		fmt.Fprintln(t.shown(), "no write was sent")
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

func printSummary(w io.Writer, r *job.Result) {
	s := r.Summary
	if r.Preview != nil {
		line := func(row int) string { return fmt.Sprintf("%s %d", mapping.Unit(s.File), r.Line(row)) }
		printPreview(w, r.Preview, line, s.Outcomes[batch.WouldChange])
	}
	fmt.Fprintf(w, "%s: %s\n", runText(r.Run), CountsText(s.Rows, s.Outcomes))
	if p := r.Preview; p != nil {
		for _, line := range append(FieldLines(p), stakeLines(p.Stakes)...) {
			fmt.Fprintf(w, "  %s\n", line)
		}
		for _, warning := range Warnings(p) {
			fmt.Fprintf(w, "  attention: %s\n", warning)
		}
		if s.Outcomes[batch.WouldChange] > 0 && r.Forecast != nil {
			fmt.Fprintf(w, "sending them takes %s\n", ForecastText(*r.Forecast))
		}
	}
	fmt.Fprintf(w, "%s (%s, %s) in %s\n", batch.Plural(s.Requests.Total, "request"), batch.Plural(s.Requests.Read, "read"),
		batch.Plural(s.Requests.Write, "write"), TimeText(s))
	PrintErrors(w, s)
	if s.Warnings > 0 {
		fmt.Fprintf(w, "%s: rb_warning in the report\n", batch.Plural(s.Warnings, "warning"))
	}
	fmt.Fprintf(w, "run: %s\n", IdentityText(r.Run))
	if r.Run.Hosts != "" {
		fmt.Fprintf(w, "account: %s\n", accountText(r.Run))
	}
	_ = PrintReport(w, s)                                // to memory
	if s.Failed != "" && s.ExitCode != batch.ExitUsage { // else nobody wanted any
		fmt.Fprintf(w, "rows that need work: %s\n", s.Failed)
		if s.FailedXLSX != "" {
			fmt.Fprintf(w, "as a workbook: %s\n", s.FailedXLSX)
		}
	}
	if r.Next != "" {
		fmt.Fprintf(w, "next: %s\n", r.Next)
	}
	printCommands(w, "to take it back", r.TakeBack)
	if s.Held && s.Action != "hold" { // which leaves these customers where they are
		printCommands(w, "to take its holds back, too", r.Unhold)
	}
}

// PrintReport names the report, and the files in whose place it could not be put.
func PrintReport(w io.Writer, s reports.Summary) error {
	_, err := fmt.Fprintf(w, "report: %s\n", s.Report)
	if s.ReportXLSX != "" {
		_, err = fmt.Fprintf(w, "as a workbook: %s\n", s.ReportXLSX)
	}
	if s.ReportHTML != "" {
		_, err = fmt.Fprintf(w, "as a page: %s\n", s.ReportHTML)
	}
	for _, path := range s.Left {
		_, err = fmt.Fprintf(w, "left as it was, since it was edited or is open in another program: %s\n", path)
	}
	return err
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

// accountText says where a run goes.
func accountText(r job.Identity) string {
	if r.KeyEnds == "" {
		return r.Hosts
	}
	return r.Hosts + ", by the key that ends in " + batch.Visible(r.KeyEnds)
}

// CountsText says how many rows ended in which way.
func CountsText(rows int, outcomes map[batch.Kind]int) string {
	var parts []string
	for _, k := range batch.Kinds() {
		if n := outcomes[k]; n > 0 {
			parts = append(parts, batch.Thousands(n)+" "+strings.ReplaceAll(string(k), "_", " "))
		}
	}
	if len(parts) == 0 { // of an export
		return batch.Plural(rows, "row")
	}
	return batch.Plural(rows, "row") + ": " + strings.Join(parts, ", ")
}

// PrintErrors lists each error code with its first lines and what to do about it.
func PrintErrors(w io.Writer, s reports.Summary) {
	for _, e := range s.Errors {
		lines := make([]string, len(e.Lines))
		for i, line := range e.Lines {
			lines[i] = fmt.Sprint(line)
		}
		where := mapping.Unit(s.File) + " " + strings.Join(lines, ", ")
		if e.Count > len(e.Lines) {
			where += ", …"
		}
		fmt.Fprintf(w, "  %-22s %s (%s)\n  %-22s try: %s\n", e.Code, batch.Plural(e.Count, "row"), where, "", e.Fix)
	}
}

// heldNamed bounds the customers on hold that are named.
const heldNamed = 20

// printHeld names the customers whom an undo leaves on hold.
func printHeld(w io.Writer, r *job.Result) {
	held := r.Held
	fmt.Fprintf(w, "the run put %s on hold, where an undo leaves them, since coming back may cost money:\n", batch.Plural(len(held),
		"customer"))
	for _, name := range held[:min(len(held), heldNamed)] {
		fmt.Fprintln(w, "  "+batch.Visible(name))
	}
	if more := len(held) - heldNamed; more > 0 {
		fmt.Fprintf(w, "  and %s more\n", batch.Thousands(more))
	}
	printCommands(w, "to take them off hold", r.Unhold)
}

// printCommands shows what to type: each command in a line of its own, as it is.
func printCommands(w io.Writer, what string, commands []string) {
	switch len(commands) {
	case 0:
	case 1:
		fmt.Fprintf(w, "%s: %s\n", what, commands[0])
	default:
		fmt.Fprintf(w, "%s, one of:\n  %s\n", what, strings.Join(commands, "\n  "))
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
