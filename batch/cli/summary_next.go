package cli

import (
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"

	"rowbatch/batch"
	"rowbatch/batch/action"
	"rowbatch/batch/journal"
	"rowbatch/reports"
)

// sayNext ends the summary with the next command to type.
func (r *run) sayNext(w io.Writer, s reports.Summary) {
	if s.Failed != "" {
		fmt.Fprintf(w, "rows that need work: %s\n", s.Failed)
	}
	if next := r.next(s); next != "" {
		fmt.Fprintf(w, "next: %s\n", next)
	}
	if s.Outcomes[batch.Changed] > 0 && r.head.Mode != journal.ModeUndo && slices.Contains(r.head.Systems, action.SystemFusebill) {
		fmt.Fprintf(w, "to take it back: %s\n", againCommand("undo", r.head.ID, r.reportsDir()))
	}
}

// next is the command that leads on from here; "" when there is nothing to do.
func (r *run) next(s reports.Summary) string {
	left := s.Outcomes[batch.NotAttempted] + s.Outcomes[batch.InDoubt]
	switch {
	case left > 0 && s.ExitCode != exitUsage: // else nobody wanted it
		return againCommand("resume", r.head.ID, r.reportsDir())
	case r.head.Dry && s.Outcomes[batch.WouldChange] > 0:
		return againCommand("undo", r.head.Of, r.reportsDir()) + r.undoWords(r.keepTheirs)
	case r.head.Mode == journal.ModeDryRun && s.Outcomes[batch.WouldChange] > 0:
		return againCommand("apply", r.head.ID, r.reportsDir())
	case r.head.Mode == journal.ModeUndo && s.Outcomes[batch.Conflict] > 0 && !r.keepTheirs:
		return againCommand("undo", r.head.Of, r.reportsDir()) + r.undoWords(true)
	case r.head.Mode == journal.ModeUndo && s.Outcomes[batch.Failed] > 0:
		return againCommand("resume", r.head.ID, r.reportsDir()) + " --failed"
	case r.flags.shard.some() && s.Outcomes[batch.Failed] > 0 && hasCode(s, "already_linked"): // another shard may free the link
		return againCommand("resume", r.head.ID, r.reportsDir()) + " --failed"
	case s.Failed == "", r.head.Mode == journal.ModeUndo, s.ExitCode == exitUsage:
		return ""
	case r.in != nil && r.in.mapper.HasSecrets() && s.Outcomes[batch.Failed] > 0: // failed.csv has no passwords
		return againCommand("resume", r.head.ID, r.reportsDir()) + " --failed"
	case r.head.Mode == journal.ModeRun && r.past == nil:
		// The failed rows are all to be sent, and their file is UTF-8.
		return r.command(s.Failed, "limit", "shard", "expect", "encoding", "json", "yes")
	}
	return commandOf(r.head, s.Failed, r.reportsDir())
}

func hasCode(s reports.Summary, code string) bool {
	return slices.ContainsFunc(s.Errors, func(e reports.ErrorCount) bool { return e.Code == code })
}

// reportsDir is the folder in which the run's own folder lies.
func (r *run) reportsDir() string { return filepath.Dir(r.dir.Path()) }

func (r *run) undoWords(keepTheirs bool) (words string) {
	if keepTheirs {
		words += " --keep-theirs"
	}
	if r.unhold != "" {
		words += " --unhold " + r.unhold
	}
	return words
}

// command is the command line that carries out a file as this run was told to:
// with the flags that were set, but for those that only this once were meant.
func (r *run) command(file string, without ...string) string {
	words := []string{"rowbatch", r.job.name, quoteWord(file)}
	for _, flag := range r.flags.set {
		if !slices.Contains(without, flag.name) {
			words = append(words, flag.words...)
		}
	}
	return strings.Join(words, " ")
}

// commandOf is the command line that carries out a file as an earlier run was told to.
func commandOf(h journal.Head, file, dir string) string {
	words := []string{"rowbatch", h.Action, quoteWord(file)}
	add := func(flag string, values ...string) {
		for _, v := range values {
			words = append(words, flag, quoteWord(v))
		}
	}
	if h.MapFile != "" {
		add("--map", h.MapFile)
	}
	options := optionsOf(h)
	add("--match", split(options["match"])...)
	add("--ignore", split(options["ignore"])...)
	add("--when", split(options["when"])...)
	add("--base", split(options["base"])...)
	for _, flag := range []string{"allow-duplicates", "hold-suspended", "no-base"} {
		if options[flag] != "" {
			words = append(words, "--"+flag)
		}
	}
	if h.Account == sandboxName {
		words = append(words, "--sandbox")
	}
	if dir != defaultReports {
		add("--reports", dir)
	}
	return strings.Join(words, " ")
}
