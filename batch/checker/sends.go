package checker

import "rowbatch/batch"

// mostSends is how often one row's write may leave.
func mostSends(act string) int {
	switch act {
	case "hold":
		return 2
	case "unhold":
		return 1
	}
	return 8
}

// sends looks at writes that were sent again. Each intent counts as a send: of a
// server that can be reached, and a process that does not stand still for seconds,
// no write stays behind.
func (k *check) sends() {
	for n, records := range k.Run.byRow {
		var open []*record // intents whose effect is not known yet
		for _, r := range records {
			switch {
			case r.isIntent():
				if open = append(open, r); len(open) > 1 {
					k.again(open[len(open)-2], r)
				}
				k.often(n, r.Found.Act, len(open))
				continue
			case len(open) > 0:
				k.often(n, open[0].Found.Act, r.Outcome.Sends)
			}
			if r.Outcome.Kind != batch.InDoubt {
				open = nil
			}
		}
	}
}

func (k *check) often(n int, act string, sends int) {
	if most := mostSends(act); sends > most {
		k.add(3, "%s: %d writes were sent, and %s may be sent %d times", k.Run.line(n), sends, act, most)
	}
}

// again wants the record that was read between two writes to show that the first had no effect.
func (k *check) again(first, second *record) {
	if second.Found.Act == "patch" || len(first.Changes) == 0 {
		return
	}
	if shows(second.Found.Body, first.Changes) {
		k.add(3, "%s: the write was sent again, although the record read before showed its effect", k.Run.line(second.Row))
	}
}

// durable wants the journal to have known an intent to be on disk before it said
// anything more about the row.
func (k *check) durable() {
	for n, records := range k.Run.byRow {
		var last *record
		for _, r := range records {
			if last != nil && r.Durable < last.end {
				k.add(4, "%s: the intent that ends at byte %d of the journal was not known to be on disk when its %s was written", k.Run.line(n), last.end, r.Kind)
			}
			if last = nil; r.isIntent() {
				last = r
			}
		}
	}
}

// noFaultFails wants no row to be failed for what is not its own fault.
func (k *check) noFaultFails() {
	for n, o := range k.Run.Outcomes {
		if o.Kind == batch.Failed && (o.Code == "http_429" || len(o.Code) == 8 && o.Code[:6] == "http_5") {
			k.add(9, "%s: failed with %s, which a row cannot help", k.Run.line(n), o.Code)
		}
	}
}

// onlyLooks wants a dry run to write nothing.
func (k *check) onlyLooks() {
	if !k.Run.reads() {
		return
	}
	for _, r := range k.Run.records {
		if r.isIntent() {
			k.add(13, "%s: a dry run has an intent", k.Run.line(r.Row))
		}
	}
	for _, e := range k.Ledger.Effects {
		if e.Kind != edited {
			k.add(13, "a dry run, and the ledger has effect %d (%s) on customer %s", e.Seq, e.Kind, e.ID)
		}
	}
}

// ended wants every row to have its last word. What was sent as often as it may,
// or stands in a record that somebody else has changed, stays in doubt.
func (k *check) ended() {
	for n, o := range k.Run.Outcomes {
		intent := k.Run.lastIntent(n)
		hopeless := intent != nil && (o.Code == "changed_meanwhile" || o.Sends >= mostSends(intent.Found.Act))
		if o.Kind == batch.NotAttempted || o.Kind == batch.InDoubt && !hopeless {
			k.add(10, "%s: still %s %s: %s", k.Run.line(n), o.Kind, o.Code, o.Error)
		}
	}
}
