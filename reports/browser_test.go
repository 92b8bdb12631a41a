package reports

import (
	"context"
	"encoding/base64"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	cdp "github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"rowbatch/batch"
	"rowbatch/batch/journal"
	"rowbatch/batch/runs"
	"rowbatch/reports/page"
)

// chromium is the one browser of all tests. Each has a window of its own in it.
var chromium struct {
	sync.Once
	ctx context.Context
	end context.CancelFunc
	err error
}

func TestMain(m *testing.M) {
	m.Run()
	if chromium.end != nil {
		chromium.end()
	}
}

var pictures = flag.String("pictures", "", "folder for pictures of report.html")

// reader is somebody who has opened a report.html from a disk.
type reader struct {
	testing.TB
	tab  context.Context
	path string

	mu    sync.Mutex
	heard []string // what the browser complained of, and what it asked for beside the file
}

// open writes report.html of a run, and opens it.
func open(t testing.TB, d *runs.Dir) *reader {
	t.Helper()
	around := page.Around{Forecast: "at most 7 requests", Next: []page.Command{{What: "To take it back", Lines: []string{"rowbatch undo last"}}},
		Stakes: &page.Stakes{Customers: 2, Currencies: []string{"USD"}, Lines: []page.Amounts{{Name: "Balance", Of: []string{"12.00"}}}}}
	s, err := Write(d, Options{Escape: escape, HTML: true, Around: func(*runs.Journal, Summary) (page.Around, error) { return around, nil }})
	if err != nil {
		t.Fatal(err)
	}
	r := &reader{TB: t, path: s.ReportHTML}
	r.start()
	r.do(chromedp.Navigate(r.address()), chromedp.WaitVisible(chromedp.CSS("table.changes")))
	return r
}

func (r *reader) address() string { return "file://" + filepath.ToSlash(r.path) }

// start needs a browser: where there is none, the test is skipped, but for CI, which demands one.
func (r *reader) start() {
	r.Helper()
	found := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil && found == "" {
			found = path
		}
	}
	if found == "" {
		if os.Getenv("ROWBATCH_DEMAND_BROWSER") != "" {
			r.Fatal("there is no chromium; install Debian's package")
		}
		r.Skip("there is no chromium to look at the page with")
	}
	chromium.Do(func() {
		options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(found), chromedp.NoSandbox, chromedp.DisableGPU,
			chromedp.Flag("disable-quic", true), chromedp.Flag("disable-background-networking", true), chromedp.WindowSize(1280, 900),
			// Few processes draw all the windows, and none is started in reserve: that would take a fifth of the time.
			chromedp.Flag("renderer-process-limit", "2"),
			chromedp.Flag("disable-features", "Translate,BlinkGenPropertyTrees,SpareRendererForSitePerProcess"))
		allocator, end := chromedp.NewExecAllocator(context.Background(), options...)
		ctx, cancel := chromedp.NewContext(allocator)
		chromium.ctx, chromium.end = ctx, func() { cancel(); end() }
		chromium.err = chromedp.Do(ctx) // the browser lives as long as the context of the first call
	})
	if chromium.err != nil {
		r.Fatal(chromium.err)
	}
	tab, cancel := chromedp.NewContext(chromium.ctx, chromedp.WithNewBrowserContext(), chromedp.WithListener(r.listen))
	r.Cleanup(cancel)
	r.tab = tab
	if err := chromedp.Do(tab, chromedp.EmulateViewport(1280, 900)); err != nil { // the window, too, lives as long as this context
		r.Fatal(err)
	}
	r.Cleanup(func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		for _, text := range r.heard {
			r.Errorf("the browser: %s", text)
		}
	})
}

func (r *reader) listen(event any) {
	text := ""
	switch e := event.(type) {
	case *cdp.EventJavascriptDialogOpening:
		text = "a dialog: " + e.Message
	case *runtime.EventExceptionThrown:
		text = (&chromedp.ExceptionError{ExceptionDetails: e.ExceptionDetails}).Error()
	case *runtime.EventConsoleAPICalled:
		text = fmt.Sprint("console.", e.Type)
	case *log.EventEntryAdded:
		text = string(e.Entry.Level) + ": " + e.Entry.Text + " " + e.Entry.URL
	case *network.EventRequestWillBeSent:
		if e.Request.URL != r.address() && e.Request.URL != "about:blank" {
			text = "a request: " + e.Request.URL
		}
	}
	if text != "" {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.heard = append(r.heard, text)
	}
}

func (r *reader) do(steps ...chromedp.Action[chromedp.Void]) {
	r.Helper()
	for n, step := range steps {
		ctx, end := context.WithTimeout(r.tab, time.Minute)
		err := chromedp.Do(ctx, step)
		if end(); err != nil {
			r.Fatalf("step %d: %v", n+1, err)
		}
	}
}

// ask returns the value of an expression in the page, once what is due has been drawn.
func ask[T any](r *reader, expression string) T {
	r.Helper()
	value, err := chromedp.Run(r.tab, chromedp.Evaluate[T](expression))
	if err != nil {
		r.Fatalf("%s: %v", expression, err)
	}
	return value
}

// want waits until an expression is true in the page.
func (r *reader) want(expression string) {
	r.Helper()
	ctx, end := context.WithTimeout(r.tab, time.Minute)
	defer end()
	if err := chromedp.Do(ctx, chromedp.Poll[chromedp.Void](expression, chromedp.WithPollingTimeout(time.Minute))); err != nil {
		r.Errorf("%s: %v; the page says:\n%.800s", expression, err, ask[string](r, `document.querySelector('main').innerText`))
	}
}

// press presses keys where the focus is.
func (r *reader) press(keys ...string) {
	r.Helper()
	for _, key := range keys {
		r.do(chromedp.KeyEvent(key))
	}
}

const (
	down, up, home, last = "\u0301", "\u0304", "\u0306", "\u0305" // as chromedp spells these keys
	drawn                = `new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done(true))))`
)

// look sets how wide the window is, and whether it is dark, and keeps a picture where one is wanted.
func (r *reader) look(name string, wide, high int64, scheme string) {
	r.Helper()
	r.do(chromedp.EmulateViewport(wide, high), chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
		_, err := chromedp.Call(ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{
			Name: "prefers-color-scheme", Value: scheme}}})
		return err
	}))
	r.want(drawn)
	if *pictures == "" {
		return
	}
	png, err := chromedp.Run(r.tab, chromedp.CaptureScreenshot())
	if err == nil {
		err = os.WriteFile(filepath.Join(*pictures, fmt.Sprintf("%s-%d-%s.png", name, wide, scheme)), png, 0o600)
	}
	if err != nil {
		r.Fatal(err)
	}
}

const mark = `globalThis.ran=1;alert(1)`

// hostile are texts that would leave a mark if anything in them ever ran.
func hostile() []string {
	return []string{
		`</script><script>` + mark + `</script>`, `"><img src=x onerror="` + mark + `">`, `<svg/onload=` + mark + `>`, `javascript:` + mark,
		`{{.Secret}}${` + mark + "}`", `]]><!--<iframe srcdoc="<script>parent.` + mark + `</script>">`, "line\u2028end\u2029x", "\u202egnp.exe\u2066\u200b",
		"=cmd|' /C calc'!A0", strings.Repeat("long <b>cell</b> ", 65_000),
	}
}

// attacked is a run whose cells, customers and server are hostile.
func attacked() history {
	h := history{head: journal.Head{Action: "update", Source: journal.Source{File: "a" + hostile()[0] + ".csv"},
		Target: journal.Target{Account: "https://billing.example.com/v1#MDpz", Label: journal.Label{Word: "LIVE <b>"}}, Mode: journal.ModeRun}, heading: []string{"id", hostile()[1]},
		end: &journal.End{Exit: batch.ExitRows, Limit: 1000, Usable: 900, Reads: 20, Writes: 9, Seconds: 90, Cause: hostile()[0] + "\n" + hostile()[7]}}
	for n, text := range hostile() {
		who := text[:min(len(text), 200)]
		h.rows = append(h.rows, row{cells: []string{"1", text}, warned: []string{who},
			intent: []batch.Change{{Field: "companyName" + who, Before: batch.Text("was " + text), After: batch.Text(text)}, {Field: "password", Before: batch.Hidden, After: batch.Hidden}},
			done:   &batch.Outcome{Kind: batch.Changed, Key: "reference=" + who, Customer: who, Requests: 2, At: start.Add(time.Duration(n) * 25 * time.Second)}},
			row{cells: []string{"2", text}, done: &batch.Outcome{Kind: batch.Failed, Key: "id=2", Code: fmt.Sprintf("http_%d", 400+n), Error: "the server says " + text}})
	}
	return h
}

// Texts of a file and of a server are shown, and never run; nothing is asked of the network.
func TestHostileTextsOfAReport(t *testing.T) {
	t.Parallel()
	d := run(t, attacked())
	r := open(t, d)
	ask[bool](r, `(document.querySelector('#rws').scrollIntoView(), true)`)
	r.want(`document.querySelectorAll('tbody.rows').length === 20`)
	for _, e := range []struct {
		is   string
		want string
	}{
		{`typeof globalThis.ran`, "undefined"},
		{`String(document.querySelectorAll('main script, main img, main iframe, main svg[onload], .changes b').length)`, "0"},
		{`String(document.querySelectorAll('[style*=color], [onclick], [onerror], a:not([href^="#"])').length)`, "0"},
		{`String(document.querySelectorAll('script').length)`, "2"},
		{`document.body.innerText.includes('</script><script>' + ` + fmt.Sprintf("%q", mark) + `) ? 'shown' : 'missing'`, "shown"},
		{`[...document.querySelectorAll('td.a')].filter((e) => e.textContent === '***').length + ' masked'`, "10 masked"},
		{`[...document.querySelectorAll('main :not(bdi)')].some((e) => [...e.childNodes].some((n) => n.nodeType === 3 && /[\u202a-\u202e\u2066-\u2069]/.test(n.data))) ? 'bare' : 'marked'`, "marked"},
		{`document.querySelector('h1').textContent.startsWith('Update: ') ? 'named' : 'nameless'`, "named"},
		{`document.querySelector('.env').textContent`, "LIVE <b>billing.example.com"},
	} {
		if got := ask[string](r, e.is); got != e.want {
			t.Errorf("%s: %s", e.is, got)
		}
	}
	text := read(t, d, "report.html")
	_, data, _ := strings.Cut(text, `<script type="application/json" id="data">`)
	data, _, _ = strings.Cut(data, "</script>")
	if styles, scripts := strings.Count(text, " style="), strings.Count(text, "<script"); styles > 0 || scripts != 2 || strings.ContainsAny(data, "<>&\u2028\u2029") {
		t.Errorf("the page holds %d styles, %d scripts, or data that could be taken for more", styles, scripts)
	}
	// What is not the page's own does not run: the policy lets only that through which it names.
	ask[bool](r, `(() => { const s = document.createElement('script'); s.textContent = 'globalThis.ran=1'; document.body.append(s); return true; })()`)
	r.want(`fetch('http://127.0.0.1:9/').then(() => false, () => true)`)
	if got := ask[string](r, `typeof globalThis.ran`); got != "undefined" {
		t.Error("a script that was put into the page ran")
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.heard) == 0 || !strings.Contains(strings.Join(r.heard, "\n"), "Content Security Policy") {
		t.Errorf("the policy refused nothing: %q", r.heard)
	}
	r.heard = nil
}

// large is a run of so many rows, every tenth of which failed.
func large(rows int) history {
	h := history{head: journal.Head{Action: "update", Source: journal.Source{File: "customers.csv"}, Target: journal.Target{Account: "https://billing.example.com/v1#MDpz"},
		Mode: journal.ModeRun}, heading: []string{"id"}, end: &journal.End{Exit: batch.ExitRows, Limit: 1000, Usable: 900, Seconds: 3000}}
	for n := range rows {
		o := &batch.Outcome{Kind: batch.Changed, Key: fmt.Sprintf("id=%d", 987001+n), Customer: fmt.Sprintf("Customer %d Ltd", (n*7919)%rows),
			Requests: 2, At: start.Add(time.Duration(n) * 60 * time.Millisecond)}
		if n%10 == 3 {
			o.Kind, o.Code, o.Error = batch.Failed, "http_400", "the server refused with 400: Bad Request."
		}
		h.rows = append(h.rows, row{cells: []string{"1"}, done: o, intent: []batch.Change{
			{Field: "title", Before: `"Ms"`, After: `"Dr"`}, {Field: "primaryPhone", Before: batch.Text(fmt.Sprintf("555-%07d", n)), After: batch.Text(fmt.Sprintf("555 %07d", n))}}[:1+n%2]})
	}
	return h
}

// A report is read by the keyboard alone: filters, search, sorting, and the rows one by one.
func TestAReportByTheKeyboard(t *testing.T) {
	t.Parallel()
	r := open(t, run(t, large(3000)))
	const shown = `document.querySelector('[data-shown]').textContent`
	r.want(shown + ` === '3,000 rows shown'`)
	if n := ask[int](r, `document.querySelectorAll('tbody.rows').length`); n > 400 {
		t.Errorf("%d of 3,000 rows are drawn", n)
	}
	focus := func(selector string) { r.do(chromedp.Focus(chromedp.CSS(selector))) }
	focus(`.chip[data-outcome=failed]`)
	r.press("\r")
	r.want(shown + ` === '300 rows shown' && document.querySelector('.chip[data-outcome=failed]').getAttribute('aria-pressed') === 'true'`)
	r.do(chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error { // in one event, as a keyboard does
		_, err := chromedp.Call(ctx, input.DispatchKeyEvent, input.DispatchKeyEventParams{Type: "keyDown", Key: "/", Code: "Slash", Text: "/"})
		return err
	}))
	r.press("i", "d", "=", "9", "8", "7", "0", "1", "4")
	r.want(shown + ` === '1 row shown' && document.activeElement.id === 'q'`)
	r.press("\x1b")
	r.want(shown + ` === '300 rows shown'`)
	focus(`.chip[data-outcome=""]`)
	r.press(" ")
	focus(`thead [data-by=Customer] button`)
	r.press("\r")
	r.want(`document.querySelector('[data-by=Customer]').getAttribute('aria-sort') === 'ascending' && document.querySelector('tbody.rows .name').textContent === 'Customer 0 Ltd'`)
	r.press("\r")
	r.want(`document.querySelector('tbody.rows .name').textContent === 'Customer 2999 Ltd'`)
	focus(`thead [data-by=Line] button`)
	r.press("\r", "\t", "\t", "\t")
	const at = `document.activeElement.getAttribute('aria-label')`
	r.want(at + `.startsWith('Line 2, ')`)
	r.press(down, down)
	r.want(at + `.startsWith('Line 4, ')`)
	r.press(last)
	r.want(at + `.startsWith('Line 3001, ')`)
	r.want(`(() => { const b = document.activeElement.getBoundingClientRect(); return b.top >= 0 && b.bottom <= innerHeight; })()`)
	r.want(`document.activeElement.rows[0].getAttribute('aria-rowindex') === String(document.querySelector('table.changes').getAttribute('aria-rowcount') - document.activeElement.rows.length + 1)`)
	r.press(up)
	r.want(at + `.startsWith('Line 3000, ')`)
	r.press(home)
	r.want(at + `.startsWith('Line 2, ')`)
	focus(`[data-field]`)
	r.do(chromedp.SetValue(chromedp.CSS(`[data-field]`), "primaryPhone"))
	ask[bool](r, `document.querySelector('[data-field]').dispatchEvent(new Event('change'))`)
	r.want(shown + ` === '1,500 rows shown'`)
	focus(`[data-find=http_400]`)
	r.press("\r")
	r.want(shown + ` === '300 rows shown'`)
}

// Scrolling draws what comes into sight, down to the last row.
func TestAReportIsScrolled(t *testing.T) {
	t.Parallel()
	r := open(t, run(t, large(3000)))
	for _, wide := range []int64{360, 1280} {
		r.look("scrolled", wide, 800, "light")
		for range 6 {
			ask[bool](r, `(scrollTo(0, document.querySelector('table.changes').getBoundingClientRect().bottom + scrollY - innerHeight), true)`)
			r.want(drawn)
		}
		r.want(`document.querySelector('tbody.rows[data-shown="2999"]')?.getBoundingClientRect().top < innerHeight`)
		ask[bool](r, `(scrollTo(0, document.querySelector('table.changes').getBoundingClientRect().top + scrollY), true)`)
		r.want(drawn)
		r.want(`document.querySelector('tbody.rows[data-shown="0"]')?.getBoundingClientRect().top < innerHeight`)
	}
}

// On paper stand the rows that the filters leave, two thousand at the most, and how many there are.
func TestAReportOnPaper(t *testing.T) {
	t.Parallel()
	r := open(t, run(t, large(3000)))
	const printed = `(dispatchEvent(new Event('beforeprint')), document.querySelectorAll('tbody.rows').length + ', ' + document.querySelector('tbody.cut')?.textContent)`
	if got := ask[string](r, printed); got != "2000, The first 2,000 of 3,000 rows. report.csv has them all." {
		t.Error(got)
	}
	ask[bool](r, `dispatchEvent(new Event('afterprint'))`)
	r.do(chromedp.Click(chromedp.CSS(`.chip[data-outcome=failed]`)))
	if got := ask[string](r, printed); got != "300, 300 rows that a filter leaves of 3,000: failed. report.csv has them all." {
		t.Error(got)
	}
	ask[bool](r, `dispatchEvent(new Event('afterprint'))`)
	r.want(`document.querySelectorAll('tbody.rows').length < 300`)
	pdf, err := chromedp.Run(r.tab, chromedp.PrintToPDF(chromedp.PDFPrintBackground()))
	if err != nil || !strings.HasPrefix(string(pdf), "%PDF") {
		t.Fatalf("%v: %s", err, base64.StdEncoding.EncodeToString(pdf[:min(len(pdf), 20)]))
	}
	if *pictures != "" {
		if err := os.WriteFile(filepath.Join(*pictures, "report.pdf"), pdf, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// A report can be read at 360 pixels and at 2,560, in the dark, and by those who do not see it.
func TestAReportCanBeReadByEverybody(t *testing.T) {
	t.Parallel()
	audit, err := os.ReadFile("../batch/web/testdata/audit.js")
	if err != nil {
		t.Fatal(err)
	}
	held := history{head: journal.Head{Action: "hold", Mode: journal.ModeDryRun, Source: journal.Source{File: "overdue.csv"}, Target: journal.Target{Account: "sandbox"}}, heading: []string{"id"},
		end: &journal.End{Forecast: &journal.Forecast{Requests: 3}, Reads: 4}}
	for n := range 3 {
		held.rows = append(held.rows, row{cells: []string{"1"}, done: &batch.Outcome{Kind: batch.WouldChange, Key: "id=1", Customer: "Willowmere Works",
			Changes: []batch.Change{{Field: "status", Before: `"Active"`, After: `"Hold"`}}, Planned: batch.Planned{Currency: "USD", Action: "hold"},
			Standing: batch.Standing{Balance: fmt.Sprintf("%d.5000", 1200*n), Recurring: "25.98", NextBilling: "2030-02-06T00:00:00", Parent: n == 1}}})
	}
	held.rows = append(held.rows, row{cells: []string{"2"}, done: batch.Reject("bad_status", "the customer is Suspended")})
	empty := mixed()
	empty.head.Account = "https://billing.example.com/v1#MDpz"
	for name, h := range map[string]history{"hold": held, "mixed": empty, "large": large(200), "hostile": attacked()} {
		t.Run(name, func(t *testing.T) {
			r := open(t, run(t, h))
			seen := map[string]bool{}
			for _, by := range []struct {
				wide   int64
				scheme string
			}{{360, "light"}, {360, "dark"}, {768, "light"}, {1280, "dark"}, {1600, "light"}, {2560, "light"}} {
				r.look(name, by.wide, 1000, by.scheme)
				for _, fault := range ask[[]string](r, string(audit)) {
					if !seen[fault] {
						seen[fault] = true
						t.Errorf("%d pixels, %s: %s", by.wide, by.scheme, fault)
					}
				}
			}
		})
	}
}

// BenchmarkOpen opens a report of 50,000 rows from a disk: until rows are in sight.
func BenchmarkOpen(b *testing.B) {
	r := open(b, run(b, large(50_000)))
	for b.Loop() {
		r.do(chromedp.Navigate(r.address()), chromedp.Poll[chromedp.Void](`document.querySelector('[data-shown]').textContent.endsWith('shown')`))
	}
}

// BenchmarkFilter types into the search of 50,000 rows: from the key to the rows in sight, as the
// page's own clock tells, for the first key after the page has come to rest, and for others.
func BenchmarkFilter(b *testing.B) {
	r := open(b, run(b, large(50_000)))
	r.want(`new Promise((done) => setTimeout(() => done(true), 1500))`)
	const filter = `(() => { const q = document.querySelector('#q'), from = performance.now(); q.value = %q;
		q.dispatchEvent(new Event('input')); document.body.offsetHeight; return performance.now() - from; })()`
	first, all, n := ask[float64](r, fmt.Sprintf(filter, "customer 1")), 0.0, 0
	for b.Loop() {
		for _, text := range []string{"", "9", "id=98", "555 00", "http_400", "nothing like it"} {
			all += ask[float64](r, fmt.Sprintf(filter, text))
			n++
		}
	}
	sort := ask[float64](r, `(() => { document.querySelector('#q').value = ''; document.querySelector('#q').dispatchEvent(new Event('input'));
		const from = performance.now(); document.querySelector('[data-by=Customer] button').click(); document.body.offsetHeight; return performance.now() - from; })()`)
	b.ReportMetric(first, "ms/first")
	b.ReportMetric(all/float64(n), "ms/filter")
	b.ReportMetric(sort, "ms/sort")
	b.ReportMetric(0, "ns/op")
}
