package cli

import (
	"fmt"
	"io"
	"strings"
	"time"

	"rowbatch/batch"
	"rowbatch/reports"
)

// noteInput tells how the file was read, and what may be amiss with it.
func (r *run) noteInput() {
	if r.console.quiet {
		return
	}
	w, c := r.console.err, r.in.checked
	fmt.Fprintf(w, "%s: %s, key column %q (%s)\n", r.file, plural(c.Rows, "row"), r.in.mapper.KeyColumn(), r.in.dialect)
	if c.BlankRows > 0 {
		fmt.Fprintf(w, "%s: %s without any cell left out\n", r.file, plural(c.BlankRows, "row"))
	}
	for _, warning := range c.Warnings {
		fmt.Fprintf(w, "%s: line %d: warning: %s\n", r.file, warning.Line, warning.Text)
	}
	if more := c.WarningCount - len(c.Warnings); more > 0 {
		fmt.Fprintf(w, "%s: %s more\n", r.file, plural(more, "warning"))
	}
}

// say prints the summary, and why the run did not come to its end.
func (r *run) say(s reports.Summary, cause error) {
	if cause != nil {
		complain(r.console.err, cause)
	}
	if r.flags.json {
		fmt.Fprintf(r.console.out, "%s", s.JSON())
		return
	}
	w := r.console.out
	if r.flags.dryRun {
		r.tally.preview.print(w, r.in.checked.Line, s.Outcomes[string(batch.WouldChange)])
	}
	fmt.Fprintf(w, "%s %s: %s\n", s.Action, s.File, counted(s))
	if r.flags.dryRun {
		r.sayPreview(w)
	}
	fmt.Fprintf(w, "%s (%s, %s) in %s", plural(s.Requests.Total, "request"), plural(s.Requests.Read, "read"),
		plural(s.Requests.Write, "write"), seconds(time.Duration(s.Seconds*float64(time.Second))))
	if s.WaitedSeconds >= 1 {
		fmt.Fprintf(w, ", of which %s waiting for the account's limit", seconds(time.Duration(s.WaitedSeconds*float64(time.Second))))
	}
	fmt.Fprintln(w)
	sayErrors(w, s)
	fmt.Fprintf(w, "report: %s\n", s.Report)
	r.sayNext(w, s)
}

func counted(s reports.Summary) string {
	var parts []string
	for _, k := range batch.Kinds() {
		if n := s.Outcomes[string(k)]; n > 0 {
			parts = append(parts, thousands(n)+" "+strings.ReplaceAll(string(k), "_", " "))
		}
	}
	return plural(s.Rows, "row") + ": " + strings.Join(parts, ", ")
}

func (r *run) sayPreview(w io.Writer) {
	for _, line := range r.tally.preview.fieldLines() {
		fmt.Fprintf(w, "  %s\n", line)
	}
	for _, warning := range r.tally.preview.warnings() {
		fmt.Fprintf(w, "  attention: %s\n", warning)
	}
	if r.tally.kinds[batch.WouldChange] > 0 {
		fmt.Fprintf(w, "sending them takes %s\n", r.forecast())
	}
}

// sayErrors lists each error code with its first lines and what to do about it.
func sayErrors(w io.Writer, s reports.Summary) {
	for _, e := range s.Errors {
		lines := make([]string, len(e.Lines))
		for i, line := range e.Lines {
			lines[i] = fmt.Sprint(line)
		}
		where := "line " + strings.Join(lines, ", ")
		if e.Count > len(e.Lines) {
			where += ", …"
		}
		fmt.Fprintf(w, "  %-22s %s (%s)\n  %-22s try: %s\n", e.Code, plural(e.Count, "row"), where, "", e.Fix)
	}
}

// sayNext ends the summary with the next command to type.
func (r *run) sayNext(w io.Writer, s reports.Summary) {
	if s.Failed != "" {
		fmt.Fprintf(w, "rows that need work: %s\n", s.Failed)
	}
	switch {
	case r.flags.dryRun && s.Outcomes[string(batch.WouldChange)] > 0:
		fmt.Fprintf(w, "next: %s\n", r.command(r.file))
	case s.Failed != "":
		fmt.Fprintf(w, "next: %s\n", r.command(s.Failed))
	}
}

// command is the command line that carries out a file as this run did its own.
func (r *run) command(file string) string {
	words := []string{"rowbatch", r.spec.Schema.Action, quoteWord(file)}
	add := func(flag, value string) { words = append(words, flag, quoteWord(value)) }
	if r.flags.mapFile != "" {
		add("--map", r.flags.mapFile)
	}
	for _, m := range r.flags.match {
		add("--match", m)
	}
	for _, i := range r.flags.ignore {
		add("--ignore", i)
	}
	if r.flags.delimiter != "" {
		add("--delimiter", r.flags.delimiter)
	}
	if r.flags.allowDuplicates {
		words = append(words, "--allow-duplicates")
	}
	if r.flags.sandbox {
		words = append(words, "--sandbox")
	}
	return strings.Join(words, " ")
}

// quoteWord quotes a word for the shells in use.
func quoteWord(s string) string {
	if !strings.ContainsAny(s, " \t\"'$`\\&|;<>()*?[]#~!{}") {
		return s
	}
	return `"` + strings.NewReplacer(`"`, `\"`, "$", `\$`, "`", "\\`").Replace(s) + `"`
}
