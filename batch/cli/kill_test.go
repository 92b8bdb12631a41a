package cli_test

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tidwall/sjson"

	"rowbatch/batch"
	"rowbatch/batch/invariants"
	"rowbatch/batch/runs"
)

var (
	kills    = flag.Int("kills", 6, "how often TestKills kills the program")
	killSeed = flag.Uint64("kill-seed", 1, "of the first of TestKills' runs")
	killOnly = flag.String("kill-plan", "", "the one plan of TestKills that is carried out")
)

// killFigures add up over all stories.
type killFigures struct {
	stories, kills, nested, resumes, rows, effects int
	doubtful, settledDoubt, breaches               int
	moments                                        map[string]int
	doubts                                         map[string]int // rows in doubt at the end, by plan
}

// TestKills ends the program with SIGKILL at any moment of its runs, and of the
// resumes that follow, in bad weather; then the weather clears, and each run is
// resumed until it is complete. After every kill, and at the end, the run's folder
// is held against the sandbox's ledger, and at the end also against the same run
// without kills and faults.
func TestKills(t *testing.T) {
	t.Parallel()
	total := killFigures{moments: map[string]int{}, doubts: map[string]int{}}
	calm := map[string]*killStory{}
	began := time.Now()
	for seed := *killSeed; total.kills < *kills && !t.Failed(); seed++ {
		plans := killPlans()
		p := plans[int(seed-1)%len(plans)]
		if *killOnly != "" && p.name != *killOnly {
			continue
		}
		if calm[p.name] == nil {
			calm[p.name] = tell(t, p, nil, 0, &total)
		}
		tell(t, p, calm[p.name], seed, &total)
	}
	t.Logf("%d stories, %d kills (%d of a resume), %d resumes, in %s; struck %v", total.stories, total.kills, total.nested, total.resumes, time.Since(began).Round(time.Second), total.moments)
	t.Logf("%d rows with %d effects; %d times a kill left a row in doubt that a resume settled; %d rows in doubt at the end (%.2f%%, %v); %d breaches",
		total.rows, total.effects, total.settledDoubt, total.doubtful, 100*float64(total.doubtful)/float64(max(1, total.rows)), total.doubts, total.breaches)
}

// killWeather is what goes wrong while the program is killed: about every sixth request.
func killWeather(seed uint64) []string {
	var specs []string
	for i, f := range []string{"any:lost:rate=5%", "any:500:rate=3%", "any:truncated:rate=3%", "put:500-after:rate=3%", "hold:500-after:rate=2%",
		"get:429:rate=1%", "put:429:rate=1%", "hold:429:rate=1%", // one of Trackfinity, which shows no limits, is waited out for a minute
		"put:late=350ms:rate=3%", "hold:late=350ms:rate=3%", "latch:late=350ms:rate=3%", "unhold:late=350ms:rate=2%", "patch:late=350ms:rate=2%", "any:slow=15ms:rate=50%"} {
		specs = append(specs, fmt.Sprintf("%s:seed=%d", f, seed*100+uint64(i)))
	}
	return specs
}

// nextBlow draws when the program is to be killed: at a request, a write, or a time.
func nextBlow(random *rand.Rand, rows int) (b blow, after time.Duration, name string) {
	switch n := random.IntN(20); {
	case n < 8:
		b = blow{n: 1 + random.IntN(rows), late: random.IntN(2) == 0}
		return b, 0, "at a request"
	case n < 14:
		b = blow{n: 1 + random.IntN(max(1, rows/3)), atWrite: true, late: random.IntN(2) == 0}
		return b, 0, "at a write"
	case n < 17:
		return b, time.Duration(random.IntN(60)) * time.Millisecond, "early"
	}
	return b, time.Duration(random.IntN(900)) * time.Millisecond, "at any time"
}

// doubt is what of a story depends on the faults: a write that was sent as often as
// it may leaves its row in doubt for good, and its customer's other rows with it.
type doubt map[string]bool

func (d doubt) add(outcomes []batch.Outcome) (n int) {
	for _, o := range outcomes {
		if o.Kind == batch.InDoubt {
			d[o.ID] = true
			n++
		}
	}
	return n
}

// killPlan is a file and what is done with it, one command after the other. FILE
// stands for the file, RUN for the run of the command before.
type killPlan struct {
	name     string
	rows     func(*rand.Rand) [][]string // the heading first
	commands [][]string
}

func killPlans() []killPlan {
	update := []string{"update", "FILE", "--allow-duplicates"}
	fast := []string{"--rate", "trackfinity=5000/s"}
	mixed := with([]string{"run", "FILE", "--allow-duplicates"}, fast...)
	plan := "--dry-run"
	apply, undo := []string{"apply", "RUN"}, []string{"undo", "RUN"}
	unhold := []string{"undo", "RUN", "--unhold", "NoChargesForMissedPeriods"}
	return []killPlan{
		{"update", updateRows, [][]string{update}},
		{"hold", holdRows, [][]string{{"hold", "FILE"}}},
		{"latch", latchRows, [][]string{{"latch", "FILE"}}},
		{"mixed", mixedRows, [][]string{mixed}},
		{"update, undo", updateRows, [][]string{update, undo}},
		{"patch", patchRows, [][]string{{"patch", "FILE", "--allow-duplicates", "--rate", "5000/s", "--workers", "4"}}},
		{"plan, apply", updateRows, [][]string{with(update, plan), apply}},
		{"hold, un-hold", holdRows, [][]string{{"hold", "FILE"}, unhold}},
		{"references, --when", referenceRows, [][]string{{"update", "FILE", "--when", `status == "Active"`}}},
		{"latch, undo", latchRows, [][]string{{"latch", "FILE"}, undo}},
		{"mixed plan, apply, undo", mixedRows, [][]string{with(mixed, plan), with(apply, fast...), with(unhold, fast...)}},
	}
}

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
	all, err := runs.List(s.server.reports)
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
	d, err := runs.Open(s.server.reports, all[0].ID)
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
