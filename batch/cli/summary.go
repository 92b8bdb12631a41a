package cli

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"rowbatch/batch"
	"rowbatch/mapping"
	"rowbatch/reports"
)

// noteInput tells how the file was read, and what may be amiss with it.
func (r *run) noteInput() {
	if r.console.quiet {
		return
	}
	w, c := r.console.err, r.in.checked
	fmt.Fprintf(w, "%s: %s, %s (%s)\n", r.file, plural(c.Rows, "row"), keyColumns(r.in.mapper.Keys()), r.in.dialect)
	if s := r.flags.shard; s.some() {
		fmt.Fprintf(w, "%s: %s in shard %s\n", r.file, plural(r.rows.countHere(), "row"), s)
	}
	if r.in.mapper.HasSecrets() {
		fmt.Fprintf(w, "%s: passwords are shown as *** and kept in no file\n", r.file)
	}
	if names := r.in.mapper.ReadOnly(); len(names) > 0 {
		fmt.Fprintf(w, "%s: only for reading, and ignored: %s\n", r.file, strings.Join(names, ", "))
	}
	if c.Exported > 0 {
		fmt.Fprintf(w, "%s: %s, %s edited since\n", r.file, plural(c.Exported, "exported row"), thousands(c.Edited))
	}
	if c.Added > 0 {
		fmt.Fprintf(w, "%s: %s of no export: cells that differ from the live record are written, whoever changed it\n", r.file, plural(c.Added, "row"))
	}
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

// say prints the summary, and why the run did not come to its end. The error
// carries the exit code.
func (r *run) say(s reports.Summary, failed error) error {
	if failed != nil {
		complain(r.console.err, failed)
	}
	var text bytes.Buffer
	if r.flags.json {
		text.Write(s.JSON())
		if next := r.next(s); next != "" {
			fmt.Fprintf(r.console.err, "next: %s\n", next)
		}
	} else {
		r.sayText(&text, s)
	}
	if _, err := r.console.out.Write(text.Bytes()); err != nil && !errors.Is(err, syscall.EPIPE) { // whoever closes a pipe has read enough
		return &fault{code: exitFiles, text: "the summary could not be printed: " + err.Error(), try: "look into " + r.dir.Path()}
	}
	if s.ExitCode != exitDone {
		return &rowsError{s.ExitCode}
	}
	return nil
}

func (r *run) sayText(w io.Writer, s reports.Summary) {
	if r.flags.dryRun {
		r.tally.preview.print(w, r.work.line, s.Outcomes[batch.WouldChange])
	}
	fmt.Fprintf(w, "%s: %s\n", r.title(), counted(s.Rows, s.Outcomes))
	if r.flags.dryRun {
		r.sayPreview(w)
	}
	fmt.Fprintf(w, "%s (%s, %s) in %s%s\n", plural(s.Requests.Total, "request"), plural(s.Requests.Read, "read"),
		plural(s.Requests.Write, "write"), seconds(duration(s.Seconds)), waitedText(s))
	sayErrors(w, s)
	fmt.Fprintf(w, "report: %s\n", s.Report)
	r.sayNext(w, s)
}

// title says what the run was.
func (r *run) title() string {
	title := r.head.Action + " " + r.head.File
	if s := optionsOf(r.head)["shard"]; s != "" {
		title += ", shard " + s
	}
	if r.head.Of != "" {
		title = r.head.Mode + " of " + r.head.Of + " (" + title + ")"
	}
	return title
}

// sayWithoutReport tells what became of the rows when the report cannot.
func (r *run) sayWithoutReport(kinds map[batch.Kind]int) {
	fmt.Fprintf(r.console.err, "%s: %s\nwhat was sent stands in %s\n",
		r.title(), counted(r.head.Rows, kinds), r.dir.Path("journal"))
}

// keyColumns names the columns that tell the customers.
func keyColumns(keys []mapping.KeyUse) string {
	var names []string
	for _, k := range keys {
		if name := strconv.Quote(k.Column); !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	if len(names) > 1 {
		return "key columns " + strings.Join(names, ", ")
	}
	return "key column " + strings.Join(names, "")
}

func counted(rows int, outcomes map[batch.Kind]int) string {
	var parts []string
	for _, k := range batch.Kinds() {
		if n := outcomes[k]; n > 0 {
			parts = append(parts, thousands(n)+" "+strings.ReplaceAll(string(k), "_", " "))
		}
	}
	if len(parts) == 0 { // of an export
		return plural(rows, "row")
	}
	return plural(rows, "row") + ": " + strings.Join(parts, ", ")
}

func (r *run) sayPreview(w io.Writer) {
	for _, line := range r.tally.preview.fieldLines() {
		fmt.Fprintf(w, "  %s\n", line)
	}
	for _, line := range r.tally.preview.stakes.lines() {
		fmt.Fprintf(w, "  %s\n", line)
	}
	for _, warning := range r.tally.preview.warnings() {
		fmt.Fprintf(w, "  attention: %s\n", warning)
	}
	if r.tally.kinds[batch.WouldChange] > 0 && r.outlook != nil {
		fmt.Fprintf(w, "sending them takes %s\n", r.outlook)
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

// quoteWord quotes a word for the shell of the system.
func quoteWord(s string) string {
	switch {
	case s != "" && !strings.ContainsAny(s, " \t\r\n\"'$`\\&|;<>()*?[]#~!{}%^"):
		return s
	case runtime.GOOS == "windows":
		return `"` + strings.ReplaceAll(s, `"`, `\"`) + `"`
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
