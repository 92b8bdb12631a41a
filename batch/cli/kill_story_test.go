package cli_test

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tidwall/sjson"

	"rowbatch/batch"
	"rowbatch/batch/invariants"
	"rowbatch/batch/runs"
)

// killStory is one plan carried out on a sandbox of its own.
type killStory struct {
	t       *testing.T
	plan    killPlan
	seed    uint64
	dir     string
	server  *killServer
	random  *rand.Rand
	figures *killFigures
	rows    int
	ids     []string   // of the file's Fusebill customers
	calm    *killStory // the same without kills and faults; nil: this is it
	doubt   doubt
	phase   int
	began   int64             // the ledger's last effect before this phase
	done    []*invariants.Run // of each phase
	bodies  map[string][]byte // of all customers at the end
	printed bytes.Buffer
}

// tell carries a plan out.
func tell(t *testing.T, p killPlan, calm *killStory, seed uint64, total *killFigures) *killStory {
	t.Helper()
	dir := t.TempDir()
	s := &killStory{t: t, plan: p, seed: seed, dir: dir, calm: calm, figures: total, doubt: doubt{}, random: rand.New(rand.NewPCG(seed, 1))}
	rows := p.rows(rand.New(rand.NewPCG(uint64(len(p.name)), 2))) // the same for all stories of the plan
	s.rows, s.ids = len(rows)-1, idsIn(rows)
	file, err := csvOf(rows)
	s.must(err)
	s.must(os.WriteFile(filepath.Join(dir, "edits.csv"), file, 0o600))
	s.server = startKillServer(t, filepath.Join(dir, "box"), filepath.Join(dir, "reports"))
	for s.phase = range p.commands {
		if t.Failed() {
			return s
		}
		s.carryOut()
	}
	s.end()
	return s
}

func (s *killStory) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatalf("%s, seed %d: %v", s.plan.name, s.seed, err)
	}
}

// found reports breaches.
func (s *killStory) found(where string, all []string) {
	for _, b := range all {
		s.figures.breaches++
		s.t.Errorf("%s, seed %d, command %d, %s: %s", s.plan.name, s.seed, s.phase+1, where, b)
	}
}

// carryOut takes one command to its end, through kills when the story is of such.
func (s *killStory) carryOut() {
	s.began = s.ledger().Last()
	s.meddle()
	if s.calm != nil {
		s.server.turn(s.t, killWeather(s.seed*10+uint64(s.phase))...)
		for strikes := 1 + s.random.IntN(8); strikes > 0 && s.struck(); strikes-- {
			s.figures.kills++
		}
		s.server.turn(s.t)
	}
	s.complete()
}

// meddle is somebody else at work between two commands: some customers get another
// name, which a plan, or a run that is undone, has not left there.
func (s *killStory) meddle() {
	for n := 2; s.phase > 0 && n < len(s.ids); n += 9 {
		s.server.box.Edit(s.ids[n], func(body []byte) []byte {
			body, err := sjson.SetBytes(body, "firstName", fmt.Sprint("Somebody ", s.phase))
			s.must(err)
			return body
		})
	}
}

// struck runs the command, or resumes its run, until it is killed; false says that
// it came to its end before, with nothing left to do.
func (s *killStory) struck() bool {
	for range 20 {
		before := s.run()
		resumed := before != nil
		b, after, name := nextBlow(s.random, s.rows)
		killed := s.start(resumed, b, after) < 0
		run := s.run()
		s.look(before, run)
		if killed {
			if resumed {
				name += ", in a resume"
				s.figures.nested++
			}
			s.figures.moments[name]++
			return true
		}
		if run != nil && (run.Complete() || s.stuck(before, run)) {
			return false
		}
	}
	s.t.Errorf("%s, seed %d: 20 runs came to no end, and were not to be killed\n%s", s.plan.name, s.seed, s.printed.String())
	return false
}

// stuck says that a resume has settled nothing: some rows stay in doubt for good.
func (s *killStory) stuck(before, after *invariants.Run) bool {
	return before != nil && settled(before, after) == 0 &&
		!slices.ContainsFunc(after.Outcomes, func(o batch.Outcome) bool { return o.Kind == batch.NotAttempted })
}

// look checks the folder as a program left it.
func (s *killStory) look(before, run *invariants.Run) {
	if run == nil {
		return
	}
	breaches, err := s.caseOf(run).Breaches()
	s.must(err)
	s.found("after a kill", breaches)
	if before != nil {
		s.found("after a kill", invariants.Resumed(before, run, s.askedOfFusebill(), false))
		s.figures.settledDoubt += settled(before, run)
	}
}

func settled(before, after *invariants.Run) (n int) {
	for i, o := range before.Outcomes {
		if o.Kind == batch.InDoubt && after.Outcomes[i].Kind.Settled() {
			n++
		}
	}
	return n
}

func (s *killStory) caseOf(run *invariants.Run) invariants.Case {
	c := invariants.Case{Run: run, Ledger: s.ledger().After(s.began)}
	if s.phase > 0 {
		c.Of = s.done[s.phase-1]
	}
	return c
}

func (s *killStory) ledger() *invariants.Ledger {
	l, err := invariants.ReadLedger(s.server.dir)
	s.must(err)
	return l
}

// askedOfFusebill are the requests about each customer since the program started.
func (s *killStory) askedOfFusebill() map[string]int {
	s.server.mu.Lock()
	defer s.server.mu.Unlock()
	all := map[string]int{}
	for id, n := range s.server.asked {
		if id != "" && !strings.HasPrefix(id, "tf:") {
			all[id] = n
		}
	}
	return all
}

// run is the run of this phase as it stands; nil when it has not begun.
func (s *killStory) run() *invariants.Run {
	all, err := runs.List(runs.Disk(), s.server.reports)
	s.must(err)
	all = slices.DeleteFunc(all, func(i runs.Info) bool {
		return s.stillborn(i) || slices.ContainsFunc(s.done, func(r *invariants.Run) bool { return r.Dir.ID() == i.ID })
	})
	if len(all) == 0 {
		return nil
	}
	s.must(all[0].Damage)
	if len(all) > 1 {
		s.t.Errorf("%s, seed %d: %d runs of one command", s.plan.name, s.seed, len(all))
	}
	d, err := runs.Open(runs.Disk(), s.server.reports, all[0].ID)
	s.must(err)
	r, err := invariants.Read(d)
	s.must(err)
	return r
}

// stillborn says that a run was killed before its journal had a first record.
func (s *killStory) stillborn(i runs.Info) bool {
	text, err := os.ReadFile(filepath.Join(i.Dir, "journal"))
	s.must(err)
	return !bytes.Contains(text, []byte("\n"))
}

// start runs the program until it ends: its exit status, negative when it was killed.
func (s *killStory) start(resume bool, b blow, after time.Duration) int {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	c := exec.CommandContext(ctx, "rowbatch", s.words(resume)...)
	c.Dir, c.Env = s.dir, s.server.environment()
	s.printed.Reset()
	c.Stdout, c.Stderr = &s.printed, &s.printed
	struck := make(chan struct{}, 1)
	var starting sync.Mutex // a request may come while Start is still writing down the process
	b.strike = func() {
		starting.Lock()
		defer starting.Unlock()
		_ = c.Process.Kill()
		struck <- struct{}{}
	}
	s.server.expect(b)
	starting.Lock()
	err := c.Start()
	starting.Unlock()
	s.must(err)
	if after > 0 {
		timer := time.AfterFunc(after, b.strike)
		defer timer.Stop()
	}
	err = c.Wait()
	s.must(ctx.Err())
	code := exitCode(s.t, c, err)
	if code >= 0 && !slices.Contains([]int{exitDone, exitRows, exitDoubt, exitStopped}, code) {
		s.t.Errorf("%s, seed %d: %q ended with %d\n%s", s.plan.name, s.seed, c.Args, code, s.printed.String())
	}
	s.found("in what it printed", invariants.LeaksIn("output", s.printed.Bytes(), killPasswords()))
	return code
}

// The exit codes that a run in bad weather may end with.
const (
	exitDone    = 0
	exitRows    = 3
	exitDoubt   = 4
	exitStopped = 5
)

func (s *killStory) words(resume bool) []string {
	common := []string{"--max-failures", "10000", "--reports", "reports"}
	if resume {
		s.figures.resumes++
		id := s.run().Dir.ID()
		return with([]string{"resume", id, "--timeout", "600ms", "--rate", "trackfinity=5000/s", "--workers", "8"}, common...)
	}
	var words []string
	for _, w := range s.plan.commands[s.phase] {
		switch w {
		case "FILE":
			w = "edits.csv"
		case "RUN":
			w = s.done[s.phase-1].Dir.ID()
		}
		words = append(words, w)
	}
	return append(with(words, common...), "--timeout", shortest.String())
}
