package cli_test

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"rowbatch/batch"
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
