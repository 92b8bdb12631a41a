package invariants

import (
	"cmp"
	"slices"

	"rowbatch/batch"
	"rowbatch/batch/journal"
)

// history holds each word about a row against the effects of the writes that it is about.
func history(c Case, n int, b *breaches) {
	s := &story{Case: c, n: n, line: c.Run.line(n), breaches: b}
	for _, r := range c.Run.byRow[n] {
		if r.isIntent() {
			s.open = append(s.open, r)
		} else {
			s.word(r.Outcome)
		}
	}
	// One effect a row. The same patch may have its effect again, and so may a write that
	// was accepted without being carried out as asked: only a resume that was told to sends it again.
	all, _ := s.effects()
	if all += s.effect; all < 2 {
		return
	}
	last := c.Run.lastIntent(n)
	retried := slices.ContainsFunc(c.Run.byRow[n], func(r *record) bool {
		return !r.isIntent() && mayHaveEffect(r.Outcome) && last.end > r.end
	})
	if last.Found.Act != "patch" && !retried {
		b.add(3, "%s: %d effects (%s) on customer %s", s.line, all, last.Found.Act, last.customer)
	}
}

// story is a row as its records tell it one after the other.
type story struct {
	Case
	*breaches
	n      int
	line   string
	open   []*record // intents whose effect is not known yet
	doubt  bool      // somebody has said so
	effect int       // of all its writes
}

// effects counts those of the open intents, and reports whether one shows all that was asked for.
func (s *story) effects() (all int, taken bool) {
	for _, i := range s.open {
		all += len(i.effects)
		for _, e := range i.effects {
			taken = taken || e.taken
		}
	}
	return all, taken
}

func (s *story) word(o *batch.Outcome) {
	all, taken := s.effects()
	switch {
	case o.Kind == batch.InDoubt:
		s.doubt = true
		return // what it is about stays open
	case o.Kind == batch.Changed && !taken && s.byOthers():
	case o.Kind == batch.Changed && !taken && s.doubt:
		s.add(7, "%s: in_doubt became changed, and the ledger has no such effect", s.line)
	case o.Kind == batch.Changed && !taken:
		s.add(2, "%s: changed, and the ledger has no such effect", s.line)
	case o.Code == "not_applied" && taken && s.open[0].Found.Act != "patch": // whose customers cannot be read
		s.add(2, "%s: %s %s, and the ledger has the effect that was asked for", s.line, o.Kind, o.Code)
	case o.Kind != batch.Changed && !mayHaveEffect(o) && all > 0:
		i := slices.IndexFunc(s.open, func(i *record) bool { return len(i.effects) > 0 })
		s.add(2, "%s: %s %s, and the ledger has effect %d of it", s.line, o.Kind, o.Code, s.open[i].effects[0].Seq)
	}
	s.effect += all
	s.open, s.doubt = nil, false
}

func mayHaveEffect(o *batch.Outcome) bool {
	return o.Kind == batch.Failed && (o.Code == "not_applied" || o.Code == "side_effect")
}

// byOthers reports whether somebody else made the change that a write was to make.
func (s *story) byOthers() bool {
	if len(s.open) == 0 {
		return false
	}
	i := s.open[len(s.open)-1]
	for _, e := range s.Ledger.Effects {
		if e.Kind == edited && e.ID == i.customer && !e.At.Before(s.open[0].At) && taken(i, &e) {
			return true
		}
	}
	return false
}

// mostSends is how often one row's write may leave.
func mostSends(act string) int {
	return cmp.Or(map[string]int{"hold": 2, "unhold": 1}[act], 8)
}

// sends looks at a row's writes that were sent again, and at what the journal knew
// to be on disk when it went on. Each intent counts as a send: of a server that can
// be reached, and a process that does not stand still for seconds, no write stays behind.
func sends(run *Run, n int, b *breaches) {
	often := func(act string, sends int) {
		if most := mostSends(act); sends > most {
			b.add(3, "%s: %d writes were sent, and %s may be sent %d times", run.line(n), sends, act, most)
		}
	}
	var open []*record // intents whose effect is not known yet
	var last *record   // the record before, when it was an intent
	for _, r := range run.byRow[n] {
		if last != nil && r.Durable < last.end {
			b.add(4, "%s: the intent that ends at byte %d of the journal was not known to be on disk when its %s was written",
				run.line(n), last.end, r.Kind)
		}
		last = nil
		if !r.isIntent() {
			if len(open) > 0 {
				often(open[0].Found.Act, r.Outcome.Sends)
			}
			if r.Outcome.Kind != batch.InDoubt {
				open = nil
			}
			continue
		}
		last = r
		if open = append(open, r); len(open) > 1 {
			first := open[len(open)-2]
			if r.Found.Act != "patch" && len(first.Changes) > 0 && shows(r.Found.Body, first.Changes) {
				b.add(3, "%s: the write was sent again, although the record read before showed its effect", run.line(n))
			}
		}
		often(r.Found.Act, len(open))
	}
}

// order wants a customer's rows one after the other, each when the one before it
// has ended so that it may follow.
func order(run *Run, b *breaches) {
	lanes := map[string][]int{} // the rows of each customer, in the order in which they run
	for n := range run.Rows {
		if lane := laneOf(run, n); lane != "" {
			lanes[lane] = append(lanes[lane], n)
		}
	}
	if run.Head.Mode == journal.ModeUndo {
		for _, rows := range lanes {
			slices.Reverse(rows)
		}
	}
	state := make([]*batch.Outcome, len(run.Rows)) // each row's last word so far
	open := make([]bool, len(run.Rows))
	began := make([]bool, len(run.Rows))
	begin := func(mine int) {
		lane := lanes[laneOf(run, mine)]
		place := slices.Index(lane, mine)
		for i, n := range lane {
			o := state[n]
			switch {
			case n == mine:
			case open[n]:
				b.add(8, "%s was begun while the write of %s, of the same customer, was open", run.line(mine), run.line(n))
			case i > place && began[n] && !began[mine]:
				b.add(8, "%s was begun after %s of the same customer", run.line(mine), run.line(n))
			case i < place && o == nil:
				b.add(8, "%s has overtaken %s of the same customer", run.line(mine), run.line(n))
			case i < place && (o.Kind.ClosesLane() || o.Kind == batch.NotAttempted):
				b.add(8, "%s was begun, though %s of the same customer was %s", run.line(mine), run.line(n), o.Kind)
			}
		}
	}
	for _, r := range run.records {
		if r.isIntent() && !open[r.Row] {
			begin(r.Row)
		}
		open[r.Row] = r.isIntent()
		began[r.Row] = began[r.Row] || r.isIntent()
		if !r.isIntent() {
			state[r.Row] = r.Outcome
		}
	}
}

// laneOf is the customer of a row that had a request: of Trackfinity's by the key
// that the row names, since two keys of one customer cannot be told to be so.
func laneOf(run *Run, n int) string {
	for _, r := range run.byRow[n] {
		if r.isIntent() && r.Found.Act == "patch" {
			return "tf:" + r.Found.Key
		}
		if r.isIntent() {
			return "fb:" + r.Found.ID
		}
	}
	if o := run.Outcomes[n]; o.ID != "" && o.Requests > 0 {
		return "fb:" + o.ID
	}
	return ""
}
