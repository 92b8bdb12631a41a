package web_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"rowbatch/batch/journal"
	"rowbatch/batch/runs"
)

// runsOf counts the office's runs by mode; a dry run's name has a d in front.
func (o *office) runsOf() map[string]int {
	o.Helper()
	all, err := runs.List(runs.Disk(), o.reports)
	o.must(err)
	n := map[string]int{}
	for _, i := range all {
		mode := i.Head.Mode
		if i.Head.Dry && i.Head.Mode != journal.ModeDryRun {
			mode = "look at " + mode
		}
		n[mode]++
	}
	return n
}

// several posts a form from one tab as often as somebody impatient may click, all at once.
const several = `Promise.all([1, 2, 3, 4, 5].map(() =>
		fetch(FORM.action, { method: 'POST', body: new URLSearchParams(new FormData(FORM)) })))
	.then((all) => all.map((r) => r.status + ' ' + new URL(r.url).pathname))`

// Two tabs, double clicks and requests sent again begin one run.
func TestOneRunIsBegunHoweverOftenItIsAskedFor(t *testing.T) {
	t.Parallel()
	o := newOffice(t, slow("any:slow=20ms"))
	o.drop("update", o.file("twice.csv", manyRows(40)))
	post := func(form string) []string {
		t.Helper()
		answers, err := chromedp.Run(o.tab, chromedp.Evaluate[[]string](strings.ReplaceAll(several, "FORM", `document.querySelector('`+form+`')`),
			chromedp.EvalAwaitPromise))
		o.must(err)
		for _, a := range answers {
			if a != answers[0] || !strings.HasPrefix(a, "200 /runs/") {
				t.Errorf("%s: %v", form, answers)
				break
			}
		}
		_, path, _ := strings.Cut(answers[0], " ")
		o.visit(path)
		return answers
	}
	post("form[data-once]")
	o.lead("40 of 40 rows would change")
	if n := o.runsOf(); n["dry-run"] != 1 {
		t.Fatalf("the preview was begun %d times: %v", n["dry-run"], n)
	}
	first := o.tab
	second := o.newTab()
	where, err := chromedp.Run(first, chromedp.Location())
	o.must(err)
	sending := `document.querySelector('` + toSend + `')`
	o.in(second, chromedp.Navigate(where), chromedp.WaitEnabled(chromedp.CSS(toSend)))
	eval[bool](o, sending+`.click() ?? (`+sending+`.click(), true)`) // both clicks before anything is answered
	o.in(second, chromedp.DoubleClick(chromedp.CSS(toSend)))
	for _, tab := range []struct {
		name string
		tab  func(func())
	}{{"first", func(do func()) { do() }}, {"second", func(do func()) { o.tab = second; do(); o.tab = first }}} {
		tab.tab(func() { o.lead("Finished: 40 of 40 rows changed") })
	}
	o.effects(40)
	sent, again := eval[string](o, `location.pathname`), strings.Replace(several, "FORM.action", `'`+where+`/apply'`, 1)
	late, err := chromedp.Run(o.tab, chromedp.Evaluate[[]string](strings.ReplaceAll(again, "FORM", `document.querySelector('form')`), chromedp.EvalAwaitPromise))
	o.must(err)
	if !slices.Equal(late, slices.Repeat([]string{"200 " + sent}, 5)) {
		t.Errorf("what is sent already leads to %q, not to %s", late, sent)
	}
	post(`form[action$="/undo"]`)
	o.lead("40 of 40 rows would change")
	post("form[data-send]")
	o.lead("Finished: 40 of 40 rows changed")
	o.effects(80)
	if n := o.runsOf(); len(n) != 4 || n["apply"] != 1 || n["undo"] != 1 || n["look at undo"] != 1 {
		t.Fatalf("runs %v", n)
	}
	o.checkRuns()
}

// A click too many that comes when the preview has ended already leads to it. The page
// shown again asks anew.
func TestALateClickBeginsNothing(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.drop("update", o.file("late.csv", manyRows(3)))
	draft := eval[string](o, `location.pathname`)
	ask := func() string {
		t.Helper()
		path, err := chromedp.Run(o.tab, chromedp.Evaluate[string](`(async (form) => {
			const answer = await fetch(form.action, { method: 'POST', body: new URLSearchParams(new FormData(form)) });
			while (!(await (await fetch(answer.url)).text()).includes('3 of 3 rows would change')) {}
			return new URL(answer.url).pathname;
		})(document.querySelector('form[data-once]'))`, chromedp.EvalAwaitPromise))
		o.must(err)
		return path
	}
	first := ask()
	if again := ask(); again != first {
		t.Errorf("the preview %s was begun again, as %s", first, again)
	}
	o.visit(draft)
	if anew := ask(); anew == first {
		t.Error("the page shown again leads to the old preview")
	}
}
