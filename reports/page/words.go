package page

import (
	"cmp"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"rowbatch/batch"
	"rowbatch/batch/journal"
)

// Order is in which outcomes are shown: by what is done first to what needs work.
func Order(dry bool) []batch.Kind {
	all := []batch.Kind{batch.Changed, batch.Unchanged, batch.Skipped, batch.Rejected, batch.Failed, batch.Conflict, batch.InDoubt,
		batch.NotAttempted}
	if dry {
		return slices.Insert(all, 0, batch.WouldChange)
	}
	return slices.Insert(all, 1, batch.WouldChange)
}

// What says what a run does, in the words of the page.
func What(h journal.Head) string {
	what := map[string]string{"update": "Update", "hold": "Hold", "latch": "HubSpot links", "patch": "Trackfinity patch",
		"run": "Mixed"}[h.Action]
	what = cmp.Or(what, h.Action)
	switch {
	case h.Mode == journal.ModeUndo && h.Dry:
		return what + ": undo, preview"
	case h.Mode == journal.ModeUndo:
		return what + ": undo"
	case h.Mode == journal.ModeDryRun:
		return what + ", preview"
	case h.Mode == journal.ModeApply:
		return what + ", from a preview"
	}
	return what
}

// Heading says what a run does to which file.
func Heading(h journal.Head) string { return What(h) + ": " + filepath.Base(h.File) }

// Lead says in one sentence what a run has come to.
func Lead(h journal.Head, counts map[batch.Kind]int, stopped bool) string {
	work := 0
	for _, k := range batch.Kinds() {
		if k.NeedsWork() {
			work += counts[k]
		}
	}
	text := fmt.Sprintf("%s of %s changed", batch.Thousands(counts[batch.Changed]), batch.Plural(h.Rows, "row"))
	switch {
	case h.IsDry() && h.Action == "hold" && h.Mode != journal.ModeUndo:
		text = fmt.Sprintf("%s of %s would be put on hold", batch.Thousands(counts[batch.WouldChange]), batch.Plural(h.Rows, "customer"))
	case h.IsDry():
		text = fmt.Sprintf("%s of %s would change a customer", batch.Thousands(counts[batch.WouldChange]), batch.Plural(h.Rows, "row"))
	case stopped:
		text = "Stopped: " + text
	default:
		text = "Finished: " + text
	}
	if work > 0 {
		text += ", " + batch.Plural(work, "row") + " need" + map[bool]string{true: "s", false: ""}[work == 1] + " work"
	}
	return text
}

// words is an outcome as people read it.
func words(kind batch.Kind) string { return strings.ReplaceAll(string(kind), "_", " ") }
