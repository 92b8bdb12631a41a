// Package invariants holds a run's folder against the ledger of the sandbox that it
// wrote to, and tells every breach of what must never happen. Tests of faults use
// it; the program does not.
//
// Each breach is a text that begins with the number of its invariant:
//
//  1. Every input row stands exactly once in report.csv, in file order; the counts add up.
//  2. The report agrees with the ledger: changed means an effect of ours; but for
//     in_doubt, not_applied and side_effect, everything else means none. Of a customer that
//     can be read, not_applied means that the effect is not the one asked for.
//  3. No row has a second effect, unless it is a Trackfinity patch; no write is
//     sent again although the record read since shows its effect.
//  4. Each effect has an earlier intent that was on disk.
//  5. A write moves nothing that its row does not set.
//  6. A PUT carries the status as read, a latch both HubSpot ids.
//  7. in_doubt becomes changed only on evidence.
//  8. A customer's rows never overlap, and run in the source's order.
//  9. 429s are rare, retries too, and such faults alone make no row failed.
//  10. Repeated resume ends a run.
//  11. Crashes do not show in the final report.
//  12. A settled row costs nothing on resume; a row in doubt one read.
//  13. What only looks writes nothing.
//  14. Undo and apply never overwrite somebody's later value; undo restores bytes.
//  15. No secret stands in any file.
//
// What files cannot tell is given by the caller: requests as the server counted
// them, and the run's folder as it was before. Whether intents survive a loss of
// power is not to be seen here, only that the journal believed them to be on disk
// before it went on.
package invariants

import (
	"fmt"

	"rowbatch/batch"
	"rowbatch/batch/journal"
)

// Case is a run and what it is held against.
type Case struct {
	Run    *Run
	Of     *Run    // the plan of an apply, the run that an undo takes back; nil: neither is checked
	Ledger *Ledger // from the run's beginning on; only the run and others' edits wrote since

	Reported bool // the run's last process came to its end, so that its report files are those of its journal
	Ended    bool // the run was resumed in calm weather until nothing was left
}

// Breaches returns what of the invariants does not hold, as far as the files tell.
func (c Case) Breaches() ([]string, error) {
	var b breaches
	attribute(c.Run, c.Ledger, &b)
	for n := range c.Run.byRow {
		history(c, n, &b)
		sends(c.Run, n, &b)
	}
	order(c.Run, &b)
	for i := range c.Run.records {
		r := &c.Run.records[i]
		contents(c.Run, r, &b)
		switch {
		case c.Of == nil || !r.isIntent():
		case c.Run.Head.Mode == journal.ModeApply:
			planned(c, r, &b)
		case c.Run.Head.Mode == journal.ModeUndo:
			undone(c, r, &b)
		}
	}
	if c.Run.Head.IsDry() {
		onlyLooks(c, &b)
	}
	for n, o := range c.Run.Outcomes {
		if o.Kind == batch.Failed && (o.Code == "http_429" || len(o.Code) == 8 && o.Code[:6] == "http_5") {
			b.add(9, "%s: failed with %s, which a row cannot help", c.Run.line(n), o.Code)
		}
		// What was sent as often as it may, or stands in a record that somebody else has changed, stays in doubt.
		intent := c.Run.lastIntent(n)
		hopeless := intent != nil && (o.Code == "changed_meanwhile" || o.Sends >= mostSends(intent.Found.Act))
		if c.Ended && (o.Kind == batch.NotAttempted || o.Kind == batch.InDoubt && !hopeless) {
			b.add(10, "%s: still %s %s: %s", c.Run.line(n), o.Kind, o.Code, o.Error)
		}
	}
	if c.Reported {
		if err := reported(c.Run, &b); err != nil {
			return nil, err
		}
	}
	return b.all, nil
}

// onlyLooks wants a dry run to write nothing.
func onlyLooks(c Case, b *breaches) {
	for _, r := range c.Run.records {
		if r.isIntent() {
			b.add(13, "%s: a dry run has an intent", c.Run.line(r.Row))
		}
	}
	for _, e := range c.Ledger.Effects {
		if e.Kind != edited {
			b.add(13, "a dry run, and the ledger has effect %d (%s) on customer %s", e.Seq, e.Kind, e.ID)
		}
	}
}

type breaches struct{ all []string }

func (b *breaches) add(invariant int, format string, args ...any) {
	b.all = append(b.all, fmt.Sprintf("%d: ", invariant)+fmt.Sprintf(format, args...))
}
