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

// killFigures are the sums over all trials.
type killFigures struct {
	trials, kills, nested, resumes, rows, effects int
	doubtful, settledDoubt, breaches              int
	moments                                       map[string]int
	doubts                                        map[string]int // rows in doubt at the end, by plan
}

// TestKills ends the program with SIGKILL at any moment of its runs, and of the
// resumes that follow, among faults; then the faults end, and each run is resumed
// until it is complete. After every kill, and at the end, the run's folder is held
// against the sandbox's ledger, and at the end also against the same run without kills
// and faults.
func TestKills(t *testing.T) {
	t.Parallel()
	total := killFigures{moments: map[string]int{}, doubts: map[string]int{}}
	undisturbed := map[string]*killTrial{}
	began := time.Now()
	for seed := *killSeed; total.kills < *kills && !t.Failed(); seed++ {
		plans := killPlans()
		p := plans[int(seed-1)%len(plans)]
		if *killOnly != "" && p.name != *killOnly {
			continue
		}
		if undisturbed[p.name] == nil {
			undisturbed[p.name] = runKillTrial(t, p, nil, 0, &total)
		}
		runKillTrial(t, p, undisturbed[p.name], seed, &total)
	}
	t.Logf("%d trials, %d kills (%d of a resume), %d resumes, in %s; killed %v", total.trials, total.kills, total.nested, total.resumes, time.Since(began).Round(time.Second), total.moments)
	t.Logf("%d rows with %d effects; %d times a kill left a row in doubt that a resume settled; %d rows in doubt at the end (%.2f%%, %v); %d breaches",
		total.rows, total.effects, total.settledDoubt, total.doubtful, 100*float64(total.doubtful)/float64(max(1, total.rows)), total.doubts, total.breaches)
}

// killFaults are what goes wrong while the program is killed: about every sixth request.
func killFaults(seed uint64) []string {
	var specs []string
	faults := []string{"any:lost:rate=5%", "any:500:rate=3%", "any:truncated:rate=3%", "put:500-after:rate=3%", "hold:500-after:rate=2%",
		"get:429:rate=1%", "put:429:rate=1%", "hold:429:rate=1%", // none of Trackfinity: it shows no limits, so that the program would wait a minute
		"put:late=350ms:rate=3%", "hold:late=350ms:rate=3%", "latch:late=350ms:rate=3%", "unhold:late=350ms:rate=2%", "patch:late=350ms:rate=2%", "any:slow=15ms:rate=50%",
		"put:short:rate=30%", "hold:former:rate=30%", "latch:respelled:rate=30%", "unhold:short:rate=30%", "overview:other-ids",
		"list:ids-some:rate=30%"}
	if (seed/10+seed)%2 == 0 { // one read after a refusal may itself lag
		faults = append(faults, "any:lag=15ms")
	} else {
		faults = append(faults, "put:400-after:rate=4%", "hold:409-after:rate=4%", "latch:409-after:rate=4%", "unhold:409-after:rate=3%")
	}
	for i, f := range faults {
		specs = append(specs, fmt.Sprintf("%s:seed=%d", f, seed*100+uint64(i)))
	}
	return specs
}

// nextKillPoint draws when the program is killed: at a request, a write, or a time.
func nextKillPoint(random *rand.Rand, rows int) (b killPoint, after time.Duration, name string) {
	switch n := random.IntN(20); {
	case n < 8:
		b = killPoint{n: 1 + random.IntN(rows), late: random.IntN(2) == 0}
		return b, 0, "at a request"
	case n < 14:
		b = killPoint{n: 1 + random.IntN(max(1, rows/3)), atWrite: true, late: random.IntN(2) == 0}
		return b, 0, "at a write"
	case n < 17:
		return b, time.Duration(random.IntN(60)) * time.Millisecond, "early"
	}
	return b, time.Duration(random.IntN(900)) * time.Millisecond, "at any time"
}

// doubt are the customers whose rows depend on the faults: a write that was sent as
// often as it may be leaves its row in doubt for good, and its customer's other rows
// with it.
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

// killTrial is one plan, carried out on a sandbox of its own.
type killTrial struct {
	t           *testing.T
	plan        killPlan
	seed        uint64
	dir         string
	server      *killServer
	random      *rand.Rand
	figures     *killFigures
	rows        int
	ids         []string   // of the file's Fusebill customers
	undisturbed *killTrial // the same plan without kills and faults; nil: this is it
	doubt       doubt
	phase       int
	began       int64             // the ledger's last effect before this phase
	done        []*invariants.Run // of each phase
	bodies      map[string][]byte // of all customers at the end
	printed     bytes.Buffer
}

// runKillTrial carries out a plan, one command after the other.
func runKillTrial(t *testing.T, p killPlan, undisturbed *killTrial, seed uint64, total *killFigures) *killTrial {
	t.Helper()
	dir := t.TempDir()
	s := &killTrial{t: t, plan: p, seed: seed, dir: dir, undisturbed: undisturbed, figures: total, doubt: doubt{}, random: rand.New(rand.NewPCG(seed, 1))}
	rows := p.rows(rand.New(rand.NewPCG(uint64(len(p.name)), 2))) // the same for all trials of the plan
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

func (s *killTrial) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatalf("%s, seed %d: %v", s.plan.name, s.seed, err)
	}
}

// found reports breaches.
func (s *killTrial) found(where string, all []string) {
	for _, b := range all {
		s.figures.breaches++
		s.t.Errorf("%s, seed %d, command %d, %s: %s", s.plan.name, s.seed, s.phase+1, where, b)
	}
}

// carryOut takes one command to its end, through kills unless this is the undisturbed trial.
func (s *killTrial) carryOut() {
	s.began = s.ledger().Last()
	s.editByOthers()
	if s.undisturbed != nil {
		s.server.setFaults(s.t, killFaults(s.seed*10+uint64(s.phase))...)
		for attempts := 1 + s.random.IntN(8); attempts > 0 && s.killOnce(); attempts-- {
			s.figures.kills++
		}
		s.server.setFaults(s.t)
	}
	s.complete()
}

// editByOthers gives some customers another name between two commands, which neither
// a plan nor a run that is undone expects there.
func (s *killTrial) editByOthers() {
	for n := 2; s.phase > 0 && n < len(s.ids); n += 9 {
		s.server.box.Edit(s.ids[n], func(body []byte) []byte {
			body, err := sjson.SetBytes(body, "firstName", fmt.Sprint("Somebody ", s.phase))
			s.must(err)
			return body
		})
	}
}

// killOnce runs the command, or resumes its run, until it is killed. It reports false
// when the command ended before that, with nothing left to do.
func (s *killTrial) killOnce() bool {
	for range 20 {
		before := s.run()
		resumed := before != nil
		b, after, name := nextKillPoint(s.random, s.rows)
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
		if run != nil && (run.Complete() || s.nothingSettled(before, run)) {
			return false
		}
	}
	s.t.Errorf("%s, seed %d: 20 runs neither ended nor were killed\n%s", s.plan.name, s.seed, s.printed.String())
	return false
}

// nothingSettled reports whether a resume has settled no row: some stay in doubt for good.
func (s *killTrial) nothingSettled(before, after *invariants.Run) bool {
	return before != nil && settled(before, after) == 0 &&
		!slices.ContainsFunc(after.Outcomes, func(o batch.Outcome) bool { return o.Kind == batch.NotAttempted })
}

// look checks the run's folder as a program left it.
func (s *killTrial) look(before, run *invariants.Run) {
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

func (s *killTrial) caseOf(run *invariants.Run) invariants.Case {
	c := invariants.Case{Run: run, Ledger: s.ledger().After(s.began)}
	if s.phase > 0 {
		c.Of = s.done[s.phase-1]
	}
	return c
}

func (s *killTrial) ledger() *invariants.Ledger {
	l, err := invariants.ReadLedger(s.server.dir)
	s.must(err)
	return l
}

// askedOfFusebill are the requests about each customer since the program started.
func (s *killTrial) askedOfFusebill() map[string]int {
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
func (s *killTrial) run() *invariants.Run {
	all, err := runs.List(runs.Disk(), s.server.reports)
	s.must(err)
	all = slices.DeleteFunc(all, func(i runs.Info) bool {
		return s.neverBegan(i) || slices.ContainsFunc(s.done, func(r *invariants.Run) bool { return r.Dir.ID() == i.ID })
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

// neverBegan reports whether a run was killed before its journal had a first record.
func (s *killTrial) neverBegan(i runs.Info) bool {
	text, err := os.ReadFile(filepath.Join(i.Dir, "journal"))
	s.must(err)
	return !bytes.Contains(text, []byte("\n"))
}

// start runs the program until it ends, and returns its exit status; a negative one when it was killed.
func (s *killTrial) start(resume bool, b killPoint, after time.Duration) int {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	c := exec.CommandContext(ctx, "rowbatch", s.words(resume)...)
	c.Dir, c.Env = s.dir, s.server.environment()
	s.printed.Reset()
	c.Stdout, c.Stderr = &s.printed, &s.printed
	killed := make(chan struct{}, 1)
	var starting sync.Mutex // a request may come while Start is still writing down the process
	b.kill = func() {
		starting.Lock()
		defer starting.Unlock()
		_ = c.Process.Kill()
		killed <- struct{}{}
	}
	s.server.nextProcess(b)
	starting.Lock()
	err := c.Start()
	starting.Unlock()
	s.must(err)
	if after > 0 {
		timer := time.AfterFunc(after, b.kill)
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

func (s *killTrial) words(resume bool) []string {
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
	if s.seed%2 == 1 && slices.Contains([]string{"update", "hold", "latch", "run"}, words[0]) { // every other trial of each plan
		words = append(words, "--lookup", "ids")
	}
	return append(with(words, common...), "--timeout", shortest.String())
}

// complete resumes the run without faults until nothing is left, and checks it closely.
func (s *killTrial) complete() {
	for range 4 {
		before := s.run()
		if before != nil && (before.Complete() || s.undisturbed == nil) {
			break
		}
		s.start(before != nil, killPoint{}, 0)
		run := s.run()
		s.look(before, run)
		if s.undisturbed == nil {
			s.found("without faults", invariants.Pace(s.requests()))
		}
		if before != nil {
			s.found("without faults", invariants.Resumed(before, run, s.askedOfFusebill(), true))
		}
	}
	run := s.run()
	s.start(true, killPoint{}, 0) // once more, when all is done; this also writes the report of a run that was killed
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
	if s.undisturbed == nil {
		return
	}
	s.figures.doubtful += doubtful
	s.figures.doubts[s.plan.name] += doubtful
	s.figures.rows += len(again.Rows)
	s.figures.effects += len(c.Ledger.Effects)
	s.found("at the end", invariants.Same(again, s.undisturbed.done[s.phase], func(n int) bool { return s.doubt[again.Outcomes[n].ID] }))
}

func (s *killTrial) requests() invariants.Requests {
	s.server.mu.Lock()
	defer s.server.mu.Unlock()
	r := invariants.Requests{Total: s.server.total, Writes: s.server.writes, Throttled: s.server.box.Requests().Throttled}
	if run := s.run(); s.undisturbed == nil && run != nil {
		for _, o := range run.Outcomes {
			r.Repeated += max(0, o.Sends-1)
		}
	}
	return r
}

// end compares what the whole trial has made of the customers, and searches for secrets.
func (s *killTrial) end() {
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
		if s.undisturbed != nil && !s.doubt[strings.TrimPrefix(id, "tf:")] && !bytes.Equal(body, s.undisturbed.bodies[id]) {
			s.found("at the end", []string{"11: customer " + id + " is " + string(body) + ", and without kills " + string(s.undisturbed.bodies[id])})
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
	if s.undisturbed != nil {
		s.figures.trials++
	}
}
