package web_test

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/rogpeppe/go-internal/testscript"

	"rowbatch/batch/action"
	"rowbatch/batch/cli"
	"rowbatch/batch/job"
	"rowbatch/batch/web"
	"rowbatch/client/sandbox"
	"rowbatch/samples"
)

var pictures = flag.String("pictures", "", "folder for pictures of the pages")

// TestMain makes the test binary serve as the rowbatch command too. The locks of
// accounts are this process's own: another may be running tests.
func TestMain(m *testing.M) {
	if filepath.Base(os.Args[0]) == "rowbatch" { // the program, whose environment is its caller's
		os.Exit(cli.Main(os.Args[1:]))
	}
	cache, err := os.MkdirTemp("", "rowbatch-page-")
	if err == nil {
		err = errors.Join(os.Setenv("XDG_CACHE_HOME", cache), flag.Set("test.parallel", "4")) // they mostly wait for the browser
	}
	if err != nil {
		panic(err)
	}
	testscript.Main(ending{m, cache}, map[string]func(){"rowbatch": func() { os.Exit(cli.Main(os.Args[1:])) }})
}

// ending tidies up behind the tests.
type ending struct {
	*testing.M
	cache string
}

func (e ending) Run() int {
	code := e.M.Run()
	if chromium.end != nil {
		chromium.end()
	}
	if err := os.RemoveAll(e.cache); err != nil {
		panic(err)
	}
	return code
}

// chromium is the one browser of all tests. Each test has a window of its own in it, with its own cookies.
var chromium struct {
	sync.Once
	ctx context.Context
	end context.CancelFunc
	err error
}

// openBrowser needs a browser: where there is none, the test is skipped, but for CI, which demands one.
func openBrowser(t testing.TB) context.Context {
	t.Helper()
	found := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil && found == "" {
			found = path
		}
	}
	if found == "" {
		if os.Getenv("ROWBATCH_DEMAND_BROWSER") != "" {
			t.Fatal("there is no chromium; install Debian's package")
		}
		t.Skip("there is no chromium to look at the page with")
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
		t.Fatal(chromium.err)
	}
	return chromium.ctx
}

// office is a page in a browser, with a stand-in behind it.
type office struct {
	testing.TB
	box     *sandbox.Sandbox
	dir     string // of the stand-in's state
	reports string
	address string
	tab     context.Context
	waits   time.Duration // for what a step wants to see
	serves  *exec.Cmd     // the program, where that serves the page

	environment []string // of programs

	mu     sync.Mutex
	heard  []string // dialogs, and what the page complained of
	writes int      // that have arrived
	brake  brake
}

// brake holds writes up from one on.
type brake struct {
	at, last         int // reached is closed once the last has come
	reached, release chan struct{}
}

// holdUp lets writes wait from the n-th on, until release is closed. Some of them have come by the time of reached.
func (o *office) holdUp(n, some int) (reached <-chan struct{}, release chan<- struct{}) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.brake = brake{o.writes + n, o.writes + n + some - 1, make(chan struct{}), make(chan struct{})}
	return o.brake.reached, o.brake.release
}

// arrive counts a request, and holds it up where that is wanted.
func (o *office) arrive(r *http.Request) {
	if r.Method == http.MethodGet {
		return
	}
	o.mu.Lock()
	o.writes++
	b, n := o.brake, o.writes
	if b.at > 0 && n == b.last {
		close(b.reached)
	}
	o.mu.Unlock()
	if b.at > 0 && n >= b.at {
		<-b.release
	}
}

// ServeHTTP is the account's server.
func (o *office) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	o.arrive(r)
	o.box.ServeHTTP(w, r)
}

// RoundTrip is the way to the account within this process.
func (o *office) RoundTrip(r *http.Request) (*http.Response, error) {
	o.arrive(r)
	return o.box.Transport().RoundTrip(r)
}

// newOffice serves the page in this process.
func newOffice(t testing.TB, set ...func(*sandbox.Options)) *office {
	t.Helper()
	o := newStandIn(t, set...)
	o.servePage()
	return o
}

// servePage serves the page in this process, and opens a tab.
func (o *office) servePage() {
	o.Helper()
	settings := job.Defaults()
	settings.Output.Reports = o.reports
	server := httptest.NewUnstartedServer(nil)
	served, err := web.New(o.Context(), server.Listener.Addr().(*net.TCPAddr), web.Options{Settings: settings, Program: "test",
		Accounts: []web.Account{{Name: "sandbox", Host: "the sandbox", Word: "SANDBOX", Sandbox: true, Open: func() job.Opener { return o.open }}}})
	o.must(err)
	server.Config.Handler = served
	server.Start()
	o.Cleanup(server.Close)
	o.address = served.Address()
	o.tab = o.newTab()
}

// newStandIn is an office that has no page yet.
func newStandIn(t testing.TB, set ...func(*sandbox.Options)) *office {
	t.Helper()
	o := &office{TB: t, waits: 30 * time.Second, dir: filepath.Join(t.TempDir(), "box"), reports: filepath.Join(t.TempDir(), "reports")}
	options := sandbox.Options{Dir: o.dir, Seed: samples.Seed(), Minute: 1_000_000, Day: 1_000_000}
	for _, change := range set {
		change(&options)
	}
	var err error
	o.box, err = sandbox.Open(options)
	o.must(err)
	t.Cleanup(func() { _ = o.box.Close() })
	return o
}

// slow lets each request wait.
func slow(spec string) func(*sandbox.Options) {
	return func(o *sandbox.Options) {
		faults, err := sandbox.ParseFaults([]string{spec})
		if err != nil {
			panic(err)
		}
		o.Faults = faults
	}
}

// open is the opener of the page's account.
func (o *office) open(system string, _ job.Settings, _ int, _ func(string) error) (job.Endpoint, error) {
	e := job.Endpoint{System: system, URL: "http://localhost/v1", Key: "MDpzYW5kYm94", Name: job.StandIn, Transport: o}
	if system == action.SystemTrackfinity {
		e.URL, e.Key, e.Username = "http://localhost/api", "sandbox-key", "admin"
	}
	return e, nil
}

// newProgram has the page served by the program itself, in a process of its own.
func newProgram(t testing.TB, set ...func(*sandbox.Options)) *office {
	t.Helper()
	o := newStandIn(t, set...)
	o.listenAsServer()
	o.serve()
	o.tab = o.newTab()
	return o
}

// listenAsServer lets the account be at an address, and programs know it.
func (o *office) listenAsServer() {
	api := httptest.NewServer(o)
	o.Cleanup(api.Close)
	own := filepath.Dir(o.dir)
	o.environment = append(os.Environ(), "FUSEBILL_URL="+api.URL+"/v1", "FUSEBILL_API_KEY=MDpzYW5kYm94",
		"XDG_CACHE_HOME="+filepath.Join(own, "cache"), "XDG_CONFIG_HOME="+filepath.Join(own, "config"), "GORACE=atexit_sleep_ms=10")
}

// serve starts rowbatch ui, and waits until it has said where it is.
func (o *office) serve() {
	o.Helper()
	o.serves = o.program("ui", "--no-open", "--addr", "127.0.0.1:0")
	out, err := o.serves.StdoutPipe()
	o.must(err)
	o.must(o.serves.Start())
	o.Cleanup(o.kill)
	line, err := bufio.NewReader(out).ReadString('\n')
	o.must(err)
	o.address = strings.TrimSpace(line)
}

// kill ends the program that serves the page as a crash would.
func (o *office) kill() {
	if o.serves != nil && o.serves.ProcessState == nil {
		_ = o.serves.Process.Signal(syscall.SIGKILL)
		_ = o.serves.Wait()
	}
}

// program is the command line, with the office's account and reports.
func (o *office) program(words ...string) *exec.Cmd {
	c := exec.Command("rowbatch", append(words, "--reports", o.reports)...)
	c.Env = o.environment
	return c
}

// command runs the command line to its end.
func (o *office) command(words ...string) {
	o.Helper()
	if text, err := o.program(words...).CombinedOutput(); err != nil {
		o.Fatalf("rowbatch %v: %v\n%s", words, err, text)
	}
}

// newTab opens a window that fails the test for any dialog, exception or complaint of the browser.
func (o *office) newTab() context.Context {
	o.Helper()
	parent := openBrowser(o)
	if o.tab != nil {
		parent = o.tab // it shares the cookies
	}
	var options []chromedp.ContextOption
	if o.tab == nil {
		options = append(options, chromedp.WithNewBrowserContext())
		o.Cleanup(func() {
			o.mu.Lock()
			defer o.mu.Unlock()
			for _, text := range o.heard {
				o.Errorf("the browser: %s", text)
			}
		})
	}
	tab, end := chromedp.NewContext(parent, append(options, chromedp.WithListener(o.listen))...)
	o.Cleanup(end)
	o.must(chromedp.Do(tab, chromedp.EmulateViewport(1280, 900)))
	return tab
}

func (o *office) listen(event any) {
	text := ""
	switch e := event.(type) {
	case *page.EventJavascriptDialogOpening:
		text = "a dialog: " + e.Message
	case *runtime.EventExceptionThrown:
		text = (&chromedp.ExceptionError{ExceptionDetails: e.ExceptionDetails}).Error()
	case *runtime.EventConsoleAPICalled:
		text = fmt.Sprint("console.", e.Type)
	case *log.EventEntryAdded:
		if text = string(e.Entry.Level) + ": " + e.Entry.Text + " " + e.Entry.URL; e.Entry.Level == log.EntryLevelVerbose {
			return
		}
	default:
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.heard = append(o.heard, text)
}

// expected takes what was heard of the browser's complaints with some text in it for what the test has asked for.
func (o *office) expected(text string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.heard = slices.DeleteFunc(o.heard, func(s string) bool { return strings.Contains(s, text) })
}

func (o *office) must(err error) {
	o.Helper()
	if err != nil {
		o.Fatal(err)
	}
}

// in is the office seen in another tab.
func (o *office) in(tab context.Context, steps ...chromedp.Action[chromedp.Void]) {
	o.Helper()
	was := o.tab
	o.tab = tab
	defer func() { o.tab = was }()
	o.do(steps...)
}

// do takes steps in the browser, once the page there is complete with its script.
func (o *office) do(steps ...chromedp.Action[chromedp.Void]) {
	o.Helper()
	complete := chromedp.Evaluate[chromedp.Void](`document.readyState === 'complete' || new Promise((done) => addEventListener('load', done))`,
		chromedp.EvalAwaitPromise)
	for n, step := range slices.Insert(steps, 0, complete) {
		ctx, end := context.WithTimeout(o.tab, o.waits)
		err := chromedp.Do(ctx, step)
		for err != nil && ctx.Err() == nil && strings.Contains(err.Error(), "(-32000)") { // the page was left meanwhile
			err = chromedp.Do(ctx, step)
		}
		end()
		if err != nil {
			o.picture("failed")
			where, _ := chromedp.Run(o.tab, chromedp.Location())
			text, _ := chromedp.Run(o.tab, chromedp.Evaluate[string]("document.body.innerText"))
			o.Fatalf("step %d at %s: %v\n%.600s", n, where, err, text)
		}
	}
}

// eval is the value of an expression in the page.
func eval[T any](o *office, expression string) T {
	o.Helper()
	value, err := chromedp.Run(o.tab, chromedp.Evaluate[T](expression))
	if err != nil {
		o.Fatalf("%s: %v", expression, err)
	}
	return value
}

// await waits until an expression is true in the page.
func (o *office) await(expression string) {
	o.Helper()
	o.do(chromedp.Poll[chromedp.Void](expression, chromedp.WithPollingTimeout(o.waits)))
}

// look sets how wide the window is, and whether it is dark.
func (o *office) look(wide, high int64, scheme string) {
	o.Helper()
	o.do(chromedp.EmulateViewport(wide, high), chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
		_, err := chromedp.Call(ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
			Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}})
		return err
	}))
}

// picture keeps what the browser shows, where somebody wants to look at it.
func (o *office) picture(name string) {
	o.Helper()
	if *pictures == "" {
		return
	}
	for _, size := range [][2]int64{{360, 800}, {768, 1024}, {1280, 900}, {2000, 1100}} {
		for _, scheme := range []string{"dark", "light"} {
			o.look(size[0], size[1], scheme)
			o.do(chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
				png, err := chromedp.Run(ctx, chromedp.CaptureScreenshot())
				if err != nil {
					return err
				}
				return os.WriteFile(filepath.Join(*pictures, fmt.Sprintf("%s-%d-%s.png", name, size[0], scheme)), png, 0o600)
			}))
		}
	}
	o.look(1280, 900, "light")
}

// text waits until some element that an XPath finds holds a text.
func (o *office) text(path, want string) {
	o.Helper()
	o.do(chromedp.WaitVisible(chromedp.Search(path + `[contains(., "` + want + `")]`)))
}

// lead waits for the sentence on top of a run's page.
func (o *office) lead(want string) {
	o.Helper()
	o.text("//*[@data-lead]", want)
}

// click clicks on what a selector finds.
func (o *office) click(selector string) {
	o.Helper()
	o.do(chromedp.Click(chromedp.CSS(selector)))
}

// Where to click on the pages.
const (
	toPreview = `form[data-once] button`
	toSend    = `form[data-send] button[type=submit]`
	toUndo    = `form[action$="/undo"] button`
	toStop    = `form[data-stop] button`
	toResume  = `form[action$="/resume"] button`
)

// file writes an input.
func (o *office) file(name, text string) string {
	o.Helper()
	path := filepath.Join(o.TempDir(), name)
	o.must(os.WriteFile(path, []byte(text), 0o600))
	return path
}

// visit goes to a page.
func (o *office) visit(path string) {
	o.Helper()
	base, _, _ := strings.Cut(o.address, "/?")
	o.do(chromedp.Navigate(base+path), chromedp.WaitVisible(chromedp.CSS("h1")))
}

// drop begins a new edit with a file.
func (o *office) drop(action, path string) {
	o.Helper()
	o.do(chromedp.Navigate(o.address), chromedp.WaitVisible(chromedp.CSS("h1")))
	o.visit("/new")
	o.do(chromedp.Click(chromedp.CSS(`input[name=action][value=`+action+`]`)),
		chromedp.SetUploadFiles(chromedp.CSS(`input[name=file]`), []string{path}),
		chromedp.Click(chromedp.CSS(`form[data-new] button[type=submit]`)), chromedp.WaitVisible(chromedp.CSS("#decide")))
}

// effects are how many writes have changed a customer.
func (o *office) effects(want int) {
	o.Helper()
	if n := len(o.box.Effects()); n != want {
		o.Fatalf("%d effects, want %d", n, want)
	}
}
