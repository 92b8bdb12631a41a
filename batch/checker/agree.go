package checker

import "rowbatch/batch"

// rowsAgree holds each word about a row against the effects of the writes that it is about.
func (k *check) rowsAgree() {
	for n, records := range k.Run.byRow {
		s := &story{check: k, n: n}
		for _, r := range records {
			if r.isIntent() {
				s.open = append(s.open, r)
				continue
			}
			s.word(r.Outcome)
		}
		s.total()
	}
}

// story is a row as its records tell it one after the other.
type story struct {
	*check
	n      int
	open   []*record // intents whose effect is not known yet
	doubt  bool      // somebody has said so
	effect int       // of all its writes
}

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
	line := s.Run.line(s.n)
	switch {
	case o.Kind == batch.InDoubt:
		s.doubt = true
		return // what it is about stays open
	case o.Kind == batch.Changed && !taken && s.byOthers():
	case o.Kind == batch.Changed && !taken && s.doubt:
		s.add(7, "%s: in_doubt became changed, and the ledger has no such effect", line)
	case o.Kind == batch.Changed && !taken:
		s.add(2, "%s: changed, and the ledger has no such effect", line)
	case o.Kind != batch.Changed && !mayHaveEffect(o) && all > 0:
		s.add(2, "%s: %s %s, and the ledger has effect %d of it", line, o.Kind, o.Code, s.first().Seq)
	}
	s.effect += all
	s.open, s.doubt = nil, false
}

func mayHaveEffect(o *batch.Outcome) bool {
	return o.Kind == batch.Failed && (o.Code == "not_applied" || o.Code == "side_effect")
}

func (s *story) first() *effect {
	for _, i := range s.open {
		for _, e := range i.effects {
			return e
		}
	}
	return nil
}

// byOthers says that somebody else made the change that a write was to make.
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

// total wants one effect a row. The same patch may have its effect again.
func (s *story) total() {
	all, _ := s.effects()
	all += s.effect
	last := s.Run.lastIntent(s.n)
	if all < 2 || last.Found.Act == "patch" || s.retried() {
		return
	}
	s.add(3, "%s: %d effects (%s) on customer %s", s.Run.line(s.n), all, last.Found.Act, last.customer)
}

// retried says that the row was tried once more after a write that was accepted
// without being carried out as asked; only a resume that was told to does that.
func (s *story) retried() bool {
	for _, r := range s.Run.byRow[s.n] {
		if !r.isIntent() && mayHaveEffect(r.Outcome) {
			return s.Run.lastIntent(s.n).end > r.end
		}
	}
	return false
}
