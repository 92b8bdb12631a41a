package cli_test

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"

	"github.com/tidwall/sjson"

	"rowbatch/batch/invariants"
)

// complete resumes the run in calm weather until nothing is left, and looks closely.
func (s *killStory) complete() {
	for range 4 {
		before := s.run()
		if before != nil && (before.Complete() || s.calm == nil) {
			break
		}
		s.start(before != nil, blow{}, 0)
		run := s.run()
		s.look(before, run)
		if s.calm == nil {
			s.found("in calm weather", invariants.Pace(s.requests()))
		}
		if before != nil {
			s.found("in calm weather", invariants.Resumed(before, run, s.askedOfFusebill(), true))
		}
	}
	run := s.run()
	s.start(true, blow{}, 0) // once more, when all is done; this also writes the report of a run that was killed
	again := s.run()
	if run.Complete() {
		s.found("resumed once more", invariants.Again(run, again, s.requests()))
	} else {
		s.found("resumed once more", invariants.Looked(s.requests()))
	}
	c := s.caseOf(again)
	c.Reported, c.Ended = true, true
	breaches, err := c.Breaches()
	s.must(err)
	s.found("at the end", breaches)
	s.done = append(s.done, again)
	doubtful := s.doubt.add(again.Outcomes)
	if s.calm == nil {
		return
	}
	s.figures.doubtful += doubtful
	s.figures.doubts[s.plan.name] += doubtful
	s.figures.rows += len(again.Rows)
	s.figures.effects += len(c.Ledger.Effects)
	s.found("at the end", invariants.Same(again, s.calm.done[s.phase], func(n int) bool { return s.doubt[again.Outcomes[n].ID] }))
}

func (s *killStory) requests() invariants.Requests {
	s.server.mu.Lock()
	defer s.server.mu.Unlock()
	r := invariants.Requests{Total: s.server.total, Writes: s.server.writes, Throttled: s.server.box.Requests().Throttled}
	if run := s.run(); s.calm == nil && run != nil {
		for _, o := range run.Outcomes {
			r.Repeated += max(0, o.Sends-1)
		}
	}
	return r
}

// end compares what the whole story has made of the customers, and looks for secrets.
func (s *killStory) end() {
	s.bodies = map[string][]byte{}
	for _, id := range s.server.box.IDs() {
		body, _ := s.server.box.Customer(id)
		body, err := sjson.DeleteBytes(body, "modifiedTimestamp")
		s.must(err)
		s.bodies[id] = body
	}
	for n := 4001; n <= 4200; n++ {
		s.bodies[fmt.Sprint("tf:", n)], _ = s.server.box.Affiliate(strconv.Itoa(n))
	}
	for id, body := range s.bodies {
		if s.calm != nil && !s.doubt[strings.TrimPrefix(id, "tf:")] && !bytes.Equal(body, s.calm.bodies[id]) {
			s.found("at the end", []string{"11: customer " + id + " is " + string(body) + ", and without kills " + string(s.calm.bodies[id])})
		}
	}
	for _, dir := range []string{s.server.reports, s.server.dir} {
		leaks, err := invariants.Leaks(dir, killPasswords())
		s.must(err)
		s.found("at the end", leaks)
	}
	s.server.mu.Lock()
	defer s.server.mu.Unlock()
	s.found("at the server", s.server.breaches)
	if s.calm != nil {
		s.figures.stories++
	}
}
